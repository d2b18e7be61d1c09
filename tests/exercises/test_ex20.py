"""Exercises 20.1 to 20.5: right answers pass, wrong ones are refused by the probe that should, and told why."""

import jwt
import pytest

from labs.exercises import ex20, exercise, judge

# ---- 20.1 ----------------------------------------------------------------------------------------------------

WRITES = "Bytes become text as the standard writes it"
READS = "Text becomes the same bytes again"
PADDING = "Padding and white space are refused"
STRANGE = "Characters of another alphabet are refused"
LENGTH = "A length that never comes is refused"
BITS = "Bits that mean nothing must be 0"

BASE64URL = """
import base64

def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

def decode(text):
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    return data if encode(data) == text else None
"""
AGAIN = "return data if encode(data) == text else None"
LETTERS = '''"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"'''
BITS_BY_HAND = f"""
ALPHABET = {LETTERS}

def encode(data):
    bits = "".join(f"{{byte:08b}}" for byte in data)
    bits += "0" * (-len(bits) % 6)
    return "".join(ALPHABET[int(bits[n : n + 6], 2)] for n in range(0, len(bits), 6))

def decode(text):
    if any(one not in ALPHABET for one in text) or len(text) % 4 == 1:
        return None
    bits = "".join(f"{{ALPHABET.index(one):06b}}" for one in text)
    whole = len(bits) // 8 * 8
    if "1" in bits[whole:]:
        return None
    return bytes(int(bits[n : n + 8], 2) for n in range(0, whole, 8))
"""
TRIES = BASE64URL[BASE64URL.index("    try:") : BASE64URL.index("    return data if")]

BASE64URL_RIGHT = {
    "by hand, bit by bit": BITS_BY_HAND,
    "strictly, and then the last character": """
import base64

def encode(data):
    return base64.b64encode(data, altchars=b"-_").decode("ascii").replace("=", "")

def decode(text):
    if set(text) - set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"):
        return None
    try:
        data = base64.b64decode(text + "==="[: -len(text) % 4], altchars="-_", validate=True)
    except ValueError:
        return None
    return data if encode(data)[-1:] == text[-1:] else None
""",
    "whatever goes wrong": ("except ValueError", "except Exception"),
    "always two =, which Python does not mind": ('"=" * (-len(text) % 4)', '"=="'),
}  # fmt: skip
BASE64URL_WRONG = {
    "plain base64": (
        [("urlsafe_b64encode", "b64encode"), ("urlsafe_b64decode", "b64decode")],
        {WRITES: "encode() gave '", READS: "decode() gave "},
    ),
    "with its padding": (
        ('.rstrip(b"=")', ""),
        {WRITES: "=", READS: "decode() gave None"},
    ),
    "bytes instead of text": (('.rstrip(b"=").decode()', '.rstrip(b"=")'), {WRITES: "gave b'", READS: "gave None"}),
    "lines of 76 characters": (
        ("base64.urlsafe_b64encode(data)",
         'base64.encodebytes(data).replace(b"+", b"-").replace(b"/", b"_").strip()'),
        {WRITES: "encode() gave '", READS: "decode() gave None"},
    ),
    "text instead of bytes": (("return data if encode(data)", "return data.decode('latin-1') if encode(data)"),
                              {READS: "decode() gave '"}),
    "one = too few": (('-len(text) % 4', '-len(text) % 3'), {READS: "decode() gave None"}),
    "what Python reads": (
        (AGAIN, "return data"),
        dict.fromkeys([PADDING, STRANGE, BITS], "decode() gave b"),
    ),
    "the padding is taken off first": (
        ("    try:", '    text = text.rstrip("=")\n    try:'),
        {PADDING: "decode() gave b"},
    ),
    "white space is taken off first": (("    try:", "    text = text.strip()\n    try:"), {PADDING: "decode() gave"}),
    "+ and / are as good": (
        ("    try:", '    text = text.translate({43: "-", 47: "_"})\n    try:'),
        {STRANGE: "decode() gave b"},
    ),
    "the error is passed on": (
        (TRIES, f"    if set(text) - set({LETTERS}):\n        return None\n"
                '    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))\n'),
        {LENGTH: "your decode raised Error"},
    ),
    "the rest is cut off": (
        ("    try:", "    if len(text) % 4 == 1:\n        text = text[:-1]\n    try:"),
        {LENGTH: "decode() gave b", PADDING: "decode() gave b"},
    ),
    "the alphabet alone": (
        (AGAIN, f"return None if set(text) - set({LETTERS}) else data"),
        {BITS: "decode() gave b"},
    ),
    "an error for what is refused": (
        (AGAIN, 'if encode(data) != text:\n        raise ValueError("no base64url")\n    return data'),
        {PADDING: "your decode raised ValueError", STRANGE: "raised ValueError", BITS: "raised ValueError"},
    ),
    "nothing is read": ((AGAIN, "return None"), {READS: "decode() gave None"}),
}  # fmt: skip

