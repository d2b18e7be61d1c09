"""claim(): what the article says, what this run measured, and what the course's ledger makes of it."""

import json
import textwrap
from functools import cache
from pathlib import Path

from markupsafe import Markup

from labs.bench import BenchError

from .drawing import Drawing
from .exchange import visible
from .reports import WIDTH

LEDGER = Path(__file__).resolve().parents[2] / "data" / "claims.json"
HOLDS = {True: "it holds", False: "it does not hold", None: "not settled yet"}


class UnknownClaim(BenchError):
    """The ledger has no claim of this id; the message lists those it has."""


def claim(id: str, *, measured: str, holds: bool | None, but: str = "") -> None:
    """Draw one claim of the article beside what this run measured, and the ledger's verdict.

    `measured`: a sentence with the run's own figures. `holds`: what follows from them, computed in the run; None
    when they do not settle it. `but`: a limit that the run met, or what a later lesson measures. Raises
    UnknownClaim, and BenchError when the ledger cannot be read.
    """
    draw(id, measured, holds, but).put()


def draw(id: str, measured: str, holds: bool | None, but: str = "") -> Drawing:
    """The drawing that claim() puts on the page."""
    known = ledger()
    if id not in known:
        raise UnknownClaim(f"The ledger has no claim {id!r}. It has {', '.join(known)}.")
    one = known[id]
    title = f"{id} · The article: {one['article']}"
    rows = {
        "measured": measured,
        "in this run": HOLDS[holds],
        "but": but,
        "the ledger": f"{one['verdict']}. {one['why']} ({one['source']})",
    }
    rows = {name: visible(text) for name, text in rows.items() if text}
    items = Markup("").join(Markup("<dt>{}</dt><dd>{}</dd>").format(*row) for row in rows.items())
    html = Markup("<p><strong>{}</strong></p><dl>{}</dl>").format(title, items)
    lines = [_wrapped(f"  {name:<13}", text) for name, text in rows.items()]
    return Drawing(html, "\n".join([_wrapped("", title), *lines]))


def _wrapped(start: str, text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent=start, subsequent_indent=" " * len(start or "  "),
                         break_long_words=False, break_on_hyphens=False)


@cache
def ledger() -> dict[str, dict[str, str]]:
    """The claims by id, in order: each with "article" (in our words), "verdict", "why" and "source".

    Raises BenchError when data/claims.json cannot be read.
    """
    try:
        return {one["id"]: one for one in json.loads(LEDGER.read_text("utf-8"))}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BenchError(
            f"The ledger of claims, {LEDGER}, cannot be read ({error}). Get this file of the course again."
        ) from error
