"""From solutions/ to notebooks/: what a build makes, what it leaves alone, and what it says when it cannot."""

import copy
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from click.testing import CliRunner
from mini_course import NAME, POINTS, ROOT, SOLUTION, mini_course, mini_notebook

from labs.classroom import cli
from labs.classroom.build import Builder
from labs.classroom.cells import is_readable, put_in_order
from labs.classroom.course import Course, find
from labs.classroom.errors import ClassroomError
from labs.classroom.strip import learner_version, nbgrader_config


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A course that was built once; tests work on copies of it. Its path has spaces and an umlaut."""
    root = mini_course(tmp_path_factory.mktemp("a") / "the course, gebündelt")
    Builder(Course(root), POINTS).build(root / "solutions" / NAME)
    return root


@pytest.fixture
def course(built, tmp_path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "the course"))


@pytest.fixture
def command(monkeypatch):
    """`python -m labs.classroom ...` in this process, with the mini course's exercises declared."""
    monkeypatch.setattr(cli, "_declared_points", lambda: POINTS)
    return lambda course, *words: CliRunner().invoke(cli.main, ["--course", str(course), *words])


def source(course: Path) -> Path:
    return course / "solutions" / NAME


def learner(course: Path) -> Path:
    return course / "notebooks" / NAME


def snapshot(course: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for folder in ("solutions", "notebooks") for path in (course / folder).iterdir()}


def change(path: Path, edit) -> None:
    """Change a notebook file as an editor would; `edit` is given the notebook."""
    notebook = nbformat.read(path, 4)
    edit(notebook)
    nbformat.write(notebook, path)


def cell_of(notebook, name: str):
    return next(cell for cell in notebook.cells if cell.id == name)


def build(course: Path, **options) -> list[str]:
    return Builder(Course(course), POINTS).build(source(course), **options)


def problems(course: Path) -> list[str]:
    return Builder(Course(course), POINTS).problems(source(course))


# What is made --------------------------------------------------------------------------------------


def test_a_learner_gets_the_stub_and_the_source_keeps_the_solution(course):
    solved, given = nbformat.read(source(course), 4), nbformat.read(learner(course), 4)
    assert cell_of(solved, "ex-90-1").source == SOLUTION
    assert cell_of(given, "ex-90-1").source == (
        'def double(n):\n    """Twice n."""\n    raise NotImplementedError("Exercise 90.1: twice the number")'
    )
    assert "n + n" not in learner(course).read_text()


