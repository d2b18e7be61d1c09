"""The backend-for-frontend over real HTTP: it holds the tokens, renews them once for all who wait, and shows none."""

import json
import threading

import flask
import pytest
from anything_over_http import accepts, bodies_with, lines, methods, request, targets_of, types
from hypothesis import given, settings
from moved_by_hand import Now, Store

from conftest import eventually
from labs.auth.cookies import SessionCookie
from labs.auth.sessions import Sessions
from labs.auth.stores import MemoryStore, StoreDown
from labs.bench import serve
from labs.servers import Books, bff, customers, services

COOKIE = "__Host-Http-sid"
OURS = {"X-Fernbank": "1"}


class Spied(Sessions):
    """Sessions that tell the test what the backend kept in them, and how often it looked."""

    def __init__(self, clock):
        super().__init__(MemoryStore(), clock=clock)
        self.kept, self.loads = [], 0

    def save(self, id, data):
        self.kept.append(data["tokens"])
        return super().save(id, data)

    def load(self, id):
        self.loads += 1
        return super().load(id)


@pytest.fixture
def now():
    return Now()


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def bank(now, store):
    with services(store=store, books=Books(customers("fern"), clock=now)) as bank:
        yield bank


@pytest.fixture
def sessions(now):
    return Spied(now)


@pytest.fixture
def site(bank, sessions):
    with bank.open_bff(sessions) as site:
        yield site


def call(visitor, path, body=None, **options):
    method = "GET" if body is None else "POST"
    return visitor.request(method, path, json=body, headers=OURS, **options)


def customer(site, bank, name="ana"):
    visitor = site.visitor(name)
    answer = call(visitor, "/login", {"username": name, "password": bank.identity.password_of(name)})
    assert (answer.status, answer.json()) == (200, {"user": name})
    return visitor


def asked(bank, path="/refresh"):
    """How often identity was asked for this."""
    return [exchange.path for exchange in bank.identity.log].count(path)


# ---- what it gives the browser, and what not ---------------------------------------------------------


def test_the_browser_gets_a_cookie_and_never_a_token(site, bank, sessions, now):
    ana = customer(site, bank)
    assert call(ana, "/api/balance").json()["owner"] == "ana"
    now.now += 901
    assert call(ana, "/api/transfer", {"to": "ben", "amount": 5}).status == 200
    call(ana, "/logout", {})
    tokens = [tokens[name] for tokens in sessions.kept for name in ("access_token", "refresh_token")]
    assert len(set(tokens)) == 4  # of the log-in and of one renewal
    wire = b"".join(exchange.request + exchange.response for exchange in site.log)
    assert b"balance" in wire
    assert b"Bearer" not in wire
    assert [token for token in tokens if token.encode() in wire] == []
    assert ana.cookies.script(ana.url_of("/")) == ""


def test_the_cookie_is_the_one_that_rfc_10017_wants(site, bank):
    visitor = site.visitor("ana")
    body = {"username": "ana", "password": bank.identity.password_of("ana")}
    (cookie,) = call(visitor, "/login", body).set_cookies
    name, *attributes = cookie.split("; ")
    assert name.startswith(f"{COOKIE}=")
    assert sorted(attributes) == ["HttpOnly", "Path=/", "SameSite=Strict", "Secure"]


def test_another_cookie_may_be_handed_in(bank, sessions):
    with bank.open_bff(sessions, SessionCookie("sid")) as site:
        assert "sid" in customer(site, bank).cookies


def test_what_accounts_answers_is_passed_on(site, bank):
    ana, had = customer(site, bank), customers("fern")["ana"].balance
    answer = call(ana, "/api/balance")
    assert answer.json() == {"owner": "ana", "balance": had}
    assert (answer.headers["Content-Type"], answer.headers["Cache-Control"]) == ("application/json", "no-store")
    answer = call(ana, "/api/transfer", {"to": "ben", "amount": 120})
    assert answer.json() == {"from": "ana", "to": "ben", "amount": 120, "balance": had - 120}
    assert call(ana, "/api/transfer", {"to": "ben", "amount": 10**6}).status == 409
    assert call(ana, "/api/transfer", {"to": "mallory", "from": "ben", "amount": 1}).status == 403
    assert call(ana, "/api/nowhere").json() == {"error": "Fernbank has no such address."}
    assert call(ana, "/api/me", {}).status == 405


