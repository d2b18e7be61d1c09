"""Fernbank on Flask's own `session`, wherever the app's `session_interface` keeps it."""

import secrets
import time
from collections.abc import Callable

from argon2 import PasswordHasher
from flask import current_app, g, session

from labs.servers.answers import Refusal
from labs.servers.bank import Bank, bank
from labs.servers.customers import Customer
from labs.servers.desk import Desk

__all__ = ["flask_bank"]


def flask_bank(
    *,
    customers: dict[str, Customer] | None = None,
    hasher: PasswordHasher | None = None,
    clock: Callable[[], float] = time.time,
) -> Bank:
    """Open a bank that keeps who is logged in in `flask.session`, with Flask's settings as they come.

    As it stands that is a signed cookie. `flask_session.Session(app)` puts the same sessions into a store.
    It has neither of lesson 10's timeouts. The arguments are those of `labs.servers.bank`.
    """
    app = bank(None, customers=customers, hasher=hasher, clock=clock)
    app.secret_key = secrets.token_bytes(32)
    app.desk = FlaskDesk(app.ledger.__contains__, clock)
    return app


class FlaskDesk(Desk):
    """The bank's desk, with `flask.session` in the place of a mechanism."""

    def __init__(self, knows: Callable[[str], bool], clock: Callable[[], float]) -> None:
        super().__init__(None, None, knows)
        self._clock = clock

    def session(self) -> dict | None:
        user = session.get("user")
        g.user = user if user is None or self._knows(user) else None
        return {"user": g.user, "elevated": session.get("elevated", False), "data": {}} if session else None

    def admit(self, user: str, elevated: bool = False) -> None:
        same = session.get("user") == user
        basket = session.get("basket", []) if same or session.get("user") is None else []
        since = session["logged_in_at"] if same and elevated else self._clock()
        # A cookie that holds everything has no id to renew. Flask-Session has one, and renews it on request only.
        regenerate = getattr(current_app.session_interface, "regenerate", None)
        if regenerate:
            regenerate(session)
        session.clear()
        session.update(user=user, elevated=elevated, basket=basket, logged_in_at=since)

    def dismiss(self) -> str | None:
        user = session.get("user")
        session.clear()
        return user

    def dismiss_all(self, user: str) -> int:
        raise Refusal(501, "flask.session keeps no list of a user's sessions: log out on each device.")

    def basket(self) -> list[str]:
        return session.get("basket", [])

    def put_in_basket(self, item: str, most: int) -> list[str]:
        if len(self.basket()) >= most:
            raise Refusal(409, f"The basket is full: it holds {most} things.")
        session["basket"] = [*self.basket(), item]
        return session["basket"]
