"""The verifier as one runs it at work, on PyJWT: with the rules that PyJWT leaves to whoever calls it."""

import re
import time
from functools import lru_cache
from typing import Any

import jwt

from labs.auth import base64url, jws, tokens
from labs.auth.token_errors import (
    BadSignature,
    Expired,
    Malformed,
    NotYetValid,
    TokenRefused,
    WrongAlgorithm,
    WrongAudience,
    WrongClaim,
    WrongIssuer,
    WrongType,
)
from labs.auth.tokens import Policy

__all__ = ["verify"]

_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*")

REQUIRED = ["iss", "aud", "sub", "exp", "iat"]  # PyJWT checks what is there; what has to be there, it must be told


def verify(token: str, policy: Policy) -> dict[str, Any]:
    """Return the claims of a token that `policy` accepts now. Raises TokenRefused, KeysUnavailable.

    Accepts what `labs.auth.tokens.verify` accepts at `time.time()`, except that PyJWT cuts times to whole seconds:
    an `exp` between two seconds has come at the first.
    """
    # PyJWT takes `=` at the end of a part, so that one token has several texts, and trips over a lone surrogate.
    found = _COMPACT.fullmatch(token) if isinstance(token, str) and len(token) <= jws.LONGEST else None
    if found is None:
        raise Malformed("This is not a signed token: three parts in base64url, with dots between them.")
    header = _header(found[1])
    key = tokens.find_key(header, policy, time.time())
    jws.check_header(header, key)
    try:
        claims = _reader.decode(
            token,
            key.verifies,
            algorithms=[key.alg],  # a list of one: of a text every part would do, of several the header would choose
            issuer=policy.issuer,
            audience=policy.audience,
            leeway=policy.leeway,
            options={"require": REQUIRED},
        )
    except jwt.PyJWTError as error:
        raise _refusal(error) from error
    if header.get("typ") != policy.typ:  # PyJWT does not look at it: an ID token would do as an access token
        raise WrongType(f"This is not a token of the type {policy.typ}.")
    return tokens.check(claims, policy, time.time())  # PyJWT takes " 1900000900 " and true for times


@lru_cache(maxsize=64)  # all tokens that one key signs have the same header
def _header(part: str) -> dict[str, Any]:
    return jws.json_object(base64url.decode(part), "header")


class _StrictReader(jwt.PyJWT):
    """PyJWT that reads the payload as `labs.auth.jws` does: of a claim that stands twice, PyJWT takes the last."""

    def _decode_payload(self, decoded: dict[str, Any]) -> dict[str, Any]:  # made to be overridden, says PyJWT
        return jws.json_object(decoded["payload"], "payload")


_reader = _StrictReader()

_REFUSALS = {
    jwt.DecodeError: (Malformed, "The token is not of the form that is asked for."),
    jwt.InvalidSignatureError: (BadSignature, "The signature does not fit."),
    jwt.InvalidAlgorithmError: (WrongAlgorithm, "The token names another algorithm than its key has."),
    jwt.ExpiredSignatureError: (Expired, "The token has expired."),
    jwt.ImmatureSignatureError: (NotYetValid, "The token is not valid yet."),
    jwt.InvalidIssuerError: (WrongIssuer, "Somebody else issued this token."),
    jwt.InvalidAudienceError: (WrongAudience, "This token is for another service."),
}


def _refusal(error: jwt.PyJWTError) -> TokenRefused:
    """PyJWT's error as one of ours: its own text is for developers, and may quote from the token."""
    if isinstance(error, jwt.MissingRequiredClaimError):
        kind = {"iss": WrongIssuer, "aud": WrongAudience}.get(error.claim, WrongClaim)
        return kind(f"The token's {error.claim} is missing.")
    kind, sentence = _REFUSALS.get(type(error), (WrongClaim, "A claim of the token is not what it should be."))
    return kind(sentence)
