"""A learner's page: it says what held and what did not, once and in order, and nothing that a stranger wrote acts."""

import errno
import hashlib
import json
import os
import sqlite3
from base64 import b64encode

import pytest
from a_class import FULL, LAB, NONE, copy_of, found, hand_in
from click.testing import CliRunner
from read_pages import Parsed, is_harmless, reader

from labs.classroom import feedback as module
from labs.classroom import gradebook, record
from labs.classroom.class_folder import ClassFolder
from labs.classroom.cli import main
from labs.classroom.errors import ClassroomError
from labs.classroom.feedback import feedback_page
from labs.classroom.grading import Graded
from labs.classroom.marks import Person, Written
from labs.classroom.pages import LONGEST, visible
from labs.classroom.reading import SECTIONS, Place, places
from labs.classroom.submission import Submission, find_lab
from labs.exercises import Report, Verdict, all_exercises, exercise
from labs.exercises.judge import UNCHANGED, UNSERVED

SIGNS_IN, STAYS_IN, FILLS = (probe.title for probe in exercise("19.1").probes[:3])
KEPT_ID, ENDED = (probe.title for probe in exercise("19.1").probes[5:7])
RAISED = 'your read_id raised ValueError: too few at line 21: `name, value = pair.split("=")`'
NASTY = "</code></pre><script>alert(1)</script><img src=x onerror=alert(1)>\u202e\u200b\x07\ud800 javascript:1 `"


def graded(*reports, **about) -> Graded:
    return Graded("ana", "19", "0123456789abcdef", reports=list(reports), **about)


def one(id="19.1", status="partly", points=3, **about) -> Report:
    the = exercise(id)
    return Report(id, the.title, "a1b2", status, points, the.points, **about)


def page(*reports, written=None, **about) -> str:
    return feedback_page(graded(*reports, **about), written or Written(), Person())


def text(*reports, **about) -> str:
    return Parsed(page(*reports, **about)).text


def failed(probe, happened, points=1, **about) -> Verdict:
    return Verdict(probe, points, False, happened=happened, **{"expected": probe, "look_at": "load()"} | about)


def waits(probe, points=2, why=UNSERVED) -> Verdict:
    return Verdict(probe, points, False, probe, why, waits=True)


# What it says ------------------------------------------------------------------------------------------


def test_each_probe_is_told_with_its_points_the_exchange_and_where_to_look():
    said = text(
        one(
            verdicts=[
                Verdict(SIGNS_IN, 1, True),
                failed(
                    STAYS_IN, "GET /balance answered 401", 2, expected="200 (ASVS 7.4.1)",
                    look_at="what revoke() ends", exchange="GET /balance HTTP/1.1\r\nCookie: sid=7\r\n",
                ),
                waits(KEPT_ID),
            ],
            printed="here I am",
        )
    )  # fmt: skip
    for words in (
        "3 of 15 points", f"{SIGNS_IN} 1 point", f"not yet {STAYS_IN} 2 points", "expected 200 (ASVS 7.4.1)",
        "happened GET /balance answered 401", "look at what revoke() ends", "Cookie: sid=7", "here I am",
        "1 held, and count once every customer is served", "passed 1 of 3 probes",
        'check("19.1", Desk, seed="a1b2")', 'hint("19.1")', "10 · Sessions from scratch, section 3 · An id that says",
    ):  # fmt: skip
        assert words in said, words


def test_what_the_title_says_is_not_said_again():
    assert "expected" not in text(one(verdicts=[failed(STAYS_IN, "GET /balance answered 401")]))


@pytest.mark.parametrize(
    ("status", "message", "says"),
    [
        ("passed", "", "everything held"),
        ("not attempted", "", "Your notebook has no answer to it"),
        ("unusable", "Your cell took more than 4 seconds: is there a loop that never ends?", "that never ends?"),
    ],
)
def test_an_exercise_without_findings_says_why(status, message, says):
    said = text(one(status=status, message=message))
    assert says in said
    assert "?." not in said
    assert ("hint(" in said) is (status == "not attempted")  # of no use to the others


def test_a_full_page_asks_for_nothing():
    said = text(one(status="passed", points=15, verdicts=[Verdict(SIGNS_IN, 15, True)]))
    assert "15 of 15 points" in said
    for words in ("Start here", "see it again", "read on"):
        assert words not in said


