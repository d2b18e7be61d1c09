"""Exercises 21.1 to 21.4: right answers pass, wrong ones are refused by the probe that should, and told why."""

import random

import pytest

from labs.auth.rotation import KeyRing
from labs.exercises.ex21 import plan, stands

# ---- 21.1 ----------------------------------------------------------------------------------------------------

FOUND = "Each key is found, also while old and new are published"
SHARED = "Where issuers share a kid, each token gets its issuer's key"
NEIGHBOURS = "Odd neighbours do not hide a key"
NO_LONGER = "A key that is no longer published is not used"
ANOTHER = "Another issuer's key is not used"
ALG = "The header does not choose the algorithm"
UNFIT = "A key that does not say its alg, or is for encryption, is not used"
KID = "A kid is text, and no other text will do"
BROUGHT = "A key that the token brings along is not used"

KEY_FOR = """
def key_for(header, jwks, issuer):
    kid, alg = header.get("kid"), header.get("alg")
    if not isinstance(kid, str) or not isinstance(alg, str):
        return None
    for jwk in jwks.get(issuer, {"keys": []})["keys"]:
        if jwk.get("kid") == kid and jwk.get("alg") == alg and jwk.get("use") != "enc":
            return jwk
    return None
"""
LAST = "            return jwk\n    return None\n"
FITS = 'jwk.get("kid") == kid and jwk.get("alg") == alg and jwk.get("use") != "enc"'
KEY_FOR_RIGHT = {
    "a table of what is good for checking": """
def key_for(header, jwks, issuer):
    good = {}
    for jwk in jwks[issuer]["keys"] if issuer in jwks else []:
        if "kid" in jwk and "alg" in jwk and jwk.get("use", "sig") == "sig":
            good.setdefault((jwk["kid"], jwk["alg"]), jwk)
    try:
        return good.get((header["kid"], header["alg"]))
    except (KeyError, TypeError):
        return None
""",
    "next, and types compared with the values": """
def key_for(header, jwks, issuer):
    def fits(jwk):
        return all(type(jwk.get(name)) is str and jwk[name] == header.get(name) for name in ("kid", "alg"))
    keys = jwks.get(issuer, {}).get("keys", [])
    return next((jwk for jwk in keys if fits(jwk) and jwk.get("use") in (None, "sig")), None)
""",
}
KEY_FOR_WRONG = {
    "nobody's key": ("def key_for(header, jwks, issuer):\n    return None", {
        FOUND: "gave None", SHARED: "gave None", NEIGHBOURS: "gave None",
    }),
    "the alg is the header's business": (
        (FITS, 'jwk.get("kid") == kid and jwk.get("use") != "enc" and jwk.get("alg")'),
        {NEIGHBOURS: "key_for() gave the key"},
    ),
    "the header's alg is looked up in a list": (
        [
            (FITS, 'jwk.get("kid") == kid and {jwk.get("alg"), alg} <= ALLOWED and jwk.get("use") != "enc"'),
            ("def key_for", 'ALLOWED = {"RS256", "ES256", "EdDSA"}\n\ndef key_for'),
        ],
        {NEIGHBOURS: "key_for() gave the key"},
    ),
    "alg in any spelling": (
        ('jwk.get("alg") == alg', 'jwk.get("alg", "").lower() == alg.lower()'),
        {ALG: "key_for() gave the key"},
    ),
    "the first with this kid decides": (
        [("        if " + FITS + ":\n            return jwk", '        if jwk.get("kid") == kid:\n            '
          'return jwk if jwk.get("alg") == alg and jwk.get("use") != "enc" else None')],
        {NEIGHBOURS: "key_for() gave None"},
    ),
    "entries are as they should be": (
        ('jwk.get("kid") == kid and jwk.get("alg") == alg', 'jwk["kid"] == kid and jwk["alg"] == alg'),
        {NEIGHBOURS: "raised KeyError"},
    ),
    "nothing is nothing": (
        ("    if not isinstance(kid, str) or not isinstance(alg, str):\n        return None\n", ""),
        {UNFIT: "key_for() gave the key"},
    ),
    "one table for all issuers": (
        "def key_for(header, jwks, issuer):\n"
        "    keys = {}\n"
        "    for one in jwks.values():\n"
        "        keys |= {(jwk.get('kid'), jwk.get('alg')): jwk for jwk in one['keys'] if jwk.get('use') != 'enc'}\n"
        "    kid, alg = header.get('kid'), header.get('alg')\n"
        "    return keys.get((kid, alg)) if isinstance(kid, str) and isinstance(alg, str) else None",
        {SHARED: "key_for() gave the key"},
    ),
    "the issuer first, and then the others": (
        (LAST, f"{LAST[:22]}\n    for jwk in sum((one['keys'] for one in jwks.values()), []):\n        if {FITS}:\n"
         "            return jwk\n    return None\n"),
        {ANOTHER: "key_for() gave the key"},
    ),
    "an issuer that is not known is an error": (
        ('jwks.get(issuer, {"keys": []})["keys"]', 'jwks[issuer]["keys"]'),
        {ANOTHER: "raised KeyError"},
    ),
    "an issuer by its beginning": (
        ('jwks.get(issuer, {"keys": []})["keys"]',
         '[k for name in jwks if name.startswith(issuer) or issuer.startswith(name) for k in jwks[name]["keys"]]'),
        {ANOTHER: "key_for() gave the key"},
    ),
    "keys are remembered": (
        [("def key_for", "SEEN = {}\n\ndef key_for"),
         (LAST, "            return SEEN.setdefault((issuer, kid), jwk)\n    return SEEN.get((issuer, kid))\n")],
        {NO_LONGER: "key_for() gave {"},
    ),
    "a key without an alg is good for what is asked": (
        ('jwk.get("alg") == alg', 'jwk.get("alg", alg) == alg'),
        {UNFIT: "key_for() gave the key"},
    ),
    "use does not matter": ((' and jwk.get("use") != "enc"', ""), {UNFIT: "key_for() gave the key"}),
    "use must be there": (('jwk.get("use") != "enc"', 'jwk["use"] == "sig"'), {FOUND: "raised KeyError"}),
    "a kid in capitals": (
        ('jwk.get("kid") == kid', 'jwk.get("kid", "").lower() == kid.lower()'), {KID: "key_for() gave the key"},
    ),
    "a kid by its beginning": (
        ('jwk.get("kid") == kid', 'jwk.get("kid", "-").startswith(kid)'), {KID: "key_for() gave the key"},
    ),
    "a kid of any type, in a table": (
        "def key_for(header, jwks, issuer):\n"
        "    keys = jwks.get(issuer, {'keys': []})['keys']\n"
        "    table = {(k['kid'], k['alg']): k for k in keys if 'kid' in k and 'alg' in k and k.get('use') != 'enc'}\n"
        "    return table.get((header.get('kid'), header.get('alg')))",
        {ALG: "raised TypeError", KID: "raised TypeError"},
    ),
    "the token's own key": (
        (LAST, LAST.replace("None", 'header.get("jwk")')), {BROUGHT: "key_for() gave {"},
    ),
    "only the kid, not the key": (("return jwk", 'return jwk["kid"]'), {
        FOUND: "gave 'key-", SHARED: "gave 'key-", NEIGHBOURS: "gave 'key-",
    }),
}  # fmt: skip

