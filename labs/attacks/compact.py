"""Tokens taken apart and put together by hand, as Mallory does it: no library of hers refuses a strange header."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

__all__ = ["about", "decode", "encode", "forged", "mac", "unsigned"]

Sign = Callable[[bytes], bytes]
"""Takes what is to be signed and gives the signature."""


def encode(data: bytes) -> str:
    """base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(part: str) -> bytes:
    """The bytes that a part of a token stands for."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def about(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token. Everybody can read them."""
    header, payload, _ = token.split(".")
    return json.loads(decode(header)), json.loads(decode(payload))


def forged(sample: str, victim: str, sign: Sign, **header: Any) -> str:
    """The sample with another `sub`, and changes to its header. All else stays: it was honest, and fits."""
    head, claims = about(sample)
    parts = (head | header, claims | {"sub": victim})
    signed = ".".join(encode(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
    return f"{signed}.{encode(sign(signed.encode()))}"


def unsigned(data: bytes) -> bytes:
    """No signature at all."""
    return b""


def mac(secret: bytes) -> Sign:
    """HS256 with any bytes as the secret."""
    return lambda data: hmac.digest(secret, data, hashlib.sha256)
