"""check(): hand in what you wrote, and see what the judge found."""

import hashlib
import os
import secrets

from labs.bench import BenchError, learner_seed
from labs.exercises import Exercise, Report, UnknownExercise, exercise, judge

from . import reports, results
from .drawing import Drawing, said, stacked
from .source import NoSource, cell_of, plain


class CheckFailed(BenchError):
    """Under nbgrader: the exercise is not solved. The message is the report."""


class CheckStopped(BenchError):
    """The learner stopped a check. Its process has ended, nothing was recorded."""


def check(id: str, *things, seed: str | None = None) -> None:
    """Judge exercise `id` ("10.4") and draw the report.

    `things` are what was written for it, by name: functions, a class, an answer of plain data or the function
    that returns one. `seed` (text, from a report) repeats that report's draw; such a replay is not counted. Raises
    CheckStopped when the learner interrupts, and under nbgrader CheckFailed unless every probe passes. All else is
    said on the page.
    """
    try:
        the = exercise(id)
        report, notes = _judged(the, things, seed)
    except (UnknownExercise, NoSource) as error:
        _put(said(str(error)), passed=False)
        return
    except KeyboardInterrupt:
        raise CheckStopped(f"{id} · stopped. Nothing is left running, nothing was recorded.") from None
    if seed is None and not _graded() and report.status not in ("not attempted", "not judged"):
        notes += _kept(report)
    drawing = reports.draw(report, _call(the, things, report.seed))
    _put(stacked([drawing, *map(said, notes)]) if notes else drawing, report.passed)


def _judged(the: Exercise, things, seed) -> tuple[Report, list[str]]:
    """The report, and sentences to show below it. Raises NoSource."""
    call = _call(the, things)
    # A page that asks for an answer has a function for it, which may stay unwritten while the page runs on.
    data = the.kind == "answer" and not (the.defines and all(map(callable, things)))
    wanted = ("answer", plain) if data else ("source", cell_of)
    hand_in = {wanted[0]: wanted[1](things, call)}
    notes = ["This was a replay: check without a seed to have it counted."]
    if seed is None:
        seed, notes = _next_seed(the)
    return judge(the.id, **hand_in, seed=seed), notes


def _next_seed(the: Exercise) -> tuple[str, list[str]]:
    """The seed of the next attempt: from the learner's seed, the exercise and the attempts so far."""
    try:
        if the.kind == "answer":
            return learner_seed(), []  # an answer is about what the page showed, which follows from this seed
        kept, sentence = results.read()
        attempt = kept.get(the.id, {"attempts": 0})["attempts"] + 1
        return attempt_seed(learner_seed(), the.id, attempt), [sentence] if sentence else []
    except BenchError:  # it will be said when the result cannot be kept either
        return secrets.token_hex(4), []


def attempt_seed(learner: str, id: str, attempt: int) -> str:
    """The seed (8 hex digits) of a learner's attempt, counted from 1, at exercise `id`."""
    return hashlib.sha256(f"{learner}/{id}/{attempt}".encode()).hexdigest()[:8]


def _kept(report: Report) -> list[str]:
    """Record an attempt. Returns the sentences about it; a full disk must not cost the learner the report."""
    try:
        sentence = results.note(report.exercise, report.points, report.passed)
    except BenchError as error:
        return [f"This result could not be kept. {error}"]
    return [sentence] if sentence else []


def _put(drawing: Drawing, passed: bool) -> None:
    if _graded() and not passed:
        raise CheckFailed(drawing.text)
    drawing.put()


def _graded() -> bool:
    """Whether nbgrader executes this notebook: only an exception costs points there."""
    return bool(os.environ.get("NBGRADER_EXECUTION"))


def _call(the: Exercise, things=(), seed: str = "") -> str:
    """How the call reads."""
    names = [getattr(thing, "__name__", "") for thing in things]
    names = list(the.defines) or (["..."] if the.kind == "answer" else names)
    return f'check("{the.id}", {", ".join(names)}' + (f', seed="{seed}")' if seed else ")")
