"""The rules that guard the notebooks: each finds what it is there for."""

import notebook_rules as rules
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

PRINTED = new_output("stream", name="stdout", text="4 of 4\n")
FIGURE = new_output("display_data", data={"image/png": "aGVsbG8=", "text/plain": "<Figure size 640x480>"})


def cell(name: str, source: str = "print(1)", outputs=(PRINTED,), count=1, tags=()):
    metadata = {"tags": list(tags)} if tags else {}
    return new_code_cell(source, id=name, outputs=list(outputs), execution_count=count, metadata=metadata)


def notebook(*cells):
    return new_notebook(cells=list(cells))


def test_a_good_notebook_keeps_them_all():
    good = notebook(new_markdown_cell("# Hello", id="hello"), cell("one"), cell("two", "x = 1", (), 2))
    assert [rule(good) for rule in rules.ALONE] == [[]] * len(rules.ALONE)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([cell("one", count=None)], "one has the execution count None, not 1"),
        ([cell("one", count=2)], "one has the execution count 2, not 1"),
        ([cell("one", "print(1)", ())], "one shows something, and has no outputs"),
        ([cell("one", 'check("10.4", Sessions)', ())], "one shows something, and has no outputs"),
    ],
)
def test_stripped_outputs_are_found(cells, said):
    assert rules.was_run(notebook(*cells)) == [said]


@pytest.mark.parametrize(("ignored", "breaches"), [(3, 0), (4, 1)])
def test_too_many_cells_that_are_not_compared(ignored, breaches):
    cells = [cell(f"n{n}", tags=["nbval-ignore-output"] if n < ignored else []) for n in range(20)]
    assert len(rules.is_mostly_compared(notebook(*cells))) == breaches


def test_a_comment_of_nbval_counts_like_its_tag():
    cells = [cell("one", "# NBVAL_IGNORE_OUTPUT\nprint(1)")]
    assert rules.is_mostly_compared(notebook(*cells)) == ["0 of 1 code cells are compared, fewer than 85 %: not one"]


@pytest.mark.parametrize("tag", ["nbval-skip", "raises-exception", "nbval-raises-exception"])
def test_a_cell_that_nbval_does_not_hold(tag):
    many = [cell(f"n{n}") for n in range(20)]
    assert rules.is_mostly_compared(notebook(cell("one", tags=[tag]), *many))


def test_errors_and_standard_error_are_found():
    wrong = notebook(
        cell("one", outputs=[new_output("error", ename="ValueError", evalue="no", traceback=[])]),
        cell("two", outputs=[new_output("stream", name="stderr", text="warning")]),
    )
    assert rules.has_no_errors(wrong) == ["one raised ValueError", "two wrote to standard error"]


def test_walls_are_found():
    wall = notebook(cell("one", "\n".join("x = 1" for _ in range(26))), new_markdown_cell("word " * 221, id="prose"))
    assert rules.is_no_wall(wall) == ["one has 26 lines of code, more than 25", "prose has 221 words, more than 220"]
    wall.cells[0].metadata["nbgrader"] = {"solution": True}
    assert rules.is_no_wall(wall) == ["prose has 221 words, more than 220"]


IGNORED = ["nbval-ignore-output"]


@pytest.mark.parametrize(
    ("cells", "well"),
    [
        ([cell("one", outputs=[FIGURE, PRINTED])], True),
        ([cell("one", outputs=[FIGURE]), cell("two")], True),
        ([cell("one", outputs=[FIGURE], tags=IGNORED), cell("two")], True),
        ([cell("one", outputs=[FIGURE])], False),
        ([cell("one", outputs=[FIGURE]), cell("two", outputs=[])], False),
        ([cell("one", outputs=[FIGURE, PRINTED], tags=IGNORED), cell("two", tags=IGNORED)], False),
    ],
)
def test_a_figure_without_a_compared_line_is_found(cells, well):
    assert (rules.figures_are_said(notebook(*cells)) == []) is well


@pytest.mark.parametrize(
    ("shown", "well"),
    [
        ("saved in /home/ana/notes", False),
        ("/tmp/ipykernel_71/1.py:3: Warning", False),
        ("C:\\Users\\ana", False),
        ("<function f at 0x7f41bd5a8a40>", False),
        ("from https://pypi.org/simple", False),
        ("/usr/lib/postgresql/15/bin/postgres", False),
        ("GET /home HTTP/1.1", True),
        ("http://app.fernbank.localhost:40123/login", True),
        ("Path=/; HttpOnly", True),
    ],
)
@pytest.mark.parametrize("html", [False, True])
def test_what_betrays_the_machine_is_found(shown, well, html):
    if html:
        output = new_output("display_data", data={"text/html": f"<p>{shown}</p>", "text/plain": "a page"})
    else:
        output = new_output("stream", name="stdout", text=shown)
    assert (rules.says_nothing_of_the_machine(notebook(cell("one", outputs=[output]))) == []) is well


def test_a_solution_in_a_learner_s_notebook_is_found():
    text = "def f(n):\n    ### BEGIN SOLUTION twice\n    both = n + n\n    return both\n    ### END SOLUTION"
    solved = notebook(cell("ex-1-1", text))
    stub = notebook(cell("ex-1-1", "def f(n):\n    raise NotImplementedError"))
    given_away = notebook(cell("ex-1-1", "def f(n):\n    both = n + n\n    return both"))
    assert rules.gives_nothing_away(stub, solved) == []
    assert rules.gives_nothing_away(given_away, solved) == ["ex-1-1 shows its solution"]
    assert "ex-1-1 holds a solution marker" in rules.gives_nothing_away(solved, solved)
