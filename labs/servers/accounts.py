"""Accounts: the service that keeps the money. It believes tokens and knows nothing of log-ins."""

from collections.abc import Collection

from flask import Response, current_app

from labs.servers import cors
from labs.servers.answers import Refusal, answer
from labs.servers.books import Books
from labs.servers.business import LONGEST_NAME, move, order, others, read_balance
from labs.servers.forms import fields, text
from labs.servers.gate import Gate, Verify, bearer
from labs.servers.office import Office

__all__ = ["accounts"]

TELLER = "teller"
"""Whose token has this role may move anybody's money. Identity gives it to no customer."""


def accounts(books: Books, verify: Verify, *, origins: Collection[str] = ()) -> Office:
    """Open accounts on `books`; `verify(token)` gives the claims of an access token for it.

    What `verify` may raise is said in `labs.servers.gate`; anything else is a 500 and goes to
    `on_mechanism_error`. `origins`: of the pages that may call it from a browser.
    """
    app, gate = Office("accounts", books), Gate(verify)
    cors.allow(app, origins)

    @app.get("/me")
    def me() -> Response:
        return answer({"user": gate.user()})

    @app.get("/balance")
    def balance() -> Response:
        owner = gate.user()
        return answer({"owner": owner, "balance": read_balance(owner)})

    @app.post("/transfer")
    def transfer() -> Response:
        user, given = gate.user(), fields()
        giver = _giver(user, given, gate.claims())
        return answer(move(user, giver, *order(given, giver)))

    return app


def _giver(user: str, given: dict, claims: dict) -> str:
    """Whose money it is: the user's own, or for a teller anybody's. Raises Refusal."""
    giver = text({"from": user, **given}, "from", LONGEST_NAME)
    roles = claims.get("roles")
    # In a text "teller" is also found inside "storyteller": roles are a list, or there are none.
    if giver != user and not (isinstance(roles, list) and TELLER in roles):
        raise bearer(403, "insufficient_scope", "Only a teller moves other people's money.")
    if giver not in current_app.books.ledger:
        raise Refusal(400, f'"from" must name a customer: {" or ".join([user, *others(user)])}.')
    return giver
