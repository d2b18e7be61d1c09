"""The desk of lab 39: each flaw costs Ana something by its own place alone, and is seen where it is not mended."""

import inspect
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from answers import gets_full_points
from answers39_desk import RAID_ON, mend, method, raid

from labs.exercises import desk_attacks, ex39_desk, exercise, judge
from labs.exercises.desk_checks import CHECKS
from labs.exercises.desk_raid import a_page, carry_out, raided, rehearsal
from labs.exercises.desk_tools import log_in, read
from labs.exercises.lab import Lab, ProbeFailed
from labs.exercises.process import LearnerError, Process
from labs.exercises.raids import ORDINALS, drawn
from labs.servers.planted import FLAWS, alone, chosen, flaws, place, places, planted, source, source_with, with_flaws
from labs.servers.planted.desk import Desk

EACH = [flaw for found in flaws("desk").values() for flaw in found]
SEEDS = [f"learner {number}" for number in range(30)]
by_name = pytest.mark.parametrize("flaw", EACH, ids=lambda flaw: flaw.__name__)


def lands(attack, these, seed="seed"):
    """Whether an attack costs Ana something in a bank with these flaws."""
    lab = Lab(SimpleNamespace(mount=lambda lab: lab.app), None, seed)
    try:
        raided(lab, with_flaws("desk", these))
        return carry_out(lab, attack)
    finally:
        lab.close()


# ---- what is planted -----------------------------------------------------------------------------------------


def test_there_are_places_and_variants_enough():
    assert len(places("desk")) >= 9
    assert len(EACH) >= 16
    assert set(places("desk")) == set(CHECKS) == set(desk_attacks.PLACES)
    assert all(desk_attacks.of_place(where) for where in places("desk"))
    assert {flaw.__name__ for flaw in EACH} == set(RAID_ON)


@by_name
def test_a_flaw_is_one_method_with_its_source_beside_it(flaw):
    own = [name for name, member in vars(flaw).items() if inspect.isfunction(member)]
    assert own == [place(flaw)]
    assert inspect.signature(getattr(flaw, place(flaw))) == inspect.signature(getattr(Desk, place(flaw)))
    assert "# VULNERABLE" in inspect.getsource(flaw)
    assert flaw.__doc__


@by_name
def test_the_text_differs_in_that_method_and_says_nothing_of_it(flaw):
    sound, text = source_with("desk", []), source_with("desk", [flaw])
    assert method(place(flaw)) in sound
    assert method(place(flaw)) not in text
    assert text.count('"""') == sound.count('"""')
    assert "VULNERABLE" not in text
    assert "#" not in text
    name = flaw.__name__
    assert name not in text


def test_every_place_is_somebody_s_and_neighbours_differ():
    theirs = [chosen("desk", seed) for seed in SEEDS]
    assert {place(flaw) for one in theirs for flaw in one} == set(places("desk"))
    assert all(len({place(flaw) for flaw in one}) == FLAWS for one in theirs)
    sets = [frozenset(one) for one in theirs]
    assert len(set(sets)) == len(SEEDS)
    assert all(len(one - other) >= 2 for one, other in zip(sets, sets[1:], strict=False))


def test_what_is_planted_follows_from_the_seed(monkeypatch):
    assert chosen("desk", "x") == chosen("desk", "x")
    monkeypatch.setenv("FERNBANK_SEED", "x")
    assert chosen("desk") == chosen("desk", "x")
    assert source("desk") == source("desk", "x")
    assert planted("desk").__name__ == "Desk"


# ---- attacks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", dict.fromkeys(RAID_ON.values()))
def test_a_raid_lands_at_its_own_place_and_at_no_other(name):
    attack = getattr(desk_attacks, name)
    assert not lands(attack, [])
    landed = {flaw for flaw in EACH if lands(attack, [flaw])}
    assert {flaw for flaw in EACH if RAID_ON[flaw.__name__] == name} <= landed
    assert len({place(flaw) for flaw in landed}) == 1


@by_name
def test_a_raid_is_evidence_in_company(flaw):
    """Where every other place is flawed, in one way or the other, the raid still lands nowhere else."""
    attack = getattr(desk_attacks, RAID_ON[flaw.__name__])
    for which in (0, -1):
        others = [found[which] for where, found in flaws("desk").items() if where != place(flaw)]
        assert not lands(attack, others), [one.__name__ for one in others if lands(attack, [one])]


def test_a_sound_desk_loses_nothing_to_any_attack():
    assert [a.__name__ for where in places("desk") for a in desk_attacks.of_place(where) if lands(a, [])] == []


# ---- what is judged ------------------------------------------------------------------------------------------


@contextmanager
def handed_in(text, given):
    """A lab with the learner's cell in it."""
    with Process(text, exercise("39.2").imports, given=given) as process:
        lab = Lab(exercise("39.2"), process, "seed", learner="somebody")
        try:
            yield lab
        finally:
            lab.close()


@by_name
def test_a_flaw_that_is_left_is_seen_and_a_sound_method_in_its_place_is_enough(flaw):
    where, text = place(flaw), alone("desk", flaw)

    def judged(lab):
        ex39_desk.serves(lab, CHECKS[where], text)
        ex39_desk.resists(lab, where, text)

    with handed_in("class MyDesk(Desk):\n    pass", text) as lab, pytest.raises((ProbeFailed, LearnerError)):
        judged(lab)
    with handed_in(mend("", places=[where]), text) as lab:
        judged(lab)


