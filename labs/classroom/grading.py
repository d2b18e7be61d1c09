"""One submission, judged: the learner's code runs in a sandbox; probes, record, seeds and score stay here."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from labs import __version__
from labs.exercises import Report, exercise, judge

from .class_folder import ClassFolder
from .errors import ClassroomError
from .submission import Lab, Submission

SECONDS = 60.0  # of the learner's code, for all exercises of a submission together
STOPPED = f"The time of this submission, {SECONDS:g} seconds, was used up by the exercises before this one."


@dataclass
class Graded:
    """What was found in a submission, as data: gradebook, feedback and report all come from this.

    `digest` is that of the cells, `isolated` whether they ran in a sandbox, `seconds` wall time. `reports` has one
    for each exercise of the lab, in order.
    """

    learner: str
    lab: str
    digest: str
    attempt: int = 1
    isolated: bool = True
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    version: str = __version__

    @property
    def points(self) -> int:
        """What was earned."""
        return sum(report.points for report in self.reports)

    @property
    def of(self) -> int:
        """What could be earned."""
        return sum(report.of for report in self.reports)

    def as_json(self) -> str:
        """This as JSON text; from_json() is its inverse."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Graded":
        """What as_json() wrote. Raises ValueError, LookupError or TypeError for anything else."""
        data = json.loads(text)
        return cls(**data | {"reports": [Report.from_json(json.dumps(one)) for one in data["reports"]]})


def grade(
    submission: Submission,
    lab: Lab,
    klass: ClassFolder,
    within: Callable[[list[str]], list[str]],
    *,
    only: frozenset[str] = frozenset(),
    attempt: int = 1,
    isolated: bool = True,
) -> Graded:
    """Judge the exercises of a submission (default: all, or `only` these), each with its own draw.

    The draw follows from the class's secret, the learner, the exercise and the attempt: graded again, it is the same.
    `within` puts the sandbox around a command. Raises ClassroomError when the class has no secret, and when a process
    for the learner's code does not start: that is no fault of theirs, and costs nothing.
    """
    began, left, reports, unusable = time.perf_counter(), SECONDS, [], {}
    seed = klass.seed_of(submission.learner)
    for the in [exercise(id) for id in lab.exercises if not only or id in only]:
        # An answer is about what the learner's page showed, which follows from their seed: so it is in their check.
        draw = seed if the.kind == "answer" else klass.draw_of(submission.learner, the.id, attempt)
        report = Report(the.id, the.title, draw, "not attempted", of=the.points, learner=seed)
        source = submission.cells.get(lab.exercises[the.id])
        # What could not even be loaded for one tier of a lab cannot for the next: it may have taken seconds to see.
        same = (source, the.imports, the.defines)
        if source is None:
            pass
        elif same in unusable or left <= 0:
            report.status, report.message = "unusable", unusable.get(same, STOPPED)
        else:
            report = judge(the.id, source, seed=draw, learner=seed, within=within, seconds=left)
            if report.status == "not judged":
                raise ClassroomError(report.message)
            if report.status == "unusable":
                unusable[same] = report.message
        reports.append(report)
        left -= report.seconds
    return Graded(
        submission.learner, submission.lab, submission.digest, attempt, isolated,
        time.perf_counter() - began, list(submission.notes), reports,
    )  # fmt: skip
