"""Whatever arrives at any address of the bank, over real HTTP: an honest answer below 500, in time, no harm done."""

import json

import pytest
from anything_over_http import (
    NAMES,
    accepts,
    bodies_with,
    lines,
    methods,
    request,
    rules_of,
    send,
    targets_of,
    types,
    values,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from labs.auth.sessions import Sessions
from labs.auth.stores import MemoryStore
from labs.bench import serve
from labs.servers import bank, customers

app = bank(Sessions(MemoryStore()), customers=customers("fern"))
RULES = rules_of(app)
PATHS = sorted({path for path, _ in RULES})
POSTS = sorted(path for path, method in RULES if method == "POST")
GETS = sorted(path for path, method in RULES if method == "GET")
MONEY = sum(one.balance for one in app.customers.values())


@pytest.fixture(scope="module")
def site():
    with serve(app, name="hypothesis") as site:
        yield site


def session(user: str | None = "ana") -> bytes:
    """A Cookie header of a fresh session."""
    return b"__Host-sid=" + app.desk._sessions.create(user).encode()


def assert_honest(site, answer) -> None:
    """Nothing failed, an error has its sentence, and no money was made or lost."""
    assert not site.errors, site.errors
    assert 200 <= answer.status < 500, answer.body
    if answer.status >= 400 and answer.headers["Content-Type"] == "application/json" and answer.body:
        assert json.loads(answer.body)["error"].endswith(".")
    assert sum(map(app.ledger.balance, NAMES)) == MONEY
    assert min(map(app.ledger.balance, NAMES)) >= 0


# ---- what arrives ----------------------------------------------------------------------------------

cookies = st.one_of(
    lines,
    lines.map(lambda raw: b"__Host-sid=" + raw),
    st.lists(lines, max_size=4).map(lambda all: b"; ".join(b"__Host-sid=" + one for one in all)),
    st.sampled_from([
        b"__Host-sid", b"__Host-sid=", b'__Host-sid=""', b"__Host-sid=" + b"A" * 43, b"__Host-sid=" + b"A" * 5_000,
        b"=;=;;", b"__Host-sid=\xff\xfe", b"__Host-sid=" + "☘".encode(), b"__host-sid=x", b"$Version=1; __Host-sid=x",
    ]),
)  # fmt: skip
bodies = bodies_with(["username", "password", "to", "amount", "text", "item", "extra"])
targets = targets_of(PATHS)

AT_LENGTH = settings(max_examples=150, deadline=None)


@AT_LENGTH
@given(method=methods, target=targets, cookie=st.none() | cookies, kind=types, accept=accepts, body=bodies)
def test_any_request_at_all(site, method, target, cookie, kind, accept, body):
    headers = [(b"Content-Type", kind), (b"Accept", accept), (b"Cookie", session() if cookie is None else cookie)]
    assert_honest(site, request(site, method, target, headers, body))


@pytest.mark.parametrize("path", POSTS)
@settings(max_examples=60, deadline=None)
@given(body=bodies, accept=accepts, form=st.booleans(), known=st.booleans())
def test_any_body_at_every_counter(site, path, body, accept, form, known):
    kind = b"application/x-www-form-urlencoded" if form else b"application/json"
    headers = [(b"Content-Type", kind), (b"Accept", accept)] + [(b"Cookie", session())] * known
    assert_honest(site, request(site, b"POST", path.encode(), headers, body))


@pytest.mark.parametrize("path", sorted({*POSTS, *GETS}))
@settings(max_examples=40, deadline=None)
@given(cookie=cookies, accept=accepts)
@example(cookie=b"__Host-sid=" + b"A" * 43, accept=b"text/html")
def test_no_malformed_cookie_is_anybody(site, path, cookie, accept):
    before = len(site.record)
    method = b"GET" if path in GETS else b"POST"
    answer = request(site, method, path.encode(), [(b"Cookie", cookie), (b"Accept", accept)])
    assert_honest(site, answer)
    assert len(site.record) == before
    if path in ("/me", "/balance", "/notes", "/transfer", "/confirm", "/logout/everywhere"):
        assert answer.status in (400, 401)


@settings(max_examples=60, deadline=None)
@given(
    transfer=st.fixed_dictionaries(
        {"to": st.sampled_from(NAMES) | values, "amount": st.integers(-5, 3_000) | values}
    ),
    elevated=st.booleans(),
)
@example(transfer={"to": "ben", "amount": float("nan")}, elevated=True)
@example(transfer={"to": "ben", "amount": float("-inf")}, elevated=True)
def test_any_transfer_moves_what_it_says_or_nothing(site, transfer, elevated):
    cookie = b"__Host-sid=" + app.desk._sessions.create("ana", elevated=elevated).encode()
    headers = [(b"Cookie", cookie), (b"Content-Type", b"application/json")]
    had = {name: app.ledger.balance(name) for name in NAMES}
    answer = request(site, b"POST", b"/transfer", headers, json.dumps(transfer).encode())
    assert_honest(site, answer)
    if answer.status == 200:
        taker, amount = transfer["to"], transfer["amount"]
        assert taker in ("ben", "mallory")
        assert type(amount) is int
        assert 1 <= amount <= (had["ana"] if elevated else 1_000)
        assert app.ledger.balance("ana") == had["ana"] - amount
        assert app.ledger.balance(taker) == had[taker] + amount
        app.ledger.move(taker, "ana", amount, at=0.0)  # back, so that there is something to move the next time
    else:
        assert {name: app.ledger.balance(name) for name in NAMES} == had


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters(), max_size=520))
def test_a_note_comes_back_as_it_was_written_or_is_refused(site, text):
    headers = [(b"Cookie", session("ben")), (b"Content-Type", b"application/json")]
    body = json.dumps({"text": text}).encode()
    answer = request(site, b"POST", b"/notes", headers, body)
    assert_honest(site, answer)
    written = app.ledger._notes["ben"]
    if answer.status == 201:
        assert written.pop() == json.loads(answer.body)["note"] == text.replace("\r\n", "\n")
    else:
        assert answer.status == 400
        assert len(written) == 3


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("sent", [b"", b"{", b'{"username": "ana"'])
def test_a_body_that_ends_too_soon_is_answered(site, path, sent):
    headers = [(b"Content-Type", b"application/json"), (b"Content-Length", b"400"), (b"Cookie", session())]
    lines = b"\r\n".join(b"%s: %s" % header for header in headers)
    raw = b"POST %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n%s" % (path.encode(), lines, sent)
    answer = send(site, raw, half_close=True)
    assert_honest(site, answer)
    assert answer.status == 400


@pytest.mark.parametrize("length", [b"-1", b"abc", b"1e3", b"", b"9" * 30, b"0x10", b"+5"])
def test_a_length_that_is_none_is_refused(site, length):
    raw = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: %s\r\n\r\n{}" % length
    answer = send(site, raw, half_close=True)
    assert_honest(site, answer)
    assert answer.status >= 400


def test_after_all_that_the_bank_still_serves(site):
    ana = site.visitor("ana")
    assert ana.login("ana", site.password_of("ana")).status == 200
    assert ana.get("/balance").json()["owner"] == "ana"