@by_name
def test_what_no_raid_can_show_is_not_all_that_shows_it(flaw):
    """The attacks alone find each flaw, too: an answer that fits the checks alone does not pass."""
    text = alone("desk", flaw)
    with handed_in("class MyDesk(Desk):\n    pass", text) as lab, pytest.raises(ProbeFailed):
        ex39_desk.resists(lab, place(flaw), text)


@pytest.mark.parametrize("seed", SEEDS[:6])
def test_anybody_s_raid_passes(seed):
    report = judge("39.1", raid(seed), seed="1", learner=seed)
    assert (report.points, report.of) == (6, 6), [one.happened for one in report.verdicts]


@pytest.mark.parametrize("seed", SEEDS[6:9])
def test_anybody_s_mend_passes(seed):
    report = judge("39.2", mend(seed), seed="1", learner=seed)
    assert (report.points, report.of) == (15, 15), [one.happened for one in report.verdicts]


def test_a_bad_mend_costs_its_own_points_alone():
    broken = mend("fernbank", "def token(self, id): raise KeyError('secret')")
    report = judge("39.2", broken, seed="1", learner="fernbank")
    its_own = f"The {ORDINALS[[place(one) for one in drawn('desk', 'fernbank')].index('token')]} flaw is mended"
    [bad, whole] = [one.probe for one in report.verdicts[3:] if not one.passed]
    assert bad.startswith(its_own)
    assert whole == exercise("39.2").probes[-1].title


def test_another_learner_s_raid_earns_no_more_than_the_two_have_in_common():
    common = {place(one) for one in chosen("desk", "fernbank")} & {place(one) for one in chosen("desk", "another")}
    report = judge("39.1", raid("fernbank"), seed="1", learner="another")
    assert report.points <= len(common) < FLAWS
    assert not report.verdicts[0].passed


def test_a_replay_gives_the_same_verdicts():
    text = raid("fernbank", token="token_by_name")
    reports = [judge("39.1", text, seed="7", learner="fernbank") for _ in range(2)]
    told = [[(one.passed, one.happened) for one in report.verdicts] for report in reports]
    assert told[0] == told[1]
    assert reports[0].learner == "fernbank"


def test_the_report_is_no_list_of_the_flaws():
    """What is said of an empty accusation is the same whether the place is flawed or not."""
    said = set()
    for where in places("desk"):
        text = f"class DeskRaid:\n    def {where}(self, http, ana, me): pass"
        report = judge("39.1", text, seed="1", learner="fernbank")
        verdicts = [(one.passed, one.happened, one.expected, one.look_at) for one in report.verdicts]
        said.add(str(verdicts).replace(f"{where}()", "it()"))
    assert len(said) == 1


def test_a_stub_is_not_attempted():
    stub = "    def __init__(self, *given):\n        raise NotImplementedError('Exercise')"
    assert judge("39.1", f"class DeskRaid:\n{stub}").status == "not attempted"
    assert judge("39.2", f"class MyDesk(Desk):\n{stub}").status == "not attempted"


# ---- Ana -----------------------------------------------------------------------------------------------------


def test_ana_hands_over_nothing_that_is_still_worth_something():
    _, _, ana, _ = rehearsal(Desk)
    ana("log in", "phone")
    with pytest.raises(ValueError, match="nobody gets at phone yet"):
        ana("left behind", "phone")
    with pytest.raises(ValueError, match="1 to 48 hours"):
        ana("leave", "phone", hours=0.5)
    with pytest.raises(ValueError, match="10 to 48 hours"):
        ana("leave", "phone", hours=2, busy=True)
    with pytest.raises(ValueError, match="knows no step 'give it to me'"):
        ana("give it to me")
    ana("log out everywhere", "tablet")  # where nobody is logged in
    with pytest.raises(ValueError, match="nobody gets at phone yet"):
        ana("left behind", "phone")
    ana("log out", "phone")
    assert ana("left behind", "phone")
    ana("log in", "phone")
    with pytest.raises(ValueError, match="nobody gets at phone yet"):
        ana("left behind", "phone")


def test_ana_logs_out_whom_she_finds_logged_in():
    site, http, ana, me = rehearsal(Desk)
    ana("sit down", cookies=dict([log_in(http, me)]))
    ana("write a note")
    assert site.record.lost("ana") == []


@pytest.mark.parametrize(
    "page",
    [
        {"host": "app.fernbank.localhost"},
        {"host": "fernbank.localhost"},
        {"host": "other.fernbank.localhost"},
        {"host": "app.fernbank.localhost:80"},
        {"host": "mallory.example"},
        {"method": "DELETE"},
        {"enctype": "application/json"},
        {"path": "transfer"},
        {"path": "/ transfer\r\nX: y"},
        {"fields": {"amount": 7}},
    ],
)
def test_mallory_has_no_such_page(page):
    with pytest.raises((ValueError, TypeError)):
        a_page(page)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_the_page_says_of_a_simple_form_holds_for_everybody(seed):
    site, http, ana, me = rehearsal(planted("desk", seed))
    name, id = log_in(http, me)
    assert read(http, name, id) == 200
    ana("log in")
    ana("visit", page={"path": "/transfer", "fields": {"to": "mallory", "amount": "7"}})
    assert site.log[-1].status == 403
    assert site.record.lost("ana") == []


def test_a_rehearsal_is_the_same_bank():
    gets_full_points("39.1", raid("fernbank"))
    site, *means = rehearsal(planted("desk", "fernbank"))
    desk_attacks.token_of_mallory(*means)
    assert [str(one) for one in site.record.lost("ana")] == ["ana moved 7 of their own ferns to mallory"]
