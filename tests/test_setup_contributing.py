"""The exercise that CONTRIBUTING.md shows is one: the judge accepts its solution and refuses wrong ones."""

import re
from pathlib import Path

import pytest

from labs.exercises import judge
from labs.exercises.exercise import _registry

PAGE = (Path(__file__).resolve().parents[1] / "CONTRIBUTING.md").read_text("utf-8")
DECLARATION, CELL, CHECK = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.M | re.S)
FIRST, SECOND = "A token is read, however the scheme is written", "What is no bearer token is None"


@pytest.fixture
def _declared():
    """The page's exercise, for one test."""
    exec(DECLARATION, {"__name__": "labs.exercises.example", "__package__": "labs.exercises"})
    yield
    del _registry["12.1"]


@pytest.mark.usefixtures("_declared")
def test_its_solution_passes():
    report = judge("12.1", CELL)
    assert (report.status, report.points, report.of) == ("passed", 3, 3), report
    assert CHECK == 'check("12.1", bearer)\n'


@pytest.mark.usefixtures("_declared")
@pytest.mark.parametrize(
    ("body", "failed"),
    [
        ("return header.removeprefix('Bearer ')", FIRST),
        ("return header[7:] or None", SECOND),
        ("return None", FIRST),
    ],
)
def test_wrong_answers_are_refused_by_the_probe_that_should(body, failed):
    report = judge("12.1", f"def bearer(header):\n    {body}\n")
    assert failed in [verdict.probe for verdict in report.verdicts if not verdict.passed]
    assert report.status != "passed"
