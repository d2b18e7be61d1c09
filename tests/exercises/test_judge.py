"""The judge itself: whatever a hand-in does, it gets a sentence, the next probe runs, and nothing is left behind."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from labs.exercises import Exercise, Report, judge, process
from labs.exercises import exercise as registry
from labs.exercises.exercise import BASICS, _registry
from labs.exercises.process import LEARNER


@pytest.fixture
def declare():
    """Declare an exercise for one test."""
    before = dict(_registry)
    yield lambda **options: Exercise("99.1", "A trial", **options)
    _registry.clear()
    _registry.update(before)


@pytest.fixture
def double(declare):
    """An exercise in two probes: `double(n)` returns twice n, once for a drawn number and once for text."""
    trial = declare(defines=("double",), imports=BASICS | {"os", "sys", "threading"})

    @trial.customer("It doubles a number", look_at="the arithmetic")
    def number(lab):
        n = lab.random.randrange(1000)
        got = lab.call("double", n)
        lab.expect(got == 2 * n, f"{2 * n} for {n}", f"it was {got!r:.60}")

    @trial.probe("It doubles a text")
    def text(lab):
        got = lab.call("double", "ab")
        lab.expect(got == "abab", "abab for ab", f"it was {got!r:.60}")

    return trial


RIGHT = "def double(n):\n    return 2 * n"
# What is done for a number; a text is doubled as it should be, so the second probe shows that the judge went on.
FIRST = "def double(n):\n    if isinstance(n, str):\n        return 2 * n\n    "


def test_a_right_hand_in_passes_and_the_report_survives_json(double):
    report = judge("99.1", RIGHT)
    assert (report.status, report.points, report.of) == ("passed", 2, 2)
    assert Report.from_json(report.as_json()) == report


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        pytest.param("raise ValueError('so much')", "raised ValueError: so much at line 4", id="raises"),
        pytest.param("while True: pass", "did not come back within 4 seconds", id="endless loop"),
        pytest.param(
            "import re; return re.match('(a+)+$', 'a' * 60 + 'b')", "did not come back", id="endless expression"
        ),
        pytest.param("import time; time.sleep(60)", "did not come back", id="sleeps"),
        pytest.param("raise SystemExit", "called exit", id="exits"),
        pytest.param("exit()", "exit", id="exits by name"),
        pytest.param("import os; os._exit(0)", "ended the process", id="_exit"),
        pytest.param("import os; os.kill(os.getpid(), 9)", "ended the process", id="kills itself"),
        pytest.param("import os; os.closerange(3, 99)", "ended the process", id="closes the wire"),
        pytest.param("return object()", "returned an object of type object", id="no plain data"),
        pytest.param("return {1: 2}", "which is not text", id="number as key"),
        pytest.param("return 'x' * 3_000_000", "more than 1,000,000 characters", id="a flood returned"),
        pytest.param("x = []\n    for _ in range(9999): x = [x]\n    return x", "nested more than 100", id="deep"),
        pytest.param("return double(n)", "RecursionError", id="recursion"),
        pytest.param("return [0] * 10**11", "MemoryError", id="memory"),
        pytest.param("return undefined", "a cell stands alone", id="a name it lacks"),
        pytest.param("return __import__('socket')", "may not import socket", id="a hidden import"),
        pytest.param("raise type('E', (BaseException,), {})('odd')", "raised E: odd", id="odd exception"),
        pytest.param("return type('E', (int,), {'__eq__': lambda *a: True})()", "of type E", id="equals everything"),
        pytest.param("return True", "it was True", id="just wrong"),
    ],
)
def test_whatever_it_does_it_gets_a_sentence_and_the_next_probe_runs(double, body, sentence):
    report = judge("99.1", FIRST + body)
    number, text = report.verdicts
    assert not number.passed
    assert sentence in number.happened
    assert text.happened in ("", "it held, but it counts only once the customers of this exercise are served")
    assert report.points == 0
    assert left_behind() == []


def left_behind():
    """The learners' processes that this process still has."""
    return [child for child in psutil.Process().children(recursive=True) if str(LEARNER) in child.cmdline()]


