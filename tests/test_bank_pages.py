"""Fernbank's pages: a person in a real browser can do all that the bank offers, and read it in both themes."""

import re

import pytest

from labs.auth.sessions import Sessions
from labs.auth.stores import MemoryStore, StoreDown
from labs.bench import serve
from labs.servers import bank, customers
from labs.servers.office import TEMPLATES

PAGE = {"Accept": "text/html"}
PAGES = ["/", "/login", "/balance", "/notes", "/basket", "/me", "/health", "/nothing"]


@pytest.fixture
def site():
    with serve(bank(Sessions(MemoryStore()), customers=customers("fern"))) as site:
        yield site


@pytest.fixture
def ana(site, browser_part):
    person = browser_part.person("ana")
    person.goto(site.page)
    yield person
    person.close()


def log_in(person, site, password=None):
    person.goto(site.page + "/login")
    person.fill("#username", "ana")
    person.fill("#password", password or site.password_of("ana"))
    person.click("main form button")


def test_a_day_at_the_bank(site, ana):
    assert "Welcome to Fernbank" in ana.text("main")
    ana.goto(site.page + "/basket")
    ana.fill("#item", "umbrella")
    ana.click("main form button")
    assert ana.text("li") == "umbrella"

    log_in(ana, site)
    ana.wait_for_url(site.page + "/")
    assert "Good day, ana" in ana.text("main")
    assert "1,820 ferns" in ana.text("main")
    assert "6777-LAPWING" in ana.text("main")
    ana.goto(site.page + "/basket")
    assert ana.text("li") == "umbrella"

    ana.goto(site.page + "/notes")
    ana.fill("#text", "one\n<b>two</b>")
    ana.click("main form button")
    assert ana.text("li:has-text('two')") == "one\n<b>two</b>"

    ana.goto(site.page + "/balance")
    ana.fill("#amount", "25")
    ana.click("main form button")
    assert ana.text(".figure:has-text('1,795')") == "1,795 ferns"
    assert ana.text("tbody").split() == ["to", "ben", "−25"]

    ana.fill("#amount", "1200")
    ana.click("main form button")
    assert "need your password once more" in ana.text("[role=alert]")
    ana.fill("#confirm", site.password_of("ana"))
    ana.click("main form button")
    ana.wait_for_url(site.page + "/balance")
    ana.fill("#amount", "1200")
    ana.click("main form button")
    assert ana.text(".figure:has-text('595'):not(:has-text('1,'))") == "595 ferns"

    ana.goto(site.page + "/me")
    assert "large transfers are open" in ana.text("main")
    ana.click("text=Log out everywhere")
    ana.wait_for_url(site.page + "/")
    assert "Welcome to Fernbank" in ana.text("main")
    assert ana.cookies() == []
    assert ana.goto(site.page + "/balance") == 401
    assert "You are not logged in" in ana.text("[role=alert]")

    moved = [event for event in site.record if event.action == "moved money"]
    assert [str(event) for event in moved] == [
        "ana moved 25 of their own ferns to ben",
        "ana moved 1200 of their own ferns to ben",
    ]
    assert site.record.lost("ana") == []


def test_a_wrong_password_is_said_beside_the_form(site, ana):
    log_in(ana, site, "wrong")
    assert "The name or the password is wrong." in ana.text("[role=alert]")
    ana.fill("#username", "ana")
    ana.fill("#password", site.password_of("ana"))
    ana.click("main form button")
    ana.wait_for_url(site.page + "/")
    assert "Good day, ana" in ana.text("main")


def test_the_pages_use_nothing_from_elsewhere_and_name_every_field(site, ana):
    log_in(ana, site)
    ana.wait_for_url(site.page + "/")
    for path in PAGES:
        ana.goto(site.page + path)
        loaded = ana.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
        assert set(loaded) <= {site.page + "/style.css", "data:,"}, path
        nameless = "[...document.querySelectorAll('input, select, textarea')].filter(field => !field.labels.length)"
        assert ana.evaluate(f"{nameless}.length") == 0, path
        assert ana.evaluate("document.querySelectorAll('h1, main, [aria-current=page]').length") >= 2, path
        assert ana.evaluate("document.title").endswith(" · Fernbank"), path
        twice = "ids => ids.length - new Set(ids).size"
        assert ana.evaluate(f"({twice})([...document.querySelectorAll('[id]')].map(one => one.id))") == 0, path


