"""A learner's results on disk: progress.json in the course's folder, safe with two kernels at once."""

import json
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from labs.bench import BenchError, home
from labs.bench.state import said, write_atomic

FILE = "progress.json"
PATIENCE = 10  # seconds to wait for another notebook that is writing: it takes milliseconds

Results = dict[str, dict]
"""By exercise id: {"attempts": int, "points": int (the best so far), "passed": bool}."""


def read() -> tuple[Results, str]:
    """The results so far, and a sentence ("" or that a damaged file was set aside). Raises BenchError."""
    with _locked() as file:
        return _read(file)


def note(exercise: str, points: int, passed: bool) -> str:
    """Count one attempt and keep the best points. Returns a sentence as read() does. Raises BenchError."""
    with _locked() as file:
        results, sentence = _read(file)
        before = results.get(exercise, {"attempts": 0, "points": 0, "passed": False})
        results[exercise] = {
            "attempts": before["attempts"] + 1,
            "points": max(before["points"], points),
            "passed": before["passed"] or passed,
        }
        write_atomic(file, json.dumps({"exercises": results}, indent=1, sort_keys=True) + "\n")
        return sentence


@contextmanager
def _locked():
    """The path of the results, while no other kernel reads or writes them."""
    file = home() / FILE
    with said(file):
        lock = FileLock(file.with_suffix(".lock"), timeout=PATIENCE)
        try:
            lock.acquire(poll_interval=0.01)
        except Timeout:
            raise BenchError(
                f"Another program has held {lock.lock_file} for more than {PATIENCE} seconds. Close other "
                "notebooks of the course and run this again."
            ) from None
        try:
            yield file
        finally:
            lock.release()


def _read(file: Path) -> tuple[Results, str]:
    if not file.exists():
        return {}, ""
    try:
        return _checked(json.loads(file.read_bytes())), ""
    except (ValueError, KeyError, TypeError, RecursionError):
        aside = _free(lambda number: file.with_name(f"progress.damaged-{number}.json"))
        file.rename(aside)
        return {}, f"Your progress file was damaged. It was set aside as {aside.name} and a new one begins."


def _checked(data) -> Results:
    """The results in what was read. Raises KeyError, TypeError or ValueError when the shape is not ours."""
    results = {}
    for exercise, kept in dict(data["exercises"]).items():
        attempts, points, passed = kept["attempts"], kept["points"], kept["passed"]
        if (type(attempts), type(points), type(passed)) != (int, int, bool) or attempts < 0 or points < 0:
            raise ValueError(f"not the result of an exercise: {kept!r}")
        results[exercise] = {"attempts": attempts, "points": points, "passed": passed}
    return results


def _free(name: Callable[[int], Path]) -> Path:
    number = 1
    while name(number).exists():
        number += 1
    return name(number)
