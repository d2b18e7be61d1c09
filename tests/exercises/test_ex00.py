"""Exercise 00.1: wrong answers are refused by the probe that should, right ones accepted however they are written."""

import pytest
from answers import judged

from labs.exercises import judge

SOLUTION = """
import html
import secrets

def greet(cookies):
    name = cookies.get("name")
    if name is None:
        return "Hello, stranger.", {"name": secrets.choice(["heron", "wren"])}
    return f"Welcome back, {html.escape(name)}.", {}
"""

AGAIN = "Whoever comes a second time is greeted by name"
TWO = "Two visitors are two people"
FORGED = "A forged name is only text"

ALWAYS_STRANGER = 'def greet(cookies):\n    return "Hello, stranger.", {"name": "wren"}'
NO_COOKIE = 'def greet(cookies):\n    return "Hello, stranger.", {}'
NAME_IN_THE_SERVER = """
def greet(cookies, known=[]):
    if cookies.get("name") is None:
        known.append("bird%d!" % len(known))
        return "Hello, stranger.", {"name": known[-1]}
    return "Welcome back, " + known[-1].replace("<", ""), {}
"""
STILL_STRANGER = SOLUTION.replace("Welcome back", "Welcome back, stranger")
RENAMED_EACH_TIME = SOLUTION.replace('.", {}', '.", {"name": "wren" if name != "wren" else "heron"}')
NOT_ESCAPED = SOLUTION.replace("html.escape(name)", "name")
WELCOME = 'f"Welcome back, {html.escape(name)}."'
ONLY_SCRIPT = SOLUTION.replace(WELCOME, '"Welcome back, " + name.replace("<script>", "")')
ONLY_QUOTES = SOLUTION.replace(WELCOME, '"Welcome back, " + name.replace(chr(34), "&quot;")')
OTHER_COOKIE = SOLUTION.replace('"name"', '"visitor"')
TEXT_ONLY = SOLUTION.replace('}.", {}', '}."')


@pytest.mark.parametrize(
    ("source", "probe"),
    [
        pytest.param(ALWAYS_STRANGER, AGAIN, id="always a stranger"),
        pytest.param(NO_COOKIE, AGAIN, id="no cookie"),
        pytest.param(OTHER_COOKIE, AGAIN, id="another cookie"),
        pytest.param(STILL_STRANGER, AGAIN, id="welcome back, stranger"),
        pytest.param(RENAMED_EACH_TIME, AGAIN, id="renamed each time"),
        pytest.param(TEXT_ONLY, AGAIN, id="text only"),
        pytest.param(NAME_IN_THE_SERVER, TWO, id="the last name, for everybody"),
        pytest.param(NOT_ESCAPED, FORGED, id="not escaped"),
        pytest.param(ONLY_SCRIPT, FORGED, id="only script tags"),
        pytest.param(ONLY_QUOTES, FORGED, id="only quotes"),
    ],
)
def test_a_wrong_answer_is_refused_by_the_probe_that_should(source, probe):
    report = judged("00.1", source)
    failed = {verdict.probe: verdict for verdict in report.verdicts if not verdict.passed}
    assert probe in failed
    assert failed[probe].happened
    assert report.points < report.of


FROM_A_LIST = """
import random
BIRDS = ("tern", "rook")
def greet(cookies):
    if cookies.get("name") in BIRDS:
        return "Good to see you, " + cookies["name"], cookies
    return "<h1>Who are you, stranger?</h1>", {"name": random.choice(BIRDS)}
"""
BY_HAND = """
def greet(cookies):
    try:
        name = cookies["name"]
    except KeyError:
        return ("stranger!", dict(name="owl"))
    for old, new in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        name = name.replace(old, new)
    return [f"<p>It is {name} again</p>", {}]
"""


@pytest.mark.parametrize("source", [SOLUTION, FROM_A_LIST, BY_HAND], ids=["solution", "from a list", "by hand"])
def test_a_right_answer_is_accepted_however_it_is_written(source):
    report = judged("00.1", source)
    assert (report.status, report.points) == ("passed", report.of), report


def test_a_stub_is_not_attempted():
    assert judge("00.1", "def greet(cookies):\n    raise NotImplementedError").status == "not attempted"
