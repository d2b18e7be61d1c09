"""The published test vectors in data/vectors, as cases for a verifier that knows four algorithms."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from labs.auth import base64url
from labs.auth.algorithms import ALGORITHMS

__all__ = ["DEVIATIONS", "Vector", "repinned", "rfcs", "wycheproof"]

FOLDER = Path(__file__).resolve().parents[2] / "data" / "vectors"

DEVIATIONS = {367: True, 370: True, 372: False, 373: False}
"""Wycheproof's vectors that Fernbank's token profile judges otherwise, and whether it accepts them.

367 and 370 are marked invalid ("invalid padding"), and are byte for byte 357, which is marked valid. 372 and 373
are marked valid, and have a `?` inside a part: RFC 7515 §2 defines base64url "without the inclusion of any line
breaks, whitespace, or other additional characters".
"""

PINNED = {"RSA": "RS256", "EC": "ES256"}


class Vector(NamedTuple):
    """A token, the key it is judged with, and the payload it has; None when it must be refused."""

    label: str
    token: str
    jwk: dict[str, Any]
    payload: bytes | None


def rfcs() -> Iterator[Vector]:
    """The examples of RFC 7515, 7519, 7520 and 8037."""
    for one in _read("rfc7515_7519_8037.json"):
        yield _vector(one["name"], one["token"], one["jwk"] | {"alg": one["alg"]}, one["valid"])
    for file in sorted(FOLDER.glob("rfc[78]*_*_*.json")):
        if file.name == "rfc7515_7519_8037.json":
            continue
        one = _read(file.name)
        key = one["input"]["key"] | {"alg": one["input"]["alg"]}
        label = f"RFC {file.name[3:7]}, {one['title']}"
        yield _vector(label, one["output"]["compact"], key, key["alg"] in ALGORITHMS)


def wycheproof() -> Iterator[Vector]:
    """Wycheproof's JWS vectors, each with its own key; a key without an alg is pinned to that of its kind."""
    for id, comment, token, key, result in _wycheproof():
        key = {"alg": PINNED.get(key["kty"], "HS256")} | key
        good = DEVIATIONS.get(id, result == "valid" and key["alg"] in ALGORITHMS)
        yield _vector(f"Wycheproof {id} ({comment})", token, key, good)


def repinned() -> Iterator[Vector]:
    """Those whose key is for another algorithm, with the key pinned to RS256 or ES256.

    332 is then an honest RS256 signature. It is marked invalid because its key was pinned to PS512.
    """
    for id, comment, token, key, _ in _wycheproof():
        if key.get("alg", "HS256") not in ALGORITHMS:
            pinned = key | {"alg": PINNED[key["kty"]]}
            honest_rs256 = id == 332
            yield _vector(f"Wycheproof {id} ({comment}), key pinned to {pinned['alg']}", token, pinned, honest_rs256)


def _wycheproof() -> Iterator[tuple[int, str, str, dict[str, Any], str]]:
    for group in _read("wycheproof_json_web_signature_test.json")["testGroups"]:
        key = group.get("public") or group["private"]
        for test in group["tests"]:
            yield test["tcId"], test["comment"], test["jws"], key, test["result"]


def _vector(label: str, token: str, jwk: dict[str, Any], good: bool) -> Vector:
    return Vector(label, token, jwk, base64url.decode(token.split(".")[1]) if good else None)


@cache
def _read(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))
