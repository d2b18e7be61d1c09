"""progress(): how far a learner is in the course."""

from itertools import groupby

from labs.bench import BenchError
from labs.exercises import Exercise, all_exercises

from . import results
from .drawing import Drawing, said, stacked, table


def progress() -> None:
    """Draw a table, a row a notebook: exercises passed, points, minutes that the open ones may take."""
    try:
        kept, sentence = results.read()
    except BenchError as error:
        kept, sentence = {}, str(error)
    drawing = draw(all_exercises(), kept)
    (stacked([drawing, said(sentence)]) if sentence else drawing).put()


def draw(exercises: list[Exercise], kept: results.Results) -> Drawing:
    """The table for these exercises (in order of their ids) and results."""
    by_notebook = groupby(exercises, lambda one: one.notebook)
    rows = [_row(notebook, list(ours), kept) for notebook, ours in by_notebook]
    head = ["notebook", "exercises passed", "points", "minutes left"]
    return table("How far you are", head, [*rows, _row("all", exercises, kept)])


def _row(name: str, exercises: list[Exercise], kept: results.Results) -> list[str]:
    passed = [one for one in exercises if kept.get(one.id, {}).get("passed")]
    points = sum(one.points if one in passed else min(kept.get(one.id, {}).get("points", 0), one.points)
                 for one in exercises)
    left = sum(one.minutes for one in exercises if one not in passed)
    return [name, f"{len(passed)} of {len(exercises)}", f"{points} of {sum(one.points for one in exercises)}",
            str(left)]
