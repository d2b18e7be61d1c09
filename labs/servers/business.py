"""What the bank's offices do alike: believe a password, read an account, move money, and put it on record."""

from typing import Any

from flask import current_app, request

from labs.auth.passwords import verify
from labs.servers.answers import Refusal
from labs.servers.forms import amount, text
from labs.servers.ledger import Movement, NotEnough
from labs.servers.record import Event

__all__ = [
    "LONGEST_NAME",
    "LONGEST_PASSWORD",
    "move",
    "order",
    "others",
    "prove",
    "read_balance",
    "read_notes",
    "read_statements",
    "write_down",
]

LONGEST_NAME, LONGEST_PASSWORD = 64, 256  # characters


def prove(user: str, password: str, status: int, form: str) -> None:
    """Raise Refusal unless `password` is the user's. Unknown users take as long, and get the same answer."""
    books = current_app.books
    if not verify(books.hasher, books.hashes.get(user), password):
        wrong = "The name or the password is wrong." if form == "login" else "The password is wrong."
        raise Refusal(status, wrong, form=form)


def read_balance(owner: str) -> int:
    """What the owner has, in ferns."""
    write_down("read balance", owner, owner)
    return current_app.books.ledger.balance(owner)


def read_notes(owner: str) -> list[str]:
    """The owner's notes, oldest first."""
    write_down("read notes", owner, owner)
    return current_app.books.ledger.notes(owner)


def read_statements(owner: str) -> list[Movement]:
    """The owner's latest movements, newest first."""
    write_down("read statements", owner, owner)
    return current_app.books.ledger.movements(owner)


def others(owner: str) -> list[str]:
    """Everybody whom the owner can send money to."""
    return [name for name in current_app.books.ledger.names() if name != owner]


def order(given: dict[str, Any], giver: str) -> tuple[str, int]:
    """To whom the fields of a body send how many ferns of the giver's. Raises Refusal (400)."""
    taker, ferns = text(given, "to", LONGEST_NAME), amount(given, "amount")
    if taker not in others(giver):
        raise Refusal(400, f'"to" must name another customer: {" or ".join(others(giver))}.')
    return taker, ferns


def move(user: str, giver: str, taker: str, ferns: int) -> dict[str, Any]:
    """Move money of the giver's, as `user` says; give what the answer tells. Raises Refusal (409)."""
    books = current_app.books
    try:
        left = books.ledger.move(giver, taker, ferns, books.clock())
    except NotEnough:
        whose = "You do" if user == giver else f"{giver} does"
        raise Refusal(409, f"{whose} not have {ferns:,} ferns.") from None
    write_down("moved money", user, giver, to=taker, amount=ferns)
    return {"from": giver, "to": taker, "amount": ferns, "balance": left}


def write_down(action: str, user: str, owner: str, **detail: Any) -> None:
    """Put on record what happened and who really did it, which the bench knows and no request can claim."""
    if request.method != "HEAD":  # whoever sends HEAD is answered without a body, and has read nothing
        person = request.environ.get("fernbank.person") or "someone"
        event = Event(current_app.books.clock(), person, user, action, owner, detail)
        current_app.books.record.add(event)
        request.environ.get("fernbank.told", []).append(str(event))  # so that the wire log can say it, too
