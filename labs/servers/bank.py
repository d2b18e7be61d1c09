"""Fernbank: a small bank that is handed its session mechanism and cookie policy, and keeps its own record."""

import time
from collections.abc import Callable
from pathlib import Path

from argon2 import PasswordHasher
from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from labs.auth import passwords
from labs.auth.cookies import SessionCookie
from labs.auth.stores import StoreDown
from labs.servers.answers import Refusal, refuse
from labs.servers.customers import Customer
from labs.servers.customers import customers as draw_customers
from labs.servers.desk import Cookie, Desk, Mechanism, MechanismFailed
from labs.servers.forms import LARGEST_BODY
from labs.servers.ledger import Ledger
from labs.servers.record import Record
from labs.servers.routes import counters

__all__ = ["Bank", "bank"]

STYLE = (Path(__file__).parent / "templates" / "style.css").read_text(encoding="utf-8")


class Bank(Flask):
    """The Flask app of one bank.

    `record`: who read, moved or wrote what. `customers`: everybody as they were on the first day, by name.
    `ledger`: money and notes as they stand now. `on_mechanism_error`: called with what the mechanism raised
    when that was not StoreDown; the bank then answers 500, which it does for no other reason.
    """

    name = "Fernbank"
    on_mechanism_error: Callable[[Exception], None] | None = None

    def __init__(
        self,
        sessions: Mechanism,
        cookie: Cookie,
        customers: dict[str, Customer],
        hasher: PasswordHasher,
        clock: Callable[[], float],
    ) -> None:
        super().__init__(__name__, static_folder=None)
        self.customers, self.hasher, self.clock = customers, hasher, clock
        self.record, self.ledger = Record(), Ledger(customers.values())
        self.hashes = {one.name: hasher.hash(one.password) for one in customers.values()}
        self.desk = Desk(sessions, cookie, self.ledger.__contains__)
        self.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
        self.jinja_env.globals["hasher"] = hasher
        self.register_blueprint(counters)
        self.after_request(self.desk.set_cookie)
        self.add_url_rule("/style.css", "style", _style)
        self.register_error_handler(Refusal, refuse)
        self.register_error_handler(HTTPException, _refuse_http)
        self.register_error_handler(StoreDown, _refuse_outage)
        self.register_error_handler(MechanismFailed, self._refuse_failure)

    def _refuse_failure(self, failure: MechanismFailed) -> Response:
        if self.on_mechanism_error is not None:
            self.on_mechanism_error(failure.cause)
        # A bank in production keeps this for its log. Here whoever reads the answer wrote the mechanism.
        return refuse(Refusal(500, f"{failure}"))


def bank(
    sessions: Mechanism,
    cookie: Cookie | None = None,
    *,
    customers: dict[str, Customer] | None = None,
    hasher: PasswordHasher | None = None,
    clock: Callable[[], float] = time.time,
) -> Bank:
    """Open a bank that runs on `sessions`: `labs.auth.sessions.Sessions`, or anything with its six methods.

    `cookie`: set, clear and read, as `labs.auth.cookies.SessionCookie` has them (default: that one).
    `customers`: default `labs.servers.customers()` of this learner's seed. `hasher`: of passwords; the
    default has minimal parameters, since a lab logs in all day. `clock`: seconds since 1970, for the record.

    When the mechanism raises StoreDown, the bank answers 503 and leaves the cookie alone: an outage logs
    nobody out. The forms carry no token against cross-site requests: the cookie's SameSite protects them.
    """
    return Bank(
        sessions,
        cookie or SessionCookie(),
        draw_customers() if customers is None else customers,
        hasher or passwords.hasher(fast=True),
        clock,
    )


def _style() -> Response:
    return Response(STYLE, mimetype="text/css", headers={"Cache-Control": "max-age=300"})


def _refuse_outage(outage: StoreDown) -> Response:
    sentence = "Fernbank cannot look up sessions right now. You are not logged out: try again in a few seconds."
    return refuse(Refusal(503, sentence, headers={"Retry-After": "5"}))


def _refuse_http(error: HTTPException) -> Response:
    """Flask's own refusals (404, 405 and the like), said as the bank says them."""
    if error.code is None or error.code < 400:  # a redirect is no refusal
        return error.get_response()
    sentences = {404: "Fernbank has no such address.", 405: "This address does not take this method."}
    sentence = sentences.get(error.code, error.description or error.name)
    headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}
    return refuse(Refusal(error.code, sentence, headers=headers))
