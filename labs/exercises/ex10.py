"""Exercises of lesson 10, Sessions from scratch."""

import math
import re
from collections import Counter

from .exercise import BASICS, Exercise


class Functions:
    """What a bank is handed, made of a cell's functions: create, load and delete(store, ...)."""

    def __init__(self, lab):
        self._lab, self._store = lab, lab.remote("store")

    def create(self, user=None, elevated=False):
        return self._lab.call("create", self._store, user)

    def load(self, id):
        user = self._lab.call("load", self._store, id)
        return None if user is None else {"user": user}

    def save(self, id, data):
        return False

    def rotate(self, id, user, elevated=False):
        return self.create(user)

    def revoke(self, id):
        self._lab.call("delete", self._store, id)
        return True

    def revoke_all(self, user):
        return 0


def bank_of_functions(lab):
    """A Fernbank whose sessions are the cell's create, load and delete."""
    return lab.bank(Functions(lab))


# ---- 10.1 ----------------------------------------------------------------------------------------------------

NEW_ID = Exercise(
    "10.1",
    "An id that nobody guesses",
    defines=("new_id",),
    imports=BASICS | {"os", "random", "uuid"},
    minutes=5,
    hints=(
        "The module `secrets` asks the operating system for random bytes; `random` computes its numbers from a seed.",
        "128 bits are 16 bytes. `secrets.token_urlsafe(n)` takes the number of bytes.",
    ),
)


def entropy(ids):
    """The bits that the positions of these ids (list of str) carry together, as seen in the sample.

    Each position counts by itself (Shannon, with the Miller-Madow correction for a finite sample), so this is an
    upper bound: a prefix, a date or a counter's constant digits give nothing.
    """
    bits = 0.0
    for column in zip(*ids, strict=False):
        counts = Counter(column)
        bits += -sum(n / len(ids) * math.log2(n / len(ids)) for n in counts.values())
        bits += (len(counts) - 1) / (2 * len(ids) * math.log(2))
    return bits


@NEW_ID.customer("10,000 ids, and no two are the same", look_at="what new_id() draws from")
def unique(lab):
    ids = lab.call_many("new_id", 10_000)
    odd = [id for id in ids if type(id) is not str or not re.fullmatch(r"[!#-+\--:<-\[\]-~]+", id)]
    lab.expect(not odd, "an id is text that a cookie can carry", f"new_id() gave {odd[0] if odd else ''!r:.60}")
    twice = [id for id, n in Counter(ids).items() if n > 1]
    lab.expect(not twice, "10,000 different ids", f"{len(ids) - len(set(ids))} of them came twice or more")


@NEW_ID.probe("An id carries at least 128 bits (ASVS 7.2.3)", look_at="how many random bytes an id has")
def long_enough(lab):
    bits = entropy(lab.call_many("new_id", 4_000))
    lab.expect(bits >= 127.5, "at least 128 bits that nobody can know", f"the ids vary by about {bits:.0f} bits")


@NEW_ID.probe("A restarted server repeats nothing", look_at="whether a seed, a counter or the clock decides the id")
def repeats_nothing(lab):
    seen, reseed = set(), lab.random.randrange(1_000_000)
    for _ in range(3):
        lab.restart(reseed)
        seen_now = set(lab.call_many("new_id", 50))
        lab.expect(
            not seen & seen_now,
            "new ids, with the same seed of `random` and at the same second",
            f"the restarted server gave {len(seen & seen_now)} of 50 ids again",
        )
        seen |= seen_now
