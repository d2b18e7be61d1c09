"""The gate of a service: the one place where it takes a bearer token and has it verified (RFC 6750)."""

import re
from collections.abc import Callable
from typing import Any

from flask import current_app, g, request

from labs.auth.stores import StoreDown
from labs.auth.token_errors import KeysUnavailable, TokenRefused
from labs.servers.answers import Refusal
from labs.servers.office import ask, unusable

__all__ = ["Gate", "Verify", "bearer"]

Verify = Callable[[str], dict[str, Any]]
"""Takes a token and gives its claims. Raises TokenRefused, KeysUnavailable or StoreDown."""

CREDENTIALS = re.compile(r"Bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)  # RFC 6750 §2.1, RFC 9110 §11.1


class Gate:
    """Who is there, by the token of the current request. Both methods raise Refusal, and MechanismFailed."""

    def __init__(self, verify: Verify) -> None:
        self._verify = verify

    def user(self) -> str:
        """The customer whom the token is about. 401 for one who is none: a token outlives the account."""
        user = self.claims()["sub"]
        if user not in current_app.books.ledger:
            raise bearer(401, "invalid_token", "The token is about nobody who banks here.")
        return user

    def claims(self) -> dict[str, Any]:
        """What the token says, verified once a request.

        Refusal: 401 when there is no token, or it is refused; 503 when nobody can tell, for want of keys.
        """
        if "claims" not in g:
            g.claims = self._verified(self._token())
        return g.claims

    def _token(self) -> str:
        # Only this header counts: an address with a token in it ends up in logs and histories (RFC 9700 §4.3.2).
        credentials = CREDENTIALS.fullmatch(request.headers.get("Authorization", ""))
        if credentials is None:
            raise bearer(401, None, "Send an access token: Authorization: Bearer <token>.")
        return credentials[1]

    def _verified(self, token: str) -> dict[str, Any]:
        may_raise = (TokenRefused, KeysUnavailable, StoreDown)
        try:
            claims = ask("token verifier", lambda: self._verify(token), may_raise=may_raise)
        except TokenRefused as refused:
            raise bearer(401, "invalid_token", str(refused)) from None
        except KeysUnavailable as unavailable:
            raise Refusal(503, str(unavailable), headers={"Retry-After": "5"}) from None
        if not isinstance(claims, dict) or not isinstance(claims.get("sub"), str):
            raise unusable("verify", claims, 'the claims, a dict with a text as "sub"', "token verifier")
        return claims


def bearer(status: int, error: str | None, sentence: str) -> Refusal:
    """A refusal with the challenge of RFC 6750 §3. `error`: None where no token came, so nothing is wrong with it."""
    challenge = "Bearer"
    if error is not None:
        # §3 allows these characters only; and a line break would let whoever chose it write headers of their own.
        said = sentence.replace("§", "section ").replace('"', "'")[:200]
        said = re.sub(r"[^\x20\x21\x23-\x5b\x5d-\x7e]", "?", said)
        challenge = f'Bearer error="{error}", error_description="{said}"'
    return Refusal(status, sentence, headers={"WWW-Authenticate": challenge})
