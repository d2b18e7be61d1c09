"""Why a token is not accepted: one small tree of errors, each a sentence that a client may see."""

__all__ = [
    "BadSignature",
    "Expired",
    "KeysUnavailable",
    "Malformed",
    "NotYetValid",
    "RefreshRefused",
    "TokenError",
    "TokenRefused",
    "UnknownKey",
    "WrongAlgorithm",
    "WrongAudience",
    "WrongClaim",
    "WrongIssuer",
    "WrongType",
]


class TokenError(Exception):
    """A token could not be accepted. Its message may be shown to whoever sent it: no secret stands in it."""


class KeysUnavailable(TokenError):
    """The keys could not be fetched: nothing is known about the token, so the answer is 503 and not 401."""


class TokenRefused(TokenError):
    """The token is not good: 401 with `error="invalid_token"` (RFC 6750 §3.1)."""


class Malformed(TokenRefused):
    """It is no token of the form that is asked for (RFC 7515 §5.2, RFC 7519 §7.2)."""


class WrongAlgorithm(TokenRefused):
    """Its header names another algorithm than its key has (RFC 8725 §3.1)."""


class UnknownKey(TokenRefused):
    """Nobody has published a key of this `kid`, or it is no longer in use."""


class BadSignature(TokenRefused):
    """The signature does not fit what was signed, or was made with another key."""


class WrongType(TokenRefused):
    """It is a token of another kind: an ID token, say, where an access token belongs (RFC 8725 §3.11)."""


class WrongClaim(TokenRefused):
    """A claim is missing, or is not what the standard says that it is (RFC 7519 §4.1)."""


class WrongIssuer(WrongClaim):
    """Somebody else issued it (RFC 7519 §4.1.1)."""


class WrongAudience(WrongClaim):
    """It is meant for somebody else (RFC 7519 §4.1.3, RFC 8725 §3.9)."""


class Expired(WrongClaim):
    """Its time is over (RFC 7519 §4.1.4)."""


class NotYetValid(WrongClaim):
    """Its time has not come (RFC 7519 §4.1.5)."""


class RefreshRefused(TokenRefused):
    """A refresh token is not good: 400 with `error="invalid_grant"` and not 401 (RFC 6749 §5.2)."""
