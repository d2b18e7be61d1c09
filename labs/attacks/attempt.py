"""What an attack sees, and what it gives back: a target's addresses, and an attempt with its evidence."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from labs.bench import BenchError, Exchange, Site, Visitor

from .victim import Victim

__all__ = ["Attempt", "Target"]


@dataclass
class Attempt:
    """What an attack did. It never says whether it succeeded: the site's record does, before and after.

    `exchanges`: the raw HTTP, in order: what Mallory sent, and what a victim's browser sent for her. `captured`: the
    plain data that she holds afterwards. `tries`: how many guesses or requests it took.
    """

    exchanges: list[Exchange] = field(default_factory=list)
    captured: dict[str, Any] = field(default_factory=dict)
    tries: int = 0

    @property
    def sent(self) -> list[str]:
        """The requests, as they were sent."""
        return [exchange.request_text for exchange in self.exchanges]

    @property
    def received(self) -> list[str]:
        """The responses, as they came."""
        return [exchange.response_text for exchange in self.exchanges]


class Target:
    """A bank as Mallory sees it: its address, an account of her own there, and what the victim's browser will do.

    `victim`: a Victim, in a real browser or not (default: Ana, by what a browser would send).
    """

    def __init__(self, site: Site, victim: Victim | None = None) -> None:
        self._site = site
        self.victim = victim or Victim(site, "ana")

    @property
    def page(self) -> str:
        """The bank's address in a browser."""
        return self._site.page

    @property
    def mallorys_password(self) -> str:
        """The password of her own account."""
        return self._site.password_of("mallory")

    def mallory(self, logged_in: bool = False) -> Visitor:
        """A fresh browser of Mallory's own; she is a customer, too."""
        visitor = self._site.visitor("mallory")
        if logged_in:
            answer = Victim(self._site, "mallory", visitor).log_in()
            if answer.status != 303:
                raise BenchError(f"Mallory could not log in to her own account: {answer.status}.")
        return visitor

    def watch(self) -> "Watch":
        """Note from now on what Mallory and the victim's browser send: `list(watch)` gives the exchanges."""
        return Watch(self._site, {"mallory", self.victim.name})


class Watch:
    """The exchanges of some people since it began."""

    def __init__(self, site: Site, people: set[str]) -> None:
        self._site, self._people = site, people
        self._before = {exchange.n for exchange in site.log}

    def __iter__(self) -> Iterator[Exchange]:
        seen = (one for one in self._site.log if one.n not in self._before)
        return (one for one in seen if one.person in self._people)
