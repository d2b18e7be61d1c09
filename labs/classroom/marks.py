"""What counts in the end: what the judge found, and what people wrote into the gradebook beside it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import nbgrader.api as nb
from sqlalchemy import create_engine, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from .cells import exercise_cell
from .class_folder import ClassFolder, lab_name
from .errors import ClassroomError
from .grading import Graded
from .submission import Lab


@dataclass
class Person:
    """A learner as the gradebook knows them."""

    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_user_id: str = ""


@dataclass
class Written:
    """What people wrote about a submission, by exercise, and what being late costs it.

    `points` has an exercise that a person gave points, whatever the judge found; `look_at` one whose grade waits for
    a person.
    """

    points: dict[str, float] = field(default_factory=dict)
    extra: dict[str, float] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)
    look_at: set[str] = field(default_factory=set)
    late: float = 0.0


@dataclass
class Book:
    """What the gradebook says of one lab, by learner. `people` has everybody in the class."""

    people: dict[str, Person] = field(default_factory=dict)
    written: dict[str, Written] = field(default_factory=dict)


@dataclass(frozen=True)
class Mark:
    """What a submission is worth: `points` of each exercise, and `total` after `late` was taken off, of `of`."""

    points: dict[str, float]
    late: float
    of: int

    @property
    def total(self) -> float:
        """What goes into a school's gradebook."""
        return max(0.0, sum(self.points.values()) - self.late)


def mark(graded: Graded, written: Written) -> Mark:
    """What a submission is worth: a person's points stand in the place of the judge's."""
    points = {
        one.exercise: written.points.get(one.exercise, one.points) + written.extra.get(one.exercise, 0.0)
        for one in graded.reports
    }
    return Mark(points, written.late, graded.of)


def number(points: float) -> str:
    """Points as people write them: 12, 12.5."""
    return f"{points:.2f}".rstrip("0").rstrip(".")


def read_book(klass: ClassFolder, lab: Lab) -> Book:
    """What stands in the gradebook, which is only read; an empty Book where there is none. Raises ClassroomError."""
    if not klass.gradebook.exists():
        return Book()
    try:
        with _connected(klass.gradebook) as connection:
            book = Book(people=_people(connection))
            _late(connection, lab, book)
            _grades(connection, lab, book)
            _comments(connection, lab, book)
        return book
    except SQLAlchemyError as error:
        why = str(getattr(error, "orig", error)).partition("\n")[0]
        raise ClassroomError(f"The gradebook {klass.gradebook} could not be read ({why}).") from error


@contextmanager
def _connected(path: Path) -> Iterator[Connection]:
    engine = create_engine(f"sqlite:///file:{quote(str(path.absolute()))}?mode=ro&timeout=60&uri=true")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


STUDENT, GRADE, COMMENT, CELL = (one.__table__ for one in (nb.Student, nb.Grade, nb.Comment, nb.BaseCell))
ASSIGNMENT, SUBMISSION = nb.Assignment.__table__, nb.SubmittedAssignment.__table__
NOTEBOOK = nb.SubmittedNotebook.__table__


def _people(connection: Connection) -> dict[str, Person]:
    known = select(STUDENT.c.id, STUDENT.c.first_name, STUDENT.c.last_name, STUDENT.c.email, STUDENT.c.lms_user_id)
    return {id: Person(*(one or "" for one in rest)) for id, *rest in connection.execute(known)}


def _of(lab: Lab, *columns):
    """A query of these columns, of what was handed in for a lab."""
    there = select(SUBMISSION.c.student_id, *columns).join(ASSIGNMENT, ASSIGNMENT.c.id == SUBMISSION.c.assignment_id)
    there = there.join(NOTEBOOK, NOTEBOOK.c.assignment_id == SUBMISSION.c.id)
    return there.where(ASSIGNMENT.c.name == lab_name(lab.number))


def _late(connection: Connection, lab: Lab, book: Book) -> None:
    for learner, penalty in connection.execute(_of(lab, NOTEBOOK.c.late_submission_penalty)):
        book.written.setdefault(learner, Written()).late += penalty or 0.0


def _grades(connection: Connection, lab: Lab, book: Book) -> None:
    checks = {f"{exercise_cell(exercise)}-check": exercise for exercise in lab.exercises}
    columns = (CELL.c.name, GRADE.c.manual_score, GRADE.c.extra_credit, GRADE.c.needs_manual_grade)
    there = _of(lab, *columns).join(GRADE, GRADE.c.notebook_id == NOTEBOOK.c.id)
    there = there.join(CELL, CELL.c.id == GRADE.c.cell_id)
    for learner, name, points, extra, waits in connection.execute(there):
        if (exercise := checks.get(name)) is None:
            continue
        written = book.written.setdefault(learner, Written())
        if points is not None:
            written.points[exercise] = points
        if extra:
            written.extra[exercise] = extra
        if waits:
            written.look_at.add(exercise)


def _comments(connection: Connection, lab: Lab, book: Book) -> None:
    first = {cell: exercise for exercise, cell in reversed(lab.exercises.items())}
    there = _of(lab, CELL.c.name, COMMENT.c.manual_comment).join(COMMENT, COMMENT.c.notebook_id == NOTEBOOK.c.id)
    there = there.join(CELL, CELL.c.id == COMMENT.c.cell_id)
    for learner, name, comment in connection.execute(there):
        exercise = first.get(name) or first.get(name.removesuffix("-check"))
        if exercise and comment:
            comments = book.written.setdefault(learner, Written()).comments
            comments[exercise] = "\n".join(filter(None, [comments.get(exercise), comment]))
