"""Exercise 33.1 holds nothing to be true that Chromium does not do: each of its requests, measured at the server."""

import time

import pytest

from conftest import eventually
from labs.attacks.trap import ANOTHER, SIBLING, Trap
from labs.bench import jar as jar_module
from labs.bench import serve
from labs.bench.jar import CookieJar
from labs.exercises.ex33 import COOKIES, REQUESTS
from labs.servers.flaws import pages

ELEMENT = "url => {{ const it = document.createElement('{0}'); {1}; document.head.append(it) }}"
SCRIPT = ELEMENT.format("script", "it.src = url")
STYLE = ELEMENT.format("link", "[it.rel, it.href] = ['stylesheet', url]")
REFRESH = ELEMENT.format("meta", "[it.httpEquiv, it.content] = ['refresh', '0; url=' + url]")
BEACON = "url => { navigator.sendBeacon(url, 'fern') }"
FORM = """url => { const form = document.createElement('form');
  [form.action, form.method, form.target] = [url, '%s', '%s'];
  document.body.append(form); form.submit() }"""
FRAME = "url => { const it = document.createElement('iframe'); %s; document.body.append(it); %s }"
INNER = "<img alt=''><script>document.images[0].src = location.search.slice(1)</script>"
# name -> (the page's host, JavaScript with the address)
DONE_BY = {
    "mallory, form by GET": (ANOTHER, FORM % ("GET", "")),
    "mallory, new tab": (ANOTHER, "url => { window.open(url) }"),
    "mallory, refresh": (ANOTHER, REFRESH),
    "mallory, script": (ANOTHER, SCRIPT),
    "mallory, style": (ANOTHER, STYLE),
    "mallory, beacon": (ANOTHER, BEACON),
    "mallory, form into a frame": (ANOTHER, FRAME % ("it.name = 'sink'", f"({FORM % ('POST', 'sink')})(url)")),
    "sibling, in a frame": (ANOTHER, FRAME % ("it.src = SIBLING + '?' + url", "0")),
    "sibling, form by GET": (SIBLING, FORM % ("GET", "")),
    "sibling, script": (SIBLING, SCRIPT),
    "sibling, style": (SIBLING, STYLE),
    "sibling, beacon": (SIBLING, BEACON),
    "bookmark": (None, ""),
    "reload": ("app", "url => { location.reload() }"),
    "own, omit": ("app", "url => { fetch(url, {credentials: 'omit'}) }"),
    "own, to api": ("app", "url => { new Image().src = url.replace('app.', 'api.') }"),
}


def test_every_request_is_done_but_the_one_that_takes_minutes():
    assert set(REQUESTS) - set(DONE_BY) == {"mallory, form after a break"}


@pytest.fixture(scope="module")
def bench(browser_part):
    """A server that gives the four cookies, Mallory's site, and the browser."""
    with serve(pages.cookies()) as site, Trap() as trap:
        yield site, trap, browser_part


@pytest.mark.parametrize("name", DONE_BY)
def test_what_goes_along_is_what_chromium_sends(bench, name):
    site, trap, browser = bench
    ana = browser.person("ana")  # a fresh window, without what an earlier case left open
    ana.goto(f"{site.page}/set")
    host, script = DONE_BY[name]
    path = f"/seen/{[*DONE_BY].index(name)}"
    url = site.page + path
    inner = trap.put("/inner", INNER, SIBLING)
    if name == "bookmark":
        ana.goto(url)
    else:
        ana.goto(url if name == "reload" else f"{site.page}/" if host == "app" else f"{trap.origin(host)}/")
        before = len(site.log)
        ana.evaluate(f"({script.replace('SIBLING', repr(inner))})('{url}')")
        assert eventually(lambda: any(one.path.partition("?")[0] == path for one in site.log[before:]), 10)
    arrived = [one for one in site.log if one.path.partition("?")[0] == path][-1]
    header = dict(arrived.request_headers).get("Cookie", "")
    assert {pair.partition("=")[0] for pair in header.split("; ")} & set(COOKIES) == REQUESTS[name][1]


def test_after_three_minutes_unset_is_lax():
    """By the jar, which is held against Chromium; in Chromium itself it was measured once, and is in data/."""
    jar, page = CookieJar(), "http://app.fernbank.localhost:1/seen"
    for name, attribute in pages.ATTRIBUTES.items():
        jar.store(f"{name}=1; Path=/; Secure{attribute}", page)
    for cookie in jar.records():
        cookie.created = time.time() - 180
    assert jar_module.LAX_GRACE < 180
    header = jar.header(page, initiator=f"http://{ANOTHER}:2/", method="POST")
    assert {pair.partition("=")[0] for pair in header.split("; ")} == REQUESTS["mallory, form after a break"][1]
