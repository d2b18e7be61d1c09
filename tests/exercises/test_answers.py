"""Every exercise with a table: right answers pass, wrong ones are refused by the probes that should, and told why."""

import answers11
import answers30
import answers31
import answers32
import answers39_desk
import answers39_gate
import pytest
import test_ex10
import test_ex20
import test_ex21
import test_ex22
import test_ex33
from answers import gets_full_points, has_answers_enough, is_refused, judged, right_ones, wrong_ones

LESSONS = [
    test_ex10, answers11, test_ex20, test_ex21, test_ex22, answers30, answers31, answers32, test_ex33,
    answers39_desk, answers39_gate,
]  # fmt: skip
TABLE = {id: answers for lesson in LESSONS for id, answers in lesson.TABLE.items()}


@pytest.mark.parametrize(("id", "source"), right_ones(TABLE))
def test_a_right_answer_gets_full_points(id, source):
    gets_full_points(id, source)


@pytest.mark.parametrize(("id", "source", "because"), wrong_ones(TABLE))
def test_a_wrong_answer_is_refused_by_the_probes_that_should(id, source, because):
    is_refused(id, source, because)


@pytest.mark.parametrize("id", TABLE)
def test_the_grader_finds_what_check_finds(id):
    assert judged(id, TABLE[id][0]).passed  # of wrong answers, is_refused() asks the same


@pytest.mark.parametrize("id", TABLE)
def test_there_are_answers_enough(id):
    has_answers_enough(id, TABLE)


@pytest.mark.parametrize("id", TABLE)
@pytest.mark.parametrize("seed", ["1", "2", "3", "4"])
def test_the_plain_solution_passes_with_any_seed(id, seed):
    gets_full_points(id, TABLE[id][0], seed)
