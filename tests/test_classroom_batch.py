"""A class is graded side by side, whatever happens to a submission, a worker or the command itself."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import dask
import psutil
import pytest
from a_class import FULL, LAB, NONE, ROOT, STUBS, copy_of, hand_in, in_gradebook, rows, scores
from click.testing import CliRunner
from distributed import Client, LocalCluster
from filelock import FileLock

from conftest import eventually
from labs import __version__
from labs.bench.errors import BenchError
from labs.classroom import batch, sandbox
from labs.classroom.class_folder import ClassFolder
from labs.classroom.cli import main
from labs.classroom.errors import ClassroomError
from labs.classroom.submission import read

WRONG = "def encode(octets):\n    return 'the same for all'\n\ndef decode(text):\n    return b''\n"


@pytest.fixture(scope="module")
def cluster():
    """Two workers, for all tests of this module: they take seconds to start."""
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", memory_limit=0) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def graded(tmp_path_factory, cluster):
    """A class that was graded without a disturbance."""
    klass = ClassFolder(tmp_path_factory.mktemp("class") / "of 2026")
    klass.create()
    for learner in ("ana", "ben", "zoë"):
        hand_in(klass, learner, at="2026-11-24 12:00:00 UTC")
    hand_in(klass, "nobody", STUBS)
    hand_in(klass, "no notebook", STUBS)
    (klass.submitted("no notebook", "20") / LAB.file).write_text("[" * 100_000)
    done = grade(klass, cluster)
    assert [one["points"] for one in done["submissions"]] == [39, 39, 0, 0, 39]
    return klass


@pytest.fixture
def klass(graded, tmp_path):
    """That class, for a test to change."""
    return copy_of(graded, tmp_path / "class")


def run(klass, *options, number="20"):
    return CliRunner().invoke(main, ["grade", number, "--class", str(klass.root), *options])


def grade(klass, cluster, *options) -> dict:
    isolated = [] if not sandbox.why_not() else ["--not-isolated"]
    done = run(klass, "--json", "--scheduler", cluster.scheduler_address, *isolated, *options)
    assert done.exit_code in (0, 1), done.output
    return json.loads(done.stdout)


def judged_now(done: dict) -> list[str]:
    return [one["learner"] for one in done["submissions"] if one["judged_now"]]


def written(klass) -> dict[str, int]:
    return {path.stem: path.stat().st_mtime_ns for path in klass.graded("x", "20").parent.glob("*.json")}


# What is judged, and what is not -----------------------------------------------------------------------------------


def test_reports_gradebook_and_notebooks_say_the_same(graded):
    found = {name: batch.graded_of(graded, LAB, name) for name in graded.learners("20")}
    full, none = list(FULL.values()), list(NONE.values())
    assert scores(graded) == {"ana": full, "ben": full, "no notebook": none, "nobody": none, "zoë": full}
    assert {name: [one.points for one in it.reports] for name, it in found.items()} == scores(graded)
    assert found["no notebook"].notes == ["The file is not a notebook: it is not JSON."]
    assert [one.status for one in found["no notebook"].reports] == ["not attempted"] * 5
    assert all(it.isolated == (not sandbox.why_not()) for it in found.values())
    assert {path.parts[-3] for path in graded.root.glob("autograded/*/*/*.ipynb")} == set(found)


def test_seeds_follow_from_the_class(graded):
    [ana, ben] = [batch.graded_of(graded, LAB, name) for name in ("ana", "ben")]
    for report in ana.reports:
        assert report.learner == graded.seed_of("ana")
        assert report.seed == graded.draw_of("ana", report.exercise)
    assert {report.seed for report in ana.reports}.isdisjoint(report.seed for report in ben.reports)


def test_the_secret_is_told_to_no_worker(klass, cluster):
    secret = json.loads(klass.file.read_text())["secret"]
    told = []

    class Listening(Client):
        def submit(self, *all, **options):
            told.append(all)
            return super().submit(*all, **options)

    with Listening(cluster) as client:
        list(batch.judge_all(client, klass, LAB, ["ana"], batch.Wish(isolated=False)))
    assert told
    assert secret not in repr(told)


def test_what_was_judged_is_not_judged_again(klass, cluster):
    before = written(klass), in_gradebook(klass)
    assert judged_now(grade(klass, cluster)) == []
    assert (written(klass), in_gradebook(klass)) == before


def test_a_new_hand_in_is_judged_and_replaces_the_old(klass, cluster):
    hand_in(klass, "ana", ex_20_1=WRONG)
    assert judged_now(grade(klass, cluster)) == ["ana"]
    assert scores(klass)["ana"] == list((FULL | {"20.1": 0}).values())


def test_the_same_cells_with_other_remarks_are_not_judged_again(klass, cluster):
    hand_in(klass, "ana")
    path = klass.submitted("ana", "20") / LAB.file
    path.rename(path.with_name("mine.ipynb"))
    done = grade(klass, cluster)
    assert judged_now(done) == []
    assert "mine.ipynb" in done["submissions"][0]["notes"][0]


@pytest.mark.parametrize("change", [{"version": "0.9"}, {"attempt": 2}, {"isolated": False}, None])
def test_what_was_judged_otherwise_is_judged_again(klass, change):
    path = klass.graded("ana", "20")
    path.write_text(json.dumps(json.loads(path.read_text()) | change) if change else "{")
    submission = read(klass.submitted("ana", "20"), "ana", LAB)
    assert not batch.still_holds(batch.graded_of(klass, LAB, "ana"), submission, batch.Wish())
    assert batch.still_holds(batch.graded_of(klass, LAB, "ben"), submission, batch.Wish(isolated=False))


def test_another_attempt_is_drawn_anew(klass, cluster):
    grade(klass, cluster, "--learner", "ana", "--attempt", "2")
    assert batch.graded_of(klass, LAB, "ana").reports[0].seed == klass.draw_of("ana", "20.1", 2)


def test_only_one_exercise_of_one_learner(klass, cluster):
    before, old = written(klass), batch.graded_of(klass, LAB, "ana")
    forged = json.loads(old.as_json())
    for report in forged["reports"]:
        report["points"] = 1  # as if the probes had been wrong
    klass.graded("ana", "20").write_text(json.dumps(forged))
    assert judged_now(grade(klass, cluster, "--only", "20.2", "--learner", "ana")) == ["ana"]
    assert [one.points for one in batch.graded_of(klass, LAB, "ana").reports] == [1, FULL["20.2"], 1, 1, 1]
    assert scores(klass)["ana"] == [1, FULL["20.2"], 1, 1, 1]
    assert scores(klass)["ben"] == list(FULL.values())
    assert {name for name, at in written(klass).items() if at != before[name]} == {"ana"}
    assert judged_now(grade(klass, cluster, "--again", "--learner", "ana")) == ["ana"]
    assert scores(klass)["ana"] == list(FULL.values())


def test_only_of_what_was_never_judged_judges_all_of_it(klass, cluster):
    klass.graded("ana", "20").unlink()
    grade(klass, cluster, "--only", "20.2", "--learner", "ana")
    assert scores(klass)["ana"] == list(FULL.values())


# What goes wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "options", "sentence"),
    [
        ("77", [], "There is no notebook '77'"),
        ("19", [], "Nobody has handed in lab 19 yet"),
        ("20", ["--only", "20.9"], "Lab 20 has no exercise '20.9'. It has 20.1, "),
        ("20", ["--learner", "eve"], "eve has handed in nothing for lab 20"),
        ("20", ["--due", "soon"], "--due 'soon' is no time"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(klass, number, options, sentence):
    done = run(klass, *options, number=number)
    assert (done.exit_code, sentence in done.stderr) == (1, True), done.output


def test_a_folder_that_is_no_class_is_said(tmp_path):
    assert "is not a class yet" in run(ClassFolder(tmp_path)).stderr
    assert list(tmp_path.iterdir()) == []


def test_without_a_sandbox_nothing_is_judged_unless_that_is_said(klass, monkeypatch):
    klass.graded("ana", "20").unlink()
    monkeypatch.setattr(sandbox, "why_not", lambda: "There is no sandbox here.")
    done = run(klass)
    assert done.exit_code == 1
    assert "There is no sandbox here. With --not-isolated, " in done.stderr
    assert not klass.graded("ana", "20").exists()


def test_not_isolated_is_said_wherever_it_was(klass, cluster):
    klass.graded("ana", "20").unlink()
    done = run(klass, "--not-isolated", "--scheduler", cluster.scheduler_address)
    assert "ana: 39 of 39 points" in done.stdout
    assert "Not all of them ran in a sandbox." in done.stdout
    assert batch.graded_of(klass, LAB, "ana").isolated is False


def test_no_second_command_grades_the_same_lab(klass):
    with FileLock(klass.graded("x", "20").with_name(".lock")):
        assert "Another command is grading lab 20" in run(klass).stderr


def test_a_name_that_cannot_be_a_files_is_said_and_costs_nobody_else(klass, cluster):
    hand_in(klass, "long" * 60)
    os.rename(klass.root / "submitted" / "ben", os.fsencode(klass.root / "submitted") + b"/b\xe9n")
    done = grade(klass, cluster)
    assert [one["learner"] for one in done["submissions"]] == ["ana", "no notebook", "nobody", "zoë"]
    assert len(done["notes"]) == 2
    assert "is not UTF-8: rename it" in done["notes"][0]
    assert "has more than 200 octets: rename it" in done["notes"][1]


def test_a_full_disk_is_said_and_what_was_judged_is_kept(klass, cluster, monkeypatch):
    hand_in(klass, "ana", ex_20_1=WRONG)
    hand_in(klass, "ben", ex_20_1=WRONG)
    before, write, room = in_gradebook(klass), batch.write_atomic, iter([True])

    def until_full(path, text):
        if not next(room, False):
            raise BenchError("no") from OSError(errno.ENOSPC, "No space left on device")
        write(path, text)

    with monkeypatch.context() as patch:
        patch.setattr(batch, "write_atomic", until_full)
        done = run(klass, "--scheduler", cluster.scheduler_address, "--not-isolated")
    assert done.exit_code == 1
    assert "No space left on device). What was judged before is kept" in done.stderr
    assert in_gradebook(klass) == before
    assert len(judged_now(grade(klass, cluster))) == (1 if sandbox.why_not() else 2)
    assert scores(klass)["ana"] == scores(klass)["ben"] == list((FULL | {"20.1": 0}).values())


def dies_once(submission, lab, seeds, wish, only):
    """A worker that is lost with its first submission, and with every one of Eve's."""
    first = Path(os.environ["FIRST"])
    if submission.learner == "eve" or not first.exists():
        first.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return batch.judge_one(submission, lab, seeds, wish, only)


