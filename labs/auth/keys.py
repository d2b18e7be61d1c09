"""Keys: each has one algorithm, one issuer, a `kid`, perhaps one audience, and an end."""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from labs.auth import base64url
from labs.auth.algorithms import ALGORITHMS, Private, Public
from labs.auth.token_errors import Malformed, UnknownKey

__all__ = ["Key", "KeySet", "from_jwk", "generate", "jwk_of"]

NEVER = float("inf")

_PUBLIC_TEXT = re.compile(rb'----[- ]BEGIN |\Assh-|\Aecdsa-sha2-|"kty"')  # marks of PEM, SSH and JWK


@dataclass(frozen=True)
class Key:
    """One key of one issuer.

    `alg` is the only algorithm that it is good for: a token's header never chooses (RFC 8725 §3.1). `verifies`:
    what checks a signature, bytes for HS256 and a public key of `cryptography` for the others. `signs`: what
    makes one, the same bytes or the private key; None for whoever may only check. `audience`: the one service
    that this key's tokens are for, None when their `aud` says it. From `expires_at` on (seconds since 1970) its
    tokens are refused. Raises ValueError when the parts do not fit.
    """

    kid: str
    alg: str
    issuer: str
    verifies: Public
    signs: Private | None = None
    audience: str | None = None
    expires_at: float = NEVER

    def __post_init__(self) -> None:
        kinds = {
            "HS256": bytes, "RS256": rsa.RSAPublicKey, "ES256": ec.EllipticCurvePublicKey,
            "EdDSA": ed25519.Ed25519PublicKey,
        }
        if self.alg not in ALGORITHMS or not isinstance(self.verifies, kinds[self.alg]):
            raise ValueError(f"{self.alg!r} does not go with this kind of key.")
        if self.alg == "HS256" and len(self.verifies) < 32:
            raise ValueError("An HS256 key has at least 32 bytes (RFC 7518 §3.2): secrets.token_bytes(32).")
        if self.alg == "HS256" and _PUBLIC_TEXT.search(self.verifies):
            raise ValueError("This is the text of a key pair and no secret: with HS256 everybody could sign with it.")
        if self.alg == "RS256" and self.verifies.key_size < 2048:
            raise ValueError("An RS256 key has at least 2,048 bits (RFC 7518 §3.3).")
        if self.alg == "ES256" and not isinstance(self.verifies.curve, ec.SECP256R1):
            raise ValueError("An ES256 key lies on the curve P-256 (RFC 7518 §3.4).")
        if self.alg == "EdDSA" and _is_of_small_order(self.verifies.public_bytes_raw()):
            raise ValueError("With this Ed25519 key everybody can sign: its point has a small order.")
        if self.signs is not None and _checks(self.signs) != self.verifies:
            raise ValueError("What signs and what verifies are not two halves of one key.")

    def __repr__(self) -> str:  # a key must not end up in a log
        return f"<Key {self.kid} of {self.issuer}: {self.alg}{', signs' if self.signs is not None else ''}>"

    def public(self) -> "Key":
        """This key for those who only check. Raises ValueError for HS256, where who can check can sign."""
        if self.alg == "HS256":
            raise ValueError("An HS256 key has no public half: whoever can check with it can also sign.")
        return replace(self, signs=None)


def generate(alg: str, issuer: str, kid: str | None = None, audience: str | None = None) -> Key:
    """Make a new key. `kid`: default a random one."""
    kid = kid or f"{alg.lower()}-{secrets.token_hex(4)}"
    if alg == "HS256":
        secret = secrets.token_bytes(32)
        return Key(kid, alg, issuer, verifies=secret, signs=secret, audience=audience)
    match alg:
        case "RS256":
            private = rsa.generate_private_key(65537, 2048)
        case "ES256":
            private = ec.generate_private_key(ec.SECP256R1())
        case "EdDSA":
            private = ed25519.Ed25519PrivateKey.generate()
        case _:
            raise ValueError(f"{alg!r} is none of the algorithms {', '.join(ALGORITHMS)}.")
    return Key(kid, alg, issuer, verifies=private.public_key(), signs=private, audience=audience)


_P = 2**255 - 19
_Y8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL = {0, 1, _P - 1, _Y8, _P - _Y8}  # y of the eight points whose order divides 8 (RFC 8032 §5.1, cofactor)


def _is_of_small_order(point: bytes) -> bool:
    """Whether an Ed25519 public key is one of the few for which anybody can make signatures: zeros, for example.

    An honest key never is; libraries verify with it all the same, so a key that was left out would let all pass.
    """
    return int.from_bytes(point, "little") % 2**255 % _P in _SMALL


