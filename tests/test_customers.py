"""Customers follow from the seed, differ from each other, and have what the lessons need."""

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.bench import BenchError, learner_seed
from labs.servers import customers

MODULE = sys.modules["labs.servers.customers"]  # by import one gets the function of the same name
SEEDS = [f"seed {n}" for n in range(200)]


def test_a_seed_gives_the_same_customers_for_ever():
    # Written out: stored outputs of notebooks and old reports hang on these very values.
    ana, ben, mallory = customers("fern").values()
    assert (ana.name, ana.password, ana.balance) == ("ana", "dapper-ibex-1158", 1820)
    assert ana.notes[0] == "The alarm at home is switched off with 6777-LAPWING."
    assert (ben.name, ben.balance, mallory.name, mallory.balance) == ("ben", 1170, "mallory", 80)


def test_without_a_seed_it_is_the_learners(monkeypatch):
    monkeypatch.setenv("FERNBANK_SEED", "somebody's own")
    assert customers() == customers(learner_seed()) == customers("somebody's own")


def test_every_learner_has_other_secrets():
    banks = [customers(seed) for seed in SEEDS]
    assert len({bank["ana"].password for bank in banks}) > 195
    assert len({bank["ana"].notes[0] for bank in banks}) > 195
    assert len({bank["ana"].balance for bank in banks}) > 100


@given(st.text(st.characters()))
def test_any_seed_gives_a_bank_that_the_lessons_can_use(seed):
    ana, ben, mallory = customers(seed).values()
    assert 1_100 <= ana.balance <= 5_000
    assert 1_100 <= ben.balance <= 5_000
    assert ana.balance != ben.balance
    assert 10 <= mallory.balance < 100
    for one in (ana, ben, mallory):
        assert len(one.notes) == len(set(one.notes)) == 3
    assert len({one.password for one in (ana, ben, mallory)}) == 3
    assert len({one.notes[0] for one in (ana, ben, mallory)}) == 3


def test_a_missing_list_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(MODULE, "DATA", tmp_path)
    MODULE._data.cache_clear()
    (tmp_path / "words.json").write_text("{")
    with pytest.raises(BenchError, match="cannot be read"):
        customers("fern")


def test_the_lists_have_no_line_twice_and_every_secret_has_its_place():
    for file in ("words.json", "notes.json"):
        for name, lines in json.loads((MODULE.DATA / file).read_text("utf-8")).items():
            assert len(lines) == len(set(lines)), (file, name)
    assert all("{code}" in line for line in json.loads((MODULE.DATA / "notes.json").read_text("utf-8"))["secret"])
