"""Verifiers of tokens with one flaw each: `Verifier`, which is `labs.auth.tokens.verify`, but for the marked line."""

import hashlib
import hmac
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from labs.auth import jws, tokens
from labs.auth.jwks import fetch_from
from labs.auth.keys import Key, from_jwk
from labs.auth.token_errors import BadSignature, UnknownKey, WrongAlgorithm, WrongType
from labs.auth.tokens import Policy
from labs.servers.flaws.ecdsa import is_signature, is_signature_in_range

__all__ = [
    "BansOneSpelling", "BelievesNone", "CarefulEcdsa", "FollowsJku", "HeaderChooses", "KidInQuery", "KidInTable",
    "KidIsName", "KidIsPath", "ToyEcdsa", "TrustsItsJwk", "Verifier", "WeakKey",
]  # fmt: skip

LONGEST_SECRET = 4096  # bytes of a file


class Verifier:
    """`labs.auth.tokens.verify` in three steps, so that a flaw can take the place of one. Call it with a token."""

    def __init__(self, policy: Policy, clock: Callable[[], float] = time.time) -> None:
        self.policy, self._clock = policy, clock

    def __call__(self, token: str) -> dict[str, Any]:
        """The claims. Raises TokenRefused, KeysUnavailable."""
        parts = jws.read(token)
        return self.believed(parts.header, self.proven(parts))

    def find_key(self, header: dict[str, Any]) -> Key:
        """The key that a token with this header must be signed with."""
        return tokens.find_key(header, self.policy, self._clock())

    def proven(self, parts: jws.Jws) -> bytes:
        """The payload, now that its signature is known to be good."""
        return jws.verify(parts, self.find_key(parts.header))

    def believed(self, header: dict[str, Any], payload: bytes) -> dict[str, Any]:
        """The claims in a payload whose signature is good."""
        if header.get("typ") != self.policy.typ:
            raise WrongType(f"This is not a token of the type {self.policy.typ}.")
        return tokens.check(jws.json_object(payload, "payload"), self.policy, self._clock())


# ---- the header says that there is no check, or which ------------------------------------------------------------


class BelievesNone(Verifier):
    """Knows the algorithm `none`, as the standard has it (RFC 7518 §3.6), and takes it from the header."""

    def proven(self, parts: jws.Jws) -> bytes:
        if parts.header.get("alg") == "none":
            return parts.payload  # VULNERABLE: the token says that it is not signed (RFC 8725 §3.1; McLean, 2015)
        return super().proven(parts)


class BansOneSpelling(Verifier):
    """The same after a hasty mend: the word is banned, and what means the same is not."""

    def proven(self, parts: jws.Jws) -> bytes:
        alg = parts.header.get("alg")
        if alg == "none":
            raise WrongAlgorithm("The token is not signed.")
        if isinstance(alg, str) and alg.lower().strip() in ("none", ""):
            return parts.payload  # VULNERABLE: a list of bad words, not of good ones (RFC 8725 §3.1)
        return super().proven(parts)


