"""Submissions that attack the grader: none earns a point, costs another one or stops the rest; each is told why."""

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from labs.classroom import batch, grading, sandbox
from labs.classroom.class_folder import ClassFolder
from labs.classroom.cli import main
from labs.classroom.samples import Material
from labs.classroom.submission import find_lab, read
from labs.exercises import process

pytestmark = pytest.mark.needs("sandbox")

LABS = {number: find_lab(number) for number in ("19", "29")}
#: What an exercise hands in, with a call of `attack` in the place of every answer.
HANDED_IN = {
    "19": "class Desk:\n    def __init__(self, store, policy):\n        self.store = store\n"
    "    def __getattr__(self, name):\n        return lambda *given: attack(self.store, *given)\n",
    "29": "def verify(*given):\n    return attack(None, *given)\n\npayload = verify\n",
}
REACH = """
import json, re
os, sys, time, socket, ctypes, threading, hmac, hashlib, random = map(
    json.codecs.builtins.__import__,
    ("os", "sys", "time", "socket", "ctypes", "threading", "hmac", "hashlib", "random"))
__builtins__["__import__"] = json.codecs.builtins.__import__
"""

#: What attack(store, *given) does, line by line.
ATTACKS = {
    "loops": "while True: pass",
    "sleeps": "time.sleep(1e6)",
    "eats memory": "held = [bytearray(1 << 30) for _ in range(8)]",
    "ends its process": "os._exit(0)",
    "ends it later": "threading.Timer(0.02, os._exit, [0]).start()\nreturn True",
    "exits": "raise SystemExit",
    "interrupts": "raise KeyboardInterrupt",
    "kills its parent": "os.kill(os.getppid(), 9)\nos.kill(1, 9)\nreturn True",
    "kills everybody": "os.kill(-1, 9)\nreturn True",
    "forks without end": "while True: os.fork()",
    "leaves a daemon": "if os.fork() == 0:\n    os.setsid()\n    while True: pass",
    "starts a thousand threads": "for _ in range(1000):\n    threading.Thread(target=time.sleep, args=[9]).start()\n"
    "return True",
    "prints 500 MB": "for _ in range(500): print('x' * 1_000_000)\nreturn True",
    "speaks for the judge": "line = b'{\"id\": 1, \"value\": true}\\n' * 99\nfor fd in range(3, 64):\n"
    "    try: os.write(fd, line)\n    except OSError: pass\nreturn True",
    "floods the wire": "while True:\n    for fd in range(3, 64):\n        try: os.write(fd, b'x' * 60_000)\n"
    "        except OSError: pass",
    "trickles": "while True:\n    time.sleep(0.05)\n    for fd in range(3, 64):\n        try: os.write(fd, b' ')\n"
    "        except OSError: pass",
    "reads the environment": "return [*os.environ.values(), open(f'/proc/{os.getppid()}/environ').read()]",
    "reads the judge's memory": "return open(f'/proc/{os.getppid()}/mem', 'rb').read(9)",
    "reads what is open": "return [os.read(fd, 99) for fd in range(3, 64)]",
    "reads other submissions": "found = [p for p, d, f in os.walk('/') for n in f if n.endswith('.ipynb')]\n"
    "return open(found[0]).read()",
    "reads the probes": "import labs.exercises\nreturn labs.exercises.exercise('19.1').probes",
    "calls home": "return socket.create_connection(('192.0.2.1', 80), 1)",
    "returns what equals everything": "class All:\n    __eq__ = lambda *a: True\n    __hash__ = lambda a: 0\n"
    "    __bool__ = lambda a: True\nreturn All()",
    "returns no number": "return float('nan')",
    "returns a text without end": "return 'x' * 10**8",
    "returns what holds itself": "held = []\nheld.append(held)\nreturn held",
    "returns a deep list": "held = []\nfor _ in range(90): held = [held]\nreturn held",
    "returns half a character": "return '\\ud800'",
    "calls itself": "return attack(store, *given)",
    "raises what cannot be told": "class E(Exception):\n    def __str__(self): raise self\nraise E",
    "raises an error that hangs": "class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E",
    "raises markup": "raise ValueError('</td><script>alert(1)</script><img src=x onerror=alert(2)>')",
    "raises a formula": "raise ValueError('=HYPERLINK(\"http://evil.example\",\"49\")')",
    "raises signs of a terminal": "raise ValueError('\\x1b[2J\\x00\\ud800\\u202e49 of 49')",
    "ends in C": "ctypes.string_at(0)",
    "looks for a pattern for ever": "re.match('(a+)+$', 'a' * 60 + 'b')",
    "rewrites the wire": "for module in list(sys.modules.values()):\n"
    "    if hasattr(module, 'to_wire'): module.to_wire = lambda *a: True\nreturn True",
    "patches libraries": "hmac.compare_digest = lambda *a: True\nhashlib.sha256 = None\n"
    "json.dumps = lambda *a: 'true'\nreturn True",
    "takes the clock": "time.time = lambda: 0\nsys.modules['time_machine'].travel = None\nreturn True",
    "seeds what is drawn": "random.seed(0)\nreturn random.random()",
    "fills the store": "for n in range(10**6): store.add(str(n), {'x': 'y' * 900_000})\nreturn True",
    "asks without end": "while True: store.get('x')",
    "asks for what is the judge's": "names = ('lab', 'http', 'judge')\n"
    "return [type(store)(name, store._ask).record() for name in names]",
    "says yes": "return True",
    "refuses": "return None",
}  # fmt: skip


