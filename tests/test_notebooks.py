"""The notebooks of the course: built, run, mostly compared, readable, in step with the exercises, and nbgrader's."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import notebook_rules
import pytest
from mini_course import ROOT
from nbgrader.apps import NbGraderAPI
from nbgrader.validator import Validator
from traitlets.config import PyFileConfigLoader

from labs.classroom.build import Builder
from labs.classroom.course import Course
from labs.classroom.execute import environment
from labs.exercises import all_exercises

POINTS = {exercise.id: exercise.points for exercise in all_exercises()}
SOLVED = sorted((ROOT / "solutions").glob("*.ipynb"))
GIVEN = sorted((ROOT / "notebooks").glob("*.ipynb"))
LABS = ["19", "29", "39"]
LESSONS = {"00", "10", "11", "19", "20", "21", "29", "31", "33", "39"}


def label(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def builder() -> Builder:
    return Builder(Course(ROOT), POINTS)


def graded(notebook) -> dict[str, dict]:
    """nbgrader's metadata of each cell that has any, by the cell's id."""
    return {cell.id: cell.metadata.nbgrader for cell in notebook.cells if "nbgrader" in cell.metadata}


def test_every_lesson_is_there_solved_and_to_be_solved():
    assert {path.name[:2] for path in SOLVED} >= LESSONS
    assert [path.name for path in SOLVED] == [path.name for path in GIVEN]


@pytest.mark.parametrize("path", SOLVED, ids=label)
def test_both_are_up_to_date(builder, path):
    assert builder.problems(path) == []


@pytest.mark.parametrize("rule", notebook_rules.ALONE, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", SOLVED + GIVEN, ids=label)
def test_a_notebook_keeps_the_rules(path, rule):
    assert rule(nbformat.read(path, 4)) == []


@pytest.mark.parametrize("path", GIVEN, ids=label)
def test_a_learner_s_notebook_gives_nothing_away(path):
    solved = nbformat.read(ROOT / "solutions" / path.name, 4)
    assert notebook_rules.gives_nothing_away(nbformat.read(path, 4), solved) == []


@pytest.mark.parametrize("path", SOLVED + GIVEN, ids=label)
def test_every_exercise_of_a_lesson_has_its_cells_and_points(path):
    cells = graded(nbformat.read(path, 4))
    expected = {
        f"ex-{e.id.replace('.', '-')}-check": e.points for e in all_exercises() if e.notebook == path.name[:2]
    }
    assert {name: data.points for name, data in cells.items() if data.grade} == expected
    solutions = {name for name, data in cells.items() if data.solution}
    assert bool(solutions) == bool(expected)
    assert {f"{name}-check" for name in solutions} <= set(expected)


def test_every_exercise_has_a_notebook():
    assert {exercise.notebook for exercise in all_exercises()} <= {path.name[:2] for path in SOLVED}


# nbgrader ------------------------------------------------------------------------------------------


@pytest.fixture
def validate(monkeypatch, tmp_path):
    """`nbgrader validate`, in this process and with the variables of a build.

    Without optional parts: that they run with them is seen by nbval, and every lesson must run without.
    """
    config = PyFileConfigLoader("nbgrader_config.py", path=str(ROOT)).load_config()
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("WITHOUT", "redis,postgres,browser")
    return lambda path: Validator(config=config).validate(str(path))


@pytest.mark.parametrize("path", SOLVED, ids=label)
def test_nbgrader_passes_every_solved_notebook(validate, path):
    assert validate(path) == {}


@pytest.mark.parametrize("path", GIVEN, ids=label)
def test_nbgrader_fails_every_check_of_an_unsolved_notebook(validate, path):
    checks = [cell for cell in nbformat.read(path, 4).cells if cell.metadata.get("nbgrader", {}).get("grade")]
    assert [failed["source"] for failed in validate(path)["failed"]] == [cell.source for cell in checks]


@pytest.fixture(autouse=True, scope="module")
def programs_on_path():
    """nbgrader calls its environment's programs by their names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
        yield


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    """nbgrader's course folder with our labs in it, each generated as an assignment."""
    folder = tmp_path_factory.mktemp("nbgrader")
    config = PyFileConfigLoader("nbgrader_config.py", path=str(ROOT)).load_config()
    config.CourseDirectory.root = str(folder)
    for lab in LABS:
        [solved] = (ROOT / "solutions").glob(f"{lab}_*.ipynb")
        (folder / "source" / f"lab{lab}").mkdir(parents=True)
        shutil.copy(solved, folder / "source" / f"lab{lab}")
        made = NbGraderAPI(config=config).generate_assignment(f"lab{lab}")
        assert made["success"], made["log"]
    return folder


@pytest.mark.parametrize("lab", LABS)
def test_nbgrader_releases_what_the_build_makes(course, lab):
    [release] = (course / "release" / f"lab{lab}").glob("*.ipynb")
    theirs, ours = nbformat.read(release, 4), nbformat.read(ROOT / "notebooks" / release.name, 4)
    assert [(c.id, c.source, c.metadata) for c in theirs.cells] == [(c.id, c.source, c.metadata) for c in ours.cells]


def test_nbgrader_s_own_command_refuses_the_release(course):
    [release] = (course / "release" / f"lab{LABS[0]}").glob("*.ipynb")
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "validate", release.name],
        cwd=release.parent,
        env=os.environ | {"JUPYTER_CONFIG_DIR": str(course / "jupyter")},
        capture_output=True,
        text=True,
    )
    assert "VALIDATION FAILED" in done.stdout, done.stderr