class HeaderChooses(Verifier):
    """Checks HS256 when the header says so, with the bytes of the key that it has: a public one, as PEM."""

    def proven(self, parts: jws.Jws) -> bytes:
        if parts.header.get("alg") != "HS256":
            return super().proven(parts)
        key = self.find_key(parts.header)
        # VULNERABLE: a key for another algorithm is used as a secret (CVE-2015-9235, CVE-2022-29217; RFC 8725 §3.1)
        return _with_secret(parts, key.verifies.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def _with_secret(parts: jws.Jws, secret: bytes) -> bytes:
    """The payload of a token of HS256. Raises BadSignature."""
    if not hmac.compare_digest(hmac.digest(secret, parts.signed, hashlib.sha256), parts.signature):
        raise BadSignature("The signature does not fit.")
    return parts.payload


class WeakKey(Key):
    """A key of HS256 whose secret is what somebody typed; all that `Key` asks of a secret is left out."""

    def __post_init__(self) -> None:
        """VULNERABLE: no length is asked, and a word is a secret (RFC 7518 §3.2, RFC 8725 §3.5, CWE-1391)."""


# ---- the header says where the key is --------------------------------------------------------------------------


class KidIsName(Verifier):
    """Secrets of HS256 in the files of a folder, by `kid`: a name is looked up among those that there are."""

    def __init__(self, policy: Policy, folder: Path, clock: Callable[[], float] = time.time) -> None:
        super().__init__(policy, clock)
        self._folder = folder

    def proven(self, parts: jws.Jws) -> bytes:
        if parts.header.get("alg") != "HS256":
            raise WrongAlgorithm("The keys of this service are for HS256.")
        kid = parts.header.get("kid")
        if not isinstance(kid, str):
            raise UnknownKey("The token does not say which key it was signed with (kid).")
        try:
            with self._file(kid).open("rb") as file:
                return _with_secret(parts, file.read(LONGEST_SECRET))  # some files have no end
        except (OSError, ValueError):
            raise UnknownKey("No key has this kid.") from None

    def _file(self, kid: str) -> Path:
        found = [file for file in self._folder.iterdir() if file.name == kid]
        if not found:
            raise UnknownKey("No key has this kid.")
        return found[0]


class KidIsPath(KidIsName):
    """The same, with the name made into a path."""

    def _file(self, kid: str) -> Path:
        return self._folder / kid  # VULNERABLE: `../` leads out, and a file that all know is a key (CWE-22)


class KidInTable(Verifier):
    """Secrets of HS256 in a table of a database, by `kid`."""

    def __init__(self, policy: Policy, keys: Iterable[Key], clock: Callable[[], float] = time.time) -> None:
        super().__init__(policy, clock)
        self._lock, self._database = threading.Lock(), sqlite3.connect(":memory:", check_same_thread=False)
        self._database.execute("CREATE TABLE keys (kid TEXT PRIMARY KEY, secret BLOB)")
        self._database.executemany("INSERT INTO keys VALUES (?, ?)", [(key.kid, key.verifies) for key in keys])

    def proven(self, parts: jws.Jws) -> bytes:
        if parts.header.get("alg") != "HS256":
            raise WrongAlgorithm("The keys of this service are for HS256.")
        kid = parts.header.get("kid")
        if not isinstance(kid, str):
            raise UnknownKey("The token does not say which key it was signed with (kid).")
        try:
            with self._lock:
                row = self._row(kid)
        except (sqlite3.Error, sqlite3.Warning, ValueError):  # text that is no statement, or no text for SQLite
            row = None
        if row is None:
            raise UnknownKey("No key has this kid.")
        return _with_secret(parts, row[0] if isinstance(row[0], bytes) else str(row[0]).encode())

    def _row(self, kid: str) -> tuple | None:
        return self._database.execute("SELECT secret FROM keys WHERE kid = ?", (kid,)).fetchone()


class KidInQuery(KidInTable):
    """The same, with the name made into a part of the statement."""

    def _row(self, kid: str) -> tuple | None:
        statement = f"SELECT secret FROM keys WHERE kid = '{kid}'"  # VULNERABLE: a quote ends the text (CWE-89)
        return self._database.execute(statement).fetchone()


class FollowsJku(Verifier):
    """Fetches the keys from where the token says that they are."""

    def find_key(self, header: dict[str, Any]) -> Key:
        if "jku" not in header:
            return super().find_key(header)
        try:
            # VULNERABLE: whoever writes the token chooses who vouches for it (RFC 8725 §3.10, CWE-918)
            published = fetch_from(header["jku"])()
            return _named(published["keys"], header.get("kid"), self.policy.issuer)
        except (OSError, ValueError, TypeError, LookupError, AttributeError):
            raise UnknownKey("The keys of this token cannot be fetched.") from None


class TrustsItsJwk(Verifier):
    """Checks with the key that stands in the header, where one does."""

    def find_key(self, header: dict[str, Any]) -> Key:
        if "jwk" not in header:
            return super().find_key(header)
        try:
            # VULNERABLE: the signature proves that whoever made the token made it (CVE-2026-27962; RFC 8725 §3.1)
            return _named([header["jwk"]], header.get("kid"), self.policy.issuer)
        except (ValueError, TypeError, LookupError, AttributeError):
            raise UnknownKey("The key of this token cannot be read.") from None


def _named(jwks: list[dict[str, Any]], kid: Any, issuer: str) -> Key:
    return from_jwk([jwk for jwk in jwks if jwk["kid"] == kid][0], issuer)


# ---- the arithmetic ----------------------------------------------------------------------------------------------


class CarefulEcdsa(Verifier):
    """ES256 computed by hand, with r and s asked whether they are in range. Slow, and only to be read."""

    _holds = staticmethod(is_signature_in_range)

    def proven(self, parts: jws.Jws) -> bytes:
        key = self.find_key(parts.header)
        if key.alg != "ES256":
            return super().proven(parts)
        jws.check_header(parts.header, key)
        numbers = key.verifies.public_numbers()
        if not self._holds(parts.signature, parts.signed, (numbers.x, numbers.y)):
            raise BadSignature("The signature does not fit.")
        return parts.payload


class ToyEcdsa(CarefulEcdsa):
    """The same without that question."""

    _holds = staticmethod(is_signature)  # VULNERABLE: r = s = 0 is a signature of everything (CVE-2022-21449)
