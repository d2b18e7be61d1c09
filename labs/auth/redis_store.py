"""The store in Redis."""

import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from labs.auth.stores import StoreDown, json_text

__all__ = ["RedisStore"]


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
            return self._redis.set(key, json_text(value), nx=True, px=_lifetime(value)) is not None

    def replace(self, key: str, old: dict, new: dict) -> bool:
        old_text, new_text = json_text(old), json_text(new)
        with _redis_outage(), self._redis.pipeline() as pipe:
            try:
                pipe.watch(key)  # from here to EXEC, any other write to the key makes EXEC fail
                text = pipe.get(key)
                if text is None or json_text(json.loads(text)) != old_text:
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


def _lifetime(value: dict) -> int | None:
    """Return for how many milliseconds Redis must keep a record; None: until it is deleted.

    A minute more than it lives: the clocks of this machine and of Redis differ, and the record decides.
    """
    if "expires_at" not in value:
        return None
    return math.ceil(max(0, value["expires_at"] - time.time()) + 60) * 1000


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
