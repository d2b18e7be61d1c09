"""What is asked of a class of raids, at lab 39's desk and gate: each lands through the place that it accuses."""

import random
from collections.abc import Callable
from contextlib import suppress

from labs.servers.planted import FLAWS, chosen, place, places

from .exercise import Exercise
from .lab import Lab, ProbeFailed
from .process import LearnerError

ORDINALS = ("first", "second", "third", "fourth", "fifth")

Robs = Callable[[Lab, str, list[type]], tuple[bool, LearnerError | None]]
"""Runs the learner's raid on a place in a bank with these flaws: whether Ana lost anything, and what it raised."""


def drawn(half: str, learner: str) -> list[type]:
    """A learner's five flaws, not in the source's order: a title must not say where one stands."""
    return random.Random(f"{learner}/{half}").sample(chosen(half, learner), FLAWS)


def ask_for_raids(exercise: Exercise, half: str, robs: Robs) -> None:
    """Declare the six probes: one of all accusations, and one of each flaw.

    What they say of a raid that fails is the same wherever it fails: the report is no list of the flaws.
    """

    @exercise.probe(
        "Each accusation has its evidence, and no other",
        kept=True,
        look_at="the raid that is named: take it out, or on",
    )
    def evidence(lab):
        named = accused(lab, exercise, half)
        lab.expect(len(named) <= FLAWS, "five accusations at most: there are five flaws", f"{len(named)} accusations")
        for where in named:
            proves(lab, half, where, robs)

    for number, which in enumerate(ORDINALS):

        @exercise.probe(f"The {which} flaw is found", look_at="the methods that you have not accused, and your raids")
        def found(lab, number=number):
            where, proven = place(drawn(half, lab.learner)[number]), False
            named = accused(lab, exercise, half)
            if where in named and len(named) <= FLAWS:
                with suppress(ProbeFailed, LearnerError):
                    proves(lab, half, where, robs)
                    proven = True
            happened = "nothing that you handed in is evidence of it, yet"
            lab.expect(proven, "a raid that costs Ana something through it", happened)


def accused(lab: Lab, exercise: Exercise, half: str) -> list[str]:
    """The places that the learner's class has a method for."""
    named = lab.call(f"{lab.make(exercise.defines[0])}.__dir__")
    return [one for one in places(half) if one in named]


def proves(lab: Lab, half: str, where: str, robs: Robs) -> None:
    """Expect that the learner's raid on a place lands there, and in no bank where this place is sound."""
    flaws = chosen(half, lab.learner)
    alone = [one for one in flaws if place(one) == where]
    others = [one for one in flaws if place(one) != where]
    banks = [alone, others, *([one] for one in lab.random.sample(others, 2))]
    # A raid can tell neither which comes first, nor by the number of open doors which is which.
    outcome = {tuple(these): robs(lab, where, these) for these in lab.random.sample(banks, len(banks))}
    robbed, error = outcome.pop(tuple(alone))
    lab.expect(
        not any(elsewhere for elsewhere, _ in outcome.values()),
        f"where {where}() is sound, your raid on it costs Ana nothing",
        f"it costs her as much in a bank that has a sound {where}(): it lands somewhere else",
    )
    if not robbed and error is not None:
        raise error
    lab.expect(
        robbed,
        f"{where}() as it stands in your bank, and all else sound: your raid costs Ana something",
        f"Ana lost nothing: either {where}() is sound, or the raid misses what is wrong with it",
    )
