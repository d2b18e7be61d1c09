"""ECDSA on P-256 in thirty lines, to see what the sum says about zeros (FIPS 186-5 §6.4.2). Never use it."""

import hashlib

__all__ = ["is_signature", "is_signature_in_range"]

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
Point = tuple[int, int] | None  # None: the point at infinity


def is_signature_in_range(signature: bytes, signed: bytes, public: Point) -> bool:
    """Whether r and s (32 bytes each) sign `signed`; each must lie between 1 and N - 1."""
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    return len(signature) == 64 and 0 < r < N and 0 < s < N and is_signature(signature, signed, public)


def is_signature(signature: bytes, signed: bytes, public: Point) -> bool:
    """The sum alone, as in Java 15 to 18: for s = 0 both factors are 0, and so is x of what results."""
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    digest = int.from_bytes(hashlib.sha256(signed).digest(), "big")
    inverse = pow(s, N - 2, N)  # by Fermat's theorem: 0 has none, and this gives 0
    point = _sum(_times(digest * inverse % N, G), _times(r * inverse % N, public))
    return (point[0] % N if point else 0) == r


def _times(factor: int, point: Point) -> Point:
    result = None
    while factor:
        if factor & 1:
            result = _sum(result, point)
        point, factor = _sum(point, point), factor >> 1
    return result


def _sum(one: Point, other: Point) -> Point:
    if one is None or other is None:
        return one or other
    if one[0] == other[0] and (one[1] + other[1]) % P == 0:
        return None
    if one == other:
        slope = 3 * (one[0] ** 2 - 1) * pow(2 * one[1], -1, P)  # a of P-256 is -3
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, P)
    x = (slope * slope - one[0] - other[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P
