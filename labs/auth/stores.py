"""Where records are kept: the contract of every store, the one in memory, and the way to SQL and to Redis."""

import importlib
import json
import math
import threading
from typing import Any, Protocol

__all__ = ["MemoryStore", "Store", "StoreDown"]


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
        text = json_text(value)
        with self._lock:
            if key in self._texts:
                return False
            self._texts[key] = text
            return True

    def replace(self, key: str, old: dict, new: dict) -> bool:
        old_text, new_text = json_text(old), json_text(new)
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


def json_text(value: dict) -> str:
    """Write a value so that equal values give equal texts, which is what compare-and-swap compares.

    Through JSON first, since that turns keys into text, and then sorted. NaN is refused: it equals nothing.
    """
    return json.dumps(json.loads(json.dumps(value, allow_nan=False)), sort_keys=True)


def __getattr__(name: str) -> Any:
    """Give SQLStore and RedisStore as well, loaded when first asked for: their libraries take long to load."""
    modules = {"SQLStore": "labs.auth.sql_store", "RedisStore": "labs.auth.redis_store"}
    if name not in modules:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(modules[name]), name)
