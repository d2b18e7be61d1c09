"""The cookie jar held against a real Chromium: the same cookies set, the same requests, the same headers.

Every case sets cookies of its own name, so one browser and one jar serve all cases.
"""

import pytest
from flask import Flask, request

from labs.bench import serve
from labs.bench.jar import CookieJar

APP, API, MALLORY = "app.fernbank.localhost", "api.fernbank.localhost", "mallory.localhost"
ADDRESS, LOCAL = "127.0.0.1", "localhost"
YEAR = "Max-Age=31536000"

# What is set: label -> (host, path, Set-Cookie values). NAME becomes a name of this case's own.
CASES = {
    "plain": (APP, "/", ["NAME=1"]),
    "default path": (APP, "/a/b", ["NAME=1"]),
    "default path of a folder": (APP, "/a/", ["NAME=1"]),
    "a path": (APP, "/", ["NAME=1; Path=/a"]),
    "a path with a slash at the end": (APP, "/", ["NAME=1; Path=/a/"]),
    "a path that does not begin with a slash": (APP, "/a/b", ["NAME=1; Path=a"]),
    "an empty path": (APP, "/a/b", ["NAME=1; Path="]),
    "two paths, the last counts": (APP, "/", ["NAME=1; Path=/a; Path=/"]),
    "two paths, the last is empty": (APP, "/a/b", ["NAME=1; Path=/; Path="]),
    "a path elsewhere": (APP, "/", ["NAME=1; Path=/elsewhere"]),
    "a domain": (APP, "/", ["NAME=1; Domain=fernbank.localhost"]),
    "a domain with a dot": (APP, "/", ["NAME=1; Domain=.fernbank.localhost"]),
    "a domain in capitals": (APP, "/", ["NAME=1; Domain=FernBank.LOCALHOST"]),
    "its own host as domain": (APP, "/", [f"NAME=1; Domain={APP}"]),
    "a sibling as domain": (APP, "/", [f"NAME=1; Domain={API}"]),
    "a domain below": (APP, "/", [f"NAME=1; Domain=x.{APP}"]),
    "another site as domain": (APP, "/", [f"NAME=1; Domain={MALLORY}"]),
    "a public suffix as domain": (APP, "/", ["NAME=1; Domain=localhost"]),
    "an empty domain": (APP, "/", ["NAME=1; Domain="]),
    "two domains, the last counts": (APP, "/", [f"NAME=1; Domain=fernbank.localhost; Domain={APP}"]),
    "two domains, the last is foreign": (APP, "/", [f"NAME=1; Domain=fernbank.localhost; Domain={MALLORY}"]),
    "two domains, the last is empty": (APP, "/", ["NAME=1; Domain=fernbank.localhost; Domain="]),
    "an address as domain": (ADDRESS, "/", ["NAME=1; Domain=127.0.0.1"]),
    "a part of an address as domain": (ADDRESS, "/", ["NAME=1; Domain=0.0.1"]),
    "localhost as its own domain": (LOCAL, "/", ["NAME=1; Domain=localhost"]),
    "secure": (APP, "/", ["NAME=1; Secure"]),
    "secure on an address": (ADDRESS, "/", ["NAME=1; Secure"]),
    "secure on localhost": (LOCAL, "/", ["NAME=1; Secure"]),
    "a plain one over a secure one": (APP, "/", ["NAME=1; Secure", "NAME=2"]),
    "HttpOnly": (APP, "/", ["NAME=1; HttpOnly"]),
    "attributes in odd spelling": (APP, "/", ["NAME=1 ;  hTTPonly = x;path = /a ; SECURE=no"]),
    "strict": (APP, "/", ["NAME=1; SameSite=Strict"]),
    "lax": (APP, "/", ["NAME=1; SameSite=Lax"]),
    "none": (APP, "/", ["NAME=1; SameSite=None; Secure"]),
    "none without secure": (APP, "/", ["NAME=1; SameSite=None"]),
    "same-site nonsense": (APP, "/", ["NAME=1; SameSite=Whatever"]),
    "same-site twice, the last counts": (APP, "/", ["NAME=1; SameSite=Strict; SameSite=Lax"]),
    "same-site twice, the last is nonsense": (APP, "/", ["NAME=1; SameSite=Strict; SameSite=x"]),
    "same-site in capitals": (APP, "/", ["NAME=1; SAMESITE=STRICT"]),
    "Max-Age": (APP, "/", [f"NAME=1; {YEAR}"]),
    "Max-Age zero": (APP, "/", ["NAME=1; Max-Age=0"]),
    "Max-Age below zero": (APP, "/", ["NAME=1; Max-Age=-1"]),
    "Max-Age nonsense": (APP, "/", ["NAME=1; Max-Age=abc"]),
    "Max-Age half nonsense": (APP, "/", ["NAME=1; Max-Age=0abc"]),
    "Max-Age a fraction": (APP, "/", ["NAME=1; Max-Age=0.5"]),
    "Max-Age with a plus": (APP, "/", ["NAME=1; Max-Age=+0"]),
    "Max-Age empty": (APP, "/", ["NAME=1; Max-Age="]),
    "Max-Age huge": (APP, "/", ["NAME=1; Max-Age=" + "9" * 30]),
    "Max-Age hugely negative": (APP, "/", ["NAME=1; Max-Age=-" + "9" * 30]),
    "Max-Age goes before Expires": (APP, "/", ["NAME=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]),
    "Expires goes after Max-Age": (APP, "/", ["NAME=1; Max-Age=0; Expires=Fri, 01 Jan 2100 00:00:00 GMT"]),
    "Expires in the past": (APP, "/", ["NAME=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT"]),
    "Expires in the past with dashes": (APP, "/", ["NAME=1; Expires=Wednesday, 21-Oct-15 07:28:00 GMT"]),
    "Expires in the past as asctime": (APP, "/", ["NAME=1; Expires=Wed Oct 21 07:28:00 2015"]),
    "Expires in another order": (APP, "/", ["NAME=1; Expires=2015 Oct 21 07:28:00"]),
    "Expires with a zone, which is ignored": (APP, "/", ["NAME=1; Expires=Wed, 21 Oct 2015 07:28:00 +9900"]),
    "Expires without a weekday": (APP, "/", ["NAME=1; Expires=21 Oct 2015 07:28:00"]),
    "Expires with one digit a field": (APP, "/", ["NAME=1; Expires=1 Oct 2015 7:2:0"]),
    "Expires with two digits a year": (APP, "/", ["NAME=1; Expires=Wed, 21 Oct 68 07:28:00 GMT"]),
    "Expires with two digits of the old century": (APP, "/", ["NAME=1; Expires=Wed, 21 Oct 70 07:28:00 GMT"]),
    "Expires without a time": (APP, "/", ["NAME=1; Expires=Wed, 21 Oct 2015"]),
    "Expires with hour 24": (APP, "/", ["NAME=1; Expires=Wed, 21 Oct 2015 24:00:00 GMT"]),
    "Expires on a day that no month has": (APP, "/", ["NAME=1; Expires=Wed, 32 Oct 2015 07:28:00 GMT"]),
    "Expires on a day that this month lacks": (APP, "/", ["NAME=1; Expires=Mon, 31 Feb 2015 07:28:00 GMT"]),
    "Expires in a year before 1601": (APP, "/", ["NAME=1; Expires=Mon, 01 Jan 1600 00:00:00 GMT"]),
    "Expires in a month by its full name": (APP, "/", ["NAME=1; Expires=21 October 2015 07:28:00 GMT"]),
    "Expires in a month in capitals": (APP, "/", ["NAME=1; Expires=21 OCT 2015 07:28:00 GMT"]),
    "Expires in no month": (APP, "/", ["NAME=1; Expires=21 Foo 2015 07:28:00 GMT"]),
    "Expires as ISO 8601": (APP, "/", ["NAME=1; Expires=2015-10-21T07:28:00Z"]),
    "Expires in the future": (APP, "/", ["NAME=1; Expires=Fri, 01 Jan 2100 00:00:00 GMT"]),
    "Expires zero": (APP, "/", ["NAME=1; Expires=0"]),
    "Expires nonsense": (APP, "/", ["NAME=1; Expires=yesterday"]),
    "deleted": (APP, "/", ["NAME=1", "NAME=; Max-Age=0"]),
    "deleted at another path": (APP, "/", ["NAME=1", "NAME=; Max-Age=0; Path=/a"]),
    "deleted at another domain": (APP, "/", ["NAME=1", "NAME=; Max-Age=0; Domain=fernbank.localhost"]),
    "set again": (APP, "/", ["NAME=1", "NAME=2"]),
    "an empty value": (APP, "/", ["NAME="]),
    "quotes": (APP, "/", ['NAME="1 2"']),
    "spaces and tabs": (APP, "/", [" \tNAME \t= \t1 2\t "]),
    "several equal signs": (APP, "/", ["NAME=a=b==c"]),
    "commas": (APP, "/", ["NAME=a,b"]),
    "octets beyond ASCII": (APP, "/", ["NAME=caf\xc3\xa9"]),
    "a tab inside": (APP, "/", ["NAME=a\tb"]),
    "a tab in an attribute": (APP, "/", ["NAME=1; Path=/a\tb"]),
    "a tab in an unknown attribute": (APP, "/", ["NAME=1; Extension=a\tb"]),
    "a control character": (APP, "/", ["NAME=a\x01b"]),
    "a DEL": (APP, "/", ["NAME=a\x7fb"]),
    "a control character in an attribute": (APP, "/", ["NAME=1; Path=/\x01"]),
    "4096 octets": (APP, "/", ["NAME=" + "x" * (4096 - len("c99")) + "; Path=/only"]),
    "4097 octets": (APP, "/", ["NAME=" + "x" * (4097 - len("c99")) + "; Path=/only"]),
    "an attribute of 1024 octets": (APP, "/a/b", ["NAME=1; Path=/" + "a" * 1023]),
    "an attribute of 1025 octets": (APP, "/a/b", ["NAME=1; Path=/" + "a" * 1024]),
    "__Host-": (APP, "/", ["__Host-NAME=1; Secure; Path=/"]),
    "__Host- without secure": (APP, "/", ["__Host-NAME=1; Path=/"]),
    "__Host- without path": (APP, "/", ["__Host-NAME=1; Secure"]),
    "__Host- with another path": (APP, "/", ["__Host-NAME=1; Secure; Path=/a"]),
    "__Host- with a domain": (APP, "/", ["__Host-NAME=1; Secure; Path=/; Domain=fernbank.localhost"]),
    "__Host- with its own host": (APP, "/", [f"__Host-NAME=1; Secure; Path=/; Domain={APP}"]),
    "__Host- with an empty domain": (APP, "/", ["__Host-NAME=1; Secure; Path=/; Domain="]),
    "__Host- on an address": (ADDRESS, "/", ["__Host-NAME=1; Secure; Path=/"]),
    "__HOST- in capitals without secure": (APP, "/", ["__HOST-NAME=1; Path=/"]),
    "__Secure-": (APP, "/", ["__Secure-NAME=1; Secure; Domain=fernbank.localhost"]),
    "__Secure- without secure": (APP, "/", ["__Secure-NAME=1"]),
    "__Http-": (APP, "/", ["__Http-NAME=1; Secure; HttpOnly"]),
    "__Http- without HttpOnly": (APP, "/", ["__Http-NAME=1; Secure"]),
    "__Host-Http-": (APP, "/", ["__Host-Http-NAME=1; Secure; HttpOnly; Path=/"]),
    "__Host-Http- without HttpOnly": (APP, "/", ["__Host-Http-NAME=1; Secure; Path=/"]),
    "__Host-Http- without path": (APP, "/", ["__Host-Http-NAME=1; Secure; HttpOnly"]),
    "tossed by a sibling": (API, "/", ["NAME=1; Domain=fernbank.localhost"]),
    "tossed by a sibling at a path": (API, "/", ["NAME=1; Domain=fernbank.localhost; Path=/a"]),
    "of a sibling only": (API, "/", ["NAME=1"]),
    "of another site": (MALLORY, "/", ["NAME=1"]),
}

# What a script writes on a page at app /, after the cookies that the server set: label -> (first, then).
SCRIPTS = {
    "a script": (None, "NAME=1"),
    "a script's HttpOnly": (None, "NAME=1; HttpOnly"),
    "a script's __Host-": (None, "__Host-NAME=1; Secure; Path=/"),
    "a script's __Http-": (None, "__Http-NAME=1; Secure"),
    "a script over HttpOnly": ("NAME=1; HttpOnly", "NAME=2"),
    "a script deletes HttpOnly": ("NAME=1; HttpOnly", "NAME=; Max-Age=0"),
    "a script deletes": ("NAME=1", "NAME=; Max-Age=0"),
    "a script over secure": ("NAME=1; Secure", "NAME=2"),
}

# What is asked: label -> (host, path, how). "typed" is the address bar; the others begin on a page elsewhere.
REQUESTS = {
    "app /": (APP, "/", "typed"),
    "app /a": (APP, "/a", "typed"),
    "app /a/": (APP, "/a/", "typed"),
    "app /a/b": (APP, "/a/b", "typed"),
    "app /ab": (APP, "/ab", "typed"),
    "app /only": (APP, "/only", "typed"),
    "api /": (API, "/", "typed"),
    "mallory /": (MALLORY, "/", "typed"),
    "127.0.0.1 /": (ADDRESS, "/", "typed"),
    "localhost /": (LOCAL, "/", "typed"),
    "link from mallory": (APP, "/a/b", "link from " + MALLORY),
    "form from mallory": (APP, "/a/b", "form from " + MALLORY),
    "image from mallory": (APP, "/a/b", "image from " + MALLORY),
    "form from a sibling": (APP, "/a/b", "form from " + API),
    "image from a sibling": (APP, "/a/b", "image from " + API),
}

JAVASCRIPT = {
    "link": "url => { location.href = url }",
    "form": """url => { const form = document.createElement('form'); form.method = 'POST'; form.action = url;
               document.body.append(form); form.submit() }""",
    "image": "url => fetch(url, {mode: 'no-cors', credentials: 'include'}).then(() => null)",
}


NAMES = {label: f"c{number}" for number, label in enumerate([*CASES, *SCRIPTS], start=10)}


class Bench:
    """A site that sets what it is told and notes the Cookie headers that it gets, a browser, and our jar."""

    def __init__(self, person):
        self.person = person
        self.jar = CookieJar()
        self.to_set = {}
        self.received = {}
        app = Flask("cookies")
        app.add_url_rule("/", view_func=self.page, methods=["GET", "POST"])
        app.add_url_rule("/<path:_>", view_func=self.page, methods=["GET", "POST"])
        self.site = serve(app)

    def page(self, _=""):
        query = request.query_string.decode()
        self.received[query] = request.headers.get("Cookie", "")
        return "<!doctype html>cookies", [("Set-Cookie", value) for value in self.to_set.pop(query, [])]

    def url(self, host, path="/"):
        return f"http://{host}:{self.site.port}{path}"

    def set(self, host, path, values):
        """Let one answer of the server's set cookies, in the browser and in the jar."""
        self.to_set["set"] = values
        self.person.goto(f"{self.url(host, path)}?set")
        for value in values:
            self.jar.store(value, self.url(host, path))

    def script(self, value):
        """Let a script on the present page, at app /, set a cookie."""
        self.person.evaluate(f"document.cookie = {value!r}")
        self.jar.store(value, self.url(APP), http=False)

    def ask(self, number, host, path, how):
        """Make one request; give the Cookie header of the browser's and of the jar's."""
        url, query = self.url(host, path), f"ask-{number}"
        if how == "typed":
            self.person.goto(f"{url}?{query}")
            return self.received[query], self.jar.header(url) or ""
        kind, _, origin = how.partition(" from ")
        self.person.goto(self.url(origin))
        self.person.evaluate(f"({JAVASCRIPT[kind]})('{url}?{query}')")
        if kind != "image":
            self.person.wait_for_url(f"{url}?{query}")
        ours = self.jar.header(
            url,
            initiator=self.url(origin),
            method="POST" if kind == "form" else "GET",
            navigation=kind != "image",
        )
        return self.received[query], ours or ""


@pytest.fixture(scope="module")
def headers(browser_part):
    """What browser and jar send in each request, after all cases were set: request -> (theirs, ours)."""
    bench = Bench(browser_part.person("ana"))
    with bench.site:
        set_all(bench)
        found = {label: bench.ask(number, *what) for number, (label, what) in enumerate(REQUESTS.items())}
        page = bench.url(APP, "/a/b")
        bench.person.goto(page)
        found["document.cookie"] = bench.person.evaluate("document.cookie"), bench.jar.script(page)
    return found


def set_all(bench):
    """Set the cookies of all cases: one answer for each place that sets some, then the scripts."""
    places = {}
    for label, (host, path, values) in CASES.items():
        places.setdefault((host, path), []).extend(named(label, values))
    for (host, path), values in places.items():
        bench.set(host, path, values)
    bench.set(APP, "/", [v for label, (first, _) in SCRIPTS.items() if first for v in named(label, [first])])
    for label, (_, then) in SCRIPTS.items():
        bench.script(*named(label, [then]))


def named(label, values):
    return [value.replace("NAME", NAMES[label]) for value in values]


def of_case(label, header):
    """Give those cookies of a Cookie header that this case set."""
    return [pair for pair in header.split("; ") if pair.partition("=")[0].endswith(NAMES[label])]


@pytest.mark.parametrize("label", NAMES)
def test_the_jar_keeps_and_sends_what_chromium_does(headers, label):
    theirs = {request: of_case(label, header) for request, (header, _) in headers.items()}
    ours = {request: of_case(label, header) for request, (_, header) in headers.items()}
    assert ours == theirs


@pytest.mark.parametrize("asked", [*REQUESTS, "document.cookie"])
def test_the_jar_sends_in_chromiums_order(headers, asked):
    theirs, ours = headers[asked]
    assert ours == theirs


def test_the_cases_tell_something(headers):
    """Every request carried cookies, and some were held back from it."""
    assert all(0 < len(theirs.split("; ")) < len(NAMES) for theirs, _ in headers.values())


ORDER = {
    "set to a new value, a cookie goes last": ["a=1", "b=1", "a=2"],
    "set to the same value, it keeps its place": ["a=1", "b=1", "a=1"],
    "with other attributes but the same value, too": ["a=1", "b=1", "a=1; HttpOnly"],
    "a longer path goes first": ["a=1", "b=1; Path=/p"],
    "deleted and set again, it goes last": ["a=1", "b=1", "a=; Max-Age=0", "a=1"],
    "one without a name": ["a=1", "bare", "b=1"],
    "one without a name, spelled with =": ["a=1", "=bare", "b=1"],
    "without a name there is only one": ["bare", "a=1", "=naked"],
    "neither name nor value": ["a=1", "=", ""],
    "only attributes": ["a=1", "; Secure"],
    "a bare value that looks like a prefix": ["a=1", "__Host-b"],
    "a bare value that looks like a prefix, with =": ["a=1", "=__Secure-b=1; Secure"],
    "more than a thousand octets of name": ["a=1", "n" * 1200 + "=1"],
}


@pytest.fixture(scope="module")
def empty(browser_part):
    """A bench without the cookies of the cases."""
    bench = Bench(browser_part.person("ben"))
    with bench.site:
        yield bench


@pytest.mark.parametrize("label", ORDER)
def test_order_and_odd_names(empty, label):
    # Host-only cookies of different hosts do not mix.
    host = f"order-{list(ORDER).index(label)}.fernbank.localhost"
    for value in ORDER[label]:
        empty.set(host, "/", [value])
    theirs, ours = empty.ask("order", host, "/p/q", "typed")
    assert ours == theirs
