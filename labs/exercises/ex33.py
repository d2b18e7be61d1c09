"""Exercises of lesson 33, Where the token lives."""

import random
import re

from flask import Response, g, request

from labs.auth.sessions import Sessions
from labs.bench.csp import Policy
from labs.bench.jar import CookieJar
from labs.bench.page import Page, refusal
from labs.bench.visitor import Visitor

from .exercise import Exercise
from .lab import ProbeFailed
from .process import LearnerError

APP, API, EVIL = "app.fernbank.localhost", "api.fernbank.localhost", "evil.fernbank.localhost"
MALLORY = "mallory.localhost"

# ---- 33.1 ----------------------------------------------------------------------------------------------------

COOKIES = ("unset", "lax", "strict", "none")
ALL, TOP, NONE, NOTHING = set(COOKIES), {"unset", "lax", "none"}, {"none"}, set()

#: name -> (what happens, the cookies that go along, what to ask); tests/test_ex33_browser.py does each in Chromium.
REQUESTS = {
    "mallory, form by GET": ("A page of mallory.localhost sends a form with method=GET.", TOP, "top"),
    "mallory, new tab": ("A click on a page of mallory.localhost opens Fernbank in a new tab.", TOP, "top"),
    "mallory, refresh": ("A page of mallory.localhost has a meta refresh to Fernbank.", TOP, "top"),
    "mallory, script": ("A page of mallory.localhost has a script element with Fernbank's address.", NONE, "in"),
    "mallory, style": ("A page of mallory.localhost has a style sheet with Fernbank's address.", NONE, "in"),
    "mallory, beacon": ("A script on mallory.localhost calls navigator.sendBeacon to Fernbank.", NONE, "in"),
    "mallory, form into a frame": (
        "A page of mallory.localhost sends a form by POST; the answer comes into a frame of that page.",
        NONE,
        "in",
    ),
    "sibling, in a frame": (
        "A page of mallory.localhost shows a page of evil.fernbank.localhost in a frame, and that one has an image "
        "whose address is Fernbank's.",
        NONE,
        "in",
    ),
    "mallory, form after a break": (
        "A page of mallory.localhost sends a form by POST, three minutes after the cookies were set.", NONE, "old",
    ),
    "sibling, form by GET": ("A page of evil.fernbank.localhost sends a form with method=GET.", ALL, "site"),
    "sibling, script": ("A page of evil.fernbank.localhost has a script with Fernbank's address.", ALL, "site"),
    "sibling, style": ("A page of evil.fernbank.localhost has a style sheet with Fernbank's address.", ALL, "site"),
    "sibling, beacon": ("A script on evil.fernbank.localhost calls navigator.sendBeacon to Fernbank.", ALL, "site"),
    "bookmark": ("Ana opens Fernbank by a bookmark of hers.", ALL, "hers"),
    "reload": ("Ana presses the reload button on a page of Fernbank.", ALL, "hers"),
    "own, omit": (
        "A page of app.fernbank.localhost fetches Fernbank's address with credentials: 'omit'.", NOTHING, "asked",
    ),
    "own, to api": (
        "A page of app.fernbank.localhost has an image at api.fernbank.localhost. Which of the four does api get?",
        NOTHING,
        "host",
    ),
}  # fmt: skip
ASKS = {
    "top": "the address bar changes, by a safe method",
    "in": "which site stands in the address bar, and is it the window that goes to Fernbank?",
    "old": "how old is a cookie that says nothing of SameSite?",
    "site": "is it another site, or only another host?",
    "hers": "who wanted this request?",
    "asked": "what does the script itself ask for?",
    "host": "the four were set without Domain: to which host do they belong?",
}
HARMLESS = ("bookmark", "reload", "own, omit", "own, to api")


