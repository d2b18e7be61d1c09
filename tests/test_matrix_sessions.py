"""The matrix of sessions: every attack against every mechanism, each cell exact, with its reason.

A cell is True where the bank's own record holds a loss of Ana's after the attack. One that works where it should not
is as wrong as one that fails. `CELLS` holds what is expected of each, and why.
"""

import itertools
import re
from functools import partial

import fakeredis
import flask_session
import pytest

from labs.attacks import csrf, fixation, prediction, replay, theft, tossing
from labs.attacks.attempt import Target
from labs.attacks.victim import BrowserVictim, Victim
from labs.auth.cookies import SessionCookie
from labs.auth.csrf import BoundDoubleSubmit, FetchMetadata, SynchronizerTokens
from labs.auth.sessions import Sessions
from labs.auth.stores import MemoryStore
from labs.bench import serve
from labs.servers import bank, flask_bank
from labs.servers.flaws import csrf as guards
from labs.servers.flaws import doors, sessions

KEY = b"a key of thirty-two bytes, no less"
LAX = SessionCookie("sid")  # any host of the site can set it
NONE = SessionCookie(samesite="None")  # so that nothing but the guard is in a form's way


def made(kind=Sessions, cookie=None, guard=None, **options):
    return bank(kind(MemoryStore(), **options), cookie, csrf=guard)


def guarded(guard, cookie=NONE):
    return made(cookie=cookie, guard=guard)


def ticking():
    """A clock that goes on by a millisecond whenever somebody looks, so that a busy machine changes nothing."""
    ticks = itertools.count(1_900_000_000_000)
    return lambda: next(ticks) / 1000


def carried_along():
    live = Sessions(MemoryStore())
    return bank(live, SessionCookie("sid", samesite="None"), csrf=guards.CarriedAlong(live))


def policed(kind=FetchMetadata):
    """A policy knows the bank's own address from its configuration, which here is known once it is served."""
    origins = []
    app = guarded(kind(origins))
    app.learn = origins.append
    return app


def flask_session_bank():
    app = flask_bank()
    app.config.update(SESSION_TYPE="redis", SESSION_REDIS=fakeredis.FakeRedis())
    flask_session.Session(app)
    return app


MECHANISMS = {
    "the course's own": made,
    "ids that count": partial(made, sessions.CounterIds),
    "ids from the clock": lambda: made(sessions.ClockIds, clock=ticking()),
    "ids from a seed": partial(made, sessions.SeededIds, pid=4242),
    "a cookie without __Host-": partial(made, cookie=LAX),
    "adopts any id": partial(made, sessions.AdoptsAnyId, LAX),
    "keeps an anonymous id": partial(made, sessions.KeepsAnonymousId, LAX),
    "adopts any id, __Host-": partial(made, sessions.AdoptsAnyId),
    "keeps an anonymous id, __Host-": partial(made, sessions.KeepsAnonymousId),
    "a cookie without Secure": partial(made, cookie=SessionCookie("sid", secure=False)),
    "SameSite not said": partial(made, cookie=SessionCookie(samesite=None)),
    "SameSite=None": partial(made, cookie=NONE),
    "SameSite=Strict": partial(made, cookie=SessionCookie(samesite="Strict")),
    "Flask's own session": flask_bank,
    "Flask-Session": flask_session_bank,
    "synchronizer token": lambda: guarded(SynchronizerTokens(MemoryStore())),
    "synchronizer token, no __Host-": lambda: guarded(
        SynchronizerTokens(MemoryStore()), SessionCookie("sid", samesite="None")
    ),
    "one token for all": lambda: guarded(guards.OneForAll(MemoryStore())),
    "a token that goes along": carried_along,
    "tokens for POST only, and ?_method=": lambda: doors.method_override(
        guarded(guards.PostOnly(MemoryStore()))
    ),
    "tokens, and ?_method=": lambda: doors.method_override(guarded(SynchronizerTokens(MemoryStore()))),
    "tokens for forms only, and any type": lambda: doors.any_type(guarded(guards.FormsOnly(MemoryStore()))),
    "tokens, and any type": lambda: doors.any_type(guarded(SynchronizerTokens(MemoryStore()))),
    "any type of body": lambda: doors.any_type(made(cookie=NONE)),
    "a payment link": lambda: doors.payment_link(made()),
    "a payment link, SameSite=Strict": lambda: doors.payment_link(made(cookie=SessionCookie(samesite="Strict"))),
    "a payment link, tokens for POST only": lambda: doors.payment_link(guarded(guards.PostOnly(MemoryStore()))),
    "a payment link, tokens": lambda: doors.payment_link(guarded(SynchronizerTokens(MemoryStore()))),
    "double submit, naive": lambda: guarded(guards.NaiveDoubleSubmit(KEY)),
    "double submit, empty is enough": lambda: guarded(guards.EmptyIsEnough(KEY)),
    "double submit, signed for nobody": lambda: guarded(guards.UnboundDoubleSubmit(KEY)),
    "double submit, bound": lambda: guarded(BoundDoubleSubmit(KEY, "csrf")),
    "double submit, bound, no __Host- at all": lambda: guarded(
        BoundDoubleSubmit(KEY, "csrf"), SessionCookie("sid", samesite="None")
    ),
    "double submit, bound, __Host-": lambda: guarded(BoundDoubleSubmit(KEY)),
    "Fetch Metadata": policed,
    "Fetch Metadata, trusts siblings": lambda: policed(guards.TrustsSiblings),
    "Fetch Metadata, trusts null": lambda: policed(guards.TrustsNull),
}

