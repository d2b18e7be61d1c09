"""The victim's browser: what it will do for its owner, and what another site's page makes it do.

Twice: `Victim` works out by the rules what a browser sends (cookies by RFC 6265bis, `Origin` and `Sec-Fetch-*` by
the Fetch standard); `BrowserVictim` is a real browser. Both do the same, and tests hold one against the other.
"""

import html
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from labs.bench import Exchange, Response, Site, Visitor, serve
from labs.bench.browser import Person

__all__ = ["EVIL", "MALLORY", "BrowserVictim", "Page", "Victim"]

MALLORY = "mallory.localhost"  # another site
EVIL = "evil.fernbank.localhost"  # a sibling of the bank's, where Mallory runs code
PORT = 8000  # of Mallory's pages, where no real one is served

FORM, PLAIN = "application/x-www-form-urlencoded", "text/plain"


@dataclass(frozen=True)
class Page:
    """A page of Mallory's, and what it does to the browser that opens it.

    It comes from `host` with `cookies` (Set-Cookie values), and at once sends a form to `path` at the bank (none when
    that is ""): `method` GET or POST, `fields`, `enctype`. `hides`: by `Referrer-Policy: no-referrer` the form is
    sent with `Origin: null`.
    """

    host: str = MALLORY
    path: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    method: str = "POST"
    enctype: str = FORM
    cookies: tuple[str, ...] = ()
    hides: bool = False

    @property
    def body(self) -> str:
        """The form as a browser writes it."""
        if self.enctype == PLAIN:
            return "".join(f"{name}={value}\r\n" for name, value in self.fields.items())
        return urlencode(self.fields)

    def html(self, bank: str) -> str:
        """The page itself; `bank` is the bank's address."""
        inputs = "".join(
            f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
            for name, value in self.fields.items()
        )
        head = '<meta name="referrer" content="no-referrer">' if self.hides else ""
        form = (
            f'<form method="{self.method}" action="{html.escape(bank + self.path)}" enctype="{self.enctype}">'
            f"{inputs}</form><script>onload = () => setTimeout(() => document.forms[0].submit())</script>"
        )
        return f"<!doctype html><title>Kittens</title>{head}<p>Kittens!</p>{form if self.path else ''}"


class Victim:
    """Somebody's browser at the bank, by what a browser would send.

    `metadata`: whether it sends `Sec-Fetch-*`, as browsers do since 2023 at the latest.
    """

    how = "by what a browser would send"

    def __init__(self, site: Site, name: str, visitor: Visitor | None = None, metadata: bool = True) -> None:
        self.name = name
        self.metadata = metadata
        self._site = site
        self._visitor = visitor or site.visitor(name)

    # For its owner --------------------------------------------------------------------------------

    def log_in(self) -> Response:
        """Open the log-in page, fill it in, send it."""
        return self.submit("/login", "/login", username=self.name, password=self._site.password_of(self.name))

    def log_out(self) -> Response:
        """Open a page, and press its log-out button."""
        return self.submit("/", "/logout")

    def read(self, path: str) -> Response:
        """Open an address by hand, or by a bookmark."""
        return self._send("GET", path, None, None)

    def submit(self, page: str, path: str, **fields: str) -> Response:
        """Open a page of the bank, and send its form to `path`, with what the page hides in it."""
        return self.send(path, {**fields, **hidden_fields(self.read(page).text)}, at=page)

    def send(self, path: str, fields: dict[str, str], at: str = "/") -> Response:
        """Send a form of the bank's own page `at`, which has been open for a while, with just these fields."""
        return self._send("POST", path, self._visitor.host, urlencode(fields), FORM, at=at)

    def fetch(self, path: str, data: Any, headers: dict[str, str] | None = None) -> Response:
        """Have the bank's own page send JSON by script."""
        more = {**self._metadata(self._visitor.host, "cors", "empty"), **(headers or {})}
        return self._visitor.post(path, json=data, headers={"Origin": self._site.page, **more})

    # For somebody else ----------------------------------------------------------------------------

    def open(self, page: Page) -> None:
        """Open a page of Mallory's: a link in a mail, an advertisement."""
        for cookie in page.cookies:
            self._visitor.cookies.store(cookie, origin_of(page.host))
        if page.path and page.method == "GET":
            self._send("GET", f"{page.path}?{page.body}", page.host, None, hides=page.hides)
        elif page.path:
            self._send("POST", page.path, page.host, page.body, page.enctype, hides=page.hides)

    def without_https(self, path: str = "/") -> Exchange:
        """Type the bank's address without https, in a café: the exchange, as everybody in the air reads it."""
        cookies = [f"{one.name}={one.value}" for one in self._visitor.cookies.records() if not one.secure]
        return self._sent("GET", path, {"Cookie": "; ".join(cookies)}, None).exchange

    def copied(self) -> dict[str, str]:
        """The cookies, as somebody reads them who sits at this keyboard for a moment."""
        return dict(self._visitor.cookies)

    # What is sent ---------------------------------------------------------------------------------

    def _send(
        self,
        method: str,
        path: str,
        page: str | None,
        body: str | None,
        type: str = "",
        hides: bool = False,
        at: str = "/",
    ) -> Response:
        """Navigate. `page`: the host whose page causes it, None when its owner typed the address; `at`: its path."""
        headers = {"Accept": "text/html,*/*;q=0.8", "Content-Type": type}
        headers |= self._metadata(page, "navigate", "document")
        origin = self._site.page if page == self._visitor.host else page and origin_of(page)
        if method == "POST":
            headers["Origin"] = "null" if hides else origin
        if origin and not hides:
            # Another origin hears of no path: strict-origin-when-cross-origin is what browsers do by themselves.
            headers["Referer"] = f"{origin}{at if page == self._visitor.host else '/'}"
        cookie = self._visitor.cookies.header(self._visitor.url_of(path), initiator=origin, method=method)
        return self._sent(method, path, {**headers, "Cookie": cookie}, body)

    def _sent(self, method: str, path: str, headers: dict[str, str | None], body: str | None) -> Response:
        empty = Visitor(self._site, self.name, self._visitor.host)  # its jar is empty: which cookies go, is decided
        response = empty.request(method, path, headers={k: v for k, v in headers.items() if v}, body=body)
        for cookie in response.set_cookies:
            self._visitor.cookies.store(cookie, response.url)
        return response

    def _metadata(self, page: str | None, mode: str, dest: str) -> dict[str, str]:
        if not self.metadata:
            return {}
        relation = {None: "none", self._visitor.host: "same-origin", EVIL: "same-site"}.get(page, "cross-site")
        return {"Sec-Fetch-Site": relation, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}


