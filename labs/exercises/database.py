"""The judge's database: real SQLite, in memory, that the judge can hold between two statements and switch off."""

import sqlite3

from labs.auth.stores import StoreDown

from .store import Holdable

METHODS = frozenset({"execute"})
LARGEST = 20_000  # octets of a statement or of a value
MOST_ROWS = 1_000
MOST_PAGES = 2_000  # of 4,096 octets: what the database may hold
MOST_STEPS = 8  # of 10,000 instructions of SQLite's machine each: a statement that never ends is stopped

# A hand-in's SQL runs in the judge's own process: it reaches no file, and leaves nothing open behind it.
FORBIDDEN = {
    sqlite3.SQLITE_ATTACH,
    sqlite3.SQLITE_DETACH,
    sqlite3.SQLITE_PRAGMA,
    sqlite3.SQLITE_SAVEPOINT,
    sqlite3.SQLITE_TRANSACTION,
}


class JudgeDatabase(Holdable):
    """execute(sql, params) for a learner's code. Every statement is a transaction of its own, as is SQLite's way.

    `down = True` makes every call raise StoreDown, and `hold()` holds one statement, whichever it is. What is
    wrong with a call is a TypeError with a sentence, which the learner's code gets.
    """

    def __init__(self):
        super().__init__()
        self.down = False
        self._steps = 0
        self._connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._connection.execute(f"PRAGMA max_page_count = {MOST_PAGES}")
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST)
        self._connection.set_progress_handler(self._too_many_steps, 10_000)
        self._connection.set_authorizer(_permit)

    def execute(self, sql, params=()):
        """Run one statement; its `?` stand for `params` (list of text, numbers or None), in order.

        Returns [rows, changed]: the rows that it gives (lists), and how many it inserted, updated or deleted.
        """
        if type(sql) is not str or type(params) not in (list, tuple):
            raise TypeError("db.execute takes a statement, which is text, and a list of what its ? stand for")
        for one in params:
            if one is not None and type(one) not in (str, int, float, bool):
                raise TypeError(f"the database takes text, numbers and None for a ?, not {type(one).__name__}")
        if self.down:
            raise StoreDown("the database does not answer")
        self._wait_if_held()
        with self._lock:
            return self._run(sql, params)

    def close(self):
        """Forget everything."""
        self._connection.close()

    def _run(self, sql, params):
        before, self._steps = self._connection.total_changes, 0
        try:
            rows = self._connection.execute(sql, params).fetchmany(MOST_ROWS)
        except (sqlite3.Error, sqlite3.Warning, OverflowError, UnicodeEncodeError) as error:
            raise TypeError(f"the database refuses `{' '.join(sql.split()):.120}`: {_said(error)}") from None
        return [[list(row) for row in rows], self._connection.total_changes - before]

    def _too_many_steps(self):
        self._steps += 1
        return self._steps > MOST_STEPS


def _permit(action, *_):
    return sqlite3.SQLITE_DENY if action in FORBIDDEN else sqlite3.SQLITE_OK


def _said(error):
    text = str(error)
    if "authoriz" in text:
        return "here each statement is a transaction of its own, and there is no ATTACH and no PRAGMA"
    return "it took too long" if text == "interrupted" else text
