"""What all tests share: a home of their own, one seed, the real time, and the optional parts of this machine.

A test that needs a part asks for its fixture (`redis_part`, `postgres_part`, `browser_part`) or carries the
mark `needs("redis")`, as one parameter of many may. WITHOUT=redis,postgres,browser,sandbox leaves such tests out; so
does a machine without the part, but not in CI (the variable CI), where they then fail. What was left out is
counted at the end.
"""

import hashlib
import itertools
import os
import sys
import time
from collections import Counter
from types import SimpleNamespace

import pytest

from labs import bench
from labs.bench.browser import find_browser
from labs.bench.parts import find_postgres, find_redis, left_out
from labs.classroom import sandbox

FIND = {
    "redis": find_redis,
    "postgres": find_postgres,
    "browser": find_browser,
    "sandbox": lambda: None if sandbox.why_not() else "bubblewrap",
}
LEFT_OUT = pytest.StashKey[Counter]()


@pytest.fixture(autouse=True, scope="session")
def _own_home(tmp_path_factory):
    """Tests never touch a learner's own progress, and every run has the same names and balances."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERNBANK_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("FERNBANK_SEED", "fernbank")
        yield


@pytest.fixture(autouse=True)
def _real_time():
    """A test that skips time leaves none of it to the next."""
    yield
    bench.skip.reset()


@pytest.fixture(autouse=True)
def _same_seeds(request, monkeypatch):
    """An exercise is judged with the same seeds in every run: what turns red was changed. The judge draws its own."""
    if request.path.parent.name != "exercises" or request.path.name == "test_judge.py":
        return
    numbers = itertools.count()

    def seed(octets):
        return hashlib.sha256(f"{request.node.name} {next(numbers)}".encode()).hexdigest()[: 2 * octets]

    # By its name: labs.exercises has a function that is called as this module is.
    monkeypatch.setattr(sys.modules["labs.exercises.judge"], "secrets", SimpleNamespace(token_hex=seed))


@pytest.fixture(scope="session")
def redis_part():
    """A real Redis of this test process, running at the start; a test that stops it starts it again."""
    part = bench.redis_part()
    assert part.real
    yield part
    part.close()


@pytest.fixture(scope="session")
def postgres_part():
    """A real PostgreSQL of this test process, running at the start; a test that stops it starts it again."""
    part = bench.postgres_part()
    assert part
    yield part
    part.close()


@pytest.fixture(scope="session")
def browser_part():
    """A real browser."""
    with_windows = bench.browser()
    yield with_windows
    with_windows.close()


def eventually(condition, seconds=60):
    """Wait until the condition holds, and say whether it does."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    return condition()


# Leaving out, loudly ------------------------------------------------------------------------------


def pytest_configure(config):
    config.addinivalue_line("markers", "needs(part): needs the real 'redis', 'postgres', 'browser' or 'sandbox'")
    config.stash[LEFT_OUT] = Counter()


def pytest_collection_modifyitems(config, items):
    missing = {part: why_missing(part) for part in FIND}
    gone = []
    for item in items:
        reasons = [missing[part] for part in sorted(parts_of(item)) if missing[part]]
        if reasons:
            gone.append(item)
            config.stash[LEFT_OUT][reasons[0]] += 1
    if gone:
        config.hook.pytest_deselected(items=gone)
        items[:] = [item for item in items if item not in gone]


def parts_of(item) -> set[str]:
    """Give the parts that a test needs, by its marks and its fixtures."""
    marked = {mark.args[0] for mark in item.iter_markers("needs")}
    return marked | {part for part in FIND if f"{part}_part" in getattr(item, "fixturenames", ())}


def why_missing(part: str) -> str | None:
    """Say why tests that need this part are left out; None when they run."""
    if left_out(part):
        return f"WITHOUT={part}"
    if FIND[part]() is None and not os.environ.get("CI"):
        return f"this machine has no {part}"
    return None  # in CI the test runs, and fails for want of the part


def pytest_sessionfinish(session):
    # Under pytest-xdist each worker leaves out the same tests, and the controller collects none.
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = dict(session.config.stash[LEFT_OUT])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    node.config.stash[LEFT_OUT] |= Counter(getattr(node, "workeroutput", {}).get("left_out", {}))


def pytest_terminal_summary(terminalreporter, config):
    for reason, count in sorted(config.stash[LEFT_OUT].items()):
        terminalreporter.write_line(f"LEFT OUT, {reason}: {count} tests", yellow=True, bold=True)
