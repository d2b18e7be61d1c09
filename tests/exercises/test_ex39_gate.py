"""The gate of lab 39: each flaw opens to the attacks on its place and to no other, for every learner."""

import random
from functools import cache

import pytest
from answers39_gate import RAIDS, gate, mine, raid

from labs.auth.stores import MemoryStore
from labs.exercises import ex39_gate, judge
from labs.exercises.gate_attacks import ATTACKS, attacks
from labs.exercises.malformed import TEXTS
from labs.servers.planted import FLAWS, chosen, flaws, place, places, with_flaws
from labs.servers.planted.counter import Issuer, gate_bank
from labs.servers.planted.gate import Gate, Refused
from labs.servers.planted.mallory import steal, written

NOW = 1_900_000_000.0
EACH = [flaw for found in flaws("gate").values() for flaw in found]
SEEDS = [f"learner {number}" for number in range(30)]


@cache
def tools():
    """The names that a raid has."""
    names = {}
    exec(ex39_gate.FIND.given("") + "\nimport json\n", names)
    return names


def raid_of(flaw):
    """The raid that uses a flaw, as a function of http and loot."""
    names = dict(tools())
    exec(raid([flaw]), names)
    return getattr(names["GateRaid"](), place(flaw))


def test_there_are_places_and_variants_enough():
    assert len(places("gate")) >= 9
    assert len(EACH) >= 16
    assert set(places("gate")) == set(ATTACKS)
    assert {flaw.__name__ for flaw in EACH} == set(RAIDS)


@pytest.mark.parametrize("seed", ["1", "2", "3"])
@pytest.mark.parametrize("flaw", [None, *EACH], ids=lambda flaw: flaw.__name__ if flaw else "sound")
def test_a_flaw_opens_to_attacks_on_its_place_and_to_no_other(flaw, seed):
    issuer = Issuer(random.Random(seed), NOW)
    it = with_flaws("gate", [flaw] if flaw else [])(issuer.policy, MemoryStore())
    opened = {where: [] for where in places("gate")}
    for where in places("gate"):
        for what, token in attacks(where, issuer, NOW, it.end):
            if ex39_gate.believed(it, token, NOW):
                opened[where].append(what)
    assert {where for where, found in opened.items() if found} == ({place(flaw)} if flaw else set())


@pytest.mark.parametrize("flaw", [None, *EACH], ids=lambda flaw: flaw.__name__ if flaw else "sound")
def test_a_raid_goes_in_by_its_own_place_alone(flaw):
    with_it = gate_bank(with_flaws("gate", [flaw] if flaw else []))
    lost = {other.__name__: with_it.raid(raid_of(other)) for other in EACH}
    with_it.site.stop()
    landed = {name for name, losses in lost.items() if losses}
    variants = {other.__name__ for other in flaws("gate")[place(flaw)]} if flaw else set()
    same = {name for name in variants if RAIDS[name] == RAIDS[flaw.__name__]}
    assert same <= landed <= variants


def test_what_mallory_has_is_worth_nothing_at_a_sound_gate():
    bank = gate_bank(Gate)
    for whose in ("mine", "anas"):
        for name in bank.loot()[whose]:
            assert bank.raid(lambda http, loot, whose=whose, name=name: steal(http, loot[whose][name])) == [], name
    honest = bank.loot()["mine"]
    answers = {name: bank.http("GET", "/me", {"Authorization": f"Bearer {honest[name]}"}) for name in honest}
    assert {name for name, answer in answers.items() if answer["status"] == 200} == {
        "es256", "hs256", "fair", "club", "nickname",
    }  # fmt: skip
    secrets = [key["text"] for key in bank.loot()["keys"] if key["alg"] == "HS256" and key["text"]]
    assert secrets == [bank.issuer.retired["text"]]
    bank.site.stop()


@pytest.mark.parametrize("flaw", [None, *EACH], ids=lambda flaw: flaw.__name__ if flaw else "sound")
def test_no_gate_raises_anything_but_refused(flaw):
    draw = random.Random(39)
    issuer = Issuer(draw, NOW)
    it = with_flaws("gate", [flaw] if flaw else [])(issuer.policy, MemoryStore())
    odd = [None, True, 0, 1.5, "", "x", [], ["x"], [[]], {}, {"kty": "oct"}, {"kty": "oct", "k": 5}]
    tokens = [damage(draw, issuer.token("ana", NOW)) for damage in TEXTS.values() for _ in range(10)]
    key = issuer.hs256
    for name in ("alg", "kid", "typ", "crit", "b64", "jwk"):
        tokens += [issuer.token("mallory", NOW, key, header={name: value}) for value in odd]
    for name in ("iss", "aud", "sub", "exp", "jti", "roles", "clubs", "preferred_username"):
        tokens += [issuer.token("mallory", NOW, key, **{name: value}) for value in odd]
    tokens += [written(value, value, issuer.signs(key)) for value in odd]
    tokens += [written(issuer.header(key), value, issuer.signs(key)) for value in odd]
    for token in tokens:
        assert outcome(it, token) in ("Refused", (str, list)), token


