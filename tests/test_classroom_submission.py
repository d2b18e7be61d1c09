"""What is taken from a hand-in: its solution cells; and what is said about everything else that a file may hold."""

import json
import os
import shutil
import sys

import pytest
from mini_course import ROOT

from labs.classroom.class_folder import ClassFolder
from labs.classroom.errors import ClassroomError
from labs.classroom.grading import STOPPED, Graded, grade
from labs.classroom.submission import LARGEST_CELL, LARGEST_NOTEBOOK, find_lab, read
from labs.exercises import all_exercises, judge

LAB = find_lab("19")
BEGINS = "import hashlib"  # the solution
ODD_CELLS = [None, 7, "cell", {}, {"metadata": {"nbgrader": 3}, "id": []}]


@pytest.fixture
def folder(tmp_path):
    """submitted/ada/lab19 with the solution in it."""
    folder = tmp_path / "submitted" / "ada" / "lab19"
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "solutions" / LAB.file, folder)
    return folder


@pytest.fixture
def change(folder):
    """Change the notebook by a function of its JSON, and read it."""

    def change(how):
        notebook = json.loads((folder / LAB.file).read_text("utf-8"))
        changed = how(notebook) or notebook
        (folder / LAB.file).write_text(json.dumps(changed), "utf-8")
        return read(folder, "ada", LAB)

    return change


def solution(notebook: dict) -> dict:
    [cell] = [cell for cell in notebook["cells"] if cell.get("id") == "ex-19-1"]
    return cell


def test_the_cells_are_those_that_the_checks_of_the_release_follow():
    assert LAB.exercises == dict.fromkeys(["19.1", "19.2", "19.3", "19.4"], "ex-19-1")
    assert find_lab("lab29").number == "29"
    every = {exercise.notebook for exercise in all_exercises()}
    there = {id for number in every for id in find_lab(number).exercises}
    assert there == {exercise.id for exercise in all_exercises()}
    with pytest.raises(ClassroomError, match="no notebook '77'"):
        find_lab("77")


def test_a_whole_submission_needs_no_word(folder):
    submission = read(folder, "ada", LAB)
    assert (submission.learner, submission.lab, submission.notes) == ("ada", "19", [])
    assert "class Desk" in submission.cells["ex-19-1"]
    (folder / "notes.txt").write_text("what I tried")
    assert read(folder, "ada", LAB) == submission


def test_the_digest_is_of_what_will_be_judged(folder, change):
    before = read(folder, "ada", LAB).digest
    remark = {"cell_type": "markdown", "source": "hi"}
    assert change(lambda notebook: notebook["cells"].append(remark)).digest == before
    assert change(lambda notebook: solution(notebook).update(source="class Desk: pass")).digest != before


def strip_marks(notebook):
    for cell in notebook["cells"]:
        cell["metadata"] = {}


def relabel(notebook):
    solution(notebook)["metadata"]["nbgrader"]["grade_id"] = "ex-19-9"


def twice(notebook):
    notebook["cells"].append(solution(notebook))


def differently(notebook):
    notebook["cells"].append(solution(notebook) | {"source": "class Desk: 'the last'"})


@pytest.mark.parametrize(
    ("how", "source", "note"),
    [
        (strip_marks, BEGINS, None),  # its id still says which cell it is
        (twice, BEGINS, None),
        (differently, "class Desk: 'the last'", "two cells ex-19-1 that differ"),
        (relabel, None, "ex-19-1 is not in the notebook"),
        (lambda n: solution(n).update(source=["class ", "Desk: 1"]), "class Desk: 1", None),
        (lambda n: solution(n).update(source=7), None, "holds no text"),
        (lambda n: solution(n).update(source=["a", 7]), None, "holds no text"),
        (lambda n: solution(n).update(source="x" * (LARGEST_CELL + 1)), None, "more than 200,000 characters"),
        (lambda n: solution(n).update(source="'\ud800'"), None, "half a character"),
        (lambda n: solution(n).update(metadata=[]), BEGINS, None),
        (lambda n: n["cells"].extend(ODD_CELLS), BEGINS, None),
        (lambda n: n["metadata"]["course"].update(version="0.9"), BEGINS, "made for version '0.9'"),
        (lambda n: n.update(metadata=[]), BEGINS, "no version that it names"),
        (lambda n: {"nbformat": 3, "worksheets": []}, None, "no list of cells"),
        (lambda n: [1, 2], None, "no list of cells"),
        (lambda n: {"cells": {}}, None, "no list of cells"),
    ],
)
def test_a_notebook_that_was_changed(change, how, source, note):
    submission = change(how)
    assert submission.cells.get("ex-19-1", "").startswith(source or "")
    assert ("ex-19-1" in submission.cells) is (source is not None)
    assert note in " ".join(submission.notes) if note else submission.notes == []


@pytest.mark.parametrize(
    "content",
    [b"", b"no JSON", b"\xff\xfe\x00", b"[" * 100_000, b'{"cells": ' + b"9" * 10_000 + b"}", b"{'cells': []}"],
    ids=["empty", "text", "no UTF-8", "deep", "a long number", "Python"],
)
def test_a_file_that_is_no_notebook(folder, content):
    (folder / LAB.file).write_bytes(content)
    submission = read(folder, "ada", LAB)
    assert submission.cells == {}
    assert "not a notebook" in submission.notes[0]