@pytest.mark.parametrize(
    ("path", "arrives"),
    [("/api/me?x=1&y=%20", "/me?x=1&y=%20"), ("/api/a%20b", "/a%20b"), ("/api/%c3%a9", "/%C3%A9"), ("/api/x/", "/x/"),
     ("/api/%3Fx", "/%3Fx"), ("/api/x%0aX-Evil:1", "/me"), ("/api/../me", "/../me")],
)  # fmt: skip
def test_an_address_arrives_as_it_was_sent(site, bank, path, arrives):
    ana = customer(site, bank)
    call(ana, "/api/me")
    assert call(ana, path).status in (200, 404)
    assert bank.accounts.log[-1].path == arrives


def test_the_record_names_who_really_sits_at_the_browser(site, bank):
    ana, mallory = customer(site, bank), site.visitor("mallory")
    call(ana, "/api/balance")
    assert bank.books.record.lost("ana") == []
    mallory.cookies[COOKIE] = ana.cookies[COOKIE]
    call(mallory, "/api/balance")
    assert [str(event) for event in bank.books.record.lost("ana")] == ["mallory read ana's balance"]


def test_head_reads_nothing_and_is_no_event(site, bank):
    ana, before = customer(site, bank), len(bank.books.record)
    answer = ana.request("HEAD", "/api/balance", headers=OURS)
    assert (answer.status, answer.body) == (200, b"")
    assert len(bank.books.record) == before


# ---- who may call it ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/login", "/logout", "/api/transfer", "/api/balance"])
def test_without_the_header_that_only_our_page_can_send_nothing_happens(site, bank, path):
    ana, before = customer(site, bank), len(bank.books.record)
    body = {"username": "mallory", "password": bank.identity.password_of("mallory"), "to": "mallory", "amount": 5}
    for options in ({"json": body}, {"form": {name: str(value) for name, value in body.items()}}):
        answer = ana.post(path, **options)
        assert (answer.status, answer.set_cookies) == (403, [])
        assert "X-Fernbank" in answer.json()["error"]
    if path.startswith("/api/"):
        assert ana.get(path).status == 403
    assert len(bank.books.record) == before
    assert call(ana, "/api/me").json() == {"user": "ana"}


def test_it_answers_no_page_of_another_origin(site, bank):
    ana = customer(site, bank)
    origin = {"Origin": "http://evil.fernbank.localhost:1"}
    for answer in (
        ana.request("OPTIONS", "/api/me", headers={**origin, "Access-Control-Request-Headers": "x-fernbank"}),
        ana.get("/api/me", headers=origin | OURS),
    ):
        assert not [name for name in answer.headers if name.startswith("Access-Control-")]


def test_who_is_not_logged_in_is_told_so_and_nobody_is_asked(site, bank):
    stranger = site.visitor()
    known = len(bank.identity.log), len(bank.accounts.log)
    for id in (None, "x", "A" * 43):
        if id is not None:
            stranger.cookies[COOKIE] = id
        answer = call(stranger, "/api/balance")
        assert (answer.status, answer.json()) == (401, {"error": "You are not logged in: log in first."})
        assert answer.headers["WWW-Authenticate"] == 'Cookie realm="Fernbank"'
    assert (len(bank.identity.log), len(bank.accounts.log)) == known


def test_a_wrong_password_is_identitys_answer(site, bank):
    visitor = site.visitor()
    answer = call(visitor, "/login", {"username": "ana", "password": "wrong"})
    assert (answer.status, answer.json()) == (401, {"error": "The name or the password is wrong."})
    assert answer.headers["WWW-Authenticate"] == 'Cookie realm="Fernbank"'
    assert answer.set_cookies == []


