"""Fernbank: a small bank that is handed its session mechanism and cookie policy, and keeps its own record."""

import time
from collections.abc import Callable

from argon2 import PasswordHasher

from labs.auth.cookies import SessionCookie
from labs.servers.books import Books
from labs.servers.customers import Customer
from labs.servers.desk import Cookie, Desk, Mechanism
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

    def __init__(self, sessions: Mechanism, cookie: Cookie, books: Books) -> None:
        super().__init__("Fernbank", books)
        self.ledger, self.hasher = books.ledger, books.hasher
        self.desk = Desk(sessions, cookie, self.ledger.__contains__)
        self.jinja_env.globals["hasher"] = books.hasher
        self.register_blueprint(counters)
        self.after_request(self.desk.set_cookie)
        self.offer("style.css", "text/css")


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
    `customers`, `hasher`, `clock`: as `labs.servers.Books` has them.

    When the mechanism raises StoreDown, the bank answers 503 and leaves the cookie alone: an outage logs
    nobody out. The forms carry no token against cross-site requests: the cookie's SameSite protects them.
    """
    return Bank(sessions, cookie or SessionCookie(), Books(customers, hasher, clock))
