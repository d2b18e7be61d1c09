"""A prediction is kept before the measurement, the first one stands, and the two are shown side by side."""

import pytest

from labs.bench import home
from labs.teach import predicting
from labs.teach.predicting import CannotCommit, commit, compare


@pytest.fixture(autouse=True)
def _fresh_home(tmp_path, monkeypatch):
    monkeypatch.setenv("FERNBANK_HOME", str(tmp_path))


def test_the_first_complete_one_stands(capsys):
    assert commit("t", {"form": "y n"}).rows == {"form": ["y", "n"]}
    again = commit("t", {"form": "n n"})
    assert (again.rows, again.kept) == ({"form": ["y", "n"]}, True)
    assert capsys.readouterr().out.split("\n")[:2] == [
        "Kept: 2 cells. Whatever comes out, this prediction stands.",
        "You committed to a prediction before. That one stands.",
    ]


def test_one_with_open_cells_is_not_kept(capsys):
    assert not commit("t", {"form": "y ?", "link": "? n"}).kept
    assert "Not kept: 2 cells are still ?" in capsys.readouterr().out
    assert commit("t", {"form": "y n", "link": "n n"}).kept


def test_other_rows_are_another_prediction():
    commit("t", {"form": "y"})
    assert commit("t", {"link": "n"}).rows == {"link": ["n"]}
    assert commit("other", {"link": "y"}).rows == {"link": ["y"]}


@pytest.mark.parametrize("text", ["", "[", "[1]", '{"t": 3}', '{"t": {"form": 1}}'])
def test_a_damaged_file_is_no_prediction(text):
    (home() / "predictions.json").write_text(text)
    assert commit("t", {"form": "y"}).kept


def test_what_is_no_prediction():
    with pytest.raises(CannotCommit, match="'form' has a cell 'yes'. Write y, n or"):
        commit("t", {"form": "yes n"})


def test_side_by_side(capsys):
    prediction = commit("t", {"form": "y n", "link": "y y"})
    compare(prediction, {"form": "y y", "link": "y y", "image": "n n"}, ["Lax", "Strict"], "What was sent")
    said = capsys.readouterr().out
    assert "- (you: sent)" not in said
    assert "sent (you: -)" in said
    assert "You were right in 3 of your 4 cells." in said


def test_without_a_prediction(capsys):
    compare(predicting.Prediction("t", {"form": ["?"]}, False), {"form": "n"}, ["Lax"], "What was sent")
    said = capsys.readouterr().out
    assert "No prediction was kept." in said
    assert "you:" not in said
