"""Exercises of lesson 21, Keys: who can mint?"""

import hashlib
import hmac
import json
from functools import cache
from itertools import pairwise
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from labs.auth import algorithms, base64url, tokens
from labs.auth.algorithms import ORDER
from labs.auth.keys import Key, generate, jwk_of
from labs.auth.token_errors import TokenRefused
from labs.servers import Books, accounts, customers

from .exercise import BASICS, Exercise
from .lab import FAST

VECTORS = Path(__file__).resolve().parents[2] / "data" / "vectors" / "rfc7515_7519_8037.json"


def short(value) -> str:
    """A value, for a sentence."""
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:97]}..."


def encoded(data) -> str:
    """base64url of bytes, or of a value's JSON."""
    return base64url.encode(data if isinstance(data, bytes) else json.dumps(data, separators=(",", ":")).encode())


def new_kid(lab) -> str:
    """A `kid` that no other key has."""
    return f"key-{lab.random.getrandbits(40):010x}"


def new_issuer(lab) -> str:
    """Somebody who issues tokens."""
    return f"https://id{lab.random.randrange(10**8):08}.example"


# ---- 21.1 ----------------------------------------------------------------------------------------------------

KEY_FOR = Exercise(
    "21.1",
    "The right key",
    defines=("key_for",),
    minutes=6,
    difficulty="easy",
    hints=(
        'Go through the keys of `jwks.get(issuer, {"keys": []})`, and return the first for which everything holds.',
        '`header.get("kid") == jwk.get("kid")` also holds when both are missing: `None == None`. Ask first whether '
        "the header's `kid` and `alg` are text.",
        "Four things must hold for a key: its `kid` is the header's, its `alg` is the header's, it is not for "
        "encryption, and nothing of it came from the header.",
    ),
)

ALGS = ("RS256", "ES256", "EdDSA")


def some_jwk(lab, kid=None, alg=None, **more) -> dict:
    """A public key as somebody might publish it; nobody computes with it here."""

    def number(length):
        return encoded(lab.random.randbytes(length))

    alg = alg or lab.random.choice(ALGS)
    material = {
        "RS256": {"kty": "RSA", "n": number(256), "e": "AQAB"},
        "ES256": {"kty": "EC", "crv": "P-256", "x": number(32), "y": number(32)},
        "EdDSA": {"kty": "OKP", "crv": "Ed25519", "x": number(32)},
    }[alg]
    return {**material, "kid": kid or new_kid(lab), "alg": alg, "use": "sig", **more}


def header_of(jwk, /, **more) -> dict:
    """The header of an honest access token that was signed with this key."""
    return {"alg": jwk["alg"], "kid": jwk["kid"], "typ": "at+jwt", **more}


def finds(lab, header, jwks, issuer, expected, because) -> None:
    """Expect what key_for() gives."""
    given = lab.call("key_for", header, jwks, issuer)
    known = {json.dumps(jwk): who for who, keys in jwks.items() for jwk in keys["keys"]}
    said = short(given)
    if type(given) is dict and (who := known.get(json.dumps(given))):
        said = f"the key {given.get('kid')!r} ({given.get('alg')}) of {who}"
    lab.expect(given == expected, because, f"key_for() gave {said} for the header {short(header)}")


@KEY_FOR.customer("Each key is found, also while old and new are published", look_at="how you go through the keys")
def rotation_finds(lab):
    issuer = new_issuer(lab)
    published = [some_jwk(lab) for _ in range(lab.random.randrange(2, 5))]
    published[-1].pop("use")  # a key need not say what it is for
    jwks = {new_issuer(lab): {"keys": [some_jwk(lab)]}, issuer: {"keys": published}}
    for jwk in lab.random.sample(published, len(published)):
        finds(lab, header_of(jwk), jwks, issuer, jwk, "the key of this issuer with this kid, as it stands in the set")


@KEY_FOR.customer("Where issuers share a kid, each token gets its issuer's key", look_at="where the issuer comes in")
def same_kid(lab):
    kid, alg = new_kid(lab), lab.random.choice(ALGS)
    issuers = [new_issuer(lab) for _ in range(3)]
    jwks = {issuer: {"keys": [some_jwk(lab), some_jwk(lab, kid, alg)]} for issuer in issuers}
    for issuer in lab.random.sample(issuers, 3):
        jwk = jwks[issuer]["keys"][1]
        finds(lab, header_of(jwk), jwks, issuer, jwk, f"the key {kid!r} of {issuer}, for a token of {issuer}")


@KEY_FOR.customer("Odd neighbours do not hide a key", look_at="what you do with an entry that does not fit: go on")
def odd_neighbours(lab):
    issuer, jwk = new_issuer(lab), some_jwk(lab)
    nameless, unsaid = some_jwk(lab), some_jwk(lab)
    del nameless["kid"], unsaid["alg"]
    other = some_jwk(lab, jwk["kid"], next(alg for alg in ALGS if alg != jwk["alg"]))
    secret = some_jwk(lab, jwk["kid"], use="enc") | {"alg": "RSA-OAEP-256"}
    jwks = {issuer: {"keys": lab.random.sample([nameless, unsaid, other, secret], 4) + [jwk]}}
    finds(lab, header_of(jwk), jwks, issuer, jwk, "the one key that fits, whatever stands before it")


