"""show(): what it draws says what went over the wire, in HTML and in text."""

from dataclasses import dataclass
from html.parser import HTMLParser

import pytest
from flask import Flask, make_response, request
from hypothesis import given
from hypothesis import strategies as st

from labs.auth.sessions import Sessions
from labs.auth.stores import MemoryStore
from labs.bench import BenchError, Exchange, serve
from labs.servers import bank
from labs.teach import exchange, show
from labs.teach.showing import draw

ID = "q0PZ0b1x2c3v4n5m6a7s8d9f0g1h2j3k4l5z6x7c8v9"  # 43 characters, as token_urlsafe(32) gives


class Page(HTMLParser):
    """The text nodes of an HTML drawing, those in <mark>, and its elements."""

    def __init__(self, html):
        super().__init__()
        self.nodes, self.marked, self.tags, self.attributes, self._open = [], [], [], [], []
        self.feed(html)
        self.close()
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag != "br":
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.nodes.append(data)
        if self._open[-1:] == ["mark"]:
            self.marked.append(data)

    @property
    def text(self):
        return "".join(self.nodes)


@pytest.fixture
def fernbank():
    with serve(bank(Sessions(MemoryStore())), name="show") as site:
        yield site


@pytest.fixture
def echo():
    """A site that sets the cookies and the body that it is asked for."""
    app = Flask("echo")

    @app.route("/<path:path>", methods=["GET", "POST"])
    def answer(path):
        response = make_response(request.get_json(silent=True) or {"path": path})
        for value in request.args.getlist("set"):
            response.headers.add("Set-Cookie", value)
        return response

    with serve(app, name="show echo") as site:
        yield site


def text_of(exchange_or_response, **how):
    return draw(exchange_or_response, **how).text


def notes(drawing):
    return [node.removeprefix("▲ ") for node in Page(drawing.html).nodes if node.startswith("▲ ")]


# ---- an exchange ---------------------------------------------------------------------------------------------


def test_the_theft_of_a_session(fernbank, capsys):
    ana, mallory = fernbank.visitor("ana"), fernbank.visitor("mallory")
    ana.login("ana", fernbank.password_of("ana"))
    mallory.cookies["__Host-sid"] = ana.cookies["__Host-sid"]
    response = mallory.get("/balance")
    assert show(response, note="the id that Mallory chose") is None
    lines = capsys.readouterr().out.splitlines()
    left, right = [line[:66].rstrip() for line in lines], [line[66:] for line in lines]
    asked, answered = response.exchange.request_text, response.exchange.response_text
    assert [line for line in left if line and "▲" not in line] == asked.rstrip().splitlines()
    assert [line for line in right if "▲" not in line] == answered.rstrip().splitlines()
    cookie = left.index(f"Cookie: __Host-sid={ana.cookies['__Host-sid']}")
    assert left[cookie + 1] == "▲ the id that Mallory chose"
    assert right[-1] == "▲ the bank's record: mallory read ana's balance"


def test_what_does_not_fit_side_by_side_stands_one_below_the_other(fernbank):
    ana = fernbank.visitor("ana")
    lines = text_of(ana.login("ana", fernbank.password_of("ana"))).splitlines()
    asked = [line[2:] for line in lines if line.startswith("> ")]
    answered = [line[2:] for line in lines if line.startswith("< ")]
    assert asked[0] == "POST /login HTTP/1.1"
    assert answered[0] == "HTTP/1.1 200 OK"
    assert "▲ the password" in asked
    assert answered[-1] == "▲ the bank's record: ana logged in"
    assert lines.index("") == len([line for line in lines if line.startswith(">")])


def test_html_holds_all_that_was_sent_and_each_id_in_one_node(fernbank):
    ana = fernbank.visitor("ana")
    ana.login("ana", fernbank.password_of("ana"))
    response = ana.post("/notes", json={"text": "<b>5 > 3</b> & 'more'"})
    page = Page(draw(response).html)
    sent = response.exchange.request_text.splitlines() + response.exchange.response_text.splitlines()
    for line in sent:
        assert line in page.text
    for varying in (ana.cookies["__Host-sid"], str(fernbank.port), response.headers["Date"]):
        assert any(varying in node for node in page.nodes)
    assert page.marked == [ana.cookies["__Host-sid"]]
    assert "b" not in page.tags
    assert ("aria-label", "Request by ana") in page.attributes


