"""A page of one origin in a browser without a screen: what it may send and what it may read (Fetch, CORS, CSP).

It does as a browser does, and tests hold it against Chromium; but it remembers no preflight, and asks each time. What
it sends is real HTTP, from a jar that it shares with whoever's browser it is.
"""

import json as json_text
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .csp import Policy
from .jar import CookieJar
from .visitor import Response, Visitor, encoded

__all__ = ["Fetched", "Page"]

SAFELISTED = ("GET", "HEAD", "POST")  # methods that need no preflight by themselves (Fetch §2.2.1)
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")  # nor these types (§2.2.2)


@dataclass(frozen=True)
class Fetched:
    """What became of a fetch. `response`: the answer that the server gave, None when the request was never sent.

    `readable`: whether the page's script may read it. `why`: what stopped it, as a sentence, or "".
    """

    response: Response | None
    readable: bool
    why: str = ""


class Page:
    """A page of `origin` in somebody's browser: `jar` holds their cookies; the site's record calls them `person`."""

    def __init__(self, site, origin: str, jar: CookieJar, person: str, policy: Policy | None = None) -> None:
        self.site, self.origin, self.jar, self.person = site, origin, jar, person
        self.policy = policy or Policy([], origin)

    def fetch(self, method: str, url: str, json: Any = None, credentials: bool = True) -> Fetched:
        """Send what a script's fetch(url, {method, credentials: "include"}) sends; `json` is its body.

        `credentials` False stands for "omit". Cookies in the answer are kept, readable or not.
        """
        if not self.policy.connects(url):
            return Fetched(None, False, "the page's Content-Security-Policy lets it connect to no such address")
        content_type = None if json is None else "application/json"
        foreign = origin_of(url) != self.origin
        if foreign and (method not in SAFELISTED or content_type):
            asked = self._preflight(method, url, content_type, credentials)
            if asked.why:
                return asked
        content = None if json is None else json_text.dumps(json)
        says_origin = foreign or method not in SAFELISTED[:2]
        response = self._send(method, url, content, content_type, credentials, says_origin)
        why = refusal(response, self.origin, credentials) if foreign else ""
        return Fetched(response, not why, why)

    def submit(self, url: str, fields: dict[str, str], text_plain: bool = False) -> Response | None:
        """Send a form by POST, as any page can to any address; None when the page's policy stops it."""
        if not self.policy.sends_form(url):
            return None
        content_type, content = encoded(None, fields, None)
        if text_plain:
            content_type, content = "text/plain", "".join(f"{n}={v}\r\n" for n, v in fields.items()).encode()
        return self._send("POST", url, content, content_type, True, True, navigation=True)

    def _preflight(self, method: str, url: str, content_type: str | None, credentials: bool) -> Fetched:
        """Ask first whether the server wants such a request (Fetch §4.8): no cookies, no body."""
        asks = {"Access-Control-Request-Method": method}
        if content_type:
            asks["Access-Control-Request-Headers"] = "content-type"
        response = self._send("OPTIONS", url, None, None, False, True, extra=asks)
        why = refusal(response, self.origin, credentials)
        if not why and not 200 <= response.status < 300:
            why = f"the preflight was answered {response.status}, and not with success"
        methods, headers = (listed(response, f"Access-Control-Allow-{what}") for what in ("Methods", "Headers"))
        wild = not credentials  # with credentials * is a name like any other (Fetch §3.2.5)
        if not why and method not in (*SAFELISTED, *methods) and not (wild and "*" in methods):
            why = f"the preflight's answer allows no {method}"
        named = [one.lower() for one in headers]
        if not why and content_type and "content-type" not in named and not (wild and "*" in named):
            why = "the preflight's answer allows no Content-Type header, so no JSON"
        return Fetched(None, False, why)

    def _send(self, method, url, content, content_type, credentials, with_origin, navigation=False, extra=None):
        to = urlsplit(url)
        visitor = Visitor(self.site, self.person, to.hostname)
        headers = dict(extra or {})
        if with_origin:
            headers["Origin"] = self.origin
        if content_type:
            headers["Content-Type"] = content_type
        cookies = self.jar.header(url, initiator=self.origin, method=method, navigation=navigation)
        if credentials and cookies:
            headers["Cookie"] = cookies
        path = to._replace(scheme="", netloc="", fragment="").geturl() or "/"
        response = visitor.request(method, path, headers=headers, body=content)
        if credentials:
            for value in response.set_cookies:
                self.jar.store(value, url)
        return response


def refusal(response: Response, origin: str, credentials: bool) -> str:
    """Why a page of `origin` may not read this answer (the CORS check, Fetch §4.10), or ""."""
    allowed = ", ".join(response.headers.get_all("Access-Control-Allow-Origin", []))
    if allowed == "*" and not credentials:
        return ""
    if allowed != origin:
        return f"Access-Control-Allow-Origin is {allowed or 'missing'}, and the page is of {origin}"
    said = ", ".join(response.headers.get_all("Access-Control-Allow-Credentials", []))
    if credentials and said != "true":
        return f"Access-Control-Allow-Credentials is {said or 'missing'}, and the request carries cookies"
    return ""


def listed(response: Response, name: str) -> list[str]:
    """The words of a header that is a list."""
    words = ",".join(response.headers.get_all(name, [])).split(",")
    return [word.strip() for word in words if word.strip()]


def origin_of(url: str) -> str:
    """The origin of an address: scheme, host and port."""
    to = urlsplit(url)
    return f"{to.scheme}://{to.netloc}"
