"""Where a learner's files are kept, and what is said when they cannot be."""

import os
import resource
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from labs.bench import BenchError, home, learner_seed
from labs.bench.state import write_atomic

NOBODY = 65534


@pytest.fixture
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("FERNBANK_HOME", str(tmp_path / "a home" / "of its own"))
    monkeypatch.delenv("FERNBANK_SEED")
    return tmp_path / "a home" / "of its own"


@pytest.fixture
def no_permission():
    """Root may write anywhere: be somebody else for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    yield
    os.seteuid(0)


def test_home_is_made(own_home):
    assert home() == own_home
    assert own_home.is_dir()


def test_home_without_the_variable_is_the_users_data_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("FERNBANK_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert home().name == "sessions-tokens-or-both"
    assert home().is_relative_to(tmp_path)


def test_the_seed_is_made_once_and_kept(own_home):
    seed = learner_seed()
    assert len(seed) == 16
    assert learner_seed() == seed
    assert (own_home / "seed").read_text() == seed + "\n"


def test_two_learners_have_two_seeds(own_home, monkeypatch, tmp_path):
    first = learner_seed()
    monkeypatch.setenv("FERNBANK_HOME", str(tmp_path / "another"))
    assert learner_seed() != first


def test_the_variable_goes_before_the_file(own_home, monkeypatch):
    kept = learner_seed()
    monkeypatch.setenv("FERNBANK_SEED", "given")
    assert learner_seed() == "given"
    monkeypatch.delenv("FERNBANK_SEED")
    assert learner_seed() == kept


def test_what_was_handed_out_brings_its_own_seed(own_home, monkeypatch, tmp_path):
    kept = learner_seed()
    monkeypatch.setattr("labs.bench.state.HANDED_OUT", tmp_path / "seed.txt")
    (tmp_path / "seed.txt").write_text("handed out\n")
    assert learner_seed() == "handed out"
    monkeypatch.setenv("FERNBANK_SEED", "given")
    assert learner_seed() == "given"
    monkeypatch.delenv("FERNBANK_SEED")
    (tmp_path / "seed.txt").write_text(" \n")
    assert learner_seed() == kept


def test_an_empty_seed_file_is_filled(own_home):
    own_home.mkdir(parents=True)
    (own_home / "seed").write_text("\n")
    assert len(learner_seed()) == 16


def test_kernels_that_start_together_agree_on_the_seed(own_home):
    code = "from labs.bench import learner_seed; print(learner_seed())"
    kernels = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(4)]
    assert len({kernel.communicate()[0] for kernel in kernels}) == 1


def test_a_written_file_has_exactly_the_text(tmp_path):
    write_atomic(tmp_path / "file", "zwei Zeilen: ä\r\nund\n")
    assert (tmp_path / "file").read_bytes() == "zwei Zeilen: ä\r\nund\n".encode()


def test_a_written_file_has_the_usual_permissions(tmp_path):
    (tmp_path / "usual").write_text("")
    write_atomic(tmp_path / "file", "text")
    usual, written = ((tmp_path / name).stat().st_mode for name in ("usual", "file"))
    assert stat.S_IMODE(written) == stat.S_IMODE(usual)


def test_a_reader_never_sees_half_a_file(tmp_path):
    file = tmp_path / "file"
    texts = ["a" * 100_000, "b" * 100_000]
    write_atomic(file, texts[0])
    with ThreadPoolExecutor(2) as threads:
        writing = [threads.submit(write_atomic, file, texts[n % 2]) for n in range(50)]
        seen = [file.read_text() for _ in range(200)]
    assert all(w.exception() is None for w in writing)
    assert set(seen) <= set(texts)
    assert os.listdir(tmp_path) == ["file"]


def test_a_full_disk_is_said_and_the_old_file_stays(tmp_path):
    file = tmp_path / "progress.json"
    write_atomic(file, "the old text")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        with pytest.raises(BenchError, match=r"could not write to .*progress\.json .*FERNBANK_HOME"):
            write_atomic(file, "a text of more than ten bytes")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert file.read_text() == "the old text"
    assert os.listdir(tmp_path) == ["progress.json"]


def test_no_permission_for_home_is_said(tmp_path, monkeypatch, no_permission):
    monkeypatch.setenv("FERNBANK_HOME", "/usr/fernbank")
    with pytest.raises(BenchError, match=r"could not write to /usr/fernbank \(.+\).*FERNBANK_HOME"):
        home()


def test_no_permission_in_home_is_said(tmp_path, monkeypatch, no_permission):
    monkeypatch.setenv("FERNBANK_HOME", "/usr")
    monkeypatch.delenv("FERNBANK_SEED")
    with pytest.raises(BenchError, match="could not write to /usr.*FERNBANK_HOME"):
        learner_seed()


def test_a_file_in_the_place_of_home_is_said(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FERNBANK_HOME", str(tmp_path / "file"))
    with pytest.raises(BenchError, match="could not write to .*file"):
        home()


def test_a_notebook_shows_the_sentence_and_no_traceback():
    code = "from labs.bench import BenchError\nraise BenchError('No room. Make some.')"
    shell = [sys.executable, "-m", "IPython", "--no-banner", "--colors=nocolor", "-c", code]
    done = subprocess.run(shell, capture_output=True, text=True)
    assert done.stdout.strip() == "BenchError: No room. Make some."