@KEY_FOR.probe("A key that is no longer published is not used", look_at="whether you remember keys of earlier calls")
def no_longer(lab):
    issuer = new_issuer(lab)
    first, second = some_jwk(lab), some_jwk(lab)
    both, later = {issuer: {"keys": [first, second]}}, {issuer: {"keys": [second]}}
    finds(lab, header_of(first), both, issuer, first, "the old key, as long as it is published")
    finds(lab, header_of(first), later, issuer, None, "None: the old key has been taken out of the set")
    finds(lab, header_of(second), later, issuer, second, "the new key, which is still there")
    finds(lab, header_of(second), {issuer: {"keys": []}}, issuer, None, "None: no key is published")


@KEY_FOR.probe("Another issuer's key is not used", look_at="whose keys you go through")
def another_issuer(lab):
    ours, theirs, unknown = new_issuer(lab), new_issuer(lab), new_issuer(lab)
    jwk = some_jwk(lab)
    jwks = {theirs: {"keys": [jwk]}, ours: {"keys": [some_jwk(lab)]}}
    because = "None: the kid is that of another issuer's key"
    finds(lab, header_of(jwk), jwks, ours, None, because)
    finds(lab, header_of(jwk, iss=theirs), jwks, ours, None, because)
    for issuer in (unknown, f"{theirs}/", theirs[:-1], theirs.upper()):
        finds(lab, header_of(jwk), jwks, issuer, None, f"None: nobody publishes keys as {issuer}")


@KEY_FOR.probe("The header does not choose the algorithm", look_at="the key's alg, beside the header's")
def wrong_alg(lab):
    issuer, jwk = new_issuer(lab), some_jwk(lab)
    jwks = {issuer: {"keys": [some_jwk(lab), jwk]}}
    others = [alg for alg in (*ALGS, "HS256", "none", "nOnE", "PS256", "", "*") if alg != jwk["alg"]]
    for alg in (*others, jwk["alg"].lower(), f"{jwk['alg']} ", [jwk["alg"]], {jwk["alg"]: 1}, None, True, 0):
        because = f"None: the key is for {jwk['alg']} and nothing else (RFC 8725 §3.1)"
        finds(lab, header_of(jwk, alg=alg), jwks, issuer, None, because)
    silent = header_of(jwk)
    del silent["alg"]
    finds(lab, silent, jwks, issuer, None, "None: the header names no alg")


@KEY_FOR.probe("A key that does not say its alg, or is for encryption, is not used", look_at="alg and use of the key")
def unfit(lab):
    issuer = new_issuer(lab)
    unsaid, secret, nameless = some_jwk(lab), some_jwk(lab, use="enc"), some_jwk(lab)
    header = header_of(unsaid)
    del unsaid["alg"]
    jwks = {issuer: {"keys": [unsaid, secret]}}
    finds(lab, header, jwks, issuer, None, "None: nobody has said what this key is for")
    finds(lab, {"kid": header["kid"]}, jwks, issuer, None, "None: neither the header nor the key names an alg")
    finds(lab, header_of(secret), jwks, issuer, None, 'None: a key with "use": "enc" is for encryption')
    del nameless["kid"]
    for header in ({"alg": nameless["alg"]}, {"alg": nameless["alg"], "kid": None}):
        finds(lab, header, {issuer: {"keys": [nameless]}}, issuer, None, "None: the header names no kid")


@KEY_FOR.probe("A kid is text, and no other text will do", look_at="headers whose kid is no text, or not there")
def odd_kid(lab):
    issuer, jwk = new_issuer(lab), some_jwk(lab)
    jwks, kid = {issuer: {"keys": [jwk]}}, jwk["kid"]
    odd = [kid[:-1], kid + "0", kid.upper(), f" {kid}", "", "0", new_kid(lab), 0, 1, True, 2.5, [kid], [], {kid: kid}]
    for other in odd:
        finds(lab, header_of(jwk, kid=other), jwks, issuer, None, "None: no key has this kid")
    finds(lab, {}, jwks, issuer, None, "None for an empty header")


@KEY_FOR.probe("A key that the token brings along is not used", look_at="what else stands in the header")
def brings_its_own(lab):
    issuer, jwk, mallorys = new_issuer(lab), some_jwk(lab), some_jwk(lab, alg="ES256")
    jwks = {issuer: {"keys": [jwk]}}
    for brought in ({"jwk": mallorys}, {"jku": new_issuer(lab)}, {"keys": [mallorys]}, {"x5c": ["MIIB"]}):
        finds(lab, header_of(mallorys, **brought), jwks, issuer, None, "None: nobody has published this key")
        finds(lab, header_of(jwk, **brought), jwks, issuer, jwk, "the published key, whatever else the header says")


# ---- 21.2 ----------------------------------------------------------------------------------------------------

VERIFY_ES256 = Exercise(
    "21.2",
    "Verify ES256",
    defines=("verify_es256",),
    minutes=10,
    difficulty="medium",
    imports=BASICS | {"binascii", "cryptography"},
    hints=(
        "Split at the dots, decode each part, look at the header's alg. The signature must be 64 bytes: "
        '`int.from_bytes(raw[:32], "big")` is r, and the rest is s.',
        "The key: `ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()`, where x and y are "
        "the numbers in the decoded members of the JWK. What was signed is the text before the second dot, as bytes.",
        "`key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(SHA256()))` says nothing when the signature is "
        "good, and raises InvalidSignature when not. What cannot be read raises ValueError: one `except` takes both.",
    ),
)


def some_payload(lab) -> bytes:
    """Claims as somebody might write them: not always with the same white space."""
    claims = {"sub": lab.random.choice(["ana", "ben", "Zoë"]), "exp": int(lab.now) + lab.random.randrange(900)}
    return json.dumps(claims, indent=lab.random.choice([None, 1]), ensure_ascii=False).encode()


