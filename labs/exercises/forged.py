"""Tokens and keys that probe lab 29's rules one by one: honest ones in odd clothes, and forged ones."""

import json

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from labs.auth import base64url
from labs.auth.algorithms import ALGORITHMS, sign

from .gate import HUGE
from .mint import GONE, Mint, compact, jwk, mac, public_texts, rsa_key

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
STANDARD = str.maketrans("-_", "+/")


def claims_of(lab):
    """The payload of some token, as bytes."""
    return json.dumps({"sub": f"ana-{lab.random.getrandbits(32):x}", "exp": int(lab.now) + 600}).encode()


def headers(random, alg):
    """Headers of honest tokens: what no rule names is nobody's business."""
    yield {"alg": alg}
    yield {"typ": "at+jwt", "alg": alg, "kid": Mint(random).kid()}
    yield {
        "alg": alg, "jku": "https://mallory.example/keys", "jwk": jwk(Mint(random).key("ES256")), "cty": "JWT",
        "x5u": "https://mallory.example/x", "x5c": ["MIIB"], "fern": [1, {"a": None}],
    }  # fmt: skip


def styles(issuer):
    """Claims in styles of JSON: what is special, the bytes, the claims."""
    nested = ["deep"]
    for level in range(20):
        nested = [nested] if level % 2 else {"in": nested, "level": level}
    claims = issuer.claims(name="Zoë 🌿", nested=nested, empty={}, nothing=None, yes=True, half=0.5, big=2**60)
    plain_text = json.dumps(claims)
    yield "written with escapes", plain_text.encode(), claims
    yield "written in UTF-8", json.dumps(claims, ensure_ascii=False).encode(), claims
    yield "indented", json.dumps(claims, indent=2).encode(), claims
    yield "written without spaces", json.dumps(claims, separators=(",", ":")).encode(), claims
    yield "written with white space around them", f" \r\n\t{plain_text}\n ".encode(), claims
    yield "written with an escape in a name", plain_text.replace('"exp"', '"\\u0065xp"').encode(), claims
    yield "in another order", json.dumps(dict(reversed(claims.items()))).encode(), claims


def restyled(random, header):
    """The same header, as bytes of one style or another."""
    pairs = random.sample(list(header.items()), len(header))
    return random.choice([json.dumps(dict(pairs), indent=1), json.dumps(dict(pairs), separators=(",", ":"))]).encode()


