"""CORS and Content-Security-Policy as `labs.bench.page` and `labs.bench.csp` have them, held against Chromium."""

import base64
import hashlib

import pytest
from flask import Flask, Response, request

from conftest import eventually
from labs.bench import serve
from labs.bench.csp import Policy
from labs.bench.jar import CookieJar
from labs.bench.page import Page

APP, API, EVIL = (f"{name}.fernbank.localhost" for name in ("app", "api", "evil"))
MALLORY = "mallory.localhost"

# ---- Content-Security-Policy ---------------------------------------------------------------------------

HASHED = "window.hashed = 1"
DIGEST = base64.b64encode(hashlib.sha256(HASHED.encode()).digest()).decode()
POLICIES = {
    "none": [],
    "empty": [""],
    "self": ["default-src 'self'"],
    "nothing": ["default-src 'none'"],
    "'none' beside another is ignored": ["default-src 'none' 'self'"],
    "no sources": ["script-src"],
    "self with inline": ["default-src 'self' 'unsafe-inline'"],
    "scripts only": ["script-src 'self'"],
    "script-src goes before default-src": ["default-src 'none'; script-src 'self' 'unsafe-inline'"],
    "a nonce": ["script-src 'nonce-abc'"],
    "a nonce makes unsafe-inline void": ["script-src 'nonce-abc' 'unsafe-inline'"],
    "another nonce": ["script-src 'nonce-xyz' 'self'"],
    "a hash": [f"script-src 'sha256-{DIGEST}' 'self'"],
    "a hash of something else": ["script-src 'sha256-AAAA' 'unsafe-inline'"],
    "strict-dynamic": ["script-src 'nonce-abc' 'strict-dynamic' 'self' http:"],
    "strict-dynamic alone": ["script-src 'strict-dynamic' 'unsafe-inline' 'self'"],
    "elements and attributes apart": ["script-src-elem 'self'; script-src-attr 'unsafe-inline'; script-src 'none'"],
    "everything": ["default-src *"],
    "everything, in capitals": ["DEFAULT-SRC 'SELF' 'UNSAFE-INLINE'"],
    "a host": [f"default-src 'self' http://{EVIL}:PORT"],
    "a host without scheme": [f"default-src 'self' {EVIL}:PORT"],
    "a host without a port": [f"default-src 'self' {EVIL}"],
    "a host, any port": [f"default-src 'self' {EVIL}:*"],
    "a host, https": [f"default-src 'self' https://{EVIL}:PORT"],
    "hosts below": ["default-src *.fernbank.localhost:PORT"],
    "the name itself is not below": [f"default-src *.{EVIL}:PORT"],
    "a path": [f"default-src 'self' http://{EVIL}:PORT/foreign.js"],
    "a folder": [f"default-src 'self' http://{EVIL}:PORT/foreign/"],
    "the root folder": [f"default-src 'self' http://{EVIL}:PORT/"],
    "another path": [f"default-src 'self' http://{EVIL}:PORT/x"],
    "a scheme": ["default-src http:"],
    "another scheme": ["default-src https: data:"],
    "a bare word": ["default-src self"],
    "connect only": ["connect-src 'self'"],
    "image only": ["img-src 'none'"],
    "form only": ["form-action 'self'"],
    "no form": ["form-action 'none'"],
    "form to a host": [f"form-action http://{EVIL}:PORT"],
    "of two directives the first counts": ["script-src 'none'; script-src 'unsafe-inline'"],
    "two headers": ["script-src 'self' 'unsafe-inline'", "connect-src 'none'"],
    "two headers, both must allow": ["script-src 'unsafe-inline'", "script-src 'self'"],
    "a comma": ["script-src 'unsafe-inline', connect-src 'self'"],
    "odd spaces": ["  ;; script-src   'self' ;connect-src 'none'  "],
    "an unknown directive": ["fern-src 'none'; script-src 'self'"],
}
PAGE = """<!doctype html><title>policy</title>
<script>window.inline = 1</script><script>{hashed}</script><script nonce="abc">window.nonced = 1</script>
<img src="data:," onerror="window.handler = 1">
<script src="/own.js"></script><script src="{evil}/foreign.js"></script>
<script src="{evil}/nonced.js" nonce="abc"></script>
<form method="post" action="{evil}/form"></form><form method="post" action="/form"></form>"""
RAN = "['inline', 'hashed', 'nonced', 'handler', 'own', 'foreign', 'nonced_file'].filter(name => window[name])"
ASK = """async evil => {
  const got = [];
  for (const [name, at] of [["connect own", ""], ["connect foreign", evil]])
    await fetch(at + "/open").then(() => got.push(name), () => {});
  for (const [name, at] of [["image own", ""], ["image foreign", evil]])
    await new Promise(done => {
      const image = new Image();
      image.onload = () => { got.push(name); done() }; image.onerror = done; image.src = at + "/i.svg";
    });
  return got }"""