@pytest.mark.parametrize(
    ("path", "headers", "note"),
    [
        ("/a", {"Cookie": f"lang=en; sid={ID}"}, "the credential: cookie sid"),
        ("/a", {"Cookie": f"__Host-session={ID}"}, "the credential: cookie __Host-session"),
        ("/a", {"Authorization": f"Bearer {ID}"}, "the credential: Bearer"),
        (f"/a?x=1&sid={ID}", {}, "a credential in the address: sid"),
    ],
)
def test_the_credential_of_a_request_is_marked(echo, path, headers, note):
    drawing = draw(echo.visitor().get(path, headers=headers))
    assert notes(drawing) == [note]
    assert Page(drawing.html).marked == [ID]


@pytest.mark.parametrize(
    ("cookie", "note"),
    [
        (f"sid={ID}; Path=/; HttpOnly", "a new credential: cookie sid"),
        ("sid=; Max-Age=0", "cookie sid is taken back"),
    ],
)
def test_a_cookie_that_is_set_is_marked(echo, cookie, note):
    drawing = draw(echo.visitor().get("/a?" + "set=" + cookie.replace("; ", "%3B%20").replace("=", "%3D")))
    assert note in notes(drawing)


@pytest.mark.parametrize("cookie", ["lang=en", "residence=here", "color=sidereal", "sid"])
def test_what_is_no_credential_is_not_marked(echo, cookie):
    drawing = draw(echo.visitor().get("/a", headers={"Cookie": cookie, "X-Thing": "token"}))
    assert Page(drawing.html).marked == []


def test_mark_marks_any_text(echo):
    drawing = draw(echo.visitor().post("/a", json={"seen": "fern-1234 and fern-1234"}), mark=["fern-1234"])
    assert Page(drawing.html).marked == ["fern-1234"] * 4  # twice there, twice back


def test_a_password_in_a_form_is_marked(echo):
    drawing = draw(echo.visitor().post("/a", form={"username": "ana", "password": "fern"}))
    assert notes(drawing) == ["the password"]
    assert Page(drawing.html).marked == ["fern"]


def test_a_long_body_is_folded_and_counted(echo):
    raw = b"HTTP/1.1 200 OK\r\n\r\n" + b"\n".join(b"line %d" % n for n in range(100))
    drawing = draw(Exchange(1, 0.0, "ana", b"GET / HTTP/1.1\r\n\r\n", raw))
    assert "(72 more lines)" in drawing.text
    page = Page(drawing.html)
    assert "line 99" in page.text
    assert {"details", "summary"} <= set(page.tags)


def test_a_body_that_is_no_text_and_a_missing_answer():
    drawing = draw(Exchange(1, 0.0, None, b"POST / HTTP/1.1\r\n\r\n\xff\xfe\x00", b"", truncated=True))
    assert "(3 bytes that are not text)" in drawing.text
    assert "(no answer)" in drawing.text
    assert "▲ the log kept the first 64 KiB of this exchange" in drawing.text


def test_what_cannot_be_seen_is_shown_as_an_escape():
    assert exchange.visible("a\r\nb\rc\x1b[31m\u202e\x00é\t") == "a\nb\\rc\\x1b[31m\\u202e\\x00é\t"


@given(request=st.binary(max_size=200), response=st.binary(max_size=200), mark=st.lists(st.text(max_size=3)))
def test_no_bytes_break_a_drawing(request, response, mark):
    drawing = draw(Exchange(1, 0.0, "ana", request, response), mark)
    page = Page(drawing.html)
    assert set(page.tags) <= {"div", "p", "pre", "mark", "strong"}
    assert all(one.isprintable() or one in "\n\t" for one in drawing.text)


HEADERS = [
    "Cookie: sid=<script>", "Cookie: a=<b>; sid=x", "Cookie: ;;=;a", "Cookie: sid=a; sid=a",
    "Set-Cookie: sid", "Set-Cookie: =",
    "Authorization:", "Authorization: B", ":", "",
    'GET /?sid="onload=1 HTTP/1.1', '{"password": "<b>"}', "\0", "\u2028",
]


