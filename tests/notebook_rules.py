"""What holds for every notebook of the course: each rule gives a sentence for each breach of it."""

import ast
import re
import warnings

from nbformat import NotebookNode
from nbval.plugin import find_comment_markers, find_metadata_tags

COMPARED = 0.85
CODE_LINES = 25
WORDS = 220
#: Calls that show something on the page.
SHOWS = {"print", "show", "display", "check", "hint", "progress", "believe", "claim"}
MACHINE = re.compile(
    r"(?<![\w.])/(?:home|root|Users|tmp|work|var|private|mnt|usr|opt)/\w|[A-Z]:\\\\?\w|site-packages|\.venv\b"
    r"|pypi\.|pythonhosted|index-url|\bat 0x[0-9a-f]{6,}|ipykernel_\d",
)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def was_run(notebook: NotebookNode) -> list[str]:
    """Every code cell was run, once, from top to bottom; and what shows something has outputs."""
    breaches = []
    for expected, cell in enumerate(code_cells(notebook), 1):
        if cell.execution_count != expected:
            breaches.append(f"{cell.id} has the execution count {cell.execution_count}, not {expected}")
        if not cell.outputs and shows_something(cell.source):
            breaches.append(f"{cell.id} shows something, and has no outputs")
    return breaches


def shows_something(source: str) -> bool:
    """Whether running a cell surely shows something: it calls print, show, check ... outside of any function."""
    return any(
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id in SHOWS
        for node in ast.parse(source).body
    )


def is_compared(cell: NotebookNode) -> bool:
    """Whether nbval compares what a cell prints, as nbval itself reads tags and comments."""
    options = nbval_options(cell)
    return options.get("check", True) and not options.get("skip")


def nbval_options(cell: NotebookNode) -> dict[str, bool]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dict(find_metadata_tags(cell.metadata)) | dict(find_comment_markers(cell.source))


def is_mostly_compared(notebook: NotebookNode) -> list[str]:
    """nbval compares at least 85 % of the code cells, and runs them all."""
    cells = code_cells(notebook)
    compared = [cell for cell in cells if is_compared(cell)]
    breaches = [
        f"{cell.id} is not run by nbval, or may raise"
        for cell in cells
        if {"skip", "check_exception"} & set(nbval_options(cell))
    ]
    if len(compared) < COMPARED * len(cells):
        left = ", ".join(cell.id for cell in cells if not is_compared(cell))
        breaches.append(f"{len(compared)} of {len(cells)} code cells are compared, fewer than 85 %: not {left}")
    return breaches


def has_no_errors(notebook: NotebookNode) -> list[str]:
    """No cell ended with an error or wrote to standard error, which would cost its points in nbgrader."""
    return [
        f"{cell.id} wrote to standard error" if output.output_type == "stream" else f"{cell.id} raised {output.ename}"
        for cell in code_cells(notebook)
        for output in cell.outputs
        if output.output_type == "error" or output.get("name") == "stderr"
    ]


def is_no_wall(notebook: NotebookNode) -> list[str]:
    """A code cell has at most 25 lines, but for the one in which an exercise is solved; prose at most 220 words."""
    breaches = []
    for cell in notebook.cells:
        lines, words = len(cell.source.splitlines()), len(cell.source.split())
        solved = cell.metadata.get("nbgrader", {}).get("solution")
        if cell.cell_type == "code" and lines > CODE_LINES and not solved:
            breaches.append(f"{cell.id} has {lines} lines of code, more than {CODE_LINES}")
        if cell.cell_type == "markdown" and words > WORDS:
            breaches.append(f"{cell.id} has {words} words, more than {WORDS}")
    return breaches


def figures_are_said(notebook: NotebookNode) -> list[str]:
    """A figure, which nbval cannot compare, is followed by text that it does: in its own cell, or in the next."""
    cells = code_cells(notebook)
    breaches = []
    for cell, following in zip(cells, [*cells[1:], None], strict=True):
        if not any(mime.startswith("image/") for output in cell.outputs for mime in output.get("data", {})):
            continue
        said = is_compared(cell) and any(output.output_type == "stream" for output in cell.outputs)
        if not said and not (following and is_compared(following) and following.outputs):
            breaches.append(f"{cell.id} shows a figure, and no compared output follows it")
    return breaches


def says_nothing_of_the_machine(notebook: NotebookNode) -> list[str]:
    """No output holds a path of the machine it was built on, an address in memory, or a package registry."""
    return [
        f"{cell.id} shows {found.group()!r}"
        for cell in code_cells(notebook)
        for output in cell.outputs
        for text in texts_of(output)
        if (found := MACHINE.search(text))
    ]


def texts_of(output: NotebookNode) -> list[str]:
    """What a reader sees of an output: its text, and its HTML and SVG."""
    if output.output_type == "stream":
        return [output.text]
    return [text for mime, text in output.get("data", {}).items() if mime.startswith("text/") or "svg" in mime]


def solution_lines(cell: NotebookNode) -> list[str]:
    """The lines between the solution markers, without their indentation, blank ones left out."""
    _, *regions = cell.source.split("### BEGIN SOLUTION")
    inside = [region.partition("### END SOLUTION")[0].partition("\n")[2] for region in regions]
    return [line.strip() for region in inside for line in region.splitlines() if line.strip()]


def gives_nothing_away(given: NotebookNode, solved: NotebookNode) -> list[str]:
    """A learner's notebook holds no marker, and no exercise cell more than two thirds of its solution's lines."""
    cells = {cell.id: cell for cell in given.cells}
    breaches = [f"{cell.id} holds a solution marker" for cell in given.cells if "SOLUTION" in cell.source]
    for cell in solved.cells:
        lines = solution_lines(cell)
        shown = {line.strip() for line in cells[cell.id].source.splitlines()} if lines else set()
        if lines and sum(line in shown for line in lines) * 3 > len(lines) * 2:
            breaches.append(f"{cell.id} shows its solution")
    return breaches


ALONE = [was_run, is_mostly_compared, has_no_errors, is_no_wall, figures_are_said, says_nothing_of_the_machine]
