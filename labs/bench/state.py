"""Where the course keeps a learner's files: outside the repository, written whole or not at all."""

import os
import secrets
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock
from platformdirs import user_data_path

from .errors import BenchError

#: What an instructor hands out has the learner's seed in this file of the course's folder.
HANDED_OUT = Path(__file__).resolve().parents[2] / "seed.txt"


def home() -> Path:
    """Give the folder for seed and progress; create it when it is not there.

    It is FERNBANK_HOME, or else the place that this system has for a user's data.
    Raises BenchError when the course may not write there.
    """
    named = os.environ.get("FERNBANK_HOME")
    folder = Path(named).expanduser() if named else user_data_path("sessions-tokens-or-both", appauthor=False)
    with said(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError("no permission to write")
    return folder


def learner_seed() -> str:
    """Give the text from which this learner's secrets, balances and notes follow.

    It is FERNBANK_SEED; or else the one that this copy of the course was handed out with; or else one that is made
    at random once and kept in `home()`. Raises BenchError when it can be neither read nor kept.
    """
    given = os.environ.get("FERNBANK_SEED") or _handed_out()
    if given:
        return given
    file = home() / "seed"
    # Two notebooks may start at the same moment: the lock makes them agree on one seed.
    with said(file), FileLock(file.with_suffix(".lock")):
        kept = file.read_text("utf-8", "replace").strip() if file.exists() else ""
        if not kept:
            kept = secrets.token_hex(8)
            write_atomic(file, kept + "\n")
    return kept


def _handed_out() -> str:
    try:
        return HANDED_OUT.read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def write_atomic(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, so that a reader sees the old file or the new one and nothing between.

    Raises BenchError when it cannot be written (no permission, disk full); the old file is then unharmed.
    """
    path = Path(path)
    # Opened by hand, not by tempfile: the new file gets the usual permissions instead of 0600.
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    with said(path):
        try:
            with open(fresh, "x", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(fresh, path)
        finally:
            fresh.unlink(missing_ok=True)


@contextmanager
def said(path: Path):
    """Turn what the system says about `path` into a sentence for the learner."""
    try:
        yield
    except OSError as error:
        raise BenchError(
            f"The course could not write to {path} ({error.strerror or error}). Make room or give yourself "
            "permission there, or set FERNBANK_HOME to a folder of yours, and run this again."
        ) from error
