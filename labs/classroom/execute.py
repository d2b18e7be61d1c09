"""Run a notebook from top to bottom as a learner would, but the same way on every machine."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from traitlets import default

from .errors import ClassroomError

#: From it follow all names, balances and notes in the stored outputs, in builds and in CI.
SEED = "fernbank"
CELL_SECONDS = 120
EXECUTION_LEFTOVERS = ("execution", "collapsed", "scrolled")


class ThisPython(AsyncKernelManager):
    """A kernel of the Python that runs this, whatever else is installed under the name python3."""

    @default("kernel_spec_manager")
    def _this_python(self) -> KernelSpecManager:
        return KernelSpecManager(kernel_dirs=[])

    @default("transport_encryption")
    def _if_it_can(self) -> str:
        return "auto"  # else ipykernel warns on the terminal, once a notebook


def environment(scratch: Path) -> dict[str, str]:
    """The variables of a build: the seed fixed, a home of its own, nobody's IPython start-up files."""
    left = {name: value for name, value in os.environ.items() if not name.startswith("NBGRADER_")}
    return left | {
        "FERNBANK_SEED": SEED,
        "FERNBANK_HOME": str(scratch / "home"),
        "IPYTHONDIR": str(scratch / "ipython"),
    }


def execute(notebook: NotebookNode, folder: Path, label: str, tick: Callable[[], None] = lambda: None) -> None:
    """Run every code cell, in place, with `folder` as working folder; call `tick()` after each cell.

    Raises ClassroomError, naming the cell, when a cell raises or takes longer than CELL_SECONDS.
    """
    running = {"cell": ""}
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        kernel_manager_class=ThisPython,
        timeout=CELL_SECONDS,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
        on_cell_start=lambda cell, cell_index: running.update(cell=cell.id),
        on_cell_complete=lambda cell, cell_index: tick(),
    )
    metadata = notebook.metadata.copy()
    with tempfile.TemporaryDirectory(prefix="fernbank-", ignore_cleanup_errors=True) as scratch:
        try:
            client.execute(env=environment(Path(scratch)))
        except CellExecutionError as error:
            said = f"{error.ename}: {error.evalue}".rstrip(": ")
            raise ClassroomError(f"{label}, cell {running['cell']} raised {said}") from error
        except CellTimeoutError as error:
            raise ClassroomError(f"{label}, cell {running['cell']} ran longer than {CELL_SECONDS} s.") from error
        except DeadKernelError as error:
            raise ClassroomError(f"{label}, cell {running['cell']} ended the kernel.") from error
        except (OSError, RuntimeError) as error:
            raise ClassroomError(f"{label} could not be run: {error}") from error
    # nbclient adds the kernel's own description of itself, with its version; widgets need theirs.
    notebook.metadata = NotebookNode(metadata | {k: v for k, v in notebook.metadata.items() if k == "widgets"})
    for cell in notebook.cells:
        for leftover in EXECUTION_LEFTOVERS:
            cell.metadata.pop(leftover, None)
