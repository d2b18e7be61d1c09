"""What a request's body says: from bytes to values that were checked, or a Refusal that says why not."""

import json
import unicodedata
from typing import Any
from urllib.parse import parse_qsl

from flask import request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from labs.servers.answers import Refusal

__all__ = ["LARGEST_BODY", "amount", "fields", "text"]

LARGEST_BODY = 16 * 1024
"""Octets; what is longer gets a 413."""

LARGEST_AMOUNT = 1_000_000_000
"""Ferns; there are not that many."""

JSON, FORM = "application/json", "application/x-www-form-urlencoded"


def fields() -> dict[str, Any]:
    """The fields of the request's body, which is JSON or a form.

    Raises Refusal: 400 for what is malformed, 413 for more than 16 KiB, 415 for any other type. JSON that
    calls itself text/plain is such another type: a form on any foreign page can send it, and CORS has no say.
    """
    try:
        body = request.get_data()
    except RequestEntityTooLarge:
        raise Refusal(413, f"The body is larger than {LARGEST_BODY} bytes.") from None
    except (OSError, ClientDisconnected):
        raise Refusal(400, "The body broke off, or is malformed.") from None
    if not body:
        return {}
    match request.mimetype:
        case "application/json":
            return _json(body)
        case "application/x-www-form-urlencoded":
            return _form(body)
    raise Refusal(415, f"The body must be {JSON} or {FORM}.", headers={"Accept": f"{JSON}, {FORM}"})


def text(given: dict[str, Any], name: str, longest: int, lines: bool = False) -> str:
    """The field `name`: a text of 1 to `longest` characters, with line breaks only where `lines` allows them.

    Raises Refusal (400).
    """
    value = _field(given, name)
    if not isinstance(value, str):
        raise Refusal(400, f'"{name}" must be a text.')
    if lines:
        value = value.replace("\r\n", "\n")  # browsers send it so, and count one character
    if not 1 <= len(value) <= longest:
        raise Refusal(400, f'"{name}" must have 1 to {longest} characters.')
    # Cc: control characters. Cs: half a surrogate pair, which JSON can spell ("\ud800") and UTF-8 cannot say.
    if any(unicodedata.category(one) in ("Cc", "Cs") and not (lines and one == "\n") for one in value):
        raise Refusal(400, f'"{name}" holds a character that is no text.')
    return value


def amount(given: dict[str, Any], name: str) -> int:
    """The field `name`: a whole number of ferns from 1 to 1,000,000,000. Raises Refusal (400)."""
    value = _field(given, name)
    if isinstance(value, str) and request.mimetype == FORM and value.isascii() and value.isdecimal():
        value = int(value) if len(value) < 20 else 0
    if type(value) is not int or not 1 <= value <= LARGEST_AMOUNT:  # isinstance would take True for a number
        raise Refusal(400, f'"{name}" must be a whole number of ferns from 1 to {LARGEST_AMOUNT:,}.')
    return value


def _field(given: dict[str, Any], name: str) -> Any:
    if name not in given:
        raise Refusal(400, f'"{name}" is missing.')
    return given[name]


def _json(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        raise Refusal(400, "The body is JSON that is nested too deeply.") from None
    except ValueError:  # not UTF-8, not JSON, NaN, a number of thousands of digits
        raise Refusal(400, "The body is not JSON.") from None
    if not isinstance(given, dict):
        raise Refusal(400, "The body must be a JSON object.")
    return given


def _form(body: bytes) -> dict[str, Any]:
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:
        raise Refusal(400, "The body is not a well-formed form.") from None
    return _once(pairs)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A dict of the pairs. A name that comes twice is refused: two readers could take two values of it."""
    given = dict(pairs)
    if len(given) != len(pairs):
        raise Refusal(400, "A field is given twice.")
    return given


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is Python's, not JSON (RFC 8259 §6).")
