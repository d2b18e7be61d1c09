"""Breaking a lesson turns CI red: the commands that CI runs, on a copy of a lesson that was broken on purpose."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from mini_course import ROOT

LESSON = "00_start_here.ipynb"
CHECK = "build --check"
NBVAL = "--nbval"


def ci_commands() -> dict[str, list[str]]:
    """The two commands on notebooks that `make test` runs, as the Makefile has them."""
    makefile = (ROOT / "Makefile").read_text()
    lines = re.findall(r"^\t.*\$\(PY\) (-m [^;\\\n]*)", makefile, re.MULTILINE)
    found = {name: [line.split() for line in lines if name in line] for name in (CHECK, NBVAL)}
    assert {name: len(commands) for name, commands in found.items()} == {CHECK: 1, NBVAL: 1}
    return {name: [sys.executable, *command] for name, [command] in found.items()}


def run(course: Path, name: str) -> tuple[bool, str]:
    """Run one of CI's commands on the course in this folder: whether it is green, and what it printed."""
    command = ci_commands()[name]
    if name == CHECK:
        at = command.index("labs.classroom") + 1
        command[at:at] = ["--course", str(course)]
    done = subprocess.run(
        command, cwd=course, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    return done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def course(tmp_path) -> Path:
    """A course of one real lesson, in a folder of its own whose path has a space."""
    course = tmp_path / "one lesson"
    for folder in ("solutions", "notebooks", "tests"):
        (course / folder).mkdir(parents=True)
    for file in ("nbgrader_config.py", "conftest.py", "tests/nbval_sanitize.cfg", f"solutions/{LESSON}",
                 f"notebooks/{LESSON}"):  # fmt: skip
        shutil.copy(ROOT / file, course / file)
    return course


def edit(path: Path, change) -> None:
    notebook = nbformat.read(path, 4)
    change(notebook)
    nbformat.write(notebook, path)


def printing_cell(notebook):
    """A compared cell that prints plain text."""
    for cell in notebook.cells:
        if cell.cell_type == "code" and not cell.metadata.get("tags"):
            for output in cell.outputs:
                if output.output_type == "stream":
                    return cell, output
    raise AssertionError("no cell of the lesson prints")


def change_an_output(notebook):
    printing_cell(notebook)[1].text += "and one line more\n"


def make_a_cell_raise(notebook):
    cell, _ = printing_cell(notebook)
    cell.source += '\nraise ValueError("broken on purpose")'


def strip_outputs(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.update(outputs=[], execution_count=None)


def change_the_prose(notebook):
    notebook.cells[0].source += "\n\nOne sentence more."


def test_an_unbroken_lesson_is_green(course):
    for name in (CHECK, NBVAL):
        green, printed = run(course, name)
        assert green, printed


def test_a_changed_output_is_red_in_both_folders(course):
    for folder in ("solutions", "notebooks"):
        edit(course / folder / LESSON, change_an_output)
    green, printed = run(course, NBVAL)
    assert not green
    assert "Cell outputs differ" in printed
    assert " 2 failed, " in printed
    for folder in ("solutions", "notebooks"):
        assert f"FAILED {folder}/{LESSON}::Cell" in printed


def test_a_raising_cell_is_red(course):
    edit(course / "solutions" / LESSON, make_a_cell_raise)
    (course / "notebooks" / LESSON).unlink()  # known to be green
    green, printed = run(course, NBVAL)
    assert not green
    assert "ValueError: broken on purpose" in re.sub(r"\x1b\[[\d;]*m", "", printed)


def test_what_nbval_lets_pass_is_red_by_the_check(course):
    breaks = {
        "01_changed": ("notebooks", change_an_output, "notebooks/{} has outputs that are not those of its build"),
        "02_raising": ("solutions", make_a_cell_raise, "solutions/{} is stale"),
        "03_stripped": ("solutions", strip_outputs, "solutions/{} has cells that were not run"),
        "04_stripped": ("notebooks", strip_outputs, "notebooks/{} has cells that were not run"),
        "05_stale": ("solutions", change_the_prose, "notebooks/{} is stale"),
    }
    for name, (broken, how, _) in breaks.items():
        for folder in ("solutions", "notebooks"):
            shutil.copy(course / folder / LESSON, course / folder / f"{name}.ipynb")
        edit(course / broken / f"{name}.ipynb", how)
    green, printed = run(course, CHECK)
    assert not green
    for name, (_, _, said) in breaks.items():
        assert said.format(f"{name}.ipynb") in printed
    assert LESSON not in printed.replace("make notebooks", "")
