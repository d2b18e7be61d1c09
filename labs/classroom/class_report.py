"""What an instructor reads about a lab: who needs them, what the class stumbles over, and what looks alike."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.parse import quote

from labs import __version__
from labs.exercises import UnknownExercise, Verdict
from labs.exercises import exercise as declared

from .class_folder import ClassFolder, lab_name
from .grading import STOPPED, Graded
from .marks import Book, number
from .pages import page
from .reading import Place, places, title
from .sheets import Row
from .similar import Alike, Pair
from .submission import Lab, Submission

LINES = 400  # of a submission that stand beside another
BINS = 10


@dataclass(frozen=True)
class Call:
    """Something that a person should look at: whom it is about, in words and by name."""

    who: str
    learners: list[str]


@dataclass(frozen=True)
class Stumble:
    """A probe that somebody failed: `failed` of the `asked` whose code could be run."""

    exercise: str
    probe: str
    customer: bool
    failed: int
    asked: int
    look_at: str
    reading: list[Place]

    @property
    def share(self) -> int:
        """Per cent of those asked."""
        return round(100 * self.failed / self.asked)


@dataclass(frozen=True)
class Tier:
    """How a class did in one exercise."""

    exercise: str
    title: str
    attempted: int
    full: int
    median: str
    of: int


def calls(rows: list[Row], submissions: Mapping[str, Submission], book: Book) -> list[Call]:
    """What needs a person, the most urgent first."""
    graded = [row.graded for row in rows if row.graded]
    waits = {learner: sorted(written.look_at) for learner, written in book.written.items() if written.look_at}
    found = [
        ("handed in, and not graded yet (run `grade`)", [
            row.learner for row in rows if row.handed_in and row.graded is None
        ]),
        ("handed in again since they were graded (run `grade`)", [
            one.learner for one in graded
            if one.learner in submissions and submissions[one.learner].digest != one.digest
        ]),
        ("graded by another version of the course (run `grade`)", [
            one.learner for one in graded if one.version != __version__
        ]),
        ("whose code ran without a sandbox", [one.learner for one in graded if not one.isolated]),
        ("with a grade in the gradebook that waits for a person", sorted(waits)),
        ("whose code could not be run at all, perhaps for a slip", [
            one.learner for one in graded
            if one.reports and all(report.status == "unusable" for report in one.reports)
        ]),
        ("whose time was used up before the last exercise", [
            one.learner for one in graded if any(report.message == STOPPED for report in one.reports)
        ]),
    ]  # fmt: skip
    return [Call(who, learners) for who, learners in found if learners]


def remarks(rows: Iterable[Row]) -> list[tuple[str, list[str]]]:
    """What is to be said about files that were handed in, by learner."""
    return [(row.learner, row.graded.notes) for row in rows if row.graded and row.graded.notes]


def stumbles(graded: Iterable[Graded]) -> list[Stumble]:
    """The probes that found something, the most frequent first. What merely waits is none."""
    asked, failed = Counter(), Counter()
    first: dict[tuple[str, str], Verdict] = {}
    for report in (report for one in graded for report in one.reports):
        for verdict in report.verdicts:
            asked[report.exercise, verdict.probe] += 1
            if not verdict.passed and not verdict.waits:
                failed[report.exercise, verdict.probe] += 1
                first.setdefault((report.exercise, verdict.probe), verdict)
    order = {key: position for position, key in enumerate(asked)}
    found = sorted(failed, key=lambda key: (-failed[key], order[key]))
    return [_stumble(*key, failed[key], asked[key], first[key]) for key in found]


def _stumble(exercise: str, probe: str, failed: int, asked: int, verdict: Verdict) -> Stumble:
    try:
        [the] = [one for one in declared(exercise).probes if one.title == probe]
    except (UnknownExercise, ValueError):  # of another version of the course
        return Stumble(exercise, probe, False, failed, asked, verdict.look_at, [])
    return Stumble(exercise, probe, the.legitimate, failed, asked, the.look_at, places(exercise))


def tiers(lab: Lab, rows: Iterable[Row]) -> list[Tier]:
    """How each exercise went, for those who are graded."""
    rows = [row for row in rows if row.graded]
    found = []
    for exercise in lab.exercises:
        reports = [report for row in rows for report in row.graded.reports if report.exercise == exercise]
        if reports:
            found.append(
                Tier(
                    exercise,
                    reports[0].title,
                    sum(report.status != "not attempted" for report in reports),
                    sum(report.status == "passed" for report in reports),
                    number(median(row.mark.points[exercise] for row in rows if exercise in row.mark.points)),
                    reports[0].of,
                )
            )
    return found


def bars(totals: list[float], of: int) -> list[tuple[str, int]]:
    """How many have how many points: at most ten ranges of whole points, and how many are in each."""
    width = max(1, -(-(of + 1) // BINS))
    starts = range(0, of + 1, width)
    counts = Counter(min(int(total), of) // width for total in totals)
    label = ("{}" if width == 1 else "{}–{}").format
    return [(label(start, min(start + width - 1, of)), counts[start // width]) for start in starts]


def class_page(
    klass: ClassFolder, lab: Lab, rows: list[Row], submissions: Mapping[str, Submission], book: Book, alike: Alike
) -> str:
    """The page of a class, as HTML that needs nothing else; its links lead to learners' pages in the same class."""
    graded = [row for row in rows if row.graded]
    totals = [row.mark.total for row in graded]
    of = graded[0].mark.of if graded else 0
    shown = bars(totals, of)
    found = stumbles(row.graded for row in graded)
    seconds = sorted(((row.graded.seconds, row.learner) for row in graded), reverse=True)
    return page(
        "class_page.html",
        lab=title(lab.number),
        summary=_summary(rows, totals, of),
        calls=calls(rows, submissions, book),
        remarks=remarks(rows),
        stumbles=found,
        tiers=tiers(lab, rows),
        bars=shown,
        highest=max((count for _, count in shown), default=1) or 1,
        exercises=list(lab.exercises),
        late=any(row.mark and row.mark.late for row in rows),
        rows=[(row, _page_of(klass, lab, row.learner)) for row in rows],
        alike=alike,
        pairs=[(pair.share, _beside(pair, submissions)) for pair in alike.pairs],
        same=[(group, _beside(pair, submissions)) for group, pair in alike.same],
        seconds=(median(one for one, _ in seconds), seconds[:3]) if seconds else None,
    )


