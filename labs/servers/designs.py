"""Format, transport and state as three independent choices: one service, in each of the eight designs they make."""

import hashlib
import json
import secrets
import time
from collections.abc import Callable
from typing import Any, Literal

from flask import Response, request

from labs.auth import tokens
from labs.auth.cookies import SessionCookie
from labs.auth.keys import KeySet, generate
from labs.auth.token_errors import Expired, Malformed, TokenRefused
from labs.auth.vault import CannotOpen, seal, unseal
from labs.servers.accounts import accounts
from labs.servers.answers import answer
from labs.servers.books import Books
from labs.servers.business import LONGEST_NAME, LONGEST_PASSWORD, prove, write_down
from labs.servers.forms import fields, text
from labs.servers.office import Office

__all__ = ["COOKIE", "design"]

# SameSite=None is what a cookie needs that goes to another site. What Strict and Lax change: lesson 33.
COOKIE = SessionCookie("credential", secure=True, http_only=True, samesite="None")
LIFETIME = 900  # seconds


def design(
    format: Literal["opaque", "jwt"],
    transport: Literal["cookie", "header"],
    state: Literal["record", "none"],
    *,
    books: Books | None = None,
    clock: Callable[[], float] = time.time,
) -> Office:
    """Open accounts with one kind of credential, and with POST /login and /logout of its own.

    `format`: what the credential looks like: encrypted, or a signed JWT. `transport`: a cookie, which the browser
    adds by itself and script cannot read, or a header, which a script must set. `state`: whether a record of each
    log-in is kept and looked up at each request, or the credential is believed until it ends.

    Two designs differ by these choices and by nothing else. `app.roles`: who is a teller by now, name -> list of
    roles; a record leads to it, while a credential without one says what was so when it was issued.
    """
    credentials = {"opaque": Opaque, "jwt": Signed}[format](clock)
    records = {"record": Records, "none": NoRecords}[state]()
    verify = lambda token: records.check(credentials.read(token), token, app.roles)  # noqa: E731
    app = accounts(books or Books(clock=clock), verify)
    app.name, app.roles, app.credentials, app.records = f"{format}, {transport}, {state}", {}, credentials, records

    @app.post("/login")
    def log_in() -> Response:
        given = fields()
        user = text(given, "username", LONGEST_NAME)
        prove(user, text(given, "password", LONGEST_PASSWORD), 401, "login")
        write_down("logged in", user, user)
        token = credentials.issue(user, app.roles.get(user, []))
        records.add(token)
        if transport == "header":
            return answer({"token": token})  # the page's script keeps it, and sets the header
        response = answer({"user": user})
        response.headers["Set-Cookie"] = COOKIE.set(token)
        return response

    @app.post("/logout")
    def log_out() -> Response:
        records.end(request.headers.get("Authorization", "").removeprefix("Bearer "))
        return answer({"user": None})

    if transport == "cookie":
        app.wsgi_app = FromCookie(app.wsgi_app)
    return app


class FromCookie:
    """In front of a service that knows the header only: the cookie's value is its token, and nothing else is."""

    def __init__(self, app: Callable) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable) -> Any:
        token = COOKIE.read(environ.get("HTTP_COOKIE"))
        others = {name: value for name, value in environ.items() if name != "HTTP_AUTHORIZATION"}
        return self._app(others | ({"HTTP_AUTHORIZATION": f"Bearer {token}"} if token else {}), start_response)


# ---- format ------------------------------------------------------------------------------------------


class Opaque:
    """Encrypted for the service itself: whoever carries it sees noise."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._key = clock, secrets.token_bytes(32)

    def issue(self, user: str, roles: list[str]) -> str:
        return seal(json.dumps({"sub": user, "roles": roles, "exp": self._clock() + LIFETIME}), self._key).hex()

    def read(self, token: str) -> dict[str, Any]:
        try:
            claims = json.loads(unseal(bytes.fromhex(token), self._key))
        except (CannotOpen, ValueError):
            raise Malformed("This is none of our credentials.") from None
        if self._clock() >= claims["exp"]:
            raise Expired("This credential has expired.")
        return claims


class Signed:
    """A JWT: whoever carries it can read it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._key = clock, generate("ES256", "http://id.fernbank.localhost")
        self._policy = tokens.Policy(self._key.issuer, "accounts", KeySet([self._key.public()]), leeway=0)

    def issue(self, user: str, roles: list[str]) -> str:
        return tokens.issue(self._key, user, "accounts", self._clock(), LIFETIME, roles=roles)

    def read(self, token: str) -> dict[str, Any]:
        return tokens.verify(token, self._policy, self._clock())


# ---- state -------------------------------------------------------------------------------------------


class Records:
    """A record of each log-in that has not been ended, under the hash of its credential."""

    def __init__(self) -> None:
        self.live: set[str] = set()

    def add(self, token: str) -> None:
        self.live.add(_hash(token))

    def end(self, token: str) -> None:
        self.live.discard(_hash(token))

    def check(self, claims: dict[str, Any], token: str, roles: dict[str, list[str]]) -> dict[str, Any]:
        if _hash(token) not in self.live:
            raise TokenRefused("This log-in has been ended.")
        return {**claims, "roles": roles.get(claims["sub"], [])}


class NoRecords:
    """Nothing is kept, so a log-out reaches nobody but the browser."""

    live: frozenset[str] = frozenset()

    def add(self, token: str) -> None: ...

    def end(self, token: str) -> None: ...

    def check(self, claims: dict[str, Any], token: str, roles: dict[str, list[str]]) -> dict[str, Any]:
        return claims


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
