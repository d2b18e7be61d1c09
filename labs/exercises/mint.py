"""What probes hand a verifier of tokens: keys drawn afresh, a policy, and tokens, honest or forged."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from labs.auth import algorithms, base64url
from labs.auth.algorithms import ORDER
from labs.auth.keys import Key, jwk_of

__all__ = ["GONE", "Issuer", "Mint", "compact", "damaged", "jwk", "mac", "public_texts", "rsa_key",
           "with_signature"]

GONE = object()
"""In a dict of changes: this member is left out."""


_drawn: WeakKeyDictionary = WeakKeyDictionary()
"""How many RSA keys each `random`, and so each probe, has been given: no two of its keys are the same."""


class Mint:
    """Draws keys and their names from `random`, so that a report's seed draws them again.

    All but RSA keys: to make one from a seed would take seconds. Each process makes a few, which all probes share.
    """

    def __init__(self, random: Any) -> None:
        self.random = random

    def kid(self) -> str:
        """The name of a key."""
        return f"{self.random.choice(['fern', 'moss', 'reed', 'key'])}-{self.random.getrandbits(32):08x}"

    def key(self, alg: str, kid: str | None = None, issuer: str = "") -> Key:
        """A key that signs."""
        kid = kid or self.kid()
        match alg:
            case "HS256":
                secret = self.random.randbytes(self.random.choice([32, 48, 64]))
                return Key(kid, alg, issuer, secret, secret)
            case "RS256":
                number = _drawn[self.random] = _drawn.get(self.random, 0) + 1
                private = rsa_key(2048, number)
            case "ES256":
                private = ec.derive_private_key(self.random.randrange(1, ORDER), ec.SECP256R1())
            case _:
                private = ed25519.Ed25519PrivateKey.from_private_bytes(self.random.randbytes(32))
        return Key(kid, alg, issuer, private.public_key(), private)


@cache
def rsa_key(bits: int, number: int = 0) -> rsa.RSAPrivateKey:
    """An RSA key of this process, the same for the same number."""
    return rsa.generate_private_key(65537, bits)


def jwk(key: Key) -> dict[str, Any]:
    """What a verifier is given of a key: the public half, or for HS256 the secret."""
    if key.alg == "HS256":
        return {"kty": "oct", "k": base64url.encode(key.verifies), "kid": key.kid, "alg": "HS256", "use": "sig"}
    return jwk_of(key)


def changed(members: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A dict with changes, some of which may be GONE."""
    return {name: value for name, value in (members | changes).items() if value is not GONE}


def compact(header: dict | bytes, payload: Any, sign: Key | Callable[[bytes], bytes]) -> str:
    """A token of this header and payload (bytes as they are, all else as JSON), signed by a key or a function."""
    first, second = (part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload))
    signed = f"{base64url.encode(first)}.{base64url.encode(second)}"
    if isinstance(sign, Key):
        signature = algorithms.sign(sign.alg, sign.signs, signed.encode())
    else:
        signature = sign(signed.encode())
    return f"{signed}.{base64url.encode(signature)}"


def with_signature(token: str, signature: bytes) -> str:
    """A token with another signature."""
    return f"{token.rpartition('.')[0]}.{base64url.encode(signature)}"


def damaged(token: str, random: Any) -> str:
    """A token with one bit of its signature changed."""
    signature = bytearray(base64url.decode(token.rpartition(".")[2]))
    signature[random.randrange(len(signature))] ^= 1 << random.randrange(8)
    return with_signature(token, bytes(signature))


def public_texts(key: Key) -> Iterator[tuple[str, bytes]]:
    """Every form in which a public key is lying about, with its name: what Mallory can use as an HMAC secret."""
    spki, raw = PublicFormat.SubjectPublicKeyInfo, []
    pem = key.verifies.public_bytes(Encoding.PEM, spki)
    if key.alg == "RS256":
        yield "PKCS #1 PEM", key.verifies.public_bytes(Encoding.PEM, PublicFormat.PKCS1)
        raw = [("the modulus", key.verifies.public_numbers().n.to_bytes(256, "big"))]
    elif key.alg == "ES256":
        point = key.verifies.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        raw = [("the point", point), ("x and y", point[1:])]
    else:
        raw = [("the raw key", key.verifies.public_bytes_raw())]
    yield from [
        ("PEM", pem),
        ("PEM without its last newline", pem.strip()),
        ("PEM without its first and last line", b"\n".join(pem.strip().split(b"\n")[1:-1])),
        ("DER", key.verifies.public_bytes(Encoding.DER, spki)),
        ("SSH", key.verifies.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)),
        ("JWK", json.dumps(jwk(key)).encode()),
        ("compact JWK", json.dumps(jwk(key), separators=(",", ":"), sort_keys=True).encode()),
        *raw,
    ]


def mac(secret: bytes) -> Callable[[bytes], bytes]:
    """A function that signs as HS256 does, with any bytes as the secret."""
    return lambda data: hmac.digest(secret, data, hashlib.sha256)


class Issuer:
    """One issuer with a key for each of `algs`, at the moment `now`, and the policy of a service that trusts it.

    `policy` is plain data, as the learner's gate is given it; `keys` has the keys by alg.
    """

    def __init__(self, random: Any, now: float, algs: tuple[str, ...] = ("HS256", "ES256", "EdDSA")) -> None:
        self.random, self.now, mint = random, now, Mint(random)
        self.keys = {alg: mint.key(alg) for alg in algs}
        self.policy = {
            "issuer": f"https://id-{random.randrange(10_000)}.fernbank.example",
            "audience": f"{random.choice(['accounts', 'statements', 'cards'])}-{random.randrange(100)}",
            "typ": random.choice(["at+jwt", "fern+jwt", "counter+jwt"]),
            "leeway": random.randrange(1, 60) + random.choice([0, 0.25, 0.5]),
            "keys": random.sample([jwk(key) for key in self.keys.values()], len(self.keys)),
        }

    def claims(self, **changes: Any) -> dict[str, Any]:
        """What an honest token says now, with changes."""
        now, random = int(self.now), self.random
        honest = {
            "iss": self.policy["issuer"],
            "sub": f"{random.choice(['ana', 'ben', 'cleo', 'dora'])}-{random.randrange(1_000)}",
            "aud": self.policy["audience"],
            "iat": now - random.randrange(1, 300),
            "exp": now + random.randrange(1, 600),
            "jti": f"{random.getrandbits(64):016x}",
        }
        return changed(honest, changes)

    def header(self, alg: str, /, **changes: Any) -> dict[str, Any]:
        """What the header of an honest token says, with changes."""
        return changed({"alg": alg, "kid": self.keys[alg].kid, "typ": self.policy["typ"]}, changes)

    def token(self, alg: str | None = None, /, claims: Any = None, **header: Any) -> str:
        """A token signed with the key for `alg` (default: any of them), with changes to its header."""
        alg = alg or self.random.choice(list(self.keys))
        return compact(self.header(alg, **header), self.claims() if claims is None else claims, self.keys[alg])