@pytest.mark.parametrize("body", [{}, {"username": "ana"}, {"username": 1, "password": 2}, {"username": ""}])
def test_an_odd_login_is_no_login(site, bank, body):
    answer = call(site.visitor(), "/login", body)
    assert answer.status == 400
    assert answer.json()["error"].endswith(".")
    assert asked(bank, "/login") == 0


# ---- renewal -----------------------------------------------------------------------------------------


def test_a_token_is_renewed_when_its_time_is_over_and_not_before(site, bank, now):
    ana = customer(site, bank)
    now.now += 899
    call(ana, "/api/me")
    assert asked(bank) == 0
    now.now += 1
    for _ in range(3):
        assert call(ana, "/api/me").json() == {"user": "ana"}
    assert asked(bank) == 1
    assert [exchange.status for exchange in bank.accounts.log] == [200] * 4


def test_a_token_that_is_refused_is_renewed_once(site, bank, now):
    ana = customer(site, bank)
    assert call(ana, "/api/me").status == 200
    bank.ring.remove(bank.ring.signing().kid)  # an emergency: accounts fetches the keys again after `cache`
    now.now += bank.ring.cache
    assert call(ana, "/api/me").json() == {"user": "ana"}
    assert [exchange.status for exchange in bank.accounts.log] == [200, 401, 200]
    assert asked(bank) == 1


def test_a_token_that_is_refused_again_is_the_answer(bank, sessions):
    bank.accounts.app.before_request(lambda: ({"error": "No."}, 401, {"WWW-Authenticate": "Bearer"}))
    with bank.open_bff(sessions) as site:
        ana = customer(site, bank)
        for n in (1, 2):
            answer = call(ana, "/api/me")
            assert (answer.status, answer.json()) == (401, {"error": "No."})
            assert answer.headers["WWW-Authenticate"] == 'Cookie realm="Fernbank"'
            assert (len(bank.accounts.log), asked(bank)) == (2 * n, n)


def at_once(times, work):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(work())) for _ in range(times)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return answers


def test_ten_requests_at_once_renew_once(site, bank, sessions, now, monkeypatch):
    ana = customer(site, bank)
    now.now += 901
    sessions.loads = 0
    use = bank.refresh.use

    def late(token, client):
        """Renew only when all ten have seen the old token."""
        assert eventually(lambda: sessions.loads > 10)
        return use(token, client)

    monkeypatch.setattr(bank.refresh, "use", late)
    assert [answer.status for answer in at_once(10, lambda: call(ana, "/api/balance"))] == [200] * 10
    assert asked(bank) == 1


def test_ten_that_are_refused_at_once_renew_once(bank, sessions, monkeypatch):
    refused = set()
    bank.accounts.app.before_request(
        lambda: ({"error": "No."}, 401) if flask.request.headers["Authorization"] in refused else None
    )
    with bank.open_bff(sessions) as site:
        ana = customer(site, bank)
        refused.add(f"Bearer {sessions.kept[0]['access_token']}")
        use = bank.refresh.use

        def late(token, client):
            """Renew only when all ten have been refused."""
            assert eventually(lambda: len(bank.accounts.log) == 10)
            return use(token, client)

        monkeypatch.setattr(bank.refresh, "use", late)
        assert [answer.status for answer in at_once(10, lambda: call(ana, "/api/balance"))] == [200] * 10
        assert [exchange.status for exchange in bank.accounts.log] == [401] * 10 + [200] * 10
        assert asked(bank) == 1


def test_a_renewal_that_is_refused_logs_out_and_asks_no_more(site, bank, now):
    ana = customer(site, bank)
    bank.refresh.revoke_all("ana")
    now.now += 901
    answer = call(ana, "/api/me")
    assert (answer.status, answer.json()) == (401, {"error": "Your log-in has ended: log in again."})
    assert answer.set_cookies == [f"{COOKIE}=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Strict"]
    assert COOKIE not in ana.cookies
    assert call(ana, "/api/me").status == 401
    assert (asked(bank), len(bank.accounts.log)) == (1, 0)