def test_a_lost_workers_submissions_are_judged_by_another(klass, tmp_path, monkeypatch):
    hand_in(klass, "eve")
    monkeypatch.setenv("FIRST", str(tmp_path / "first"))
    wish, learners = batch.Wish(isolated=not sandbox.why_not()), klass.learners("20")
    for learner in learners:
        klass.graded(learner, "20").unlink(missing_ok=True)
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}), batch.workers(2) as client:
        found = list(batch.judge_all(client, klass, LAB, learners, wish, use=dies_once))
    assert sorted(name for name, _ in found) == learners  # each once
    lost = {name: it for name, it in found if isinstance(it, str)}
    assert list(lost) == ["eve"]
    assert lost["eve"] == "It was not judged: each of the 1 workers that tried was lost."
    assert {name: it.points for name, it in found if name != "eve"} == {
        "ana": 39, "ben": 39, "zoë": 39, "nobody": 0, "no notebook": 0,
    }  # fmt: skip
    assert set(written(klass)) == set(learners) - {"eve"}


def breaks(submission, lab, seeds, wish, only):
    """A judge with a defect."""
    return {}[submission.learner]


def test_a_defect_of_the_judge_is_said_for_each(klass, cluster):
    with Client(cluster) as client:
        found = dict(batch.judge_all(client, klass, LAB, ["ana"], batch.Wish(), use=breaks))
    assert found == {"ana": "It was not judged: the judge itself stopped with KeyError: 'ana'"}


