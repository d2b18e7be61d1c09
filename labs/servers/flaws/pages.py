"""Fernbank online: one page with a script, a notice board that a script can get into, and a choice of where the
credential lives.

Each flaw is an argument beside its fix, and two banks differ by that argument alone:

| argument | vulnerable | fixed |
|---|---|---|
| `place` | `LocalStorage()`: any script of the page reads the token | `SessionCookie(...)`: HttpOnly |
| `board` | `raw`: a notice is part of the page | `escaped` |
| `cookie.samesite` | `"None"`: other sites' requests carry it | `"Lax"`, `"Strict"` |
| `cookie.domain` | the whole site gets it, and every host of it can set it | None, and `__Host-` in the name |
| `origins` | `anybody`: whichever page asks may read | `exactly(...)` |
| `policy` | None | a Content-Security-Policy |
"""

import json
import secrets
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, g, request
from markupsafe import Markup, escape

from labs.auth import tokens
from labs.auth.cookies import SessionCookie
from labs.auth.keys import KeySet, generate
from labs.auth.token_errors import TokenRefused
from labs.servers.answers import done
from labs.servers.bank import Bank
from labs.servers.books import Books
from labs.servers.forms import fields, text

__all__ = ["LocalStorage", "Tokens", "anybody", "cookies", "escaped", "exactly", "online", "raw"]

LONGEST_NOTICE = 2_000  # characters: Mallory writes long ones
LIFETIME = 900  # seconds of a token


# ---- where the credential lives ----------------------------------------------------------------------


class Tokens:
    """Sessions that are JWTs: no record of any, so a log-out reaches the browser only.

    What is kept is one number a user, their version (`ver`): to log out everywhere raises it, and all tokens with
    another end (ASVS 5.0 7.4.2).
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock, self._key = clock, generate("ES256", "http://id.fernbank.localhost")
        self._versions: dict[str, int] = {}
        self._policy = tokens.Policy(self._key.issuer, "accounts", KeySet([self._key.public()]), leeway=0)

    def create(self, user: str | None = None, elevated: bool = False) -> str:
        version = self._versions.get(user, 0)
        return tokens.issue(self._key, user or "nobody", "accounts", self._clock(), LIFETIME, ver=version)

    def load(self, id: str) -> dict[str, Any] | None:
        try:
            claims = tokens.verify(id, self._policy, self._clock())
        except TokenRefused:
            return None
        live = claims.get("ver") == self._versions.get(claims["sub"], 0)
        return {"user": claims["sub"]} if live else None

    def save(self, id: str, data: dict) -> bool:
        return False

    def rotate(self, id: str | None, user: str, elevated: bool = False) -> str:
        return self.create(user)

    def revoke(self, id: str) -> bool:
        return False

    def revoke_all(self, user: str) -> int:
        self._versions[user] = self._versions.get(user, 0) + 1
        return 0  # nobody knows how many there were


class LocalStorage:
    """A bank's cookie policy that uses no cookie: the log-in answers with the token, and a script sets the header.

    VULNERABLE: what a script of the page stores, any script of the page reads (RFC 10017 §5). In exchange no browser
    adds the header by itself, so no other site can have it sent.
    """

    def set(self, id: str) -> str:
        return id

    def clear(self) -> str:
        return "none"

    def read(self, cookie_header: str | None) -> str | None:
        return request.headers.get("Authorization", "").removeprefix("Bearer ") or None


def hand_over(response: Response) -> Response:
    """Give the token in the answer's body, where a Set-Cookie would have been."""
    token = g.pop("set_cookie", None)
    if token and request.path == "/login" and response.status_code < 300:
        response.set_data(json.dumps({"token": token}))
    return response


# ---- what becomes of a notice ------------------------------------------------------------------------


def raw(notice: str) -> Markup:
    """The notice as it was written, tags and all."""
    return Markup(notice)  # VULNERABLE: whatever somebody wrote becomes part of the page (CWE-79, ASVS 5.0 1.2.1)


def escaped(notice: str) -> Markup:
    """The notice as text: < and > are shown and mean nothing."""
    return escape(notice)


# ---- which pages elsewhere may read ------------------------------------------------------------------


def anybody(origin: str) -> bool:
    """Every origin."""
    return True  # VULNERABLE: with credentials allowed, any site reads as the customer who visits it (CWE-942)


def exactly(*origins: str) -> Callable[[str], bool]:
    """These origins and no others, compared as a whole."""
    return origins.__contains__


