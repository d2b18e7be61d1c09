"""The two clients in a real browser: what it holds, and the refresh loop that their scripts really run."""

import threading

import flask
import pytest
from axe_playwright_python.sync_playwright import Axe
from moved_by_hand import Now, Store

from conftest import eventually
from labs.auth.sessions import Sessions
from labs.auth.stores import MemoryStore
from labs.servers import Books, customers, services

EVERYWHERE = """(async () => JSON.stringify({
  cookies: document.cookie, local: {...localStorage}, session: {...sessionStorage},
  databases: await indexedDB.databases(), caches: await caches.keys(), workers:
  (await navigator.serviceWorker.getRegistrations()).length, page: document.documentElement.outerHTML,
  window: Object.keys(window).map(name => { try { return JSON.stringify(window[name]) } catch { return name } }),
  name: window.name, history: history.state, address: location.href,
}))()"""


class Spied(Sessions):
    """Sessions that tell the test what the backend kept in them."""

    def __init__(self, clock):
        super().__init__(MemoryStore(), clock=clock)
        self.kept = []

    def save(self, id, data):
        self.kept.append(data["tokens"])
        return super().save(id, data)


@pytest.fixture
def now():
    return Now()


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def bank(now, store):
    """The services; `refusals` is how many tokens accounts still refuses, whatever they are worth."""
    with services(store=store, books=Books(customers("fern"), clock=now)) as bank:
        bank.refusals = 0

        def refuse():
            if bank.refusals and "Authorization" in flask.request.headers:
                bank.refusals -= 1
                return {"error": "No."}, 401

        bank.accounts.app.before_request(refuse)
        yield bank


@pytest.fixture
def spa(bank):
    with bank.open_spa() as site:
        yield site


@pytest.fixture
def sessions(now):
    return Spied(now)


@pytest.fixture
def bff(bank, sessions):
    with bank.open_bff(sessions) as site:
        yield site


@pytest.fixture
def ana(browser_part):
    person = browser_part.person("ana")
    yield person
    person.close()


def until(person, selector):
    """Wait until this is to be seen."""
    person.browser.call(lambda: person.browser.page(person.name).wait_for_selector(selector))


def log_in(person, site, bank, name="ana", password=None):
    person.goto(site.page)
    person.fill("#username", name)
    person.fill("#password", password or bank.identity.password_of(name))
    person.click("#login button")


def logged_in(person, site, bank):
    log_in(person, site, bank)
    until(person, "#inside")
    return person


def call(person, site, path="/me", times=1):
    """Have the page's own script call accounts so many times at once; give what came back, or the sentence."""
    each = f"client.call('{path}').catch(error => error.constructor.name + ': ' + error.message)"
    done = f"import('/{site.name}.js').then(client => Promise.all([...Array({times})].map(() => {each})))"
    return person.evaluate(done)


def sent(site, method, path):
    """What browsers sent to this address, preflights apart."""
    return [exchange for exchange in site.log if (exchange.method, exchange.path) == (method, path)]


@pytest.fixture(params=["spa", "bff"])
def site(request):
    """Each of the two clients."""
    return request.getfixturevalue(request.param)


# ---- what a person can do ------------------------------------------------------------------------------


def test_a_person_logs_in_sends_money_and_leaves(ana, site, bank):
    had = customers("fern")["ana"].balance
    ana.goto(site.page)
    until(ana, "#outside")
    assert ana.text("#said") == ""
    logged_in(ana, site, bank)
    assert (ana.text("#owner"), ana.text("#balance")) == ("ana", f"{had:,}")
    ana.fill("#to", "ben")
    ana.fill("#amount", "120")
    ana.click("#transfer button")
    assert eventually(lambda: ana.text("#balance") == f"{had - 120:,}")
    ana.click("#logout")
    until(ana, "#outside")
    assert ana.evaluate("document.querySelector('#password').value") == ""
    assert [str(event) for event in bank.books.record] == [
        "ana logged in",
        "ana read their own balance",
        "ana moved 120 of their own ferns to ben",
        "ana read their own balance",
    ]
    assert bank.books.record.lost("ana") == []