def test_one_cause_is_told_once_and_is_where_to_start():
    small = failed(KEPT_ID, "the ids vary by 3 bits")
    broken = [failed(probe, RAISED, look_at="line 21 of your cell") for probe in (SIGNS_IN, STAYS_IN, FILLS)]
    two = [failed(probe.title, RAISED, look_at="line 21 of your cell") for probe in exercise("19.2").probes[:2]]
    html = page(one(verdicts=[small, *broken]), one("19.2", verdicts=two))
    said = Parsed(html).text
    assert "One cause, 3 probes" in said
    assert "2 more for the cause that stands at 19.1" in said
    assert f"Start here: 19.1 · {SIGNS_IN}" in said
    assert "5 points hang on it, in 5 probes" in said
    assert said.count("happened your read_id raised") == 2  # at the start, and where it stands
    assert ("a", "href", "#e-19-1-2") in Parsed(html).attributes
    assert ("div", "id", "e-19-1-2") in Parsed(html).attributes


def test_what_different_pages_answered_are_different_causes():
    answers = [failed(probe, "GET /balance answered 401", exchange=probe) for probe in (SIGNS_IN, STAYS_IN)]
    assert "One cause" not in text(one(verdicts=answers))


def test_what_waits_hangs_on_the_customer():
    customer, attack = failed(STAYS_IN, "answered 401"), failed(ENDED, "it did", 3)
    said = text(one(verdicts=[customer, attack, waits(KEPT_ID, 4)]))
    assert f"Start here: 19.1 · {STAYS_IN}" in said
    assert "5 points hang on it, in 2 probes" in said
    alone = text(one(verdicts=[attack, waits(KEPT_ID, 4, UNCHANGED)]))
    assert "3 points hang on it." in alone
    assert "count once another probe does" in alone


@pytest.mark.parametrize(("points", "first"), [(3, STAYS_IN), (4, ENDED)])
def test_the_first_is_where_to_start_unless_twice_as_much_hangs_on_another(points, first):
    said = text(one(verdicts=[failed(STAYS_IN, "answered 401", 2), failed(ENDED, "it did", points)]))
    assert f"Start here: 19.1 · {first}" in said


def test_what_shows_it_is_called_what_it_is():
    assert "The call that shows it" in text(one(verdicts=[failed(STAYS_IN, "x", exchange="payload(token, jwk)")]))
    assert "The exchange that shows it" in text(one(verdicts=[failed(STAYS_IN, "x", exchange="GET / HTTP/1.1")]))


def test_a_cell_that_could_not_be_run_is_told_once():
    said = text(*(one(f"19.{n}", "unusable", 0, message="The cell is not valid Python.") for n in (1, 2, 3)))
    assert said.count("The cell is not valid Python.") == 2
    assert said.count("The reason is the same as above.") == 2
    assert "37 points hang on it." in said


def test_what_is_to_be_said_about_the_file_stands_on_top():
    said = text(one(status="not attempted"), notes=["The file is not a notebook: it is not JSON."])
    assert said.index("not JSON") < said.index("Your exercises")


def test_the_code_that_was_judged_has_its_line_numbers():
    submission = Submission("ana", "19", {"ex-19-1": "import re\n\n\nclass Desk:\n    pass\n"})
    html = feedback_page(graded(one(verdicts=[failed(SIGNS_IN, "x")])), Written(), Person(), submission)
    code = html.partition('<ol class="code">')[2].partition("</ol>")[0]
    lines = ("import re", "", "", "class Desk:", "    pass")
    assert code.split() == "".join(f"<li><code>{line}</code></li>\n" for line in lines).split()


def test_what_a_person_wrote_counts_and_is_on_the_page():
    written = Written(points={"19.1": 12.5}, extra={"19.2": 1}, comments={"19.1": "Well argued.\nSee me."}, late=2)
    said = text(one(points=3), one("19.2", points=4), written=written)
    for words in (
        "15.5 of 25 points", "17.5 for your work, and 2 less for being late.", "1 of them are extra credit for 19.2",
        "12.5 of 15", "5 of 10", "Your instructor writes Well argued. See me.", "given by a person",
    ):  # fmt: skip
        assert words in said, words


# Nothing in it acts ------------------------------------------------------------------------------------


