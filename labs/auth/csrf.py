"""Was it meant? Three ways to tell a request of the site's own pages from one that another page forged (CSRF).

A bank asks one of these, its guard, about every request. What it tells about one is plain data:

- `method`; `changes`: whether it changes something, which the route decides and not the method;
- `headers`: a dict; `fields`: those of the body and of the query, a dict.

`token` gives what the site's own pages carry along, in a field or in a header, and None where nothing is needed. It
is told the headers of the request for the page.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypedDict

from labs.auth.stores import Store

__all__ = ["FIELD", "HEADER", "BoundDoubleSubmit", "FetchMetadata", "Request", "SynchronizerTokens", "allow", "given"]

FIELD, HEADER = "csrf", "X-Csrf-Token"
SAFE = ("GET", "HEAD", "OPTIONS")  # RFC 9110 §9.2.1, without TRACE, which no browser sends


class Request(TypedDict):
    """What a guard is told."""

    method: str
    changes: bool
    headers: Mapping[str, str]
    fields: Mapping[str, Any]


def given(request: Request) -> str | None:
    """The token that came along: in the header, which only the site's own script can write, or in the field."""
    headers = {name.lower(): value for name, value in request["headers"].items()}
    token = headers.get(HEADER.lower(), request["fields"].get(FIELD))
    return token if isinstance(token, str) and token else None  # an empty token equals an empty token


class SynchronizerTokens:
    """A random token for each session, kept at the server (ASVS 5.0 3.5.1).

    It is bound to the session's *id*, so a log-in, which renews the id, renews the token with it: one that somebody
    saw before the log-in is worth nothing after it. Two tabs share one. May raise StoreDown.
    """

    def __init__(self, store: Store, *, lifetime: float = 28800, clock: Callable[[], float] = time.time) -> None:
        self._store, self._lifetime, self._clock = store, lifetime, clock

    def token(self, id: str, headers: Mapping[str, str]) -> str:
        """The token of the session `id`, which must be live: whoever calls this has looked it up."""
        key = _key(id)
        record = self._store.get(key)
        if record is None:
            record = {"token": secrets.token_urlsafe(32), "expires_at": self._clock() + self._lifetime}
            if not self._store.add(key, record):  # another tab was faster: both show its token
                record = self._store.get(key) or record
        return record["token"]

    def cookie(self, token: str) -> str | None:
        """None: it needs no cookie."""
        return None

    def allows(self, request: Request, id: str | None) -> bool:
        """Whether a request with this session id was meant."""
        if not request["changes"]:
            return True
        token, record = given(request), None if id is None else self._store.get(_key(id))
        return token is not None and record is not None and same(token, record["token"])


class BoundDoubleSubmit:
    """A token that the server signs and does not keep: `rand.HMAC(key, session id, rand)`, in a cookie and a field.

    Bound to the session, so a pair that Mallory got for her own session is no pair for Ana's. When she can plant
    *both* of her cookies it is: so both are `__Host-` (OWASP's cheat sheet on CSRF, signed double submit).
    """

    def __init__(self, key: bytes, name: str = "__Host-csrf") -> None:
        if len(key) < 32:
            raise ValueError("The key needs 32 bytes (RFC 2104 §3): secrets.token_bytes(32).")
        self._key, self.name = key, name

    def token(self, id: str, headers: Mapping[str, str]) -> str:
        """The token of the session `id`: the one in the cookie, so that two tabs share it, or a fresh one."""
        kept = cookie_named(self.name, headers)
        if kept is not None and self._signed(id, kept):
            return kept
        rand = secrets.token_urlsafe(16)
        return f"{rand}.{self._sign(id, rand)}"

    def cookie(self, token: str) -> str | None:
        """The Set-Cookie value that gives the browser its half. Not HttpOnly: the site's script reads it."""
        return f"{self.name}={token}; Path=/; Secure; SameSite=Strict"

    def allows(self, request: Request, id: str | None) -> bool:
        """Whether a request with this session id was meant."""
        if not request["changes"]:
            return True
        token, twin = given(request), cookie_named(self.name, request["headers"])
        if id is None or token is None or twin is None:
            return False
        return same(token, twin) and self._signed(id, token)

    def _signed(self, id: str, token: str) -> bool:
        rand, _, signature = token.partition(".")
        return same(signature, self._sign(id, rand))

    def _sign(self, id: str, rand: str) -> str:
        # With the length: or "ab" + "c" would be signed as "a" + "bc" is.
        text = f"{len(id)}|{id}|{len(rand)}|{rand}"
        return hmac.new(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


class FetchMetadata:
    """No token: what the browser itself says about where a request comes from (`allow`).

    `origins` may be filled later, by who learns the site's address only when it is served.
    """

    def __init__(self, origins: Collection[str], *, siblings: Collection[str] = (), absent: bool = False) -> None:
        self._config = {"origins": origins, "siblings": siblings, "absent": absent}

    def token(self, id: str, headers: Mapping[str, str]) -> None:
        """None: the pages carry nothing."""

    def cookie(self, token: str) -> None:
        """None: it needs no cookie."""

    def allows(self, request: Request, id: str | None) -> bool:
        """Whether a request was meant; whose session it is does not matter."""
        return allow(request["method"], request["headers"], {**self._config, "changes": request["changes"]})


def allow(method: str, headers: Mapping[str, str], config: Mapping[str, Any]) -> bool:
    """Decide by `Sec-Fetch-Site`, and by `Origin` where that is missing.

    `config`: `origins`, the site's own (never taken from `Host`, which a proxy may change); `siblings`, other origins
    whose pages may send forms here; `absent`, whether what carries neither header may change something, as programs
    do that are no browsers; `changes`, whether this address changes something whatever the method.
    """
    sent = {name.lower(): value for name, value in headers.items()}
    site, origin = sent.get("sec-fetch-site"), sent.get("origin")
    if method not in SAFE or config["changes"]:
        trusted = origin in config["origins"] or origin in config["siblings"]  # "null" is in neither
        if site is None:
            return config["absent"] if origin is None else trusted
        # `none`, typed or from a bookmark, is no: nobody types a POST, and a change by GET is a trap for bookmarks.
        return site == "same-origin" or (site == "same-site" and trusted)
    if site in (None, "same-origin", "none"):
        return True
    # A link from elsewhere, or a form that only asks: the page is shown to its owner, and to nobody else.
    return sent.get("sec-fetch-mode") == "navigate" and sent.get("sec-fetch-dest") == "document"


def same(one: str, other: str) -> bool:
    """Compare in constant time; as bytes, since `compare_digest` raises for text beyond ASCII."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def cookie_named(name: str, headers: Mapping[str, str]) -> str | None:
    """The value of a cookie in the request; the first counts, as for the session's own."""
    sent = next((value for header, value in headers.items() if header.lower() == "cookie"), "")
    for pair in sent.split(";"):
        found, _, value = pair.strip(" \t").partition("=")
        if found == name:
            return value
    return None


def _key(id: str) -> str:
    """Where the token of a session is kept; hashed, so that the store holds no id to present."""
    return "csrf:" + hashlib.sha256(id.encode("utf-8", "surrogatepass")).hexdigest()
