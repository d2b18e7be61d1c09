"""Read and write notebook files: whole or not at all, and always the same text for the same notebook."""

from pathlib import Path

import nbformat
from nbformat import NotebookNode

from labs.bench.errors import BenchError
from labs.bench.state import write_atomic

from .errors import ClassroomError


def read(path: Path, label: str) -> NotebookNode:
    """The notebook in `path`, in format 4.5. Raises ClassroomError, naming it `label`, when it is none."""
    try:
        return parse(path.read_text("utf-8"))
    except OSError as error:
        raise ClassroomError(f"{label} could not be read ({error.strerror}).") from error
    except Exception as error:  # nbformat and json raise a dozen kinds for text that is no notebook
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ClassroomError(
            f"{label} is not a notebook ({reason}). Restore it, for example with `git checkout {label}`."
        ) from error


def parse(text: str) -> NotebookNode:
    """The notebook that `text` holds. Raises what nbformat raises."""
    notebook = nbformat.reads(text, as_version=4)
    notebook.nbformat_minor = 5
    return notebook


def text_of(notebook: NotebookNode) -> str:
    """The file's text for a notebook: sorted keys, one final newline. Raises nbformat's ValidationError."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def write(path: Path, notebook: NotebookNode, label: str) -> bool:
    """Write the notebook when the file does not hold just that already; say whether it was written.

    Raises ClassroomError (disk full, no permission); the file is then as it was.
    """
    text = text_of(notebook)
    try:
        if path.exists() and path.read_bytes() == text.encode():
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, text)
    except (OSError, BenchError) as error:
        system = error.__cause__ if isinstance(error, BenchError) else error
        raise ClassroomError(
            f"{label} could not be written ({getattr(system, 'strerror', None) or system}); it is as it was. "
            "Make room, or give yourself permission to write there, and build again."
        ) from error
    return True
