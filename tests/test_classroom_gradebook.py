"""What the judge found gets into nbgrader's gradebook and pages; what people put there stays."""

import errno
import json
import os
import sqlite3
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import sqlalchemy
from a_class import (
    COMMENTS,
    FULL,
    GRADES,
    LAB,
    NONE,
    STUBS,
    SUBMISSIONS,
    copy_of,
    found,
    hand_in,
    in_gradebook,
    rows,
    scores,
)
from filelock import FileLock

from labs.classroom import gradebook, record
from labs.classroom.batch import keep
from labs.classroom.class_folder import ClassFolder
from labs.classroom.errors import ClassroomError
from labs.classroom.late import due

CHECK = "ex-20-1-check"


@pytest.fixture(scope="module")
def new_class(tmp_path_factory):
    """A class whose gradebook knows lab 20."""
    klass = ClassFolder(tmp_path_factory.mktemp("class") / "of 2026")
    klass.create()
    gradebook.prepare(klass, LAB, gradebook.release(klass, LAB))
    return klass


@pytest.fixture
def klass(new_class, tmp_path):
    """That class, where Ana has handed in a solution and Ben the empty lab."""
    klass = copy_of(new_class, tmp_path / "class")
    hand_in(klass, "ana", at="2026-11-24 12:00:00 UTC")
    hand_in(klass, "ben", STUBS)
    return klass


def recorded(klass, **options):
    record.record(klass, LAB, klass.learners(LAB.number), **options)


def change(klass, query, *values):
    with sqlite3.connect(klass.gradebook) as database:
        database.execute(query, values)


def test_points_are_those_of_the_reports(klass):
    found(klass, "ana", FULL)
    found(klass, "ben", NONE | {"20.2": 3})
    recorded(klass)
    assert scores(klass) == {"ana": list(FULL.values()), "ben": list((NONE | {"20.2": 3}).values())}
    assert all(not needs for *_, needs in rows(klass, GRADES))
    said = {(learner, comment) for learner, _, comment, _ in rows(klass, COMMENTS)}
    assert said == {("ana", None), ("ben", "No response.")}
    assert [row[:3] for row in rows(klass, SUBMISSIONS)] == [
        ("ana", "lab20", "2026-11-24 12:00:00.000000"),
        ("ben", "lab20", None),
    ]


def test_recording_again_changes_nothing(klass):
    found(klass, "ana", FULL)
    found(klass, "ben", NONE)
    recorded(klass)
    ids, before = rows(klass, "select id from grade order by id"), in_gradebook(klass)
    written = {path: path.stat().st_mtime_ns for path in klass.root.glob("autograded/*/*/*")}
    assert written
    recorded(klass)
    assert (rows(klass, "select id from grade order by id"), in_gradebook(klass)) == (ids, before)
    assert {path: path.stat().st_mtime_ns for path in klass.root.glob("autograded/*/*/*")} == written


def test_what_a_person_gave_stays_and_is_to_be_looked_at_when_the_judge_differs(klass):
    found(klass, "ana", NONE)
    recorded(klass)
    cell = "(select id from base_cell where name = ?)"
    change(klass, f"update grade set manual_score = 5, extra_credit = 1 where cell_id = {cell}", CHECK)
    change(klass, "update comment set manual_comment = 'well argued'")
    found(klass, "ana", NONE | {"20.2": 1})
    recorded(klass)
    mine = {cell: rest for _, cell, *rest in rows(klass, GRADES)}
    assert mine[CHECK] == [0, 5, 1, 0]  # the judge said what it had said before
    assert mine["ex-20-2-check"] == [1, None, None, 0]
    found(klass, "ana", FULL)
    recorded(klass)
    recorded(klass)
    mine = {cell: rest for _, cell, *rest in rows(klass, GRADES)}
    assert mine[CHECK] == [FULL["20.1"], 5, 1, 1]
    assert {comment for *_, comment in rows(klass, COMMENTS)} == {"well argued"}


def test_the_notebook_that_is_shown_is_the_released_one_with_the_learners_cells(klass):
    hand_in(klass, "ana", ex_20_1="def mine():\n    return '<b>'\n")
    folder = klass.submitted("ana", "20")
    notebook = json.loads((folder / LAB.file).read_text())
    notebook["cells"].append({"cell_type": "markdown", "id": "x", "metadata": {}, "source": "of the learner"})
    notebook["cells"][0]["source"] = "of the learner"
    (folder / LAB.file).write_text(json.dumps(notebook))
    found(klass, "ana", FULL)
    recorded(klass)
    shown = json.loads((klass.autograded("ana", "20") / LAB.file).read_text())
    released = json.loads(STUBS.read_text())
    assert [cell["id"] for cell in shown["cells"]] == [cell["id"] for cell in released["cells"]]
    by_id = {cell["id"]: cell for cell in shown["cells"]}
    assert by_id["ex-20-1"]["source"].startswith("def mine()")
    assert "of the learner" not in json.dumps(shown)
    [output] = by_id[CHECK]["outputs"]
    assert output["text"].startswith("20.1 · exercise 20.1: ")


