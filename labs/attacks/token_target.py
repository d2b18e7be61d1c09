"""What an attack on tokens sees: where tokens come from, where they are taken, and an account of Mallory's own."""

from collections.abc import Iterable
from typing import Any

from labs.bench import BenchError, Response, Site

from .attempt import Attempt

__all__ = ["TokenTarget", "bearer"]

AMOUNT = 100  # ferns that she moves once she is in


class TokenTarget:
    """Fernbank's token side as Mallory sees it: `identity`, where she is a customer, and `accounts`.

    `victim`: whose account she is after.
    """

    def __init__(self, identity: Site, accounts: Site, victim: str = "ana") -> None:
        self._identity, self._accounts, self.victim = identity, accounts, victim

    def own_token(self) -> str:
        """An honest access token about herself, by logging in. Raises BenchError when identity gives none."""
        body = {"username": "mallory", "password": self._identity.password_of("mallory"), "audience": "accounts"}
        answer = self._identity.visitor("mallory").post("/login", json=body)
        if answer.status != 200:
            raise BenchError(f"Mallory could not log in to her own account: {answer.status}.")
        return answer.json()["access_token"]

    def published(self) -> list[dict[str, Any]]:
        """The public keys that identity publishes for everybody, as JWKs; none where it signs with a secret."""
        return self._identity.visitor("mallory").get("/.well-known/jwks.json").json()["keys"]

    def present(self, tokens: Iterable[str]) -> Attempt:
        """Present one token after another until one opens the victim's account; then move money from there."""
        attempt = Attempt()
        for token in tokens:
            attempt.tries += 1
            answer = self._sent(attempt, token, "GET", "/balance")
            if answer.status == 200 and answer.json()["owner"] == self.victim:
                attempt.captured = {"token": token, **answer.json()}
                self._sent(attempt, token, "POST", "/transfer", json={"to": "mallory", "amount": AMOUNT})
                break
        return attempt

    def _sent(self, attempt: Attempt, token: str, method: str, path: str, **body: Any) -> Response:
        answer = self._accounts.visitor("mallory").request(method, path, headers=bearer(token), **body)
        attempt.exchanges.append(answer.exchange)
        return answer


def bearer(token: str) -> dict[str, str]:
    """The header that carries a token (RFC 6750 §2.1)."""
    return {"Authorization": f"Bearer {token}"}
