"""A backend-for-frontend: it holds the tokens, and the browser gets a cookie and never a token (RFC 10017 §6.1)."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from flask import Response, request

from labs.auth.cookies import SessionCookie
from labs.bench import BenchError, Site
from labs.bench import Response as Answer
from labs.servers.answers import Refusal, answer
from labs.servers.business import LONGEST_NAME, LONGEST_PASSWORD
from labs.servers.client_page import serve_page
from labs.servers.desk import Cookie, Desk, Mechanism
from labs.servers.forms import fields, text
from labs.servers.office import Office

__all__ = ["Bff", "HEADER", "bff"]

HEADER = "X-Fernbank"
"""Every call carries it. A form or a link of another page cannot, and no script there is allowed to (CORS)."""

CLIENT = "bff"  # what it is called at identity
FOOT = "Fernbank is a lab. This page holds no token: its server does, and the browser has the cookie of a session."


class Bff(Office):
    """The Flask app of the backend. `clock`: seconds since 1970."""

    challenge = 'Cookie realm="Fernbank"'

    def __init__(
        self, identity: Site, accounts: Site, sessions: Mechanism, cookie: Cookie, clock: Callable[[], float]
    ) -> None:
        super().__init__("bff")
        self.identity, self.accounts, self.clock = identity, accounts, clock
        self.desk = Desk(sessions, cookie, knows=lambda user: True)  # identity knows who is a customer
        self.after_request(self.desk.set_cookie)
        self.post("/login")(self.log_in)
        self.post("/logout")(self.log_out)
        self.route("/api/<path:path>", methods=["GET", "POST"])(self.forward)
        serve_page(self, "bff.js", "Backend for frontend", FOOT)

    def log_in(self) -> Response:
        """POST /login: as at identity, whose tokens stay here."""
        _from_our_page()
        given = fields()
        user, password = text(given, "username", LONGEST_NAME), text(given, "password", LONGEST_PASSWORD)
        body = {"username": user, "password": password, "client": CLIENT}
        said = _call(self.identity, "POST", "/login", json=body)
        if said.status != 200:
            return _passed_on(said)
        before = _tokens_of(self.desk.session())
        self.desk.admit(user)
        self._keep(said.json())
        self._revoke(before)  # of the log-in that this one replaces
        return answer({"user": user})

    def log_out(self) -> Response:
        """POST /logout: the session ends here, and its refresh token at identity."""
        _from_our_page()
        with self.desk.alone() as session:  # a renewal under way would leave a token that nobody revokes
            self.desk.dismiss()
            self._revoke(_tokens_of(session))
        return answer({"user": None})

    def forward(self, path: str) -> Response:
        """GET and POST /api/<path>: the same at accounts, with the token of this session."""
        _from_our_page()
        body = fields() if request.method == "POST" else None
        token = self._access_token()
        said = self._ask_accounts(path, body, token)
        if said.status == 401:
            token = self._access_token(refused=token)
            said = self._ask_accounts(path, body, token)  # once more, and not again
        return _passed_on(said)

    # ---- tokens --------------------------------------------------------------------------------------

    def _access_token(self, refused: str | None = None) -> str:
        """An access token that is neither at its end nor the one that was refused. Raises Refusal (401)."""
        tokens = _known(self.desk.session())
        if self._will_do(tokens, refused):
            return tokens["access_token"]
        with self.desk.alone() as session:  # all who wait here find what the first one got
            tokens = _known(session)
            return tokens["access_token"] if self._will_do(tokens, refused) else self._renewed(tokens)

    def _will_do(self, tokens: dict[str, Any], refused: str | None) -> bool:
        return tokens["access_token"] != refused and self.clock() < tokens["due_at"]

    def _renewed(self, tokens: dict[str, Any]) -> str:
        body = {"refresh_token": tokens["refresh_token"], "client": CLIENT}
        said = _call(self.identity, "POST", "/refresh", json=body)
        if said.status == 400:  # RFC 6749 §5.2: invalid_grant. Only this logs out: an outage logs out nobody
            self.desk.dismiss()
            raise _logged_out()
        if said.status != 200:
            raise Refusal(503, "Your log-in cannot be renewed right now: try again.", headers={"Retry-After": "5"})
        return self._keep(said.json())

    def _keep(self, given: dict[str, Any]) -> str:
        """Put the tokens that identity gave into the session; give the access token. Raises Refusal (401)."""
        tokens = {name: given[name] for name in ("access_token", "refresh_token")}
        tokens["due_at"] = self.clock() + given["expires_in"]
        if not self.desk.keep({"tokens": tokens}):  # it ended meanwhile
            self._revoke(tokens)
            raise _logged_out()
        return tokens["access_token"]

    def _revoke(self, tokens: dict[str, Any] | None) -> None:
        """End these at identity. The session here has ended in any case, so an outage there is no failure."""
        try:
            if tokens is not None:
                _call(self.identity, "POST", "/revoke", json={"refresh_token": tokens["refresh_token"]})
        except Refusal:
            return

    def _ask_accounts(self, path: str, body: dict[str, Any] | None, token: str) -> Answer:
        target = "/" + quote(path, safe="/~")
        if request.query_string:
            target += "?" + quote(request.query_string, safe="%=&+")
        return _call(self.accounts, request.method, target, json=body, headers={"Authorization": f"Bearer {token}"})


def bff(
    identity: Site,
    accounts: Site,
    sessions: Mechanism,
    cookie: Cookie | None = None,
    *,
    clock: Callable[[], float] = time.time,
) -> Bff:
    """Open a backend in front of two running services; it keeps tokens in `sessions`, as a bank keeps baskets.

    `cookie`: default the one that RFC 10017 §6.1 wants, host-only, HttpOnly, SameSite=Strict, and named so that
    no script and no sibling can have set it (browsers that do not know `__Host-Http-` enforce `__Host-`).

    It renews a token when its time is over, and when accounts refuses it: one renewal a session, however many
    requests wait for it. That holds within one process; several would need a lock in the store.
    """
    cookie = cookie or SessionCookie("__Host-Http-sid", samesite="Strict")
    return Bff(identity, accounts, sessions, cookie, clock)


def _from_our_page() -> None:
    """Raise Refusal (403) for a request that a page of ours cannot have sent."""
    if HEADER not in request.headers:
        raise Refusal(403, f"Send the header {HEADER}: 1, which other sites' pages cannot send.")


def _tokens_of(session: dict | None) -> dict[str, Any] | None:
    tokens = session["data"].get("tokens") if session else None
    kinds = {"access_token": str, "refresh_token": str, "due_at": int | float}
    known = isinstance(tokens, dict) and all(isinstance(tokens.get(name), kind) for name, kind in kinds.items())
    return tokens if known else None


def _known(session: dict | None) -> dict[str, Any]:
    tokens = _tokens_of(session)
    if tokens is None:
        raise Refusal(401, "You are not logged in: log in first.")
    return tokens


def _logged_out() -> Refusal:
    return Refusal(401, "Your log-in has ended: log in again.")


def _call(site: Site, method: str, path: str, **options: Any) -> Answer:
    """Ask a service, in the name of the person who asks us. Raises Refusal (502) when it does not answer."""
    person = request.environ.get("fernbank.person") or "someone"
    try:
        return site.visitor(person).request(method, path, **options)
    except BenchError:
        headers = {"Retry-After": "5"}
        raise Refusal(502, f"Fernbank's {site.name} does not answer: try again.", headers=headers) from None


def _passed_on(said: Answer) -> Response:
    """A service's answer as ours. Of its headers the type counts: its challenge is not for the browser."""
    response = Response(said.body, said.status, mimetype=said.headers.get_content_type())
    response.headers["Cache-Control"] = "no-store"
    if said.status == 401:
        response.headers["WWW-Authenticate"] = Bff.challenge
    return response