def nasty_page() -> str:
    verdict = failed(NASTY, NASTY, look_at=NASTY, expected=NASTY + ".", exchange=NASTY)
    reports = [
        Report("19.1", NASTY, NASTY, "partly", 1, 15, [verdict, waits(NASTY), Verdict(NASTY, 1, True)], NASTY),
        Report("19.2", NASTY, NASTY, "unusable", 0, 10, message=NASTY),
        Report('99."><script>', NASTY, NASTY, "odd", 0, 10, message=NASTY),
    ]
    odd = Graded(NASTY, "19", NASTY, notes=[NASTY], reports=reports, version=NASTY)
    written = Written(comments={"19.1": NASTY})
    return feedback_page(odd, written, Person(NASTY, NASTY), Submission(NASTY, "19", {NASTY: NASTY}))


def test_whatever_a_stranger_wrote_is_text():
    html = nasty_page()
    is_harmless(html)
    said = Parsed(html).text
    assert said.count("<script>alert(1)</script>") >= 12
    assert "\\u202e\\u200b\\x07\\ud800" in said
    html.encode("utf-8")


def test_the_policy_lets_in_the_one_style_and_nothing_else():
    html = nasty_page()
    [policy] = [v for tag, name, v in Parsed(html).attributes if (tag, name) == ("meta", "content") and "src" in v]
    style = html.partition("<style>")[2].partition("</style>")[0]
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert html.index("Content-Security-Policy") < html.index("&lt;script")  # it holds for what stands after it


def test_long_texts_are_cut_and_say_so():
    said = text(one(verdicts=[failed(SIGNS_IN, "x" * 1_000_000)]))
    assert len(said) < 4 * LONGEST
    assert "980,000 more characters" in said
    many = Submission("ana", "19", {"ex-19-1": "\n" * 150_000})
    html = feedback_page(graded(one(verdicts=[failed(SIGNS_IN, "x")])), Written(), Person(), many)
    assert len(html) < 200_000


def test_line_ends_are_read_and_what_cannot_be_seen_is_written_out():
    assert visible("a\r\nb\tc\rd\u2028e\u00a0f") == "a\nb\tc\\rd\\u2028e\\xa0f"


# Where to read on --------------------------------------------------------------------------------------


@pytest.mark.parametrize("id", [one.id for one in all_exercises()])
def test_every_exercise_leads_to_a_section_of_a_lesson(id):
    found = places(id)
    assert found
    assert all(place.file.endswith(".ipynb") and place.section[0].isdigit() for place in found)
    assert not [place for place in found if "Lab:" in place.lesson], "name sections of lessons in reading.py"


def test_sections_are_only_named_for_exercises_that_there_are():
    there = {one.id for one in all_exercises()}
    assert {id for id in SECTIONS if id not in there} <= {"39.1", "39.2", "39.3", "39.4"}


def test_lessons_are_links_where_there_is_an_address():
    odd = Place("10 a?.ipynb", "10", "3")
    assert odd.address("https://hub.example.org/x/") == "https://hub.example.org/x/10%20a%3F.ipynb"
    html = feedback_page(
        graded(one(verdicts=[failed(SIGNS_IN, "x")])), Written(), Person(), lessons="https://hub.example.org/lab"
    )
    is_harmless(html)
    assert ("a", "href", "https://hub.example.org/lab/10_sessions_from_scratch.ipynb") in Parsed(html).attributes
    assert "hub.example.org" not in page(one(verdicts=[failed(SIGNS_IN, "x")]))


# The command -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def new_class(tmp_path_factory):
    """A class of lesson 20, graded and in the gradebook."""
    klass = ClassFolder(tmp_path_factory.mktemp("class") / "of 2026")
    klass.create()
    hand_in(klass, "ana", at="2026-11-24 12:00:00 UTC")
    hand_in(klass, "ben & <co>")
    found(klass, "ana", FULL)
    found(klass, "ben & <co>", NONE)
    gradebook.prepare(klass, LAB, gradebook.release(klass, LAB))
    record.record(klass, LAB, klass.learners(LAB.number))
    return klass


@pytest.fixture
def klass(new_class, tmp_path):
    return copy_of(new_class, tmp_path / "class")


def run(klass, *words):
    return CliRunner().invoke(main, ["feedback", "20", "--class", str(klass.root), *words])


def pages(klass) -> dict[str, str]:
    there = klass.root.glob("feedback/*/lab20/20_a_jwt_by_hand.html")
    return {path.parts[-3]: path.read_text("utf-8") for path in there}