# ---- 21.2 ----------------------------------------------------------------------------------------------------

EXAMPLE = "The standard's own example verifies"
HONEST = "Honest tokens verify, with any key"
CHANGED = "What was changed, or signed by somebody else, is None"
DER = "A signature in DER, or of another length, is None"
ZERO = "r = s = 0 signs nothing"
ONLY = "Only ES256 is ES256"
TEXTS = "Whatever text comes, it is None and no error"

VERIFY = """
import base64
import json

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

def decode(text):
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != text:
        raise ValueError("not base64url")
    return data

def number(data):
    return int.from_bytes(data, "big")

def verify_es256(token, jwk):
    try:
        header, payload, signature = token.split(".")
        named, raw = json.loads(decode(header)), decode(signature)
        if not isinstance(named, dict) or named.get("alg") != "ES256" or len(raw) != 64:
            return None
        x, y = number(decode(jwk["x"])), number(decode(jwk["y"]))
        key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        der = encode_dss_signature(number(raw[:32]), number(raw[32:]))
        key.verify(der, f"{header}.{payload}".encode(), ec.ECDSA(SHA256()))
        return decode(payload)
    except (ValueError, InvalidSignature):
        return None
"""
DER_LINE = "        der = encode_dss_signature(number(raw[:32]), number(raw[32:]))\n"
BY_HAND = '''
import base64
import hashlib
import json
import re

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)

def decode(text):
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    if a == b:
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P

def times(k, point):
    total = None
    while k:
        if k & 1:
            total = add(total, point)
        point, k = add(point, point), k >> 1
    return total

def verify_es256(token, jwk):
    try:
        header, payload, signature = token.split(".")
        named, raw = json.loads(decode(header)), decode(signature)
        if not isinstance(named, dict) or named.get("alg") != "ES256" or len(raw) != 64:
            return None
        r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
        if not (0 < r < N and 0 < s < N):
            return None
        key = tuple(int.from_bytes(decode(jwk[name]), "big") for name in ("x", "y"))
        digest = int.from_bytes(hashlib.sha256(f"{header}.{payload}".encode()).digest(), "big")
        inverse = pow(s, N - 2, N)
        point = add(times(digest * inverse % N, G), times(r * inverse % N, key))
        return decode(payload) if (point or (0, 0))[0] % N == r % N else None
    except ValueError:
        return None
'''
RANGE = "        if not (0 < r < N and 0 < s < N):\n            return None\n"
VERIFY_RIGHT = {
    "the point as one text of bytes, and DER by hand": (
        [
            ("        x, y = number(decode(jwk[\"x\"])), number(decode(jwk[\"y\"]))\n", ""),
            ("ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()",
             "ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), "
             'b"\\x04" + decode(jwk["x"]) + decode(jwk["y"]))'),
            ("encode_dss_signature(number(raw[:32]), number(raw[32:]))", "der_of(raw)"),
            ("def verify_es256", '''def der_of(raw):
    parts = b""
    for half in (raw[:32], raw[32:]):
        half = half.lstrip(b"\\0") or b"\\0"
        half = b"\\0" + half if half[0] > 127 else half
        parts += bytes([2, len(half)]) + half
    return bytes([0x30, len(parts)]) + parts

def verify_es256'''),
        ]
    ),
    "all of it by hand": BY_HAND,
    "each step with a refusal of its own": """
import base64, binascii, json
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

ALPHABET = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")

def decode(text):
    if set(text) - ALPHABET:
        raise ValueError(text)
    return base64.urlsafe_b64decode(text + "==")

def verify_es256(token, jwk):
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        header, payload, signature = [decode(part) for part in parts]
        header = json.loads(header)
        if header["alg"] != "ES256":
            return None
    except (ValueError, TypeError, LookupError):
        return None
    r, s = signature[:32], signature[32:]
    if len(r) != 32 or len(s) != 32:
        return None
    numbers = [int(decode(jwk[name]).hex(), 16) for name in "xy"]
    key = ec.EllipticCurvePublicNumbers(*numbers, curve=ec.SECP256R1()).public_key()
    try:
        signature = utils.encode_dss_signature(int(r.hex(), 16), int(s.hex(), 16))
        key.verify(signature, ".".join(parts[:2]).encode("ascii"), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return None
    return payload
""",
}
VERIFY_WRONG = {
    "nothing is good": (
        "def verify_es256(token, jwk):\n    return None", {EXAMPLE: "gave None", HONEST: "gave None"},
    ),
    "everything is": (
        ("        key.verify(der, f\"{header}.{payload}\".encode(), ec.ECDSA(SHA256()))\n", ""),
        {CHANGED: "gave b'", DER: "gave b'", ZERO: "gave b'", ONLY: "gave b'", TEXTS: "gave b'"},
    ),
    "yes and no": (("return decode(payload)", "return True"), {EXAMPLE: "gave True", HONEST: "gave True"}),
    "the claims": (
        ("return decode(payload)", "return json.loads(decode(payload))"), {EXAMPLE: "gave {", HONEST: "gave {"},
    ),
    "the signature as it comes": ((DER_LINE, "        der = raw\n"), {EXAMPLE: "gave None", HONEST: "gave None"}),
    "DER too": (
        [(" or len(raw) != 64", ""), (DER_LINE, DER_LINE + "        der = raw if raw[:1] == b'0' and len(raw) > 66 "
          "else der\n")],
        {DER: "gave b'"},
    ),
    "any length": ((" or len(raw) != 64", ""), {DER: "gave b'"}),
    "two halves, however long": (
        [(" or len(raw) != 64", ""), (DER_LINE, "        half = len(raw) // 2\n        der = encode_dss_signature("
          "number(raw[:half]), number(raw[half:]))\n")],
        {DER: "gave b'"},
    ),
    "little end first": (('"big"', '"little"'), {EXAMPLE: "gave None", HONEST: "gave None"}),
    "s and r": (
        ("number(raw[:32]), number(raw[32:])", "number(raw[32:]), number(raw[:32])"),
        {EXAMPLE: "gave None", HONEST: "gave None"},
    ),
    "DER by hand, without the rules for the first byte": (
        [
            ("encode_dss_signature(number(raw[:32]), number(raw[32:]))",
             'bytes([0x30, 68, 2, 32]) + raw[:32] + bytes([2, 32]) + raw[32:]'),
        ],
        {EXAMPLE: "gave None", HONEST: "gave None"},
    ),
    "only the payload is signed": (
        ('f"{header}.{payload}".encode()', "payload.encode()"), {EXAMPLE: "gave None", HONEST: "gave None"},
    ),
    "what was decoded is signed": (
        ('f"{header}.{payload}".encode()', "decode(header) + b'.' + decode(payload)"),
        {EXAMPLE: "gave None", HONEST: "gave None"},
    ),
    "the header is written anew": (
        ('f"{header}.{payload}".encode()',
         '(base64.urlsafe_b64encode(json.dumps(named, separators=(",", ":")).encode()).decode().rstrip("=") '
         '+ "." + payload).encode()'),
        {HONEST: "gave None"},
    ),
    "r and s of any size, all by hand": (BY_HAND.replace(RANGE, ""), {ZERO: "gave b'"}),
    "r and s only not zero, all by hand": (BY_HAND.replace("0 < r < N and 0 < s < N", "r and s"), {ZERO: "gave b'"}),
    "any alg": ((' or named.get("alg") != "ES256"', ""), {ONLY: "gave b'"}),
    "an alg that begins like it": (
        ('named.get("alg") != "ES256"', 'not str(named.get("alg")).startswith("ES256")'), {ONLY: "gave b'"},
    ),
    "an alg in any spelling": (
        ('named.get("alg") != "ES256"', 'str(named.get("alg")).upper() != "ES256"'), {ONLY: "gave b'"},
    ),
    "none is fine": (
        ("        if not isinstance", '        if isinstance(named, dict) and named.get("alg") == "none":\n'
         "            return decode(payload)\n        if not isinstance"),
        {ONLY: "gave b'"},
    ),
    "the header is an object": (
        (' or named.get("alg") != "ES256"', ' or "ES256" != named["alg"]'), {ONLY: "raised KeyError"},
    ),
    "the header is a dict, surely": (("not isinstance(named, dict) or ", ""), {TEXTS: "raised AttributeError"}),
    "a text that cannot be read is an error": (
        ("(ValueError, InvalidSignature)", "InvalidSignature"), {TEXTS: "raised"},
    ),
    "a bad signature is an error": (
        ("(ValueError, InvalidSignature)", "ValueError"),
        dict.fromkeys([CHANGED, DER, ZERO, ONLY, TEXTS], "raised InvalidSignature"),
    ),
    "four parts, and more": (
        ('header, payload, signature = token.split(".")', 'header, payload, signature, *_ = token.split(".")'),
        {TEXTS: "gave b'"},
    ),
    "a decoder that skips what it does not know": (
        (' != text:\n        raise ValueError("not base64url")', " == text:\n        pass"),
        {TEXTS: "gave b'"},
    ),
}  # fmt: skip