def _summary(rows: list[Row], totals: list[float], of: int) -> str:
    handed_in = sum(row.handed_in for row in rows)
    text = f"{handed_in} of {len(rows)} handed in, {len(totals)} graded."
    if totals:
        full, none = sum(total >= of for total in totals), sum(total == 0 for total in totals)
        text += f" Half of them have {number(median(totals))} of {of} points or more; {full} all, {none} none."
    return text


def _page_of(klass: ClassFolder, lab: Lab, learner: str) -> str:
    """Where the learner's page is, seen from the report; "" when there is none."""
    file = Path(lab.file).with_suffix(".html").name
    there = (klass.feedback(learner, lab.number) / file).exists()
    return f"../feedback/{quote(learner)}/{lab_name(lab.number)}/{file}" if there else ""


def _beside(pair: Pair, submissions: Mapping[str, Submission]) -> list[tuple[str, list[tuple[str, bool]]]]:
    """Two submissions side by side: the learner, and each line with whether it stands in the other's, too."""
    sides = []
    for learner, alike in zip((pair.first, pair.second), pair.lines, strict=True):
        lines = source_of(submissions[learner]).split("\n")
        side = [(line, number in alike) for number, line in enumerate(lines[:LINES], 1)]
        more = [(f"(… {len(lines) - LINES:,} more lines)", False)] if len(lines) > LINES else []
        sides.append((learner, side + more))
    return sides


def source_of(submission: Submission) -> str:
    """All that a learner wrote, one cell after the other."""
    return "\n".join(submission.cells[cell] for cell in sorted(submission.cells))