def test_an_outage_logs_nobody_out(site, bank, store, now):
    ana = customer(site, bank)
    id = ana.cookies[COOKIE]
    now.now += 901
    store.down = True
    answer = call(ana, "/api/me")
    assert (answer.status, answer.headers["Retry-After"], answer.set_cookies) == (503, "5", [])
    store.down = False
    assert call(ana, "/api/me").json() == {"user": "ana"}
    assert ana.cookies[COOKIE] == id


def test_without_identity_tokens_go_on_for_their_time(site, bank, now):
    ana = customer(site, bank)
    assert call(ana, "/api/me").status == 200
    bank.identity.stop()
    assert call(ana, "/api/me").status == 200
    now.now += 901
    for path, body in [("/api/me", None), ("/login", {"username": "ana", "password": "x"})]:
        answer = call(ana, path, body)
        assert (answer.status, answer.set_cookies) == (502, [])
        assert answer.json() == {"error": "Fernbank's identity does not answer: try again."}
    assert COOKIE in ana.cookies


def test_without_accounts_it_says_so(site, bank):
    ana = customer(site, bank)
    bank.accounts.stop()
    assert call(ana, "/api/me").json() == {"error": "Fernbank's accounts does not answer: try again."}


# ---- the end -----------------------------------------------------------------------------------------


def renew(bank, tokens):
    body = {"refresh_token": tokens["refresh_token"], "client": "bff"}
    return bank.identity.visitor("ana").post("/refresh", json=body)


def test_log_out_ends_the_session_and_the_refresh_token(site, bank, sessions):
    ana = customer(site, bank)
    id = ana.cookies[COOKIE]
    answer = call(ana, "/logout", {})
    assert (answer.status, answer.json()) == (200, {"user": None})
    assert COOKIE not in ana.cookies
    ana.cookies[COOKIE] = id
    assert call(ana, "/api/me").status == 401
    assert renew(bank, sessions.kept[-1]).json()["error"] == "invalid_grant"
    assert call(site.visitor(), "/logout", {}).json() == {"user": None}


def test_log_out_works_without_identity(site, bank):
    ana = customer(site, bank)
    bank.identity.stop()
    assert call(ana, "/logout", {}).json() == {"user": None}
    assert COOKIE not in ana.cookies


def test_log_out_waits_for_a_renewal_and_ends_what_it_brought(site, bank, sessions, now, monkeypatch):
    ana = customer(site, bank)
    now.now += 901
    use, renewing, going = bank.refresh.use, threading.Event(), threading.Event()

    def late(token, client):
        renewing.set()
        assert going.wait(60)
        return use(token, client)

    monkeypatch.setattr(bank.refresh, "use", late)
    request = threading.Thread(target=call, args=(ana, "/api/me"))
    request.start()
    assert renewing.wait(60)
    leaving = threading.Thread(target=call, args=(ana, "/logout", {}))
    leaving.start()
    assert eventually(lambda: site.log[-1].path == "/logout")
    going.set()
    request.join()
    leaving.join()
    monkeypatch.undo()
    assert len(sessions.kept) == 2
    assert renew(bank, sessions.kept[-1]).json()["error"] == "invalid_grant"


def test_a_session_that_ends_during_a_renewal_leaves_no_token_behind(bank, now):
    class Ending(Spied):
        def save(self, id, data):
            if self.kept:
                self.revoke(id)
            return super().save(id, data)

    sessions = Ending(now)
    with bank.open_bff(sessions) as site:
        ana = customer(site, bank)
        now.now += 901
        assert call(ana, "/api/me").json() == {"error": "Your log-in has ended: log in again."}
        assert renew(bank, sessions.kept[-1]).json()["error"] == "invalid_grant"


