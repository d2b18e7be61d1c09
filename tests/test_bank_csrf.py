"""A bank and the guard that it is handed: tokens in forms, refusals, outages, and nothing without a guard."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labs.attacks.victim import Victim
from labs.auth.csrf import BoundDoubleSubmit, SynchronizerTokens
from labs.auth.sessions import Sessions
from labs.auth.stores import MemoryStore, StoreDown
from labs.bench import serve
from labs.servers import bank, customers

PAGE = {"Accept": "text/html"}
PATHS = ["/", "/login", "/balance", "/notes", "/basket", "/me"]
KEY = bytes(range(32))


def opened(guard=None):
    return bank(Sessions(MemoryStore()), csrf=guard, customers=customers("fern"))


@pytest.fixture
def site(request):
    with serve(opened(getattr(request, "param", SynchronizerTokens)(MemoryStore()))) as site:
        yield site


def logged_in(site, name="ana"):
    victim = Victim(site, name)
    assert victim.log_in().status == 303
    return victim


def test_without_a_guard_no_page_carries_anything_and_nothing_is_asked():
    with serve(opened()) as site:
        ana = logged_in(site)
        for path in PATHS:
            assert "csrf" not in ana.read(path).text
        assert ana.read("/csrf").status == 404
        assert site.visitor().get("/login", headers=PAGE).set_cookies == []


def test_every_form_of_a_page_carries_the_one_token(site):
    ana = logged_in(site)
    found = set()
    for path in PATHS:
        page = ana.read(path).text
        forms = re.findall(r"<form[^>]*>(?:<input type=\"hidden\" name=\"csrf\" value=\"([^\"]+)\">)?", page)
        assert forms
        found |= set(forms)
    assert found == {ana.read("/csrf").json()["csrf"]}


def test_a_double_submit_sets_its_cookie_once_a_page_and_keeps_it():
    with serve(opened(BoundDoubleSubmit(KEY))) as site:
        ana = logged_in(site)
        first, second = ana.read("/balance"), ana.read("/me")
        cookies = [cookie for cookie in first.set_cookies if cookie.startswith("__Host-csrf=")]
        assert len(cookies) == 1
        assert second.set_cookies == cookies


def test_a_visitor_has_a_session_that_is_nobodys_for_the_log_in_form(site):
    visitor = site.visitor()
    page = visitor.get("/login", headers=PAGE)
    assert len(page.set_cookies) == 1
    again = visitor.get("/login", headers=PAGE)
    assert again.set_cookies == []
    assert visitor.get("/balance").status == 401


def test_a_refusal_is_a_sentence_and_leaves_no_trace(site):
    ana = logged_in(site)
    before = len(site.record)
    answer = ana.send("/transfer", {"to": "ben", "amount": "10"})
    assert answer.status == 403
    assert "did not come from one of Fernbank" in answer.text
    assert len(site.record) == before
    json = site.visitor().post("/login", json={"username": "ana", "password": site.password_of("ana")})
    assert (json.status, set(json.json())) == (403, {"error"})


def test_the_token_for_scripts_is_json_that_nobody_stores(site):
    answer = logged_in(site).read("/csrf")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"


class Broken(SynchronizerTokens):
    error: Exception | None = None
    answer: object = None

    def token(self, id, headers):
        if self.error:
            raise self.error
        return super().token(id, headers)

    def allows(self, request, id):
        if self.error:
            raise self.error
        return super().allows(request, id) if self.answer is None else self.answer


@pytest.mark.parametrize("site", [Broken], indirect=True)
def test_an_outage_is_503_and_logs_nobody_out(site):
    ana, guard = logged_in(site), site.app.csrf
    guard.error = StoreDown("down")
    stranger = site.visitor().get("/login", headers=PAGE)
    for answer in (ana.read("/balance"), ana.send("/notes", {"text": "x"}), stranger):
        assert answer.status == 503
    guard.error = None
    assert ana.submit("/notes", "/notes", text="x").status == 303
    assert not site.errors


@pytest.mark.parametrize("site", [Broken], indirect=True)
@pytest.mark.parametrize("broken", [{"error": KeyError("x")}, {"answer": "yes"}, {"answer": 1}])
def test_what_a_guard_raises_or_gives_amiss_is_told_and_is_500(site, broken):
    ana, told = logged_in(site), []
    site.app.on_mechanism_error = told.append
    vars(site.app.csrf).update(broken)
    answer = ana.read("/balance")
    assert answer.status == 500
    assert "CSRF guard failed" in answer.text
    assert len(told) == 1
    assert not site.errors


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    path=st.sampled_from(["/transfer", "/notes", "/login", "/logout", "/csrf", "/balance"]),
    method=st.sampled_from(["GET", "POST", "PUT", "HEAD", "OPTIONS"]),
    body=st.binary(max_size=60) | st.sampled_from([b'{"csrf": [1]}', b"csrf=%ff", b'{"csrf": "\\ud800"}', b"csrf&&"]),
    type=st.sampled_from(["application/json", "application/x-www-form-urlencoded", "text/plain", ""]),
    token=st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF), max_size=20),
)
def test_no_request_makes_it_fail(path, method, body, type, token):
    app = opened(BoundDoubleSubmit(KEY))
    client = app.test_client()
    headers = {"Content-Type": type, "X-CSRF-Token": token.encode("latin-1", "ignore").decode("latin-1"), **PAGE}
    cookie = f"__Host-csrf={token}; __Host-sid={'A' * 43}"
    assert client.open(path, method=method, data=body, headers={**headers, "Cookie": cookie}).status_code < 500
