"""Make a learner's notebook from its source, with nbgrader's own steps."""

import ast
import copy
import logging
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.preprocessors import CheckCellMetadata, ClearOutput, ComputeChecksums, LockCells
from traitlets.config import Config, PyFileConfigLoader

from .cells import MARKER
from .errors import ClassroomError
from .stub import SayWhatIsMissing

STEPS = (LockCells, SayWhatIsMissing, ClearOutput, CheckCellMetadata, ComputeChecksums)


def nbgrader_config(root: Path) -> Config:
    """The settings in the course's nbgrader_config.py. Raises ClassroomError when it is missing or broken."""
    file = root / "nbgrader_config.py"
    if not file.exists():
        raise ClassroomError(f"There is no nbgrader_config.py in {root}: is this the course's folder?")
    try:
        return PyFileConfigLoader(file.name, path=str(root)).load_config()
    except Exception as error:  # it is Python: anything may go wrong in it
        raise ClassroomError(f"nbgrader_config.py stopped with {type(error).__name__}: {error}.") from error


def learner_version(source: NotebookNode, config: Config, label: str) -> NotebookNode:
    """A copy of `source` (in order, see cells.py) without solutions and outputs, locked and with checksums.

    Raises ClassroomError, naming the cell, for markers that leave no working stub.
    """
    notebook = copy.deepcopy(source)
    silent = logging.getLogger("labs.classroom.nbgrader")
    silent.addHandler(logging.NullHandler())
    silent.propagate = False
    for step in STEPS:
        try:
            notebook, _ = step(config=config, log=silent).preprocess(notebook, {})
        except Exception as error:  # RuntimeError, ValidationError: each has a message of its own
            raise ClassroomError(f"{label} cannot be stripped: {error}") from error
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            _refuse_bad_stub(cell, label)
    return notebook


def _refuse_bad_stub(cell: NotebookNode, label: str) -> None:
    advice = f"Put `{MARKER} what is missing` and `### END SOLUTION` around whole statements inside a `def`."
    try:
        tree = ast.parse(cell.source)
    except SyntaxError as error:
        raise ClassroomError(
            f"{label}, cell {cell.id}: without its solution, line {error.lineno} is no Python ({error.msg}). {advice}"
        ) from error
    if any(isinstance(node, ast.Raise) for node in _run_at_once(tree)):
        raise ClassroomError(
            f"{label}, cell {cell.id}: the stub stands outside any `def`, so it raises at once. {advice}"
        )


def _run_at_once(tree: ast.AST):
    """The nodes that run when the cell runs: all but the inside of functions."""
    for child in ast.iter_child_nodes(tree):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from _run_at_once(child)
