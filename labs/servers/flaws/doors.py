"""Side doors: what a bank may offer beside its forms, each an opening for a forged request."""

from collections.abc import Callable
from urllib.parse import parse_qs

from flask import Response, current_app, request

from labs.servers.answers import done
from labs.servers.business import move, order

__all__ = ["any_type", "method_override", "payment_link"]


def payment_link(app):
    """Add GET /pay?to=ben&amount=10, for links in mails. A guard hears that it changes something."""

    def pay() -> Response:
        giver = current_app.desk.user()
        given = request.args.to_dict()
        amount = given.pop("amount", "")
        ferns = int(amount) if amount.isdecimal() and len(amount) < 10 else amount
        taker, ferns = order({**given, "amount": ferns}, giver)
        return done(move(giver, giver, taker, ferns), "/balance")

    pay.changes = True
    app.add_url_rule("/pay", "pay", pay)  # VULNERABLE: a GET that changes something (ASVS 5.0 3.5.3, RFC 9110 §9.2.1)
    return app


def method_override(app):
    """Let `?_method=PUT` stand for the method, as frameworks do for forms; PUT /transfer is what POST is.

    VULNERABLE: a form, or a link, that any page can send, becomes any method (CWE-352).
    """
    app.add_url_rule("/transfer", "put_transfer", app.view_functions["counters.transfer"], methods=["PUT"])
    return _wrapped(app, _override)


def any_type(app):
    """Read a body as JSON, whatever it calls itself.

    VULNERABLE: a form can send JSON as text/plain, without asking CORS first (ASVS 5.0 3.5.2).
    """
    return _wrapped(app, _as_json)


def _override(environ: dict) -> None:
    for method in parse_qs(environ.get("QUERY_STRING", "")).get("_method", []):
        environ["REQUEST_METHOD"] = method.upper()


def _as_json(environ: dict) -> None:
    if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() == "text/plain":
        environ["fernbank.content_type"] = environ["CONTENT_TYPE"]  # what the guard hears
        environ["CONTENT_TYPE"] = "application/json"


def _wrapped(app, change: Callable[[dict], None]):
    inner = app.wsgi_app

    def wsgi_app(environ, start_response):
        change(environ)
        return inner(environ, start_response)

    app.wsgi_app = wsgi_app
    return app