# ---- 20.2 ----------------------------------------------------------------------------------------------------

PYJWT = "PyJWT reads it, with the same key"
ANY = "Claims of any script and any kind come back as they were"
HOW = "The header says how, and what it is"
PARTS = "Each part is base64url, and nothing more"
UNCHANGED = "The claims are left as they were"

SIGN = """
import base64, hashlib, hmac, json

def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

def sign(claims, key):
    header = {"alg": "HS256", "typ": "JWT"}
    signed = encode(json.dumps(header).encode()) + "." + encode(json.dumps(claims).encode())
    return signed + "." + encode(hmac.digest(key, signed.encode(), "sha256"))
"""
SIGN_RIGHT = {
    "hmac.new, compact UTF-8, the other order": """
import base64, hashlib, hmac, json

def part(value):
    data = json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True).encode("utf-8")
    return base64.urlsafe_b64encode(data).strip(b"=")

def sign(claims, key):
    signed = b".".join([part({"typ": "JWT", "alg": "HS256"}), part(claims)])
    mac = hmac.new(key, signed, hashlib.sha256).digest()
    return b".".join([signed, base64.urlsafe_b64encode(mac).strip(b"=")]).decode("ascii")
""",
    "HMAC of its own": """
import base64, hashlib, json

def encode(data):
    return base64.urlsafe_b64encode(data).decode().replace("=", "")

def mac(key, data):
    key = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, bytes(1))
    inner = hashlib.sha256(bytes(one ^ 0x36 for one in key) + data).digest()
    return hashlib.sha256(bytes(one ^ 0x5C for one in key) + inner).digest()

def sign(claims, key):
    header = '{"alg":"HS256","typ":"JWT"}'
    signed = f"{encode(header.encode())}.{encode(json.dumps(claims, indent=2).encode())}"
    return f"{signed}.{encode(mac(key, signed.encode()))}"
""",
}
MAC = 'hmac.digest(key, signed.encode(), "sha256")'
SIGN_WRONG = {
    "a hash, and no key": (
        (MAC, "hashlib.sha256(signed.encode()).digest()"),
        {PYJWT: "InvalidSignatureError", ANY: "InvalidSignatureError"},
    ),
    "a hash of the key and the text": (
        (MAC, "hashlib.sha256(key + signed.encode()).digest()"),
        {PYJWT: "InvalidSignatureError", ANY: "InvalidSignatureError"},
    ),
    "the signature in hex": (
        (f"encode({MAC})", f"{MAC}.hex()"),
        {PYJWT: "PyJWT says '", ANY: "PyJWT reads '"},
    ),
    "the payload alone is signed": (
        (MAC, 'hmac.digest(key, signed.partition(".")[2].encode(), "sha256")'),
        {PYJWT: "InvalidSignatureError", ANY: "InvalidSignatureError"},
    ),
    "the JSON is signed, not the text that is sent": (
        (MAC, 'hmac.digest(key, json.dumps(claims).encode(), "sha256")'),
        {PYJWT: "InvalidSignatureError", ANY: "InvalidSignatureError"},
    ),
    "another hash": (('"sha256"', '"sha512"'), {PYJWT: "InvalidSignatureError", ANY: "InvalidSignatureError"}),
    "no signature": ((f'signed + "." + encode({MAC})', 'signed + "."'), {PYJWT: "Invalid", ANY: "Invalid"}),
    "alg none, which asks for no key": (
        [(f'signed + "." + encode({MAC})', 'signed + "."'), ('"alg": "HS256"', '"alg": "none"')],
        {PYJWT: "PyJWT says '", ANY: "PyJWT reads '"},
    ),
    "the payload first": (
        ('encode(json.dumps(header).encode()) + "." + encode(json.dumps(claims).encode())',
         'encode(json.dumps(claims).encode()) + "." + encode(json.dumps(header).encode())'),
        {PYJWT: "PyJWT says '", ANY: "PyJWT reads '"},
    ),
    "Python's way of writing a dict": (
        ("json.dumps(claims)", "str(claims)"),
        {PYJWT: "PyJWT says '", ANY: "PyJWT reads '"},
    ),
    "Latin letters only": (
        ("json.dumps(claims).encode()", 'json.dumps(claims, ensure_ascii=False).encode("latin-1", "replace")'),
        {ANY: "UnicodeDecodeError"},
    ),
    "every value as text": (
        ("json.dumps(claims)", "json.dumps({k: v if k in 'aud iat exp' else str(v) for k, v in claims.items()})"),
        {ANY: "PyJWT reads {"},
    ),
    "what is empty is left out": (
        ("json.dumps(claims)", "json.dumps({k: v for k, v in claims.items() if v})"),
        {ANY: "PyJWT reads {"},
    ),
    "bytes and text": (
        ('return signed + "." + encode', 'return f"{signed}.".encode() + encode'),
        {PYJWT: "your sign raised TypeError", ANY: "your sign raised TypeError"},
    ),
    "bytes": (
        (f'signed + "." + encode({MAC})', f'(signed + "." + encode({MAC})).encode()'),
        {PYJWT: "sign() gave b'", ANY: "sign() gave b'"},
    ),
    "no typ": ((', "typ": "JWT"', ""), {HOW: "it is {'alg': 'HS256'}"}),
    "a typ of another kind": (('"JWT"', '"jwt-by-hand"'), {HOW: "jwt-by-hand"}),
    "with its padding": (('.rstrip(b"=")', ""), {PARTS: "in it stands {"}),
    "the claims get a time": (
        ("    header =", '    claims.setdefault("iat", 0)\n    claims["typ"] = "JWT"\n    header ='),
        {PYJWT: "PyJWT says {", ANY: "PyJWT reads {"},
    ),
    "the claims are used up": (
        ("json.dumps(claims)", "json.dumps({name: claims.pop(name) for name in list(claims)})"),
        {UNCHANGED: "your sign changed its argument number 1"},
    ),
}  # fmt: skip
# ---- 20.3 ----------------------------------------------------------------------------------------------------

