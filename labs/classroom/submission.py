"""What somebody handed in: of its notebook only the solution cells are taken, by grade_id; nothing is run here.

A submission may be anything that fits into a file. Whatever is wrong with it becomes a sentence in its notes.
"""

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from labs import __version__

from .cells import checked_exercise
from .course import HERE, Course, find
from .errors import ClassroomError
from .files import read as read_notebook

LARGEST_NOTEBOOK = 10 << 20  # bytes: a lab with all its figures has 0.2 million
LARGEST_CELL = 200_000  # characters: Python's parser takes a hundred bytes for each


@dataclass(frozen=True)
class Lab:
    """A lab as it is released: `file` is its notebook's name, `exercises` says which cell holds each exercise."""

    number: str
    file: str
    exercises: dict[str, str]

    @property
    def cells(self) -> set[str]:
        """The grade_ids of the solution cells."""
        return set(self.exercises.values())


@dataclass(frozen=True)
class Submission:
    """A learner's cells by grade_id, what is to be said about them, and a digest of what will be judged."""

    learner: str
    lab: str
    cells: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """The same for the same cells, whatever else stands in the notebook."""
        return hashlib.sha256(json.dumps(self.cells, sort_keys=True).encode()).hexdigest()[:16]


@cache
def find_lab(number: str, course: Course | None = None) -> Lab:
    """The lab with this number ("19", or nbgrader's name for it) of the course. Raises ClassroomError for another."""
    course = course or Course(HERE)
    [path] = find(course.notebooks, (number.removeprefix("lab"),))
    exercises, cell_id = {}, None
    for cell in read_notebook(path, course.label(path)).cells:
        marks = cell.metadata.get("nbgrader", {})
        if marks.get("solution"):
            cell_id = marks["grade_id"]
        elif marks.get("grade"):
            exercises[checked_exercise(cell.source)] = cell_id
    if not exercises:
        raise ClassroomError(f"{path.name} has no exercises, so there is nothing to hand in.")
    return Lab(path.name[:2], path.name, exercises)


def read(folder: Path, learner: str, lab: Lab) -> Submission:
    """What `learner` handed in for `lab` in this folder (submitted/<learner>/labNN). Never raises for its content."""
    notes: list[str] = []
    try:
        cells = _solution_cells(_notebook(folder, lab, notes), lab, notes)
    except _Unusable as why:
        return Submission(learner, lab.number, {}, [*notes, str(why)])
    notes += [f"The cell {cell} is not in the notebook." for cell in sorted(lab.cells - set(cells))]
    return Submission(learner, lab.number, cells, notes)


class _Unusable(Exception):
    """A sentence: why nothing can be taken from the submission."""


def _notebook(folder: Path, lab: Lab, notes: list[str]) -> dict:
    real = folder.is_dir() and not folder.is_symlink()
    there = sorted(path.name for path in folder.glob("*.ipynb")) if real else []
    if lab.file not in there:
        if len(there) != 1:
            raise _Unusable(f"There is no notebook {lab.file} in the submission.")
        notes.append(f"The notebook is called {there[0]!r:.100}, not {lab.file}; it was judged all the same.")
    try:
        notebook = json.loads(_bytes(folder / (lab.file if lab.file in there else there[0])))
    except (ValueError, RecursionError, MemoryError):
        raise _Unusable("The file is not a notebook: it is not JSON.") from None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise _Unusable("The file is not a notebook of format 4: it has no list of cells.")
    _look_at_version(notebook, notes)
    return notebook


def _bytes(path: Path) -> bytes:
    """A regular file's content, of bounded size; a link leads nowhere, and a pipe is not waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        raise _Unusable(f"The notebook cannot be opened ({error.strerror}): a link is not followed.") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _Unusable("The notebook is no ordinary file.")
    with open(descriptor, "rb") as file:
        data = file.read(LARGEST_NOTEBOOK + 1)
    if len(data) > LARGEST_NOTEBOOK:
        raise _Unusable(
            f"The notebook has more than {LARGEST_NOTEBOOK >> 20} MB: clear the outputs, and hand it in again."
        )
    return data


def _look_at_version(notebook: dict, notes: list[str]) -> None:
    metadata = notebook.get("metadata")
    course = metadata.get("course") if isinstance(metadata, dict) else None
    version = course.get("version") if isinstance(course, dict) else None
    if version != __version__:
        made = f"for version {version!r:.40}" if version else "for no version that it names"
        notes.append(f"The notebook was made {made} of the course; it was judged by version {__version__}.")


def _solution_cells(notebook: dict, lab: Lab, notes: list[str]) -> dict[str, str]:
    cells: dict[str, str] = {}
    for name, source in _named_cells(notebook, lab, notes):
        if cells.get(name, source) != source:
            notes.append(f"There are two cells {name} that differ; the last one was judged.")
        cells[name] = source
    return cells


def _named_cells(notebook: dict, lab: Lab, notes: list[str]) -> Iterator[tuple[str, str]]:
    """The grade_id and source of each solution cell of this lab."""
    for cell in notebook["cells"]:
        if not isinstance(cell, dict) or (name := _name(cell)) not in lab.cells:
            continue
        source = cell.get("source")
        if isinstance(source, list) and all(isinstance(line, str) for line in source):
            source = "".join(source)
        if not isinstance(source, str):
            notes.append(f"The cell {name} holds no text.")
        elif len(source) > LARGEST_CELL:
            notes.append(f"The cell {name} has more than {LARGEST_CELL:,} characters; it was not judged.")
        elif not _is_unicode(source):
            notes.append(f"The cell {name} holds half a character (a lone surrogate); it was not judged.")
        else:
            yield name, source


def _name(cell: dict) -> str | None:
    """The grade_id; or the cell's id, which is the same here, where an editor has dropped the metadata."""
    metadata = cell.get("metadata")
    marks = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    name = marks.get("grade_id") if isinstance(marks, dict) else cell.get("id")
    return name if isinstance(name, str) else None


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
