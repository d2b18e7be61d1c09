"""Identity: the service that knows passwords and keys. It issues tokens, publishes its keys, and renews."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Response

from labs.auth import jwks, tokens
from labs.auth.refresh import RefreshRefused, RefreshTokens
from labs.auth.rotation import KeyRing
from labs.auth.stores import StoreDown
from labs.servers import cors
from labs.servers.answers import Refusal, answer
from labs.servers.books import Books
from labs.servers.business import LONGEST_NAME, LONGEST_PASSWORD, prove, write_down
from labs.servers.forms import fields, text
from labs.servers.office import Office, ask, unusable

__all__ = ["Identity", "identity"]

LONGEST_TOKEN = 1_000  # characters of a refresh token; ours have 43


class Identity(Office):
    """The Flask app of identity."""

    def __init__(
        self, books: Books, ring: KeyRing, refresh: RefreshTokens, lifetime: float, audiences: Collection[str]
    ) -> None:
        super().__init__("identity", books)
        self.ring, self.refresh, self.lifetime, self.audiences = ring, refresh, lifetime, audiences
        self.post("/login")(self.log_in)
        self.post("/refresh")(self.renew)
        self.post("/revoke")(self.revoke)
        self.get("/.well-known/jwks.json")(self.keys)

    def log_in(self) -> Response:
        """POST /login: a name and a password for an access token, a refresh token and an ID token."""
        given = fields()
        user, password = text(given, "username", LONGEST_NAME), text(given, "password", LONGEST_PASSWORD)
        client, audience = _client(given), self._audience(given)
        prove(user, password, 401, "login")
        refresh_token = ask("refresh tokens", lambda: self.refresh.issue(user, client))
        if not isinstance(refresh_token, str):
            raise unusable("issue", refresh_token, "a text", "refresh tokens")
        # For the client to read, so it is the audience; no service takes it, by its type.
        id_token = self._sign(user, client, typ=tokens.ID_TOKEN, auth_time=int(self.books.clock()))
        write_down("logged in", user, user)
        return self._issued(user, client, audience, refresh_token, id_token=id_token)

    def renew(self) -> Response:
        """POST /refresh: a refresh token, once, for an access token and the next refresh token (RFC 6749 §6)."""
        with _in_oauths_words():
            given = fields()
            # All that is asked of the body comes first: the token is used up by asking for it.
            token, client, audience = _refresh_token(given), _client(given), self._audience(given)
            user, new = self._use(token, client)
            write_down("refreshed", user, user)
            return self._issued(user, client, audience, new)

    def revoke(self) -> Response:
        """POST /revoke: log-out. 200 for a token that is none of ours, too: it is not valid (RFC 7009 §2.2)."""
        with _in_oauths_words():
            token = _refresh_token(fields())
        ask("refresh tokens", lambda: self.refresh.revoke(token))
        return answer({})

    def keys(self) -> Response:
        """GET /.well-known/jwks.json: the public keys. A secret of HS256 has no public half, so none is there."""
        published = ask("key ring", lambda: jwks.publish(key for key in self.ring.published() if key.alg != "HS256"))
        response = answer(published)
        # Whoever keeps it no longer than that meets no token of a key they have not seen.
        response.headers["Cache-Control"] = f"public, max-age={int(self.ring.cache)}"
        return response

    # ---- what they need ------------------------------------------------------------------------------

    def _use(self, token: str, client: str) -> tuple[str, str]:
        may_raise = (RefreshRefused, StoreDown)
        try:
            used = ask("refresh tokens", lambda: self.refresh.use(token, client), may_raise=may_raise)
        except RefreshRefused as refused:
            raise Refusal(400, str(refused), code="invalid_grant") from None
        if not (isinstance(used, tuple | list) and [type(one) for one in used] == [str, str]):
            raise unusable("use", used, "two texts, the user and the next token", "refresh tokens")
        return tuple(used)

    def _sign(self, user: str, audience: str, **claims: Any) -> str:
        def sign() -> str:
            now = self.books.clock()
            return tokens.issue(self.ring.signing(), user, audience, now, self.lifetime, **claims)

        return ask("key ring", sign)

    def _issued(self, user: str, client: str, audience: str, refresh_token: str, **more: str) -> Response:
        """The answer of RFC 6749 §5.1. The access token is as RFC 9068 has it; no customer gets a role."""
        return answer({
            "access_token": self._sign(user, audience, client_id=client),
            "token_type": "Bearer",
            "expires_in": int(self.lifetime),
            "refresh_token": refresh_token,
            **more,
        })  # fmt: skip

    def _audience(self, given: dict[str, Any]) -> str:
        audience = text({"audience": "accounts", **given}, "audience", LONGEST_NAME)
        if audience not in self.audiences:
            raise Refusal(400, f"There is no audience of this name: ask for {' or '.join(self.audiences)}.")
        return audience


def identity(
    books: Books,
    ring: KeyRing,
    refresh: RefreshTokens,
    *,
    lifetime: float = 900,
    audiences: Collection[str] = ("accounts", "statements"),
    origins: Collection[str] = (),
) -> Identity:
    """Open identity on `books`; `ring` signs as `ring.issuer`, and `refresh` issues and renews refresh tokens.

    `lifetime`: of access tokens and ID tokens, in seconds. `audiences`: the services that it issues access tokens
    for, one token for one of them. `origins`: of the pages that may call it from a browser.

    It takes passwords from every app that sends them. A real one has pages of its own, and no app sees a password
    (RFC 9700 §2.4).
    """
    app = Identity(books, ring, refresh, lifetime, audiences)
    cors.allow(app, origins)
    return app


def _client(given: dict[str, Any]) -> str:
    return text({"client": "web", **given}, "client", LONGEST_NAME)


def _refresh_token(given: dict[str, Any]) -> str:
    return text(given, "refresh_token", LONGEST_TOKEN)


@contextmanager
def _in_oauths_words() -> Iterator[None]:
    """Give every refusal in here a code of RFC 6749 §5.2: what is wrong with the body is an invalid_request."""
    try:
        yield
    except Refusal as refusal:
        refusal.code = refusal.code or "invalid_request"
        raise