ATTACKS = {
    "guess between two": partial(prediction.between, most=20),
    "guess the seed": partial(prediction.seeded, seeds=4_300),
    "plant a made-up id": fixation.unknown_id,
    "plant an anonymous id": fixation.anonymous_id,
    "listen": theft.overheard,
    "replay": replay.after_logout,
    "form": csrf.form,
    "sibling's form": csrf.sibling_form,
    "form, Origin: null": csrf.form_without_a_name,
    "form, old browser, null": csrf.form_without_a_name,
    "form, borrowed token": csrf.borrowed_token,
    "form, token from before": csrf.token_from_before,
    "JSON as text": csrf.json_as_text,
    "link": csrf.link,
    "?_method=PUT": csrf.override,
    "log-in": csrf.login,
    "toss a session": tossing.session,
    "toss a made-up pair": tossing.chosen_pair,
    "toss her own pair": tossing.own_pair,
    "toss an empty pair": tossing.empty_pair,
}


# ---- what is expected, and why: attack -> [(whether it succeeds, why, where)]; the last is all the rest ------

OWN = ["the course's own", "SameSite=Strict", "SameSite=None", "SameSite not said"]
HOSTED = ["adopts any id, __Host-", "keeps an anonymous id, __Host-"]
ADOPTS, KEEPS = "adopts any id", "keeps an anonymous id"
FLASK = ["Flask's own session", "Flask-Session"]
BAD_IDS = ["ids that count", "ids from the clock", "ids from a seed"]
LOOSE = ["a cookie without __Host-", ADOPTS, KEEPS, "a cookie without Secure"]
LOOSE_GUARDED = [
    "synchronizer token, no __Host-", "a token that goes along", "double submit, bound, no __Host- at all",
]  # fmt: skip
LINKS = ["a payment link", "a payment link, SameSite=Strict"]
LAX_OR_STRICT = ["the course's own", "SameSite=Strict", *BAD_IDS, *LOOSE, *HOSTED, *LINKS]
CROSSING = ["SameSite=None", "any type of body"]
UNGUARDED = [*LAX_OR_STRICT, *CROSSING, "SameSite not said", *FLASK]
EMPTY, NAIVE, NOBODYS = (
    "double submit, empty is enough", "double submit, naive", "double submit, signed for nobody",
)  # fmt: skip
SIBLINGS, NULL = "Fetch Metadata, trusts siblings", "Fetch Metadata, trusts null"
POST_ONLY = ["tokens for POST only, and ?_method=", "a payment link, tokens for POST only"]

FORM = [
    (True, "SameSite=None: the cookie goes along everywhere", CROSSING),
    (True, "no SameSite: for two minutes the cookie goes along on a POST", ["SameSite not said", *FLASK]),
    (True, "no cookie crosses sites and no field was sent: nothing equals nothing", [EMPTY]),
    (False, "SameSite: another site's form does not carry the cookie", LAX_OR_STRICT),
]
SIBLING = [
    (True, "a sibling is the same site: SameSite has no say, and nothing else asks", UNGUARDED),
    (True, "it takes a sibling for the bank", [SIBLINGS]),
]
NO_TOKEN = (False, "no token, or a page that is not the bank's", ...)
ONE_FOR_ALL = (True, "her token is everybody's", ["one token for all"])