@pytest.mark.parametrize(
    "body",
    [
        "print('x' * 100_000_000); return 2 * n",
        "import os; os.write(1, b'x' * 1000); return 2 * n",
        "import os; os.write(2, b'x' * 1000); return 2 * n",
        "import threading; threading.Thread(target=print, args=['hello']).start(); return 2 * n",
        "try: input()\n    except EOFError: return 2 * n",
    ],
    ids=["prints a flood", "writes to descriptor 1", "writes to descriptor 2", "starts a thread", "asks for input"],
)
def test_harmless_oddities_do_not_cost_points(double, body):
    report = judge("99.1", FIRST + body)
    assert report.status == "passed"
    assert len(report.printed) <= 2000


def test_what_it_printed_is_in_the_report(double):
    assert "so 4" in judge("99.1", "def double(n):\n    print('so', 4)\n    return 2 * n").printed


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("def double(n:", "not valid Python"),
        ("\0", "not valid Python"),
        ("import jwt\n" + RIGHT, "may not import jwt"),
        ("from labs.auth import sessions\n" + RIGHT, "may not import labs.auth"),
        ("def triple(n): pass", "does not define double"),
        ("raise KeyError('early')\n" + RIGHT, "Your cell raised KeyError"),
        ("while True: pass", "did not come back"),
        ("def double(n):\n    return " + "(" * 500 + ")" * 500, "not valid Python"),
    ],
)
def test_a_cell_that_cannot_run_is_unusable_and_says_why(double, source, sentence):
    report = judge("99.1", source)
    assert report.status == "unusable"
    assert sentence in report.message
    assert report.points == 0


def test_a_stub_is_not_attempted_and_a_half_finished_cell_is_judged(double):
    assert judge("99.1", "def double(n):\n    raise NotImplementedError").status == "not attempted"
    half = judge("99.1", FIRST + "raise NotImplementedError('the numbers')")
    assert half.status == "failed"
    assert half.verdicts[0].happened == "double is not written yet"


def test_attack_points_count_only_when_customers_are_served(double):
    report = judge("99.1", "def double(n):\n    return 'abab'")
    assert report.points == 0
    assert "counts only once" in report.verdicts[1].happened


def test_a_seed_replays_and_without_one_every_check_draws_afresh(declare):
    trial = declare(defines=("f",))
    drawn = []
    trial.probe("Anything")(lambda lab: drawn.append((lab.random.random(), lab.now)))
    first = judge("99.1", "def f(): pass")
    judge("99.1", "def f(): pass", seed=first.seed)
    judge("99.1", "def f(): pass")
    assert drawn[0] == drawn[1] != drawn[2]


def nothing_starts(command):
    return [sys.executable, "-c", ""]


@pytest.mark.parametrize("when", ["at once", "in a probe"])
def test_a_process_that_does_not_start_is_no_fault_of_the_learner_s(declare, monkeypatch, when):
    trial = declare(defines=("f",))
    starts = iter([list] if when == "in a probe" else [])

    @trial.probe("It survives a restart")
    def probe(lab):
        lab.restart()

    report = judge("99.1", "def f(): pass", within=lambda command: next(starts, nothing_starts)(command))
    assert (report.status, report.points, report.verdicts) == ("not judged", 0, [])
    assert "this machine is very busy" in report.message
    monkeypatch.setattr(process, "START_SECONDS", 0.05)
    hangs = [sys.executable, "-c", "import time; time.sleep(60)"]
    assert judge("99.1", "def f(): pass", within=lambda command: hangs).status == "not judged"


def test_mutated_arguments_are_said(declare):
    trial = declare(defines=("f",))
    trial.probe("It leaves its argument alone")(lambda lab: lab.call("f", {"user": "ana"}, [1]))
    report = judge("99.1", "def f(record, list):\n    list.append(2)")
    assert "changed its argument number 2" in report.verdicts[0].happened


