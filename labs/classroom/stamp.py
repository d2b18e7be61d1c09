"""What a built notebook says about itself: from which source, by which version, with which outputs.

It stands in the notebook's metadata under "course"; with it a build knows what it need not do again.
"""

import hashlib
import json

from nbformat import NotebookNode

from labs import __version__


def put(notebook: NotebookNode, source: str) -> None:
    """Stamp an executed notebook; `source` is the fingerprint of the source that it was made from."""
    notebook.metadata["course"] = NotebookNode(
        version=__version__, source=source, outputs=fingerprint_of_outputs(notebook)
    )


def of(notebook: NotebookNode) -> dict:
    """The stamp of a notebook; empty when it has none."""
    stamp = notebook.metadata.get("course", {})
    return dict(stamp) if isinstance(stamp, dict) else {}


def fingerprint(notebook: NotebookNode) -> str:
    """32 hex digits that change with the cells of a notebook, but not with its outputs."""
    return _digest([plain_cell(cell) for cell in notebook.cells])


def fingerprint_of_outputs(notebook: NotebookNode) -> str:
    """32 hex digits that change with the outputs and execution counts of a notebook."""
    return _digest([[cell.execution_count, cell.outputs] for cell in notebook.cells if cell.cell_type == "code"])


def plain_cell(cell: NotebookNode) -> dict:
    """A cell without what running it adds."""
    return {key: value for key, value in cell.items() if key not in ("outputs", "execution_count")}


def _digest(data) -> str:
    text = json.dumps(data, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
