"""What a learner gets back: one page that says what held, what did not, where to look, and where to read on."""

import os
import stat
from pathlib import Path

from .class_folder import ClassFolder
from .errors import ClassroomError
from .findings import part, say_once, start
from .grading import Graded
from .marks import Book, Mark, Person, Written, mark, number
from .pages import page
from .reading import title
from .submission import Lab, Submission, read
from .whole import put

LINES = 2_000  # of a cell that are shown
#: What nbgrader's release_feedback looks for beside the page.
ALONG = ("timestamp.txt", "submission_secret.txt")


def feedback_page(
    graded: Graded, written: Written, person: Person, submission: Submission | None = None, lessons: str = ""
) -> str:
    """The learner's page, as HTML that needs nothing else.

    `submission` is what was judged, to be shown at the end; None when it has changed since. `lessons` is the address
    of the folder in which the learner finds the lessons, "" when they have none.
    """
    worth = mark(graded, written)
    parts = [part(report, worth, written, lessons) for report in graded.reports]
    first = start(parts)
    say_once(parts)
    name = " ".join(filter(None, [person.first_name, person.last_name]))
    return page(
        "feedback.html",
        lab=title(graded.lab),
        who=f"{name} ({graded.learner})" if name else graded.learner,
        total=number(worth.total),
        of=worth.of,
        about_total=_about(worth, written),
        notes=graded.notes,
        start=first,
        parts=parts,
        code=_code(submission) if submission and any(one.status != "not attempted" for one in graded.reports) else [],
        small_print=f"Judged by version {graded.version} of the course, attempt {graded.attempt}. "
        f"Your code has the digest {graded.digest}.",
    )


def _about(worth: Mark, written: Written) -> list[str]:
    about = []
    if worth.late:
        earned = number(sum(worth.points.values()))
        about.append(f"{earned} for your work, and {number(worth.late)} less for being late.")
    for one, extra in written.extra.items():
        about.append(f"{number(extra)} of them are extra credit for {one}.")
    return about


def _code(submission: Submission) -> list[tuple[str, list[str]]]:
    shown = []
    for cell, source in submission.cells.items():
        lines = source.rstrip("\n").split("\n")
        more = [f"(… {len(lines) - LINES:,} more lines)"] if len(lines) > LINES else []
        shown.append((cell, lines[:LINES] + more))
    return shown


def write_feedback(
    klass: ClassFolder, lab: Lab, learner: str, graded: Graded, book: Book, lessons: str = ""
) -> bool:
    """Write the page of one learner, unless it is there already; say whether it was. Raises ClassroomError."""
    folder = klass.submitted(learner, lab.number)
    submission = read(folder, learner, lab)
    html = feedback_page(
        graded,
        book.written.get(learner, Written()),
        book.people.get(learner, Person()),
        submission if submission.digest == graded.digest else None,
        lessons,
    )
    target = klass.feedback(learner, lab.number)
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name in ALONG:
            if (data := _small_file(folder / name)) is not None:
                put(target / name, data)
        return put(target / Path(lab.file).with_suffix(".html").name, html.encode())
    except OSError as error:
        raise ClassroomError(
            f"The feedback in {target} could not be written ({error.strerror}). What was written before is kept: "
            "make room, and start again."
        ) from error


def _small_file(path: Path) -> bytes | None:
    """What an ordinary small file holds; None for anything else that a learner may have put there."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return None
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        data = file.read(1001)
    return data if len(data) <= 1000 else None
