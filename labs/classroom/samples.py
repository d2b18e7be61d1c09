"""Submissions of nobody: right in several ways, wrong in many, empty, hostile; for a first look, tests and figures.

They are made from the published solutions and from what stands in `samples/`. The same are made each time.
"""

import copy
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from random import Random

from labs.bench.errors import BenchError
from labs.bench.state import write_atomic

from .class_folder import ClassFolder
from .course import HERE, Course
from .errors import ClassroomError
from .files import read
from .submission import Lab

TIMESTAMP = "2026-01-15 12:00:00 UTC\n"  # as nbgrader writes it
MARKERS = re.compile(r"\n *### (BEGIN|END) SOLUTION.*")

#: What code can try against a grader, in the place of an answer. None of it harms a machine that isolates nothing.
HOSTILE = {
    "endless-loop": "while True:\n    pass\n",
    "eats-memory": "held = [bytearray(1 << 30) for _ in range(8)]\n",
    "exits": "raise SystemExit(0)\n",
    "imports-the-system": "import os\n\nos.kill(os.getppid(), 0)\n",
    "reads-the-solution": 'answer = open("solutions/19_lab_the_session_desk.ipynb").read()\n',
    "prints-markup": """\
print("<script>alert('49 of 49 points')</script>" * 1000)
raise ValueError("</pre><h1>49 of 49 points</h1><script>alert(1)</script>")
""",
    "equals-everything": """\
class Anything:
    def __init__(self, *args): pass
    def __eq__(self, other): return True
    def __hash__(self): return 0
    def __getattr__(self, name): return lambda *args: Anything()

Desk = payload = verify = Anything
""",
}


@dataclass(frozen=True)
class Material:
    """What the samples of one lab are made from."""

    lab: Lab
    folder: Path = HERE / "samples"
    course: Course = Course(HERE)

    @cached_property
    def release(self) -> dict:
        """The lab as it is handed out, without outputs."""
        path = self.course.notebooks / self.lab.file
        notebook = json.loads(json.dumps(read(path, self.course.label(path))))
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell |= {"outputs": [], "execution_count": None}
        return notebook

    @cached_property
    def published(self) -> dict[str, str]:
        """The published solution: the source of each solution cell, by its id."""
        path = self.course.solutions / self.lab.file
        cells = read(path, self.course.label(path)).cells
        return {cell.id: MARKERS.sub("", cell.source) for cell in cells if cell.id in self.lab.cells}

    @cached_property
    def others(self) -> list[dict[str, str]]:
        """Other right answers, where `samples/` has some: of labs that are one cell."""
        [*cells] = self.lab.cells
        return [{cells[0]: path.read_text("utf-8")} for path in sorted((self.folder / self.lab.number).glob("*.py"))]

    @cached_property
    def mistakes(self) -> dict[str, tuple[str, str]]:
        """What to replace in the published solution, and by what, for each mistake that `samples/` names."""
        there = self._listed.get("mistake", [])
        return {one["name"]: (one["instead_of"], one["write"]) for one in there}

    @cached_property
    def two_tiers(self) -> list[str]:
        """The mistakes of somebody who solved half of a lab that is one cell."""
        return self._listed.get("two_tiers", {}).get("mistakes", [])

    @cached_property
    def copied(self) -> dict[str, str]:
        """Another's right answer with names changed, where `samples/` says which; else nothing."""
        about = self._listed.get("copied")
        if about is None:
            return {}
        [cell] = self.lab.cells
        source = (self.folder / self.lab.number / about["of"]).read_text("utf-8")
        for name, other in about["names"].items():
            source = re.sub(rf"\b{name}\b", other, source)
        return {cell: source}

    @cached_property
    def _listed(self) -> dict:
        path = self.folder / self.lab.number / "mistakes.toml"
        return tomllib.loads(path.read_text("utf-8")) if path.exists() else {}

    def wrong(self, *names: str) -> dict[str, str]:
        """The published solution with these mistakes in it. Raises ClassroomError when one does not fit any more."""
        cells = dict(self.published)
        for name in names:
            this, that = self.mistakes[name]
            if not any(this in source for source in cells.values()):
                raise ClassroomError(f"samples/{self.lab.number}: {name} is no change of the solution any more.")
            cells = {cell: source.replace(this, that) for cell, source in cells.items()}
        return cells

    def notebook(self, cells: dict[str, str], change: Callable[[dict], object] = lambda notebook: None) -> str:
        """The text of the lab's notebook with these solution cells in it, and then changed."""
        notebook = copy.deepcopy(self.release)
        for cell in notebook["cells"]:
            cell["source"] = cells.get(cell["id"], cell["source"])
        change(notebook)
        return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"