@pytest.mark.parametrize(("file", "verdict"), [(source, "passed"), (learner, "not attempted yet")])
def test_both_were_run_with_the_fixed_seed_in_their_own_folder_and_a_fresh_home(course, file, verdict):
    notebook = nbformat.read(file(course), 4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert cell_of(notebook, "1-say-something-2").outputs[0].text == f"fernbank {file(course).parent.name} fresh\n"
    assert verdict in cell_of(notebook, "ex-90-1-check").outputs[0].text


def test_exercise_cells_carry_what_nbgrader_needs(course):
    given = nbformat.read(learner(course), 4)
    solution, check = cell_of(given, "ex-90-1"), cell_of(given, "ex-90-1-check")
    plain = {"schema_version": 3, "task": False, "cell_type": "code"}
    assert solution.metadata.nbgrader.items() >= (plain | {"solution": True, "grade": False}).items()
    assert check.metadata.nbgrader.items() >= (plain | {"grade": True, "locked": True, "points": 2}).items()
    assert (solution.metadata.deletable, check.metadata.editable) == (False, False)
    assert all(len(cell.metadata.nbgrader.checksum) == 32 for cell in (solution, check))


def test_ids_say_what_a_cell_is(course):
    expected = ["90-a-small-lesson", "90-a-small-lesson-1", "1-say-something", "1-say-something-1",
                "1-say-something-2", "exercise-90-1-double", "ex-90-1", "ex-90-1-check",
                "exercise-90-1-double-1"]  # fmt: skip
    for path in (source(course), learner(course)):
        assert [cell.id for cell in nbformat.read(path, 4).cells] == expected


def test_nothing_of_the_machine_is_kept(course):
    for path in (source(course), learner(course)):
        notebook = json.loads(path.read_text("utf-8"))
        assert set(notebook["metadata"]) == {"course", "kernelspec", "language_info"}
        assert "version" not in notebook["metadata"]["language_info"]
        assert all(set(cell["metadata"]) <= {"nbgrader", "deletable", "editable"} for cell in notebook["cells"])
        assert os.fspath(course.parent) not in path.read_text("utf-8")


def test_a_second_build_runs_nothing_and_changes_no_byte(course):
    before, ran = snapshot(course), []
    assert build(course, tick=lambda: ran.append(1)) == []
    assert snapshot(course) == before
    assert not ran
    assert problems(course) == []


def test_again_runs_what_is_up_to_date(course):
    before, ran = snapshot(course), []
    build(course, again=True, tick=lambda: ran.append(1))
    assert len(ran) == 2 * 6  # six code cells in each
    assert snapshot(course) == before  # this lesson prints the same each time


def test_an_id_that_an_author_gave_stays_and_others_do_not_move():
    notebook = mini_notebook()
    put_in_order(notebook, POINTS, "mini")
    notebook.cells[3].id = "the-greeting"
    notebook.cells.insert(3, nbformat.v4.new_code_cell("print('new')"))
    notebook.cells.append(nbformat.v4.new_markdown_cell("## 1 · Say something\nagain"))
    notebook.cells.append(copy.deepcopy(notebook.cells[1]))
    put_in_order(notebook, POINTS, "mini")
    ids = [cell.id for cell in notebook.cells]
    assert ids[2:6] == ["1-say-something", "1-say-something-1", "the-greeting", "1-say-something-2"]
    assert len(ids) == len(set(ids))
    again = copy.deepcopy(notebook)
    put_in_order(again, POINTS, "mini")
    assert again == notebook


@pytest.mark.parametrize(
    ("name", "readable"),
    [("the-greeting", True), ("10-two-timeouts-2", True), ("recap", True), ("deadbeef", False), ("a1b2c3d4", False),
     ("8f14e45f-ceea-467f-a0e6-2a3b1c9d8e7f", False), ("ZbC4mUV6Tz7M", False), ("X10sZmlsZQ==", False),
     ("ex-10-4", False), ("12345", False), ("", False)],
)  # fmt: skip
def test_an_id_drawn_at_random_is_told_from_one_that_somebody_gave(name, readable):
    assert is_readable(name) is readable


# What is noticed -----------------------------------------------------------------------------------


def strip_outputs(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.update(outputs=[], execution_count=None)


def strip_some_output(notebook):
    notebook.cells[3].outputs = []


def change_output(notebook):
    notebook.cells[3].outputs[0].text = "hello 7\n"


def edit_source(notebook):
    notebook.cells[3].source = 'print("good morning", 2 * 3)'


def edit_prose(notebook):
    notebook.cells[2].source = "## 1 · Say something else"


def solve(notebook):
    cell_of(notebook, "ex-90-1").source = SOLUTION


def delete_cell(notebook):
    del notebook.cells[3]


def swap_cells(notebook):
    notebook.cells[3:5] = reversed(notebook.cells[3:5])


def other_version(notebook):
    notebook.metadata.course.version = "0.9"


def run_elsewhere(notebook):
    notebook.metadata.language_info.version = "3.14.0"


@pytest.mark.parametrize(
    ("file", "edit", "said"),
    [
        (source, strip_outputs, "solutions/90_mini.ipynb has cells that were not run"),
        (source, strip_some_output, "solutions/90_mini.ipynb has outputs that are not those of its build"),
        (source, change_output, "solutions/90_mini.ipynb has outputs that are not those of its build"),
        (source, edit_source, "solutions/90_mini.ipynb is stale"),
        (source, edit_source, "notebooks/90_mini.ipynb is stale"),
        (source, edit_prose, "notebooks/90_mini.ipynb is stale"),
        (source, other_version, "solutions/90_mini.ipynb was built by version 0.9"),
        (source, run_elsewhere, "solutions/90_mini.ipynb is not in the form that a build gives it"),
        (learner, strip_outputs, "notebooks/90_mini.ipynb has cells that were not run"),
        (learner, change_output, "notebooks/90_mini.ipynb has outputs that are not those of its build"),
        (learner, edit_source, "notebooks/90_mini.ipynb was edited by hand (1-say-something-1)"),
        (learner, solve, "notebooks/90_mini.ipynb was edited by hand (ex-90-1)"),
        (learner, delete_cell, "notebooks/90_mini.ipynb was edited by hand (1-say-something-1)"),
        (learner, swap_cells, "notebooks/90_mini.ipynb was edited by hand (the order of its cells)"),
        (learner, other_version, "notebooks/90_mini.ipynb was built by version 0.9"),
        (learner, run_elsewhere, "notebooks/90_mini.ipynb is not in the form that a build gives it"),
    ],
)
def test_check_says_what_is_not_up_to_date(course, command, file, edit, said):
    change(file(course), edit)
    before = snapshot(course)
    result = command(course, "build", "--check")
    assert result.exit_code == 1
    assert any(line.startswith(said) for line in result.output.splitlines()), result.output
    assert snapshot(course) == before


def test_a_build_mends_what_check_finds(course, command):
    change(source(course), strip_outputs)
    change(learner(course), solve)
    assert command(course, "build").exit_code == 0
    assert command(course, "build", "--check").exit_code == 0


def test_check_says_what_is_missing_damaged_or_left_over(course, command):
    learner(course).rename(course / "notebooks" / "91_gone.ipynb")
    output = command(course, "build", "--check").output
    assert "notebooks/90_mini.ipynb was not built yet" in output
    assert "notebooks/91_gone.ipynb has no source" in output
    learner(course).write_text('{"cells": [')
    assert "notebooks/90_mini.ipynb is not a notebook" in command(course, "build", "--check").output
    assert build(course) == ["notebooks/90_mini.ipynb"]
    source(course).write_text("")
    result = command(course, "build")
    assert result.exit_code == 1
    assert "solutions/90_mini.ipynb is not a notebook" in result.output


# What cannot be built ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("1 / 0", "solutions/90_mini.ipynb, cell 1-say-something-1 raised ZeroDivisionError: division by zero"),
        ("def", "solutions/90_mini.ipynb, cell 1-say-something-1 raised SyntaxError"),
        ("raise SystemExit('enough')", "solutions/90_mini.ipynb, cell 1-say-something-1 raised SystemExit"),
        ("import os; os._exit(3)", "solutions/90_mini.ipynb, cell 1-say-something-1 ended the kernel"),
    ],
)
def test_a_cell_that_fails_is_named_and_nothing_is_written(course, command, code, said):
    change(source(course), lambda notebook: notebook.cells[3].update(source=code))
    before = snapshot(course)
    result = command(course, "build", "90")
    assert result.exit_code == 1
    assert said in result.output
    assert "Traceback" not in result.output
    assert snapshot(course) == before