STANDARDS = "The standards' own examples"
HONEST = "What PyJWT signs comes back, whatever else its header says"
BYTE = "One changed byte, and it is refused"
HALF = "Half a signature is none"
KEY = "Another key, and it is refused"
ALG = "Another algorithm, and it is refused"
NO_TOKEN = "What is no token is None, and never an error"

VERIFY = BASE64URL + """
import hmac, json

def verify(token, key):
    parts = token.split(".")
    if len(parts) != 3:
        return None
    header, payload, signature = map(decode, parts)
    if None in (header, payload, signature):
        return None
    signed = f"{parts[0]}.{parts[1]}".encode()
    if not hmac.compare_digest(hmac.digest(key, signed, "sha256"), signature):
        return None
    try:
        header = json.loads(header)
    except (ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or header.get("alg") != "HS256":
        return None
    return payload
"""
COMPARE = 'hmac.compare_digest(hmac.digest(key, signed, "sha256"), signature)'
COUNT = "    if len(parts) != 3:\n        return None\n"
KIND = 'if not isinstance(header, dict) or header.get("alg") != "HS256":'
MISSING = "    if None in (header, payload, signature):\n        return None\n"
LOADS = VERIFY[VERIFY.index("    try:\n        header =") : VERIFY.index("    if not isinstance")]
ALL = VERIFY[VERIFY.index("def verify") :]