def test_what_goes_wrong_is_said(ana, site, bank):
    log_in(ana, site, bank, password="wrong")
    until(ana, "#said")
    assert ana.text("#said") == "The name or the password is wrong."
    logged_in(ana, site, bank)
    assert ana.text("#said") == ""
    ana.fill("#to", "ben")
    ana.fill("#amount", "99999")
    ana.click("#transfer button")
    until(ana, "#said")
    assert ana.text("#said") == "You do not have 99,999 ferns."
    bank.accounts.stop()
    ana.click("#again")
    assert eventually(lambda: "does not answer" in ana.text("#said"))
    until(ana, "#inside")


@pytest.mark.parametrize("inside", [False, True])
def test_the_page_reads_well_and_takes_nothing_from_elsewhere(ana, site, bank, inside):
    if inside:
        logged_in(ana, site, bank)
    else:
        ana.goto(site.page)
        until(ana, "#outside")
    found = ana.browser.call(lambda: Axe().run(ana.browser.page("ana")))
    assert found.response["violations"] == [], found.generate_report()
    loaded = ana.evaluate("performance.getEntriesByType('resource').map(entry => new URL(entry.name).port)")
    assert set(loaded) <= {"", str(site.port), str(bank.identity.port), str(bank.accounts.port)}
    (policy,) = [value for name, value in site.log[0].response_headers if name == "Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_no_script_of_somebody_else_runs_in_the_page(ana, site):
    ana.goto(site.page)
    until(ana, "#outside")
    ana.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.evil = 1\">')")
    ana.evaluate("document.body.append(Object.assign(document.createElement('script'), {textContent: 'evil = 1'}))")
    leave = "fetch('http://mallory.localhost:1/').catch(error => error.constructor.name)"
    assert ana.evaluate(leave) == "TypeError"
    assert ana.evaluate("typeof window.evil") == "undefined"


# ---- what the browser holds ------------------------------------------------------------------------------


def tokens_in(text, tokens):
    return [token for token in tokens if token in text]


def wire_of(*sites):
    """All that these sites and this browser said to each other."""
    return "".join(
        exchange.request_text + exchange.response_text for site in sites for exchange in site.log.by("ana")
    )


def test_with_the_backend_the_browser_holds_no_token(ana, bff, bank, sessions, now):
    logged_in(ana, bff, bank)
    now.now += 901
    assert call(ana, bff, times=3) == [{"user": "ana"}] * 3
    tokens = [tokens[name] for tokens in sessions.kept for name in ("access_token", "refresh_token")]
    assert len(set(tokens)) == 4
    (cookie,) = ana.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["secure"]) == ("__Host-Http-sid", True, True)
    assert (cookie["sameSite"], cookie["domain"]) == ("Strict", "app.fernbank.localhost")
    assert cookie["value"] not in tokens
    held = ana.evaluate(EVERYWHERE)
    assert '"cookies":""' in held
    assert tokens_in(held, tokens) == []
    assert cookie["value"] not in held
    wire = wire_of(bff)
    assert "Good day" in wire
    assert cookie["value"] in wire
    assert tokens_in(wire, tokens) == []
    # The browser spoke with nobody else: what others sent there, the backend sent in its name.
    resources = "performance.getEntriesByType('resource').map(entry => new URL(entry.name).host)"
    assert set(ana.evaluate(resources)) <= {"", f"app.fernbank.localhost:{bff.port}"}