def test_a_cell_that_never_ends_is_named(course, monkeypatch):
    monkeypatch.setattr("labs.classroom.execute.CELL_SECONDS", 1)
    change(source(course), lambda notebook: notebook.cells[3].update(source="while True: pass"))
    with pytest.raises(ClassroomError, match="cell 1-say-something-1 ran longer than 1 s"):
        build(course)


BUILD_MINI = """\
import sys
from labs.classroom import cli
cli._declared_points = lambda: {"90.1": 2}
cli.main(["--course", sys.argv[1], "build"])
"""


def test_ctrl_c_stops_the_build_and_leaves_nothing_running(course, tmp_path):
    begun = tmp_path / "begun"
    wait = f"from pathlib import Path\nimport time\nPath({str(begun)!r}).touch()\nwhile True: time.sleep(0.1)"
    change(source(course), lambda notebook: notebook.cells[3].update(source=wait))
    shutil.copy(source(course), course / "solutions" / "91_next.ipynb")
    before = snapshot(course)
    command = [sys.executable, "-c", BUILD_MINI, str(course)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as build:
        while not begun.exists():
            assert build.poll() is None, build.stdout.read()
            time.sleep(0.05)
        kernels = psutil.Process(build.pid).children(recursive=True)
        build.send_signal(signal.SIGINT)
        printed = build.stdout.read()
    assert kernels
    assert "Aborted!" in printed
    assert "Traceback" not in printed
    assert not [kernel for kernel in kernels if kernel.is_running()]
    assert snapshot(course) == before


@pytest.mark.parametrize(
    ("solution", "said"),
    [
        ("### BEGIN SOLUTION\ndouble = lambda n: 2 * n\n### END SOLUTION", "outside any `def`"),
        ("class Double:\n    ### BEGIN SOLUTION\n    n = 2\n    ### END SOLUTION", "outside any `def`"),
        ("def double(n):\n    ### BEGIN SOLUTION\n    return 2 * n", "no end solution"),
        ("def double(n):\n    return (\n        ### BEGIN SOLUTION\n        2 * n\n        ### END SOLUTION\n    )",
         "line 3 is no Python"),
    ],
)  # fmt: skip
def test_markers_that_leave_no_working_stub_are_refused(tmp_path, solution, said):
    course = mini_course(tmp_path / "course", solution=solution)
    with pytest.raises(ClassroomError, match=said) as refusal:
        build(course)
    assert "solutions/90_mini.ipynb" in refusal.value.message


def test_a_stub_survives_quotes_and_backslashes_in_what_is_missing():
    solution = 'def double(n):\n    ### BEGIN SOLUTION say "\\d" twice\n    return 2 * n\n    ### END SOLUTION'
    notebook = mini_notebook(solution=solution)
    put_in_order(notebook, POINTS, "mini")
    stub = cell_of(learner_version(notebook, nbgrader_config(ROOT), "mini"), "ex-90-1").source
    names = {}
    exec(stub, names)
    with pytest.raises(NotImplementedError) as missing:
        names["double"](1)
    assert str(missing.value) == 'Exercise 90.1: say "\\d" twice'


def test_a_solution_needs_a_check_and_a_check_a_declared_exercise(course):
    change(source(course), lambda notebook: cell_of(notebook, "ex-90-1-check").update(source="double(2)"))
    with pytest.raises(ClassroomError, match="no check.* follows the cell .* begins with `def double"):
        build(course)
    change(source(course), lambda notebook: cell_of(notebook, "ex-90-1-check").update(source='check("90.7", double)'))
    with pytest.raises(ClassroomError, match="exercise 90.7, which labs/exercises does not declare"):
        build(course)


def test_several_checks_may_follow_one_solution():
    notebook = mini_notebook()
    notebook.cells.insert(8, nbformat.v4.new_code_cell('check("90.2", double)'))
    put_in_order(notebook, POINTS, "mini")
    marked = {c.id: c.metadata.nbgrader.get("points") for c in notebook.cells if "nbgrader" in c.metadata}
    assert marked == {"ex-90-1": None, "ex-90-1-check": 2, "ex-90-2-check": 3}


@pytest.mark.parametrize(("step", "number"), [("fsync", errno.ENOSPC), ("replace", errno.EACCES)])
def test_a_file_that_cannot_be_written_stays_as_it_was(course, command, monkeypatch, number, step):
    change(source(course), edit_prose)
    before = snapshot(course)

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as broken:
        broken.setattr(os, step, refuse)
        result = command(course, "build")
    assert result.exit_code == 1
    assert f"solutions/90_mini.ipynb could not be written ({os.strerror(number)}); it is as it was" in result.output
    assert "Traceback" not in result.output
    assert snapshot(course) == before


def test_one_bad_notebook_does_not_stop_the_others(course, command):
    shutil.copy(source(course), course / "solutions" / "91_other.ipynb")
    source(course).write_text("{}")
    result = command(course, "build")
    assert result.exit_code == 1
    assert "built notebooks/91_other.ipynb" in result.output
    assert "solutions/90_mini.ipynb is not a notebook" in result.output


# The command line ----------------------------------------------------------------------------------


def test_names(course, command):
    assert [path.name for path in find(course / "solutions", ("90",))] == [NAME]
    for name in ("90_mini", NAME, f"solutions/{NAME}"):
        assert command(course, "build", "--check", name).exit_code == 0
    result = command(course, "build", "77")
    assert result.exit_code == 1
    assert "There is no notebook '77' in solutions/. There: 90_mini." in result.output


def test_help_names_every_command_and_how_to_change_a_lesson(command, tmp_path):
    assert {"build", "lab", "reset"} <= set(command(tmp_path, "--help").output.split())
    assert "jupytext --to ipynb --update" in command(tmp_path, "build", "--help").output


def test_a_folder_that_is_no_course(command, tmp_path):
    result = command(tmp_path, "build")
    assert result.exit_code == 1
    assert "There is no nbgrader_config.py" in result.output
    (tmp_path / "nbgrader_config.py").write_text("1 / 0")
    assert "nbgrader_config.py stopped with ZeroDivisionError" in command(tmp_path, "build").output


def test_check_and_again_exclude_each_other(course, command):
    assert command(course, "build", "--check", "--again").exit_code == 2
