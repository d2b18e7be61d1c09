"""Statements: the service that keeps what customers look up, their movements and their notes."""

from collections.abc import Collection
from typing import Any

from flask import Response

from labs.servers import cors
from labs.servers.answers import answer
from labs.servers.books import Books
from labs.servers.business import read_notes, read_statements
from labs.servers.gate import Gate, Verify
from labs.servers.ledger import Movement
from labs.servers.office import Office

__all__ = ["statements"]


def statements(books: Books, verify: Verify, *, origins: Collection[str] = ()) -> Office:
    """Open statements on `books`; `verify` and `origins` are as in `labs.servers.accounts`."""
    app, gate = Office("statements", books), Gate(verify)
    cors.allow(app, origins)

    @app.get("/statements")
    def movements() -> Response:
        owner = gate.user()
        return answer({"owner": owner, "movements": [_row(one) for one in read_statements(owner)]})

    @app.get("/notes")
    def notes() -> Response:
        owner = gate.user()
        return answer({"owner": owner, "notes": read_notes(owner)})

    return app


def _row(one: Movement) -> dict[str, Any]:
    return {"at": one.at, "from": one.giver, "to": one.taker, "amount": one.amount}