def test_it_writes_a_page_for_each_and_none_twice(klass):
    first = run(klass)
    assert (first.exit_code, "2 pages" in first.output, "2 of them new" in first.output) == (0, True, True)
    assert "38 of 39 points" not in pages(klass)["ana"]
    assert "39 of 39 points" in Parsed(pages(klass)["ana"]).text
    is_harmless(pages(klass)["ben & <co>"])
    times = {path: path.stat().st_mtime_ns for path in klass.root.glob("feedback/*/*/*")}
    again = json.loads(run(klass, "--json").stdout)
    assert again == {"lab": "lab20", "written": [], "up_to_date": ["ana", "ben & <co>"], "notes": []}
    assert {path: path.stat().st_mtime_ns for path in klass.root.glob("feedback/*/*/*")} == times


def test_a_persons_grade_from_the_gradebook_is_on_the_page(klass):
    with sqlite3.connect(klass.gradebook) as book:
        cell = "(select id from base_cell where name = ?)"
        book.execute(f"update grade set manual_score = 2.5 where cell_id = {cell}", ["ex-20-1-check"])
        book.execute(f"update comment set manual_comment = 'Nice!' where cell_id = {cell}", ["ex-20-2"])
        book.execute("update submitted_notebook set late_submission_penalty = 1")
    assert run(klass, "--learner", "ana").exit_code == 0
    said = Parsed(pages(klass)["ana"]).text
    assert f"{sum(FULL.values()) - FULL['20.1'] + 2.5 - 1:g} of 39 points" in said
    assert "Your instructor writes Nice!" in said
    assert pages(klass).keys() == {"ana"}


def test_what_was_handed_in_again_is_not_shown_as_judged(klass):
    run(klass)
    assert "The code that was judged" in pages(klass)["ana"]
    hand_in(klass, "ana", ex_20_1="def encode(data): return 7")
    run(klass)
    assert "The code that was judged" not in pages(klass)["ana"]


def test_a_damaged_report_costs_nobody_else_anything(klass):
    klass.graded("ana", "20").write_text('{"learner": "ana"', "utf-8")
    done = run(klass)
    assert done.exit_code == 1
    assert "damaged: grade 'ana' again" in done.output
    assert pages(klass).keys() == {"ben & <co>"}


def test_only_small_ordinary_files_go_along(klass, tmp_path):
    (tmp_path / "secret").write_text("somebody else's")
    folder = klass.submitted("ana", "20")
    (folder / "submission_secret.txt").write_text("ana's own")
    (folder / "timestamp.txt").unlink()
    (folder / "timestamp.txt").symlink_to(tmp_path / "secret")
    os.mkfifo(klass.submitted("ben & <co>", "20") / "timestamp.txt")  # whoever opened it would wait for ever
    (klass.submitted("ben & <co>", "20") / "submission_secret.txt").write_text("x" * 2000)
    assert run(klass).exit_code == 0
    along = {path.name: path.read_text() for path in klass.root.glob("feedback/*/lab20/*.txt")}
    assert along == {"submission_secret.txt": "ana's own"}


def test_a_full_disk_is_a_sentence_and_what_was_there_stays(klass, monkeypatch):
    run(klass)
    before = pages(klass)
    found(klass, "ana", NONE)

    def full(path, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module, "put", full)
    done = run(klass)
    assert done.exit_code == 1
    assert "No space left on device" in done.output
    assert "Traceback" not in done.output
    assert pages(klass) == before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--learner", "eve"], "'eve': no grade of lab 20 is there"),
        (["--lessons", "javascript:alert(1)"], "begins with https://"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(klass, words, says):
    done = run(klass, *words)
    assert (done.exit_code, says in done.output) == (1, True)


def test_a_lab_that_is_not_graded_says_so(tmp_path):
    klass = ClassFolder(tmp_path)
    klass.create()
    assert "Lab 20 is not graded yet" in run(klass).output
    with pytest.raises(ClassroomError, match="no notebook"):
        find_lab("77")


@pytest.mark.needs("browser")
def test_it_reads_well_in_both_themes_and_nothing_runs(tmp_path):
    (tmp_path / "nasty.html").write_text(nasty_page(), "utf-8")
    broken = [failed(SIGNS_IN, RAISED), failed(STAYS_IN, RAISED), waits(KEPT_ID), Verdict(FILLS, 1, True)]
    broken = one(verdicts=broken)
    plain = page(broken, one("19.2", "unusable", message="Not Python."), one("19.3", "passed"), notes=["A word."])
    (tmp_path / "plain.html").write_text(plain, "utf-8")
    with reader() as read:
        read(tmp_path / "nasty.html")
        read(tmp_path / "plain.html")