# ---- 21.3 ----------------------------------------------------------------------------------------------------

ACCESS = "An access token for this service is accepted"
LISTS = "Tokens for several services, and clocks that are a little off"
AUD = "A token for another service is refused"
ID_TOKEN = "An ID token is no access token"
ENDED = "A token that has ended, or never ends, is refused"
ISSUER = "What another issuer says is refused"
FORGED = "The keys decide, and not the header"
COUNTER = "At the counter Ana's money moves by her own token, and by no other"
NO_TOKEN = "Whatever text comes, it is None and no error"

ACCEPT = """
import jwt

def accept(token, policy, now):
    try:
        header = jwt.get_unverified_header(token)
        jwk = next((one for one in policy["keys"] if one["kid"] == header.get("kid")), None)
        if jwk is None or header.get("typ") != policy["typ"]:
            return None
        return jwt.decode(
            token, jwt.PyJWK(jwk), algorithms=[jwk["alg"]], audience=policy["audience"], issuer=policy["issuer"],
            leeway=policy["leeway"], options={"require": ["exp", "iss", "aud", "sub"]},
        )
    except jwt.PyJWTError:
        return None
"""
REQUIRE = '"require": ["exp", "iss", "aud", "sub"]'
ACCEPT_RIGHT = {
    "the signature by PyJWT, the claims by hand": """
import jwt

def accept(token, policy, now):
    keys = {jwk["kid"]: jwt.PyJWK(jwk) for jwk in policy["keys"]}
    try:
        header = jwt.get_unverified_header(token)
        if header["typ"] != policy["typ"]:
            return None
        key = keys[header["kid"]]
        claims = jwt.decode(token, key, algorithms=[key.algorithm_name],
                            options={"verify_aud": False, "verify_iat": False, "verify_nbf": False,
                                     "verify_exp": False})
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        good = (claims["iss"] == policy["issuer"] and policy["audience"] in audience
                and claims["exp"] + policy["leeway"] > now >= claims.get("nbf", 0) - policy["leeway"]
                and isinstance(claims["sub"], str))
        return claims if good else None
    except (jwt.InvalidTokenError, KeyError, TypeError):
        return None
""",
    "with cryptography alone": """
import base64, json
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

def decode(text):
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True)

def number(data):
    return int.from_bytes(data, "big")

def signed(jwk, signature, data):
    if jwk["alg"] == "EdDSA":
        ed25519.Ed25519PublicKey.from_public_bytes(decode(jwk["x"])).verify(signature, data)
    elif jwk["alg"] == "ES256" and len(signature) == 64:
        numbers = ec.EllipticCurvePublicNumbers(number(decode(jwk["x"])), number(decode(jwk["y"])), ec.SECP256R1())
        der = encode_dss_signature(number(signature[:32]), number(signature[32:]))
        numbers.public_key().verify(der, data, ec.ECDSA(SHA256()))
    else:
        raise InvalidSignature

def accept(token, policy, now):
    try:
        header, payload, signature = token.split(".")
        named = json.loads(decode(header))
        fits = [jwk for jwk in policy["keys"] if (jwk["kid"], jwk["alg"]) == (named["kid"], named["alg"])]
        if not fits or named.get("typ") != policy["typ"]:
            return None
        signed(fits[0], decode(signature), f"{header}.{payload}".encode())
        claims = json.loads(decode(payload))
        for name, kinds in {"iss": str, "sub": str, "aud": (str, list), "exp": (int, float)}.items():
            if not isinstance(claims[name], kinds):
                return None
        if claims["iss"] != policy["issuer"]:
            return None
        if policy["audience"] not in (claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]):
            return None
        if now >= claims["exp"] + policy["leeway"] or claims.get("nbf", now) > now + policy["leeway"]:
            return None
        return claims
    except (ValueError, KeyError, TypeError, InvalidSignature):
        return None
""",
}
MOVED = "the bank's record: mallory moved"
CLAIMS = ("        return jwt.decode(", "        claims = jwt.decode(")
DECODED = {ACCESS: "gave", LISTS: "gave"}
ACCEPT_WRONG = {
    "nobody": ("def accept(token, policy, now):\n    return None", {ACCESS: "gave None", LISTS: "gave None"}),
    "verify_signature off": (
        [(REQUIRE, REQUIRE + ', "verify_signature": False')],
        dict.fromkeys([AUD, ID_TOKEN, ENDED, ISSUER, FORGED, NO_TOKEN], "gave {") | {COUNTER: MOVED},
    ),
    "the header's alg": (
        [("jwt.PyJWK(jwk), algorithms=[jwk[\"alg\"]]", "jwt.PyJWK(jwk).key, algorithms=[header[\"alg\"]]")],
        {FORGED: "raised TypeError", NO_TOKEN: "raised TypeError"},
    ),
    "the header, and not its typ": (
        (' or header.get("typ") != policy["typ"]', ""), {ID_TOKEN: "gave {", COUNTER: MOVED},
    ),
    "a typ that is there must fit": (
        ('header.get("typ") != policy["typ"]', 'header.get("typ", policy["typ"]) != policy["typ"]'),
        {ID_TOKEN: "gave {"},
    ),
    "a typ that is in the other": (
        ('header.get("typ") != policy["typ"]', 'str(header.get("typ")) not in policy["typ"]'), {ID_TOKEN: "gave {"},
    ),
    "everything but an ID token": (
        ('header.get("typ") != policy["typ"]', 'header.get("typ") in ("JWT", None)'), {ID_TOKEN: "gave {"},
    ),
    "no ID token by its claims": (
        [(' or header.get("typ") != policy["typ"]', ""), CLAIMS,
         ('"sub"]},\n        )', '"sub"]},\n        )\n        return None if "nonce" in claims else claims')],
        {ID_TOKEN: "gave {", COUNTER: MOVED},
    ),
    "the typ in the payload": (
        [(' or header.get("typ") != policy["typ"]', ""), CLAIMS,
         ('"sub"]},\n        )', '"sub"]},\n        )\n        return claims if claims.get("typ", "at+jwt") == '
          '"at+jwt" and header.get("typ") != "JWT" or claims.get("typ") == "at+jwt" else None')],
        {ID_TOKEN: "gave {"},
    ),
    "no audience": (
        [(' audience=policy["audience"],', ""), (REQUIRE, REQUIRE + ', "verify_aud": False')],
        {AUD: "gave {", COUNTER: MOVED},
    ),
    "no audience, and PyJWT does not like that": ((' audience=policy["audience"],', ""), DECODED),
    "an audience that begins like it": (
        [(' audience=policy["audience"],', ""), (REQUIRE, REQUIRE + ', "verify_aud": False'),
         CLAIMS,
         ('False},\n        )', 'False},\n        )\n        return claims if policy["audience"] in claims["aud"] '
          'or policy["audience"] in str(claims["aud"]) else None')],
        {AUD: "gave {"},
    ),
    "an audience, if there is one": (
        [(REQUIRE, '"require": ["exp", "iss", "sub"]'), (' audience=policy["audience"],', ""),
         CLAIMS, ('"sub"]},', '"sub"], "verify_aud": False},'),
         ("False},\n        )", 'False},\n        )\n        ours, aud = policy["audience"], claims.get("aud", [])\n'
          '        return claims if not aud or aud == ours or ours in list(aud) else None')],
        {AUD: "gave {"},
    ),
    "an audience is a text": (
        [CLAIMS, ('"sub"]},\n        )', '"sub"]},\n        )\n'
          '        return claims if isinstance(claims["aud"], str) else None')],
        {LISTS: "gave None"},
    ),
    "no leeway": (('leeway=policy["leeway"]', "leeway=0"), {LISTS: "gave None"}),
    "an hour of leeway": (('leeway=policy["leeway"]', "leeway=3600"), {ENDED: "gave {"}),
    "a second more": (('leeway=policy["leeway"]', 'leeway=policy["leeway"] + 1'), {ENDED: "gave {"}),
    "exp is not required": ((REQUIRE, '"require": ["iss", "aud", "sub"]'), {ENDED: "gave {"}),
    "nothing is required": ((", options={" + REQUIRE + "}", ""), {ENDED: "gave {", ISSUER: "gave {"}),
    "exp is not looked at": ((REQUIRE, REQUIRE + ', "verify_exp": False'), {ENDED: "gave {", NO_TOKEN: "gave {"}),
    "nbf is not looked at": ((REQUIRE, REQUIRE + ', "verify_nbf": False'), {ENDED: "gave {"}),
    "anybody's": ((' issuer=policy["issuer"],', ""), {ISSUER: "gave {", COUNTER: MOVED}),
    "about nobody": ((REQUIRE, '"require": ["exp", "iss", "aud"]'), {ISSUER: "gave {"}),
    "the first key": (
        ('next((one for one in policy["keys"] if one["kid"] == header.get("kid")), None)', 'policy["keys"][0]'),
        {ACCESS: "gave None", LISTS: "gave None"},
    ),
    "any key that fits": (
        "import jwt\n"
        "def accept(token, policy, now):\n"
        "    for jwk in policy['keys']:\n"
        "        try:\n"
        "            if jwt.get_unverified_header(token).get('typ') == policy['typ']:\n"
        "                return jwt.decode(token, jwt.PyJWK(jwk), algorithms=[jwk['alg']], issuer=policy['issuer'],\n"
        "                    audience=policy['audience'], leeway=policy['leeway'],\n"
        "                    options={'require': ['exp', 'iss', 'aud', 'sub']})\n"
        "        except jwt.PyJWTError:\n"
        "            pass\n"
        "    return None",
        {FORGED: "gave {"},
    ),
    "the token's own key": (
        ('        if jwk is None or', '        jwk = header.get("jwk", jwk)\n        if jwk is None or'),
        {FORGED: "gave {"},
    ),
    "alg: none is an honest answer": (
        ("        if jwk is None or", '        if header.get("alg") == "none":\n            return jwt.decode(token, '
         'options={"verify_signature": False})\n        if jwk is None or'),
        {FORGED: "gave {", COUNTER: MOVED},
    ),
    "the public key as a secret, when the header says so": (
        [("import jwt\n", "import hmac\nimport jwt\n"
          "from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat\n"),
         ("        if jwk is None or", "        if jwk and header.get(\"alg\") == \"HS256\":\n"
          "            pem = jwt.PyJWK(jwk).key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)\n"
          "            signed, _, signature = token.rpartition(\".\")\n"
          "            mac = hmac.digest(pem, signed.encode(), \"sha256\")\n"
          "            if jwt.utils.base64url_encode(mac).decode() == signature:\n"
          "                return jwt.decode(token, options={\"verify_signature\": False})\n"
          "        if jwk is None or")],
        {FORGED: "gave {"},
    ),
    "only some errors": (
        ("except jwt.PyJWTError", "except (jwt.InvalidAudienceError, jwt.ExpiredSignatureError)"),
        dict.fromkeys([AUD, ID_TOKEN, ENDED, ISSUER, FORGED, COUNTER, NO_TOKEN], "raised Invalid"),
    ),
    "only the subject": (
        [CLAIMS, ('"sub"]},\n        )', '"sub"]},\n        )\n        return claims["sub"]')],
        DECODED,
    ),
}  # fmt: skip

