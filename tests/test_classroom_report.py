"""What an instructor reads and uploads: who needs them, what a class stumbles over, what is alike, and the grades."""

import csv
import errno
import io
import json
import os
import sqlite3
from dataclasses import replace

import pytest
from a_class import FULL, LAB, NONE, copy_of, found, hand_in
from click.testing import CliRunner
from read_pages import Parsed, is_harmless, reader

from labs.classroom import gradebook, record, returning, sheets
from labs.classroom.class_folder import ClassFolder
from labs.classroom.class_report import bars, calls, class_page, stumbles, tiers
from labs.classroom.cli import main
from labs.classroom.course import HERE
from labs.classroom.grading import STOPPED, Graded
from labs.classroom.marks import Book, Mark, Person, Written, mark
from labs.classroom.samples import Material
from labs.classroom.sheets import Row, harmless
from labs.classroom.similar import ENOUGH, Alike, alike, sequences
from labs.classroom.submission import Submission, find_lab
from labs.exercises import Report, Verdict, exercise

NASTY = "</td><script>alert(1)</script>\u202e\x07 `"
PROBES = [probe.title for probe in exercise("20.3").probes]
NOBODY = Alike([], [], [])


def graded(learner, failed=(), waiting=(), points=4, **about) -> Graded:
    """Somebody whose 20.3 failed at some probes, by their number; the rest is not attempted."""
    verdicts = [
        Verdict(title, 1, n not in {*failed, *waiting}, title, "happened", "here", waits=n in waiting)
        for n, title in enumerate(PROBES)
    ]
    reports = [Report(id, exercise(id).title, "s", "not attempted", of=FULL[id]) for id in LAB.exercises]
    reports[2] = Report("20.3", "Verify", "s", "partly", points, FULL["20.3"], verdicts)
    return Graded(learner, "20", "d", reports=reports, **about)


def row(one: Graded, **about) -> Row:
    return Row(one.learner, Person(), one, mark(one, Written()), **about)


# What a class stumbles over -------------------------------------------------------------------------------


def test_the_probes_that_found_most_come_first_and_what_waits_is_no_find():
    class_of = [graded("a", [2, 4], [1]), graded("b", [4], [1]), graded("c", [1]), graded("d")]
    found = stumbles(class_of)
    assert [(one.probe, one.failed, one.asked) for one in found] == [
        (PROBES[4], 2, 4), (PROBES[1], 1, 4), (PROBES[2], 1, 4),
    ]  # fmt: skip
    assert [one.customer for one in found] == [exercise("20.3").probes[n].legitimate for n in (4, 1, 2)]
    assert found[0].look_at == exercise("20.3").probes[4].look_at
    assert found[0].reading[0].section == "4 · Who can tell"


def test_probes_of_another_version_are_named_as_they_were():
    odd = graded("a")
    odd.reports[2].verdicts.append(Verdict("A probe that is gone", 1, False, look_at="elsewhere"))
    odd.reports.append(Report("98.7", "gone", "s", "failed", 0, 1, [Verdict("Gone, too", 1, False)]))
    assert [(one.probe, one.look_at) for one in stumbles([odd])] == [
        ("A probe that is gone", "elsewhere"),
        ("Gone, too", ""),
    ]


def test_each_exercise_has_its_attempts_and_its_median():
    rows = [row(graded(name, points=points)) for name, points in (("a", 10), ("b", 4), ("c", 5))]
    [_, _, third, _, _] = tiers(LAB, rows)
    assert (third.exercise, third.attempted, third.full, third.median, third.of) == ("20.3", 3, 0, "5", FULL["20.3"])


@pytest.mark.parametrize(
    ("totals", "of", "shown"),
    [
        ([0, 4, 4.5, 5, 49], 49, {"0–4": 3, "5–9": 1, "45–49": 1}),
        ([0, 3, 3], 3, {"0": 1, "3": 2}),
        ([60], 49, {"45–49": 1}),  # extra credit
        ([0, 10], 10, {"0–1": 1, "10–10": 1}),
        ([], 0, {}),
    ],
)
def test_points_are_counted_in_at_most_ten_ranges(totals, of, shown):
    found = bars(totals, of)
    assert {label: count for label, count in found if count} == shown
    assert len(found) <= 10


# Who needs a person -----------------------------------------------------------------------------------------


