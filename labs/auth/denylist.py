"""A deny-list: tokens that have been ended before their time, each by its name and not by its text."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from labs.auth.stores import Store
from labs.auth.token_errors import TokenRefused, WrongClaim

__all__ = ["DenyList", "Revoked"]


class Revoked(TokenRefused):
    """The token was good, and has been ended."""


class DenyList:
    """A verifier with a list of ended tokens behind it. Call it with a token, as the verifier itself.

    `verify(token)` gives the claims. `leeway`: that verifier's, in seconds. An entry says when it may go
    (`expires_at`): at `exp + leeway`, from when on the verifier refuses the token by itself. When the store is down
    StoreDown passes, and the service answers 503: whoever cannot look does not let in.
    """

    def __init__(self, verify: Callable[[str], dict[str, Any]], store: Store, *, leeway: float = 30) -> None:
        self._verify, self._store, self._leeway = verify, store, leeway

    def __call__(self, token: str) -> dict[str, Any]:
        """The claims of a token that is good and not ended. Raises TokenRefused, KeysUnavailable, StoreDown."""
        claims = self._verify(token)
        if self._store.get(self._name(token, claims)) is not None:
            raise Revoked("The token has been ended.")
        return claims

    def end(self, token: str) -> None:
        """End a token. Raises what calling does: only what is good needs an end, so nobody fills the list with noise.

        A token that is over, or has been ended, is refused here, too: there is nothing left to do.
        """
        claims = self(token)
        self._store.add(self._name(token, claims), {"expires_at": claims["exp"] + self._leeway})

    def _name(self, token: str, claims: dict[str, Any]) -> str:
        """The key of a token's entry. Raises WrongClaim for a token without a name: it could never be ended."""
        # A jti is one issuer's word (RFC 7519 §4.1.7): another may use the same.
        if not isinstance(claims.get("jti"), str) or not claims["jti"]:
            raise WrongClaim("The token has no name (jti), so it could not be ended.")
        return "ended:" + hashlib.sha256(json.dumps([claims["iss"], claims["jti"]]).encode()).hexdigest()
