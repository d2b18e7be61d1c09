"""The commands `feedback` and `report`: what learners get back, and what their instructor reads and uploads."""

from pathlib import Path

import click

from .class_folder import ClassFolder, lab_name
from .course import HERE, Course
from .errors import ClassroomError
from .files import read as read_notebook
from .grading import Graded
from .marks import Book, Person, Written, mark, read_book
from .options import class_option, json_option, progress, tell
from .sheets import Row
from .submission import Lab, Submission, find_lab, read
from .whole import put


@click.command()
@click.argument("number", metavar="LAB")
@class_option
@click.option("--learner", "chosen", multiple=True, metavar="NAME", help="Only this one's page. May be repeated.")
@click.option("--lessons", metavar="ADDRESS", default="", help="Where learners find the lessons: a folder's address.")
@json_option
def feedback(number, klass, chosen, lessons, as_json):
    """Write a page for each learner whose LAB ("19") is graded.

    The pages are feedback/<learner>/labNN/*.html, one file each that needs nothing else, and where nbgrader looks for
    them: `nbgrader release_feedback` hands them out. They say what held, what did not, and where to read on; what a
    person wrote into the gradebook, points and comments, is on them. What is up to date is not written again.

    A page names the draw that it is about, so that its learner can see it again. Grade a second hand-in with
    `grade --attempt 2`, which draws anew.

    \b
    On a hub, lessons become links with
      --lessons https://HUB/hub/user-redirect/lab/tree/notebooks
    """
    from .feedback import write_feedback

    if lessons and not lessons.startswith(("https://", "http://")):
        raise ClassroomError(f"--lessons {lessons!r} is no address: it begins with https:// or http://.")
    lab = find_lab(number)
    everybody, damaged = graded_ones(klass, lab)
    unknown = sorted(set(chosen) - set(everybody) - set(damaged))
    if unknown:
        raise ClassroomError(f"{', '.join(map(repr, unknown))}: no grade of lab {lab.number} is there for this name.")
    wanted = sorted(set(chosen) & set(everybody)) if chosen else list(everybody)
    if not wanted and not damaged:
        raise ClassroomError(f"Lab {lab.number} is not graded yet in {klass.root}: `classroom grade` does it.")
    book, written = read_book(klass, lab), []
    with progress(f"feedback for lab {lab.number}", len(wanted)) as tick:
        for learner in wanted:
            if write_feedback(klass, lab, learner, everybody[learner], book, lessons):
                written.append(learner)
            tick()
    pages = f"{len(wanted)} page{'' if len(wanted) == 1 else 's'}"
    tell(
        {"lab": lab_name(lab.number), "written": written, "up_to_date": sorted(set(wanted) - set(written))},
        [f"Lab {lab.number}: {pages} in {klass.root / 'feedback'}, {len(written)} of them new or changed."],
        damaged.values(),
        as_json,
    )
    if damaged:
        raise SystemExit(1)


def graded_ones(klass: ClassFolder, lab: Lab) -> tuple[dict[str, Graded], dict[str, str]]:
    """What was found in each submission of a lab, by learner; and a sentence for each report that is damaged."""
    found, damaged = {}, {}
    for path in sorted(klass.graded("x", lab.number).parent.glob("*.json")):
        learner = path.name.removesuffix(".json")
        try:
            found[learner] = Graded.from_json(path.read_text("utf-8"))
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            damaged[learner] = f"{path!s} is damaged: grade {learner!r} again."
    return found, damaged


@click.command()
@click.argument("number", metavar="LAB")
@class_option
@click.option("--column", metavar="TITLE", help="What Moodle or Canvas calls the lab. Default: the lab's title.")
@json_option
def report(number, klass, column, as_json):
    """Sum up a LAB ("19"): a page to read, and grades to upload.

    \b
    In report/ of the class:
      lab19.html        who needs you, what the class stumbles over, whose code is alike
      lab19.csv         everybody, with the points of each exercise
      lab19-moodle.csv  for Grades > Import > CSV file: map "Email address" or "ID number"
      lab19-canvas.csv  for Grades > Import; --column "Lab 19 (12345)" means Canvas's assignment 12345

    Grades are those that count: a person's points stand in the place of the judge's, and what being late costs is
    taken off.
    """
    from . import sheets
    from .class_report import class_page
    from .reading import title

    lab = find_lab(number)
    book, (everybody, damaged) = read_book(klass, lab), graded_ones(klass, lab)
    submissions = _submissions(klass, lab)
    rows = _rows(book, everybody, submissions)
    if not rows:
        raise ClassroomError(f"Nobody has handed in lab {lab.number} in {klass.root}.")
    column = column or title(lab.number)
    page = class_page(klass, lab, rows, submissions, book, _alike(lab, submissions))
    name = lab_name(lab.number)
    files = {
        f"{name}.html": page,
        f"{name}.csv": sheets.plain(lab, rows),
        f"{name}-moodle.csv": sheets.moodle(rows, column),
        f"{name}-canvas.csv": sheets.canvas(rows, column),
    }
    _write(klass, files)
    tell(
        {"lab": name, "graded": len(everybody), "files": [str(klass.report / file) for file in files]},
        [f"Lab {lab.number}: {klass.report / file}" for file in files],
        damaged.values(),
        as_json,
    )
    if damaged:
        raise SystemExit(1)


def _submissions(klass: ClassFolder, lab: Lab) -> dict[str, Submission]:
    learners = klass.learners(lab.number)
    with progress(f"reading lab {lab.number}", len(learners)) as tick:
        found = {}
        for learner in learners:
            found[learner] = read(klass.submitted(learner, lab.number), learner, lab)
            tick()
    return found


def _rows(book: Book, everybody: dict[str, Graded], submissions: dict[str, Submission]) -> list[Row]:
    rows = []
    for learner in sorted({*book.people, *everybody, *submissions}):
        graded = everybody.get(learner)
        worth = mark(graded, book.written.get(learner, Written())) if graded else None
        handed_in = graded is not None or learner in submissions
        rows.append(Row(learner, book.people.get(learner, Person()), graded, worth, handed_in))
    return rows


def _alike(lab: Lab, submissions: dict[str, Submission]):
    from .class_report import source_of
    from .similar import alike

    course = Course(HERE)
    handed, published = (_cells(folder / lab.file, course, lab) for folder in (course.notebooks, course.solutions))
    return alike({learner: source_of(one) for learner, one in submissions.items()}, handed, published)


def _cells(path: Path, course: Course, lab: Lab) -> str:
    """The solution cells of the lab in one of the course's own notebooks; "" where it is not there."""
    if not path.exists():
        return ""
    return "\n".join(cell.source for cell in read_notebook(path, course.label(path)).cells if cell.id in lab.cells)


def _write(klass: ClassFolder, files: dict[str, str]) -> None:
    try:
        klass.report.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            put(klass.report / name, text.encode())
    except OSError as error:
        why = f"{klass.report} could not be written ({error.strerror}): make room, and start again."
        raise ClassroomError(why) from error