def requests_of(seed: str) -> list[dict[str, str]]:
    """The four requests that whoever has this seed (text) is asked about: one of them is Ana's own."""
    draw = random.Random(f"{seed}/33.1")
    foreign = [name for name in REQUESTS if name not in HARMLESS]
    kinds = [[name for name in foreign if REQUESTS[name][1] == sent] for sent in (TOP, NONE, ALL)]
    four = [*(draw.choice(kind) for kind in kinds), draw.choice(HARMLESS)]
    return [{"request": name, "what happens": REQUESTS[name][0]} for name in draw.sample(four, 4)]


PREDICT = Exercise(
    "33.1",
    "What goes along?",
    defines=("sent",),
    kind="answer",
    minutes=6,
    difficulty="medium",
    hints=(
        "First: whose page is it? From the same site everything goes along, whatever SameSite says; evil. is the "
        "same site as app.",
        "From another site ask two things. Does the window itself go to Fernbank, so that the address bar changes? "
        "And is it by a safe method, such as GET? Twice yes: all but strict. Into a frame, an image, a script: none "
        "only.",
        "A form by POST is not safe: none, and unset as long as that cookie is younger than two minutes. And what a "
        "host-only cookie is, the lesson says in the part on Domain.",
    ),
)


def judge_request(lab, number):
    """Expect that the answer says what goes along on the learner's request with this number."""
    name = requests_of(lab.seed.rsplit("/", 2)[0])[number]["request"]
    _, sent, ask = REQUESTS[name]
    answer = lab.answer if isinstance(lab.answer, dict) else {}
    happened = f"the dict has {', '.join(map(str, answer)) or 'nothing'}"
    lab.expect(name in answer, f"an answer about {name!r}", happened[:200])
    given = answer[name]
    unknown = [one for one in given if one not in COOKIES] if isinstance(given, list) else [given]
    lab.expect(not unknown, f"a list of {', '.join(COOKIES)}", f"for {name!r} there is {unknown[:1]!r:.60}")
    happened = f"those are not the ones that go along on {name!r}; your answer names {len(set(given))} of the four"
    lab.expect(set(given) == sent, f"what goes along, and no more. Ask: {ASKS[ask]}", happened)


@PREDICT.probe("Your first request", look_at="the first row of your table")
def first(lab):
    judge_request(lab, 0)


@PREDICT.probe("Your second request", look_at="the second row of your table")
def second(lab):
    judge_request(lab, 1)


@PREDICT.probe("Your third request", look_at="the third row of your table")
def third(lab):
    judge_request(lab, 2)


@PREDICT.probe("Your fourth request", look_at="the fourth row of your table")
def fourth(lab):
    judge_request(lab, 3)


# ---- 33.2 ----------------------------------------------------------------------------------------------------

