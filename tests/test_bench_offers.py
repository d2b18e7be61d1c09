"""What this machine offers is looked up, not started; tests that need what is missing are left out loudly."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import conftest
from labs.bench import Offer, offers
from labs.bench.parts import Way

HERE = Path(__file__).parent
OFFERS = sys.modules["labs.bench.offers"]


@pytest.fixture
def bare_machine(monkeypatch):
    monkeypatch.delenv("WITHOUT", raising=False)
    for find in ("find_redis", "find_postgres", "find_browser"):
        monkeypatch.setattr(OFFERS, find, lambda: None)


def by_part():
    return {offer.part: offer for offer in offers()}


def test_a_machine_with_everything(bare_machine, monkeypatch):
    monkeypatch.setattr(OFFERS, "find_redis", lambda: Way("binary on this machine", "/usr/bin/redis-server"))
    monkeypatch.setattr(OFFERS, "find_postgres", lambda: Way("at FERNBANK_POSTGRES_URL", "postgresql://u:secret@h"))
    monkeypatch.setattr(OFFERS, "find_browser", lambda: Path("/usr/bin/chromium"))
    assert offers() == [
        Offer("python", f"Python {sys.version.split()[0]}", True),
        Offer("redis", "Redis (binary on this machine)", True),
        Offer("postgres", "PostgreSQL (at FERNBANK_POSTGRES_URL)", True),
        Offer("browser", "chromium (on this machine)", True),
    ]
    assert "secret" not in str(offers())


def test_a_bare_machine(bare_machine):
    found = by_part()
    assert [part for part, offer in found.items() if offer.available] == ["python"]
    assert found["redis"].what.startswith("fakeredis, inside this process")
    assert found["postgres"].what.startswith("SQLite")
    assert found["browser"].what.startswith("no browser")
    for part in ("redis", "postgres", "browser"):
        assert found[part].why == "this machine has none"
    assert "install redis-server, or set FERNBANK_REDIS_URL" in found["redis"].what_to_do
    assert "install PostgreSQL, or set FERNBANK_POSTGRES_URL" in found["postgres"].what_to_do
    assert "playwright install chromium" in found["browser"].what_to_do
    assert str(found["redis"]).endswith("(this machine has none)")


def test_what_without_hides(bare_machine, monkeypatch):
    monkeypatch.setenv("WITHOUT", "redis")
    assert by_part()["redis"].why == "WITHOUT hides it"
    assert by_part()["redis"].what_to_do == "To use it, take redis out of WITHOUT."
    assert by_part()["postgres"].why == "this machine has none"


TESTS = """
import pytest

def test_always(): pass

@pytest.mark.parametrize("store", ["memory", pytest.param("redis", marks=pytest.mark.needs("redis"))])
def test_stores(store): pass

@pytest.mark.needs("browser")
def test_marked(): pass

def test_fixture(redis_part): pass

def test_two(redis_part, postgres_part): pass
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run these tests, under our conftest, in a process of their own; give exit code and output."""
    shutil.copy(HERE / "conftest.py", tmp_path)
    (tmp_path / "test_it.py").write_text(TESTS)
    monkeypatch.setenv("PYTHONPATH", str(HERE.parent))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # loading them takes seconds

    def run(*options):
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(tmp_path), *options]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
        return done.returncode, done.stdout

    return run


@pytest.mark.parametrize("options", [[], ["-p", "xdist", "-n", "2"]], ids=["alone", "in workers"])
def test_tests_are_left_out_and_counted(run, monkeypatch, options):
    monkeypatch.setenv("WITHOUT", "redis,postgres,browser")
    code, out = run(*options)
    assert code == 0
    assert re.search(r"\b2 passed", out)
    assert "LEFT OUT, WITHOUT=browser: 1 tests" in out
    assert "LEFT OUT, WITHOUT=redis: 2 tests" in out
    assert "LEFT OUT, WITHOUT=postgres: 1 tests" in out  # it needs two parts, and is counted once


def test_a_part_that_is_named_and_does_not_run_is_no_reason_to_leave_out(run, monkeypatch):
    monkeypatch.setenv("WITHOUT", "browser,postgres")
    monkeypatch.setenv("FERNBANK_REDIS_URL", "redis://127.0.0.1:1")
    code, out = run("-k", "fixture")
    assert code == 1
    assert "named by FERNBANK_REDIS_URL does not answer" in out


def test_a_machine_without_the_part_is_loud_and_ci_is_red(monkeypatch):
    monkeypatch.delenv("WITHOUT", raising=False)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setitem(conftest.FIND, "redis", lambda: None)
    assert conftest.why_missing("redis") == "this machine has no redis"
    monkeypatch.setenv("CI", "true")
    assert conftest.why_missing("redis") is None  # the tests run, and fail
    monkeypatch.setenv("WITHOUT", "redis")
    assert conftest.why_missing("redis") == "WITHOUT=redis"
