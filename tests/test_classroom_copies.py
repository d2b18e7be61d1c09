"""A learner's copies: handed out once, never overwritten, renewed when asked."""

import json
import os

import pytest
from click.testing import CliRunner
from nbformat.sign import NotebookNotary
from nbformat.v4 import new_code_cell, new_notebook, writes

from labs.classroom.cli import main
from labs.classroom.copies import hand_out
from labs.classroom.course import Course
from labs.classroom.errors import ClassroomError


def lesson(source: str) -> str:
    """A built notebook, made from the source of this fingerprint."""
    return writes(new_notebook(cells=[new_code_cell("1", id="one")], metadata={"course": {"source": source}}))


@pytest.fixture
def course(tmp_path, monkeypatch) -> Course:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))  # where signatures are kept
    course = Course(tmp_path / "the course")
    course.notebooks.mkdir(parents=True)
    for name in ("00_start_here", "10_sessions"):
        (course.notebooks / f"{name}.ipynb").write_text(lesson("1"))
    return course


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_learner_gets_a_copy_of_every_notebook(course):
    assert hand_out(course) == []
    assert names(course.work) == ["00_start_here.ipynb", "10_sessions.ipynb"]
    for name in names(course.work):
        assert (course.work / name).read_bytes() == (course.notebooks / name).read_bytes()


def test_jupyter_trusts_the_copies(course):
    hand_out(course)
    from labs.classroom.files import read

    assert NotebookNotary().check_signature(read(course.work / "10_sessions.ipynb", "10"))


def test_what_a_learner_wrote_is_never_overwritten(course):
    hand_out(course)
    mine = course.work / "10_sessions.ipynb"
    mine.write_text(lesson("1").replace('"1"', '"my answer"', 1))
    before = mine.read_bytes()
    (course.notebooks / "11_stores.ipynb").write_text(lesson("1"))
    assert hand_out(course) == []
    assert mine.read_bytes() == before
    assert "11_stores.ipynb" in names(course.work)


def test_a_copy_of_an_older_version_is_said_and_stays(course):
    hand_out(course)
    (course.notebooks / "10_sessions.ipynb").write_text(lesson("2"))
    [said] = hand_out(course)
    assert said.startswith("work/10_sessions.ipynb is your copy of another version")
    assert "make reset L=10" in said
    assert json.loads((course.work / "10_sessions.ipynb").read_text())["metadata"]["course"]["source"] == "1"


@pytest.mark.parametrize("damage", [b"", b'{"cells": [', b"[]", b'{"metadata": []}', b"\xff\xfe"])
def test_a_damaged_copy_is_said_and_stays(course, damage):
    hand_out(course)
    (course.work / "10_sessions.ipynb").write_bytes(damage)
    [said] = hand_out(course)
    assert said.startswith("work/10_sessions.ipynb cannot be read as a notebook. `make reset L=10`")
    assert (course.work / "10_sessions.ipynb").read_bytes() == damage


def test_a_link_that_leads_nowhere_is_not_written_through(course, tmp_path):
    course.work.mkdir()
    os.symlink(tmp_path / "elsewhere", course.work / "10_sessions.ipynb")
    assert "cannot be read" in hand_out(course)[0]
    assert not (tmp_path / "elsewhere").exists()


def test_reset_renews_one_copy_and_keeps_each_old_one(course):
    hand_out(course)
    for number in (1, 2):
        (course.work / "10_sessions.ipynb").write_text(f"answer {number}")
        result = CliRunner().invoke(main, ["--course", str(course.root), "reset", "10"])
        assert result.exit_code == 0
        kept = f"work/kept/10_sessions-{number}.ipynb"
        assert result.output == f"work/10_sessions.ipynb is fresh. Your old one is {kept}.\n"
        assert (course.root / kept).read_text() == f"answer {number}"
        assert (course.work / "10_sessions.ipynb").read_text() == lesson("1")
    assert (course.work / "00_start_here.ipynb").read_text() == lesson("1")


def test_reset_of_what_was_never_copied(course):
    result = CliRunner().invoke(main, ["--course", str(course.root), "reset", "10"])
    assert result.output == "work/10_sessions.ipynb is there, fresh. You had no copy before.\n"
    assert (course.work / "10_sessions.ipynb").exists()


def test_reset_of_a_lesson_that_is_not_there(course):
    result = CliRunner().invoke(main, ["--course", str(course.root), "reset", "77"])
    assert result.exit_code == 1
    assert "There is no notebook '77' in notebooks/. There: 00_start_here, 10_sessions." in result.output


def test_nothing_to_hand_out(tmp_path):
    with pytest.raises(ClassroomError, match="make notebooks"):
        hand_out(Course(tmp_path))


def test_work_that_cannot_be_written(course):
    course.work.write_text("a file where the folder should be")
    with pytest.raises(ClassroomError, match="could not be written into .* Make room, or give yourself permission"):
        hand_out(course)


def test_a_full_disk_leaves_no_half_copy(course, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ClassroomError, match="No space left on device"):
        hand_out(course)
    assert names(course.work) == []


def test_a_full_disk_at_a_reset_loses_nothing(course, monkeypatch):
    hand_out(course)
    (course.work / "10_sessions.ipynb").write_text("my answer")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = CliRunner().invoke(main, ["--course", str(course.root), "reset", "10"])
    assert result.exit_code == 1
    assert (course.work / "kept" / "10_sessions-1.ipynb").read_text() == "my answer"
