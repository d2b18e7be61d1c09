"""The bank's own record of who read, moved or wrote what. Attacks and exercises are judged by it."""

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Event", "Record"]

KEPT = 100_000
"""The number of events that a record keeps; a server under load for an hour must not fill the memory."""

LOSSES = {"read balance", "read notes", "read statements", "moved money"}
ATTACKER = "mallory"


@dataclass(frozen=True)
class Event:
    """One thing that happened at the bank.

    `at`: seconds since 1970. `person`: who really sent the request, as the bench knows it ("someone" when it
    does not). `user`: who the bank took that person for. `action`: "logged in", "logged out", "logged out
    everywhere", "confirmed", "refreshed", "read balance", "read notes", "read statements", "wrote note",
    "moved money". `owner`: whose money or notes these are. `detail`: what else is known; for "moved money", `to`
    and `amount` (in ferns).

    As a string it is a sentence: "mallory read ana's balance".
    """

    at: float
    person: str
    user: str
    action: str
    owner: str
    detail: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        whose = "their own" if self.person == self.owner else f"{self.owner}'s"
        match self.action:
            case "read balance":
                return f"{self.person} read {whose} balance"
            case "read notes":
                return f"{self.person} read {whose} notes"
            case "read statements":
                return f"{self.person} read {whose} statements"
            case "moved money":
                return f"{self.person} moved {self.detail['amount']} of {whose} ferns to {self.detail['to']}"
            case "wrote note":
                return f"{self.person} wrote a note among {whose} notes"
            case action:
                return f"{self.person} {action}" + ("" if self.person == self.user else f" as {self.user}")


class Record(Sequence[Event]):
    """All events of one bank, oldest first: a sequence that only the bank adds to. Safe under threads.

    It keeps the latest 100,000.
    """

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._lock = threading.Lock()

    def add(self, event: Event) -> None:
        """Write an event down."""
        with self._lock:
            self._events.append(event)

    def clear(self) -> None:
        """Forget all events."""
        with self._lock:
            self._events.clear()

    def lost(self, owner: str) -> list[Event]:
        """What `owner` lost: the events in which another person read their secrets or moved their money.

        And those in which their own browser sent money to Mallory: in this course nobody does that of their own
        will, so a page or a script of hers did (CWE-352, CWE-79). And the notes that they were led to write among
        hers, logged in as Mallory (login CSRF).
        """
        return [event for event in self if _took(event, owner) or _misled(event, owner)]

    def _copy(self) -> list[Event]:
        with self._lock:
            return list(self._events)

    def __len__(self) -> int:
        return len(self._events)

    def __getitem__(self, index):
        return self._copy()[index]

    def __iter__(self) -> Iterator[Event]:
        return iter(self._copy())

    def __str__(self) -> str:
        return "\n".join(map(str, self)) or "nothing happened yet"

    def __repr__(self) -> str:
        return f"<Record of {len(self)} event{'' if len(self) == 1 else 's'}>"


def _took(event: Event, owner: str) -> bool:
    if event.owner != owner or event.action not in LOSSES:
        return False
    return event.person != owner or event.detail.get("to") == ATTACKER != owner


def _misled(event: Event, owner: str) -> bool:
    return event.action == "wrote note" and event.person == owner and event.owner == ATTACKER != owner