def test_the_single_page_holds_its_tokens_in_memory_and_nowhere_else(ana, spa, bank):
    logged_in(ana, spa, bank)
    (login,) = sent(bank.identity, "POST", "/login")
    given = flask.json.loads(login.response_body)
    tokens = [given["access_token"], given["refresh_token"], given["id_token"]]
    assert len(tokens_in(wire_of(bank.identity, bank.accounts), tokens)) == 3  # the wire has them: they are there
    assert tokens_in(wire_of(spa), tokens) == []
    assert tokens_in(ana.evaluate(EVERYWHERE), tokens) == []
    assert ana.cookies() == []
    ana.goto(spa.page)
    until(ana, "#outside")


def test_who_loads_the_backends_page_anew_is_still_logged_in(ana, bff, bank):
    logged_in(ana, bff, bank)
    ana.goto(bff.page)
    until(ana, "#inside")
    assert ana.text("#owner") == "ana"


# ---- the refresh loop of the single page -----------------------------------------------------------------


def test_ten_401s_at_once_make_one_refresh(ana, spa, bank, now, monkeypatch):
    logged_in(ana, spa, bank)
    now.now += 931
    bank.accounts.log.clear()
    use = bank.refresh.use

    def late(token, client):
        """Renew only when all ten have been refused."""
        assert eventually(lambda: [e.status for e in sent(bank.accounts, "GET", "/me")] == [401] * 10)
        return use(token, client)

    monkeypatch.setattr(bank.refresh, "use", late)
    assert call(ana, spa, times=10) == [{"user": "ana"}] * 10
    assert [exchange.status for exchange in sent(bank.identity, "POST", "/refresh")] == [200]
    assert [exchange.status for exchange in sent(bank.accounts, "GET", "/me")] == [401] * 10 + [200] * 10


def test_a_401_that_comes_late_makes_no_second_refresh(ana, spa, bank, now):
    """One answer is held back until another request has renewed: it is about a token that has been replaced."""
    logged_in(ana, spa, bank)
    now.now += 931
    renewed = threading.Event()
    first = sent(bank.accounts, "GET", "/balance")[-1].request_headers
    refused = dict(first)["Authorization"]
    held = bank.accounts.app.view_functions["me"]

    def slowly():
        if flask.request.headers["Authorization"] == refused:
            assert renewed.wait(60)
        return held()

    bank.accounts.app.view_functions["me"] = slowly
    start = "import('/spa.js').then(client => { window.late = client.call('/me') })"
    ana.evaluate(start)
    assert eventually(lambda: sent(bank.accounts, "GET", "/me"))
    assert call(ana, spa, "/balance")[0]["owner"] == "ana"
    renewed.set()
    assert ana.evaluate("window.late") == {"user": "ana"}
    assert len(sent(bank.identity, "POST", "/refresh")) == 1
    assert [exchange.status for exchange in sent(bank.accounts, "GET", "/me")] == [401, 200]


def test_a_refresh_that_is_refused_logs_out_and_asks_no_more(ana, spa, bank, now):
    logged_in(ana, spa, bank)
    bank.refresh.revoke_all("ana")
    now.now += 931
    ana.click("#again")
    until(ana, "#outside")
    assert ana.text("#said") == "Your log-in has ended: log in again."
    asked = len(bank.identity.log), len(bank.accounts.log)
    assert call(ana, spa, times=3) == ["LoggedOut: "] * 3
    assert (len(bank.identity.log), len(bank.accounts.log)) == asked
    assert [exchange.status for exchange in sent(bank.identity, "POST", "/refresh")] == [400]
    logged_in(ana, spa, bank)


def test_ten_401s_and_a_refresh_that_is_refused_make_one_refresh(ana, spa, bank, now):
    logged_in(ana, spa, bank)
    bank.refresh.revoke_all("ana")
    now.now += 931
    assert {said.partition(":")[0] for said in call(ana, spa, times=10)} == {"LoggedOut"}
    assert len(sent(bank.identity, "POST", "/refresh")) == 1


