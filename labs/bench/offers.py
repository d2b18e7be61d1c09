"""What this machine offers to the lessons, and what to do about what it lacks: it only looks."""

import platform
from dataclasses import dataclass
from pathlib import Path

from .browser import NO_BROWSER, find_browser
from .parts import POSTGRES_URL, REDIS_URL, Way, find_postgres, find_redis, left_out


@dataclass(frozen=True)
class Offer:
    """One part, by its name in WITHOUT.

    `what` is used; when that is not the real thing, `available` is False, `why` says why not, and
    `what_to_do` what to do about it.
    """

    part: str
    what: str
    available: bool
    why: str = ""
    what_to_do: str = ""

    def __str__(self) -> str:
        lack = "" if self.available else f" ({self.why})"
        return f"{self.part}: {self.what}{lack}"


def offers() -> list[Offer]:
    """Say for Python, Redis, PostgreSQL and the browser what the lessons will use on this machine."""
    return [
        Offer("python", f"Python {platform.python_version()}", True),
        _offer(
            "redis",
            _store("Redis", find_redis()),
            instead="fakeredis, inside this process: every lesson runs; its times are not those of a Redis",
            what_to_do=f"For a real one, install redis-server, or set {REDIS_URL} to the address of one.",
        ),
        _offer(
            "postgres",
            _store("PostgreSQL", find_postgres()),
            instead="SQLite: every lesson runs, and PostgreSQL is left out of its tables",
            what_to_do=f"For a real one, install PostgreSQL, or set {POSTGRES_URL} to the address of one.",
        ),
        _offer(
            "browser",
            _program(find_browser()),
            instead="no browser: the stored results of its cells are shown",
            what_to_do=NO_BROWSER,
        ),
    ]


def _offer(part: str, found: str, instead: str, what_to_do: str) -> Offer:
    if found:
        return Offer(part, found, True)
    if left_out(part):
        return Offer(part, instead, False, "WITHOUT hides it", f"To use it, take {part} out of WITHOUT.")
    return Offer(part, instead, False, "this machine has none", what_to_do)


def _program(file: Path | None) -> str:
    # Its name, not its path: this is shown in notebooks that people hand in.
    return f"{file.stem} (on this machine)" if file else ""


def _store(name: str, way: Way | None) -> str:
    # Not the address: it may carry a password.
    return f"{name} ({way.origin})" if way else ""
