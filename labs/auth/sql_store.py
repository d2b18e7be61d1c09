"""The store in SQLite or PostgreSQL."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from labs.auth.stores import StoreDown, json_text

__all__ = ["SQLStore"]


class SQLStore:
    """Records in a table of SQLite or PostgreSQL, through SQLAlchemy. Makes the table when there is none.

    Takes an Engine or an address: `sqlite://` (in memory), `sqlite:///records.db`, `postgresql+psycopg://..`
    """

    def __init__(self, url_or_engine: str | sa.URL | sa.Engine):
        self._engine = url_or_engine if isinstance(url_or_engine, sa.Engine) else _engine(url_or_engine)
        with _sql_outage():
            try:
                _metadata.create_all(self._engine)
            except sa.exc.DBAPIError:  # perhaps another server was just making it: then it is there now
                _metadata.create_all(self._engine)

    def get(self, key: str) -> dict | None:
        with _sql_outage(), self._engine.connect() as connection:
            text = connection.scalar(sa.select(_records.c.value).where(_records.c.key == key))
        return None if text is None else json.loads(text)

    def add(self, key: str, value: dict) -> bool:
        row = {"key": key, "value": json_text(value), "expires_at": value.get("expires_at")}
        try:
            self._write(sa.insert(_records).values(row))
        except sa.exc.IntegrityError:
            return False
        return True

    def replace(self, key: str, old: dict, new: dict) -> bool:
        # One statement compares and writes, and the database lets nothing come in between.
        is_old = (_records.c.key == key) & (_records.c.value == json_text(old))
        row = {"value": json_text(new), "expires_at": new.get("expires_at")}
        return self._write(sa.update(_records).where(is_old).values(row)) == 1

    def delete(self, key: str) -> bool:
        return self._write(sa.delete(_records).where(_records.c.key == key)) == 1

    def sweep(self, now: float) -> int:
        """Remove the records whose `expires_at` has come. Returns how many."""
        return self._write(sa.delete(_records).where(_records.c.expires_at <= now))

    def _write(self, statement: sa.Executable) -> int:
        """Run one statement in a transaction of its own. Returns how many rows it met."""
        with _sql_outage(), self._engine.begin() as connection:
            return connection.execute(statement).rowcount


_metadata = sa.MetaData()
_records = sa.Table(
    "records",
    _metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("expires_at", sa.Float, index=True),  # the record's own, where sweep can search it
)


def _engine(url: str | sa.URL) -> sa.Engine:
    """Make an engine that finds a server again that was away, and shows no record in an error's text."""
    url = sa.make_url(url)
    options = {"pool_pre_ping": True, "hide_parameters": True}
    if url.get_backend_name() == "postgresql":
        options["connect_args"] = {"connect_timeout": 2}
    elif url.database in (None, "", ":memory:"):
        # A database in memory belongs to its connection: all threads share one, each in its turn.
        options |= {"poolclass": sa.QueuePool, "pool_size": 1, "max_overflow": 0}
        options["connect_args"] = {"check_same_thread": False}
    return sa.create_engine(url, **options)


@contextmanager
def _sql_outage() -> Iterator[None]:
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError) as error:
        raise StoreDown("The session store, an SQL database, did not answer. Is it running?") from error
