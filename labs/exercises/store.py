"""The judge's store: what a learner's mechanism keeps its records in, and what the judge can look into, hold and
switch off.
"""

import copy
import json
import threading
from contextlib import contextmanager

from labs.auth.stores import StoreDown

METHODS = frozenset({"get", "add", "replace", "delete"})
WRITES = METHODS - {"get"}
LARGEST = 5_000_000  # characters of JSON, all records together: the judge's memory is not the learner's to fill
WAIT_SECONDS = 3  # how long a held write waits; below the deadline of a call into the learner's code


class Held:
    """One step that the judge holds up, so that something else can happen between the one before it and this one."""

    def __init__(self, skipped):
        self.skipped = skipped
        self.arrived, self._released = threading.Event(), threading.Event()

    def wait(self):
        """Called in the thread of the step: say that it has arrived, and wait for the release."""
        self.arrived.set()
        self._released.wait(WAIT_SECONDS)

    def release(self):
        """Let the step go on."""
        self._released.set()


class Holdable:
    """Something of the judge's whose steps can be held up one at a time."""

    def __init__(self):
        self._lock = threading.Lock()
        self._held: Held | None = None

    @contextmanager
    def hold(self, skipped=0):
        """The next step but `skipped`, whoever makes it, waits until the block releases it or ends."""
        self._held = held = Held(skipped)
        try:
            yield held
        finally:
            self._held = None
            held.release()

    def _wait_if_held(self):
        with self._lock:
            held = self._held
            if held is None:
                return
            if held.skipped:
                held.skipped -= 1
                return
            self._held = None
        held.wait()


class JudgeStore(Holdable):
    """get, add, replace and delete as in labs.auth.stores, in memory.

    `records` is the dict of what is stored; `down = True` makes every call raise StoreDown; `writes` counts them,
    and `hold()` holds one of them. Wrong types, and more than it holds, raise TypeError with a sentence, which the
    learner's code gets.
    """

    def __init__(self):
        super().__init__()
        self.records: dict[str, dict] = {}
        self._sizes: dict[str, int] = {}
        self._total = 0
        self.down = False
        self.writes = 0

    def get(self, key):
        """A copy of the record, or None."""
        self._ready("get", key)
        with self._lock:
            return copy.deepcopy(self.records.get(key))

    def add(self, key, value):
        """Store a new record; False when the key is taken."""
        self._ready("add", key, value)
        with self._lock:
            if key in self.records:
                return False
            self._keep("add", key, value)
            return True

    def replace(self, key, old, new):
        """Store `new` if the record is still equal to `old`; False when it has changed or is gone."""
        self._ready("replace", key, old, new)
        with self._lock:
            if key not in self.records or self.records[key] != old:
                return False
            self._keep("replace", key, new)
            return True

    def delete(self, key):
        """Remove the record; False when there was none."""
        self._ready("delete", key)
        with self._lock:
            self._total -= self._sizes.pop(key, 0)
            return self.records.pop(key, None) is not None

    def text(self) -> str:
        """Everything stored, keys and records, as one text: for looking for what must not be in it."""
        with self._lock:
            return repr(self.records)

    def _keep(self, method, key, value):
        size = len(key) + len(json.dumps(value, default=str))
        total = self._total - self._sizes.get(key, 0) + size
        if total > LARGEST:
            raise TypeError(f"store.{method}: the store is full. It holds {LARGEST:,} characters in all")
        self._total, self._sizes[key] = total, size
        self.records[key] = copy.deepcopy(value)

    def _ready(self, method, key, *values):
        if type(key) is not str or not 0 < len(key) <= 1000:
            raise TypeError(f"store.{method} takes a key that is text of 1 to 1,000 characters, not {key!r:.60}")
        for value in values:
            if type(value) is not dict:
                raise TypeError(f"store.{method} keeps dicts, not {type(value).__name__}")
        if self.down:
            raise StoreDown("the store does not answer")
        if method in WRITES:
            self.writes += 1
            self._wait_if_held()