CELLS = {
    "guess between two": [
        (True, "the ids between two of hers are few", ["ids that count", "ids from the clock"]),
        (False, "256 bits lie between", ...),
    ],
    "guess the seed": [
        (True, "one of 32,768 process numbers", ["ids from a seed"]),
        (False, "no seed gives her id", ...),
    ],
    "plant a made-up id": [
        (True, "the log-in keeps what came", [ADOPTS]),
        (False, "__Host-: a sibling cannot plant it", HOSTED),
        (False, "an id that is not the bank's becomes nobody's session", ...),
    ],
    "plant an anonymous id": [
        (True, "the log-in keeps a live id", [ADOPTS, KEEPS]),
        (False, "__Host-: a sibling cannot plant it", HOSTED),
        (False, "the log-in gives a new id, and deletes the old session", ...),
    ],
    "listen": [
        (True, "without Secure it travels over plain http", ["a cookie without Secure", *FLASK]),
        (False, "Secure: nothing is in the air", ...),
    ],
    "replay": [
        (True, "a signed cookie has no record to delete", ["Flask's own session"]),
        (False, "the record is deleted", ...),
    ],
    "form": [*FORM, NO_TOKEN],
    "form, Origin: null": [*FORM, NO_TOKEN],
    "form, old browser, null": [*FORM, (True, "no Sec-Fetch-Site, and it believes null", [NULL]), NO_TOKEN],
    "?_method=PUT": [*FORM, (True, "it watches POST only", POST_ONLY[:1]), NO_TOKEN],
    "form, borrowed token": [
        *(row for row in FORM if EMPTY not in row[2]),
        ONE_FOR_ALL,
        (False, "a token of another session", ...),
    ],
    "form, token from before": [
        *(row for row in FORM if EMPTY not in row[2]),
        ONE_FOR_ALL,
        (True, "the token goes along when the id is renewed", ["a token that goes along"]),
        (False, "a new id, a new token", ...),
    ],
    "sibling's form": [*SIBLING, NO_TOKEN],
    "JSON as text": [
        (True, "the body is read whatever its type, and the cookie goes along", ["any type of body"]),
        (True, "it trusts what is not a form", ["tokens for forms only, and any type"]),
        (False, "a body of type text/plain is not read (415), or needs a token", ...),
    ],
    "link": [
        (True, "Lax: a link carries the cookie", ["a payment link"]),
        (True, "it watches POST only", POST_ONLY[1:]),
        (False, "Strict: not even a link carries it", ["a payment link, SameSite=Strict"]),
        (False, "it needs a token", ["a payment link, tokens"]),
        (False, "no address changes anything by GET", ...),
    ],
    "log-in": [
        (True, "a log-in needs no cookie, and nothing asks where the form came from", UNGUARDED),
        (True, "nothing equals nothing", [EMPTY]),
        (False, "the log-in form is guarded, too", ...),
    ],
    "toss a session": [
        (True, "a cookie that any host of the site can set", [*LOOSE, *FLASK, *LOOSE_GUARDED]),
        (False, "__Host-: only the bank itself can set it", ...),
    ],
    "toss a made-up pair": [
        *SIBLING,
        (True, "two halves that are equal are enough", [NAIVE, EMPTY]),
        (False, "it was not signed by the bank, or no cookie is asked", ...),
    ],
    "toss her own pair": [
        *SIBLING,
        ONE_FOR_ALL,
        (True, "two halves that are equal are enough", [NAIVE, EMPTY]),
        (True, "signed, but not for Ana's session", [NOBODYS]),
        (False, "it is bound to Mallory's session", ...),
    ],
    "toss an empty pair": [
        *SIBLING,
        (True, "empty equals empty", [NAIVE, EMPTY]),
        (False, "empty is no token", ...),
    ],
}


def expected(mechanism, attack):
    """The cell, and why: the row that names the mechanism, else the last."""
    rows = [(cell, why) for cell, why, where in CELLS[attack] if where is not ... and mechanism in where]
    assert len(rows) <= 1, (mechanism, attack, rows)
    return rows[0] if rows else CELLS[attack][-1][:2]


def outcome(mechanism, attack, victim=None):
    """Whether Ana has lost something."""
    app = MECHANISMS[mechanism]()
    with serve(app, name="matrix") as site:
        if hasattr(app, "learn"):
            app.learn(site.page)
        before = len(site.record.lost("ana"))
        victim = victim(site) if victim else Victim(site, "ana", metadata="old browser" not in attack)
        ATTACKS[attack](Target(site, victim))
        assert not site.errors
        # What has no answer yet is somebody else's: every attack has read its last answer by now.
        assert all(exchange.status is None or exchange.status < 500 for exchange in site.log)
        return len(site.record.lost("ana")) > before


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_every_attack_has_exactly_the_outcome_that_is_expected(mechanism):
    wrong = {}
    for attack in ATTACKS:
        cell, why = expected(mechanism, attack)
        if outcome(mechanism, attack) is not cell:
            wrong[attack] = f"expected {cell}: {why}"
    assert wrong == {}


