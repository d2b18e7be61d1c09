"""Put a source notebook in order: exercise cells marked for nbgrader, readable ids, nothing of the machine.

All of it follows from what the cells say: doing it a second time changes nothing.
"""

import ast
import re
import unicodedata
from collections.abc import Mapping

from nbformat import NotebookNode

from .errors import ClassroomError

MARKER = "### BEGIN SOLUTION"
KEPT_OF_A_CELL = {"tags", "nbgrader", "jupyter", "editable", "deletable"}
#: The same on every machine: the name that a machine gives its kernel, and Python's version, are left out of it.
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "file_extension": ".py", "mimetype": "text/x-python",
                      "pygments_lexer": "ipython3"},
}  # fmt: skip


def put_in_order(notebook: NotebookNode, points: Mapping[str, int], label: str) -> None:
    """Do all of this module to a notebook, in place.

    `points` holds the points of every exercise by its id ("10.4"). Raises ClassroomError for a solution
    that no check follows, or an exercise that nobody declared.
    """
    notebook.cells = [cell for cell in notebook.cells if cell.source.strip()]
    tidy(notebook)
    mark_exercises(notebook, points, label)
    name_cells(notebook)


def tidy(notebook: NotebookNode) -> None:
    """Drop what an editor or an execution leaves in metadata; give the notebook the course's own."""
    kept = {key: notebook.metadata[key] for key in ("course", "widgets") if key in notebook.metadata}
    notebook.metadata = NotebookNode(kept | METADATA)
    for cell in notebook.cells:
        cell.source = cell.source.rstrip()
        cell.metadata = NotebookNode({key: cell.metadata[key] for key in KEPT_OF_A_CELL & set(cell.metadata)})
        if not cell.metadata.get("tags", True):
            del cell.metadata["tags"]


def mark_exercises(notebook: NotebookNode, points: Mapping[str, int], label: str) -> None:
    """Give nbgrader's metadata to cells with solution markers, and to the `check("NN.k", ...)` after them.

    Several checks may follow one solution (a lab in tiers); the solution then bears the number of the first.
    Every other cell loses nbgrader's metadata.
    """
    solution, number, graded = None, None, set()
    for cell in notebook.cells:
        cell.metadata.pop("nbgrader", None)
        if cell.cell_type != "code":
            continue
        if MARKER in cell.source:
            if solution is not None and number is None:
                raise ClassroomError(_unchecked(label, solution))
            solution, number = cell, None
        checked = checked_exercise(cell.source)
        if checked and solution is not None and checked not in graded:
            if checked not in points:
                raise ClassroomError(f"{label} checks exercise {checked}, which labs/exercises does not declare.")
            graded.add(checked)
            if number is None:
                number = checked
                _mark(solution, grade_id=exercise_cell(checked), solution=True)
            _mark(
                cell,
                grade_id=f"{exercise_cell(checked)}-check",
                grade=True,
                locked=True,
                points=points[checked],
            )
    if solution is not None and number is None:
        raise ClassroomError(_unchecked(label, solution))


def exercise_cell(number: str) -> str:
    """The id of the cell in which exercise `number` ("10.4") is solved: "ex-10-4"."""
    return "ex-" + number.replace(".", "-")


def checked_exercise(source: str) -> str | None:
    """The exercise that a cell checks: "10.4" for the statement `check("10.4", ...)`, else None."""
    try:
        statements = ast.parse(source).body
    except SyntaxError:  # a magic, say
        return None
    for statement in statements:
        match statement:
            case ast.Expr(ast.Call(ast.Name("check"), [ast.Constant(str(number)), *_])):
                return number
    return None


def _mark(cell: NotebookNode, grade_id: str, **roles) -> None:
    plain = {"grade": False, "locked": False, "solution": False, "task": False, "schema_version": 3}
    cell.metadata["nbgrader"] = NotebookNode(plain | roles | {"grade_id": grade_id})


def _unchecked(label: str, cell: NotebookNode) -> str:
    first = cell.source.splitlines()[0]
    return f'{label}: no check("NN.k", ...) follows the cell with a solution that begins with `{first}`.'


READABLE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
RANDOM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){0,3}(-[0-9a-f]{12})?|ex-\d+-\d+(-check)?")
HEADING = re.compile(r"^#{1,6} +(.+)$", re.MULTILINE)


def name_cells(notebook: NotebookNode) -> None:
    """Give each cell an id of its own that says what it is; one that is readable already stays.

    An exercise's cells are called by their grade_id; others, if their id is random, by the last heading.
    """
    taken = {cell.metadata.nbgrader.grade_id for cell in notebook.cells if "nbgrader" in cell.metadata}
    waiting = []
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            cell.id = cell.metadata.nbgrader.grade_id
        elif cell.get("id") in taken or not is_readable(cell.get("id", "")):
            waiting.append(id(cell))
        else:
            taken.add(cell.id)
    section = "start"
    for cell in notebook.cells:
        heading = HEADING.findall(cell.source) if cell.cell_type == "markdown" else []
        section = slug(heading[-1]) if heading else section
        if id(cell) in waiting:
            cell.id = next(name for name in _names(section, bool(heading)) if name not in taken)
            taken.add(cell.id)


def is_readable(name: str) -> bool:
    """Whether a cell id was given by somebody, and not drawn at random by an editor (hex digits, a UUID)."""
    return bool(READABLE.fullmatch(name)) and not RANDOM.fullmatch(name) and not name.isdigit()


def slug(heading: str) -> str:
    """A heading as at most 48 characters for an id: "2 · The cookie (easy)" -> "2-the-cookie"."""
    plain = unicodedata.normalize("NFKD", heading.partition(" (")[0]).encode("ascii", "ignore").decode()
    words = "-".join(re.findall(r"[a-z0-9]+", plain.lower()))
    return words if len(words) <= 48 else words[:49].rpartition("-")[0] or words[:48]


def _names(section: str, heading: bool):
    section = section or "cell"
    if heading:
        yield section
    for ordinal in range(1, 10_000):
        yield f"{section}-{ordinal}"
