"""What Mallory works with at the gate of lab 39: small tools that take a token apart, write one, and use it."""

import base64
import hmac
import json

__all__ = ["ORDER", "decoded", "encoded", "opened", "signing", "steal", "written"]

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def encoded(data):
    """The base64url (str) of bytes, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(part):
    """The bytes of a part of a token."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def opened(token):
    """What a token says: its header and its claims (two dicts)."""
    return tuple(json.loads(decoded(part)) for part in token.split(".")[:2])


def written(header, claims, sign):
    """A token (str) of this header and these claims. `sign` makes a signature (bytes) of bytes."""
    signed = ".".join(encoded(json.dumps(part).encode()) for part in (header, claims))
    return f"{signed}.{encoded(sign(signed.encode()))}"


def signing(secret):
    """A `sign` for written(): HS256 with this secret (bytes)."""
    return lambda data: hmac.digest(secret, data, "sha256")


def steal(http, token):
    """With this token, move one of Ana's ferns to Mallory. Returns the status: 200 when it moved."""
    order = {"from": "ana", "to": "mallory", "amount": 1}
    return http("POST", "/transfer", {"Authorization": f"Bearer {token}"}, order)["status"]