def test_the_table_has_a_cell_and_a_reason_for_each_and_both_outcomes_for_each_attack():
    assert set(CELLS) == set(ATTACKS)
    assert {name for rows in CELLS.values() for _, _, where in rows if where is not ... for name in where} <= set(
        MECHANISMS
    )
    for attack, rows in CELLS.items():
        cells = {mechanism: expected(mechanism, attack) for mechanism in MECHANISMS}
        assert {cell for cell, _ in cells.values()} == {True, False}, attack
        assert {why for _, why in cells.values()} == {why for _, why, _ in rows}, attack


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_customers_are_served_and_lose_nothing(mechanism):
    app = MECHANISMS[mechanism]()
    with serve(app, name="matrix") as site:
        if hasattr(app, "learn"):
            app.learn(site.page)
        for metadata in (True, False):
            ana, ben = Victim(site, "ana", metadata=metadata), Victim(site, "ben", metadata=metadata)
            for one in (ana, ben):
                one.log_in()
            assert ana.submit("/notes", "/notes", text="a note").status == 303
            assert ana.submit("/balance", "/transfer", to="ben", amount="10").status == 303
            token = {"csrf": ben.read("/csrf").json()["csrf"]} if app_has_tokens(app) else {}
            assert ben.fetch("/transfer", {"to": "ana", "amount": 10, **token}).status == 200
            assert "Good day, ana" in ana.read("/").text  # a bookmark
            ana.log_out()
            assert ana.read("/balance").status == 401
            assert "Good day, ben" in ben.read("/").text
        assert site.record.lost("ana") == site.record.lost("ben") == []


def app_has_tokens(app):
    return getattr(app, "csrf", None) is not None


# ---- a vulnerable server is for this machine alone -----------------------------------------------------------


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_it_answers_on_loopback_only_and_for_no_other_host(mechanism):
    with serve(MECHANISMS[mechanism](), name="matrix") as site:
        assert site.url.startswith("http://127.0.0.1:")
        assert site._server.socket.getsockname()[0] == "127.0.0.1"
        for host in ("fernbank.example", f"fernbank.example:{site.port}", "127.0.0.1.example", "app.localhost"):
            assert site.visitor("mallory").get("/", headers={"Host": host}).status == 421


# ---- in a real browser, the same -----------------------------------------------------------------------------

IN_A_BROWSER = [
    ("the course's own", "form"),
    ("the course's own", "sibling's form"),
    ("the course's own", "log-in"),
    ("the course's own", "toss a session"),
    ("adopts any id", "plant a made-up id"),
    ("keeps an anonymous id", "plant an anonymous id"),
    ("keeps an anonymous id, __Host-", "plant an anonymous id"),
    ("SameSite not said", "form"),
    ("SameSite=None", "form"),
    ("SameSite=None", "form, Origin: null"),
    ("SameSite=Strict", "sibling's form"),
    ("Flask's own session", "replay"),
    ("synchronizer token", "form, borrowed token"),
    ("a token that goes along", "form, token from before"),
    ("synchronizer token, no __Host-", "toss a session"),
    ("any type of body", "JSON as text"),
    ("a payment link", "link"),
    ("a payment link, SameSite=Strict", "link"),
    ("tokens for POST only, and ?_method=", "?_method=PUT"),
    ("double submit, naive", "toss a made-up pair"),
    ("double submit, empty is enough", "form"),
    ("double submit, signed for nobody", "toss her own pair"),
    ("double submit, bound, __Host-", "toss her own pair"),
    ("Fetch Metadata", "form"),
    ("Fetch Metadata", "form, Origin: null"),
    ("Fetch Metadata, trusts siblings", "sibling's form"),
]


@pytest.mark.parametrize(("mechanism", "attack"), IN_A_BROWSER)
def test_a_real_browser_has_the_same_outcome(mechanism, attack, browser_part):
    person = browser_part.person("ana")
    try:
        assert outcome(mechanism, attack, lambda site: BrowserVictim(site, person)) is expected(mechanism, attack)[0]
    finally:
        person.close()


TOLD = ("Cookie", "Origin", "Referer", "Content-Type", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest")


SENT = ["form", "sibling's form", "form, Origin: null", "JSON as text", "link", "toss a made-up pair", "log-in"]


@pytest.mark.parametrize("attack", SENT)
def test_a_victim_sends_what_a_real_browser_sends(attack, browser_part):
    requests = []
    for real in (False, True):
        with serve(doors.payment_link(made(cookie=NONE)), name="matrix") as site:
            person = browser_part.person("ana")
            ATTACKS[attack](Target(site, BrowserVictim(site, person) if real else Victim(site, "ana")))
            person.close()
            # What belongs to this run alone: the ports, and the ids.
            requests.append([told(exchange) for exchange in site.log.by("ana") if moves(exchange)])
    assert requests[0] == requests[1]
    assert requests[0]


def moves(exchange):
    return exchange.method == "POST" or exchange.path.startswith("/pay")


def told(exchange):
    headers = {name.title(): re.sub(r"localhost:\d+", "localhost", value) for name, value in exchange.request_headers}
    headers["Cookie"] = re.sub(r"[\w-]{43}", "ID", headers.get("Cookie", ""))
    return exchange.method, exchange.path, exchange.request_body, {name: headers.get(name) for name in TOLD}