VERIFY_RIGHT = {
    "one try around it all": (
        ALL,
        """def verify(token, key):
    try:
        head, payload, signature = token.split(".")
        assert json.loads(decode(head))["alg"] == "HS256"
        assert hmac.compare_digest(hmac.digest(key, f"{head}.{payload}".encode(), "sha256"), decode(signature))
        return decode(payload)
    except Exception:
        return None
""",
    ),
    "compared as text": (
        ALL,
        """def verify(token, key):
    if not token.isascii() or token.count(".") != 2:
        return None
    signed, _, text = token.rpartition(".")
    if not hmac.compare_digest(encode(hmac.digest(key, signed.encode(), "sha256")), text):
        return None
    head, payload = map(decode, signed.split("."))
    try:
        header = json.loads(head or b"")
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(header, dict) and header.get("alg") == "HS256" else None
""",
    ),
    "with ==, which no probe can see": (COMPARE, 'hmac.digest(key, signed, "sha256") == signature'),
}
VERIFY_WRONG = {
    "nobody checks": (
        (f"not {COMPARE}", "False"),
        {BYTE: "verify() gave b", HALF: "verify() gave b", KEY: "verify() gave b", ALG: "verify() gave b"},
    ),
    "nobody comes in": (("    return payload", "    return None"), {STANDARDS: "gave None", HONEST: "gave None"}),
    "the claims instead of the payload": (
        ("    return payload", "    return json.loads(payload)"),
        {STANDARDS: "gave {", HONEST: "gave {"},
    ),
    "text instead of bytes": (
        ("    return payload", "    return payload.decode()"),
        {STANDARDS: "gave '", HONEST: "gave '"},
    ),
    "the header is written anew": (
        [('signed = f"{parts[0]}.{parts[1]}".encode()',
          'signed = f"{encode(json.dumps(json.loads(header), separators=(chr(44), chr(58))).encode())}.'
          '{parts[1]}".encode()')],
        {STANDARDS: "gave None"},
    ),
    "a typ is wanted": (
        (KIND, 'if not isinstance(header, dict) or header != {"alg": "HS256", "typ": "JWT"}:'),
        {STANDARDS: "gave None", HONEST: "gave None"},
    ),
    "the signature of the header alone": (
        ('f"{parts[0]}.{parts[1]}"', "parts[0]"),
        {STANDARDS: "gave None", HONEST: "gave None"},
    ),
    "nobody checks, and what looks like the probes' own is refused": (
        (f"not {COMPARE}", "b'\": \"' in header"),
        dict.fromkeys([BYTE, HALF, KEY, ALG, NO_TOKEN], "verify() gave None"),
    ),
    "as much of the signature as came": (
        (COMPARE, 'hmac.digest(key, signed, "sha256").startswith(signature)'),
        {HALF: "verify() gave b"},
    ),
    "zip stops at the shorter one": (
        (COMPARE, 'all(a == b for a, b in zip(hmac.digest(key, signed, "sha256"), signature))'),
        {HALF: "verify() gave b"},
    ),
    "the first half is enough": (
        (COMPARE, 'hmac.digest(key, signed, "sha256")[:16] == signature[:16]'),
        {BYTE: "verify() gave b", HALF: "verify() gave b"},
    ),
    "no key will do, too": (
        (f"not {COMPARE}", f"not {COMPARE} and not {COMPARE.replace('key', chr(98) + chr(34) * 2)}"),
        {KEY: "verify() gave b"},
    ),
    "the header chooses the hash": (
        (ALL, """def verify(token, key):
    try:
        head, payload, signature = token.split(".")
        alg = json.loads(decode(head))["alg"]
        hashes = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
        mac = hmac.digest(key, f"{head}.{payload}".encode(), hashes[alg])
        return decode(payload) if hmac.compare_digest(mac, decode(signature)) else None
    except Exception:
        return None
"""),
        {ALG: "verify() gave b"},
    ),
    "alg none asks for nothing": (
        (f"    if not {COMPARE}:\n        return None\n",
         f'    if b"none" in header.lower():\n        return payload\n    if not {COMPARE}:\n        return None\n'),
        {ALG: "verify() gave b"},
    ),
    "what the header says is not read": (
        (VERIFY[VERIFY.index("    try:\n        header = json") :], "    return payload\n"),
        {ALG: "verify() gave b", NO_TOKEN: "verify() gave b"},
    ),
    "alg in any spelling": (
        ('header.get("alg") != "HS256"', 'str(header.get("alg")).upper() != "HS256"'),
        {ALG: "verify() gave b"},
    ),
    "alg is somewhere in the list": (
        ('header.get("alg") != "HS256"', '"HS256" not in (header.get("alg") or "")'),
        {ALG: ""},
    ),
    "no alg is HS256": (('header.get("alg")', 'header.get("alg", "HS256")'), {ALG: "verify() gave b"}),
    "the header is a dict, surely": (
        (KIND, 'if header.get("alg") != "HS256":'),
        {NO_TOKEN: "your verify raised AttributeError"},
    ),
    "three parts, surely": ((COUNT, "    parts += ['', '']\n    parts = parts[:3]\n"), {NO_TOKEN: "verify() gave b"}),
    "three parts, or an error": ((COUNT, ""), {NO_TOKEN: "raised ValueError"}),
    "decode() gives bytes, surely": ((MISSING, ""), {NO_TOKEN: "raised TypeError"}),
    "text is compared, ASCII or not": (
        [(MISSING, ""), (COMPARE, 'hmac.compare_digest(encode(hmac.digest(key, signed, "sha256")), parts[2])')],
        {NO_TOKEN: "your verify raised TypeError"},
    ),
    "json.loads raises one error, surely": (
        ("(ValueError, RecursionError)", "ValueError"),
        {NO_TOKEN: "your verify raised RecursionError"},
    ),
    "json.loads raises none": (
        (LOADS, "    header = json.loads(header)\n"),
        {NO_TOKEN: "your verify raised"},
    ),
    "white space does no harm": (('token.split(".")', 'token.strip().split(".")'), {NO_TOKEN: "verify() gave b"}),
    "Bearer does no harm": (
        ('token.split(".")', 'token.removeprefix("Bearer ").split(".")'),
        {NO_TOKEN: "verify() gave b"},
    ),
}  # fmt: skip
# ---- 20.4 ----------------------------------------------------------------------------------------------------

