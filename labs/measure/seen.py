"""What a real browser did: measured now, or read from what is stored in data/browser.json where there is none."""

import json
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from labs.bench import BenchError, NoBrowser, browser
from labs.bench.state import write_atomic

__all__ = ["Seen", "seen", "stored"]

STORE = Path(__file__).resolve().parents[2] / "data" / "browser.json"
TAKE = "FERNBANK_TAKE"
"""When this variable is set, seen() stores what it measures, for machines that have no browser."""


@dataclass(frozen=True)
class Seen:
    """A measurement. `data`: what was found, plain data. `live`: whether just now. `how`: a sentence."""

    data: Any
    live: bool
    how: str


def seen(name: str, measure: Callable[[], Any]) -> Seen:
    """Call `measure()`, which uses the browser and gives plain data; without a browser give what is stored.

    Raises BenchError when there is neither.
    """
    try:
        program = browser()
    except NoBrowser:
        return stored(name)
    # Through JSON, so that what is measured and what is stored are alike: no tuples, no sets.
    data = json.loads(json.dumps(measure()))
    if os.environ.get(TAKE):
        _keep(name, data, program.version)
    return Seen(data, True, f"measured just now, in Chromium {program.version}")


def stored(name: str) -> Seen:
    """Give a measurement that was stored, and how it was taken. Raises BenchError when there is none."""
    entry = _read().get(name)
    if entry is None:
        raise BenchError(f"No measurement {name!r} is stored, and there is no browser to take it with.")
    return Seen(entry["data"], False, f"read from data/browser.json, not measured here: {entry['taken']}")


def _read() -> dict[str, dict]:
    try:
        return json.loads(STORE.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BenchError(f"{STORE.name} cannot be read ({error}). Get this file of the course again.") from error


def _keep(name: str, data: Any, chromium: str) -> None:
    taken = (
        f"taken on {datetime.now(UTC):%Y-%m-%d} in Chromium {chromium}, driven by Playwright {version('playwright')} "
        f"on {platform.system()}, over plain http on *.localhost"
    )
    entries = _read() if STORE.exists() else {}
    entries[name] = {"taken": taken, "data": data}
    # By name; but the data keep their order, which is that of a table on the page.
    text = json.dumps(dict(sorted(entries.items())), indent=1, ensure_ascii=False)
    write_atomic(STORE, text + "\n")
