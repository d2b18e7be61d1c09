"""JSON Web Signature in its compact form: header.payload.signature, each in base64url (RFC 7515 §3.1, §5)."""

import json
import math
from dataclasses import dataclass
from typing import Any

from labs.auth import algorithms, base64url
from labs.auth.keys import Key
from labs.auth.token_errors import BadSignature, Malformed, WrongAlgorithm, WrongType

__all__ = ["LONGEST", "Jws", "check_header", "json_object", "read", "sign", "verify"]

LONGEST = 8192
"""Characters of a token; a longer one is refused before anything of it is read. Servers take headers of 8 KiB."""

DEEPEST = 32
"""Lists and objects inside one another; more is refused (RFC 8259 §9). How many Python can read varies."""


@dataclass(frozen=True)
class Jws:
    """A token taken apart, and *not verified*: anybody can write any header and payload."""

    header: dict[str, Any]
    payload: bytes
    signature: bytes
    signed: bytes  # what the signature is of: the first two parts, as they were sent


def sign(payload: bytes, key: Key, typ: str | None = None) -> str:
    """Sign `payload` with a key and return the token; its header names `alg`, `kid`, and `typ` if given.

    Raises ValueError when the key can only check.
    """
    if key.signs is None:
        raise ValueError(f"The key {key.kid!r} can check signatures and not make them.")
    header = {"alg": key.alg, "kid": key.kid} | ({"typ": typ} if typ else {})
    signed = f"{base64url.encode(json.dumps(header, separators=(',', ':')).encode())}.{base64url.encode(payload)}"
    return f"{signed}.{base64url.encode(algorithms.sign(key.alg, key.signs, signed.encode()))}"


def read(token: str) -> Jws:
    """Take a token apart without verifying it. Raises Malformed for what is no token of three parts.

    Also refused, though the standard leaves it open: a member that stands twice in the header (two readers
    might see two headers), and padding, white space or stray bits in a part (one token, one text).
    """
    if not isinstance(token, str) or len(token) > LONGEST:
        raise Malformed(f"A token is text of at most {LONGEST:,} characters.")
    parts = token.split(".")
    if len(parts) != 3:  # five: encrypted, which proves nothing about who wrote it
        raise Malformed(f"A signed token has three parts, and this one has {len(parts)}.")
    header, payload, signature = map(base64url.decode, parts)
    return Jws(json_object(header, "header"), payload, signature, signed=f"{parts[0]}.{parts[1]}".encode())


def verify(jws: Jws, key: Key) -> bytes:
    """Return the payload, now that it is known to be signed with `key`.

    Raises WrongAlgorithm, WrongType (an extension that is not known here) or BadSignature.
    """
    check_header(jws.header, key)
    if not algorithms.verify(key.alg, key.verifies, jws.signature, jws.signed):
        raise BadSignature("The signature does not fit.")
    return jws.payload


def check_header(header: dict[str, Any], key: Key) -> None:
    """Raise WrongAlgorithm or WrongType unless a token with this header may be one that `key` signed.

    The key decides which algorithm is used, and the header has to agree. What the header says about keys (`jku`,
    `jwk`, `x5u`, `x5c`) is never followed.
    """
    if header.get("alg") != key.alg:
        raise WrongAlgorithm("The token names another algorithm than its key has.")
    if "crit" in header or "b64" in header:  # RFC 7515 §4.1.11: what is critical and unknown is refused
        raise WrongType("The token asks for an extension that is not known here.")


# ---- JSON, read strictly -------------------------------------------------------------------------


def json_object(data: bytes, what: str) -> dict[str, Any]:
    """The JSON object in `data`. Raises Malformed unless it is one that all readers read alike (RFC 7493, I-JSON):

    in UTF-8, with no member twice, no NaN, no number too large to compute with, no half of a character, and not
    nested deeper than DEEPEST.
    """
    try:
        value = _STRICT.decode(data.decode("utf-8"))
        if b"\\u" in data:  # "\ud800" is half a character: whoever writes it out again stumbles over it
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):  # what is nested too deep for Python raises the latter
        raise Malformed(f"The token's {what} is not JSON, or not JSON that all readers read alike.") from None
    if not isinstance(value, dict):
        raise Malformed(f"The token's {what} is not a JSON object.")
    if data.count(b"[") + data.count(b"{") > DEEPEST and _is_deep(value):
        raise Malformed(f"The token's {what} is nested too deep.")
    return value


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        inside = (one.values() if isinstance(one, dict) else one for one in level)
        level = [one for members in inside for one in members if isinstance(one, dict | list)]
    return bool(level)


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(members)
    if len(value) != len(members):
        raise ValueError("a member stands twice")
    return value


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text} is too large")
    return number


_STRICT = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number, parse_float=_finite)
