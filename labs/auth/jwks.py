"""Public keys over HTTP: what an issuer publishes (RFC 7517 §5), and a client that fetches it as seldom as it can."""

import http.client
import ipaddress
import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from labs.auth.keys import Key, from_jwk, jwk_of
from labs.auth.token_errors import KeysUnavailable, UnknownKey

__all__ = ["JwksClient", "fetch_from", "publish"]

LARGEST = 65_536
"""Bytes of a key set that are read. An RSA key takes about 450 of them."""

MOST = 100
"""Keys of a set that are read: each costs a computation, and nobody signs with more."""


def publish(keys: Iterable[Key]) -> dict[str, list[dict[str, str]]]:
    """Return the JWK Set of the public halves of `keys`. Raises ValueError for HS256, which has none."""
    return {"keys": [jwk_of(key) for key in keys]}


# ---- Over HTTP -----------------------------------------------------------------------------------


def fetch_from(url: str, timeout: float = 2) -> Callable[[], dict[str, Any]]:
    """Return a function that gets the JSON at `url`, in about `timeout` seconds. It raises OSError or ValueError.

    ValueError at once for an address that is neither https nor on this machine: whoever sits on the way could
    put keys of their own into the answer. For the same reason no redirect is followed, and no proxy is used.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(parts.hostname or "")):
        raise ValueError(f"Keys are fetched over https, or over http from this machine, and not from {url!r}.")
    opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))

    def fetch() -> dict[str, Any]:
        deadline = time.monotonic() + timeout
        try:
            with opener.open(url, timeout=timeout) as answer:
                return json.loads(_body(answer, deadline))
        except (http.client.HTTPException, RecursionError) as error:
            raise ValueError(f"The answer of {url} cannot be read: {error!r}.") from error

    return fetch


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")  # RFC 6761 §6.3


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *about: Any) -> None:
        return None


def _body(answer: http.client.HTTPResponse, deadline: float) -> bytes:
    """The body, in bounded size and time: `timeout` alone bounds only each wait, and a drip is many waits."""
    body = b""
    while part := answer.read1(LARGEST):
        body += part
        if len(body) > LARGEST:
            raise ValueError(f"A key set of more than {LARGEST:,} bytes is not read.")
        if time.monotonic() > deadline:
            raise TimeoutError("The key set did not arrive in time.")
    return body


# ---- The client ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Answer:
    """What the issuer last answered, and when it was asked for it. One object, so that it changes all at once."""

    keys: dict[str, Key]
    fetched_at: float


class JwksClient:
    """The keys of one issuer, fetched when they are needed and kept for `lifetime` seconds (`labs.auth.tokens.Keys`).

    - `fetch()` returns the issuer's JWK Set, already read from JSON: `fetch_from(url)`, or anything else.
    - `lifetime`: an emergency removal is noticed that late. Not longer than the issuer announces a new key before
      it signs, or honest tokens are refused for a moment.
    - `cooldown`: no two fetches begin within it, so that a flood of made-up `kid` is no flood of fetches. It also
      delays a key that signs at once; a planned rotation never waits for it.
    - `stale_for`: while the issuer does not answer, its last answer goes on that much longer. It is a choice: a
      removed key lives on as well, for whoever can keep us from the issuer.

    Times are in seconds; `clock` gives seconds since 1970. Threads may share a client: one of them fetches.
    """

    def __init__(
        self,
        issuer: str,
        fetch: Callable[[], dict[str, Any]],
        *,
        lifetime: float = 300,
        cooldown: float = 30,
        stale_for: float = 3600,
        clock: Callable[[], float] = time.time,
    ):
        if cooldown > lifetime:
            raise ValueError("A cooldown that is longer than the lifetime would keep keys for longer than that.")
        self.issuer = issuer
        self.fetches = 0  # how often the issuer was asked
        self._fetch, self._clock = fetch, clock
        self._lifetime, self._cooldown, self._stale_for = lifetime, cooldown, stale_for
        self._answer = _Answer({}, float("-inf"))
        self._asked_at = float("-inf")
        self._answered = False  # the last time it was asked
        self._lock = threading.Lock()  # held by the one who fetches

    def find(self, kid: str, issuer: str) -> Key:
        """Return the key. Raises UnknownKey; KeysUnavailable when the issuer did not say whether there is one."""
        if issuer != self.issuer:
            raise UnknownKey("No key of this issuer is known here.")
        return self._known(kid, self._lifetime) or self._find_anew(kid)

    def _find_anew(self, kid: str) -> Key:
        usable = self._lifetime + self._stale_for
        # Whoever has a key to go on with does not wait for the one who fetches; the others need the answer.
        if self._lock.acquire(blocking=self._known(kid, usable) is None):
            try:
                # Somebody else may have asked while we waited.
                if self._known(kid, self._lifetime) is None and self._since(self._asked_at) >= self._cooldown:
                    self._ask()
            finally:
                self._lock.release()
        if (key := self._known(kid, usable)) is not None:
            return key
        if self._answered:
            raise UnknownKey("No key with this kid is published.")
        raise KeysUnavailable("The keys of the issuer cannot be fetched right now.")

    def _known(self, kid: str, within: float) -> Key | None:
        """The key, if the issuer's last answer has it and is not older than `within`."""
        answer = self._answer
        return answer.keys.get(kid) if self._since(answer.fetched_at) < within else None

    def _since(self, then: float) -> float:
        # Without a sign: a clock that was set back far must not stop the fetches until it has caught up.
        return abs(self._clock() - then)

    def _ask(self) -> None:
        """Ask the issuer. An answer that cannot be read changes nothing: what was known goes on."""
        self._asked_at = asked_at = self._clock()
        self.fetches += 1
        try:
            self._answer = _Answer(_read(self._fetch(), self.issuer), asked_at)
            self._answered = True
        except Exception:  # whatever `fetch` raises, and whatever it returns: the issuer did not answer
            self._answered = False


def _read(answer: dict[str, Any], issuer: str) -> dict[str, Key]:
    """The keys of a JWK Set, by `kid`; those that cannot be used are left out (RFC 7517 §5).

    Raises when it is no JWK Set, or a huge one. An empty one is an answer: no key is valid any more.
    """
    jwks = answer["keys"]
    if not isinstance(jwks, list) or len(jwks) > MOST:
        raise ValueError(f"A JWK Set is a list of at most {MOST} keys.")
    keys: dict[str, Key] = {}
    for jwk in jwks:
        try:
            key = from_jwk(jwk, issuer)
        except ValueError:
            continue
        if key.alg != "HS256":  # a secret that is published is none
            keys.setdefault(key.kid, key)
    return keys
