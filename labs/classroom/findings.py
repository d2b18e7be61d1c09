"""What a report of the judge comes to for the one whose work it is: causes, not rows; and where to start."""

from dataclasses import dataclass, field
from itertools import groupby

from labs.exercises import Report, UnknownExercise, Verdict
from labs.exercises import exercise as declared
from labs.exercises.judge import UNCHANGED

from .marks import Mark, Written, number
from .reading import Place, places

#: The state of an exercise in words, and how it looks.
STATES = {
    "passed": ("✓ everything held", "yes"),
    "partly": ("✗ not all of it yet", "no"),
    "failed": ("✗ not yet", "no"),
    "unusable": ("✗ could not be run", "no"),
    "not attempted": ("– not attempted", "soft"),
}


@dataclass
class Finding:
    """What one or several probes of an exercise met, for the same cause."""

    anchor: str
    probes: list[Verdict]
    #: The exercise above that met the same, whose cell is the same one then.
    told_in: str = ""

    @property
    def happened(self) -> str:
        """The judge's sentence."""
        return self.probes[0].happened

    @property
    def exchange(self) -> str:
        """The HTTP, or the call, that shows it; "" when none does."""
        return self.probes[0].exchange

    @property
    def shown_by(self) -> str:
        """What the exchange is: HTTP, or the call of a function."""
        return "The exchange that shows it" if " HTTP/" in self.exchange else "The call that shows it"

    @property
    def fields(self) -> list[tuple[str, str]]:
        """Expected, happened, look at; what a probe's title has said already is left out."""
        first = self.probes[0]
        expected = first.expected if first.expected != first.probe else ""
        fields = [("expected", expected), ("happened", self.happened), ("look at", first.look_at)]
        return [(name, value) for name, value in fields if value]


@dataclass
class Part:
    """One exercise on the page."""

    exercise: str
    title: str
    points: str
    of: int
    state: str
    tone: str
    message: str = ""
    findings: list[Finding] = field(default_factory=list)
    waiting: list[Verdict] = field(default_factory=list)
    waits_for: str = ""
    passed: list[Verdict] = field(default_factory=list)
    probes: int = 0
    printed: str = ""
    replay: str = ""
    hints: bool = False
    reading: list[tuple[Place, str]] = field(default_factory=list)
    comment: str = ""
    by_person: bool = False
    customers: frozenset[str] = frozenset()

    @property
    def anchor(self) -> str:
        """The id of its heading."""
        return "e-" + self.exercise.replace(".", "-")


@dataclass(frozen=True)
class Start:
    """What to mend first, since much hangs on it: where it is on the page, its probe, and the judge's words."""

    anchor: str
    where: str
    happened: str
    look_at: str
    behind: str


def part(report: Report, worth: Mark, written: Written, lessons: str) -> Part:
    """What one report says; `lessons` is the address below which lessons are, or ""."""
    state, tone = STATES.get(report.status, (report.status, "soft"))
    found = Part(
        report.exercise, report.title, number(worth.points[report.exercise]), report.of, state, tone,
        message=report.message,
        waiting=[one for one in report.verdicts if one.waits],
        passed=[one for one in report.verdicts if one.passed],
        probes=len(report.verdicts),
        printed=report.printed,
        comment=written.comments.get(report.exercise, ""),
        by_person=report.exercise in written.points,
    )  # fmt: skip
    found.findings = _findings(found.anchor, [one for one in report.verdicts if not one.passed and not one.waits])
    if found.waiting:
        kept = found.waiting[0].happened == UNCHANGED
        found.waits_for = "and count once another probe does" if kept else "and count once every customer is served"
    if report.status == "not attempted":
        found.message = "Your notebook has no answer to it: the cell was missing, or still as it was handed out."
    try:
        the = declared(report.exercise)
    except UnknownExercise:  # of another version of the course
        return found
    found.customers = frozenset(probe.title for probe in the.probes if probe.legitimate)
    if report.status in ("passed", "unusable"):  # what could not be run is no matter of the lesson
        return found
    found.hints = bool(the.hints)
    found.reading = [(place, place.address(lessons)) for place in places(the.id)]
    if the.kind != "answer" and report.verdicts:
        found.replay = f'check("{the.id}", {", ".join(the.defines)}, seed="{report.seed}")'
    return found


def _findings(anchor: str, failed: list[Verdict]) -> list[Finding]:
    """Those that failed, by their cause, in the order of the exercise."""
    by_cause: dict[tuple, list[Verdict]] = {}
    for verdict in failed:
        # What the code raised is one cause, however many probes met it; what a page answered is each probe's own.
        own = verdict.probe if verdict.exchange or verdict.expected != verdict.probe else ""
        by_cause.setdefault((verdict.happened, verdict.look_at, own), []).append(verdict)
    return [Finding(f"{anchor}-{count}", probes) for count, probes in enumerate(by_cause.values(), 1)]


def say_once(parts: list[Part]) -> None:
    """Several exercises may be one cell: what went wrong in it is told at the first that met it."""
    for message, same in groupby(parts, key=lambda part: part.message):
        for part in list(same)[1:] if message else []:
            part.message, part.printed = "The reason is the same as above.", ""
    told: dict[tuple[str, str], str] = {}
    for part in parts:
        for finding in part.findings:
            if not finding.exchange:
                first = told.setdefault((finding.happened, finding.probes[0].look_at), part.exercise)
                finding.told_in = first if first != part.exercise else ""


@dataclass
class _Cause:
    where: str
    anchor: str
    look_at: str = ""
    points: int = 0
    probes: int = 0


def start(parts: list[Part]) -> Start | None:
    """The first cause with many points, those that wait for it included: none has twice as many. None without any."""
    causes: dict[tuple[str, str], _Cause] = {}
    for part in parts:
        if part.state == STATES["unusable"][0]:
            cause = _Cause(f"{part.exercise} · {part.title}", part.anchor)
            causes.setdefault((part.message, ""), cause).points += part.of
        waiting = part.waiting
        for finding in part.findings:
            first = finding.probes[0]
            cause = _Cause(f"{part.exercise} · {first.probe}", finding.anchor, first.look_at)
            cause = causes.setdefault((finding.happened, first.look_at), cause)
            hanging = list(finding.probes)
            if any(one.probe in part.customers for one in finding.probes):
                hanging, waiting = hanging + waiting, []
            cause.points += sum(one.points for one in hanging)
            cause.probes += len(hanging)
    if not causes:
        return None
    half = max(cause.points for cause in causes.values()) / 2
    (happened, _), most = next(one for one in causes.items() if one[1].points > half)
    behind = f"{most.points} point{'' if most.points == 1 else 's'} hang{'s' if most.points == 1 else ''} on it"
    behind += f", in {most.probes} probes." if most.probes > 1 else "."
    return Start(most.anchor, most.where, happened, most.look_at, behind)
