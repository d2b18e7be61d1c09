"""base64url without padding, as RFC 7515 §2 wants it: one text for each string of bytes, and no other."""

import base64
import binascii
import re

from labs.auth.token_errors import Malformed

__all__ = ["decode", "encode"]

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*")


def encode(data: bytes) -> str:
    """Return `data` as base64url text without `=`."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Return the bytes behind base64url text. Raises Malformed for everything that `encode` does not write.

    Python's own decoder skips what it does not know, takes `=`, and ignores the bits that are left over in the
    last character: one token would have several texts, and a deny-list of texts would miss all but one.
    """
    if not _ALPHABET.fullmatch(text):
        raise Malformed("A part of the token is not base64url: only letters, digits, - and _ may stand in it.")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise Malformed("A part of the token has a length that base64url never has.") from None
    if encode(data) != text:
        raise Malformed("The last character of a part of the token holds bits that mean nothing (RFC 4648 §3.5).")
    return data
