"""A learner's own copies in work/: handed out once, never overwritten, renewed when the learner says so."""

import json
import os
from contextlib import suppress
from pathlib import Path

from .course import Course, find
from .errors import ClassroomError


def hand_out(course: Course) -> list[str]:
    """Copy each notebook that work/ lacks; give a sentence for each copy that the learner should know about.

    Raises ClassroomError when there is nothing to hand out, or work/ cannot be written.
    """
    lessons = find(course.notebooks)
    if not lessons:
        raise ClassroomError(f"There are no notebooks in {course.notebooks}. Build them with `make notebooks`.")
    told = []
    for lesson in lessons:
        copy = course.work / lesson.name
        if not os.path.lexists(copy):
            _copy(lesson, copy)
            continue
        number = lesson.stem.partition("_")[0]
        source = source_of(copy)
        if source is None:
            told.append(
                f"{course.label(copy)} cannot be read as a notebook. `make reset L={number}` sets it aside, in "
                "work/kept/, and gives you a fresh one."
            )
        elif source != source_of(lesson):
            told.append(
                f"{course.label(copy)} is your copy of another version of the lesson. `make reset L={number}` "
                "gives you the course's present one, and keeps yours in work/kept/."
            )
    return told


def renew(course: Course, name: str) -> str:
    """Put a fresh copy of one notebook into work/, and keep the old one in work/kept/; say so in a sentence.

    Raises ClassroomError for a name that means no notebook, or when work/ cannot be written.
    """
    [lesson] = find(course.notebooks, (name,))
    copy = course.work / lesson.name
    if not os.path.lexists(copy):
        _copy(lesson, copy)
        return f"{course.label(copy)} is there, fresh. You had no copy before."
    kept = _next_free(course.work / "kept", lesson.stem)
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        # Moved, not copied: at every moment the learner's work is whole in one of the two places.
        os.rename(copy, kept)
    except OSError as error:
        raise ClassroomError(f"{course.label(copy)} could not be set aside ({error.strerror}).") from error
    _copy(lesson, copy)
    return f"{course.label(copy)} is fresh. Your old one is {course.label(kept)}."


def source_of(path: Path) -> str | None:
    """From which source a notebook was made ("" when it does not say), or None when it cannot be read."""
    try:
        metadata = json.loads(path.read_text("utf-8"))["metadata"]
        return str(metadata.get("course", {}).get("source", ""))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def _copy(lesson: Path, copy: Path) -> None:
    # These take a second to import: only somebody who gets a new lesson waits for it.
    import nbformat
    from nbformat.sign import NotebookNotary

    from labs.bench.errors import BenchError
    from labs.bench.state import write_atomic

    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = lesson.read_text("utf-8")
        write_atomic(copy, text)
    except (OSError, BenchError) as error:
        system = error.__cause__ if isinstance(error, BenchError) else error
        reason = getattr(system, "strerror", None) or system
        raise ClassroomError(
            f"Your copy of {lesson.name} could not be written into {copy.parent} ({reason}). "
            "Make room, or give yourself permission to write there, and run this again."
        ) from error
    # Jupyter shows stored HTML without its styles until a notebook is trusted, and these outputs are the course's.
    with suppress(OSError):  # no place to keep the signature: the page then looks plainer until it is run
        NotebookNotary().sign(nbformat.reads(text, as_version=4))


def _next_free(folder: Path, stem: str) -> Path:
    number = 1
    while os.path.lexists(folder / f"{stem}-{number}.ipynb"):
        number += 1
    return folder / f"{stem}-{number}.ipynb"
