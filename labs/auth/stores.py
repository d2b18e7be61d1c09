"""Where records are kept: one contract of four methods, kept in memory, by SQL and by Redis."""

import json
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import redis
import sqlalchemy as sa

__all__ = ["MemoryStore", "RedisStore", "SQLStore", "Store", "StoreDown"]


class StoreDown(Exception):
    """The store did not answer. A write under way may be done or not; what was stored before still is."""


class Store(Protocol):
    """Keeps JSON dicts under text keys. When a record ends stands in the record: the store never decides it.

    A record may carry `"expires_at"` (seconds since 1970): from then on the store is free to tidy it away.
    Every method may raise `StoreDown`; TypeError or ValueError when a value is not JSON.
    """

    def get(self, key: str) -> dict | None:
        """Return the record, a fresh dict at each call, or None when there is none."""

    def add(self, key: str, value: dict) -> bool:
        """Store a new record. False when there is one already: it stays as it is."""

    def replace(self, key: str, old: dict, new: dict) -> bool:
        """Compare-and-swap: store `new` if the record still is `old`. False when it changed, or is gone."""

    def delete(self, key: str) -> bool:
        """Remove the record. False when there was none: of two who delete it, one is told True."""


class MemoryStore:
    """Records in this process: gone when it stops, and not seen by any other."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> dict | None:
        text = self._texts.get(key)
        return None if text is None else json.loads(text)

    def add(self, key: str, value: dict) -> bool:
        text = _text(value)
        with self._lock:
            if key in self._texts:
                return False
            self._texts[key] = text
            return True

    def replace(self, key: str, old: dict, new: dict) -> bool:
        old_text, new_text = _text(old), _text(new)
        with self._lock:
            if self._texts.get(key) != old_text:
                return False
            self._texts[key] = new_text
            return True

    def delete(self, key: str) -> bool:
        with self._lock:
            return self._texts.pop(key, None) is not None

    def sweep(self, now: float) -> int:
        """Remove the records whose `expires_at` has come. Returns how many."""
        with self._lock:
            ends = {key: json.loads(text).get("expires_at", math.inf) for key, text in self._texts.items()}
            ended = [key for key in ends if ends[key] <= now]
            for key in ended:
                del self._texts[key]
        return len(ended)


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
        row = {"key": key, "value": _text(value), "expires_at": value.get("expires_at")}
        try:
            self._write(sa.insert(_records).values(row))
        except sa.exc.IntegrityError:
            return False
        return True

    def replace(self, key: str, old: dict, new: dict) -> bool:
        # One statement compares and writes, and the database lets nothing come in between.
        is_old = (_records.c.key == key) & (_records.c.value == _text(old))
        row = {"value": _text(new), "expires_at": new.get("expires_at")}
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


class RedisStore:
    """Records in Redis, under the keys as they are. Redis forgets each one soon after its `expires_at`.

    How long an answer is waited for, and how often a command is tried, is set in the client.
    """

    def __init__(self, client: redis.Redis):
        self._redis = client

    def get(self, key: str) -> dict | None:
        with _redis_outage():
            text = self._redis.get(key)
        return None if text is None else json.loads(text)

    def add(self, key: str, value: dict) -> bool:
        with _redis_outage():
            return self._redis.set(key, _text(value), nx=True, px=_lifetime(value)) is not None

    def replace(self, key: str, old: dict, new: dict) -> bool:
        old_text, new_text = _text(old), _text(new)
        with _redis_outage(), self._redis.pipeline() as pipe:
            try:
                pipe.watch(key)  # from here to EXEC, any other write to the key makes EXEC fail
                text = pipe.get(key)
                if text is None or _text(json.loads(text)) != old_text:
                    return False
                pipe.multi()
                pipe.set(key, new_text, px=_lifetime(new))
                pipe.execute()
                return True
            except redis.WatchError:
                self._redis.ping()  # redis-py calls a lost connection WatchError too: this tells them apart
                return False

    def delete(self, key: str) -> bool:
        with _redis_outage():
            return self._redis.delete(key) == 1


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


def _lifetime(value: dict) -> int | None:
    """Return for how many milliseconds Redis must keep a record; None: until it is deleted.

    A minute more than it lives: the clocks of this machine and of Redis differ, and the record decides.
    """
    if "expires_at" not in value:
        return None
    return math.ceil(max(0, value["expires_at"] - time.time()) + 60) * 1000


def _text(value: dict) -> str:
    """Write a value so that equal values give equal texts, which is what compare-and-swap compares.

    Through JSON first, since that turns keys into text, and then sorted. NaN is refused: it equals nothing.
    """
    return json.dumps(json.loads(json.dumps(value, allow_nan=False)), sort_keys=True)


@contextmanager
def _sql_outage() -> Iterator[None]:
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError) as error:
        raise StoreDown("The session store, an SQL database, did not answer. Is it running?") from error


@contextmanager
def _redis_outage() -> Iterator[None]:
    try:
        yield
    except (
        redis.ConnectionError,
        redis.TimeoutError,
        redis.ReadOnlyError,  # after a failover: this one may not write
        redis.OutOfMemoryError,
    ) as error:
        raise StoreDown("The session store, Redis, did not answer. Is it running?") from error
