"""check(), hint() and progress(): what a learner sees, and what is kept."""

import errno
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from teach_cells import RIGHT, STUB, WRONG, Kernel, cell, declared

from conftest import eventually
from labs.exercises import Report, Verdict, all_exercises
from labs.exercises.judge import UNCHANGED, UNPROVEN
from labs.teach import CheckFailed, check, hint, hinting, progress, reports
from labs.teach import results as kept

SOLUTIONS = Path(__file__).parent.parent / "solutions"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A fresh home for each test."""
    monkeypatch.setenv("FERNBANK_HOME", str(tmp_path))
    return tmp_path


def double(source):
    return cell(source)["double"]


def file_of(home):
    return json.loads((home / "progress.json").read_text())["exercises"]


# ---- what is seen --------------------------------------------------------------------------------------------


def test_all_probes_pass(capsys, home):
    with declared():
        assert check("98.1", double(RIGHT)) is None
    assert capsys.readouterr().out.splitlines() == [
        "98.1 · Twice as much" + "3 of 3 points".rjust(72),
        "  ✓ A number is doubled",
        "  ✓ Nothing twice is nothing",
    ]
    assert file_of(home) == {"98.1": {"attempts": 1, "points": 3, "passed": True}}


def test_a_probe_that_fails_says_what_was_expected_what_happened_and_where_to_look(capsys):
    with declared():
        check("98.1", double(WRONG))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("0 of 3 points")
    assert re.fullmatch(r"  ✗ A number is doubled +1 point", lines[1])
    assert re.fullmatch(r"      expected  \d+ for \d+", lines[2])
    assert re.fullmatch(r"      happened  it was \d+", lines[3])
    assert re.fullmatch(r'      look at   the number +hint\("98\.1"\)', lines[4])
    assert lines[-1].startswith('  replay with check("98.1", double, seed="')


def test_the_replay_draws_the_same_and_does_not_count(capsys, home):
    with declared():
        check("98.1", double(WRONG))
        first = capsys.readouterr().out
        check("98.1", double(WRONG), seed=first.rpartition('seed="')[2].partition('"')[0])
        again = capsys.readouterr().out
    assert again.startswith(first)
    assert "a replay: check without a seed" in again
    assert file_of(home)["98.1"]["attempts"] == 1


def test_each_attempt_draws_afresh_and_a_fresh_home_draws_the_same(capsys, tmp_path, monkeypatch):
    def three():
        seen = []
        for _ in range(3):
            check("98.1", double(WRONG))
            seen.append(capsys.readouterr().out)
        return seen

    with declared():
        first = three()
        monkeypatch.setenv("FERNBANK_HOME", str(tmp_path / "other"))
        assert three() == first
        monkeypatch.setenv("FERNBANK_HOME", str(tmp_path / "third"))
        monkeypatch.setenv("FERNBANK_SEED", "somebody else")
        assert not set(three()) & set(first)
    assert len(set(first)) == 3


def test_a_stub_is_not_attempted_yet(capsys, home):
    with declared():
        check("98.1", double(STUB))
    assert capsys.readouterr().out == "98.1 · Twice as much: not attempted yet\n"
    assert not (home / "progress.json").exists()


def test_a_cell_that_cannot_be_run(capsys):
    with declared():
        check("98.1", double("import os\n" + RIGHT))
    title, *sentence = capsys.readouterr().out.splitlines()
    assert title == "98.1 · Twice as much: could not be run"
    assert "may not import os" in " ".join(sentence)


def test_what_the_code_printed_is_shown(capsys):
    with declared():
        check("98.1", double("def double(n):\n    print('here', n == 0)\n    return 2 * n\n"))
    assert "your code printed\n      here False" in capsys.readouterr().out


def test_an_answer_is_plain_data(capsys):
    with declared(kind="answer"):
        check("98.1", 42)
        check("98.1", len)
    passed, wrong = capsys.readouterr().out.rsplit("\n", 2)[:2]
    assert "3 of 3 points" in passed
    assert wrong.startswith("This exercise asks for data, and was given len. Give check the value:")


def test_an_answer_may_come_from_a_function_that_is_still_to_be_written(capsys):
    given = {"return 42": "3 of 3 points", "return 41": "0 of 3 points", "return 1 / 0": "raised ZeroDivisionError"}
    with declared(kind="answer", defines=("double",)):
        for body, said in {**given, "raise NotImplementedError": "not attempted yet"}.items():
            check("98.1", double(f"def double():\n    {body}\n"))
            assert said in capsys.readouterr().out
        check("98.1", 42)
        assert "3 of 3 points" in capsys.readouterr().out


def test_an_unknown_exercise_lists_those_there_are(capsys):
    with declared():
        check("98.9", len)
        hint("98.9")
    for line in capsys.readouterr().out.splitlines():
        assert line.startswith("There is no exercise '98.9'.")
        assert "98.1" in line


def test_the_wrong_kind_of_thing_is_said(capsys, home):
    with declared():
        check("98.1", double(RIGHT)(3))
    assert capsys.readouterr().out.startswith("check was given a value of type int.")
    assert not (home / "progress.json").exists()


def test_hints_come_one_by_one_and_the_last_names_the_solution(capsys):
    seen = []
    with declared(id="98.2"):
        for _ in range(4):
            hint("98.2")
            seen.append(" ".join(capsys.readouterr().out.split()))
    title = "98.2 · Twice as much · hint"
    last = "The solution stands in solutions/, in the notebook that begins with 98, cell ex-98-2."
    assert seen == [f"{title} 1 of 3 Add.", f"{title} 2 of 3 n + n", *[f"{title} 3 of 3 {last}"] * 2]


@pytest.mark.parametrize("the", all_exercises(), ids=lambda the: the.id)
def test_the_cell_that_the_last_hint_names_is_there(the):
    [file] = SOLUTIONS.glob(f"{the.notebook}_*.ipynb")
    assert hinting.cell(the) in [cell["id"] for cell in json.loads(file.read_text("utf-8"))["cells"]]


# ---- under nbgrader ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [WRONG, STUB, "import os\n" + RIGHT])
def test_nbgrader_gets_an_error_unless_all_probes_pass(monkeypatch, capsys, home, source):
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    with declared(), pytest.raises(CheckFailed, match=r"98\.1 · Twice as much"):
        check("98.1", double(source))
    with declared(), pytest.raises(CheckFailed, match="no exercise"):
        check("98.9", double(source))
    assert capsys.readouterr().out == ""
    assert not (home / "progress.json").exists()


def test_nbgrader_gets_the_report_when_all_probes_pass(monkeypatch, capsys):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with declared():
        check("98.1", double(RIGHT))
    assert "3 of 3 points" in capsys.readouterr().out


# ---- what is kept --------------------------------------------------------------------------------------------


def test_the_best_result_stays(capsys, home):
    with declared():
        for source in (WRONG, RIGHT, WRONG):
            check("98.1", double(source))
    assert file_of(home) == {"98.1": {"attempts": 3, "points": 3, "passed": True}}


def test_two_kernels_at_once_lose_nothing(home):
    code = """if True:
        from labs.teach.results import note
        print("ready", flush=True)
        input()
        for n in range(30):
            note(f"98.{n % 3}", n, False)
    """
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    both = [subprocess.Popen([sys.executable, "-c", code], **pipes) for _ in range(2)]
    assert [one.stdout.readline() for one in both] == ["ready\n"] * 2
    for one in both:
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in both:
        one.communicate()
    assert {id: result["attempts"] for id, result in file_of(home).items()} == {"98.0": 20, "98.1": 20, "98.2": 20}


@pytest.mark.parametrize(
    "damage",
    [
        b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"exercises": 3}', b'{"exercises": {"98.1": 7}}', b"[" * 100_000,
        b'{"exercises": {"98.1": {"attempts": "1", "points": 0, "passed": false}}}',
        b'{"exercises": {"98.1": {"attempts": -1, "points": 0, "passed": false}}}',
        b'{"exercises": {"98.1": {"points": 0, "passed": false}}}',
    ],
)
def test_a_damaged_file_is_set_aside_and_said(capsys, home, damage):
    (home / "progress.json").write_bytes(damage)
    (home / "progress.damaged-1.json").write_bytes(b"an earlier one")
    with declared():
        check("98.1", double(RIGHT))
    out = capsys.readouterr().out
    assert "3 of 3 points" in out
    assert "was damaged. It was set aside as progress.damaged-2.json" in out
    assert (home / "progress.damaged-2.json").read_bytes() == damage
    assert (home / "progress.damaged-1.json").read_bytes() == b"an earlier one"
    assert file_of(home)["98.1"]["passed"]


def test_a_full_disk_costs_the_record_and_not_the_report(capsys, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with declared():
        check("98.1", double(RIGHT))
    out = capsys.readouterr().out
    assert "3 of 3 points" in out
    assert re.search("could not be kept.*No space left on device", out)


def test_no_permission_costs_the_record_and_not_the_report(capsys, monkeypatch):
    monkeypatch.setenv("FERNBANK_HOME", "/proc/nowhere")  # not even root can write there
    monkeypatch.delenv("FERNBANK_SEED")
    with declared():
        check("98.1", double(RIGHT))
        progress()
    first, second = capsys.readouterr().out.split("How far you are")
    assert re.search("3 of 3 points.*could not be kept", first, re.DOTALL)
    assert "could not write to /proc/nowhere" in second


def test_somebody_else_holds_the_file(capsys, monkeypatch, home):
    monkeypatch.setattr(kept, "PATIENCE", 0.01)
    with declared(), kept._locked():
        check("98.1", double(RIGHT))
    assert "Another program has held" in capsys.readouterr().out


def test_progress_counts_by_notebook(capsys):
    with declared("97.1", minutes=10), declared("98.1", minutes=5), declared("98.2", minutes=7):
        check("98.1", double(RIGHT))
        kept.note("98.2", 2, False)
        capsys.readouterr()
        progress()
    first, *rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert first == "How far you are"
    assert {"97 0 of 1 0 of 3 10", "98 1 of 2 5 of 6 7"} <= set(rows)


# ---- in a real kernel ----------------------------------------------------------------------------------------


def test_interrupt_stops_the_check_and_leaves_nothing_running(home):
    kernel = Kernel(FERNBANK_HOME=str(home))
    try:
        kernel.run(f"import sys\nsys.path.insert(0, {str(Path(__file__).parent)!r})")
        kernel.run("from teach_cells import declared\nfrom labs.teach import check\nit = declared()\nit.__enter__()")
        kernel.run("def double(n):\n    while True: pass")
        request = kernel.begin("check('98.1', double)")
        process = psutil.Process(kernel.manager.provisioner.pid)
        while not any("labs" in " ".join(child.cmdline()) for child in process.children(recursive=True)):
            time.sleep(0.01)
        kernel.manager.interrupt_kernel()
        [error] = kernel.outputs(request)
        assert error["traceback"] == [
            "CheckStopped: 98.1 · stopped. Nothing is left running, nothing was recorded."
        ]
        # One that was just being started ends by itself, when it reads that nobody speaks to it.
        assert eventually(lambda: process.children(recursive=True) == [])
        assert not (home / "progress.json").exists()
        kernel.run("def double(n): return 2 * n")
        [shown] = kernel.run("check('98.1', double)")
        assert "3 of 3 points" in shown["data"]["text/plain"]
        assert "<table>" in shown["data"]["text/html"]
    finally:
        kernel.close()


def test_a_probe_that_held_but_does_not_count_yet_is_no_failure():
    held = Verdict("Script cannot read it", 1, False, "no id", "it held, but ...", "customers", waits=True)
    served = Verdict("A link finds her", 1, False, "a cookie", "none was sent", "SameSite")
    drawing = reports.draw(Report("10.3", "The cookie", "1", "failed", 0, 2, [served, held]))
    assert "– Script cannot read it" in drawing.text
    assert "✗ Script cannot read it" not in drawing.text
    assert drawing.text.count("happened") == 1
    assert reports.WAITS in drawing.text
    assert reports.WAITS in drawing.html


def test_what_waits_says_for_what():
    held = [Verdict("One", 1, False, "", why, "", waits=True) for why in (UNCHANGED, UNPROVEN)]
    drawing = reports.draw(Report("39.3", "Find", "1", "failed", 0, 2, [held[0], held[1], held[1]]))
    for sentence in (reports.KEPT, reports.WAITS_FOR_AN_ATTACK):
        assert drawing.text.count(sentence) == 1
        assert sentence in drawing.html
    assert reports.WAITS not in drawing.text


def test_an_expectation_that_the_title_has_said_is_not_said_again():
    verdict = Verdict("Ben stays", 1, False, "Ben stays", "he was out", "what is deleted")
    drawing = reports.draw(Report("10.2", "The record", "1", "failed", 0, 1, [verdict]))
    assert "expected" not in drawing.text
    assert "expected" not in drawing.html