class BrowserVictim:
    """Somebody at the bank with a real browser (`labs.bench.browser().person(name)`)."""

    how = "in a real browser"

    def __init__(self, site: Site, person: Person) -> None:
        self.name = person.name
        self._site, self._person = site, person

    def log_in(self) -> None:
        """Open the log-in page, fill it in, send it."""
        self.submit("/login", "/login", username=self.name, password=self._site.password_of(self.name))

    def log_out(self) -> None:
        """Open a page, and press its log-out button."""
        self.submit("/", "/logout")

    def read(self, path: str) -> None:
        """Open an address by hand."""
        self._person.goto(self._site.page + path)

    def submit(self, page: str, path: str, **fields: str) -> None:
        """Open a page of the bank, fill in its form to `path`, and send it; nothing when it has none."""
        self.read(page)
        form = f'form[action="{path}"]'
        if not self._person.evaluate(f"!!document.querySelector('{form}')"):
            return
        for name, value in fields.items():
            self._person.evaluate(f"document.querySelector('{form} [name={name}]').value = {json.dumps(value)}")
        self._person.evaluate("window.waiting = true")
        self._person.click(f"{form} button")
        self._person.wait_until("!window.waiting && document.readyState == 'complete'")

    def open(self, page: Page) -> None:
        """Open a page of Mallory's, which is served for as long as that takes."""
        with serve(kittens(page, self._site.page), name="mallory's page") as site:
            self._person.goto(f"http://{page.host}:{site.port}/")
            if page.path:
                at_the_bank = f"location.origin == '{self._site.page}'"
                self._person.wait_until(f"{at_the_bank} && document.readyState == 'complete'")

    def copied(self) -> dict[str, str]:
        """The cookies, as somebody reads them who sits at this keyboard for a moment."""
        return {cookie["name"]: cookie["value"] for cookie in self._person.cookies()}


def kittens(page: Page, bank: str) -> Callable:
    """Mallory's server: a WSGI app with one page."""
    text = page.html(bank).encode()

    def app(environ: dict, start_response: Callable) -> list[bytes]:
        headers = [("Content-Type", "text/html; charset=utf-8"), *(("Set-Cookie", one) for one in page.cookies)]
        start_response("200 OK", headers if environ["PATH_INFO"] == "/" else headers[:1])
        return [text]

    return app


def hidden_fields(page: str) -> dict[str, str]:
    """What the first form of a page carries along unseen."""
    found = re.search(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    return {html.unescape(found[1]): html.unescape(found[2])} if found else {}


def origin_of(host: str) -> str:
    """The origin of a page of Mallory's that nobody serves."""
    return f"http://{host}:{PORT}"