def test_a_submission_that_was_changed_since_keeps_grade_and_page_until_it_is_judged(klass):
    found(klass, "ana", FULL)
    recorded(klass)
    shown = klass.autograded("ana", "20") / LAB.file
    before = shown.read_text()
    hand_in(klass, "ana", STUBS, at="2026-11-25 12:00:00 UTC")
    recorded(klass)
    assert scores(klass)["ana"] == list(FULL.values())
    assert shown.read_text() == before
    assert rows(klass, SUBMISSIONS)[0][2] == "2026-11-24 12:00:00.000000"


# Late ------------------------------------------------------------------------------------------------


def penalties(klass, **options):
    recorded(klass, **options)
    return {row[0]: row[4] for row in rows(klass, SUBMISSIONS)}


@pytest.fixture
def due_at_noon(klass):
    """The lab was due on the 24th at noon, late ones cost everything; all handed in a solution."""
    (klass.root / "nbgrader_config.py").write_text(
        'c = get_config()\nc.LateSubmissionPlugin.penalty_method = "zero"\nc.LateDays.days = 1\n'
    )
    gradebook.prepare(klass, LAB, gradebook.release(klass, LAB), due=due("2026-11-24 13:00 +0100"))
    for learner, at in {"ana": "24 12:00", "ben": "24 12:01", "cleo": "25 12:00", "dan": "25 12:01"}.items():
        hand_in(klass, learner, at=f"2026-11-{at}:00 UTC")
        found(klass, learner, FULL)
    return klass


def test_a_late_hand_in_costs_what_nbgraders_plugin_says_once_the_late_days_are_used(due_at_noon):
    all_of_it = sum(FULL.values())
    assert penalties(due_at_noon, late_days=0) == {"ana": None, "ben": all_of_it, "cleo": all_of_it, "dan": all_of_it}
    assert penalties(due_at_noon) == {"ana": None, "ben": None, "cleo": None, "dan": all_of_it}
    assert penalties(due_at_noon, late_days=2) == dict.fromkeys(("ana", "ben", "cleo", "dan"))


def test_an_extension_that_a_person_gave_counts(due_at_noon):
    with gradebook.opened(due_at_noon) as book:
        book.add_student("dan")
        book.add_submission("lab20", "dan")
        book.grant_extension("lab20", "dan", minutes=1)
    assert penalties(due_at_noon)["dan"] is None


def test_late_days_are_of_all_labs_together_the_first_due_first(due_at_noon):
    with gradebook.opened(due_at_noon) as book:
        book.add_assignment("lab10", duedate="2026-11-10 12:00:00")
        book.add_assignment("lab30", duedate="2026-12-10 12:00:00")
        for learner, lab, at in (("ben", "lab10", "2026-11-10 12:00:01"), ("cleo", "lab30", "2026-12-20 12:00:00")):
            book.add_student(learner)
            book.add_submission(lab, learner, timestamp=at)
    recorded(due_at_noon)
    by_lab = {row[:2]: row[4] for row in rows(due_at_noon, SUBMISSIONS)}
    assert by_lab[("ben", "lab20")] == sum(FULL.values())
    assert by_lab[("cleo", "lab20")] is None


def test_a_late_day_pays_no_more_than_was_earned_by_people_and_judge(due_at_noon):
    found(due_at_noon, "dan", NONE | {"20.1": 2})
    penalties(due_at_noon)
    change(due_at_noon, "update grade set manual_score = 3 where auto_score = 2")
    assert penalties(due_at_noon)["dan"] == 3


@pytest.mark.parametrize("text", [" ", "soon", "2026-99-99 12:00", "\x00", "9" * 5000])
def test_a_time_that_is_none_is_no_reason_to_stop(klass, text):
    hand_in(klass, "ana", at=text)
    (klass.submitted("ben", "20") / "timestamp.txt").symlink_to("/etc/hostname")
    found(klass, "ana", FULL)
    found(klass, "ben", FULL)
    recorded(klass)
    assert [row[2] for row in rows(klass, SUBMISSIONS)] == [None, None]


# When it cannot be written ---------------------------------------------------------------------------


@pytest.fixture
def untouched(klass):
    """The class, recorded once, with news for the gradebook; which must not reach it."""
    found(klass, "ana", NONE)
    recorded(klass)
    before = in_gradebook(klass)
    found(klass, "ana", FULL)
    found(klass, "ben", FULL)
    yield klass
    assert in_gradebook(klass) == before
    recorded(klass)
    assert scores(klass) == dict.fromkeys(("ana", "ben"), list(FULL.values()))


def test_another_command_is_waited_for_and_then_left_alone(untouched, monkeypatch):
    monkeypatch.setattr(gradebook, "WAIT_SECONDS", 0.01)
    with (
        FileLock(untouched.root / ".gradebook.lock"),
        pytest.raises(ClassroomError, match="another command.*as it was.*kept in reports/"),
    ):
        recorded(untouched)


