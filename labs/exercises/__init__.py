"""What each exercise must satisfy: its probes, points and hints; and the one judge that runs them."""

from . import (  # noqa: F401  the exercises of each notebook declare themselves
    ex00,
    ex10,
    ex11,
    ex19,
    ex20,
    ex21,
    ex22,
    ex29,
    ex30,
    ex31,
    ex32,
    ex33,
    ex39_desk,
    ex39_gate,
)
from .exercise import Exercise, UnknownExercise, all_exercises, exercise
from .judge import judge
from .report import Report, Verdict

__all__ = ["Exercise", "Report", "UnknownExercise", "Verdict", "all_exercises", "exercise", "judge"]
