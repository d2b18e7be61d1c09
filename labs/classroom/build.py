"""From solutions/ to notebooks/: bring both up to date, or say what is not."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode
from traitlets.config import Config

from labs import __version__

from . import stamp
from .cells import put_in_order
from .course import Course
from .errors import ClassroomError
from .execute import execute
from .files import read, text_of, write
from .strip import learner_version, nbgrader_config


@dataclass(frozen=True)
class Wanted:
    """One notebook as it should be: its place, its cells, and the fingerprint of its source."""

    path: Path
    label: str
    notebook: NotebookNode
    source: str
    source_label: str


class Builder:
    """Builds and checks the notebooks of one course.

    `points` holds the points of every declared exercise by its id.
    """

    def __init__(self, course: Course, points: Mapping[str, int]):
        self.course = course
        self.points = points
        self.config: Config = nbgrader_config(course.root)

    def build(self, path: Path, again: bool = False, tick: Callable[[], None] = lambda: None) -> list[str]:
        """Bring a source and its learner's notebook up to date; `again` runs them even if they are.

        Gives the labels of the files that were written. Calls `tick()` after each cell that was run.
        Raises ClassroomError; the file that it names is then as it was before.
        """
        written = []
        for wanted in self._pair(path):
            current = _read_or_none(wanted)
            if again or current is None or _reasons(current, wanted):
                built = _executed(wanted, tick)
            else:
                built = _with_outputs_of(current, wanted)
            if write(wanted.path, built, wanted.label):
                written.append(wanted.label)
        return written

    def problems(self, path: Path) -> list[str]:
        """What is stale, stripped or edited by hand about a source and its notebook, a sentence each."""
        return [problem for wanted in self._pair(path) for problem in _problems(wanted)]

    def orphans(self) -> list[str]:
        """A sentence for each learner's notebook that has no source."""
        return [
            f"{self.course.label(path)} has no source in solutions/: delete it, or bring its source back."
            for path in sorted(self.course.notebooks.glob("*.ipynb"))
            if not (self.course.solutions / path.name).exists()
        ]

    def _pair(self, path: Path) -> list[Wanted]:
        label, target = self.course.label(path), self.course.notebooks / path.name
        source = read(path, label)
        put_in_order(source, self.points, label)
        fingerprint = stamp.fingerprint(source)
        learner = learner_version(source, self.config, label)
        return [
            Wanted(path, label, source, fingerprint, label),
            Wanted(target, self.course.label(target), learner, fingerprint, label),
        ]


def _executed(wanted: Wanted, tick: Callable[[], None]) -> NotebookNode:
    notebook = copy.deepcopy(wanted.notebook)
    notebook.metadata.pop("widgets", None)
    wanted.path.parent.mkdir(exist_ok=True)
    execute(notebook, wanted.path.parent, wanted.label, tick)
    stamp.put(notebook, wanted.source)
    return notebook


def _with_outputs_of(current: NotebookNode, wanted: Wanted) -> NotebookNode:
    """The wanted notebook with the outputs that the current one has. Both have the same cells."""
    notebook = copy.deepcopy(wanted.notebook)
    for cell, had in zip(notebook.cells, current.cells, strict=True):
        if cell.cell_type == "code":
            cell.update(outputs=had.outputs, execution_count=had.execution_count)
    for key in ("course", "widgets"):
        notebook.metadata.pop(key, None)
        if key in current.metadata:
            notebook.metadata[key] = current.metadata[key]
    return notebook


def _reasons(current: NotebookNode, wanted: Wanted) -> list[str]:
    """Why a notebook has to be run again, as the end of a sentence; empty when it need not be."""
    said = stamp.of(current)
    if not said:
        return ["was never built: run `make notebooks`."]
    if said.get("source") != wanted.source:
        return [f"is stale, {wanted.source_label} was changed after it was built: run `make notebooks`."]
    if said.get("version") != __version__:
        return [f"was built by version {said.get('version')}, and this is {__version__}: run `make notebooks`."]
    differing = _differences(current, wanted.notebook)
    if differing:
        return [
            f"was edited by hand ({', '.join(differing)}): make the change in {wanted.source_label}, "
            "then run `make notebooks`."
        ]
    stripped = [c.id for c in current.cells if c.cell_type == "code" and c.execution_count is None]
    if stripped:
        return [f"has cells that were not run ({', '.join(stripped)}): run `make notebooks`."]
    if said.get("outputs") != stamp.fingerprint_of_outputs(current):
        return ["has outputs that are not those of its build: run `make notebooks`."]
    return []


def _problems(wanted: Wanted) -> list[str]:
    if not wanted.path.exists():
        return [f"{wanted.label} was not built yet: run `make notebooks`."]
    current = read(wanted.path, wanted.label)
    reasons = _reasons(current, wanted)
    if not reasons and text_of(_with_outputs_of(current, wanted)) != wanted.path.read_text("utf-8"):
        reasons = ["is not in the form that a build gives it: run `make notebooks`."]
    return [f"{wanted.label} {reason}" for reason in reasons]


def _differences(current: NotebookNode, wanted: NotebookNode) -> list[str]:
    """The ids of the cells in which two notebooks differ, outputs aside."""
    now = {cell.get("id"): stamp.plain_cell(cell) for cell in current.cells}
    then = {cell.id: stamp.plain_cell(cell) for cell in wanted.cells}
    differing = [str(name) for name in then | now if now.get(name) != then.get(name)]
    in_order = [cell.get("id") for cell in current.cells] == [cell.id for cell in wanted.cells]
    return differing or ([] if in_order else ["the order of its cells"])


def _read_or_none(wanted: Wanted) -> NotebookNode | None:
    """The notebook as it is, or None: what is generated does not need to be there, or whole."""
    try:
        return read(wanted.path, wanted.label)
    except ClassroomError:
        return None
