"""A course of one small notebook in a folder of its own, for the tests of the classroom."""

import shutil
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parents[1]
NAME = "90_mini.ipynb"
POINTS = {"90.1": 2, "90.2": 3}
#: A check of its own, so that these tests need no exercise of the course.
CHECK = """\
import os

def check(number, double):
    try:
        verdict = "passed" if double(21) == 42 else "failed"
    except NotImplementedError as stub:
        verdict = f"not attempted yet: {stub}"
    if verdict != "passed" and os.environ.get("NBGRADER_EXECUTION"):
        raise AssertionError(f"{number} {verdict}")
    print(number, verdict)"""
SURROUNDINGS = """\
from pathlib import Path

home = Path(os.environ["FERNBANK_HOME"])
print(os.environ["FERNBANK_SEED"], Path.cwd().name, "used" if home.exists() else "fresh")
home.mkdir(parents=True, exist_ok=True)"""
SOLUTION = '''\
def double(n):
    """Twice n."""
    ### BEGIN SOLUTION twice the number
    both = n + n
    return both
    ### END SOLUTION'''


def mini_notebook(**changes: str) -> nbformat.NotebookNode:
    """A source notebook as an author leaves it: random ids, an empty cell at the end, nothing run."""
    cells = [
        new_markdown_cell("# 90 · A small lesson\n*5 minutes*"),
        new_code_cell(changes.get("check", CHECK)),
        new_markdown_cell("## 1 · Say something"),
        new_code_cell(changes.get("says", 'print("hello", 2 * 3)')),
        new_code_cell(SURROUNDINGS),
        new_markdown_cell("### Exercise 90.1 · Double (5 minutes · easy · 2 points)"),
        new_code_cell(changes.get("solution", SOLUTION)),
        new_code_cell('check("90.1", double)'),
        new_code_cell("6 * 7", metadata={"collapsed": True, "ExecuteTime": {"start_time": "2026-11-24"}, "tags": []}),
        new_code_cell(""),
    ]
    return new_notebook(cells=cells)


def mini_course(folder: Path, **changes: str) -> Path:
    """Make the course's folder, with the files that CI's commands read; nothing is built yet."""
    for part in ("solutions", "notebooks", "tests"):
        (folder / part).mkdir(parents=True)
    for file in ("nbgrader_config.py", "conftest.py", "tests/nbval_sanitize.cfg"):
        shutil.copy(ROOT / file, folder / file)
    nbformat.write(mini_notebook(**changes), folder / "solutions" / NAME)
    return folder