def test_the_clock_is_the_probes_and_moves_with_it(declare):
    trial = declare(defines=("now",))

    @trial.probe("Time")
    def probe(lab):
        before = lab.call("now")
        lab.skip(hours=2, minutes=3)
        assert lab.call("now") - before == 2 * 3600 + 180
        assert before == lab.start == int(before)
        assert lab.when() == "at 2 h 3 min "

    assert judge("99.1", "import time\ndef now():\n    return time.time()").passed


STORE = """
def f(store):
    return [store.get("a"), store.add("a", {"n": 1}), store.add("a", {"n": 2}), store.replace("a", {"n": 2}, {}),
            store.replace("a", {"n": 1}, {"n": 3}), store.get("a"), store.delete("a"), store.delete("a")]
"""


def test_the_store_is_the_judges_and_wrong_use_of_it_is_told(declare):
    trial = declare(defines=("f",))
    seen = []
    trial.probe("The store")(lambda lab: seen.append(lab.call("f", lab.remote("store"))))
    judge("99.1", STORE)
    assert seen == [[None, True, False, False, True, {"n": 3}, True, False]]
    for call, sentence in {
        "store.put('a', {})": "store has no put()",
        "store.records": "'function' object",
        "store.add('a', 5)": "keeps dicts, not int",
        "store.get(b'a')": "a key that is text",
        "store.add('a', {'x': object()})": "takes plain data",
    }.items():
        use = f"{call}['x']" if call == "store.records" else call
        happened = judge("99.1", f"def f(store):\n    return {use}").verdicts[0].happened
        assert sentence.replace("'function' object", "not subscriptable") in happened


@pytest.mark.parametrize(("catches", "passed"), [(False, True), (True, False)])
def test_a_store_that_is_down_raises_in_the_learners_code(declare, catches, passed):
    from labs.auth.stores import StoreDown

    trial = declare(defines=("f",))

    @trial.probe("An outage is passed on")
    def probe(lab):
        lab.store.down = True
        try:
            lab.call("f", lab.remote("store"))
        except StoreDown:
            return
        lab.expect(False, "StoreDown", "it was caught")

    caught = "def f(store):\n    try: return store.get('a')\n    except Exception: return None"
    assert judge("99.1", caught if catches else "def f(store):\n    return store.get('a')").passed is passed


def test_an_answer_is_plain_data_and_none_is_not_attempted(declare):
    trial = declare(kind="answer")

    @trial.probe("The number of the seed")
    def probe(lab):
        lab.expect(lab.answer == [1, 2], "[1, 2]", f"it was {lab.answer}")

    assert judge("99.1", answer=None).status == "not attempted"
    assert judge("99.1", answer=[1, 2]).passed
    assert judge("99.1", answer=3).status == "failed"


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ("return [1, 2]", "passed", ""),
        ("return 3", "failed", ""),
        ("raise NotImplementedError", "not attempted", ""),
        ("return None", "not attempted", ""),
        ("return 1 / 0", "unusable", "Your f raised ZeroDivisionError"),
        ("return object()", "unusable", "Your f returned an object of type object"),
    ],
)
def test_an_answer_may_be_what_a_function_returns(declare, body, status, message):
    trial = declare(kind="answer", defines=("f",))

    @trial.probe("The number of the seed")
    def probe(lab):
        lab.expect(lab.answer == [1, 2], "[1, 2]", f"it was {lab.answer}")

    report = judge("99.1", f"def f():\n    {body}\n")
    assert report.status == status
    assert report.message.startswith(message)
    assert bool(report.message) == bool(message)


ATTACK = """
def attack(http):
    answer = http("GET", "/balance", {"Cookie": "sid=1"}, None)
    return [answer["status"], http("GET", "/health")["body"], http("POST", "/login", body="{")["status"]]
"""


def test_an_attack_is_given_http_and_nothing_else(declare):
    from labs.auth.sessions import Sessions
    from labs.auth.stores import MemoryStore

    trial = declare(kind="attack", defines=("attack",), mount=lambda lab: lab.bank(Sessions(MemoryStore())))
    seen = []

    @trial.probe("It reaches the bank")
    def probe(lab):
        seen.append(lab.call("attack", lab.http("mallory")))
        assert {one.person for one in lab.site.log} == {"mallory"}

    report = judge("99.1", ATTACK)
    assert report.passed, report
    status, health, malformed = seen[0]
    assert (status, malformed) == (401, 400 if malformed == 400 else 415)
    assert "ok" in health