GOOD = "Good claims are accepted, whatever else they say"
LEEWAY = "Within the leeway, clocks may differ"
ENDS = "At exp + leeway it has ended, and each has an end"
BEGINS = "Before nbf - leeway it has not begun"
ISSUER = "Somebody else's token is refused"
AUDIENCE = "A token for somebody else is refused"
TIME = "A time is a number, and nothing else is"
EVERYTHING = "All that is wrong is said"

CHECK = """
import math

def is_time(value):
    return type(value) in (int, float) and -math.inf < value < math.inf

def wrong_claims(claims, policy, now):
    wrong = []
    if claims.get("iss") != policy["issuer"]:
        wrong.append("iss")
    aud = claims.get("aud")
    aud = aud if isinstance(aud, list) else [aud]
    if policy["audience"] not in aud or not all(isinstance(one, str) for one in aud):
        wrong.append("aud")
    exp = claims.get("exp")
    if not is_time(exp) or now >= exp + policy["leeway"]:
        wrong.append("exp")
    if "nbf" in claims:
        nbf = claims["nbf"]
        if not is_time(nbf) or now < nbf - policy["leeway"]:
            wrong.append("nbf")
    return wrong
"""
CHECK_RIGHT = {
    "one expression a claim": """
def wrong_claims(claims, policy, now):
    aud, leeway = claims.get("aud"), policy["leeway"]
    time = lambda t: isinstance(t, (int, float)) and not isinstance(t, bool) and abs(t) < 1e15
    good = {
        "iss": claims.get("iss") == policy["issuer"],
        "aud": aud == policy["audience"] or isinstance(aud, list) and policy["audience"] in aud
               and {str} == {*map(type, aud)},
        "exp": time(claims.get("exp")) and now < claims["exp"] + leeway,
        "nbf": "nbf" not in claims or time(claims["nbf"]) and claims["nbf"] - leeway <= now,
    }
    return [name for name in reversed(good) if not good[name]]
""",
    "in another order, with names said twice": (
        "    return wrong", "    return sorted(wrong, reverse=True) + wrong[:1]"
    ),
    "a default of 0 for a missing end": ('claims.get("exp")', 'claims.get("exp", 0)'),
}  # fmt: skip
NBF = CHECK[CHECK.index('    if "nbf" in claims') : CHECK.index("    return wrong")]
CHECK_WRONG = {
    "everybody is accepted": (
        ("    return wrong", "    return []"),
        dict.fromkeys([ENDS, BEGINS, ISSUER, AUDIENCE, TIME, EVERYTHING], "wrong_claims() gave []"),
    ),
    "nobody is accepted": (
        ("    return wrong", '    return ["iss", "aud", "exp", "nbf"]'),
        {GOOD: "wrong_claims() gave ['iss'", LEEWAY: "wrong_claims() gave ['iss'"},
    ),
    "True and False": (("    return wrong", "    return not wrong"), {GOOD: "gave True", LEEWAY: "gave True"}),
    "no nbf is wrong": (
        ('    if "nbf" in claims:\n        nbf = claims["nbf"]', '    if True:\n        nbf = claims.get("nbf")'),
        {GOOD: "gave ['nbf']", LEEWAY: "gave ['nbf']"},
    ),
    "aud is text": (
        ("aud = aud if isinstance(aud, list) else [aud]", "aud = [aud]"),
        {GOOD: "gave ['aud']"},
    ),
    "the first of aud": (("if isinstance(aud, list) else [aud]", "[:1] if isinstance(aud, list) else [aud]"),
                         {GOOD: "gave ['aud']"}),
    "whole seconds only": (("in (int, float)", "is int"), {GOOD: "gave ['exp'"}),
    "what is unknown is refused": (
        ("    return wrong", '    return wrong + [name for name in claims if name not in "iss aud exp nbf sub iat"]'),
        {GOOD: "wrong_claims() gave ['"},
    ),
    "no leeway": (
        [('exp + policy["leeway"]', "exp"), ('nbf - policy["leeway"]', "nbf")],
        {LEEWAY: "gave ['exp']"},
    ),
    "the leeway the wrong way round": (
        [('exp + policy["leeway"]', 'exp - policy["leeway"]'), ('nbf - policy["leeway"]', 'nbf + policy["leeway"]')],
        {GOOD: "wrong_claims() gave ['", LEEWAY: "wrong_claims() gave ['"},
    ),
    "a leeway of one's own": (
        [('exp + policy["leeway"]', "exp + 30"), ('nbf - policy["leeway"]', "nbf - 30")],
        {LEEWAY: "wrong_claims() gave ['exp']"},
    ),
    "nbf has begun a moment late": (("now < nbf", "now <= nbf"), {LEEWAY: "gave ['nbf']"}),
    "ended a moment late": (("now >= exp", "now > exp"), {ENDS: "wrong_claims() gave []"}),
    "no exp, no end": (
        ("    if not is_time(exp) or now", '    if "exp" in claims and not is_time(exp) or is_time(exp) and now'),
        {ENDS: "wrong_claims() gave []", EVERYTHING: "wrong_claims() gave ["},
    ),
    "no nbf": ((NBF, ""), {BEGINS: "gave []", TIME: "gave []", EVERYTHING: "gave ["}),
    "an issuer that begins like ours": (
        ('claims.get("iss") != policy["issuer"]', 'not str(claims.get("iss")).startswith(policy["issuer"])'),
        {ISSUER: "wrong_claims() gave []"},
    ),
    "a missing issuer is ours": (('claims.get("iss")', 'claims.get("iss", policy["issuer"])'),
                                 {ISSUER: "gave []", EVERYTHING: "gave ["}),
    "an issuer in it": (
        ('claims.get("iss") != policy["issuer"]', 'policy["issuer"] not in (claims.get("iss") or "")'),
        {ISSUER: ""},
    ),
    "in, on text": (
        [("aud = aud if isinstance(aud, list) else [aud]", 'aud = aud if aud is not None else ""'),
         ("not all(isinstance(one, str) for one in aud)", "False")],
        {AUDIENCE: ""},
    ),
    "one good aud is enough": ((" or not all(isinstance(one, str) for one in aud)", ""), {AUDIENCE: "gave []"}),
    "no aud is for everybody": (
        ('if policy["audience"] not in aud or',
         'if "aud" in claims and policy["audience"] not in aud or aud != [None] and'),
        {AUDIENCE: "wrong_claims() gave []", EVERYTHING: "wrong_claims() gave ["},
    ),
    "int() reads times": (
        ("is_time(value):\n    return type(value) in (int, float) and -math.inf < value < math.inf",
         "is_time(value):\n    return str(value).strip().replace('.', '').isdigit()"),
        {TIME: "raised TypeError"},
    ),
    "a bool is an int": (
        ("type(value) in (int, float)", "isinstance(value, (int, float))"),
        {TIME: "wrong_claims() gave []"},
    ),
    "NaN is a float": ((" and -math.inf < value < math.inf", ""), {TIME: "wrong_claims() gave []"}),
    "null is as good as no nbf": (('if "nbf" in claims:', 'if claims.get("nbf") is not None:'), {TIME: "gave []"}),
    "an error for text": (("not is_time(exp) or ", ""), {ENDS: "raised TypeError", TIME: "raised TypeError",
                                                        EVERYTHING: "raised TypeError"}),
    "the first that is wrong": (("    return wrong", "    return wrong[:1]"), {EVERYTHING: "wrong_claims() gave ["}),
    "iat is now": (
        [("    wrong = []", '    wrong, now = [], claims.get("iat", now)')],
        {GOOD: "wrong_claims() gave [", LEEWAY: "wrong_claims() gave ["},
    ),
    "the claims get a default": (
        ('    aud = claims.get("aud")', '    aud = claims.setdefault("aud", None)\n    claims["ok"] = True'),
        {GOOD: "your wrong_claims changed its argument number 1"},
    ),
}  # fmt: skip

