"""An exercise is declared once: what is handed in, what it may import, its hints, and the probes that judge it."""

from collections.abc import Callable
from dataclasses import dataclass, field

#: What a cell may import when the exercise does not say otherwise: the standard library's small tools.
BASICS = frozenset({"base64", "datetime", "hashlib", "hmac", "json", "math", "re", "secrets", "time", "typing"})


class UnknownExercise(LookupError):
    """No exercise has this id."""


@dataclass(frozen=True)
class Probe:
    """One thing that must hold. `run(lab)` returns when it does and raises ProbeFailed when it does not.

    A `legitimate` probe is a customer who must be served: as long as one of an exercise's fails, what its attack
    probes found counts for nothing, or "refuse everybody" would earn points.

    `kept`: it holds before the learner has done anything, so it counts only beside a probe that did not.
    """

    title: str
    points: int
    run: Callable
    look_at: str = ""
    legitimate: bool = False
    kept: bool = False


@dataclass
class Exercise:
    """One exercise, `id` "NN.k".

    `kind` is "mechanism" (functions or a class, mounted in a Fernbank), "attack" (a function that is given http) or
    "answer" (plain data, or a function that returns it). `defines` names what the learner's cell must define.
    `mount(lab)` returns the WSGI app that the probes use over HTTP, with the learner's mechanism in it: most often
    lab.bank(sessions, cookie). `given(learner)` is text that runs in front of the cell, in the same namespace: a
    class that the cell goes on from, and that may differ from learner to learner.
    """

    id: str
    title: str
    defines: tuple[str, ...] = ()
    minutes: int = 5
    difficulty: str = "easy"
    kind: str = "mechanism"
    imports: frozenset[str] = BASICS
    hints: tuple[str, ...] = ()
    mount: Callable | None = None
    given: Callable[[str], str] | None = None
    probes: list[Probe] = field(default_factory=list)

    def __post_init__(self):
        if self.id in _registry:
            raise ValueError(f"exercise {self.id} is declared twice")
        _registry[self.id] = self

    def probe(
        self, title: str, points: int = 1, look_at: str = "", legitimate: bool = False, kept: bool = False
    ) -> Callable:
        """Declare the function below as a probe; `look_at` is where a learner whose work fails it should look."""

        def declare(run):
            self.probes.append(Probe(title, points, run, look_at, legitimate, kept))
            return run

        return declare

    def customer(self, title: str, points: int = 1, look_at: str = "", kept: bool = False) -> Callable:
        """Declare the function below as a legitimate probe: a customer who must be served."""
        return self.probe(title, points, look_at, legitimate=True, kept=kept)

    @property
    def points(self) -> int:
        """The points that the probes give together."""
        return sum(probe.points for probe in self.probes)

    @property
    def notebook(self) -> str:
        """The two digits of the notebook that holds the exercise."""
        return self.id.partition(".")[0]


_registry: dict[str, Exercise] = {}


def exercise(id: str) -> Exercise:
    """The exercise with this id. Raises UnknownExercise with a sentence that lists the ids there are."""
    if id not in _registry:
        raise UnknownExercise(f"There is no exercise {id!r}. The exercises are {', '.join(sorted(_registry))}.")
    return _registry[id]


def all_exercises() -> list[Exercise]:
    """Every exercise of the course, by id."""
    return [_registry[id] for id in sorted(_registry)]