def with_credentials(app: Flask, allowed: Callable[[str], bool]) -> None:
    """Let pages of allowed origins call `app` with the cookies of whoever sits at the browser (Fetch §3.2.5)."""

    def add_headers(response: Response) -> Response:
        response.vary.add("Origin")
        origin = request.headers.get("Origin")
        if origin is not None and allowed(origin):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Credentials"] = "true"
            if request.method == "OPTIONS":
                response.headers["Access-Control-Allow-Methods"] = "GET, POST"
                response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
        return response

    app.after_request(add_headers)


# ---- the bank ----------------------------------------------------------------------------------------


def online(
    place: SessionCookie | LocalStorage | None = None,
    *,
    board: Callable[[str], str] = escaped,
    origins: Callable[[str], bool] | None = None,
    policy: str | None = None,
    books: Books | None = None,
) -> Bank:
    """Open a bank with a page at /online, whose credentials are JWTs.

    `place`: where the browser keeps them (default: the course's cookie). `board`: what becomes of a notice, of which
    the board holds one, the latest: POST /board pins it, and asks nobody who they are.
    `origins`: which pages elsewhere may call the bank with cookies and read. `policy`: the page's
    Content-Security-Policy, in which {nonce} stands for a fresh one.
    """
    app = Bank(Tokens(), place or SessionCookie(), books or Books())
    app.name, board_holds = "Fernbank online", [""]
    if isinstance(place, LocalStorage):
        app.after_request(hand_over)  # registered later, it runs before the desk sets a cookie
    if origins is not None:
        with_credentials(app, origins)

    @app.get("/online")
    def page() -> Response:
        nonce = secrets.token_urlsafe(16)
        response = Response(PAGE.format(nonce=nonce, notice=board(board_holds[0])), mimetype="text/html")
        if policy is not None:
            response.headers["Content-Security-Policy"] = policy.replace("{nonce}", nonce)
        return response

    @app.post("/board")
    def pin() -> Response:
        board_holds[0] = text(fields(), "text", LONGEST_NOTICE, lines=True)
        return done({"notice": board_holds[0]}, "/online", status=201)

    @app.get("/online.js")
    def script() -> Response:
        return Response(SCRIPT, mimetype="text/javascript")

    return app


PAGE = Markup("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Fernbank online</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css">
<script src="/online.js" nonce="{nonce}" defer></script>
</head>
<body>
<main>
<h1>Fernbank online</h1>
<p id="account" role="status"></p>
<form id="login" class="card">
  <label for="username">Name</label>
  <input id="username" required maxlength="64" autocomplete="username">
  <label for="password">Password</label>
  <input id="password" type="password" required maxlength="256" autocomplete="current-password">
  <button>Log in</button>
</form>
<h2>Notice board</h2>
<div id="board">{notice}</div>
</main>
</body>
</html>
""")

SCRIPT = """\
// The page's own script. Where the log-in answers with a token, it keeps it and sets the header.
const bearer = () => localStorage.token ? {Authorization: `Bearer ${localStorage.token}`} : {};

async function draw() {
  const answer = await fetch("/balance", {headers: {Accept: "application/json", ...bearer()}});
  if (!answer.ok) return;
  const {owner, balance} = await answer.json();
  document.getElementById("account").textContent = `${owner}: ${balance.toLocaleString("en")} ferns`;
  document.getElementById("login").hidden = true;
}

document.getElementById("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const [username, password] = ["username", "password"].map((id) => document.getElementById(id).value);
  const answer = await fetch("/login", {
    method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({username, password}),
  });
  const {token} = await answer.json();
  if (token) localStorage.token = token;
  await draw();
});
draw();
"""


# ---- what goes along, measured ------------------------------------------------------------------------

ATTRIBUTES = {"unset": "", "lax": "; SameSite=Lax", "strict": "; SameSite=Strict", "none": "; SameSite=None"}
"""What a cookie of `cookies()` says about SameSite, by its name."""


def cookies(*given: str) -> Flask:
    """A server that at /set gives cookies, and answers every other address with a page.

    `given`: their Set-Cookie values (default: one cookie of each SameSite).
    """
    app = Flask("cookies")
    each = [f"{name}=1; Path=/; Secure; HttpOnly{attribute}" for name, attribute in ATTRIBUTES.items()]

    @app.route("/", defaults={"path": ""}, methods=["GET", "POST"])
    @app.route("/<path:path>", methods=["GET", "POST"])
    def answer(path: str) -> Response:
        response = Response("<!doctype html><title>cookies</title>", mimetype="text/html")
        if path == "set":
            for value in given or each:
                response.headers.add("Set-Cookie", value)
        return response

    return app