def test_looking_at_a_page_is_on_record(site):
    ana = site.visitor("ana")
    ana.login("ana", site.password_of("ana"))
    site.record.clear()
    page = ana.get("/", headers=PAGE)
    assert "6777-LAPWING" in page.text
    assert [event.action for event in site.record] == ["read balance", "read notes"]
    site.record.clear()
    assert "LAPWING" not in ana.get("/").text
    assert "LAPWING" not in ana.get("/me", headers=PAGE).text
    assert len(site.record) == 0


def test_every_page_says_who_is_logged_in_and_offers_the_way_out(site):
    ana = site.visitor("ana")
    assert "Log out" not in ana.get("/", headers=PAGE).text
    ana.login("ana", site.password_of("ana"))
    for path in ("/", "/balance", "/notes", "/basket", "/me"):
        assert "Log out ana" in ana.get(path, headers=PAGE).text, path


def test_a_refusal_does_not_hide_who_is_logged_in(site):
    ana = site.visitor("ana")
    ana.login("ana", site.password_of("ana"))
    for _ in range(20):
        ana.post("/basket", form={"item": "mug"})
    for path, form, status in [("/basket", {"item": "mug"}, 409), ("/transfer", {"to": "ben"}, 400)]:
        answer = ana.post(path, form=form, headers=PAGE)
        assert answer.status == status
        assert "Log out ana" in answer.text


def test_forms_lead_to_a_page_that_a_reload_does_not_repeat(site):
    ana = site.visitor("ana")
    steps = [
        ("/basket", {"item": "mug"}, "/basket"),
        ("/login", {"username": "ana", "password": site.password_of("ana")}, "/"),
        ("/notes", {"text": "hello"}, "/notes"),
        ("/transfer", {"to": "ben", "amount": "5"}, "/balance"),
        ("/confirm", {"password": site.password_of("ana")}, "/balance"),
        ("/logout", {}, "/"),
    ]
    for path, form, to in steps:
        answer = ana.post(path, form=form, headers=PAGE)
        assert (answer.status, answer.headers["Location"]) == (303, to), path


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/me", 401), ("GET", "/nothing", 404), ("POST", "/me", 405), ("POST", "/login", 400)],
)
def test_a_refusal_is_a_page_for_people(site, method, path, status):
    answer = site.visitor().request(method, path, headers=PAGE)
    assert answer.status == status
    assert 'role="alert"' in answer.text
    assert f'<span class="status">{status}</span>' in answer.text


def test_an_outage_is_a_page_too():
    class Down(MemoryStore):
        def get(self, key):
            raise StoreDown("gone")

    with serve(bank(Sessions(Down()))) as site:
        visitor = site.visitor()
        visitor.cookies["__Host-sid"] = "A" * 43
        answer = visitor.get("/", headers=PAGE)
        assert answer.status == 503
        assert "You are not logged out" in answer.text
        assert answer.set_cookies == []


def test_the_page_says_how_weakly_a_lab_hashes(site):
    from argon2 import PasswordHasher

    assert "argon2id at 8 KiB\n  and 1 pass, far too little" in site.visitor().get("/", headers=PAGE).text
    with serve(bank(Sessions(MemoryStore()), hasher=PasswordHasher())) as real:
        page = real.visitor().get("/", headers=PAGE).text
        assert "argon2id at 65536 KiB\n  and 3 passes." in page


# ---- colours ---------------------------------------------------------------------------------------

TEXT = [
    ("text", "page"),
    ("text", "card"),
    ("soft", "page"),
    ("soft", "card"),
    ("fern", "page"),
    ("fern", "card"),
    ("on-fern", "fern"),
    ("alarm", "alarm-card"),
]
EDGES = [("line", "page"), ("line", "card"), ("fern", "page")]


def palettes():
    light, dark = re.findall(r":root \{(.*?)\}", (TEMPLATES / "style.css").read_text("utf-8"), re.S)[:2]
    return {"light": colours(light), "dark": colours(dark)}


def colours(rule):
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", rule))


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, two):
    """WCAG 2.2's contrast ratio."""
    low, high = sorted([luminance(one), luminance(two)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_and_edges_stand_out(theme):
    palette = palettes()[theme]
    for front, back in TEXT:
        assert contrast(palette[front], palette[back]) >= 4.5, (front, back)
    for front, back in EDGES:
        assert contrast(palette[front], palette[back]) >= 3, (front, back)