class KeySet:
    """The keys that somebody trusts, found by `kid` and issuer: two issuers may use the same `kid`."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys: dict[tuple[str, str], Key] = {}
        for key in keys:
            if (key.issuer, key.kid) in self._keys:
                raise ValueError(f"Two keys of {key.issuer} have the kid {key.kid!r}: give each its own.")
            self._keys[key.issuer, key.kid] = key

    def find(self, kid: str, issuer: str) -> Key:
        """Return the key of this `kid` and issuer. Raises UnknownKey."""
        try:
            return self._keys[issuer, kid]
        except KeyError:
            raise UnknownKey("No key with this kid is published.") from None

    def __iter__(self):
        return iter(self._keys.values())

    def __len__(self) -> int:
        return len(self._keys)


# ---- JSON Web Keys -------------------------------------------------------------------------------


def jwk_of(key: Key) -> dict[str, str]:
    """The public half of a key as a JWK (RFC 7517, RFC 7518 §6). Raises ValueError for HS256, which has none."""
    about = {"kid": key.kid, "alg": key.alg, "use": "sig"}
    match key.public().alg:
        case "RS256":
            numbers = key.verifies.public_numbers()
            return {"kty": "RSA", "n": _uint(numbers.n), "e": _uint(numbers.e), **about}
        case "ES256":
            numbers = key.verifies.public_numbers()
            point = {"x": _uint(numbers.x, 32), "y": _uint(numbers.y, 32)}
            return {"kty": "EC", "crv": "P-256", **point, **about}
        case _:
            return {"kty": "OKP", "crv": "Ed25519", "x": base64url.encode(key.verifies.public_bytes_raw()), **about}


def from_jwk(jwk: dict[str, Any], issuer: str, audience: str | None = None, expires_at: float = NEVER) -> Key:
    """The verifying key that a JWK describes: a public one, or a secret (`oct`). Its private members are ignored.

    The JWK must name its algorithm and its `kid`; one for encryption is refused (RFC 7517 §4.2, §4.3). Raises
    ValueError, which says what is wrong with it.
    """
    if not isinstance(jwk, dict) or not isinstance(jwk.get("kid"), str):
        raise ValueError("A JWK of ours is a JSON object with a kid.")
    operations = jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        raise ValueError(f"The key {jwk['kid']!r} is not for checking signatures (use, key_ops).")
    try:
        match jwk.get("kty"), jwk.get("crv"), jwk.get("alg"):
            case "oct", None, "HS256":
                material = base64url.decode(jwk["k"])
            case "RSA", None, "RS256":
                material = rsa.RSAPublicNumbers(e=_number(jwk["e"]), n=_number(jwk["n"])).public_key()
            case "EC", "P-256", "ES256":
                numbers = ec.EllipticCurvePublicNumbers(_number(jwk["x"], 32), _number(jwk["y"], 32), ec.SECP256R1())
                material = numbers.public_key()  # raises ValueError for a point that is not on the curve
            case "OKP", "Ed25519", "EdDSA":
                material = ed25519.Ed25519PublicKey.from_public_bytes(base64url.decode(jwk["x"]))
            case kty, crv, alg:
                raise ValueError(f"kty {kty!r}, crv {crv!r} and alg {alg!r} do not go together")
    except KeyError as error:
        raise ValueError(f"The JWK {jwk['kid']!r} lacks {error}.") from None
    except (TypeError, Malformed, ValueError, UnsupportedAlgorithm) as error:
        raise ValueError(f"The JWK {jwk['kid']!r} cannot be read: {error}.") from None
    return Key(jwk["kid"], jwk["alg"], issuer, verifies=material, audience=audience, expires_at=expires_at)


def _uint(number: int, length: int | None = None) -> str:
    """A number as base64url of its bytes, big end first (RFC 7518 §2)."""
    return base64url.encode(number.to_bytes(length or (number.bit_length() + 7) // 8, "big"))


def _number(text: str, length: int | None = None) -> int:
    data = base64url.decode(text)
    if length not in (None, len(data)):
        raise ValueError(f"a coordinate of P-256 has {length} bytes (RFC 7518 §6.2.1.2)")
    return int.from_bytes(data, "big")


def _checks(private: Private) -> Public:
    """What verifies the signatures of this key."""
    return private if isinstance(private, bytes) else private.public_key()
