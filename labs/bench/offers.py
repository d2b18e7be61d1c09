"""What this machine offers to the lessons, and what to do about what it lacks: it only looks."""

import platform
from dataclasses import dataclass

from .browser import NO_BROWSER, find_browser
from .parts import POSTGRES_URL, REDIS_URL, Way, find_postgres, find_redis, left_out


@dataclass(frozen=True)
class Offer:
    """One part, by its name in WITHOUT.

    `what` is used and `available` says whether that is the real thing; `why` not and `what_to_do` are "" then.
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
    program = find_browser()
    return [
        Offer("python", f"Python {platform.python_version()}", True),
        _store(
            "redis",
            "Redis",
            find_redis(),
            instead="fakeredis, inside this process: every lesson runs; its times are not those of a Redis",
            what_to_do=f"For a real one, install redis-server, or set {REDIS_URL} to the address of one.",
        ),
        _store(
            "postgres",
            "PostgreSQL",
            find_postgres(),
            instead="SQLite: every lesson runs, and PostgreSQL is left out of its tables",
            what_to_do=f"For a real one, install PostgreSQL, or set {POSTGRES_URL} to the address of one.",
        ),
        Offer("browser", str(program), True)
        if program
        else Offer("browser", "none: the stored results are shown", False, why_not("browser"), NO_BROWSER),
    ]


def why_not(part: str) -> str:
    """Say why this machine does not offer a part that was looked for in vain."""
    return "WITHOUT hides it" if left_out(part) else "this machine has none"


def _store(part: str, name: str, way: Way | None, instead: str, what_to_do: str) -> Offer:
    if way is None:
        return Offer(part, instead, False, why_not(part), what_to_do)
    # An address may carry a password: it is not shown.
    return Offer(part, f"{name} ({way.origin})", True)
