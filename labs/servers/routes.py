"""Fernbank's counters: every address of the bank, and what happens there."""

from flask import Blueprint, Response, current_app

from labs.servers.answers import Refusal, answer, done, wants_page
from labs.servers.business import (
    LONGEST_NAME,
    LONGEST_PASSWORD,
    move,
    order,
    others,
    prove,
    read_balance,
    read_notes,
    write_down,
)
from labs.servers.forms import fields, text
from labs.servers.ledger import TooManyNotes

__all__ = ["ORDINARY", "counters"]

ORDINARY = 1_000
"""Ferns; a transfer of more needs the password once more (ASVS 5.0 7.5.3)."""

LONGEST_NOTE, LONGEST_ITEM = 500, 60  # characters
MOST_ITEMS = 20

counters = Blueprint("counters", __name__)


# ---- who is there --------------------------------------------------------------------------------


@counters.get("/")
def home() -> Response:
    session = current_app.desk.session()
    user = session["user"] if session else None
    secrets = {"balance": read_balance(user), "notes": read_notes(user)} if user and wants_page() else {}
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
    prove(user, password, 401, "login")
    current_app.desk.admit(user)
    write_down("logged in", user, user)
    return done({"user": user}, "/")


@counters.post("/logout")
def logout() -> Response:
    user = current_app.desk.dismiss()
    if user is not None:
        write_down("logged out", user, user)
    return done({"user": None}, "/")


@counters.post("/logout/everywhere")
def logout_everywhere() -> Response:
    user = current_app.desk.user()
    ended = current_app.desk.dismiss_all(user)
    write_down("logged out everywhere", user, user)
    return done({"user": None, "ended": ended}, "/")


@counters.post("/confirm")
def confirm() -> Response:
    user = current_app.desk.user()
    # 403, not 401: the bank knows who is there, and that somebody is not believed does not log them out.
    prove(user, text(fields(), "password", LONGEST_PASSWORD), 403, "confirm")
    current_app.desk.admit(user, elevated=True)
    write_down("confirmed", user, user)
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
        {"owner": owner, "balance": read_balance(owner)},
        "balance.html",
        ordinary=ORDINARY,
        movements=current_app.ledger.movements(owner),
        others=others(owner),
    )


@counters.post("/transfer")
def transfer() -> Response:
    giver = current_app.desk.user()
    taker, ferns = order(fields(), giver)
    if ferns > ORDINARY and not current_app.desk.session()["elevated"]:
        sentence = f"More than {ORDINARY:,} ferns at once need your password once more: confirm first."
        raise Refusal(403, sentence, form="confirm")
    return done(move(giver, giver, taker, ferns), "/balance")


@counters.get("/notes")
def notes() -> Response:
    owner = current_app.desk.user()
    return answer({"owner": owner, "notes": read_notes(owner)}, "notes.html", longest=LONGEST_NOTE)


@counters.post("/notes")
def write_note() -> Response:
    owner = current_app.desk.user()
    note = text(fields(), "text", LONGEST_NOTE, lines=True)
    try:
        current_app.ledger.write_note(owner, note)
    except TooManyNotes as full:
        raise Refusal(409, str(full)) from None
    write_down("wrote note", owner, owner)
    return done({"owner": owner, "note": note}, "/notes", status=201)


# ---- the basket, which needs no log-in -----------------------------------------------------------


@counters.get("/basket")
def basket() -> Response:
    return answer({"items": current_app.desk.basket()}, "basket.html", longest=LONGEST_ITEM)


@counters.post("/basket")
def put_in_basket() -> Response:
    item = text(fields(), "item", LONGEST_ITEM)
    return done({"items": current_app.desk.put_in_basket(item, MOST_ITEMS)}, "/basket", status=201)