def test_a_gradebook_that_nbgrader_has_locked(untouched, monkeypatch):
    monkeypatch.setattr(gradebook, "WAIT_SECONDS", 0.01)
    other = sqlite3.connect(untouched.gradebook, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(ClassroomError, match="database is locked.*as it was"):
        recorded(untouched)
    other.close()


def test_a_full_disk_under_the_gradebook(untouched, monkeypatch):
    def small(*args, **options):
        engine = sqlalchemy.create_engine(*args, **options)
        [[pages]] = rows(untouched, "pragma page_count")
        sqlalchemy.event.listen(engine, "connect", lambda c, _: c.execute(f"pragma max_page_count = {pages}"))
        return engine

    for number in range(200):  # so many that they do not fit into what is free in the pages there are
        hand_in(untouched, f"one more {number}", STUBS)
        found(untouched, f"one more {number}", NONE)
    with monkeypatch.context() as patch:
        patch.setattr("nbgrader.api.create_engine", small)
        with pytest.raises(ClassroomError, match="disk is full.*as it was"):
            recorded(untouched)
    for number in range(200):
        klass_folder = untouched.submitted(f"one more {number}", "20")
        (klass_folder / LAB.file).unlink()
        klass_folder.rmdir()


def test_a_full_disk_under_autograded(untouched, monkeypatch):
    def full(path, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(record, "put", full)
        with pytest.raises(ClassroomError, match="No space left on device.*kept in reports/"):
            recorded(untouched)


def test_what_stops_a_batch_undoes_it(untouched):
    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recorded(untouched, tick=stop)


def test_a_gradebook_is_made_whole_or_not_at_all(tmp_path, monkeypatch):
    klass = ClassFolder(tmp_path)
    klass.create()
    with monkeypatch.context() as patch:
        patch.setattr("nbgrader.api.get_alembic_version", lambda: os.kill(os.getpid(), 0) or 1 / 0)
        with pytest.raises(ZeroDivisionError):
            gradebook.prepare(klass, LAB, gradebook.release(klass, LAB))
    assert not klass.gradebook.exists()
    gradebook.prepare(klass, LAB, gradebook.release(klass, LAB))
    assert rows(klass, "select count(*) from alembic_version") == [(1,)]


def test_a_release_of_another_version_is_said(klass):
    folder = klass.release("20")
    folder.mkdir(parents=True)
    released = json.loads(STUBS.read_text())
    released["cells"] = [cell for cell in released["cells"] if cell["id"] != CHECK]
    (folder / LAB.file).write_text(json.dumps(released))
    found(klass, "ana", FULL)
    with pytest.raises(ClassroomError, match=f"another version of the course: it has no cell {CHECK}"):
        recorded(klass)


def test_a_gradebook_of_another_version_is_said_and_kept(klass):
    found(klass, "ana", FULL)
    recorded(klass)
    before = in_gradebook(klass)
    released = gradebook.release(klass, LAB)
    released.cells = [cell for cell in released.cells if cell.id != CHECK]
    with pytest.raises(ClassroomError, match="lab20 of another version of the course, with submissions"):
        gradebook.prepare(klass, LAB, released)
    assert in_gradebook(klass) == before


# nbgrader's own commands -----------------------------------------------------------------------------


def nbgrader(klass, *command):
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "JUPYTER_CONFIG_DIR": str(klass.root)}
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *command], cwd=klass.root, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_nbgrader_exports_and_gives_feedback(klass):
    hand_in(klass, "ben", ex_20_1="def x():\n    return '</pre><script>alert(1)</script>'\n")
    (klass.root / "nbgrader_config.py").write_text(Path(gradebook.HERE, "nbgrader_config.py").read_text())
    found(klass, "ana", FULL)
    graded = found(klass, "ben", NONE | {"20.2": 3}, version="</pre><script>alert(2)</script>")
    graded.reports[0].message = "</pre><script>alert(3)</script>"
    keep(klass, graded)
    recorded(klass)
    nbgrader(klass, "export", "--to", "grades.csv")
    exported = (klass.root / "grades.csv").read_text().splitlines()
    assert [line.split(",")[3:] for line in exported[1:]] == [
        ["ana", "", "", "", f"{sum(FULL.values())}.0", "0.0", f"{sum(FULL.values())}.0", f"{sum(FULL.values())}.0"],
        ["ben", "", "", "", "3.0", "0.0", "3.0", f"{sum(FULL.values())}.0"],
    ]
    nbgrader(klass, "generate_feedback", "lab20")
    page = (klass.feedback("ben", "20") / LAB.file).with_suffix(".html").read_text()
    assert "(Score: 3.0 / " in page
    assert "alert(1)" in page
    assert "alert(3)" in page
    assert "<script>alert" not in page
