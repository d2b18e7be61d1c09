"""Run a notebook from top to bottom as a learner would, but the same way on every machine."""

import asyncio
import os
import signal
import tempfile
from collections.abc import Callable
from contextlib import suppress
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
START_SECONDS = 300  # of the kernel: a laptop that is busy may need many
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
    running = {"cell": "", "stopped": False}

    def started(cell: NotebookNode, cell_index: int) -> None:
        running["cell"] = cell.id
        # nbclient answers Ctrl-C by ending the kernel, as if the cell had ended it; it is meant for the build.
        task = asyncio.current_task()
        with suppress(RuntimeError):  # no such handlers on Windows, or outside of the main thread
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop, task)

    def stop(task: asyncio.Task) -> None:
        running["stopped"] = True
        task.cancel()

    client = NotebookClient(
        notebook,
        kernel_name="python3",
        kernel_manager_class=ThisPython,
        timeout=CELL_SECONDS,
        startup_timeout=START_SECONDS,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
        on_cell_start=started,
        on_cell_complete=lambda cell, cell_index: tick(),
    )
    metadata = notebook.metadata.copy()
    with tempfile.TemporaryDirectory(prefix="fernbank-", ignore_cleanup_errors=True) as scratch:
        said = Path(scratch, "kernel.log")
        try:
            with said.open("w") as log:
                asyncio.run(client.async_execute(env=environment(Path(scratch)), stderr=log))
        except CellExecutionError as error:
            raised = f"{error.ename}: {error.evalue}".rstrip(": ")
            raise ClassroomError(f"{label}, cell {running['cell']} raised {raised}") from error
        except CellTimeoutError as error:
            raise ClassroomError(f"{label}, cell {running['cell']} ran longer than {CELL_SECONDS} s.") from error
        except DeadKernelError as error:
            if running["stopped"]:
                raise KeyboardInterrupt from error
            raise ClassroomError(f"{label}, cell {running['cell']} ended the kernel. {_last_line(said)}") from error
        except (OSError, RuntimeError) as error:
            raise ClassroomError(f"{label} could not be run: {error} {_last_line(said)}") from error
    _drop_traces(notebook, metadata)


def _last_line(file: Path) -> str:
    """The last thing that a kernel wrote outside of any cell; "" when that is nothing."""
    lines = file.read_text("utf-8", "replace").split("\n") if file.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _drop_traces(notebook: NotebookNode, metadata: NotebookNode) -> None:
    """Give a notebook that was run its old metadata again: nbclient adds the kernel's version, and times."""
    widgets = {key: value for key, value in notebook.metadata.items() if key == "widgets"}  # which need theirs
    notebook.metadata = NotebookNode(metadata | widgets)
    for cell in notebook.cells:
        for leftover in EXECUTION_LEFTOVERS:
            cell.metadata.pop(leftover, None)