def outcome(it, token):
    """The types of what a gate gives for a token, or the name of what it raises."""
    try:
        given = it.verify(token, NOW)
    except Exception as error:
        return type(error).__name__
    return type(given["sub"]), type(given["roles"])


def test_two_banks_of_one_learner_are_alike():
    first, second = (gate_bank(Gate).issuer.policy for _ in range(2))
    assert [key["kid"] for key in first["keys"]] == [key["kid"] for key in second["keys"]]


# ---- every learner -----------------------------------------------------------------------------------------------


def test_neighbours_differ_and_every_flaw_comes_up():
    taken = [tuple(flaw.__name__ for flaw in chosen("gate", seed)) for seed in SEEDS]
    assert all(one != other for one, other in zip(taken, taken[1:], strict=False))
    assert len(set(taken)) > 25
    assert {name for one in taken for name in one} == set(RAIDS)
    assert all(len(set(mine(seed))) == FLAWS for seed in SEEDS)


@pytest.mark.parametrize("seed", SEEDS[::12])
def test_every_learner_gets_full_points_for_the_same_work(seed):
    for id, source in (("39.3", raid(chosen("gate", seed))), ("39.4", gate(mine(seed)))):
        report = judge(id, source, learner=seed)
        assert report.passed, [(one.probe, one.happened) for one in report.verdicts if not one.passed]


def test_a_neighbour_s_work_earns_what_the_two_have_in_common():
    mines, theirs = chosen("gate", SEEDS[0]), chosen("gate", SEEDS[1])
    report = judge("39.4", gate(mine(SEEDS[1])), learner=SEEDS[0])
    common = {place(flaw) for flaw in mines} & {place(flaw) for flaw in theirs}
    assert len([one for one in report.verdicts if one.passed and "flaw is mended" in one.probe]) == len(common)


def test_a_replay_gives_the_same_verdicts():
    source = gate(mine("one")[1:])
    first = judge("39.4", source, learner="one")
    again = judge("39.4", source, seed=first.seed, learner=first.learner)
    told = [[(one.probe, one.passed, one.happened) for one in report.verdicts] for report in (first, again)]
    assert told[0] == told[1]
    assert first.points == 5 + 2 * 4


# ---- what is said, and what is not ------------------------------------------------------------------------------


def said(report):
    """All that a report tells a learner about what did not hold."""
    return " ".join(
        f"{one.probe} {one.expected} {one.happened} {one.look_at} {one.exchange}"
        for one in report.verdicts
        if not one.passed
    )


def test_an_open_flaw_is_not_named_and_its_attack_not_shown():
    for seed in SEEDS[:1]:
        first, *rest = mine(seed)
        told = said(judge("39.4", gate([first]), learner=seed))
        assert [one for one in places("gate") if f"{one}" in told and one not in ("user", "split", "roles")] == []
        assert "Authorization" not in told
        one = raid([flaw for flaw in chosen("gate", seed) if place(flaw) == first])
        told = said(judge("39.3", one, learner=seed))
        assert [one for one in rest if f"{one}()" in told] == []
        assert "Authorization" not in told


def test_who_accuses_all_is_not_told_who_is_guilty():
    every = "class GateRaid:\n" + "".join(
        f"    def {one}(self, http, loot):\n        1 / 0\n" for one in places("gate")
    )
    report = judge("39.3", every)
    assert report.points == 0
    assert [one for one in places("gate") if f"{one}()" in said(report)] == []
    assert "ZeroDivisionError" not in said(report)


def test_each_mend_counts_for_itself():
    for bad in mine("fernbank")[::2]:
        good = [one for one in mine("fernbank") if one != bad]
        source = gate(good) + f"\n    def {bad}(self, *given):\n        raise Refused('Nobody.')\n"
        report = judge("39.4", source)
        assert report.points == 2 * 4, said(report)


def test_what_is_refused_is_refused_with_a_sentence():
    issuer = Issuer(random.Random(1), NOW)
    it = Gate(issuer.policy, MemoryStore())
    for where in places("gate"):
        for what, token in attacks(where, issuer, NOW, it.end):
            if ex39_gate.believed(it, token, NOW) or where in ("user", "roles", "split"):
                continue
            with pytest.raises(Refused, match=r"\w+ .*\."):
                it.verify(token, NOW)
            assert what
