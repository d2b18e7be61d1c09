"""What an attack on a token's claims sees besides: what a victim's own client sends to an app of Mallory's."""

from typing import Any

from labs.bench import BenchError, serve, skip

from .token_target import TokenTarget, bearer

__all__ = ["ClaimsTarget"]


class ClaimsTarget(TokenTarget):
    """The same bank, and a victim who has connected Bloom to it: a budget app, and Mallory's.

    Bloom is a client as others are. What it is sent it was meant to have; for what it does then, no token asks it.
    """

    def sent_to_bloom(self, which: str = "access_token", path: str = "/login", **asked: Any) -> str:
        """The token that the victim's browser hands to Bloom, as Bloom's own log has it.

        `asked`: what the victim's log-in asks identity for, beside name and password: `audience`, `client`.
        """
        body = {"username": self.victim, "password": self._identity.password_of(self.victim), **asked}
        answer = self._identity.visitor(self.victim).post(path, json=body)
        if answer.status != 200:
            raise BenchError(f"{self.victim.title()} could not log in: {answer.status}.")
        with serve(_bloom, name="Bloom") as bloom:
            bloom.visitor(self.victim).post("/connect", headers=bearer(answer.json()[which]))
            return dict(bloom.log[-1].request_headers)["Authorization"].removeprefix("Bearer ")

    def victim_ends(self, token: str) -> None:
        """The victim disconnects Bloom: her browser tells accounts that the token is to end."""
        answer = self._accounts.visitor(self.victim).post("/end", headers=bearer(token))
        if answer.status != 200:
            raise BenchError(f"{self.victim.title()} could not end her token: {answer.status}.")

    def wait(self, **time: float) -> None:
        """Let time pass: `days=1`."""
        skip(**time)

    def encryption_key(self) -> dict[str, Any]:
        """The public key that accounts publishes for whoever wants to write to it in private, as a JWK."""
        return self._accounts.visitor("mallory").get("/.well-known/jwks.json").json()["keys"][0]


def _bloom(environ, start_response):
    """Says thank you."""
    start_response("204 No Content", [])
    return []
