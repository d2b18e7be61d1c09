"""Who banks at Fernbank: Ana and Ben, who have something to lose, and Mallory, who wants it.

All that is theirs follows from one seed, so every learner has their own passwords, money and secrets, and the
same seed gives the same bank again on any machine and any version of Python.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from labs.bench.errors import BenchError
from labs.bench.state import learner_seed

__all__ = ["Customer", "customers"]

DATA = Path(__file__).resolve().parents[2] / "data"


@dataclass(frozen=True)
class Customer:
    """A customer on the day the bank opens.

    `balance` is in ferns, Fernbank's money, which has no smaller coin. The first of the `notes` holds a
    secret that differs from seed to seed.
    """

    name: str
    password: str
    balance: int
    notes: tuple[str, ...]


def customers(seed: str | None = None) -> dict[str, Customer]:
    """The three customers of one learner's bank, by name: "ana", "ben" and "mallory".

    Takes a seed (default: this learner's, `labs.bench.learner_seed()`). Ana and Ben have between 1,100 and
    5,000 ferns, never the same; Mallory has less than 100. Raises BenchError when a file in `data` is amiss.
    """
    seed = learner_seed() if seed is None else str(seed)
    ana = 1_100 + 20 * _draw(seed, "ana's balance", 195)
    ben = 1_110 + 20 * _draw(seed, "ben's balance", 194)  # always an odd ten, Ana's always an even one
    mallory = 10 + _draw(seed, "mallory's balance", 90)
    return {
        name: _customer(seed, name, balance) for name, balance in [("ana", ana), ("ben", ben), ("mallory", mallory)]
    }


def _customer(seed: str, name: str, balance: int) -> Customer:
    words, notes = _data("words.json"), _data("notes.json")
    password = "-".join(
        [
            _pick(seed, f"{name}'s adjective", words["adjectives"]),
            _pick(seed, f"{name}'s animal", words["animals"]),
            f"{_draw(seed, f'{name} number', 10_000):04}",
        ]
    )
    code = f"{_draw(seed, f'{name} code', 10_000):04}-{_pick(seed, f'{name} codeword', words['codewords'])}"
    secret = _pick(seed, f"{name}'s secret", notes["secret"]).format(code=code)
    first = _draw(seed, f"{name}'s notes", len(notes["everyday"]))
    everyday = [notes["everyday"][(first + step) % len(notes["everyday"])] for step in (0, 4)]
    return Customer(name, password, balance, (secret, *everyday))


def _draw(seed: str, what: str, below: int) -> int:
    """A number from 0 up to (not including) `below`, that follows from seed and `what` alone.

    A hash and not `random.Random(seed)`: Python does not promise the same choices in every version, and a
    report must be replayed years later.
    """
    return int.from_bytes(hashlib.sha256(f"{seed}\n{what}".encode("utf-8", "surrogatepass")).digest()) % below


def _pick(seed: str, what: str, options: list[str]) -> str:
    return options[_draw(seed, what, len(options))]


@cache
def _data(name: str) -> dict[str, list[str]]:
    try:
        return json.loads((DATA / name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BenchError(
            f"Fernbank's list {DATA / name} cannot be read ({error}). Get this file of the course again."
        ) from error