def test_what_needs_a_person_is_called():
    rows = [
        Row("new", Person()),
        Row("absent", Person(), handed_in=False),
        row(graded("again")),
        row(graded("old", version="0.9")),
        row(graded("bare", isolated=False)),
        row(graded("slip")),
        row(graded("slow")),
        row(graded("fine")),
    ]
    for report in rows[5].graded.reports:
        report.status = "unusable"
    rows[6].graded.reports[4].message = STOPPED
    book = Book(written={"fine": Written(look_at={"20.1"}), "slow": Written()})
    found = calls(rows, {"again": Submission("again", "20", {"ex-20-1": "x"})}, book)
    assert [(one.who.split(" (")[0], one.learners) for one in found] == [
        ("handed in, and not graded yet", ["new"]),
        ("handed in again since they were graded", ["again"]),
        ("graded by another version of the course", ["old"]),
        ("whose code ran without a sandbox", ["bare"]),
        ("with a grade in the gradebook that waits for a person", ["fine"]),
        ("whose code could not be run at all, perhaps for a slip", ["slip"]),
        ("whose time was used up before the last exercise", ["slow"]),
    ]


# What is alike ----------------------------------------------------------------------------------------------

LAB19 = find_lab("19")
MADE = Material(LAB19)
[PUBLISHED] = MADE.published.values()
[GENERATIONS], [ONE_RECORD] = (each.values() for each in MADE.others)
HANDED = "\n".join(cell["source"] for cell in MADE.release["cells"] if cell["id"] in LAB19.cells)


def test_the_same_code_under_other_names_and_layout_is_found():
    [copied] = MADE.copied.values()
    copied = "# all mine\n" + copied.replace("    ", "\t").replace('"""A generation', '"""My own, a generation')
    found = alike({"ana": GENERATIONS, "ben": copied, "cem": ONE_RECORD}, HANDED, PUBLISHED)
    assert [names for names, _ in found.same] == [["ana", "ben"]]
    assert found.pairs == []
    pair = found.same[0][1]
    shown = [GENERATIONS.split("\n")[number - 1] for number in pair.lines[0]]
    assert "    def find(self, id):" in shown
    assert copied.split("\n")[min(pair.lines[1]) - 1] == "import base64"


def test_half_a_copy_is_a_pair_and_its_own_lines_are_not_marked():
    half = GENERATIONS[: GENERATIONS.index("    def revoke(")]
    own = "    def revoke(self, id):\n        for one in [3, 1, 4]:\n            print({one: 2 for _ in 'mine'})\n"
    found = alike({"ana": GENERATIONS, "ben": half + own, "cem": ONE_RECORD}, HANDED, PUBLISHED)
    [pair] = found.pairs
    assert (pair.first, pair.second) == ("ana", "ben")
    assert 0.6 < pair.share < 1
    lines = (half + own).split("\n")
    assert [line for line in lines if "mine" in line and lines.index(line) + 1 in pair.lines[1]] == []


def test_the_published_solution_is_told_by_itself():
    close = PUBLISHED.replace("secrets.token_urlsafe(32)", "secrets.token_urlsafe(24)")
    found = alike({"ana": PUBLISHED, "ben": close, "cem": ONE_RECORD}, HANDED, PUBLISHED)
    assert [learner for learner, _ in found.published] == ["ana", "ben"]
    assert (found.same, found.pairs) == ([], [])


def test_what_was_handed_out_and_what_most_of_a_class_wrote_is_left_out():
    assert alike({"ana": HANDED, "ben": HANDED + "\nprint(1)"}, HANDED) == NOBODY
    common = GENERATIONS
    whole_class = {f"learner {n}": f"{common}\nresult = [{', '.join(map(str, range(n, n + 30)))}]" for n in range(8)}
    assert alike(whole_class, HANDED).pairs == []


def test_a_few_lines_are_never_enough():
    short = "def encode(data):\n    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()\n"
    assert len(sequences(short)) < ENOUGH
    assert alike({"ana": short, "ben": short}, "") == NOBODY


ODD = ["", "def f(:\n  'open", "(" * 50_000, "\x00", "\ud800 = 1", "x\n  y\n z", "é" * 9_999, '"\\' * 9_999, "'" * 3]


@pytest.mark.parametrize("odd", ODD)
def test_whatever_was_handed_in_is_compared_and_soon(odd):
    found = alike({"ana": GENERATIONS, "ben": GENERATIONS + "\n" + odd, "cem": odd}, HANDED)
    assert [names for names, _ in found.same] + [[one.first, one.second] for one in found.pairs] == [["ana", "ben"]]


# The page ---------------------------------------------------------------------------------------------------


