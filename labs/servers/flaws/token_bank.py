"""A bank on tokens: identity, which signs with one key, and accounts, which is handed one verifier or another."""

import tempfile
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from labs.auth import tokens
from labs.auth.keys import Key, KeySet, generate
from labs.auth.refresh import RefreshTokens
from labs.auth.stores import MemoryStore
from labs.bench import Site, learner_seed, serve
from labs.servers.accounts import accounts
from labs.servers.books import Books
from labs.servers.customers import DATA, _pick
from labs.servers.flaws import tokens as flaws
from labs.servers.gate import Verify
from labs.servers.identity import identity
from labs.servers.record import Record

__all__ = ["GATES", "ISSUER", "OneKey", "TokenBank", "guessable", "key_folder", "new_key", "token_bank"]

ISSUER = "http://id.fernbank.localhost"
Gate = Callable[[tokens.Policy], Verify]
"""Makes the verifier of accounts from its policy, which holds the key."""


class OneKey:
    """A key ring for `identity` with one key that stays."""

    cache, leeway, lifetime = 300, 30, 900

    def __init__(self, key: Key) -> None:
        self.key, self.issuer, self.alg = key, key.issuer, key.alg

    def signing(self) -> Key:
        """Return the key."""
        return self.key

    def published(self) -> list[Key]:
        """Return what verifiers need: the public half, or for HS256 the secret, which they share."""
        return [self.key if self.alg == "HS256" else self.key.public()]


@dataclass
class TokenBank:
    """Two running sites on one set of books; also a context manager that stops them."""

    identity: Site
    accounts: Site
    books: Books

    @property
    def record(self) -> Record:
        """Who read or moved what, at both."""
        return self.books.record

    def stop(self) -> None:
        """Stop both."""
        self.identity.stop()
        self.accounts.stop()

    def __enter__(self) -> "TokenBank":
        return self

    def __exit__(self, *_) -> None:
        self.stop()


def token_bank(key: Key, gate: Gate = flaws.Verifier, books: Books | None = None) -> TokenBank:
    """Start identity, which signs with `key`, and accounts with the verifier that `gate(policy)` makes.

    Those that a call before this one started are stopped first. `books`: default new ones.
    """
    books, ring = books or Books(), OneKey(key)
    issuer = identity(books, ring, RefreshTokens(MemoryStore(), clock=books.clock))
    policy = tokens.Policy(key.issuer, "accounts", KeySet(ring.published()), leeway=ring.leeway)
    return TokenBank(serve(issuer), serve(accounts(books, gate(policy))), books)


def new_key(alg: str) -> Key:
    """A key that signs; for "guessable" one of HS256 with a word for a secret, which follows from the seed."""
    if alg != "guessable":
        return generate(alg, ISSUER)
    secret = guessable().encode()
    return flaws.WeakKey("hs256-typed", "HS256", ISSUER, verifies=secret, signs=secret)


def guessable(seed: str | None = None) -> str:
    """A secret as people type them, from the course's list (data/secrets.txt), for this learner's seed."""
    lines = (DATA / "secrets.txt").read_text("utf-8").splitlines()
    words = [line for line in lines if line and not line.startswith("#")]
    seed = learner_seed() if seed is None else seed
    return _pick(seed, "a weak secret", words[len(words) // 2 :]).capitalize() + _pick(
        seed, "its ending", [str(year) for year in range(2010, 2027)]
    )


def key_folder(policy: tokens.Policy) -> Path:
    """A folder with a file for each key of the policy, named by its `kid`, that holds the secret."""
    folder = tempfile.TemporaryDirectory(prefix="fernbank-keys-")
    weakref.finalize(policy.keys, folder.cleanup)
    for key in policy.keys:
        Path(folder.name, key.kid).write_bytes(key.verifies)
    return Path(folder.name)


GATES: dict[str, tuple[str, Gate]] = {
    "the course's own": ("ES256", flaws.Verifier),
    "believes none": ("ES256", flaws.BelievesNone),
    "bans one spelling": ("ES256", flaws.BansOneSpelling),
    "the header chooses": ("RS256", flaws.HeaderChooses),
    "a word for a secret": ("guessable", flaws.Verifier),
    "kid is a path": ("HS256", lambda policy: flaws.KidIsPath(policy, key_folder(policy))),
    "kid is a name": ("HS256", lambda policy: flaws.KidIsName(policy, key_folder(policy))),
    "kid in a query": ("HS256", lambda policy: flaws.KidInQuery(policy, policy.keys)),
    "kid as a parameter": ("HS256", lambda policy: flaws.KidInTable(policy, policy.keys)),
    "follows jku": ("ES256", flaws.FollowsJku),
    "trusts its jwk": ("ES256", flaws.TrustsItsJwk),
    "r and s unasked": ("ES256", flaws.ToyEcdsa),
    "r and s asked": ("ES256", flaws.CarefulEcdsa),
}
"""Verifiers by name, with the algorithm of the key: each with one flaw, and beside it the one that is mended."""
