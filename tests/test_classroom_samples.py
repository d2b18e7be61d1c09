"""The class of nobody: each sample is what its name says, so that whoever tries the course sees what grading does."""

import json

import pytest
from a_class import FULL
from click.testing import CliRunner

from labs.classroom.class_folder import ClassFolder
from labs.classroom.cli import main
from labs.classroom.grading import Graded, grade
from labs.classroom.samples import HOSTILE, Material, each_kind, mixed
from labs.classroom.submission import find_lab, read
from labs.exercises import exercise, judge

LAB = find_lab("19")
MADE = Material(LAB)
TIERS = list(LAB.exercises)
MISTAKES = [
    pytest.param(made, mistake, id=f"{made.lab.number} {mistake['name']}")
    for made in (MADE, Material(find_lab("29")))
    for mistake in made._listed["mistake"]
]


def run(folder, *words):
    return CliRunner().invoke(main, ["samples", *words, "--class", str(folder)])


def written(folder) -> dict[str, bytes]:
    return {path.parts[-3]: path.read_bytes() for path in folder.glob("submitted/*/*/*.ipynb")}


@pytest.fixture(scope="module")
def of_19(tmp_path_factory):
    folder = tmp_path_factory.mktemp("class")
    done = run(folder, "19")
    assert done.exit_code == 0, done.output
    return folder


def submission(folder, learner, lab=LAB):
    return read(ClassFolder(folder).submitted(learner, lab.number), learner, lab)


def test_there_is_one_of_each_kind(of_19):
    names = set(written(of_19))
    assert {"right-1", "right-2", "right-3", "right-in-two", "empty", "copied-names-changed", "=1+1"} <= names
    assert {f"wrong-{name}" for name in MADE.mistakes} <= names
    assert {f"hostile-{name}" for name in HOSTILE} <= names
    assert 30 <= len(names) <= 45
    for learner in names:
        assert (of_19 / "submitted" / learner / "lab19" / "timestamp.txt").exists()
    assert ClassFolder(of_19).seed_of("ana")


def test_right_ones_are_the_published_solution_and_others(of_19):
    cells = [submission(of_19, f"right-{n}").cells["ex-19-1"] for n in (1, 2, 3)]
    others = [each["ex-19-1"] for each in MADE.others]  # judged in tests/exercises/test_ex19.py
    assert cells == [*MADE.published.values(), *others]
    assert "SOLUTION" not in cells[0]
    [copied] = MADE.copied.values()
    assert copied != cells[1]
    assert judge("19.1", copied).passed


@pytest.mark.parametrize(("made", "mistake"), MISTAKES)
def test_each_mistake_is_found_by_its_probe(monkeypatch, made, mistake):
    tiers = [exercise(id) for id in made.lab.exercises]
    [(tier, probe)] = [(tier, one) for tier in tiers for one in tier.probes if one.title == mistake["fails"]]
    [source] = made.wrong(mistake["name"]).values()
    monkeypatch.setattr(tier, "probes", [probe])  # the others take their time
    [found] = judge(tier.id, source).verdicts
    assert not found.passed, "the probe finds nothing any more"


def test_two_tiers_are_right_and_two_serve_nobody():
    [source] = MADE.wrong(*MADE.two_tiers).values()
    passed = {tier: judge(tier, source).passed for tier in TIERS}
    assert passed == {"19.1": True, "19.2": True, "19.3": False, "19.4": False}


def test_a_mistake_that_does_not_fit_any_more_is_said(monkeypatch):
    made = Material(LAB)
    made.mistakes["odd"] = ("not in the solution", "x")
    with pytest.raises(Exception, match="odd is no change of the solution any more"):
        made.wrong("odd")


def test_broken_ones_get_their_sentence(of_19):
    said = {
        "broken-no-notebook": "it is not JSON",
        "broken-half-a-notebook": "it is not JSON",
        "broken-two-cells-alike": "two cells ex-19-1 that differ",
        "broken-other-version": "version '0.9.0'",
    }
    for learner, words in said.items():
        assert words in " ".join(submission(of_19, learner).notes), learner
    fine = set(written(of_19)) - set(said)
    assert {learner for learner in fine if submission(of_19, learner).notes} == set()


def test_the_same_are_made_again_and_what_others_handed_in_stays(of_19, tmp_path):
    assert run(tmp_path, "19").exit_code == 0
    assert written(tmp_path) == written(of_19)
    theirs = tmp_path / "submitted/right-1/lab19/19_lab_the_session_desk.ipynb"
    theirs.write_text("mine")
    done = json.loads(run(tmp_path, "19", "--json").stdout)
    assert done["kept"] == ["right-1"]
    assert "right-1 has handed in something else" in done["notes"][0]
    assert theirs.read_text() == "mine"


def test_as_many_as_are_wanted(tmp_path):
    assert run(tmp_path, "19", "--learners", "60").exit_code == 0
    there = written(tmp_path)
    assert len(there) == 60
    first = [text for _, text in zip(range(20), (text for _, text in mixed(MADE)), strict=False)]
    assert len(set(first)) > 10  # as in a class, they differ
    assert run(tmp_path / "few", "19", "--learners", "3").exit_code == 0
    assert set(written(tmp_path / "few")) == {"right-1", "right-2", "right-3"}


# In a lesson, whose exercises are cells of their own -----------------------------------------------------------


@pytest.fixture(scope="module")
def of_20(tmp_path_factory) -> dict[str, Graded]:
    """Some samples of lesson 20, judged."""
    folder, lab = tmp_path_factory.mktemp("class"), find_lab("20")
    assert run(folder, "20").exit_code == 0
    klass = ClassFolder(folder)
    hostile = ["=1+1", "hostile-own-points", "hostile-equals-everything", "hostile-prints-markup"]
    asked = dict.fromkeys(hostile, "20.1") | {"right-in-two": " ".join(FULL)}
    return {
        name: grade(submission(folder, name, lab), lab, klass, list, only=frozenset(only.split()), isolated=False)
        for name, only in asked.items()
    }


def test_right_in_two_exercises_earns_exactly_theirs(of_20):
    points = {one.exercise: one.points for one in of_20["right-in-two"].reports}
    assert points == dict.fromkeys(FULL, 0) | {id: FULL[id] for id in ("20.1", "20.2")}


def test_nobody_earns_anything_by_other_means(of_20):
    assert [one.points for name, one in of_20.items() if name != "right-in-two"] == [0, 0, 0, 0]


def test_all_labs_have_samples():
    for number in ("29", "39", "11"):
        made = Material(find_lab(number))
        assert {"right-1", "empty", "hostile-exits"} <= {name for name, _ in each_kind(made)}
        assert next(mixed(made))
