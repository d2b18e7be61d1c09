"""From reports/ into what nbgrader shows: autograded/ and the gradebook."""

from collections.abc import Callable, Iterable

from . import autograded, gradebook
from .batch import graded_of
from .class_folder import ClassFolder
from .errors import ClassroomError
from .late import LateDays, handed_in_at
from .submission import Lab, read
from .whole import put


def record(
    klass: ClassFolder,
    lab: Lab,
    learners: Iterable[str],
    late_days: int | None = None,
    tick: Callable[[], None] = lambda: None,
) -> None:
    """Record what was found in these learners' submissions, those in whose reports/ it stands.

    `late_days` replaces what the class's nbgrader_config.py says. Calls `tick()` after each. Raises ClassroomError;
    the gradebook is then as it was.
    """
    release = gradebook.release(klass, lab)
    stubs = {cell.metadata.nbgrader.grade_id: cell.source for cell in release.cells if "nbgrader" in cell.metadata}
    late = LateDays(config=gradebook.settings(klass))
    late.days = late.days if late_days is None else late_days
    with gradebook.opened(klass) as book:
        page = gradebook.Page(book, lab, late)
        for learner in learners:
            folder = klass.submitted(learner, lab.number)
            graded, submission = graded_of(klass, lab, learner), read(folder, learner, lab)
            if graded is None or graded.digest != submission.digest:
                continue  # judged by nobody yet, or handed in again since: the next batch has it
            _show(klass, learner, lab, autograded.notebook(release, submission, graded))
            untouched = {name for name in lab.cells if submission.cells.get(name, stubs[name]) == stubs[name]}
            page.record(graded, untouched, handed_in_at(folder))
            tick()


def _show(klass: ClassFolder, learner: str, lab: Lab, text: str) -> None:
    """Write what nbgrader's pages show, and when it was handed in, which they look up there."""
    folder = klass.autograded(learner, lab.number)
    timestamp = klass.submitted(learner, lab.number) / "timestamp.txt"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        put(folder / lab.file, text.encode())
        if handed_in_at(timestamp.parent):
            put(folder / timestamp.name, timestamp.read_bytes())
    except OSError as error:
        raise ClassroomError(
            f"{folder} could not be written ({error.strerror}). What was judged is kept in reports/: make room, and "
            "start again."
        ) from error