def test_a_new_login_ends_the_one_before(site, bank, sessions):
    ana = customer(site, bank)
    old = ana.cookies[COOKIE]
    call(ana, "/login", {"username": "ben", "password": bank.identity.password_of("ben")})
    assert ana.cookies[COOKIE] != old
    assert call(ana, "/api/me").json() == {"user": "ben"}
    thief = site.visitor("mallory")
    thief.cookies[COOKIE] = old
    assert call(thief, "/api/me").status == 401
    assert renew(bank, sessions.kept[0]).json()["error"] == "invalid_grant"
    assert renew(bank, sessions.kept[1]).status == 200


# ---- the mechanism that it is handed -------------------------------------------------------------------


class Handed:
    """Sessions of which one method gives or raises what the test says."""

    def __init__(self, method, gives):
        self._real, self._method, self._gives = Sessions(MemoryStore()), method, gives

    def __getattr__(self, name):
        if name != self._method:
            return getattr(self._real, name)

        def give(*_):
            if isinstance(self._gives, Exception):
                raise self._gives
            return self._gives

        return give


@pytest.mark.parametrize(
    ("method", "gives", "status"),
    [
        ("load", StoreDown("gone"), 503), ("save", StoreDown("gone"), 503), ("rotate", StoreDown("gone"), 503),
        ("load", ValueError("oh"), 500), ("save", None, 500), ("rotate", None, 500), ("load", {}, 500),
        ("revoke", ValueError("oh"), 500), ("save", False, 401),
    ],
)  # fmt: skip
def test_a_mechanism_that_fails_is_told(bank, method, gives, status):
    app = bff(bank.identity, bank.accounts, Handed(method, gives))
    told = []
    app.on_mechanism_error = told.append
    with serve(app) as site:
        visitor = site.visitor("ana")
        body = {"username": "ana", "password": bank.identity.password_of("ana")}
        visitor.cookies[COOKIE] = "A" * 43
        answers = [call(visitor, "/login", body), call(visitor, "/api/me"), call(visitor, "/logout", {})]
        assert status in [answer.status for answer in answers]
        assert bool(told) == (status == 500)
        assert not site.errors


@pytest.mark.parametrize(
    "tokens",
    [None, "x", {}, {"access_token": "x", "refresh_token": "y"},
     {"access_token": 1, "refresh_token": "y", "due_at": 9e9},
     {"access_token": "x", "refresh_token": "y", "due_at": ""}],
)  # fmt: skip
def test_a_session_without_good_tokens_is_nobodys(bank, tokens):
    record = {"user": "ana", "data": {"tokens": tokens}}
    with serve(bff(bank.identity, bank.accounts, Handed("load", record))) as site:
        visitor = site.visitor("ana")
        visitor.cookies[COOKIE] = "x"
        assert call(visitor, "/api/me").status == 401
        assert call(visitor, "/logout", {}).status == 200


# ---- any request at all --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def open_site():
    with services("EdDSA", books=Books(customers("fern"))) as bank, bank.open_bff() as site:
        visitor = customer(site, bank)
        site.cookie = f"{COOKIE}={visitor.cookies[COOKIE]}".encode()
        yield site


paths = ["/", "/login", "/logout", "/api/", "/api/me", "/api/balance", "/api/transfer", "/page.js", "/style.css"]
bodies = bodies_with(["username", "password", "to", "from", "amount"])


@settings(max_examples=200, deadline=None)
@given(method=methods, target=targets_of(paths), kind=types, accept=accepts, body=bodies, cookie=lines)
def test_any_request_is_answered_honestly(open_site, method, target, kind, accept, body, cookie):
    for credential in (cookie, open_site.cookie):
        headers = [(b"Content-Type", kind), (b"Accept", accept), (b"Cookie", credential), (b"X-Fernbank", b"1")]
        answer = request(open_site, method, target, headers, body)
        assert not open_site.errors
        assert 200 <= answer.status < 500, answer.body
        if answer.status >= 400 and answer.headers["Content-Type"] == "application/json" and answer.body:
            assert json.loads(answer.body)["error"].endswith(".")
