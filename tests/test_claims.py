"""claim(): one claim of the article beside what a run measured."""

import json

import pytest

from labs.bench import BenchError
from labs.teach import claim, claims

WORDS = {"id", "article", "verdict", "why", "source"}


def test_it_says_claim_measurement_outcome_and_verdict(capsys):
    claim("C02", measured="an id has 43 characters", holds=True)
    said = capsys.readouterr().out
    assert said.startswith("C02 · The article: ")
    assert "measured     an id has 43 characters" in said
    assert "in this run  it holds" in said
    assert "the ledger   right." in said
    assert "but" not in said.split()


@pytest.mark.parametrize(
    ("holds", "sentence"), [(True, "it holds"), (False, "it does not hold"), (None, "not settled yet")]
)
def test_what_the_run_settled(holds, sentence):
    drawing = claims.draw("C03", "11 requests, 11 look-ups", holds, but="behind a cache, 1")
    assert f"in this run  {sentence}\n" in drawing.text
    assert f"<dd>{sentence}</dd>" in drawing.html
    assert "  but          behind a cache, 1\n" in drawing.text


def test_html_is_escaped():
    assert "<dd>1 &lt; 2</dd>" in claims.draw("C03", "1 < 2", True).html


def test_an_unknown_claim_is_a_sentence():
    with pytest.raises(BenchError, match="no claim 'C99'. It has C01"):
        claim("C99", measured="nothing", holds=None)


@pytest.mark.parametrize("text", [None, "[", '[{"article": 1}]', "3"])
def test_a_ledger_that_cannot_be_read_is_a_sentence(tmp_path, monkeypatch, text):
    file = tmp_path / "claims.json"
    if text is not None:
        file.write_text(text)
    monkeypatch.setattr(claims, "LEDGER", file)
    claims.ledger.cache_clear()
    try:
        with pytest.raises(BenchError, match="cannot be read"):
            claim("C02", measured="nothing", holds=None)
    finally:
        claims.ledger.cache_clear()


def test_the_ledger_is_whole_and_in_order():
    entries = json.loads(claims.LEDGER.read_text("utf-8"))
    ids = [one["id"] for one in entries]
    assert ids == sorted(set(ids))
    assert all(set(one) == WORDS and all(one.values()) for one in entries)
