"""commit() and compare(): a prediction that is kept before the measurement, and the two side by side afterwards."""

import json
from dataclasses import dataclass

from labs.bench import BenchError, home
from labs.bench.state import write_atomic

from .drawing import said, table

__all__ = ["CannotCommit", "Prediction", "commit", "compare"]

OPEN = "?"


class CannotCommit(BenchError):
    """This is no prediction; the message says what is wanted."""


@dataclass(frozen=True)
class Prediction:
    """What was predicted: row -> its cells in order, each "y" or "n". `kept`: whether it is complete, and stands."""

    name: str
    rows: dict[str, list[str]]
    kept: bool


def commit(name: str, prediction: dict[str, str]) -> Prediction:
    """Keep a prediction (row -> cells such as "y n ? y") in home() and say so. The first complete one stands.

    One with a "?" in it is not kept. Raises CannotCommit when a cell is none of "y", "n" and "?".
    """
    rows = {row: cells.split() for row, cells in prediction.items()}
    wrong = [(row, cell) for row, cells in rows.items() for cell in cells if cell not in ("y", "n", OPEN)]
    if wrong:
        raise CannotCommit(f"{wrong[0][0]!r} has a cell {wrong[0][1]!r}. Write y, n or ? there.")
    before = _read()
    if name in before and before[name].keys() == rows.keys():
        said("You committed to a prediction before. That one stands.").put()
        return Prediction(name, before[name], True)
    left = sum(cells.count(OPEN) for cells in rows.values())
    if left:
        said(f"Not kept: {left} cells are still {OPEN}. Fill them in and run this again, or go on without.").put()
        return Prediction(name, rows, False)
    write_atomic(home() / "predictions.json", json.dumps(before | {name: rows}, indent=1) + "\n")
    said(f"Kept: {sum(map(len, rows.values()))} cells. Whatever comes out, this prediction stands.").put()
    return Prediction(name, rows, True)


def compare(prediction: Prediction, measured: dict[str, str], head: list[str], title: str) -> None:
    """Draw what was measured (row -> cells such as "y n") beside what was predicted, and count what was right.

    `head`: the names of the cells in a row. A row that was not predicted is only shown.
    """
    drawn, right, cells = [], 0, 0
    for row, found in measured.items():
        guesses = prediction.rows.get(row, []) if prediction.kept else []
        pairs = list(zip(found.split(), [*guesses, *[""] * len(head)], strict=False))
        right += sum(one == guess for one, guess in pairs)
        cells += len(guesses)
        drawn.append([row, *(_cell(one, guess) for one, guess in pairs)])
    table(title, ["", *head], drawn).put()
    said(f"You were right in {right} of your {cells} cells." if prediction.kept else "No prediction was kept.").put()


def _cell(found: str, guess: str) -> str:
    word = {"y": "sent", "n": "-"}[found]
    return word if guess in ("", found) else f"{word} (you: {'sent' if guess == 'y' else '-'})"


def _read() -> dict[str, dict[str, list[str]]]:
    try:
        kept = json.loads((home() / "predictions.json").read_text("utf-8"))
        return {name: {row: list(cells) for row, cells in rows.items()} for name, rows in kept.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}  # none yet, or damaged: a prediction is no result, and can be made again