def of_length(issuer, alg, length, **more):
    """An honest token of exactly `length` characters, and its claims."""
    claims, header = issuer.claims(pad=""), json.dumps(issuer.header(alg))
    shortest = len(compact(header.encode(), claims, issuer.keys[alg]))
    for spaces in range(3):  # base64url of the claims alone does not reach every length
        for number in range((length - shortest) * 3 // 4 - 6, (length - shortest) * 3 // 4 + 3):
            claims["pad"] = "x" * number
            token = compact(header.encode() + b" " * spaces, claims, issuer.keys[alg])
            if len(token) == length:
                return token, dict(claims)
    raise ValueError(f"no token of {length} characters was found")


def huge_tokens(issuer):
    """Texts of nearly a megabyte, which is what one message takes."""
    size = HUGE - 10_000
    yield "a token of nearly a megabyte", issuer.token("HS256", issuer.claims(pad="x" * (size * 3 // 4 - 1000)))
    for text in (".", "A", "[", "\0", "A.A."):
        yield f"a megabyte of {text!r}", text * (size // len(text) // (6 if text == "\0" else 1))


def deep_values(random):
    """JSON that some readers cannot read: what it is, the text."""
    for depth in (90, 300, 700, 950, 1000, 1100, 1500, 2400):
        depth += random.randrange(40)
        yield f"lists nested {depth} deep", "[" * depth + "]" * depth
        if depth < 900:
            yield f"objects nested {depth} deep", '{"a":' * depth + "1" + "}" * depth
    yield "a number of 5,000 digits", str(random.randrange(1, 10)) + "0" * 4999
    yield "the number 1e400", "1e400"
    yield "half a character", '"\\ud800"'
    yield "a name that is half a character", '{"\\udfff": 1}'


def odd_texts(issuer, key, number):
    """One honest token in texts that lenient decoders take for it, signed as they stand: what they are, the text.

    What is odd is the part of this number.
    """
    random = issuer.random
    parts = issuer.token(key.alg, issuer.claims(pad="?" * random.randrange(1, 4))).split(".")
    part, place = parts[number], random.randrange(1, len(parts[number]) - 1)
    texts = {"with padding": part + "=" * (-len(part) % 4 or 4), "with one = at its end": part + "="}
    for text in (" ", "\n", "\r\n", "\t", "?", "*", "\0", "é", "١"):
        texts[f"with {text!r} in the middle"] = part[:place] + text + part[place:]
    texts |= {"with a space before it": " " + part, "with a line break after it": part + "\n"}
    if part.translate(STANDARD) != part:
        texts["in the alphabet with + and /"] = part.translate(STANDARD)
    if len(part) % 4:  # the spare bits of the last character
        last = ALPHABET.index(part[-1]) + random.randrange(1, 4 if len(part) % 4 == 3 else 16)
        texts["with spare bits set"] = part[:-1] + ALPHABET[last]
    for what, text in texts.items():
        whole = [*parts[:number], text, *parts[number + 1 :]]
        if number < 2:  # what was signed is the odd text
            data = ".".join(whole[:2]).encode()
            whole[2] = base64url.encode(sign(key.alg, key.signs, data))
        yield f"a token of {key.alg}, its part {number + 1} {what},", ".".join(whole)


def other_signatures(key):
    """Ways to sign that are not the way of the key's alg: what they are, and a function from data to signature."""
    honest, alg = lambda data: sign(key.alg, key.signs, data), key.alg
    yield "one byte too long", lambda data: honest(data) + b"\0"
    yield "one byte too short", lambda data: honest(data)[:-1]
    yield "one byte too long, at the front", lambda data: b"\0" + honest(data)
    yield "cut in half", lambda data: honest(data)[: len(honest(data)) // 2]
    yield "there twice", lambda data: honest(data) * 2
    yield "zeros", lambda data: bytes(len(honest(data)))
    yield "written in hex", lambda data: honest(data).hex().encode()
    yield "one of the payload alone", lambda data: honest(data.partition(b".")[2])
    yield "one of the decoded payload", lambda data: honest(base64url.decode(data.decode().partition(".")[2]))
    if alg == "HS256":
        yield "SHA-256 of secret and token, and no HMAC", lambda data: hash_of(key.signs + data)
        yield "SHA-256 of the token", hash_of
    elif alg == "RS256":
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        yield "one of PS256", lambda data: key.signs.sign(data, pss, hashes.SHA256())
        yield "one of RS512", lambda data: key.signs.sign(data, padding.PKCS1v15(), hashes.SHA512())
        yield "one of the token's hash", lambda data: honest(hash_of(data))
    elif alg == "ES256":
        yield "in DER", lambda data: key.signs.sign(data, ec.ECDSA(hashes.SHA256()))
        yield "one with SHA-512", lambda data: raw(key.signs.sign(data, ec.ECDSA(hashes.SHA512())))
        yield "s and then r", lambda data: (both := honest(data))[32:] + both[:32]
        yield "r and s of 33 bytes each", lambda data: b"\0" + (both := honest(data))[:32] + b"\0" + both[32:]


def hash_of(data):
    """SHA-256."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(data)
    return digest.finalize()


def raw(der):
    """A DER signature as r and s."""
    r, s = decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def bad_changes(random, key):
    """What may be wrong with a JWK: changes that make it one that verifies nothing."""
    alg, others = key.alg, [other for other in ALGORITHMS if other != key.alg]
    for name in (GONE, None, 5, [], "none", "PS256", "ES512", alg.lower(), *others):
        yield {"alg": name}
    for kty in (GONE, None, "quux", *sorted({"oct", "RSA", "EC", "OKP"} - {jwk(key)["kty"]})):
        yield {"kty": kty}
    yield from ({"use": use} for use in ("enc", "", None))
    yield from ({"key_ops": ops} for ops in (["encrypt"], [], ["sign"], "verify", 5))
    yield {"use": GONE, "key_ops": ["wrapKey"]}
    if alg in ("ES256", "EdDSA"):
        yield from ({"crv": crv} for crv in (GONE, None, "P-384", "P-521", "secp256k1", "X25519", "Ed448"))
    for name in {"HS256": ["k"], "RS256": ["n", "e"], "ES256": ["x", "y"], "EdDSA": ["x"]}[alg]:
        yield from ({name: value} for value in (GONE, None, 5, "", "!!!", "A", [], "é"))
    if alg in ("ES256", "EdDSA"):
        yield {"x": base64url.encode(random.randbytes(31))}
    if alg == "ES256":  # y of another point: the two together lie on no curve
        yield {"y": base64url.encode(random.randbytes(32))}


def weak_keys(lab):
    """Keys that are too weak, with tokens that they signed: what they are, the token, the JWK."""
    random, kid = lab.random, Mint(lab.random).kid()
    for length in (0, 1, 16, 31):
        secret = random.randbytes(length)
        given = {"kty": "oct", "k": base64url.encode(secret), "alg": "HS256", "kid": kid}
        token = compact({"alg": "HS256"}, claims_of(lab), mac(secret))
        yield f"a token of HS256 with a secret of {length} bytes", token, given
    for bits in (1024, 2040):
        private = rsa_key(bits)
        token = compact({"alg": "RS256"}, claims_of(lab), lambda data, private=private: sign("RS256", private, data))
        given = rsa_jwk(private.public_key().public_numbers().n, kid=kid)
        yield f"a token of RS256 with a key of {bits} bits", token, given
    token = compact({"alg": "RS256"}, claims_of(lab), padded_hash)
    given = rsa_jwk(int.from_bytes(random.randbytes(256), "big") | 1 << 2047 | 1, e=1)
    yield (
        "a token that anybody could write: its RSA key has e = 1, so what is signed is its own signature,",
        token,
        given,
    )


def padded_hash(data):
    """What an RS256 signature of 2,048 bits is a root of (RFC 8017 §9.2)."""
    prefix = bytes.fromhex("3031300d060960864801650304020105000420")  # says that a SHA-256 hash follows
    return b"\0\1" + b"\xff" * 202 + b"\0" + prefix + hash_of(data)


def rsa_jwk(n, e=65537, kid="weak"):
    """A JWK for RS256."""
    n, e = (base64url.encode(number.to_bytes((number.bit_length() + 7) // 8, "big")) for number in (n, e))
    return {"kty": "RSA", "n": n, "e": e, "alg": "RS256", "kid": kid, "use": "sig"}


def forgeries(issuer):
    """Tokens about Ana that Mallory made without a key of the issuer's: what they are, the token."""
    mint, random = Mint(issuer.random), issuer.random
    for alg, key in issuer.keys.items():
        own, claims = mint.key(alg, key.kid), issuer.claims(sub="ana", roles=["teller"])
        yield f"a token of {alg} with a key of Mallory's own", compact(issuer.header(alg), claims, own)
        yield f"a token of {alg} that brings its key along", compact(issuer.header(alg, jwk=jwk(own)), claims, own)
        name = random.choice(["none", "None", "nOnE"])
        yield f"a token that says alg {name}", compact(issuer.header(alg, alg=name), claims, lambda _: b"")
        yield f"a token of {alg} without a signature", compact(issuer.header(alg), claims, lambda _: b"")
        size = len(sign(key.alg, key.signs, b""))
        zeros = compact(issuer.header(alg), claims, lambda _, n=size: bytes(n))
        yield f"a token of {alg} with zeros for a signature", zeros
        if alg != "HS256":
            form, secret = random.choice(list(public_texts(key)))
            header = issuer.header("HS256", kid=key.kid)
            yield f"a token of HS256, signed with the {form} of the {alg} key,", compact(header, claims, mac(secret))
