"""What a page elsewhere can have a browser send, in a real one: the SameSite table, CSRF, and reading with CORS."""

import pytest

from labs.attacks import cross_site
from labs.attacks.trap import ANOTHER, SIBLING, Trap
from labs.auth.cookies import SessionCookie
from labs.bench import browser, serve
from labs.bench.jar import CookieJar
from labs.servers.flaws import pages

ALL, NOBODY = set(cross_site.COOKIES), set()
NAVIGATIONS = ("link", "form")


@pytest.fixture(scope="module")
def trap():
    with Trap() as trap:
        yield trap


@pytest.fixture(scope="module")
def ana(browser_part):
    person = browser_part.person("ana")
    yield person
    person.close()


def log_in(site, person, page):
    person.goto(f"{page}/online")
    person.fill("#username", "ana")
    person.fill("#password", site.password_of("ana"))
    person.click("#login button")
    assert person.text("#account:not(:empty)").startswith("ana: ")


# ---- the table ---------------------------------------------------------------------------------------

EMBEDS = dict.fromkeys(("image", "frame", "fetch"), {"none"})
EXPECTED = {"link": ALL - {"strict"}, "form": {"unset", "none"}, **EMBEDS}


def rows(measured):
    return {
        (row["the page is of"], row["it asks by"]): {name for name in cross_site.COOKIES if row[name] == "sent"}
        for row in measured
    }


ALLOWED = pytest.mark.parametrize("third_party", [True, False], ids=["third-party cookies allowed", "and blocked"])


@pytest.fixture(scope="module")
def measured(trap, browser_part):
    """The table with third-party cookies allowed (True), and with them blocked."""
    tables = {}
    for third_party in (True, False):
        person = browser(third_party=third_party).person("ben")
        with serve(pages.cookies()) as site:
            tables[third_party] = rows(cross_site.table(site, trap, person))
        person.close()
    return tables


@ALLOWED
def test_from_fernbank_itself_and_from_a_sibling_everything_goes_along(measured, third_party):
    found = [sent for (place, _), sent in measured[third_party].items() if place != "another site"]
    assert found == [ALL] * 2 * len(cross_site.WAYS)


@ALLOWED
def test_from_another_site_it_is_a_matter_of_attribute_and_method(measured, third_party):
    expected = {way: sent if third_party or way in NAVIGATIONS else NOBODY for way, sent in EXPECTED.items()}
    assert {way: measured[third_party]["another site", way] for way in cross_site.WAYS} == expected


@pytest.mark.parametrize(("place", "host"), [("a sibling", SIBLING), ("another site", ANOTHER)])
@pytest.mark.parametrize("way", cross_site.WAYS)
def test_the_jar_says_the_same(measured, place, host, way):
    jar, page = CookieJar(), "http://app.fernbank.localhost:1/seen"
    for name, attribute in pages.ATTRIBUTES.items():
        jar.store(f"{name}=1; Path=/; Secure{attribute}", page)
    method = cross_site.WAYS[way][0]
    header = jar.header(page, initiator=f"http://{host}:2/", method=method, navigation=way in NAVIGATIONS)
    assert measured[True][place, way] == {pair.partition("=")[0] for pair in (header or "=").split("; ")} - {""}


# ---- CSRF --------------------------------------------------------------------------------------------

SID = "sid"
# place, then the ways in which another site moves money; a sibling moves it in both for every cookie
DESIGNS = {
    "localStorage and a header": (pages.LocalStorage(), (), ()),
    "a cookie, None": (SessionCookie(SID, samesite="None"), ("form", "fetch"), ("form", "fetch")),
    "a cookie, not said": (SessionCookie(SID, samesite=None), ("form",), ("form", "fetch")),
    "a cookie, Lax": (SessionCookie(SID, samesite="Lax"), (), ("form", "fetch")),
    "a cookie, Strict": (SessionCookie(SID, samesite="Strict"), (), ("form", "fetch")),
    "a __Host- cookie, Strict": (SessionCookie("__Host-sid", samesite="Strict"), (), ("form", "fetch")),
}


@pytest.mark.parametrize(("place", "another", "sibling"), DESIGNS.values(), ids=DESIGNS)
def test_who_can_have_money_moved(ana, trap, place, another, sibling):
    with serve(pages.online(place), name="online") as site:
        log_in(site, ana, site.page)
        moved = {ANOTHER: [], SIBLING: []}
        for host, ways in moved.items():
            for way in ("form", "fetch", "link", "image"):
                site.record.clear()
                cross_site.lure(trap, ana, way, f"{site.page}/transfer", {"to": "mallory", "amount": "30"}, host)
                if site.record.lost("ana"):
                    assert str(site.record.lost("ana")[0]) == "ana moved 30 of their own ferns to mallory"
                    ways.append(way)
        assert moved == {ANOTHER: list(another), SIBLING: list(sibling)}


# ---- reading, with credentials ------------------------------------------------------------------------

APP, API = "app.fernbank.localhost", "api.fernbank.localhost"


@pytest.mark.parametrize(
    ("allows", "samesite", "reads"),
    [
        ("nobody", "None", set()),
        ("app", "None", {APP}),
        ("anybody", "None", {APP, SIBLING, ANOTHER}),
        ("nobody", "Strict", set()),
        ("app", "Strict", {APP}),
        ("anybody", "Strict", {APP, SIBLING}),
    ],
)
def test_which_page_reads_the_balance_at_api(ana, trap, allows, samesite, reads):
    allowed = {"nobody": None, "anybody": pages.anybody, "app": lambda origin: origin == site.page}[allows]
    with serve(pages.online(SessionCookie(samesite=samesite), origins=allowed), name="online") as site:
        api = site.page.replace(APP, API)
        log_in(site, ana, api)
        balance = f'"balance": {site.customers["ana"].balance}'
        found = set()
        for host in (SIBLING, ANOTHER):
            said = cross_site.read_elsewhere(trap, ana, f"{api}/balance", host).captured["read"]
            found |= {host} if said and balance in said else set()
        ana.goto(f"{site.page}/health")
        fetched = f"fetch('{api}/balance', {{credentials: 'include'}}).then(a => a.text(), () => '')"
        found |= {APP} if balance in ana.evaluate(fetched) else set()
        assert found == reads


@pytest.mark.parametrize("host", [SIBLING, ANOTHER])
def test_json_that_cors_does_not_answer_never_arrives(ana, trap, host):
    with serve(pages.online(SessionCookie("sid", samesite="None")), name="online") as site:
        log_in(site, ana, site.page)
        before = len(site.log)
        order = {"to": "mallory", "amount": 30}
        attempt = cross_site.read_elsewhere(trap, ana, f"{site.page}/transfer", host, order)
        assert attempt.captured == {"read": None}
        assert [(one.method, one.path) for one in site.log[before:]] == [("OPTIONS", "/transfer")]
        assert not site.record.lost("ana")


def test_what_was_brought_is_read(trap):
    mallory = trap.site.visitor()
    before = len(trap.loot)
    mallory.post("/loot", body='{"a": 1}')
    mallory.post("/loot", form={"password": "fern 1"})
    mallory.get("/loot?%7B%22b%22%3A2%7D")
    mallory.get("/loot?arrived")
    mallory.get("/elsewhere")
    assert trap.loot[before:] == [{"a": 1}, {"password": "fern 1"}, {"b": 2}, "arrived"]