def test_a_fresh_token_that_is_refused_as_well_makes_no_loop(ana, spa, bank):
    logged_in(ana, spa, bank)
    bank.refusals = 20  # not for ever: a loop would end, too, and be counted
    bank.accounts.log.clear()
    assert call(ana, spa) == ["Error: No."]
    assert len(sent(bank.accounts, "GET", "/me")) == 2
    assert len(sent(bank.identity, "POST", "/refresh")) == 1
    bank.refusals = 0
    assert call(ana, spa) == [{"user": "ana"}]


@pytest.mark.parametrize("outage", ["store", "cors"])
def test_an_outage_logs_nobody_out(ana, spa, bank, store, now, outage):
    logged_in(ana, spa, bank)
    now.now += 931
    if outage == "store":
        store.down = True
    else:
        bank.origins.clear()  # to the script it is as if nobody answered
    ana.click("#again")
    until(ana, "#said")
    assert ana.text("#said").endswith("in a few seconds.")
    until(ana, "#inside")
    store.down = False
    bank.origins.add(spa.page)
    assert call(ana, spa) == [{"user": "ana"}]


def test_log_out_revokes_and_forgets(ana, spa, bank):
    logged_in(ana, spa, bank)
    (login,) = sent(bank.identity, "POST", "/login")
    ana.click("#logout")
    until(ana, "#outside")
    assert call(ana, spa) == ["LoggedOut: "]
    token = flask.json.loads(login.response_body)["refresh_token"]
    answer = bank.identity.visitor("ana").post("/refresh", json={"refresh_token": token, "client": "spa"})
    assert answer.json()["error"] == "invalid_grant"


def test_log_out_when_nobody_answers_is_a_log_out_here(ana, spa, bank):
    logged_in(ana, spa, bank)
    bank.identity.stop()
    ana.click("#logout")
    until(ana, "#outside")
    assert "You are logged out here." in ana.text("#said")
    assert call(ana, spa) == ["LoggedOut: "]


# ---- pages of others -----------------------------------------------------------------------------------


def test_the_same_script_on_another_origin_gets_nowhere(ana, spa, bank):
    evil = spa.page.replace("app.", "evil.")
    ana.goto(evil)
    ana.fill("#username", "ana")
    ana.fill("#password", bank.identity.password_of("ana"))
    ana.click("#login button")
    until(ana, "#said")
    assert "does not answer" in ana.text("#said")
    assert sent(bank.identity, "POST", "/login") == []


@pytest.mark.parametrize("host", ["evil.fernbank.localhost", "mallory.localhost"])
def test_no_page_of_another_origin_moves_money_through_the_backend(ana, bff, bank, host):
    """A sibling's page is same-site: the Strict cookie goes along, and the header is what stops it."""
    logged_in(ana, bff, bank)
    with bank.open_spa() as other:  # any page will do, without this one's policy
        ana.goto(f"http://{host}:{other.port}/page.js")
        body = "body: JSON.stringify({to: 'mallory', amount: 5})"
        for options in (
            f"{{method: 'POST', credentials: 'include', headers: {{'X-Fernbank': '1'}}, {body}}}",
            f"{{method: 'POST', credentials: 'include', mode: 'no-cors', {body}}}",
        ):
            ana.evaluate(f"fetch('{bff.page}/api/transfer', {options}).then(() => 'sent', () => 'stopped')")
        ana.evaluate(
            f"document.documentElement.innerHTML = `<form method=post action='{bff.page}/api/transfer'>"
            "<input name=to value=mallory><input name=amount value=5><button>x</button></form>`"
        )
        ana.click("button")
        ana.wait_for_url("**/api/transfer")
    posted = sent(bff, "POST", "/api/transfer")
    assert [exchange.status for exchange in posted] == [403, 403]
    carried = ["Cookie" in dict(exchange.request_headers) for exchange in posted]
    assert carried == [host == "evil.fernbank.localhost"] * 2
    assert bank.books.record.lost("ana") == []