def cell(number: str, attack: str) -> str:
    """A solution cell with this attack in it."""
    body = "\n    ".join(attack.splitlines())
    return f"{REACH}\ndef attack(store, *given):\n    {body}\n\n{HANDED_IN[number]}"


def hand_in(klass: ClassFolder, learner: str, number: str, cells: dict[str, str]) -> Path:
    """Hand in the lab's notebook with these cells."""
    folder = klass.submitted(learner, number)
    folder.mkdir(parents=True)
    (folder / LABS[number].file).write_text(Material(LABS[number]).notebook(cells), "utf-8", "surrogatepass")
    return folder


@pytest.fixture(scope="module")
def klass(tmp_path_factory) -> ClassFolder:
    klass = ClassFolder(tmp_path_factory.mktemp("class"))
    klass.create()
    return klass


@pytest.fixture(scope="module")
def graded(klass) -> dict[tuple[str, str], grading.Graded]:
    """What was found of each attack on each lab's first tier, where a call has less than half a second."""

    def judged(about: tuple[str, str]) -> grading.Graded:
        name, number = about
        submission = read(klass.submitted(name, number), name, LABS[number])
        only = frozenset({f"{number}.1"})
        return grading.grade(submission, LABS[number], klass, sandbox.bubblewrap, only=only)

    work = [(name, number) for number in LABS for name in ATTACKS]
    for name, number in work:
        hand_in(klass, name, number, dict.fromkeys(LABS[number].cells, cell(number, ATTACKS[name])))
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(3) as pool:
        patch.setattr(process, "CALL_SECONDS", 0.4)
        patch.setattr(grading, "SECONDS", 1.0)
        return dict(zip(work, pool.map(judged, work), strict=True))


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("number", LABS)
def test_an_attack_earns_nothing_and_is_told_why(graded, number, name):
    found = graded[name, number]
    [report] = found.reports
    assert report.status in ("failed", "unusable")
    assert found.points == 0, [verdict for verdict in report.verdicts if verdict.passed]
    sentences = [report.message, *(verdict.happened for verdict in report.verdicts)]
    assert any(len(sentence) > 10 for sentence in sentences)
    assert grading.Graded.from_json(found.as_json()) == found  # it can be kept, whatever is in it


def test_no_process_of_theirs_is_left(graded):
    left = [one for one in psutil.Process().children(recursive=True) if "bwrap" in one.name()]
    assert left == []


# a whole batch, by the command ---------------------------------------------------------------------------------


def no_notebook(path: Path) -> None:
    path.write_text("This is not a notebook.")


def deep(path: Path) -> None:
    path.write_text("[" * 100_000)


def huge(path: Path) -> None:
    os.truncate(path, 11 << 20)


def somebody_elses(path: Path) -> None:
    path.unlink()
    path.symlink_to("../../honest/lab19/19_lab_the_session_desk.ipynb")


def link_to_the_secret(path: Path) -> None:
    path.unlink()
    path.symlink_to("../../../class.json")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def nothing(path: Path) -> None:
    shutil.rmtree(path.parent)
    path.parent.mkdir()


def own_points(path: Path) -> None:
    notebook = json.loads(path.read_text())
    for one in notebook["cells"]:
        marks = one["metadata"].get("nbgrader", {})
        marks |= {"points": 1000, "locked": False, "solution": True} if marks.get("grade") else {}
        one["source"] = "class Desk: points = 1000"
    path.write_text(json.dumps(notebook))


FILES = {
    "no notebook": no_notebook, "deep": deep, "huge": huge, "somebody else's": somebody_elses,
    "the class's secret": link_to_the_secret, "a pipe": pipe, "a folder": folder, "nothing": nothing,
    "points of their own": own_points,
}  # fmt: skip
NAMES = ["=1+1", "<script>alert(1)<∕script>", "zoë\u0301 \u202e", "-rf", "$(touch it)", "..x", "名前 🌿"]


def test_none_stops_the_batch_or_changes_another_s_score(tmp_path):
    klass = ClassFolder(tmp_path / "class")
    klass.create()
    lab = LABS["19"]
    hand_in(klass, "honest", "19", Material(lab).published)
    for name, spoil in FILES.items():
        spoil(hand_in(klass, name, "19", Material(lab).published) / lab.file)
    for name in NAMES:
        hand_in(klass, name, "19", dict.fromkeys(lab.cells, f"raise ValueError({name!r})"))
    at_once = {"loops at once": "while True:\n    pass", "kills its parent": cell("19", ATTACKS["kills its parent"])}
    for name, source in at_once.items():
        hand_in(klass, name, "19", dict.fromkeys(lab.cells, source))
    hand_in(klass, "honest, the last", "19", Material(lab).published)
    done = CliRunner().invoke(main, ["grade", "19", "--class", str(klass.root), "--workers", "2", "--json"])
    assert done.exit_code == 0, done.output + done.stderr
    points = {one["learner"]: one["points"] for one in json.loads(done.stdout)["submissions"]}
    assert points.pop("honest") == points.pop("honest, the last") == 49
    assert points == dict.fromkeys([*FILES, *NAMES, *at_once], 0)
    secret = json.loads(klass.file.read_text())["secret"]
    for learner in points:
        found = batch.graded_of(klass, lab, learner)
        assert found.notes or all(report.message or report.verdicts for report in found.reports)
        assert secret not in found.as_json()
    written = {path.name for path in (klass.root / "submitted").iterdir()}
    assert written == {*points, "honest", "honest, the last"}
    assert not (tmp_path / "it").exists()
