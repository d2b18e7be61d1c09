"""Four ways to sign bytes, by the names that JWS has for them (RFC 7518 §3, RFC 8037 §3.1)."""

import hashlib
import hmac

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

__all__ = ["ALGORITHMS", "sign", "verify"]

ALGORITHMS = ("HS256", "RS256", "ES256", "EdDSA")

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""How many points P-256 has (FIPS 186-5): r and s of a signature lie between 1 and this number less one."""

Private = bytes | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
Public = bytes | rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


def sign(alg: str, key: Private, data: bytes) -> bytes:
    """Return the signature of `data`. `key`: bytes for HS256, else a private key of `cryptography`."""
    match alg:
        case "HS256":
            return hmac.digest(key, data, hashlib.sha256)
        case "RS256":
            return key.sign(data, padding.PKCS1v15(), SHA256())
        case "ES256":
            r, s = decode_dss_signature(key.sign(data, ec.ECDSA(SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")  # r and s as they are, no DER: RFC 7518 §3.4
        case "EdDSA":
            return key.sign(data)
    raise ValueError(f"{alg!r} is none of the algorithms {', '.join(ALGORITHMS)}.")


def verify(alg: str, key: Public, signature: bytes, data: bytes) -> bool:
    """Say whether `signature` is one of `data` by the owner of `key` (bytes for HS256, else a public key)."""
    if alg == "HS256":
        # In constant time: how long a plain == takes tells how many leading bytes were right.
        return hmac.compare_digest(hmac.digest(key, data, hashlib.sha256), signature)
    try:
        match alg:
            case "RS256":
                key.verify(signature, data, padding.PKCS1v15(), SHA256())
            case "ES256":
                key.verify(_der(signature), data, ec.ECDSA(SHA256()))
            case "EdDSA":
                key.verify(signature, data)
            case _:
                raise ValueError(f"{alg!r} is none of the algorithms {', '.join(ALGORITHMS)}.")
    except InvalidSignature:
        return False
    return True


def _der(signature: bytes) -> bytes:
    """An ES256 signature in the form that `cryptography` reads. Raises InvalidSignature for what is none.

    The range is checked here and in the library: where both forgot it, r = s = 0 signed everything
    (CVE-2022-21449). Of one signature (r, s) there is a second, (r, n - s), that verifies as well: never use a
    token's text as its name.
    """
    if len(signature) != 64:
        raise InvalidSignature
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not (0 < r < ORDER and 0 < s < ORDER):
        raise InvalidSignature
    return encode_dss_signature(r, s)
