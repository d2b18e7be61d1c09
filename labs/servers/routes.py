"""Fernbank's counters: every address of the bank, and what happens there."""

from typing import Any

from flask import Blueprint, Response, current_app, request

from labs.auth.passwords import verify
from labs.servers.answers import Refusal, answer, done, wants_page
from labs.servers.forms import amount, fields, text
from labs.servers.ledger import NotEnough, TooManyNotes
from labs.servers.record import Event

__all__ = ["ORDINARY", "counters"]

ORDINARY = 1_000
"""Ferns; a transfer of more needs the password once more (ASVS 5.0 7.5.3)."""

LONGEST_NAME, LONGEST_PASSWORD, LONGEST_NOTE, LONGEST_ITEM = 64, 256, 500, 60  # characters
MOST_ITEMS = 20

counters = Blueprint("counters", __name__)


# ---- who is there --------------------------------------------------------------------------------


@counters.get("/")
def home() -> Response:
    session = current_app.desk.session()
    user = session["user"] if session else None
    secrets = {"balance": _balance(user), "notes": _notes(user)} if user and wants_page() else {}
    return answer({"bank": "Fernbank", "user": user}, "home.html", **secrets)


@counters.get("/health")
def health() -> Response:
    return answer({"status": "ok"}, "health.html")


@counters.get("/login")
def login_page() -> Response:
    return answer({"login": "POST username and password to this address."}, "login.html")


@counters.post("/login")
def login() -> Response:
    given = fields()
    user, password = text(given, "username", LONGEST_NAME), text(given, "password", LONGEST_PASSWORD)
    _prove(user, password, 401, "login")
    current_app.desk.admit(user)
    _write_down("logged in", user, user)
    return done({"user": user}, "/")


@counters.post("/logout")
def logout() -> Response:
    user = current_app.desk.dismiss()
    if user is not None:
        _write_down("logged out", user, user)
    return done({"user": None}, "/")


@counters.post("/logout/everywhere")
def logout_everywhere() -> Response:
    user = current_app.desk.user()
    ended = current_app.desk.dismiss_all(user)
    _write_down("logged out everywhere", user, user)
    return done({"user": None, "ended": ended}, "/")


@counters.post("/confirm")
def confirm() -> Response:
    user = current_app.desk.user()
    # 403, not 401: the bank knows who is there, and that somebody is not believed does not log them out.
    _prove(user, text(fields(), "password", LONGEST_PASSWORD), 403, "confirm")
    current_app.desk.admit(user, elevated=True)
    _write_down("confirmed", user, user)
    return done({"user": user, "elevated": True}, "/balance")


@counters.get("/me")
def me() -> Response:
    user = current_app.desk.user()
    return answer({"user": user, "elevated": current_app.desk.session()["elevated"]}, "me.html")


# ---- money and notes -----------------------------------------------------------------------------


@counters.get("/balance")
def balance() -> Response:
    owner = current_app.desk.user()
    return answer(
        {"owner": owner, "balance": _balance(owner)},
        "balance.html",
        ordinary=ORDINARY,
        movements=current_app.ledger.movements(owner),
        others=_others(owner),
    )


@counters.post("/transfer")
def transfer() -> Response:
    giver = current_app.desk.user()
    given = fields()
    taker, ferns = text(given, "to", LONGEST_NAME), amount(given, "amount")
    if taker not in _others(giver):
        raise Refusal(400, f'"to" must name another customer: {" or ".join(_others(giver))}.')
    if ferns > ORDINARY and not current_app.desk.session()["elevated"]:
        sentence = f"More than {ORDINARY:,} ferns at once need your password once more: confirm first."
        raise Refusal(403, sentence, form="confirm")
    try:
        left = current_app.ledger.move(giver, taker, ferns, current_app.clock())
    except NotEnough:
        raise Refusal(409, f"You do not have {ferns:,} ferns.") from None
    _write_down("moved money", giver, giver, to=taker, amount=ferns)
    return done({"from": giver, "to": taker, "amount": ferns, "balance": left}, "/balance")


@counters.get("/notes")
def notes() -> Response:
    owner = current_app.desk.user()
    return answer({"owner": owner, "notes": _notes(owner)}, "notes.html", longest=LONGEST_NOTE)


@counters.post("/notes")
def write_note() -> Response:
    owner = current_app.desk.user()
    note = text(fields(), "text", LONGEST_NOTE, lines=True)
    try:
        current_app.ledger.write_note(owner, note)
    except TooManyNotes as full:
        raise Refusal(409, str(full)) from None
    _write_down("wrote note", owner, owner)
    return done({"owner": owner, "note": note}, "/notes", status=201)


# ---- the basket, which needs no log-in -----------------------------------------------------------


@counters.get("/basket")
def basket() -> Response:
    return answer({"items": current_app.desk.basket()}, "basket.html", longest=LONGEST_ITEM)


@counters.post("/basket")
def put_in_basket() -> Response:
    item = text(fields(), "item", LONGEST_ITEM)
    return done({"items": current_app.desk.put_in_basket(item, MOST_ITEMS)}, "/basket", status=201)


# ---- what several counters need ------------------------------------------------------------------


def _prove(user: str, password: str, status: int, form: str) -> None:
    """Raise Refusal unless `password` is the user's. Unknown users take as long, and get the same answer."""
    if not verify(current_app.hasher, current_app.hashes.get(user), password):
        wrong = "The name or the password is wrong." if form == "login" else "The password is wrong."
        raise Refusal(status, wrong, form=form)


def _balance(owner: str) -> int:
    _write_down("read balance", owner, owner)
    return current_app.ledger.balance(owner)


def _notes(owner: str) -> list[str]:
    _write_down("read notes", owner, owner)
    return current_app.ledger.notes(owner)


def _others(owner: str) -> list[str]:
    return [name for name in current_app.ledger.names() if name != owner]


def _write_down(action: str, user: str, owner: str, **detail: Any) -> None:
    """Put on record what happened and who really did it, which the bench knows and no request can claim."""
    if request.method != "HEAD":  # whoever sends HEAD is answered without a body, and has read nothing
        person = request.environ.get("fernbank.person") or "someone"
        event = Event(current_app.clock(), person, user, action, owner, detail)
        current_app.record.add(event)
        request.environ.get("fernbank.told", []).append(str(event))  # so that the wire log can say it, too