THE_SERVER_S = {"content-length", "content-type", "transfer-encoding", "connection", "location", "date"}
PAGE = '<!doctype html><title>Fernbank</title><img src="/logo.svg" alt=""><script src="/app.js"></script>'
FILES = {
    "/": (PAGE, "text/html"),
    "/app.js": ("/* logs in, shows the balance, sends money: by fetch, at api */", "text/javascript"),
    "/logo.svg": ('<svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml"),
}


class Id:
    """The bank's cookie policy: the Set-Cookie itself is the learner's, and its name is read from there."""

    name = ""

    def set(self, id):
        return id

    def clear(self):
        return f"{self.name}=; Path=/; Secure; Max-Age=0"

    def read(self, cookie_header):
        pairs = [pair.strip(" ").partition("=") for pair in (cookie_header or "").split(";")]
        return next((value for name, _, value in pairs if name == self.name), None)


def split(lab):
    """A Fernbank on two hosts: a page at app., the bank at api., which takes JSON only; headers() on every answer."""
    cookie = Id()
    bank = lab.bank(Sessions(lab.store, clock=lambda: lab.now), cookie)

    @bank.before_request
    def at_its_host():
        host = request.host.partition(":")[0]
        if host == API:
            foreign = request.method == "POST" and request.mimetype != "application/json"
            return Response("JSON only.", 415) if foreign else None
        text, kind = FILES.get(request.path, ("", "")) if host == APP else ("", "")
        return Response(text, mimetype=kind) if kind else Response("Nothing here.", 404)

    @bank.after_request
    def with_headers(response):  # registered last, it runs first: the id is still to be given away
        given_id = g.pop("set_cookie", None)
        if given_id == cookie.clear():
            response.headers.add("Set-Cookie", given_id)
            given_id = None
        try:
            add(lab, cookie, response, given_id)
        except LearnerError as error:
            bank.on_mechanism_error(error)
        return response

    return bank


def add(lab, cookie, response, id):
    """Add the headers that the learner's function gives for this answer. Raises LearnerError."""
    host, _, port = request.host.partition(":")
    route = f"{request.method} {host.partition('.')[0]} {request.path}"
    app, api = f"http://{APP}:{port}", f"http://{API}:{port}"
    for name, value in usable(lab.call("headers", route, request.headers.get("Origin"), id, app, api)).items():
        if name.lower() == "set-cookie":
            cookie.name = value.partition("=")[0].strip() if id is not None else cookie.name
            response.headers.add(name, value)
        else:
            response.headers[name] = value


def usable(given):
    """The same, when a server can send it: a dict of header names and values. Raises LearnerError."""
    if type(given) is not dict:
        raise LearnerError(f"your headers returned {given!r:.60}: it should return a dict of headers")
    for name, value in given.items():
        one_line = type(value) is str and re.fullmatch(r"[\x20-\x7e]*", value)
        if not one_line or not re.fullmatch(r"[A-Za-z0-9-]+", name):
            raise LearnerError(f"your headers gave {name!r:.40}: {value!r:.60}, which is no header: both are text")
        if name.lower() in THE_SERVER_S:
            raise LearnerError(f"your headers gave {name!r:.40}, which the server itself writes")
    return given


HEADERS = Exercise(
    "33.2",
    "Headers for two hosts",
    defines=("headers",),
    minutes=15,
    difficulty="hard",
    mount=split,
    hints=(
        "`method, host, path = route.split()`. Three things to write, each for some of the answers: a policy for the "
        "page at app, CORS for what api says, and the cookie where there is an id.",
        "CORS: when `origin == app`, as a whole and nothing less, Access-Control-Allow-Origin is that origin and "
        "Access-Control-Allow-Credentials is true. The page sends JSON, so the answer to OPTIONS also allows the "
        "header Content-Type. And Vary: Origin on all that api answers, whoever asks.",
        "The policy: `default-src 'self'` keeps inline script, other hosts' scripts and images away. Then "
        "`connect-src` for api, and `form-action`, for which default-src does not count.",
        "The cookie goes to api only and nobody else may set it: a name that begins with __Host-, Path=/, Secure, "
        "HttpOnly, SameSite, and no Domain.",
    ),
)


class Browser:
    """Somebody's browser at the two hosts. `page` is the one at app, once it is open."""

    def __init__(self, lab, name):
        self.lab, self.name, self.jar = lab, name, CookieJar(APP)
        self.app, self.api = (f"http://{host}:{lab.site.port}" for host in (APP, API))
        self.page = None

    def open(self):
        """Open the page at app; what it carries has to work under its policy."""
        response = Visitor(self.lab.site, self.name, APP).get("/")
        self.note(response)
        for value in response.set_cookies:
            self.jar.store(value, f"{self.app}/")
        policy = Policy(response.headers.get_all("Content-Security-Policy", []), self.app)
        self.page = Page(self.lab.site, self.app, self.jar, self.name, policy)
        return self

    def at(self, origin):
        """A page of another origin, open in this browser."""
        return Page(self.lab.site, origin, self.jar, self.name)

    def asks(self, method, path, json=None):
        """What the page at app fetches from api must be sent and readable; gives the Response."""
        fetched = self.page.fetch(method, self.api + path, json)
        self.note(fetched.response)
        expected = f"the page at app may send {method} {path} to api, with cookies, and read the answer"
        self.lab.expect(fetched.readable, expected, fetched.why, self.lab.last)
        return fetched.response

    def serves(self, method, path, json=None):
        """The same, and the bank says yes; gives the JSON."""
        response = self.asks(method, path, json)
        said = f"{self.lab.answered(response)}{self.refusals()}"
        self.lab.expect(response.status < 300, f"{self.name} is served", said, response.exchange)
        return response.json()

    def log_in(self):
        """Log in by the page at app."""
        password = self.lab.site.password_of(self.name)
        self.serves("POST", "/login", {"username": self.name, "password": password})
        return self

    def refusals(self):
        """What the browser did not keep, for a sentence."""
        return f"; the browser refused the cookie: {self.jar.refusals[-1][1]}" if self.jar.refusals else ""

    def note(self, response):
        """Remember the exchange, and raise what the learner's code raised meanwhile."""
        self.lab.last = response.exchange if response else self.lab.last
        self.lab.raise_learner_error()


def customer(lab, name="ana"):
    """A browser of somebody who is to be attacked: logged in, and not for the first time."""
    try:
        one = Browser(lab, name)
        for _ in range(lab.random.randrange(2, 5)):  # or headers() could be careful once, and then no more
            one.open().log_in()
        return one
    except ProbeFailed as failed:
        happened = f"{name} could not log in, so this was not tried: {failed.happened}"
        raise ProbeFailed("first of all, that customers are served", happened, failed.exchange) from None


@HEADERS.customer("The page at app logs in, reads and pays at api", points=2, look_at="CSP and CORS, for api")
def page_works(lab):
    ana = Browser(lab, "ana").open()
    policy = ana.page.policy
    lab.expect(policy.runs_file(f"{ana.app}/app.js"), "the page's own /app.js runs", "its policy stops it", lab.last)
    logo = policy.loads_image(f"{ana.app}/logo.svg")
    lab.expect(logo, "the page's own /logo.svg loads", "its policy stops it", lab.last)
    owner = ana.log_in().serves("GET", "/balance")["owner"]
    lab.expect(owner == "ana", "the page shows ana's balance", f"it showed {owner}'s", lab.last)
    ana.serves("POST", "/transfer", {"to": "ben", "amount": lab.random.randrange(1, 90)})


@HEADERS.customer("Two customers come and go, each as themselves", look_at="when you set the cookie")
def come_and_go(lab):
    ana, ben = (Browser(lab, name).open().log_in() for name in ("ana", "ben"))
    for one in lab.random.sample([ana, ben, ana, ben], 4):
        owner = one.open().serves("GET", "/balance")["owner"]
        lab.expect(owner == one.name, f"{one.name} sees their own account", f"it was {owner}'s", lab.last)
    ana.serves("POST", "/logout", {})
    status = ana.asks("GET", "/balance").status
    lab.expect(status == 401, "after the log-out the page reads a 401", f"GET /balance answered {status}", lab.last)
    mistyped = ben.asks("POST", "/login", {"username": "ben", "password": f"fern-{lab.random.randrange(1000)}"})
    lab.expect(mistyped.status == 401, "a wrong password is refused", lab.answered(mistyped), mistyped.exchange)
    ben.serves("GET", "/notes")
    ana.log_in().serves("POST", "/confirm", {"password": lab.site.password_of("ana")})
    ana.serves("POST", "/transfer", {"to": "ben", "amount": 1_001})


@HEADERS.customer("A program, which sends no Origin, is served", look_at="what you do when origin is None")
def program(lab):
    visitor = Visitor(lab.site, "ana", API)
    for method, path, body in (
        ("POST", "/login", {"username": "ana", "password": lab.site.password_of("ana")}),
        ("GET", "/balance", None),
    ):
        response = visitor.request(method, path, json=body)
        lab.last = response.exchange
        lab.raise_learner_error()
        lab.expect(response.status == 200, f"{method} {path} is served", lab.answered(response), lab.last)


@HEADERS.probe("A script that got into the page does not run", points=2, look_at="script-src, or default-src")
def injected(lab):
    ana = customer(lab).open()
    seen = set(re.findall(r"'nonce-([^']+)'", lab.last.response_text))  # Mallory has opened the page before
    policy, word = ana.open().page.policy, f"fern{lab.random.randrange(10**6)}"
    ways = {
        "<script>...</script>": policy.runs_inline(f"ride('{word}')"),
        **{f"<script nonce={one}>, as on the page before,": policy.runs_inline(word, one) for one in seen},
        "<img src=x onerror=...>": policy.runs_handler(f"ride('{word}')"),
        **{f"<script src={url}>": policy.runs_file(url) for url in elsewhere(lab, f"/{word}.js")},
        f"<script src={ana.api}/{word}.js>": policy.runs_file(f"{ana.api}/{word}.js"),
        "<script src=data:...>": policy.runs_file(f"data:text/javascript,{word}"),
        "<script src=blob:...>": policy.runs_file(f"blob:{ana.app}/{word}"),
    }
    for way, runs in ways.items():
        if runs:
            ana.page.fetch("POST", f"{ana.api}/transfer", {"to": "mallory", "amount": lab.random.randrange(1, 90)})
            moved = lab.site.record.lost("ana")
            happened = f"{way} ran" + (f"; the bank's record: {moved[0]}" if moved else "")
            lab.expect(False, "no script runs on the page but /app.js", happened, lab.last)


def elsewhere(lab, path):
    """Addresses at which Mallory can put things: hers, and a sibling's."""
    return [f"{scheme}://{host}{end}{path}" for scheme, host, end in (
        ("http", MALLORY, f":{lab.random.randrange(1024, 65536)}"), ("https", MALLORY, ""),
        ("http", EVIL, f":{lab.site.port}"), ("http", EVIL, ":8000"), ("https", EVIL, ""),
        ("http", "fernbank.localhost", f":{lab.site.port}"), ("http", f"x.{API}", f":{lab.site.port}"),
        ("http", APP, f":{lab.site.port % 60000 + 1}"),
    )]  # fmt: skip


@HEADERS.probe("The page takes nothing to other hosts", look_at="connect-src, img-src, form-action")
def taken_out(lab):
    policy = customer(lab).open().page.policy
    ways = {"fetch": policy.connects, "an image": policy.loads_image, "a form": policy.sends_form}
    for url in elsewhere(lab, "/loot"):
        for way, allowed in ways.items():
            expected = f"the page's policy lets {way} go to app and api only"
            lab.expect(not allowed(url), expected, f"it may go to {url}", lab.last)


@HEADERS.probe("No script reads the id", look_at="HttpOnly")
def read_by_script(lab):
    ana = customer(lab)
    for origin in (ana.api, ana.app):
        shown = ana.jar.script(f"{origin}/")
        lab.expect(not shown, "document.cookie is empty", f"at {origin} it was {shown!r:.60}")
    answer = ana.asks("POST", "/login", {"username": "ana", "password": lab.site.password_of("ana")})
    ids = [value for _, value in ana.jar.items() if value]
    for name, value in answer.headers.items():
        told = name.lower() != "set-cookie" and any(id in value for id in ids)
        lab.expect(not told, "the id stands in Set-Cookie and nowhere else", f"it stood in {name}", answer.exchange)


@HEADERS.probe("The id goes to api, and to no other host", look_at="Domain")
def other_hosts(lab):
    ana = customer(lab)
    for host in (EVIL, APP, f"x.{API}", "fernbank.localhost", MALLORY):
        sent = ana.jar.header(f"http://{host}:{lab.site.port}/")
        lab.expect(not sent, "the id goes to api only", f"{host} got it, too")


@HEADERS.probe("Another host cannot put its own id in this one's place", look_at="the cookie's name")
def tossed(lab):
    ana, mallory = customer(lab), customer(lab, "mallory")
    name, id = next(iter(mallory.jar.items()), ("", ""))
    cookie = f"{name}={id}; Domain=fernbank.localhost; Path=/balance; Secure; SameSite=None"
    ana.jar.store(cookie, f"http://{EVIL}:{lab.site.port}/")
    owner = ana.serves("GET", "/balance")["owner"]
    happened = f"it showed {owner}'s: {EVIL} had set a cookie"
    lab.expect(owner == "ana", "ana's browser shows ana's account", happened, lab.last)


@HEADERS.probe("A request that another site causes carries no id", look_at="SameSite")
def cross_site(lab):
    ana = customer(lab)
    for method, navigation in (("POST", True), ("POST", False), ("GET", False)):
        url = f"{ana.api}/transfer"
        sent = ana.jar.header(url, initiator=f"http://{MALLORY}:1/", method=method, navigation=navigation)
        what = f"a {'form' if navigation else 'fetch'} by {method} on mallory.localhost"
        lab.expect(not sent, "SameSite is said, and is not None", f"{what} carried it")


@HEADERS.probe("No other page reads what api says, or pays", points=2, look_at="how you compare origin")
def foreign_pages(lab):
    ana = customer(lab)
    for origin in foreign_origins(lab, ana.app):
        page, who = ana.at(origin), f"a page of {origin}"
        for path in lab.random.sample(READ_AT, len(READ_AT)):
            fetched = page.fetch("GET", ana.api + path)
            ana.note(fetched.response)
            happened = f"{who} may read them, too: GET {path}"
            lab.expect(not fetched.readable, "only the page at app reads api's answers", happened, lab.last)
            without = Visitor(lab.site, "mallory", API).get(path, headers={"Origin": origin})
            open_to = not refusal(without, origin, credentials=False)
            happened = f"{who} may: GET {path}"
            lab.expect(not open_to, "no other page may read, with cookies or without", happened, without.exchange)
        order = {"to": "mallory", "amount": lab.random.randrange(1, 90)}
        for path in ("/transfer", *lab.random.sample(SENT_TO, len(SENT_TO))):
            sent = [page.fetch("POST", ana.api + path, order, credentials=how).response for how in (True, False)]
            lab.raise_learner_error()
            lost = lab.site.record.lost("ana")
            happened = f"{who} sent JSON; the bank's record: {lost[0] if lost else ''}"
            lab.expect(not lost, "no other page pays with ana's money", happened, lab.last)
            happened = f"{who} sent JSON to {path}"
            lab.expect(sent == [None, None], "no other page gets JSON past the preflight", happened, lab.last)


READ_AT = ("/balance", "/notes", "/health", "/nowhere")
SENT_TO = ("/login", "/confirm", "/logout", "/logout/everywhere")


def foreign_origins(lab, app):
    """Origins that are not app's, some of which look like it."""
    port, word = lab.site.port, f"fern{lab.random.randrange(1000)}"
    return [
        f"http://{EVIL}:{port}", f"http://{MALLORY}:{port}", "null", f"{app}1", app.replace("http:", "https:"),
        f"http://{APP}", f"http://{APP}.{word}.example", f"http://{word}{APP}:{port}", f"http://{word}.{APP}:{port}",
        app.replace("app.fern", "appxfern"), f"http://{APP}.{MALLORY}:{port}",
        f"http://{word}.fernbank.localhost:{port}",
    ]  # fmt: skip


@HEADERS.probe("A cache does not give one origin's answer to another", look_at="Vary")
def varies(lab):
    ana = customer(lab)
    password = {"username": "ana", "password": lab.site.password_of("ana")}
    answers = [("GET", "/health", None), ("GET", "/balance", None), ("OPTIONS", "/transfer", None),
               ("POST", "/login", password), ("POST", "/login", {}), ("GET", "/nowhere", None)]  # fmt: skip
    for origin in (ana.app, f"http://{MALLORY}:1", None):
        for method, path, body in answers:
            headers = {"Origin": origin} if origin else None
            response = Visitor(lab.site, "ana", API).request(method, path, headers=headers, json=body)
            lab.last = response.exchange
            lab.raise_learner_error()
            words = [one.strip().lower() for one in ",".join(response.headers.get_all("Vary", [])).split(",")]
            happened = f"to {origin or 'nobody in particular'} it did not say so, at {method} {path}"
            says_so = "origin" in words or "*" in words
            lab.expect(says_so, "Vary: Origin on whatever api answers", happened, lab.last)