def nasty_page(tmp_path) -> str:
    klass = ClassFolder(tmp_path)
    names = [NASTY, "\udc80no utf-8", "an\na", "=cmd|' /C calc'!A0", "<h1>49 of 49</h1>"]
    submissions = {name: Submission(name, "19", {"ex-19-1": GENERATIONS + f"# {NASTY}"}) for name in names}
    rows = []
    for name in names:
        one = graded(name, [1], version=NASTY, isolated=False, notes=[NASTY])
        one.reports[2].verdicts[1] = replace(one.reports[2].verdicts[1], probe=NASTY, look_at=NASTY)
        one.reports[2].title = NASTY
        rows.append(Row(name, Person(NASTY, NASTY), one, mark(one, Written(late=1))))
    rows += [Row(f"late {NASTY}", Person()), Row("absent", Person(), handed_in=False)]
    sources = {name: one.cells["ex-19-1"] for name, one in submissions.items()}
    close = alike({**sources, "x": PUBLISHED}, HANDED, PUBLISHED)
    assert close.same
    close.pairs.append(close.same[0][1])
    return class_page(klass, LAB, rows, submissions, Book(), close)


def test_whatever_a_stranger_wrote_is_text(tmp_path):
    html = nasty_page(tmp_path)
    is_harmless(html)
    said = Parsed(html).text
    assert said.count("<script>alert(1)</script>\\u202e\\x07") >= 12
    assert "\\udc80no utf-8" in said
    assert "an\\na" in said  # not taken for "an a"
    html.encode()


def test_it_leads_to_the_pages_of_learners_where_there_are_any(tmp_path):
    klass = ClassFolder(tmp_path)
    there = klass.feedback('o"dd #1', "20") / "20_a_jwt_by_hand.html"
    there.parent.mkdir(parents=True)
    there.write_text("")
    html = class_page(klass, LAB, [row(graded('o"dd #1')), row(graded("eve"))], {}, Book(), NOBODY)
    links = [value for tag, name, value in Parsed(html).attributes if tag == "a"]
    assert links == ["../feedback/o%22dd%20%231/lab20/20_a_jwt_by_hand.html"]
    is_harmless(html)


def test_it_says_that_alike_is_a_hint(tmp_path):
    said = Parsed(nasty_page(tmp_path)).text
    assert "A hint, and never a verdict." in said
    quiet = class_page(ClassFolder(tmp_path), LAB, [row(graded("a"))], {}, Book(), NOBODY)
    assert "A hint" not in Parsed(quiet).text
    assert "Nothing." in Parsed(quiet).text


@pytest.mark.needs("browser")
def test_it_reads_well_in_both_themes_and_nothing_runs(tmp_path):
    (tmp_path / "nasty.html").write_text(nasty_page(tmp_path), "utf-8")
    with reader() as read:
        read(tmp_path / "nasty.html")


# Grades -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"), ("\t=1", "'\\t=1"),
        ("\r=1", "'\\r=1"), ("  =1", "'  =1"), ("＝1+1", "'＝1+1"), ("\u200b=1", "\\u200b=1"), ("a\nb", "a\\nb"),
        ("Ana-María =", "Ana-María ="), ("12.5", "12.5"), ("'quoted", "'quoted"),
    ],
)  # fmt: skip
def test_no_cell_begins_like_a_formula(text, cell):
    assert harmless(text) == cell
    assert not harmless(text).lstrip().startswith(("=", "+", "-", "@", "\t", "\r", "＝"))


def read_csv(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


ANA = Person("Ana", 'O"Neil, Jr.', "ana@example.org", "501")


def test_moodle_gets_whom_it_knows_and_no_empty_grade():
    rows = [Row("ana", ANA, graded("ana"), Mark({}, 0, 39)), Row("ben", Person())]
    assert read_csv(sheets.moodle(rows, "Lab 20")) == [
        ["ID number", "First name", "Last name", "Email address", "Lab 20"],
        ["ana", "Ana", 'O"Neil, Jr.', "ana@example.org", "0"],
    ]


def test_canvas_gets_its_five_columns_and_the_points_possible():
    marks = {"ana": Mark({"20.1": 7.5}, 0.25, 39), "=1": Mark({}, 0, 39), "ben": None}
    rows = [Row(name, ANA if name == "ana" else Person(), graded(name), worth) for name, worth in marks.items()]
    assert read_csv(sheets.canvas(rows, "Lab 20 (77)")) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Lab 20 (77)"],
        ["    Points Possible", "", "", "", "", "39"],
        ['O"Neil, Jr., Ana', "501", "ana", "ana", "", "7.25"],
        ["'=1", "", "'=1", "'=1", "", "0"],
    ]