def test_a_scheduler_that_is_not_there_is_said(klass, monkeypatch):
    monkeypatch.setattr(batch, "START_SECONDS", 0.2)
    klass.graded("ana", "20").unlink()
    done = run(klass, "--scheduler", "tcp://127.0.0.1:9")
    assert (done.exit_code, "No Dask worker could be reached" in done.stderr) == (1, True), done.output


def test_workers_with_another_version_are_refused(klass, cluster, monkeypatch):
    monkeypatch.setattr(batch, "__version__", "9.9")
    with Client(cluster) as client, pytest.raises(ClassroomError, match=f"version {__version__} .* this is 9.9"):
        list(batch.judge_all(client, klass, LAB, ["ana"], batch.Wish(isolated=False)))


def killed_at_first_sign(klass, *options) -> set[str]:
    """Grade in a process of its own, and SIGKILL it at the first report; give who was judged by then."""
    command = [sys.executable, "-m", "labs.classroom", "grade", "20", "--class", str(klass.root), "--workers", "1"]
    isolated = ["--not-isolated"] if sandbox.why_not() else []
    before = written(klass)
    with subprocess.Popen([*command, *isolated, *options], cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        assert eventually(lambda: written(klass) != before or process.poll() is not None, seconds=300)
        started = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    assert process.returncode == -signal.SIGKILL, "it was over before it could be killed"
    assert eventually(lambda: not any(one.is_running() and one.status() != "zombie" for one in started))
    return {name for name, at in written(klass).items() if before.get(name) != at}


def test_killed_and_started_again_it_ends_with_the_same_gradebook(graded, klass, cluster):
    for name in graded.learners("20"):
        klass.graded(name, "20").unlink()
    klass.gradebook.unlink()
    done = killed_at_first_sign(klass)
    assert 0 < len(done) < 5
    assert not rows(klass, "select * from grade")
    assert set(judged_now(grade(klass, cluster))) == set(graded.learners("20")) - done
    assert in_gradebook(klass) == in_gradebook(graded)


def test_a_regrade_that_was_killed_goes_on_where_it_was_unless_the_judge_was_mended(klass, monkeypatch):
    def left(wish) -> list[str]:
        with batch.renewing(klass, LAB, wish) as again:
            return list(batch.waiting(klass, LAB, ["ana", "ben"], wish, again))

    wish = batch.Wish(only=frozenset({"20.2"}), isolated=False)
    kept = klass.graded("x", "20").with_name(".again")
    with batch.renewing(klass, LAB, wish):
        text = kept.read_text()
    assert not kept.exists()
    kept.write_text(text)  # it was killed, after Ana
    time.sleep(0.01)
    batch.keep(klass, batch.graded_of(klass, LAB, "ana"))
    assert left(wish) == ["ben"]
    kept.write_text(text)
    batch.keep(klass, batch.graded_of(klass, LAB, "ana"))
    monkeypatch.setattr(batch, "fingerprint", lambda: "mended")
    assert left(wish) == ["ana", "ben"]
    assert left(batch.Wish(isolated=False)) == []
