"""Hand a lab out: nbgrader's release of it, the learners in the gradebook, and a folder and a zip for each of them.

All of it can be done again at any time. What is there already is not made anew, and what a learner has written in a
folder (work/) is not touched.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from labs.bench.errors import BenchError
from labs.bench.state import write_atomic

from .class_folder import EVERYBODY, ClassFolder, lab_name
from .course import Course
from .errors import ClassroomError
from .handout import RUN, Handout
from .roster import COLUMNS, Learner, keep_roster, kept_roster
from .submission import Lab
from .whole import holds, put

#: The class's own settings, which an instructor may add to: nbgrader's commands find them in the class's folder.
NBGRADER_CONFIG = '''\
"""nbgrader's settings for this class: the course's own, and where the class is. Add yours below."""

from pathlib import Path

from labs.classroom.autograde_preprocessor import use_judge
from labs.classroom.course import HERE

c = get_config()  # noqa: F821  (traitlets puts it here)
load_subconfig("nbgrader_config.py", path=str(HERE))  # noqa: F821

c.CourseDirectory.root = str(Path(__file__).parent)
use_judge(c)
use_judge(c)
'''


def prepare(klass: ClassFolder, roster: list[Learner] | None) -> tuple[list[Learner], list[str]]:
    """Make the class, or bring it up to date: its secret, its settings, its roster (None: the one that it has).

    Gives the learners (none: everybody gets the same) and sentences about what should be known.
    Raises ClassroomError.
    """
    klass.create()
    before, notes = kept_roster(klass), []
    learners = before if roster is None else roster
    klass.share_seed(not learners)
    if roster is not None:
        gone = sorted({learner.id for learner in before} - {learner.id for learner in roster})
        if gone:
            named = f"{', '.join(gone[:10])}{' …' if len(gone) > 10 else ''}"
            notes.append(f"No longer on the roster: {named}. What they handed in stays.")
        if roster != before:
            keep_roster(klass, roster)
    config = klass.root / "nbgrader_config.py"
    if not config.exists():
        _write(config, NBGRADER_CONFIG)
    return learners, notes


def release(course: Course, klass: ClassFolder, lab: Lab) -> bool:
    """Make the release of a lab (release/labNN) from its solution, with nbgrader; say whether that was needed.

    Raises ClassroomError: with nbgrader's reason when it makes none; the release is then as it was.
    """
    name = lab_name(lab.number)
    solution, source = course.solutions / lab.file, klass.root / "source" / name / lab.file
    try:
        wanted = solution.read_bytes()
        before = source.read_bytes() if source.exists() else None
    except OSError as error:
        raise ClassroomError(f"{error.filename} cannot be read ({error.strerror}).") from None
    released = klass.release(lab.number) / lab.file
    if before == wanted and released.exists():
        return False
    kept = released.read_bytes() if released.exists() else None
    _write(source, wanted.decode())
    said = _generate(klass, name)
    if said:
        source.unlink()  # so that the next time tries again
        if kept is not None:
            _write(released, kept.decode())
        raise ClassroomError(f"nbgrader made no release of {name}: {said}")
    return True


def _generate(klass: ClassFolder, name: str) -> str:
    """Run nbgrader's generate_assignment in this process; give its reason when it failed, else ""."""
    from nbgrader.apps import NbGraderAPI

    from .lab import environment
    from .strip import nbgrader_config

    os.environ["PATH"] = environment()["PATH"]  # nbgrader calls alembic by its name
    done = NbGraderAPI(config=nbgrader_config(klass.root)).generate_assignment(name)
    if done["success"]:
        return ""
    told = [*done.get("error", "").splitlines(), *done.get("log", "").splitlines()]
    reasons = [line for line in told if "Error" in line or "ERROR" in line or "Cannot" in line]
    return (reasons or told or ["it gave no reason"])[0].strip()


def enrol(klass: ClassFolder, learners: Iterable[Learner]) -> int:
    """Put the learners into the gradebook, with their names; say how many were not there, or were called otherwise.

    Nobody is taken out. Raises ClassroomError (locked, disk full); the gradebook is then as it was.
    """
    from nbgrader.api import Student

    from .gradebook import opened

    changed = 0
    with opened(klass) as book:
        there = {student.id: student for student in book.db.query(Student)}
        for learner in learners:
            about = {name: getattr(learner, name) or None for name in COLUMNS if name != "id"}
            student = there.get(learner.id)
            if student is None:
                book.db.add(Student(id=learner.id, **about))
            elif any(getattr(student, name) != value for name, value in about.items()):
                for name, value in about.items():
                    setattr(student, name, value)
            else:
                continue
            changed += 1
    return changed


def recipients(learners: list[Learner]) -> list[str]:
    """Whose folders are made: the learners' ids, or "everybody" for all where there is no roster."""
    return [learner.id for learner in learners] or [EVERYBODY]


def hand_out(
    klass: ClassFolder,
    handout: Handout,
    names: list[str],
    folders: bool = True,
    tick: Callable[[], None] = lambda: None,
) -> list[str]:
    """Write each one's zip and (unless `folders` is False) folder into handed_out/labNN; give whose were new.

    Calls `tick()` after each. Raises ClassroomError (disk full); what is there by then is whole.
    """
    target, written = klass.handed_out(handout.lab.number), []
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name in names:
            seed = klass.seed_of(name)
            changed = put(target / f"{name}.zip", handout.zip(seed))
            if folders:
                changed |= _lay_out(target / name, handout.files(seed))
            if changed:
                written.append(name)
            tick()
    except OSError as error:
        raise ClassroomError(
            f"{error.filename or target} could not be written ({error.strerror or error}). The zips that are there "
            "are whole: make room, or give yourself permission there, and run this again."
        ) from error
    return written


def _lay_out(folder: Path, files: dict[str, bytes]) -> bool:
    made, changed = set(), False
    for path, data in files.items():
        file = folder / path
        if file.parent not in made:
            file.parent.mkdir(parents=True, exist_ok=True)
            made.add(file.parent)
        if not holds(file, data):
            file.write_bytes(data)
            file.chmod(0o755 if path in RUN else 0o644)
            changed = True
    return changed


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, text)
    except (OSError, BenchError) as error:
        system = error.__cause__ if isinstance(error, BenchError) else error
        reason = getattr(system, "strerror", None) or system
        raise ClassroomError(f"{path} could not be written ({reason}).") from error