def test_a_person_reads_everybody():
    rows = [row(graded("ana", notes=["=A note."])), Row("ben", Person()), Row("eve", Person(), handed_in=False)]
    head, ana, ben, eve = read_csv(sheets.plain(LAB, rows))
    assert head[4:] == [*LAB.exercises, "late", "total", "of", "remarks"]
    assert ana[4:] == ["0", "0", "4", "0", "0", "0", "4", "39", "'=A note."]
    assert (ben[-1], eve[-1]) == ("Handed in, and not graded yet.", "Nothing was handed in.")
    assert sheets.plain(LAB, rows).startswith("\ufeff")  # else Excel reads names wrong


def test_points_are_never_negative_and_a_person_has_the_last_word():
    one = graded("ana", points=4)
    assert mark(one, Written(late=9)).total == 0
    assert mark(one, Written(points={"20.3": 1.5, "20.1": 2}, extra={"20.1": 1}, late=0.5)).total == 4


# The command ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def new_class(tmp_path_factory):
    """A class of lesson 20, graded and in the gradebook; Eve has handed in nothing."""
    klass = ClassFolder(tmp_path_factory.mktemp("class") / "of 2026")
    klass.create()
    for learner, points in {"ana": FULL, "ben": NONE, "=1+1": NONE}.items():
        hand_in(klass, learner)
        found(klass, learner, points)
    gradebook.prepare(klass, LAB, gradebook.release(klass, LAB))
    record.record(klass, LAB, klass.learners(LAB.number))
    with sqlite3.connect(klass.gradebook) as book:
        book.execute("insert into student (id, first_name, email) values ('eve', 'Eve', 'eve@example.org')")
        cell = "(select id from base_cell where name = 'ex-20-1-check')"
        book.execute(f"update grade set manual_score = 2.5 where cell_id = {cell}")
        book.execute("update student set email = 'ana@example.org' where id = 'ana'")
    return klass


@pytest.fixture
def klass(new_class, tmp_path):
    return copy_of(new_class, tmp_path / "class")


def run(klass, *words):
    return CliRunner().invoke(main, ["report", "20", "--class", str(klass.root), *words])


def test_it_writes_four_files_and_the_same_again(klass):
    done = run(klass)
    assert done.exit_code == 0, done.output
    files = {path.name: path.read_bytes() for path in klass.report.iterdir()}
    assert files.keys() == {"lab20.html", "lab20.csv", "lab20-moodle.csv", "lab20-canvas.csv"}
    said = Parsed(files["lab20.html"].decode()).text
    assert "3 of 4 handed in, 3 graded." in said
    rows = read_csv(files["lab20-moodle.csv"].decode())
    assert rows[0][-1] == "20 · A JWT by hand"
    total = f"{sum(FULL.values()) - FULL['20.1'] + 2.5:g}"
    assert [(row[0], row[3], row[4]) for row in rows[1:]] == [
        ("'=1+1", "", "2.5"),
        ("ana", "ana@example.org", total),
        ("ben", "", "2.5"),
    ]
    assert json.loads(run(klass, "--json", "--column", "Lab 20").stdout)["graded"] == 3
    assert read_csv((klass.report / "lab20-canvas.csv").read_text("utf-8"))[0][-1] == "Lab 20"
    assert (klass.report / "lab20.html").read_bytes() == files["lab20.html"]


def test_it_needs_no_gradebook(klass):
    klass.gradebook.unlink()
    assert run(klass).exit_code == 0
    assert "3 of 3 handed in" in Parsed((klass.report / "lab20.html").read_text("utf-8")).text


def test_the_gradebook_is_only_read(klass):
    before = klass.gradebook.read_bytes()
    assert run(klass).exit_code == 0
    assert klass.gradebook.read_bytes() == before
    klass.gradebook.write_bytes(b"no database" * 100)
    done = run(klass)
    assert (done.exit_code, "could not be read" in done.output) == (1, True)


def test_what_cannot_be_done_is_a_sentence(klass, monkeypatch, tmp_path):
    empty = ClassFolder(tmp_path / "empty")
    empty.create()
    assert "Nobody has handed in lab 20" in run(empty).output
    klass.graded("ana", "20").write_text("{}")
    done = run(klass)
    assert (done.exit_code, "grade 'ana' again" in done.output) == (1, True)
    assert "1 handed in, and not graded yet" in Parsed((klass.report / "lab20.html").read_text("utf-8")).text

    def full(path, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(returning, "put", full)
    done = run(klass)
    assert (done.exit_code, "No space left on device" in done.output) == (1, True)


def test_the_templates_come_with_the_package():
    assert sorted(path.name for path in (HERE / "labs/classroom/templates").iterdir()) == [
        "class_page.html", "feedback.html", "page.css", "page.html",
    ]  # fmt: skip
