"""The six statements of lesson 00: shown, answered, kept."""

import json

import pytest

from labs.bench import home
from labs.teach.beliefs import CannotBelieve, believe

SIX = ["yes", "no", "unsure", "yes", "no", "no"]


def test_the_statements_are_shown(capsys):
    believe()
    said = capsys.readouterr().out
    assert "httpOnly" in said
    assert "6" in said


def test_answers_are_kept_with_their_statements_and_replaced_by_later_ones(capsys):
    believe(*["unsure"] * 6)
    believe(*SIX)
    kept = json.loads((home() / "beliefs.json").read_text())
    assert list(kept.values()) == SIX
    assert "5 of them sure" in capsys.readouterr().out


@pytest.mark.parametrize("answers", [["yes"], SIX + ["no"], ["maybe"] * 6, [None] * 6])
def test_anything_else_is_refused_with_a_sentence(answers):
    with pytest.raises(CannotBelieve, match="Give 6 answers"):
        believe(*answers)
