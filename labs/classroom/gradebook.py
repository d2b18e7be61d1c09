"""nbgrader's gradebook: what the judge found goes in, and what people wrote into it stays.

A batch is one transaction: all of it is written, or nothing. What is in it follows from reports/, so a batch that did
not come to its end is simply written again.
"""

import os
import sysconfig
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from logging import getLogger
from pathlib import Path

import nbgrader.api as nb
from filelock import FileLock, Timeout
from nbformat import NotebookNode
from nbgrader.preprocessors import SaveCells
from sqlalchemy import URL, Row, Select, Table, insert, select, text, update
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from traitlets.config import Config

from .cells import exercise_cell
from .class_folder import ClassFolder, lab_name
from .course import HERE
from .errors import ClassroomError
from .files import read
from .grading import Graded
from .late import LateDays
from .strip import nbgrader_config
from .submission import Lab

WAIT_SECONDS = 60  # for another command of this course that writes; nbgrader's own are waited for as long
ASSIGNMENT, STUDENT, GRADE, COMMENT = (
    kind.__table__ for kind in (nb.Assignment, nb.Student, nb.Grade, nb.Comment)
)
SUBMISSION, NOTEBOOK = nb.SubmittedAssignment.__table__, nb.SubmittedNotebook.__table__


def settings(klass: ClassFolder) -> Config:
    """What the class's nbgrader_config.py says, or the course's where the class has none."""
    return nbgrader_config(klass.root if (klass.root / "nbgrader_config.py").exists() else HERE)


@cache
def course_id() -> str:
    """What nbgrader calls this course."""
    return nbgrader_config(HERE).CourseDirectory.course_id


def release(klass: ClassFolder, lab: Lab) -> NotebookNode:
    """The lab's notebook as it was released to this class. Raises ClassroomError when it is of another version."""
    path = klass.release(lab.number) / lab.file
    path = path if path.exists() else HERE / "notebooks" / lab.file
    notebook = read(path, str(path))
    there = {cell.metadata.get("nbgrader", {}).get("grade_id") for cell in notebook.cells}
    missing = (lab.cells | {_check(exercise) for exercise in lab.exercises}) - there
    if missing:
        raise ClassroomError(
            f"{path} was released by another version of the course: it has no cell {sorted(missing)[0]}. Grade it "
            "with that version, or assign the lab again."
        )
    return notebook


@contextmanager
def opened(klass: ClassFolder) -> Iterator[nb.Gradebook]:
    """The gradebook, for this process alone. What is done to it is kept if nothing is raised, else undone.

    Raises ClassroomError (locked, disk full, no gradebook); the gradebook is then as it was.
    """
    try:
        with FileLock(klass.root / ".gradebook.lock", timeout=WAIT_SECONDS), _connected(klass) as book:
            book.db.execute(text("BEGIN IMMEDIATE"))
            yield book
            book.db.commit()
    except Timeout:
        raise ClassroomError(_said("another command is writing to it")) from None
    except DBAPIError as error:
        raise ClassroomError(_said(str(error.orig))) from error
    except (SQLAlchemyError, OSError, nb.InvalidEntry) as error:
        raise ClassroomError(_said(str(error).partition("\n")[0])) from error


@contextmanager
def _connected(klass: ClassFolder) -> Iterator[nb.Gradebook]:
    if not klass.gradebook.exists():
        _create(klass.gradebook)
    with nb.Gradebook(_address(klass.gradebook), course_id()) as book:
        try:
            yield book
        except BaseException:
            book.db.rollback()
            raise


def _create(path: Path) -> None:
    """Make an empty gradebook, whole or not at all."""
    fresh = path.with_name(f".{path.name}.fresh")
    fresh.unlink(missing_ok=True)  # of a command that was killed
    with _scripts_on_path():
        nb.Gradebook(_address(fresh), course_id()).close()
    fresh.rename(path)


