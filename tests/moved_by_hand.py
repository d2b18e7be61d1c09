"""What a test of services moves by hand: the time, and whether the store of refresh tokens is there."""

from labs.auth.stores import MemoryStore, StoreDown

START = 1_900_000_000.0


class Now:
    """A clock that the test moves."""

    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


class Store(MemoryStore):
    """A store that the test can take away."""

    down = False

    def get(self, key):
        if self.down:
            raise StoreDown("gone")
        return super().get(key)
