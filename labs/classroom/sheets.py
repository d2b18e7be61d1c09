"""Grades as CSV: for a person, for Moodle's grade import, and for Canvas's gradebook.

A spreadsheet takes some texts for formulas, and runs them: no cell that a learner could have written begins like one.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .grading import Graded
from .marks import Mark, Person, number
from .pages import one_line
from .submission import Lab

#: How a formula begins, in a spreadsheet or in one that reads another script's signs (OWASP, CSV Injection).
FORMULA = tuple("=+-@\t\r\n＝＋－＠")
BOM = "\ufeff"  # without it, Excel takes UTF-8 for something else


@dataclass(frozen=True)
class Row:
    """A learner in a class. `graded` and `mark` are None where nothing is graded, or nothing was handed in."""

    learner: str
    person: Person
    graded: Graded | None = None
    mark: Mark | None = None
    handed_in: bool = True

    @property
    def name(self) -> str:
        """First and last name; the id where there is none."""
        return " ".join(filter(None, [self.person.first_name, self.person.last_name])) or self.learner

    @property
    def sentence(self) -> str:
        """What is to be said about a row without a grade; else the notes on the submission."""
        if self.graded is None:
            return "Handed in, and not graded yet." if self.handed_in else "Nothing was handed in."
        return " ".join(self.graded.notes)


def harmless(text: str) -> str:
    """`text` on one line, and as text: a spreadsheet shows the apostrophe before what it would take for a formula."""
    line = one_line(text)
    return f"'{line}" if text.lstrip().startswith(FORMULA) or text.startswith(FORMULA) else line


def plain(lab: Lab, rows: Iterable[Row]) -> str:
    """Everybody, with each exercise's points."""
    head = ["learner", "first_name", "last_name", "email", *lab.exercises, "late", "total", "of", "remarks"]
    table = []
    for row in rows:
        earned = row.mark.points if row.mark else {}
        points = [number(earned[one]) if one in earned else "" for one in lab.exercises]
        sums = [number(row.mark.late), number(row.mark.total), str(row.mark.of)] if row.mark else [""] * 3
        person = row.person
        table.append([row.learner, person.first_name, person.last_name, person.email, *points, *sums, row.sentence])
    return BOM + _text([head, *table])


def moodle(rows: Iterable[Row], title: str) -> str:
    """For Grades > Import > CSV: map "Email address" to e-mail or "ID number" to ID number, and the title to a grade.

    Only who has a grade is in it: an empty one would delete what stands in Moodle.
    """
    head = ["ID number", "First name", "Last name", "Email address", title]
    return _text([head, *([*_who(row), number(row.mark.total)] for row in rows if row.mark)])


def canvas(rows: Iterable[Row], title: str) -> str:
    """For Grades > Import: Canvas finds a learner by its own number (the roster's lms_user_id), SIS id or login.

    It takes the column for the assignment of this title, or of the number that stands in brackets after it.
    """
    rows = [row for row in rows if row.mark]
    head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", title]
    of = ["    Points Possible", "", "", "", "", str(rows[0].mark.of) if rows else ""]
    table = []
    for row in rows:
        person = row.person
        name = ", ".join(filter(None, [person.last_name, person.first_name])) or row.learner
        table.append([name, person.lms_user_id, row.learner, row.learner, "", number(row.mark.total)])
    return _text([head, of, *table])


def _who(row: Row) -> list[str]:
    return [row.learner, row.person.first_name, row.person.last_name, row.person.email]


def _text(table: Iterable[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([harmless(cell) for cell in row] for row in table)  # RFC 4180
    return text.getvalue()