FORGERIES = {
    "answers for itself": """
        import json
        import os
        for fd in range(3, 12):
            for id in range(1, 9):
                try: os.write(fd, json.dumps({"id": id, "value": "abab", "printed": ""}).encode() + b"\\n")
                except OSError: pass
    """,
    "patches the wire": """
        import json
        sys = __import__("sys")
        sys.modules["plain"].to_wire = lambda value, depth=0: "abab"
        sys.modules["plain"].line = lambda message: b"passed\\n"
    """,
    "writes garbage": """
        for fd in range(3, 12):
            try: os.write(fd, b'{"passed": true}\\n[]\\n7\\n')
            except OSError: pass
    """,
    "floods the wire": """
        for fd in range(3, 12):
            try: os.write(fd, b'x' * 5_000_000)
            except OSError: pass
    """,
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_a_forger_gets_no_point_that_was_not_earned(double, forgery):
    lines = "\n".join(
        "    " + line.strip() if not line.startswith("         ") else "    " + line[8:]
        for line in forgery.strip("\n").splitlines()
    )
    report = judge("99.1", "import os, secrets\ndef double(n):\n" + lines + "\n    return 3")
    assert report.points == 0
    assert left_behind() == []


def test_the_learners_process_sees_nothing_of_the_judge(double):
    source = """
import secrets
def double(n):
    sys = __import__("sys")
    return sorted(name for name in sys.modules if name.startswith("labs") or name == "flask")
"""
    assert judge("99.1", source).verdicts[0].happened == "it was []"


def test_ctrl_c_leaves_nothing_running(double, tmp_path):
    cell = tmp_path / "interrupted.py"
    cell.write_text(
        "import os, signal, threading\n"
        "from labs.exercises import judge\n"
        "from labs.exercises import process\n"
        "process.CALL_SECONDS = 60\n"
        "threading.Timer(1.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()\n"
        "try:\n"
        "    judge('10.1', 'def new_id():\\n    while True: pass')\n"
        "except KeyboardInterrupt:\n"
        "    import psutil\n"
        "    print('left', len(psutil.Process().children(recursive=True)))\n"
    )
    done = subprocess.run([sys.executable, cell], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "left 0", done


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
@pytest.mark.parametrize("loop", ["while True: pass", "import re; re.match('(a+)+$', 'a' * 60 + 'b')"])
def test_a_killed_judge_leaves_nothing_running(tmp_path, loop):
    cell = tmp_path / "killed.py"
    cell.write_text(
        "from labs.exercises import judge, process\n"
        "process.CALL_SECONDS = 60\n"
        f"judge('10.1', \"def new_id():\\n    {loop}\")\n"
    )
    judging = subprocess.Popen([sys.executable, cell])
    learner = wait_for(lambda: next(iter(psutil.Process(judging.pid).children()), None))
    wait_for(lambda: learner.cpu_times().user > 0.5)
    os.kill(judging.pid, signal.SIGKILL)
    judging.wait()
    assert wait_for(lambda: not learner.is_running() or learner.status() == psutil.STATUS_ZOMBIE)


def wait_for(condition, seconds=30):
    """What `condition()` gives as soon as it is true."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)
    return value


def test_an_unknown_exercise_is_said():
    from labs.exercises import UnknownExercise

    with pytest.raises(UnknownExercise, match="There is no exercise '98.7'"):
        registry("98.7")


def test_what_raises_is_looked_at_where_it_raised(double):
    verdict = judge("99.1", FIRST + "return undefined").verdicts[0]
    assert verdict.look_at == "line 4 of your cell"


def test_what_held_but_does_not_count_says_that_it_waits(double):
    number, text = judge("99.1", "def double(n):\n    return 'abab'").verdicts
    assert (number.waits, text.waits, text.passed) == (False, True, False)