# ---- 21.4 ----------------------------------------------------------------------------------------------------

ONE_KEY = "One key signs, and is published, for good"
PLANNED = "A planned rotation logs nobody out"
OVERLAP = "Nor do rotations that overlap"
BEGINS = "The new key signs as soon as every cache knows it"
GOES = "An old key goes when its last token has ended"
EMERGENCY = "Emergency: the key is gone at once, and the spare signs"
DURING = "Emergency during a rotation: the announced key waits its turn"
NEVER = "An announced key that is removed never signs"
OLD = "To remove an old key changes nothing else"

ROTATION = """
def rotation(events, policy, now):
    turns = []
    for event in events:
        at = event["at"]
        if event["do"] == "start":
            turns.append({"kid": event["kid"], "from": at, "signs": at, "removed": False})
        elif event["do"] == "rotate":
            turns.append({"kid": event["kid"], "from": at, "signs": at + policy["cache"], "removed": False})
        else:
            signer = [turn for turn in turns if turn["signs"] <= at][-1]
            turn = next((turn for turn in turns if turn["kid"] == event["kid"]), None)
            if turn is None:
                continue
            if turn["signs"] > at:
                turns.remove(turn)
                continue
            turn["removed"] = True
            if turn is signer:
                spare = {"kid": event["spare"], "from": at, "signs": at, "removed": False}
                turns.insert(turns.index(turn) + 1, spare)
    stays, published = policy["lifetime"] + policy["leeway"], []
    for turn, following in zip(turns, turns[1:] + [None]):
        over = following is not None and now >= following["signs"] + stays
        if not turn["removed"] and not over:
            published.append(turn["kid"])
    return {"signs": [turn["kid"] for turn in turns if turn["signs"] <= now][-1], "published": published}
"""
INSERT = "turns.insert(turns.index(turn) + 1, spare)"
STAYS = 'policy["lifetime"] + policy["leeway"], []'
ROTATION_RIGHT = {
    "by intervals": """
def rotation(events, policy, now):
    keys = []  # [kid, published from, signs from, signs until, removed]

    for event in events:
        at = event["at"]
        if event["do"] == "start":
            keys.append([event["kid"], at, at, float("inf"), False])
        elif event["do"] == "rotate":
            keys[-1][3] = at + policy["cache"]
            keys.append([event["kid"], at, at + policy["cache"], float("inf"), False])
        else:
            place = [key[0] for key in keys].index(event["kid"])
            key = keys[place]
            if at < key[2]:
                keys[place - 1][3] = key[3]
                del keys[place]
            else:
                key[4] = True
                if at < key[3]:
                    keys.insert(place + 1, [event["spare"], at, at, key[3], False])
                    key[3] = at
    stays = policy["lifetime"] + policy["leeway"]
    published = sorted(key[0] for key in keys if now < key[3] + stays and not key[4])
    return {"signs": next(key[0] for key in keys if key[2] <= now < key[3]), "published": published}
""",
    "the signer of each moment, from a history": """
def rotation(events, policy, now):
    shifts, known, gone = {}, [], set()  # shifts: when who begins to sign

    def signer(at):
        return shifts[max(time for time in shifts if time <= at)]

    for event in events:
        at, kid = event["at"], event["kid"]
        if event["do"] == "remove":
            gone.add(kid)
            if signer(at) == kid:
                shifts[at] = event["spare"]
                known.append(event["spare"])
            shifts = {time: who for time, who in shifts.items() if not (who == kid and time > at)}
        else:
            known.append(kid)
            shifts[at + (policy["cache"] if event["do"] == "rotate" else 0)] = kid

    def last_end(kid):
        mine = [time for time in shifts if shifts[time] == kid]
        ends = [time for time in shifts if mine and time > max(mine)]
        return min(ends, default=float("inf")) + policy["lifetime"] + policy["leeway"]

    return {"signs": signer(now), "published": [k for k in known if k not in gone and now < last_end(k)]}
""",
}
ROTATION_WRONG = {
    "the new key signs at once": (
        ('"signs": at + policy["cache"]', '"signs": at'),
        {PLANNED: "customers were", OVERLAP: "customers were"},
    ),
    "the new key signs a second too early": (
        ('at + policy["cache"]', 'at + policy["cache"] - 1'),
        {BEGINS: "does", GOES: "it is not"},
    ),
    "the new key signs after a lifetime": (
        ('at + policy["cache"]', 'at + policy["lifetime"]'),
        {BEGINS: "does", GOES: "it is", EMERGENCY: "does", DURING: "does", NEVER: "does", OLD: "does"},
    ),
    "the old key goes when the new one comes": (
        ('following["signs"] + stays', 'following["from"]'), {PLANNED: "customers were", OVERLAP: "customers were"},
    ),
    "the old key goes when the new one signs": (
        ('following["signs"] + stays', 'following["signs"]'), {PLANNED: "customers were", OVERLAP: "customers were"},
    ),
    "no leeway": ((STAYS, 'policy["lifetime"], []'), {PLANNED: "customers were", OVERLAP: "customers were"}),
    "counted from the announcement": (
        ('following["signs"] + stays', 'following["from"] + stays'),
        {PLANNED: "customers were", OVERLAP: "customers were"},
    ),
    "a second too short": ((STAYS, 'policy["lifetime"] + policy["leeway"] - 1, []'), {GOES: "it is not"}),
    "a second too long": (("now >= following", "now > following"), {GOES: "it is"}),
    "a cache too long": (
        (STAYS, 'policy["lifetime"] + policy["leeway"] + policy["cache"], []'), {GOES: "it is"},
    ),
    "published for ever": (
        ('not turn["removed"] and not over', 'not turn["removed"]'), {GOES: "it is", EMERGENCY: "it is"},
    ),
    "removed keys stay": (
        ('not turn["removed"] and not over', "not over"), {EMERGENCY: "it is", DURING: "it is", OLD: "it is"},
    ),
    "the emergency is a rotation": (
        ('"from": at, "signs": at, "removed": False}\n                turns.insert',
         '"from": at, "signs": at + policy["cache"], "removed": False}\n                turns.insert'),
        {EMERGENCY: "does", DURING: "does"},
    ),
    "the spare is not published": (
        [('published.append(turn["kid"])', 'published.append(turn["kid"]) if not turn.get("spare") else None'),
         ('"removed": False}\n                turns.insert', '"removed": False, "spare": True}\n                '
          "turns.insert")],
        {EMERGENCY: "it is not", DURING: "it is not"},
    ),
    "the announced key signs at once in an emergency": (
        ("            if turn is signer:\n", "            later = [one for one in turns if one[\"signs\"] > at]\n"
         "            if turn is signer and later:\n                later[0][\"signs\"] = at\n"
         "            elif turn is signer:\n"),
        {DURING: "does"},
    ),
    "the spare drops the announced key": (
        (INSERT, "turns = [one for one in turns if one['signs'] <= at] + [spare]"),
        {DURING: "does"},
    ),
    "the spare comes last": (
        (INSERT, "turns.append(spare)"), {DURING: "does"},
    ),
    "a removed key is forgotten": (
        ('turn["removed"] = True', "pass"),
        {EMERGENCY: "it is", DURING: "it is", OLD: "it is"},
    ),
    "a removed key is taken out, as if it had never been": (
        [('            turn["removed"] = True\n            if turn is signer:',
          "            place = turns.index(turn)\n            turns.remove(turn)\n            if turn is signer:"),
         (INSERT, "turns.insert(place, spare)")],
        {EMERGENCY: "it is"},
    ),
    "every removal brings the spare": (("if turn is signer:", "if turn:"), {OLD: "it is"}),
    "an announced key that is removed counts as one that signed": (
        ('            if turn["signs"] > at:\n                turns.remove(turn)\n                continue\n', ""),
        {NEVER: "does"},
    ),
    "an announced key cannot be removed": (
        ("                turns.remove(turn)\n                continue\n", "                continue\n"),
        {NEVER: "does"},
    ),
    "the last announced signs": (
        ('[turn["kid"] for turn in turns if turn["signs"] <= now][-1]', 'turns[-1]["kid"]'),
        {PLANNED: "customers were", OVERLAP: "customers were"},
    ),
    "the first signs for ever": (
        ('[turn["kid"] for turn in turns if turn["signs"] <= now][-1]', 'turns[0]["kid"]'),
        {PLANNED: "customers were", OVERLAP: "customers were"},
    ),
    "only the signer is published": (
        ('"published": published}', '"published": [[turn["kid"] for turn in turns if turn["signs"] <= now][-1]]}'),
        {PLANNED: "customers were", OVERLAP: "customers were"},
    ),
    "numbers of its own": (
        ("def rotation(events, policy, now):", 'def rotation(events, policy, now):\n    policy = {"cache": 300, '
         '"lifetime": 900, "leeway": 30}'),
        {PLANNED: "customers were", OVERLAP: "customers were"},
    ),
    "a list": (
        ('return {"signs": [turn["kid"] for turn in turns if turn["signs"] <= now][-1], "published": published}',
         "return published"),
        {ONE_KEY: "gave [", PLANNED: "gave [", OVERLAP: "gave ["},
    ),
}  # fmt: skip