@given(st.lists(st.sampled_from(HEADERS), max_size=8))
def test_no_header_breaks_a_drawing(lines):
    raw = "\r\n".join(lines).encode()
    page = Page(draw(Exchange(1, 0.0, "<i>", raw, raw)).html)
    assert set(page.tags) <= {"div", "p", "pre", "mark", "strong"}


# ---- tables --------------------------------------------------------------------------------------------------


def test_a_log_is_a_table_whose_rows_open(fernbank):
    fernbank.visitor("ana").get("/health")
    fernbank.visitor().get("/balance")
    drawing = draw(fernbank.log)
    assert [line.split() for line in drawing.text.splitlines()] == [
        ["2", "exchanges"], ["n", "from", "request", "status"],
        ["1", "ana", "GET", "/health", "200"], ["2", "someone", "GET", "/balance", "401"],
    ]
    page = Page(drawing.html)
    assert [page.tags.count(tag) for tag in ("caption", "details", "summary")] == [1, 2, 2]
    assert {("scope", "col"), ("scope", "row")} <= set(page.attributes)
    assert "Host: app.fernbank.localhost" in page.text


def test_a_long_log_says_how_long(fernbank):
    visitor = fernbank.visitor("ana")
    for _ in range(101):
        visitor.get("/health")
    lines = text_of(fernbank.log).splitlines()
    assert lines[0] == "101 exchanges, the last 100 of them"
    assert len(lines) == 102


def test_the_record_and_its_events(fernbank):
    ana = fernbank.visitor("ana")
    ana.login("ana", fernbank.password_of("ana"))
    ana.get("/balance")
    for thing in (fernbank.record, list(fernbank.record), fernbank.record[1:]):
        assert "ana read their own balance" in text_of(thing)
    assert text_of(fernbank.record[0]).splitlines()[0] == "The bank's record: 1 event"
    assert text_of(fernbank.record.lost("ana")) == "Nothing."


def test_cookies_with_their_attributes(fernbank):
    ana = fernbank.visitor("ana")
    ana.login("ana", fernbank.password_of("ana"))
    for thing, title in ((ana, "The cookies of ana"), (ana.cookies, "The cookies")):
        first, head, row = text_of(thing).splitlines()
        assert first == title
        assert head.split() == ["name", "value", "for", "path", "Secure", "HttpOnly", "SameSite"]
        assert row.split() == [
            "__Host-sid", ana.cookies["__Host-sid"], "app.fernbank.localhost", "only", "/", "yes", "yes", "Lax",
        ]


def test_a_session_record():
    sessions = Sessions(MemoryStore(), clock=lambda: 1_900_000_000.25)
    text = text_of(sessions.load(sessions.create("ana", elevated=True)), title="Ana's session")
    rows = dict(line.split(maxsplit=1) for line in text.splitlines()[1:])
    assert text.startswith("Ana's session\n")
    assert (rows["user"], rows["elevated"], rows["data"]) == ("ana", "yes", "{}")
    assert rows["created_at"] == rows["last_seen"] == "2030-03-17 17:46:40 UTC"


def test_rows_of_plain_data_and_of_dataclasses():
    @dataclass
    class Offer:
        part: str
        what_to_do: str

    rows = [["part", "what", "to", "do"], ["Redis", "nothing"], ["browser", "install", "one"]]
    offers = [Offer("Redis", "nothing"), Offer("browser", "install one")]
    for things in (offers, [vars(offer) for offer in offers]):
        lines = text_of(things, title="This machine").splitlines()
        assert lines[0] == "This machine"
        assert [line.split() for line in lines[1:]] == rows


def test_several_responses_stand_one_below_the_other(fernbank):
    visitor = fernbank.visitor("ana")
    text = text_of([visitor.get("/health"), visitor.get("/balance")])
    assert text.index("GET /health") < text.index("\n\n") < text.index("GET /balance")


@pytest.mark.parametrize("thing", [3, "text", None, [1, 2], object()])
def test_what_cannot_be_drawn_gets_a_sentence(thing):
    with pytest.raises(BenchError, match="show cannot draw (int|str|NoneType|object). It draws a response"):
        show(thing)