def plain_jwk(key: Key) -> dict:
    """The four members that the page promises, and the others in which a JWK may vary."""
    return {name: value for name, value in jwk_of(key).items() if name in ("kty", "crv", "x", "y")}


def put_together(header, payload, signature: bytes) -> str:
    return f"{encoded(header)}.{encoded(payload)}.{base64url.encode(signature)}"


def signed_by(key: Key, header, payload) -> str:
    """A token with any header at all, signed with ES256."""
    signature = algorithms.sign("ES256", key.signs, f"{encoded(header)}.{encoded(payload)}".encode())
    return put_together(header, payload, signature)


def with_small_s(lab, header, payload, bits=200):
    """A key, and r and s of its good signature of these two, where s has few bits: key and s are made to fit."""
    signed = f"{encoded(header)}.{encoded(payload)}".encode()
    digest = int.from_bytes(hashlib.sha256(signed).digest(), "big")
    secret, s = lab.random.randrange(1, ORDER), lab.random.randrange(1, 1 << bits)
    r = ec.derive_private_key(secret, ec.SECP256R1()).public_key().public_numbers().x % ORDER
    private = ec.derive_private_key((s * secret - digest) * pow(r, -1, ORDER) % ORDER, ec.SECP256R1())
    return Key("made", "ES256", "nobody", private.public_key(), private), r, s


def with_zero_in_front() -> Key:
    """A key whose x begins with a zero byte, as one in 256 does."""
    while True:
        key = generate("ES256", "nobody")
        if key.verifies.public_numbers().x < 1 << 248:
            return key


