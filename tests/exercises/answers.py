"""Tables of right and wrong answers to exercises, and what must be true of each.

A table maps an exercise's id to (a right answer, {name: another right one}, {name: (a wrong one, {probe: words})}).
An answer is a whole source, or what to replace in the right one: (this, by that), or a list of such pairs. A wrong
one must fail the probes that are named, with the words that are named, and no others. Where customers are not served,
only their probes are looked at: what the attacks found does not count then.
"""

import textwrap

import pytest

from labs.bench.parts import left_out
from labs.classroom import sandbox
from labs.classroom.batch import Seeds
from labs.classroom.grading import grade
from labs.classroom.submission import Submission, find_lab
from labs.exercises import exercise, judge

WITHIN = list if sandbox.why_not() or left_out("sandbox") else sandbox.bubblewrap


def written(right, answer):
    """The source of an answer."""
    if isinstance(answer, str):
        return textwrap.dedent(answer)
    for this, that in [answer] if isinstance(answer, tuple) else answer:
        assert this in right, f"{this!r} is not in the right answer"
        right = right.replace(this, that)
    return right


def right_ones(table):
    """Parameters "id", "source" of every right answer."""
    return [
        pytest.param(id, written(right, answer), id=f"{id} {name}")
        for id, (right, others, _) in table.items()
        for name, answer in {"the plain one": right, **others}.items()
    ]


def wrong_ones(table):
    """Parameters "id", "source", "because" of every wrong answer."""
    return [
        pytest.param(id, written(right, answer), because, id=f"{id} {name}")
        for id, (right, _, wrong) in table.items()
        for name, (answer, because) in wrong.items()
    ]


def judged(id, source, seed=None):
    """What `check` finds in an answer, drawn from `seed`. The grader, in its sandbox, must find the same."""
    report = judge(id, source, seed=seed)
    lab = find_lab(exercise(id).notebook)
    submission = Submission("somebody", lab.number, {lab.exercises[id]: source})
    seeds = Seeds(report.seed if exercise(id).kind == "answer" else report.learner, {id: report.seed})
    [graded] = grade(submission, lab, seeds, WITHIN, only=frozenset({id})).reports
    assert verdicts(graded) == verdicts(report)
    return report


def verdicts(report):
    """All that a report says which does not hang on ids that the answer itself draws."""
    found = [(one.probe, one.passed, one.waits, one.points) for one in report.verdicts]
    return report.status, report.points, report.of, report.message, found


def gets_full_points(id, source, seed=None):
    """A right answer passes every probe."""
    report = judge(id, source, seed=seed)
    assert report.passed, [report.message, *((one.probe, one.happened) for one in report.verdicts if not one.passed)]
    assert report.points == report.of == exercise(id).points


def is_refused(id, source, because):
    """A wrong answer fails the probes in `because`, each with the words there, and no others."""
    report = judged(id, source)
    failed = {one.probe: one for one in report.verdicts if not one.passed}
    counts = {one.title for one in exercise(id).probes if one.legitimate} & set(failed) or set(failed)
    found = {probe: one.happened for probe, one in failed.items() if probe in counts}
    assert set(found) == set(because), (report.message, found)
    assert {probe: found[probe] for probe, words in because.items() if words not in found[probe]} == {}
    assert all(failed[probe].expected and failed[probe].look_at for probe in found)
    assert report.points < report.of


def has_answers_enough(id, table):
    """An exercise has answers of both kinds, and each of its probes refuses something."""
    _, others, wrong = table[id]
    assert len(others) >= 2
    assert len(wrong) >= 5
    refused = {probe for _, because in wrong.values() for probe in because}
    assert {one.title for one in exercise(id).probes} == refused
