"""Fernbank: a small bank that is handed its session mechanism and cookie policy, and keeps its own record."""

import time
from collections.abc import Callable

from argon2 import PasswordHasher

from labs.auth.cookies import SessionCookie
from labs.servers.books import Books
from labs.servers.customers import Customer
from labs.servers.desk import Cookie, Desk, Mechanism
from labs.servers.forgery import Guard, ask_guard, csrf_field, give_token, set_csrf_cookie
from labs.servers.office import Office
from labs.servers.routes import counters

__all__ = ["Bank", "bank"]


class Bank(Office):
    """The Flask app of one bank, with pages for people.

    `record`: who read, moved or wrote what. `customers`: everybody as they were on the first day, by name.
    `ledger`: money and notes as they stand now.
    """

    pages = True
    # RFC 9110 §15.5.2 demands a challenge with every 401. None is registered for cookies; browsers ignore this.
    challenge = 'Cookie realm="Fernbank"'
    outage = "Fernbank cannot look up sessions right now. You are not logged out: try again in a few seconds."

    def __init__(self, sessions: Mechanism, cookie: Cookie, books: Books, csrf: Guard | None = None) -> None:
        super().__init__("Fernbank", books)
        self.ledger, self.hasher = books.ledger, books.hasher
        self.desk = Desk(sessions, cookie, self.ledger.__contains__)
        self.csrf = csrf
        self.jinja_env.globals.update(hasher=books.hasher, csrf=csrf_field)
        if csrf is not None:
            self.before_request(ask_guard)
            self.after_request(set_csrf_cookie)
            self.add_url_rule("/csrf", "csrf", give_token)
        self.register_blueprint(counters)
        self.after_request(self.desk.set_cookie)
        self.offer("style.css", "text/css")


def bank(
    sessions: Mechanism,
    cookie: Cookie | None = None,
    *,
    csrf: Guard | None = None,
    customers: dict[str, Customer] | None = None,
    hasher: PasswordHasher | None = None,
    clock: Callable[[], float] = time.time,
) -> Bank:
    """Open a bank that runs on `sessions`: `labs.auth.sessions.Sessions`, or anything with its six methods.

    `cookie`: set, clear and read, as `labs.auth.cookies.SessionCookie` has them (default: that one).
    `csrf`: tells what the bank's own pages sent from what another page forged, as `labs.auth.csrf` does. Without it
    the forms carry no token, and the cookie's SameSite protects them.
    `customers`, `hasher`, `clock`: as `labs.servers.Books` has them.

    When the mechanism raises StoreDown, the bank answers 503 and leaves the cookie alone: an outage logs
    nobody out.
    """
    return Bank(sessions, cookie or SessionCookie(), Books(customers, hasher, clock), csrf)