@contextmanager
def _scripts_on_path() -> Iterator[None]:
    """nbgrader asks the command `alembic` for its version: that of this Python, wherever the shell looks."""
    before = os.environ.get("PATH", os.defpath)
    os.environ["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), before])
    try:
        yield
    finally:
        os.environ["PATH"] = before


def _address(path: Path) -> URL:
    return URL.create("sqlite", database=str(path.absolute()), query={"timeout": str(WAIT_SECONDS)})


def _said(why: str) -> str:
    return (
        f"The gradebook could not be written ({why}); it is as it was. What was judged is kept in reports/: "
        "start again when that is over."
    )


def prepare(klass: ClassFolder, lab: Lab, notebook: NotebookNode, due: datetime | None = None) -> None:
    """Put the lab, as it was released, into the gradebook, and when it is due. Raises ClassroomError as opened()."""
    names = {"notebook": Path(lab.file).stem, "assignment": lab_name(lab.number)}
    with opened(klass) as book:
        book.update_or_create_assignment(names["assignment"], **({"duedate": due} if due else {}))
        known = book.db.execute(
            select(nb.SourceCell.name, nb.SourceCell.checksum)
            .join(nb.Notebook, nb.Notebook.id == nb.SourceCell.notebook_id)
            .where(nb.Notebook.name == names["notebook"])
        ).all()
    marks = [cell.metadata.nbgrader for cell in notebook.cells if "nbgrader" in cell.metadata]
    if sorted(known) == sorted((mark.grade_id, mark.get("checksum")) for mark in marks):
        return
    silent = getLogger("labs.classroom.nbgrader")
    silent.propagate = False
    try:
        SaveCells(log=silent).preprocess(notebook, {"nbgrader": names | {"db_url": _address(klass.gradebook)}})
    except RuntimeError as error:  # nbgrader's own: submissions hang on the cells that there were
        raise ClassroomError(
            f"The gradebook has {names['assignment']} of another version of the course, with submissions: grade it "
            "with that version, or make a new class."
        ) from error
    except SQLAlchemyError as error:
        raise ClassroomError(_said(str(getattr(error, "orig", error)))) from error


@dataclass
class Line:
    """What the gradebook has of one learner's submission of one lab, by the ids of its rows and cells."""

    submission: str
    notebook: str
    timestamp: datetime | None = None
    extension: timedelta | None = None
    penalty: float | None = None
    grades: dict[str, Row] = field(default_factory=dict)
    comments: dict[str, str | None] = field(default_factory=dict)


class Page:
    """The lines of one lab in an open gradebook. Only what is not in it yet is written."""

    def __init__(self, book: nb.Gradebook, lab: Lab, late: LateDays):
        self._run, self._lab, self._late = book.db.execute, lab, late
        assignment = book.find_assignment(lab_name(lab.number))
        self._assignment, self._due = assignment.id, assignment.duedate
        self._notebook = book.find_notebook(Path(lab.file).stem, assignment.name).id
        cells = select(nb.BaseCell.name, nb.BaseCell.id).where(nb.BaseCell.notebook_id == self._notebook)
        self._cells = {name: id for name, id in self._run(cells)}
        self._students = set(self._run(select(STUDENT.c.id)).scalars())
        self._lines = self._read_lines()
        self._earlier = self._read_earlier()

    def record(self, graded: Graded, untouched: set[str], timestamp: datetime | None) -> None:
        """Write what was found in one submission; `untouched` names the solution cells without an answer."""
        line = self._lines.get(graded.learner) or self._add(graded.learner)
        if timestamp != line.timestamp:
            self._change(SUBMISSION, line.submission, timestamp=timestamp)
        score = sum(self._grade(line, report.exercise, report.points) for report in graded.reports)
        for name in self._lab.cells:
            self._comment(line, self._cells[name], "No response." if name in untouched else None)
        penalty = self._penalty(graded.learner, line, timestamp, score)
        if penalty != line.penalty:
            self._change(NOTEBOOK, line.notebook, late_submission_penalty=penalty)

    def _grade(self, line: Line, exercise: str, points: float) -> float:
        """Give an exercise its points; returns those that count, which are a person's where one gave some."""
        cell = self._cells[_check(exercise)]
        has = line.grades.get(cell)
        if has is None:
            new = {"cell_id": cell, "notebook_id": line.notebook}
            self._put(GRADE, **new, auto_score=points, needs_manual_grade=False)
            return points
        if has.auto_score != points:
            # A person's own grade stays; that the judge has changed its mind is for the person to look at.
            self._change(GRADE, has.id, auto_score=points, needs_manual_grade=has.manual_score is not None)
        return (points if has.manual_score is None else has.manual_score) + (has.extra_credit or 0.0)

    def _comment(self, line: Line, cell: str, comment: str | None) -> None:
        has = line.comments.get(cell)
        if has is None:
            self._put(COMMENT, cell_id=cell, notebook_id=line.notebook, auto_comment=comment)
        elif has.auto_comment != comment:
            self._change(COMMENT, has.id, auto_comment=comment)

    def _penalty(self, learner: str, line: Line, timestamp: datetime | None, score: float) -> float | None:
        late = _seconds_late(self._due, line.extension, timestamp)
        return self._late.penalty(learner, score, self._late.beyond(self._earlier[learner], late))

    def _add(self, learner: str) -> Line:
        if learner not in self._students:
            self._run(insert(STUDENT).values(id=learner))
        submission = self._put(SUBMISSION, assignment_id=self._assignment, student_id=learner)
        return Line(submission, self._put(NOTEBOOK, notebook_id=self._notebook, assignment_id=submission))

    def _put(self, table: Table, **values) -> str:
        id = nb.new_uuid()
        self._run(insert(table).values(id=id, **values))
        return id

    def _change(self, table: Table, id: str, **values) -> None:
        self._run(update(table).where(table.c.id == id).values(**values))

    def _read_lines(self) -> dict[str, Line]:
        columns = (SUBMISSION.c.student_id, SUBMISSION.c.id, NOTEBOOK.c.id, SUBMISSION.c.timestamp,
                   SUBMISSION.c.extension, NOTEBOOK.c.late_submission_penalty)  # fmt: skip
        there = select(*columns).join(NOTEBOOK, NOTEBOOK.c.assignment_id == SUBMISSION.c.id)
        there = there.where(NOTEBOOK.c.notebook_id == self._notebook)
        lines = {learner: Line(*rest) for learner, *rest in self._run(there)}
        by_notebook = {line.notebook: line for line in lines.values()}
        for table, kept in ((GRADE, "grades"), (COMMENT, "comments")):
            for row in self._run(select(table).where(table.c.notebook_id.in_(_of(self._notebook)))):
                getattr(by_notebook[row.notebook_id], kept)[row.cell_id] = row
        return lines

    def _read_earlier(self) -> dict[str, list[float]]:
        """By how many seconds each learner was late in the labs that were due before this one, in their order."""
        earlier = defaultdict(list)
        if self._due is not None:
            due, columns = ASSIGNMENT.c.duedate, (SUBMISSION.c.extension, SUBMISSION.c.timestamp)
            there = select(SUBMISSION.c.student_id, due, *columns)
            there = there.join(ASSIGNMENT, ASSIGNMENT.c.id == SUBMISSION.c.assignment_id)
            for learner, *times in self._run(there.where(due < self._due).order_by(due, ASSIGNMENT.c.name)):
                earlier[learner].append(_seconds_late(*times))
        return earlier


def _of(notebook: str) -> Select:
    """The ids of what was handed in for a notebook."""
    return select(NOTEBOOK.c.id).where(NOTEBOOK.c.notebook_id == notebook)


def _seconds_late(due: datetime | None, extension: timedelta | None, timestamp: datetime | None) -> float:
    if due is None or timestamp is None:
        return 0.0
    return max(0.0, (timestamp - due - (extension or timedelta())).total_seconds())


def _check(exercise: str) -> str:
    """The grade_id of the cell that bears an exercise's points."""
    return f"{exercise_cell(exercise)}-check"