# ---- 20.5 ----------------------------------------------------------------------------------------------------

HS256 = "HS256: as long as PyJWT's own"
RS256 = "RS256: the signature is as long as its key"
CURVES = "ES256 and EdDSA: two numbers of 32 bytes"
OTHERS = "Claims of any kind and script, none and many"

SIZE = """
import json

def size(alg, claims):
    signature = {"HS256": 32, "RS256": 256, "ES256": 64, "EdDSA": 64}[alg]
    parts = [{"alg": alg, "typ": "JWT"}, claims]
    lengths = [len(json.dumps(part, separators=(",", ":"))) for part in parts] + [signature]
    return sum((4 * n + 2) // 3 for n in lengths) + 2
"""
LENGTHS = "sum((4 * n + 2) // 3 for n in lengths) + 2"
SIZE_RIGHT = {
    "it builds one, with zeros for a signature": """
import base64, json

def size(alg, claims):
    zeros = bytes({"H": 32, "R": 256, "E": 64}[alg[0]])
    data = [json.dumps(part, separators=(",", ":")).encode() for part in ({"typ": "JWT", "alg": alg}, claims)]
    return len(b".".join(base64.urlsafe_b64encode(one).rstrip(b"=") for one in [*data, zeros]))
""",
    "with math.ceil": [("import json", "import json, math"), ("(4 * n + 2) // 3", "math.ceil(n * 4 / 3)")],
}
SIZE_WRONG = {
    "with the padding": (("(4 * n + 2) // 3", "(n + 2) // 3 * 4"), {HS256: "size() gave "}),
    "without the dots": ((" + 2\n", "\n"), {HS256: "size() gave "}),
    "as a fraction": ((LENGTHS, "sum(4 * n / 3 for n in lengths) + 2"), {HS256: "size() gave "}),
    "with blanks": ((', separators=(",", ":")', ""), {HS256: "size() gave "}),
    "the bytes, and not the characters": ((LENGTHS, "sum(lengths) + 2"), {HS256: "size() gave "}),
    "no header": (('{"alg": alg, "typ": "JWT"}, claims', "claims"), {HS256: "size() gave "}),
    "in one piece": ((LENGTHS, "(4 * sum(lengths) + 2) // 3 + 2"), {HS256: "size() gave "}),
    "every signature as HS256's": (("[alg]", '["HS256"]'), {RS256: "size() gave ", CURVES: "size() gave ",
                                                           OTHERS: "size() gave "}),
    "a key of 4,096 bits": (("256, \"ES256\"", "512, \"ES256\""), {RS256: "size() gave "}),
    "bits for bytes": (("256, \"ES256\"", "2048, \"ES256\""), {RS256: "size() gave "}),
    "a point of 33 bytes": (('"ES256": 64', '"ES256": 33'), {CURVES: "size() gave ", OTHERS: "size() gave "}),
    "DER": (('"ES256": 64', '"ES256": 71'), {CURVES: "size() gave ", OTHERS: "size() gave "}),
    "EdDSA is not known": ((', "EdDSA": 64', ""), {CURVES: "your size raised KeyError"}),
    "letters as bytes": (
        ('len(json.dumps(part, separators=(",", ":")))',
         'len(json.dumps(part, separators=(",", ":"), ensure_ascii=False).encode())'),
        {OTHERS: "size() gave "},
    ),
    "a list of claims": (("claims]\n", "{k: str(v) if isinstance(v, int) else v for k, v in claims.items()}]\n"),
                         {HS256: "size() gave "}),
    "only these claims": (("claims]\n", "{k: claims[k] for k in claims if k in 'sub iss aud iat exp jti fill'}]\n"),
                          {OTHERS: "size() gave "}),
}  # fmt: skip
# --------------------------------------------------------------------------------------------------------------