SUBMIT = """n => { window.stopped = 0;
  document.addEventListener("securitypolicyviolation", () => { window.stopped = 1 });
  document.forms[n].submit() }"""


def scripts(app):
    @app.get("/<any(own, foreign, nonced):name>.js")
    def script(name):
        variable = "nonced_file" if name == "nonced" else name
        return Response(f"window.{variable} = 1", mimetype="text/javascript")

    @app.get("/i.svg")
    def image():
        return Response('<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>', mimetype="image/svg+xml")

    @app.get("/open")
    def open_to_all():
        return "open", {"Access-Control-Allow-Origin": "*"}

    @app.post("/form")
    def form():
        return "", 204  # the window stays where it is


@pytest.fixture(scope="module")
def site():
    app = Flask("rules")
    scripts(app)

    @app.get("/policy/<int:number>")
    def page(number):
        evil = f"http://{EVIL}:{request.environ['SERVER_PORT']}"
        values = [one.replace("PORT", request.environ["SERVER_PORT"]) for one in [*POLICIES.values()][number]]
        return PAGE.format(hashed=HASHED, evil=evil), [("Content-Security-Policy", value) for value in values]

    @app.route("/cors/<int:number>", methods=["GET", "POST", "PUT"], provide_automatic_options=False)
    @app.route("/cors/<int:number>", methods=["OPTIONS"], provide_automatic_options=False)
    def cors(number):
        headers, status = [*CORS.values()][number]
        port = request.environ["SERVER_PORT"]
        said = [(name, value.replace("PORT", port)) for name, value in headers]
        return "read", status if request.method == "OPTIONS" else 200, said

    @app.get("/")
    def empty():
        return "<!doctype html><title>empty</title>"

    with serve(app) as site:
        yield site


@pytest.fixture(scope="module")
def ana(browser_part):
    person = browser_part.person("ana")
    yield person
    person.close()


@pytest.mark.parametrize("label", POLICIES)
def test_a_policy_allows_what_chromium_allows(ana, site, label):
    number = [*POLICIES].index(label)
    evil = f"http://{EVIL}:{site.port}"
    ana.goto(f"{site.page}/policy/{number}")
    theirs = {*ana.evaluate(RAN), *ana.evaluate(f"({ASK})('{evil}')")}
    for n, name in enumerate(["form foreign", "form own"]):
        before = len(site.log)
        ana.evaluate(f"({SUBMIT})({n})")
        assert eventually(lambda at=before: len(site.log) > at or ana.evaluate("window.stopped"), 10)
        theirs |= {name} if len(site.log) > before else set()
    values = [value.replace("PORT", str(site.port)) for value in POLICIES[label]]
    assert allowed(Policy(values, site.page), site.page, evil) == theirs


def allowed(policy, own, evil):
    """What our Policy lets the page do, by the names that the page uses."""
    says = {
        "inline": policy.runs_inline("window.inline = 1"),
        "hashed": policy.runs_inline(HASHED),
        "nonced": policy.runs_inline("window.nonced = 1", "abc"),
        # The image is asked for, and fails, under every policy: so its handler is what is held back.
        "handler": policy.runs_handler("window.handler = 1"),
        "own": policy.runs_file(f"{own}/own.js"),
        "foreign": policy.runs_file(f"{evil}/foreign.js"),
        "nonced_file": policy.runs_file(f"{evil}/nonced.js", "abc"),
        "connect own": policy.connects(f"{own}/open"),
        "connect foreign": policy.connects(f"{evil}/open"),
        "image own": policy.loads_image(f"{own}/i.svg"),
        "image foreign": policy.loads_image(f"{evil}/i.svg"),
        "form own": policy.sends_form(f"{own}/form"),
        "form foreign": policy.sends_form(f"{evil}/form"),
    }
    return {name for name, holds in says.items() if holds}


# ---- CORS ----------------------------------------------------------------------------------------------

