"""A bank on tokens that can be ended early, and may come encrypted; identity there has a forgetful corner."""

import json
from collections.abc import Callable

from flask import Flask, Response, request
from joserfc.jwk import RSAKey

from labs.auth import jws, tokens
from labs.auth.denylist import DenyList
from labs.auth.keys import Key, KeySet
from labs.auth.refresh import RefreshTokens
from labs.auth.stores import MemoryStore
from labs.auth.token_errors import TokenError
from labs.bench import serve
from labs.servers.accounts import accounts
from labs.servers.answers import answer
from labs.servers.books import Books
from labs.servers.business import LONGEST_NAME, LONGEST_PASSWORD, prove
from labs.servers.flaws import claims as flaws
from labs.servers.flaws.nested import Nested, OnlyIfSigned, OnlyIfSignedPlain, encryption_key, sealed
from labs.servers.flaws.token_bank import OneKey, TokenBank
from labs.servers.forms import fields, text
from labs.servers.gate import Verify, bearer
from labs.servers.identity import Identity, identity

__all__ = ["CLAIM_GATES", "claims_bank"]

Gate = Callable[..., Verify]
"""Makes the verifier of accounts from its policy and its key pair for encryption."""


def claims_bank(
    key: Key,
    gate: Gate,
    ending: type[DenyList] = DenyList,
    books: Books | None = None,
    encryption: RSAKey | None = None,
) -> TokenBank:
    """Start identity, which signs with `key`, and accounts with the verifier that `gate(policy, encryption)` makes.

    `ending`: the kind of list in front of it. `encryption`: accounts' own key pair (default: a new one). Those that
    a call before this one started are stopped first.
    """
    books, ring, encryption = books or Books(), OneKey(key), encryption or encryption_key()
    issuer = identity(books, ring, RefreshTokens(MemoryStore()))
    _forgets_the_end(issuer, key)
    _seals(issuer, encryption)
    policy = tokens.Policy(key.issuer, "accounts", KeySet(ring.published()), leeway=ring.leeway)
    listed = ending(gate(policy, encryption), MemoryStore(), leeway=ring.leeway)
    app = accounts(books, listed)
    _ends(app, listed)
    _publishes(app, encryption.as_dict(private=False))
    return TokenBank(serve(issuer), serve(app), books)


def _forgets_the_end(app: Identity, key: Key) -> None:
    """POST /standing-order: an access token for payments that come each month. It says no `exp`."""

    @app.post("/standing-order")
    def standing_order() -> Response:
        given = fields()
        user = text(given, "username", LONGEST_NAME)
        prove(user, text(given, "password", LONGEST_PASSWORD), 401, "login")
        token = tokens.issue(key, user, "accounts", app.books.clock())
        claims = json.loads(jws.read(token).payload)
        del claims["exp"]  # an old habit of this bank's; whether it does harm, the verifier decides
        return answer({"access_token": jws.sign(json.dumps(claims).encode(), key, tokens.ACCESS_TOKEN)})


def _seals(app: Identity, encryption: RSAKey) -> None:
    """POST /login/sealed: the access token is encrypted for accounts, besides."""

    @app.post("/login/sealed")
    def sealed_login() -> Response:
        token = app.log_in().get_json()["access_token"]
        return answer({"access_token": sealed(token, encryption)})


def _ends(app: Flask, listed: DenyList) -> None:
    """POST /end: the token that came along is over."""

    @app.post("/end")
    def end() -> Response:
        try:
            listed.end(request.headers.get("Authorization", "").removeprefix("Bearer "))
        except TokenError as refused:
            raise bearer(401, "invalid_token", str(refused)) from None
        return answer({})


def _publishes(app: Flask, jwk: dict) -> None:
    """GET /.well-known/jwks.json: the key to encrypt with."""

    @app.get("/.well-known/jwks.json")
    def keys() -> Response:
        return answer({"keys": [jwk]})


def plain(kind: Callable[[tokens.Policy], Verify]) -> Gate:
    """A gate that takes no encrypted tokens."""
    return lambda policy, encryption: kind(policy)


CLAIM_GATES: dict[str, tuple[Gate, type[DenyList]]] = {
    "the course's own": (plain(flaws.Verifier), DenyList),
    "any audience": (plain(flaws.AnyAudience), DenyList),
    "any type": (plain(flaws.AnyType), DenyList),
    "a long leeway": (plain(flaws.LongLeeway), DenyList),
    "no end is fine": (plain(flaws.NoEndIsFine), DenyList),
    "a list of texts": (plain(flaws.Verifier), flaws.RawDenyList),
    "a list of texts, = is skipped": (plain(flaws.SkipsEquals), flaws.RawDenyList),
    "a list of names, = is skipped": (plain(flaws.SkipsEquals), DenyList),
    "encrypted, signed inside": (Nested, DenyList),
    "verified only if signed": (OnlyIfSigned, DenyList),
    "verified only if signed, plain": (OnlyIfSignedPlain, DenyList),
}
"""Verifiers by name, with the list of ended tokens in front: each with one flaw, and beside it what is mended."""