def raw(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def verifies(lab, token, jwk, expected, because) -> None:
    """Expect what verify_es256() gives."""
    given = lab.call("verify_es256", token, jwk)
    good = given == expected and type(given) is type(expected)
    lab.expect(good, because, f"verify_es256() gave {short(given)}")


def looks_at_signatures(lab) -> None:
    """Expect that noise is no signature: without that, nothing else that an answer refuses is worth anything."""
    payload = some_payload(lab)
    token = put_together({"alg": "ES256"}, payload, lab.random.randbytes(64))
    verifies(lab, token, plain_jwk(generate("ES256", "nobody")), None, "None: the signature is 64 random bytes")


@cache
def example_a3() -> dict:
    """RFC 7515's own example of ES256."""
    return next(one for one in json.loads(VECTORS.read_text("utf-8")) if one["name"] == "RFC7515 A.3")


@VERIFY_ES256.customer("The standard's own example verifies", look_at="what is signed; r and s made into DER")
def published(lab):
    example = example_a3()
    payload = base64url.decode(example["token"].split(".")[1])
    verifies(lab, example["token"], example["jwk"], payload, "the payload of RFC 7515 A.3, as bytes")


@VERIFY_ES256.customer("Honest tokens verify, with any key", look_at="each number has 32 bytes, however small")
def honest(lab):
    for key in (generate("ES256", "nobody"), with_zero_in_front()):
        for _ in range(8):
            payload, header = some_payload(lab), {"typ": "at+jwt", "kid": new_kid(lab), "alg": "ES256"}
            spaced = json.dumps(header, indent=lab.random.choice([None, 1])).encode()
            token = signed_by(key, spaced, payload)
            verifies(lab, token, plain_jwk(key), payload, "the payload of an honest token, as bytes")
    header, payload = {"alg": "ES256", "typ": "at+jwt"}, some_payload(lab)
    key, r, s = with_small_s(lab, header, payload)
    token = put_together(header, payload, raw(r, s))
    verifies(lab, token, plain_jwk(key), payload, "the payload: that s begins with zero bytes is no fault")


@VERIFY_ES256.probe("What was changed, or signed by somebody else, is None", look_at="what the signature is of")
def changed(lab):
    key, other = generate("ES256", "nobody"), generate("ES256", "nobody")
    header, payload = {"alg": "ES256", "kid": new_kid(lab)}, some_payload(lab)
    token = signed_by(key, header, payload)
    signature = base64url.decode(token.split(".")[2])
    place = lab.random.randrange(64)
    flipped = signature[:place] + bytes([signature[place] ^ 1 << lab.random.randrange(8)]) + signature[place + 1 :]
    for changed, because in (
        (signed_by(other, header, payload), "another key has signed it"),
        (put_together(header, some_payload(lab) + b" ", signature), "the payload was changed"),
        (put_together(header | {"kid": new_kid(lab)}, payload, signature), "the header was changed"),
        (put_together(header, payload, flipped), "a bit of the signature was changed"),
        (put_together(header, payload, signature[32:] + signature[:32]), "r and s have changed places"),
        (put_together(header, payload, b""), "there is no signature"),
    ):
        verifies(lab, changed, plain_jwk(key), None, f"None: {because}")


@VERIFY_ES256.probe("A signature in DER, or of another length, is None", look_at="how long a signature is")
def der(lab):
    looks_at_signatures(lab)
    for _ in range(4):
        key, header, payload = generate("ES256", "nobody"), {"alg": "ES256"}, some_payload(lab)
        signature = base64url.decode(signed_by(key, header, payload).split(".")[2])
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        for other, what in (
            (encode_dss_signature(r, s), "DER"),
            (signature + b"\0", "65 bytes"),
            (b"\0" + signature, "65 bytes"),
            (b"\0" + signature[:32] + b"\0" + signature[32:], "66 bytes"),
            (signature[:-1], "63 bytes"),
            (signature.hex().encode(), "hexadecimal"),
        ):
            because = f"None: the signature is {what}, and ES256's is r and s of 32 bytes each (RFC 7518 §3.4)"
            verifies(lab, put_together(header, payload, other), plain_jwk(key), None, because)
    made, r, s = with_small_s(lab, header, payload)
    shortened = r.to_bytes(32, "big") + s.to_bytes((s.bit_length() + 7) // 8, "big")
    verifies(lab, put_together(header, payload, shortened), plain_jwk(made), None, "None: s without its zero bytes")


@VERIFY_ES256.probe("r = s = 0 signs nothing", look_at="the range of r and s: 1 to n - 1")
def psychic(lab):
    header, payload = {"alg": "ES256"}, some_payload(lab)
    key, r, s = with_small_s(lab, header, payload)
    for r_and_s, what in (
        ((0, 0), "r = s = 0 (CVE-2022-21449)"),
        ((r, 0), "s = 0"),
        ((0, s), "r = 0"),
        ((ORDER, ORDER), "r = s = n"),
        ((r, s + ORDER), "s is n too large: one token would have two texts more"),
    ):
        verifies(lab, put_together(header, payload, raw(*r_and_s)), plain_jwk(key), None, f"None: {what}")


@VERIFY_ES256.probe("Only ES256 is ES256", look_at="the header's alg")
def other_alg(lab):
    looks_at_signatures(lab)
    key, payload = generate("ES256", "nobody"), some_payload(lab)
    pem = key.verifies.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for alg in ("none", "ES256K", "ES384", "es256", "", None, ["ES256"], "EdDSA", "HS256"):
        token = signed_by(key, {"alg": alg}, payload)
        verifies(lab, token, plain_jwk(key), None, f"None: the header's alg is {alg!r}")
    verifies(lab, signed_by(key, {"typ": "JWT"}, payload), plain_jwk(key), None, "None: the header has no alg")
    verifies(lab, put_together({"alg": "none"}, payload, b""), plain_jwk(key), None, "None: it is not signed")
    for secret in (pem, pem.strip(), base64url.decode(plain_jwk(key)["x"])):
        head = {"alg": "HS256"}
        mac = hmac.digest(secret, f"{encoded(head)}.{encoded(payload)}".encode(), "sha256")
        verifies(lab, put_together(head, payload, mac), plain_jwk(key), None, "None: the public key is no secret")


@VERIFY_ES256.probe("Whatever text comes, it is None and no error", look_at="what may fail before the signature")
def any_text(lab):
    looks_at_signatures(lab)
    key = generate("ES256", "nobody")
    header, payload, signature = signed_by(key, {"alg": "ES256"}, some_payload(lab)).split(".")
    texts = ["", ".", "..", "...", "ab", f"{header}.{payload}", f"{header}.{payload}.{signature}."]
    texts += [f"{header}.{payload}.{signature}.{signature}.{signature}", f"{header}.{payload}.{signature}="]
    texts += [f"é.{payload}.{signature}", f"{header}.{payload}.é", f"{header}.{payload}. {signature}"]
    texts += [f"{encoded(odd)}.{payload}.{signature}" for odd in ([], "ES256", 3, None, b"{", b"\xff", b"", ["alg"])]
    for text in texts:
        verifies(lab, text, plain_jwk(key), None, f"None for {short(text)}")
    for odd in ([{"alg": "ES256"}], "ES256", 3, None, b"{", b"\xff\xfe", b""):
        token = signed_by(key, odd, b"{}")
        verifies(lab, token, plain_jwk(key), None, f"None: the header is {short(odd)}, and no JSON object")


# ---- 21.3 ----------------------------------------------------------------------------------------------------

class Gate:
    """What one service accepts, and who issues what it accepts."""

    def __init__(self, lab, alg=None):
        self.lab, self.issuer = lab, new_issuer(lab)
        self.audience = lab.random.choice(["accounts", "payments", "cards", "loans"])
        self.keys = [generate(one, self.issuer, new_kid(lab)) for one in lab.random.sample(["ES256", "EdDSA"], 2)]
        self.key = self.keys[1]
        self.leeway = lab.random.randrange(5, 60)
        self.policy = {
            "issuer": self.issuer, "audience": self.audience, "typ": tokens.ACCESS_TOKEN, "leeway": self.leeway,
            "keys": [jwk_of(key) for key in self.keys],
        }  # fmt: skip

    def claims(self, **other) -> dict:
        """Claims that are accepted, but for `other`; None takes a claim out."""
        now = int(self.lab.now)
        named = {
            "iss": self.issuer, "sub": self.lab.random.choice(["ana", "ben"]), "aud": self.audience,
            "iat": now - self.lab.random.randrange(200), "exp": now + self.lab.random.randrange(100, 800),
            "jti": f"{self.lab.random.getrandbits(64):x}",
        }  # fmt: skip
        return {name: value for name, value in (named | other).items() if value is not None}

    def token(self, claims, typ=tokens.ACCESS_TOKEN, key=None, **header) -> str:
        """A token with a good signature; `header` is added to its header, where None takes a member out."""
        key = key or self.key
        head = {"alg": key.alg, "kid": key.kid, "typ": typ} | header
        head = {name: value for name, value in head.items() if value is not None}
        signed = f"{encoded(head)}.{encoded(claims)}"
        return f"{signed}.{base64url.encode(algorithms.sign(key.alg, key.signs, signed.encode()))}"

    def takes(self, claims, because, **how) -> None:
        """Expect that a token with these claims is accepted."""
        given = self.lab.call("accept", self.token(claims, **how), self.policy, self.lab.now)
        self.lab.expect(given == claims, f"the claims: {because}", f"accept() gave {short(given)}")

    def refuses(self, token, because) -> None:
        """Expect that this token is None."""
        given = self.lab.call("accept", token, self.policy, self.lab.now)
        self.lab.expect(given is None, f"None: {because}", f"accept() gave {short(given)}")

    def is_guarded(self) -> "Gate":
        """Expect that a signature is looked at: without that, no claim is worth anything. Returns itself."""
        mallorys = generate(self.key.alg, self.issuer, self.key.kid)
        self.refuses(self.token(self.claims(), key=mallorys), "whatever it claims, another key has signed it")
        return self


def counter(lab):
    """An accounts service that takes the tokens that accept() takes, by the policy of lab.gate."""

    def verify(token):
        claims = lab.call("accept", token, lab.gate.policy, lab.now)
        if claims is None:
            raise TokenRefused("accept() gave None.")
        return claims

    lab.gate = Gate(lab)
    return lab.guard(accounts(Books(customers(lab.seed), FAST, lambda: lab.now), verify))


ACCEPT = Exercise(
    "21.3",
    "Accept a token",
    defines=("accept",),
    minutes=10,
    difficulty="medium",
    imports=BASICS | {"binascii", "cryptography", "jwt"},
    mount=counter,
    hints=(
        "`jwt.get_unverified_header(token)` says kid and typ. Find the key with that kid; `jwt.PyJWK(jwk)` loads it.",
        '`jwt.decode(token, key, algorithms=[jwk["alg"]], audience=..., issuer=..., leeway=...)` checks the '
        "signature and the claims that are there. The algorithm comes from the key, in a list of one.",
        'What must be there has to be said: `options={"require": ["exp", "iss", "aud", "sub"]}`. And PyJWT does not '
        "look at typ: compare it yourself. All that it raises here is a `jwt.PyJWTError`.",
    ),
)


@ACCEPT.customer("An access token for this service is accepted", look_at="what accept() returns: the claims, a dict")
def access_token(lab):
    gate = Gate(lab)
    for key in gate.keys:
        gate.takes(gate.claims(), f"an access token for {gate.audience}", key=key)
        gate.takes(gate.claims(scope="transfer", roles=["teller"]), "further claims are no reason to refuse", key=key)
    fresh = Gate(lab)
    fresh.takes(fresh.claims(), "another policy, with other keys")


@ACCEPT.customer("Tokens for several services, and clocks that are a little off", look_at="aud as a list; the leeway")
def lists_and_leeway(lab):
    gate = Gate(lab)
    now = int(lab.now)
    gate.takes(gate.claims(aud=["statements", gate.audience]), "aud may be a list that holds this service")
    gate.takes(gate.claims(aud=[gate.audience]), "aud may be a list of one")
    gate.takes(gate.claims(exp=now + 1), "one second is left")
    gate.takes(gate.claims(exp=now - gate.leeway + 1), f"exp was less than the leeway of {gate.leeway} s ago")
    gate.takes(gate.claims(nbf=now + gate.leeway), "nbf lies ahead, and not further than the leeway")


@ACCEPT.probe("A token for another service is refused", look_at="aud, beside the policy's audience")
def wrong_audience(lab):
    gate = Gate(lab).is_guarded()
    ours = gate.audience
    for aud in ("statements", ["statements", "notes"], ours[:-1], f"{ours}-test", ours.upper(), f"{ours} statements",
                [], [[ours]], {ours: 1}, [f"{ours}s"], "", True):  # fmt: skip
        gate.refuses(gate.token(gate.claims(aud=aud)), f"its aud is {aud!r}, and this is {ours} (RFC 7519 §4.1.3)")
    gate.refuses(gate.token(gate.claims(aud=None)), "it has no aud at all")


@ACCEPT.probe("An ID token is no access token", look_at="typ in the header, which the library does not compare")
def id_token(lab):
    gate = Gate(lab).is_guarded()
    told = gate.claims(nonce=f"{lab.random.getrandbits(64):x}", auth_time=int(lab.now) - 5, name="Ana")
    gate.refuses(gate.token(told, typ="JWT"), "its typ is JWT: it tells a client who has logged in (RFC 8725 §3.11)")
    gate.refuses(gate.token(told, typ=None), "it does not say what it is: it has no typ")
    gate.refuses(gate.token(gate.claims(typ="at+jwt"), typ="JWT"), "the typ that counts stands in the header")
    for typ in ("rt+jwt", "at+jwt2", "logout+jwt", "", "at", "t+j", ["at+jwt"], True):
        gate.refuses(gate.token(gate.claims(), typ=typ), f"its typ is {typ!r}, and not at+jwt")


@ACCEPT.probe("A token that has ended, or never ends, is refused", look_at="exp: at the last second, and missing")
def ended(lab):
    gate = Gate(lab).is_guarded()
    now = int(lab.now)
    gate.refuses(gate.token(gate.claims(exp=now - gate.leeway)), "now is exp + leeway, to the second: it has ended")
    gate.refuses(gate.token(gate.claims(exp=now - lab.random.randrange(3600, 9999))), "it ended long ago")
    gate.refuses(gate.token(gate.claims(exp=None)), "it has no exp, and would be good for ever")
    gate.refuses(gate.token(gate.claims(nbf=now + gate.leeway + 1)), "its nbf lies ahead, by more than the leeway")
    honest = gate.token(gate.claims(exp=now + 60))
    lab.skip(seconds=60 + gate.leeway)
    gate.refuses(honest, "a minute was left, and that and the leeway have passed")


@ACCEPT.probe("What another issuer says is refused", look_at="iss, and whom the token is about")
def other_issuer(lab):
    gate = Gate(lab).is_guarded()
    for iss in (new_issuer(lab), f"{gate.issuer}/", gate.issuer[:-1], [gate.issuer], "", True):
        gate.refuses(gate.token(gate.claims(iss=iss)), f"its iss is {iss!r}")
    gate.refuses(gate.token(gate.claims(iss=None)), "it does not say who issued it: it has no iss")
    gate.refuses(gate.token(gate.claims(sub=None)), "it does not say whom it is about: it has no sub")


@ACCEPT.probe("The keys decide, and not the header", look_at="which key, and which algorithm, you check with")
def forged(lab):
    gate = Gate(lab)
    mallorys = generate(gate.key.alg, gate.issuer, gate.key.kid)
    gate.refuses(gate.token(gate.claims(), key=mallorys), "somebody else signed it, and only claims this kid")
    gate.refuses(gate.token(gate.claims(), key=mallorys, jwk=jwk_of(mallorys)), "it brings a key of its own")
    gate.refuses(gate.token(gate.claims(), kid=new_kid(lab)), "no key with this kid is published")
    gate.refuses(gate.token(gate.claims(), kid=None), "it does not say which key it was signed with")
    other = next(key for key in gate.keys if key is not gate.key)
    gate.refuses(gate.token(gate.claims(), kid=other.kid), "it was signed with another key than its kid says")
    gate.refuses(gate.token(gate.claims(), key=other, kid=gate.key.kid), "a key of another kid and alg signed it")
    for alg in ("none", "HS256", "nOnE", other.alg, "RS256"):
        gate.refuses(gate.token(gate.claims(), alg=alg), f"its alg is {alg}, and its key is for {gate.key.alg}")
    head, claims = {"alg": "none", "kid": gate.key.kid, "typ": "at+jwt"}, gate.claims()
    gate.refuses(f"{encoded(head)}.{encoded(claims)}.", "it is not signed at all (alg: none)")
    pem = gate.key.verifies.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for secret in (pem, base64url.decode(jwk_of(gate.key)["x"]), json.dumps(jwk_of(gate.key)).encode()):
        signed = f"{encoded(head | {'alg': 'HS256'})}.{encoded(claims)}"
        mac = hmac.digest(secret, signed.encode(), "sha256")
        gate.refuses(f"{signed}.{base64url.encode(mac)}", "its HMAC was made with the public key, which all know")


@ACCEPT.probe("At the counter Ana's money moves by her own token, and by no other", look_at="what Mallory brings")
def at_the_counter(lab):
    site, gate = lab.site, lab.gate
    moves(lab, "ana", gate.token(gate.claims(sub="ana")), "ben")
    lab.expect(len(site.record) == 1, "Ana's own token moves her money", lab.still(), lab.last)
    own = generate(gate.key.alg, gate.issuer, gate.key.kid)
    teller = gate.claims(sub="mallory", roles=["teller"])
    unsigned = f"{encoded({'alg': 'none', 'kid': gate.key.kid, 'typ': 'at+jwt'})}.{encoded(teller)}."
    for token, because in lab.random.sample([
        (gate.token(gate.claims(sub="ana", aud="statements")), "a token that Ana gave to statements is good there"),
        (gate.token(gate.claims(sub="ana"), typ="JWT"), "an ID token is for the app that Ana has logged in to"),
        (gate.token(gate.claims(sub="ana", iss=new_issuer(lab))), "another issuer's Ana is somebody else"),
        (gate.token(teller, key=own), "Mallory makes herself no teller, with a key of her own"),
        (unsigned, "Mallory makes herself no teller, without a key"),
    ], 5):  # fmt: skip
        moves(lab, "mallory", token, "mallory")
        lab.safe("ana", because)


def moves(lab, person, token, to):
    """Try to move Ana's money with this token, over HTTP."""
    body = {"from": "ana", "to": to, "amount": lab.random.randrange(1, 90)}
    lab.visitor(person).send("POST", "/transfer", json=body, headers={"Authorization": f"Bearer {token}"})


@ACCEPT.probe("Whatever text comes, it is None and no error", look_at="what else than a refusal may be raised")
def no_token(lab):
    gate = Gate(lab).is_guarded()
    good = gate.token(gate.claims())
    header, payload, signature = good.split(".")
    texts = ["", ".", "..", "abc", f"{header}.{payload}", f"{good}.{signature}.{signature}"]
    texts += [f"é.{payload}.{signature}", f"{header}.{payload}.é"]
    texts += [f"{encoded(odd)}.{payload}.{signature}" for odd in ([], "x", 3, None, b"{", b"\xff", {})]
    texts += [gate.token(odd) for odd in ([], "ana", 3, b"{", b"\xff")]
    texts += [gate.token(gate.claims(), kid=odd) for odd in ([gate.key.kid], {"a": 1}, 3, True)]
    texts += [gate.token(gate.claims(), alg=odd) for odd in ([gate.key.alg], {"a": 1}, 3)]
    texts += [gate.token(gate.claims(exp=odd)) for odd in ([], {}, "soon")]
    for text in texts:
        gate.refuses(text, f"{short(text)} is no token")


# ---- 21.4 ----------------------------------------------------------------------------------------------------

ROTATION = Exercise(
    "21.4",
    "Rotation",
    defines=("rotation",),
    minutes=14,
    difficulty="hard",
    hints=(
        "Keep three times for each key: published from, signs from, stops signing at. Go through the events and fill "
        "them in; at the end, look which of them `now` lies between.",
        "`rotate` at t: the new key signs from t + cache on, and there the key before it stops. What stopped signing "
        "at s is published until s + lifetime + leeway.",
        "`remove` asks first who signs at that moment. A key that has not signed yet never will, and the one before "
        "it does not stop: forget such a key altogether. But remember a removed key that did sign, or the one before "
        "it would seem to have signed on.",
    ),
)


def plan(events, policy):
    """When each key is published and signs: kid -> [published from, signs from, signs until, removed at]."""
    keys = {}
    for event in events:
        at, kid = event["at"], event["kid"]
        if event["do"] == "remove":
            _remove(keys, kid, at, event["spare"])
        else:
            keys[kid] = [at, at + policy["cache"] * (event["do"] == "rotate"), None, None]
        ordered = sorted(keys.values(), key=lambda one: one[1])
        for one, following in pairwise(ordered):
            one[2] = following[1]
        ordered[-1][2] = None
    return keys


def _remove(keys, kid, at, spare):
    if kid not in keys or keys[kid][3] is not None:
        return
    _, begins, until, _ = keys[kid]
    if at < begins:
        del keys[kid]  # it never signs, and the one before it goes on
        return
    keys[kid][3] = at
    if until is None or at < until:
        keys[spare] = [at, at, None, None]


def stands(keys, policy, now):
    """Who signs at `now`, and which kids are published: (kid, frozenset of kids)."""
    signs = max((one[1], kid) for kid, one in keys.items() if one[1] <= now)[1]
    stays = policy["lifetime"] + policy["leeway"]
    return signs, frozenset(
        kid
        for kid, (begins, _, until, removed) in keys.items()
        if begins <= now and removed is None and (until is None or now < until + stays)
    )


class History:
    """What happened to the keys of one issuer, and what rotation() makes of it at every moment that matters."""

    def __init__(self, lab):
        self.lab = lab
        self.policy = {
            "cache": lab.random.randrange(320, 480), "lifetime": lab.random.randrange(920, 1300),
            "leeway": lab.random.randrange(35, 60),
        }  # fmt: skip
        self.now = lab.random.randrange(10_000)
        self.events = []
        self.first = self.happens("start")

    @property
    def cache(self):
        return self.policy["cache"]

    @property
    def stays(self):
        return self.policy["lifetime"] + self.policy["leeway"]

    def later(self, seconds, spread=30):
        """Time passes, and a little more."""
        self.now += int(seconds) + self.lab.random.randrange(1, spread)
        return self

    def happens(self, do, kid=None):
        """Add an event; returns the kid of a key that is new by it, or the spare."""
        new = new_kid(self.lab)
        event = {"at": self.now, "do": do, "kid": kid or new}
        self.events.append(event | {"spare": new} if do == "remove" else event)
        return new

    def look(self, also=()):
        """Ask rotation() all along; fills .times (.apart: without the edges), .given, .truth."""
        keys, start = plan(self.events, self.policy), self.events[0]["at"]
        edges = {event["at"] for event in self.events}
        for _, begins, until, _ in keys.values():
            edges |= {begins} | ({until, until + self.stays} if until is not None else set())
        near = {edge + step for edge in edges for step in (-1, 0, 1)}
        even = {*range(start, max(edges) + self.cache, 30), *also, *(event["at"] for event in self.events)}
        self.times = sorted(time for time in near | even if time >= start)
        self.apart = sorted(even - near | {event["at"] for event in self.events})
        past = [[event for event in self.events if event["at"] <= time] for time in self.times]
        asked = [[events, self.policy, time] for events, time in zip(past, self.times, strict=True)]
        given = self.lab.call_each("rotation", asked)
        self.given = {time: self.read(one, time) for one, time in zip(given, self.times, strict=True)}
        self.truth = {
            time: stands(plan(events, self.policy), self.policy, time)
            for events, time in zip(past, self.times, strict=True)
        }
        return self

    def read(self, given, time):
        """What rotation() gave, as stands() has it. It must be of the form that the page asks for."""
        if isinstance(given, Exception):
            raise given
        good = type(given) is dict and type(given.get("signs")) is str and type(given.get("published")) is list
        good = good and all(type(kid) is str for kid in given["published"])
        form = 'a dict {"signs": kid, "published": [kid, ...]}'
        self.lab.expect(good, form, f"rotation() gave {short(given)} {self.when(time)}")
        return given["signs"], frozenset(given["published"])

    def when(self, time):
        """A moment, for a sentence, beside the event before it."""
        last = [event for event in self.events if event["at"] <= time][-1]
        return f"{time - last['at']} s after the event {last['do']} of {last['kid']}"

    # ---- what must hold --------------------------------------------------------------------------------------

    def keeps_everybody(self):
        """Expect that each token verifies for as long as it lasts, at services with keys as old as a cache may be.

        And that there is a rotation: whoever never changes the key logs nobody out, either.
        """
        lost = [story for time in self.times if (story := self.story(time))]
        self.lab.expect(
            not lost,
            "nobody is logged out by a planned rotation",
            f"{len(lost)} of {len(self.times)} customers were. The first: {lost[0] if lost else ''}",
        )
        self.signs("in the end the newest key signs", self.times[-1:])

    def story(self, issued):
        """How the customer who got a token at this time is logged out; "" when they are not."""
        kid = self.given[issued][0]
        for fetched in self.times:
            met = issued - self.cache < fetched < issued + self.stays
            if met and kid not in self.given[fetched][1]:
                seen = f"{issued - fetched} s before" if fetched < issued else f"{fetched - issued} s after"
                told = f"{kid} signed a token {self.when(issued)}, and {seen} that {kid} was not published"
                return f"{told}: a service that fetched the keys then meets this token"
        return ""

    def signs(self, because, times):
        """Expect that the right key signs at these times, and that it is published."""
        for time in times:
            (given, published), (right, _) = self.given[time], self.truth[time]
            said = f"{self.when(time)}, rotation() said that"
            self.lab.expect(given == right, f"{because}: {right} signs", f"{said} {given} does")
            self.lab.expect(right in published, f"{because}: {right} signs and is published", f"{said} it is not")

    def publishes(self, because, times, kids=None):
        """Expect that of these keys (default: all) the right ones are published at these times."""
        for time in times:
            given, right = ({*at[time][1]} & {*(kids or at[time][1])} for at in (self.given, self.truth))
            more, less = ", ".join(sorted(given - right)), ", ".join(sorted(right - given))
            said = f"{self.when(time)}, rotation() said that"
            self.lab.expect(not more, f"{because}: {more} is not published", f"{said} it is")
            self.lab.expect(not less, f"{because}: {less} is published", f"{said} it is not")


@ROTATION.customer("One key signs, and is published, for good", look_at="the event start")
def one_key(lab):
    history = History(lab).look(also=[lab.random.randrange(10**5, 10**6)])
    history.signs("nothing has happened to the first key", history.times)
    history.publishes("nothing has happened to the first key", history.times)


@ROTATION.customer("A planned rotation logs nobody out", points=2, look_at="announced early, kept long enough")
def planned(lab):
    for _ in range(2):
        history = History(lab)
        history.later(history.cache).happens("rotate")
        history.look().keeps_everybody()


@ROTATION.customer("Nor do rotations that overlap", look_at="a second rotate, before the first has come to its end")
def overlapping(lab):
    for gap in lab.random.sample([0.3, 0.7, 1.2, 2], 3):
        history = History(lab)
        for _ in range(3):
            history.later(gap * history.cache).happens("rotate")
        history.look().keeps_everybody()


@ROTATION.probe("The new key signs as soon as every cache knows it", look_at="when the new key begins to sign")
def begins(lab):
    history = History(lab)
    for gap in (1.5, 0.4):
        history.later(gap * history.cache).happens("rotate")
    history.look().signs("a key signs from `cache` seconds after its announcement on", history.times)


@ROTATION.probe("An old key goes when its last token has ended", look_at="how long a key stays that signs no more")
def goes(lab):
    history = History(lab)
    history.later(history.cache).happens("rotate")
    history.later(history.cache + history.stays).happens("rotate")
    history.later(0.5 * history.cache).happens("rotate")
    history.look().publishes("an old key stays until its last token has ended, and no longer", history.times)


@ROTATION.probe("Emergency: the key is gone at once, and the spare signs", points=2, look_at="remove, of who signs")
def emergency(lab):
    because = "a key that was removed signs nothing more, and is not published"
    history = History(lab)
    spare = history.later(60).happens("remove", history.first)
    another = history.later(60).happens("remove", spare)
    history.look().signs(because, history.times)
    history.publishes(because, history.times, {history.first, spare, another})
    history = History(lab)
    second = history.later(history.cache).happens("rotate")
    spare = history.later(3 * history.cache).happens("remove", second)
    history.look().signs(because, history.apart)
    history.publishes(because, history.apart, {second, spare})
    late = [time for time in history.apart if history.now - 60 < time - history.stays < history.now - 1]
    history.publishes("an older key does not stay longer for that", late, {history.first})


@ROTATION.probe("Emergency during a rotation: the announced key waits its turn", look_at="who signs, and from when")
def emergency_meanwhile(lab):
    history = History(lab)
    announced = history.later(history.cache).happens("rotate")
    history.later(0.4 * history.cache).happens("remove", history.first)
    history.look().signs("the spare signs until the announced key's own time has come", history.apart)
    history.publishes("the removed key is gone, the announced one stays", history.apart, {history.first, announced})


@ROTATION.probe("An announced key that is removed never signs", look_at="remove, of a key that has not signed yet")
def never_signs(lab):
    because = "the key before it signs on, as if nothing was"
    history = History(lab)
    announced = history.later(history.cache).happens("rotate")
    history.later(0.4 * history.cache).happens("remove", announced)
    history.look(also=[history.now + 10 * history.stays]).signs(because, history.apart)
    history.publishes(because, history.apart)
    history.later(2 * history.cache).happens("rotate")
    history.look().signs("the next rotation goes as ever", history.apart)


@ROTATION.probe("To remove an old key changes nothing else", look_at="remove, of a key that signs no more")
def old_removed(lab):
    history = History(lab)
    second = history.later(history.cache).happens("rotate")
    unused = history.later(1.3 * history.cache).happens("remove", history.first)
    history.look().signs("the spare is not needed", history.apart)
    history.publishes("the old key is gone, and nothing else is different", history.apart, {history.first, unused})
    history.later(history.cache).happens("rotate")
    history.later(1.2 * history.cache).happens("remove", second)
    history.look().signs("the spare is not needed", history.apart)
    history.publishes("what was removed stays away", history.apart, {history.first, second, unused})
