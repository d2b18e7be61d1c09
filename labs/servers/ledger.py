"""The money and the notes as they stand now: no web, no sessions, only what a bank must never get wrong."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from labs.servers.customers import Customer

__all__ = ["Ledger", "Movement", "NotEnough", "TooManyNotes"]

NOTES_KEPT = 200


class NotEnough(Exception):
    """The account does not hold that much."""


class TooManyNotes(Exception):
    """The customer's note book is full."""


@dataclass(frozen=True)
class Movement:
    """Money that went from one customer to another: `amount` in ferns, `at` in seconds since 1970."""

    at: float
    giver: str
    taker: str
    amount: int


class Ledger:
    """Balances, movements and notes of the customers, from the day the bank opens. Safe under threads."""

    def __init__(self, customers: Iterable[Customer]) -> None:
        customers = list(customers)
        self._balances = {one.name: one.balance for one in customers}
        self._notes = {one.name: list(one.notes) for one in customers}
        self._movements: list[Movement] = []
        self._lock = threading.Lock()

    def __contains__(self, name: object) -> bool:
        return name in self._balances

    def names(self) -> list[str]:
        """Everybody who has an account."""
        return list(self._balances)

    def balance(self, owner: str) -> int:
        """What the owner has, in ferns."""
        return self._balances[owner]

    def move(self, giver: str, taker: str, amount: int, at: float) -> int:
        """Move `amount` ferns, whole or not at all, and give the giver's new balance.

        Raises NotEnough when the giver has less, KeyError when either has no account, ValueError when nothing
        would move. `at`: seconds since 1970.
        """
        if amount < 1 or giver == taker:
            raise ValueError("A transfer moves at least 1 fern from one customer to another.")
        with self._lock:  # two transfers at once must not both see the old balance
            left = self._balances[giver] - amount
            if left < 0:
                raise NotEnough(f"{giver} has {self._balances[giver]} ferns, which is less than {amount}.")
            self._balances[taker] += amount
            self._balances[giver] = left
            self._movements.append(Movement(at, giver, taker, amount))
            return left

    def movements(self, owner: str, latest: int = 10) -> list[Movement]:
        """The owner's latest movements in and out, newest first."""
        with self._lock:
            theirs = [one for one in self._movements if owner in (one.giver, one.taker)]
        return theirs[::-1][:latest]

    def notes(self, owner: str) -> list[str]:
        """The owner's notes, oldest first."""
        with self._lock:
            return list(self._notes[owner])

    def write_note(self, owner: str, text: str) -> None:
        """Add a note. Raises TooManyNotes when the owner has 200."""
        with self._lock:
            if len(self._notes[owner]) >= NOTES_KEPT:
                raise TooManyNotes(f"A customer may keep {NOTES_KEPT} notes, and {owner} does.")
            self._notes[owner].append(text)
