"""A script in the bank's page, in a real browser: which place, board and policy loses what, cell by cell."""

import pytest

from labs.attacks import xss
from labs.attacks.trap import Trap
from labs.auth.cookies import SessionCookie
from labs.bench import serve
from labs.servers.flaws import pages

STORAGE, HTTP_ONLY, READABLE = pages.LocalStorage(), SessionCookie(), SessionCookie(http_only=False)
TAKEN, RIDDEN = "mallory moved 500 of ana's ferns to mallory", "ana moved 400 of their own ferns to mallory"
NOTHING = ""


@pytest.fixture(scope="module")
def trap():
    with Trap() as trap:
        yield trap


@pytest.fixture(scope="module")
def ana(browser_part):
    person = browser_part.person("ana")
    yield person
    person.close()


def log_in(site, person):
    person.goto(f"{site.page}/online")
    person.fill("#username", "ana")
    person.fill("#password", site.password_of("ana"))
    person.click("#login button")
    assert person.text("#account:not(:empty)").startswith("ana: ")


def at(ana, place, **flaws):
    """A bank that Ana is logged in to."""
    site = serve(pages.online(place, **flaws), name="online")
    log_in(site, ana)
    return site


def lost(site):
    """What Ana lost since the last time, as a sentence."""
    said = "; ".join(map(str, site.record.lost("ana")))
    site.record.clear()
    return said


# (place, board) -> (stolen with the token, stolen by riding)
CELLS = {
    "localStorage": (STORAGE, pages.raw, TAKEN, RIDDEN),
    "an HttpOnly cookie": (HTTP_ONLY, pages.raw, NOTHING, RIDDEN),
    "a cookie that script can read": (READABLE, pages.raw, TAKEN, RIDDEN),
    "a Strict cookie": (SessionCookie(samesite="Strict"), pages.raw, NOTHING, RIDDEN),
    "localStorage, and notices are text": (STORAGE, pages.escaped, NOTHING, NOTHING),
    "an HttpOnly cookie, and notices are text": (HTTP_ONLY, pages.escaped, NOTHING, NOTHING),
}


@pytest.mark.parametrize(("place", "board", "taken", "ridden"), CELLS.values(), ids=CELLS)
def test_what_a_script_in_the_page_costs(ana, trap, place, board, taken, ridden):
    with at(ana, place, board=board) as site:
        attempt = xss.steal(site, trap, ana, 500)
        assert lost(site) == taken
        assert (attempt.captured["token"] is None) == (taken == NOTHING)
        attempt = xss.ride(site, trap, ana, 400)
        assert lost(site) == ridden
        assert attempt.captured == {}
        assert [one.status for one in attempt.exchanges] == ([200] if ridden else [])


NO_POLICY = None
INLINE = "default-src 'self' 'unsafe-inline'"
SELF = "script-src 'self'"
NONCE = "script-src 'nonce-{nonce}'; object-src 'none'; base-uri 'none'"
FULL = "default-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
# what -> the policies that stop it, of these five
STOPPED = {
    "script element": {SELF, NONCE, FULL},
    "event handler": {SELF, NONCE, FULL},
    "script file": {INLINE, SELF, NONCE, FULL},
    "fetch": {INLINE, SELF, NONCE, FULL},
    "image": {INLINE, SELF, NONCE, FULL},
    "form": {FULL},
    "refresh": set(),
}


@pytest.mark.parametrize("policy", [NO_POLICY, INLINE, SELF, NONCE, FULL])
def test_what_a_policy_stops(ana, trap, policy):
    with at(ana, STORAGE, board=pages.raw, policy=policy) as site:
        does = {}
        for carrier in xss.CARRIERS:
            xss.ride(site, trap, ana, 400, carrier)
            does[carrier] = bool(lost(site))
        for by in ("fetch", "image"):
            xss.steal(site, trap, ana, 500, by)
            does[by] = bool(lost(site))
        does["form"] = xss.phish(site, trap, ana, "fern").captured == {"password": "fern"}
        does["refresh"] = xss.lead_away(site, trap, ana).captured["arrived"]
        assert does == {what: policy not in stops for what, stops in STOPPED.items()}


def test_the_page_works_under_every_policy_and_a_notice_is_read(ana, trap):
    with at(ana, HTTP_ONLY, policy=FULL) as site:
        site.visitor("ben").post("/board", form={"text": "Lost: <b>one</b> fern"})
        xss.read_board(site, ana)
        assert ana.text("#board") == "Lost: <b>one</b> fern"
        assert ana.text("#account:not(:empty)").startswith("ana: ")


def test_a_stolen_token_can_be_ended_and_a_large_transfer_needs_the_password(ana, trap):
    """Of all things that an article says, that there is no way to revoke it is the easiest to try."""
    with at(ana, STORAGE, board=pages.raw) as site:
        token = xss.steal(site, trap, ana, 500).captured["token"]
        mallory, bearer = site.visitor("mallory"), {"Authorization": f"Bearer {token}"}
        assert mallory.get("/balance", headers=bearer).status == 200
        post = "fetch('{}', {{method: 'POST', headers: bearer()}}).then(a => a.status)"
        assert ana.evaluate(post.format("/logout")) == 200
        assert mallory.get("/balance", headers=bearer).status == 200
        assert ana.evaluate(post.format("/logout/everywhere")) == 200
        assert mallory.get("/balance", headers=bearer).status == 401
        log_in(site, ana)
        lost(site)
        assert [one.status for one in xss.ride(site, trap, ana, 1_001).exchanges] == [403]
        assert lost(site) == NOTHING


def test_a_vulnerable_bank_answers_on_this_machine_only(trap):
    with serve(pages.online(STORAGE, board=pages.raw), name="online") as site:
        assert site.url.startswith("http://127.0.0.1:")
        foreign = site.visitor().get("/online", headers={"Host": "fernbank.example"})
        assert foreign.status == 421
        assert trap.site.visitor().get("/", headers={"Host": "mallory.example"}).status == 421
