"""What a learner's code can see and do when an instructor judges it: nothing but its own empty room."""

import os
import socket
import sys
import time

import psutil
import pytest

from labs.classroom import sandbox
from labs.exercises.process import LearnerError, Process

pytestmark = pytest.mark.needs("sandbox")

#: A cell may not import os; whoever is after more finds it all the same.
REACH = """
import json
os, socket, ctypes, threading = map(json.codecs.builtins.__import__, ("os", "socket", "ctypes", "threading"))
"""


def ask(what: str, within=sandbox.bubblewrap, before: str = "", allowed=("json",)):
    """What `ask()`, a function with this body, returns from within the sandbox."""
    body = "\n    ".join(what.strip().splitlines())
    with Process(f"{REACH}{before}\ndef ask():\n    {body}", allowed, within=within) as process:
        process.load(1_900_000_000.0)
        return process.call("ask", [], 1_900_000_000.0)


def refused(what: str, **options) -> str:
    with pytest.raises(LearnerError) as raised:
        ask(what, **options)
    return f"{raised.value.type}: {raised.value.said}"


def test_it_sees_no_file_of_the_course_or_of_anybody(tmp_path):
    (tmp_path / "another learner.ipynb").write_text("{}")
    ours = [str(sandbox.LEARNER.parent / "ex19.py"), str(sandbox.LEARNER.parents[2] / "solutions"), str(tmp_path)]
    assert ask(f"return [os.path.exists(path) for path in {ours}]", within=list) == [True] * 3  # outside it does
    assert ask(f"return [os.path.exists(path) for path in {ours}]") == [False] * 3
    assert ask("return [os.getcwd(), os.listdir()]") == [sandbox.SCRATCH, []]
    assert ask("return os.path.exists('/etc/passwd')") is False


def test_it_can_write_only_into_its_own_scratch():
    for path in (sys.prefix, str(sandbox.LEARNER), "/usr", "/proc"):
        assert "Error" in refused(f"open({path + '/mine'!r}, 'w')")
    assert ask("open('mine', 'w').write('x')\nreturn os.listdir()") == ["mine"]
    assert ask("return os.listdir()") == []
    assert "No space left" in refused("for n in range(100):\n    open(str(n), 'wb').write(bytes(1 << 20))")
    assert "File too large" in refused("open('one', 'wb').write(bytes(3 << 20))")


def test_it_has_no_network():
    assert "Network is unreachable" in refused("socket.create_connection(('192.0.2.1', 80), 1)")  # RFC 5737: nobody's
    assert ask("return [name for _, name in socket.if_nameindex()]") == ["lo"]  # its own, where nobody listens


def test_it_cannot_reach_a_server_of_this_machine():
    with socket.create_server(("127.0.0.1", 0)) as server:
        knock = f"return socket.socket().connect_ex({server.getsockname()!r})"
        assert ask(knock, within=list) == 0
        assert ask(knock) != 0


def test_it_sees_neither_the_environment_nor_the_descriptors_of_the_judge(monkeypatch, tmp_path):
    monkeypatch.setenv("CLASS_SECRET", "of the judge")
    with open(tmp_path / "secret", "w") as secret:
        os.set_inheritable(secret.fileno(), True)
        assert "CLASS_SECRET" not in ask("return dict(os.environ)")
        assert "CLASS_SECRET" not in ask("return dict(os.environ)", within=list)  # nor without a sandbox
        held = ask("return [os.readlink(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd')[:-1]]")
    assert not any("secret" in name for name in held)
    assert all(name.startswith(("pipe:", "/dev/null", "anon_inode:", "/proc")) for name in held)


def test_it_sees_no_other_process_and_is_nobody():
    commands = "return [open(f'/proc/{n}/cmdline').read() for n in os.listdir('/proc') if n.isdigit()]"
    seen = ask(commands)
    assert all("bwrap" in one or "exercises/learner" in one for one in seen), seen
    assert ask("return os.getuid()") == int(sandbox.NOBODY)
    assert ask("return os.uname().nodename") == "fernbank"


@pytest.mark.parametrize("within", [sandbox.bubblewrap, list], ids=["in the sandbox", "not isolated"])
def test_it_starts_no_other_process(within):
    for start in ("os.fork()", "os.execv('/bin/true', ['true'])", "os.posix_spawn('/bin/true', ['true'], {})"):
        assert refused(start, within=within).startswith("PermissionError"), start
    spawn = "ctypes.CDLL(None).vfork.restype\nreturn ctypes.CDLL(None).syscall(56, 17, 0, 0, 0, 0)"  # clone(SIGCHLD)
    assert ask(spawn, within=within) == -1
    thread = "seen = []\nt = threading.Thread(target=seen.append, args=[1])\nt.start()\nt.join()\nreturn seen"
    assert ask(thread, within=within) == [1]


def test_it_gets_two_gigabytes_and_no_more():
    assert ask("return len(bytes(1 << 30))") == 1 << 30
    assert refused("return len(bytes(3 << 30))").startswith("MemoryError")


def test_it_ends_with_the_judge():
    with Process("def ask():\n    while True:\n        pass", within=sandbox.bubblewrap) as process:
        process.load(1_900_000_000.0)
        inside = psutil.Process(process._popen.pid).children(recursive=True)
        assert inside
    deadline = time.monotonic() + 60
    while any(one.is_running() for one in inside) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(one.is_running() for one in inside)


def test_where_it_cannot_work_it_says_why(monkeypatch):
    def said(**changes) -> str:
        sandbox.why_not.cache_clear()
        with monkeypatch.context() as patch:
            for name, value in changes.items():
                patch.setattr(sandbox, name, value)
            try:
                return sandbox.why_not()
            finally:
                sandbox.why_not.cache_clear()

    assert said() == ""
    assert "WSL" in said(sys=type("mac", (), {"platform": "darwin"}))
    assert "not here" in said(shutil=type("bare", (), {"which": staticmethod(lambda name: None)}))
    forbidden = ["sh", "-c", "echo 'bwrap: No permissions to create new namespace' >&2; exit 1"]
    assert "No permissions to create" in said(bubblewrap=lambda command: forbidden)