# --------------------------------------------------------------------------------------------------------------

TABLE = {
    "21.1": (KEY_FOR, KEY_FOR_RIGHT, KEY_FOR_WRONG),
    "21.2": (VERIFY, VERIFY_RIGHT, VERIFY_WRONG),
    "21.3": (ACCEPT, ACCEPT_RIGHT, ACCEPT_WRONG),
    "21.4": (ROTATION, ROTATION_RIGHT, ROTATION_WRONG),
}


# ---- the exercise and the course's own key ring ---------------------------------------------------------------


@pytest.mark.parametrize("seed", range(40))
def test_the_judge_and_the_key_ring_agree(seed):
    draw, clock = random.Random(seed), [1000.0]
    policy = {"cache": 300, "lifetime": 900, "leeway": 30}
    ring = KeyRing("https://id.example", clock=lambda: clock[0], **policy)
    events = [{"at": clock[0], "do": "start", "kid": ring.signing().kid}]
    for _ in range(6):
        for _ in range(draw.randrange(1, 4)):
            clock[0] += draw.randrange(1, 400)
            published = frozenset(key.kid for key in ring.published())
            assert (ring.signing().kid, published) == stands(plan(events, policy), policy, clock[0])
        events.append(an_event(ring, draw) | {"at": clock[0]})


def an_event(ring, draw):
    """Let something happen to the ring, and tell it as the exercise does."""
    known = [key.kid for key in ring.published()]
    if draw.random() < 0.5:
        return {"do": "rotate", "kid": ring.rotate().kid}
    kid = draw.choice(known)
    ring.remove(kid)
    spare = [key.kid for key in ring.published() if key.kid not in known]
    return {"do": "remove", "kid": kid, "spare": spare[0] if spare else "not needed"}