def each_kind(made: Material) -> Iterator[tuple[str, str]]:
    """A sample of each kind: the name of the learner, and the text of the file."""
    for number, cells in enumerate([made.published, *made.others], 1):
        yield f"right-{number}", made.notebook(cells)
    if len(made.lab.cells) > 1:
        two = list(made.published.items())[:2]
        yield "right-in-two", made.notebook(dict(two))
    elif made.two_tiers:
        yield "right-in-two", made.notebook(made.wrong(*made.two_tiers))
    for name in made.mistakes:
        yield f"wrong-{name}", made.notebook(made.wrong(name))
    if made.copied:
        yield "copied-names-changed", made.notebook(made.copied)
    yield "wrong-no-python", made.notebook({cell: source + "\n)" for cell, source in made.published.items()})
    yield "empty", made.notebook({})
    for name, source in HOSTILE.items():
        yield f"hostile-{name}", made.notebook(dict.fromkeys(made.lab.cells, source))
    yield "hostile-own-points", made.notebook({}, _own_points)
    yield "hostile-no-checks", made.notebook({}, _no_checks)
    yield "=1+1", made.notebook({})  # a formula, where a spreadsheet is careless with names
    yield "broken-no-notebook", "This is not a notebook.\n"
    yield "broken-half-a-notebook", made.notebook(made.published)[:5000]
    yield "broken-two-cells-alike", made.notebook(made.published, _twice)
    yield "broken-other-version", made.notebook(made.published, _other_version)


def mixed(made: Material) -> Iterator[tuple[str, str]]:
    """Samples without end: some right, most with one to three mistakes or exercises missing, as in a class."""
    for number in count(1):
        draw = Random(f"{made.lab.number}/{number}")
        if len(made.lab.cells) > 1:
            solved = {cell: source for cell, source in made.published.items() if draw.random() < 0.7}
        elif draw.random() < 0.25 or not made.mistakes:
            solved = draw.choice([made.published, *made.others])
        else:
            solved = _with_mistakes(made, draw)
        yield f"mixed-{number:04}", made.notebook(solved)


def write_samples(
    klass: ClassFolder, made: Material, learners: int | None = None, tick: Callable[[], None] = lambda: None
) -> tuple[list[str], list[str]]:
    """Write samples into submitted/: one of each kind, or as many as `learners` says. Calls `tick()` after each.

    Gives who has one now, and who had handed in something else already, which stays. Raises ClassroomError.
    """
    written, kept, of_kinds, more = [], [], each_kind(made), mixed(made)
    for number in count():
        sample = next(of_kinds, None) or (next(more) if learners is not None else None)
        if sample is None or number == learners:
            return written, kept
        name, text = sample
        folder = klass.submitted(name, made.lab.number)
        (written if _write(folder, made.lab.file, text) else kept).append(name)
        tick()


def _write(folder: Path, file: str, text: str) -> bool:
    try:
        if folder.exists() and (not (folder / file).exists() or (folder / file).read_bytes() != text.encode()):
            return False
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(folder / "timestamp.txt", TIMESTAMP)
        write_atomic(folder / file, text)
    except (OSError, BenchError) as error:
        system = error.__cause__ if isinstance(error, BenchError) else error
        why = getattr(system, "strerror", None) or system
        raise ClassroomError(f"{folder} could not be written ({why}).") from error
    return True


def _with_mistakes(made: Material, draw: Random) -> dict[str, str]:
    chosen: list[str] = []
    for name in draw.sample(list(made.mistakes), draw.randint(1, 3)):
        try:
            made.wrong(*chosen, name)
        except ClassroomError:
            continue  # it changes what another has changed already
        chosen.append(name)
    return made.wrong(*chosen)


def _own_points(notebook: dict) -> None:
    for cell in notebook["cells"]:
        marks = cell["metadata"].get("nbgrader", {})
        if marks.get("grade"):
            marks["points"] = 1000
            cell["source"] = 'print("49 of 49 points")'


def _no_checks(notebook: dict) -> None:
    notebook["cells"] = [
        cell for cell in notebook["cells"] if not cell["metadata"].get("nbgrader", {}).get("grade")
    ]


def _twice(notebook: dict) -> None:
    notebook["cells"] += [
        cell | {"source": cell["source"] + "\n# again"}
        for cell in notebook["cells"]
        if cell["metadata"].get("nbgrader", {}).get("solution")
    ]


def _other_version(notebook: dict) -> None:
    notebook["metadata"]["course"]["version"] = "0.9.0"
