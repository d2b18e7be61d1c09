"""Against forged requests: where a bank asks the guard that it was handed, and puts its token into forms."""

import json
from collections.abc import Mapping
from typing import Any, Protocol

from flask import Response, current_app, g, request
from markupsafe import Markup

from labs.auth.stores import StoreDown
from labs.servers.answers import Refusal
from labs.servers.desk import header
from labs.servers.forms import fields
from labs.servers.office import MechanismFailed, ask, unusable

__all__ = ["Guard", "ask_guard", "csrf_field", "give_token", "set_csrf_cookie"]

SAFE = ("GET", "HEAD", "OPTIONS")
WHAT = "CSRF guard"
NO_STORE = {"Cache-Control": "no-store"}


class Guard(Protocol):
    """What a bank needs of a guard; `labs.auth.csrf` has three. Each method may raise StoreDown."""

    def token(self, id: str, headers: Mapping[str, str]) -> str | None: ...
    def cookie(self, token: str) -> str | None: ...
    def allows(self, request: dict, id: str | None) -> bool: ...


def ask_guard() -> None:
    """Before every request: refuse it (403) unless the guard allows it."""
    if current_app.csrf is None or request.endpoint is None:
        return
    # A view that changes something by GET says so itself: `view.changes = True`.
    by_route = getattr(current_app.view_functions[request.endpoint], "changes", False)
    told = {
        "method": request.method,
        "changes": by_route or request.method not in SAFE,
        "headers": _headers(),
        "fields": {**request.args.to_dict(), **_fields()},
    }
    id = current_app.desk.id()
    allowed = ask(WHAT, lambda: current_app.csrf.allows(told, id))
    if not isinstance(allowed, bool):
        raise unusable("allows", allowed, "True or False", WHAT)
    if not allowed:
        raise Refusal(403, "This did not come from one of Fernbank's own pages. Open the page again, and try there.")


def csrf_field() -> Markup:
    """The hidden field of a form; nothing where the guard needs none."""
    try:
        token = _token()
    except StoreDown:  # a page that says so is being drawn
        token = None
    except MechanismFailed:
        if g.get("csrf_failed"):
            return Markup("")
        g.csrf_failed = True
        raise
    return Markup("") if token is None else Markup('<input type="hidden" name="csrf" value="{}">').format(token)


def give_token() -> Response:
    """GET /csrf: the token, for the site's own scripts. Another site may ask, and cannot read the answer."""
    return Response(f"{json.dumps({'csrf': _token()})}\n", mimetype="application/json", headers=NO_STORE)


def set_csrf_cookie(response: Response) -> Response:
    """Add the guard's own cookie, when this page carries its twin."""
    if g.get("csrf_cookie"):
        response.headers.add("Set-Cookie", g.csrf_cookie)
    return response


def _token() -> str | None:
    """One token a page, however many forms it has."""
    guard = current_app.csrf
    if guard is None:
        return None
    if "csrf_token" not in g:
        id = current_app.desk.some_id()
        token = ask(WHAT, lambda: guard.token(id, _headers()))
        if token is not None and (not isinstance(token, str) or not token):
            raise unusable("token", token, "a text, or None", WHAT)
        cookie = None if token is None else ask(WHAT, lambda: guard.cookie(token))
        g.csrf_token, g.csrf_cookie = token, None if cookie is None else header("cookie", cookie, WHAT)
    return g.csrf_token


def _headers() -> dict[str, str]:
    """The request's headers as they came, whatever the bank then takes the body for."""
    came = request.environ.get("fernbank.content_type")
    return {**request.headers, **({"Content-Type": came} if came else {})}


def _fields() -> dict[str, Any]:
    try:
        return fields()
    except Refusal:  # what is malformed, the route will say
        return {}