def test_a_file_that_is_not_one(folder, tmp_path):
    def said() -> str:
        return " ".join(read(folder, "ada", LAB).notes)

    file = folder / LAB.file
    secret = file.rename(tmp_path / "somebody else's.ipynb")
    assert "no notebook 19_lab_the_session_desk.ipynb" in said()
    file.symlink_to(secret)
    assert "a link is not followed" in said()
    file.unlink()
    os.mkfifo(file)  # whoever opened it would wait for ever
    assert "no ordinary file" in said()
    file.unlink()
    file.mkdir()
    assert "no ordinary file" in said()
    file.rmdir()
    with open(file, "wb") as huge:
        huge.truncate(LARGEST_NOTEBOOK + 1)
    assert "more than 10 MB" in said()
    shutil.rmtree(folder)
    folder.symlink_to(tmp_path)
    assert "no notebook" in said()


def test_another_name_is_judged_and_said(folder):
    (folder / LAB.file).rename(folder / "my lab (final) (2).ipynb")
    submission = read(folder, "ada", LAB)
    assert submission.cells
    assert "'my lab (final) (2).ipynb'" in submission.notes[0]
    (folder / "another.ipynb").write_text("{}")
    assert read(folder, "ada", LAB).cells == {}


# grading one -------------------------------------------------------------------------------------------


@pytest.fixture
def klass(tmp_path):
    klass = ClassFolder(tmp_path)
    assert klass.create()
    return klass


def test_the_draw_follows_from_class_learner_exercise_and_attempt(klass, tmp_path):
    draws = [
        klass.draw_of("ada", "19.1"),
        klass.draw_of("ada", "19.2"),
        klass.draw_of("ben", "19.1"),
        klass.draw_of("ada", "19.1", attempt=2),
        klass.seed_of("ada"),
    ]
    other = ClassFolder(tmp_path / "another class")
    other.create()
    assert len({*draws, other.draw_of("ada", "19.1")}) == 6
    assert not klass.create()  # a second call keeps the secret
    assert klass.draw_of("ada", "19.1") == draws[0]
    assert klass.file.stat().st_mode & 0o77 == 0 or os.name == "nt"


def test_without_its_secret_a_class_says_what_to_do(klass, tmp_path):
    with pytest.raises(ClassroomError, match="not a class yet"):
        ClassFolder(tmp_path / "nowhere").seed_of("ada")
    klass.file.write_text("{")
    with pytest.raises(ClassroomError, match="restore"):
        klass.seed_of("ada")


def test_the_same_submission_has_the_same_reports(folder, klass):
    submission = read(folder, "ada", LAB)
    first, second = (grade(submission, LAB, klass, list, isolated=False, only=frozenset({"19.1"})) for _ in range(2))
    assert first.points == first.of == 15
    assert Graded.from_json(first.as_json()) == first
    for graded in (first, second):
        graded.seconds = graded.reports[0].seconds = 0
        for verdict in graded.reports[0].verdicts:
            verdict.seconds = 0
    assert first == second


def test_what_was_not_handed_in_is_not_attempted(folder, klass):
    (folder / LAB.file).unlink()
    graded = grade(read(folder, "ada", LAB), LAB, klass, list)
    assert [(report.status, report.points) for report in graded.reports] == [("not attempted", 0)] * 4
    assert graded.of == 49


def test_the_time_of_a_submission_is_for_all_its_exercises(change, klass, monkeypatch):
    monkeypatch.setattr("labs.classroom.grading.SECONDS", 0.5)
    endless = "class Desk:\n    def __init__(self, store, policy):\n        while True:\n            pass"
    submission = change(lambda notebook: solution(notebook).update(source=endless))
    graded = grade(submission, LAB, klass, list)
    assert graded.points == 0
    assert "more than 0.5 seconds in all" in graded.reports[0].verdicts[0].happened
    assert [report.message for report in graded.reports[1:]] == [STOPPED] * 3


def test_whoever_s_process_does_not_start_is_not_graded(folder, klass):
    with pytest.raises(ClassroomError, match="did not start"):
        grade(read(folder, "ada", LAB), LAB, klass, lambda command: [sys.executable, "-c", ""])


def test_a_cell_that_does_not_load_is_tried_once(change, klass, monkeypatch):
    calls = []
    counted = lambda id, *args, **more: calls.append(id) or judge(id, *args, **more)  # noqa: E731
    monkeypatch.setattr("labs.classroom.grading.judge", counted)
    submission = change(lambda notebook: solution(notebook).update(source="class Desk:\n    x = 1 / 0"))
    graded = grade(submission, LAB, klass, list)
    assert calls == ["19.1"]
    assert len({report.message for report in graded.reports}) == 1
    assert "ZeroDivisionError" in graded.reports[3].message
    assert [report.status for report in graded.reports] == ["unusable"] * 4