ORIGIN, WITH = ("Access-Control-Allow-Origin", f"http://{APP}:PORT"), ("Access-Control-Allow-Credentials", "true")
METHODS, TYPES = "Access-Control-Allow-Methods", "Access-Control-Allow-Headers"
CORS = {
    "nothing": ([], 200),
    "the origin": ([ORIGIN], 200),
    "the origin, with credentials": ([ORIGIN, WITH], 200),
    "with credentials, in capitals": ([ORIGIN, (WITH[0], "TRUE")], 200),
    "anybody": ([(ORIGIN[0], "*")], 200),
    "anybody, with credentials": ([(ORIGIN[0], "*"), WITH], 200),
    "two origins in one": ([(ORIGIN[0], f"{ORIGIN[1]}, http://{EVIL}:PORT"), WITH], 200),
    "the origin twice": ([ORIGIN, ORIGIN, WITH], 200),
    "the origin with a slash": ([(ORIGIN[0], ORIGIN[1] + "/"), WITH], 200),
    "the origin without its port": ([(ORIGIN[0], f"http://{APP}"), WITH], 200),
    "the origin in capitals": ([(ORIGIN[0], ORIGIN[1].upper()), WITH], 200),
    "null": ([(ORIGIN[0], "null"), WITH], 200),
    "JSON too": ([ORIGIN, WITH, (TYPES, "Content-Type")], 200),
    "JSON too, in other letters": ([ORIGIN, WITH, (TYPES, "x-fern, content-TYPE")], 204),
    "all headers": ([ORIGIN, WITH, (TYPES, "*"), (METHODS, "*")], 200),
    "all headers, anybody": ([(ORIGIN[0], "*"), (TYPES, "*"), (METHODS, "*")], 200),
    "JSON and PUT": ([ORIGIN, WITH, (TYPES, "Content-Type"), (METHODS, "GET, PUT")], 200),
    "put in small letters": ([ORIGIN, WITH, (TYPES, "Content-Type"), (METHODS, "put")], 200),
    "a method list without POST": ([ORIGIN, WITH, (TYPES, "Content-Type"), (METHODS, "GET")], 200),
    "a preflight that fails": ([ORIGIN, WITH, (TYPES, "Content-Type"), (METHODS, "PUT")], 405),
    "a preflight that redirects": ([ORIGIN, WITH, (TYPES, "Content-Type"), ("Location", "/")], 302),
}
FETCHES = {
    "GET": ("GET", None),
    "POST": ("POST", None),
    "POST JSON": ("POST", {"a": 1}),
    "PUT JSON": ("PUT", {"a": 1}),
}
FETCH = """([url, method, body, credentials]) => fetch(url, {method, credentials,
  ...(body ? {body, headers: {"Content-Type": "application/json"}} : {})
}).then(a => a.text()).then(t => t === "read", () => false)"""


@pytest.mark.parametrize("label", CORS)
def test_a_page_sends_and_reads_what_chromium_sends_and_reads(ana, site, label):
    address = f"http://{API}:{site.port}/cors/{[*CORS].index(label)}"
    ana.goto(site.page + "/")
    ana.evaluate("document.cookie = 'sid=1; Domain=fernbank.localhost; SameSite=Strict; Secure'")
    jar = CookieJar()
    jar.store("sid=1; Domain=fernbank.localhost; SameSite=Strict; Secure", site.page)
    ours, theirs = {}, {}
    for name, (method, json) in FETCHES.items():
        for credentials in (True, False):
            before = len(site.log)
            body = "null" if json is None else "'{\"a\": 1}'"
            mode = "include" if credentials else "omit"
            url = f"{address}?{name.replace(' ', '-')}-{mode}"  # or a preflight that Chromium remembers is not sent
            read = ana.evaluate(f"({FETCH})(['{url}', '{method}', {body}, '{mode}'])")
            theirs[name, mode] = read, *wire(site, before)
            before = len(site.log)
            page = Page(site, site.page, jar, "ben")
            fetched = page.fetch(method, url, json, credentials)
            ours[name, mode] = fetched.readable, *wire(site, before)
            assert fetched.readable == (not fetched.why)
    assert ours == theirs


def wire(site, before):
    """What arrived at the server since: method, Origin and Cookie of each request."""
    found = [(one.method, dict(one.request_headers)) for one in site.log[before:]]
    return [(method, headers.get("Origin"), headers.get("Cookie")) for method, headers in found]


@pytest.mark.parametrize("host", [EVIL, MALLORY])
def test_a_form_carries_what_it_would(site, host):
    jar, url = CookieJar(), f"http://{APP}:{site.port}/form"
    jar.store("lax=1; SameSite=Lax", url)
    jar.store("none=1; SameSite=None; Secure", url)
    page = Page(site, f"http://{host}:{site.port}", jar, "ana")
    page.submit(url, {"a": "1"}, text_plain=True)
    sent = dict(site.log[-1].request_headers)
    assert sent["Cookie"] == ("lax=1; none=1" if host == EVIL else "none=1")
    assert (sent["Origin"], sent["Content-Type"]) == (page.origin, "text/plain")
    assert site.log[-1].request_body == b"a=1\r\n"
    kept_in = Page(site, site.page, jar, "ana", Policy(["form-action 'none'"], site.page))
    assert kept_in.submit(url, {}) is None


def test_a_policy_stops_a_fetch_before_it_is_sent(site):
    page = Page(site, site.page, CookieJar(), "ana", Policy(["connect-src 'self'"], site.page))
    fetched = page.fetch("GET", f"http://{API}:{site.port}/open")
    assert fetched.response is None
    assert "Content-Security-Policy" in fetched.why
    assert page.fetch("GET", f"{site.page}/open").readable
