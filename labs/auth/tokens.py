"""JSON Web Tokens as Fernbank issues and checks them: signed claims, a type, an issuer, an audience, an end."""

import json
import math
import secrets
from dataclasses import dataclass
from typing import Any, Protocol

from labs.auth import jws
from labs.auth.keys import Key
from labs.auth.token_errors import (
    Expired,
    NotYetValid,
    UnknownKey,
    WrongAudience,
    WrongClaim,
    WrongIssuer,
    WrongType,
)

__all__ = ["ACCESS_TOKEN", "ID_TOKEN", "Keys", "Policy", "check", "find_key", "issue", "verify"]

ACCESS_TOKEN = "at+jwt"  # RFC 9068 §2.1
ID_TOKEN = "JWT"


class Keys(Protocol):
    """Where a verifier finds keys: `labs.auth.keys.KeySet`, or `labs.auth.jwks.JwksClient`."""

    def find(self, kid: str, issuer: str) -> Key:
        """Return the key. Raises UnknownKey, or KeysUnavailable."""


@dataclass(frozen=True)
class Policy:
    """What one service accepts. `leeway`: seconds by which clocks may differ. ValueError when that is no time."""

    issuer: str
    audience: str
    keys: Keys
    typ: str = ACCESS_TOKEN
    leeway: float = 30

    def __post_init__(self) -> None:
        if not 0 <= self.leeway < math.inf:  # NaN too: with it nothing ever expires
            raise ValueError(f"A leeway of {self.leeway} seconds is none: for most clocks 30 is plenty.")


def issue(
    key: Key, user: str, audience: str, now: float, lifetime: float = 900, typ: str = ACCESS_TOKEN, **claims: Any
) -> str:
    """Sign a token for `user` at `audience` that ends `lifetime` seconds after `now` (seconds since 1970).

    `claims` come besides `iss`, `sub`, `aud`, `iat`, `exp` and a random `jti` (RFC 9068 §2.2); one of those names
    among them takes its place. TypeError or ValueError when they are not JSON.
    """
    now = int(now)
    named = {
        "iss": key.issuer, "sub": user, "aud": audience, "iat": now, "exp": now + int(lifetime),
        "jti": secrets.token_urlsafe(16),
    }
    return jws.sign(json.dumps(named | claims, separators=(",", ":"), allow_nan=False).encode(), key, typ)


def verify(token: str, policy: Policy, now: float) -> dict[str, Any]:
    """Return the claims of a token that `policy` accepts at `now`. Raises TokenRefused, KeysUnavailable.

    RFC 8725 in order: the key is found by `kid` among those of the one issuer that is trusted, the key says which
    algorithm, then the signature, then the type, and only then is a claim believed.
    """
    parts = jws.read(token)
    payload = jws.verify(parts, find_key(parts.header, policy, now))
    # One spelling, though RFC 9068 §4 also allows application/at+jwt: Fernbank's issuer writes this one.
    if parts.header.get("typ") != policy.typ:
        raise WrongType(f"This is not a token of the type {policy.typ}.")
    return check(jws.json_object(payload, "payload"), policy, now)


def find_key(header: dict[str, Any], policy: Policy, now: float) -> Key:
    """Return the key that a token with this header must be signed with. Raises UnknownKey, KeysUnavailable."""
    kid = header.get("kid")
    if not isinstance(kid, str):
        raise UnknownKey("The token does not say which key it was signed with (kid).")
    key = policy.keys.find(kid, policy.issuer)
    if now >= key.expires_at:
        raise UnknownKey("The key of this token is no longer in use.")
    if key.audience not in (None, policy.audience):
        raise UnknownKey("The key of this token is not one for this service.")
    return key


def check(claims: dict[str, Any], policy: Policy, now: float) -> dict[str, Any]:
    """Return claims that `policy` accepts at `now`; their signature has been verified. Raises WrongClaim.

    A token has ended when `now >= exp + leeway`, and begins when `now >= nbf - leeway`.
    """
    if claims.get("iss") != policy.issuer:
        raise WrongIssuer("Somebody else issued this token.")
    audience = claims.get("aud")
    if audience != policy.audience and not _names(audience, policy.audience):
        raise WrongAudience("This token is for another service.")
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise WrongClaim("The token does not say whom it is about (sub).")
    if not isinstance(claims.get("jti", ""), str):
        raise WrongClaim("The token's name is not a text (jti).")
    if now >= _time(claims, "exp") + policy.leeway:
        raise Expired("The token has expired.")
    if _time(claims, "iat") - policy.leeway > now:
        raise NotYetValid("The token was issued in the future.")
    if "nbf" in claims and now < _time(claims, "nbf") - policy.leeway:
        raise NotYetValid("The token is not valid yet.")
    return claims


def _names(audience: Any, wanted: str) -> bool:
    """Whether an `aud` is a list of texts, and the wanted one among them."""
    return isinstance(audience, list) and wanted in audience and all(isinstance(one, str) for one in audience)


def _time(claims: dict[str, Any], name: str) -> float:
    """A claim as seconds since 1970: a JSON number (RFC 7519 §2), which text is not, nor a bool."""
    value = claims.get(name)
    if type(value) not in (int, float) or abs(value) > 1e15 or not math.isfinite(value):
        raise WrongClaim(f"The token's {name} is missing, or no time.")
    return value