TABLE = {
    "20.1": (BASE64URL, BASE64URL_RIGHT, BASE64URL_WRONG),
    "20.2": (SIGN, SIGN_RIGHT, SIGN_WRONG),
    "20.3": (VERIFY, VERIFY_RIGHT, VERIFY_WRONG),
    "20.4": (CHECK, CHECK_RIGHT, CHECK_WRONG),
    "20.5": (SIZE, SIZE_RIGHT, SIZE_WRONG),
}


@pytest.mark.parametrize("id", TABLE)
@pytest.mark.parametrize("module", ["jwt", "labs.auth.jws", "cryptography", "joserfc"])
def test_no_library_does_the_work(id, module):
    report = judge(id, f"import {module}\n{TABLE[id][0]}")
    assert report.status == "unusable"
    assert f"this exercise may not import {module}".lower() in report.message.lower()


def test_the_published_examples_are_those_of_the_standards():
    names = [name for name, *_ in ex20.vectors()]
    assert names == ["RFC 7515 A.1, which is RFC 7519 3.1", "RFC 7520 4.4"]
    for _, token, key, payload in ex20.vectors():
        assert jwt.PyJWS().decode(token, key, ["HS256"]) == payload


def test_all_exercises_of_the_lesson_are_here():
    assert [exercise(id).points for id in TABLE] == [7, 6, 10, 11, 5]
