"""A report as it is drawn: nothing is lost, nothing is torn apart, nothing that a learner's code wrote gets in."""

from test_teach_show import Page

from labs.exercises import Report, Verdict
from labs.teach import reports

ID = "q0PZ0b1x2c3v4n5m6a7s8d9f0g1h2j3k4l5z6x7c8v9"
LONG = ID + "." + ID + "." + ID  # wider than the text form
EXCHANGE = f"GET /balance HTTP/1.1\r\nCookie: sid={ID}\r\n\r\n\n\nHTTP/1.1 200 OK\r\n\r\n<i>1280</i>\x07"
REPORT = Report(
    "10.4", "Two timeouts", "abcd1234", "partly", 2, 4,
    [
        Verdict("A customer who keeps clicking stays in", 2, True),
        Verdict("Activity does not stretch the limit", 2, False, "an end", f"`load` gave {LONG}", "<b>", EXCHANGE),
    ],
    printed="<script>alert(1)</script>",
)
REPLAY = 'check("10.4", Sessions, seed="abcd1234")'


def test_text_and_html_say_the_same():
    drawing = reports.draw(REPORT, REPLAY)
    page = Page(drawing.html)
    for said in [
        "10.4 · Two timeouts", "2 of 4 points", "A customer who keeps clicking stays in", "expected", "an end",
        "happened", "look at", "<b>", 'hint("10.4")', f"Cookie: sid={ID}", "<i>1280</i>\\x07",
        "<script>alert(1)</script>", REPLAY,
    ]:
        assert said in drawing.text
        assert said in page.text
    assert not {"b", "i", "script"} & set(page.tags)


def test_ids_and_seeds_stay_in_one_piece():
    drawing = reports.draw(REPORT, REPLAY)
    nodes = Page(drawing.html).nodes
    for whole in (LONG, ID, REPLAY):
        assert any(whole in line for line in drawing.text.splitlines())
        assert any(whole in node for node in nodes)


def test_html_is_a_table_that_needs_no_colour_and_no_mouse():
    page = Page(reports.draw(REPORT, REPLAY).html)
    assert page.tags.count("caption") == 1
    assert page.attributes.count(("scope", "col")) == 3
    assert {"✓ passed", "✗ not yet"} <= set(page.nodes)
    assert page.tags.count("details") == page.tags.count("summary") == 2


def test_a_report_of_one_that_passed_holds_nothing_that_varies():
    def ran(seed, took):
        verdict = Verdict("Unique", 1, True, seconds=took)
        return reports.draw(Report("10.1", "New ids", seed, "passed", 1, 1, [verdict], seconds=took), REPLAY)

    first, second = ran("aaaa", 0.1), ran("bbbb", 0.2)
    assert first == second
    assert "1 of 1 point" in first.text
    assert "replay" not in first.text
