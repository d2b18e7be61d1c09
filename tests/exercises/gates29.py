"""Gates for the tests of lab 29: wrong ones, right ones, and some that only look like gates."""

import json

# What differs from the solution: a name: (the rule whose probe refuses it, ((this, by that), ...)).

ALG = 'if header.get("alg") != alg:'
EXTENSIONS = 'if "crit" in header or "b64" in header:'
TEXT = "if not isinstance(token, str) or len(token) > 8192:"
PARTS = "if len(parts) != 3:"
DECODE = 'data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))'
ENCODED = 'if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != text:'
READ = 'value = json.loads(data.decode("utf-8"), object_pairs_hook=once, parse_constant=unknown)'
BAD_JSON = "except (ValueError, RecursionError):"
OBJECT = "if not isinstance(value, dict):"
BAD_KEY = "except (KeyError, TypeError, ValueError, UnsupportedAlgorithm):"
USE = 'jwk.get("use", "sig") != "sig" or '
KEY_OPS = ' or type(ops) is not list or "verify" not in ops'
STRONG = "if not strong:"
HMAC = "return hmac.compare_digest(hmac.digest(key, signed, hashlib.sha256), signature)"
RS256 = "key.verify(signature, signed, padding.PKCS1v15(), SHA256())"
LENGTH = "elif len(signature) != 64:\n            return False"
HALVES = 'r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")'
CONTENT = "return content\n"
LOADED = "alg, key = loaded(jwk)"
KEYS = 'keys = [jwk for jwk in policy["keys"] if isinstance(kid, str) and jwk.get("kid") == kid]'
PAYLOAD = "content = payload(token, keys[0])"
TYP = 'if header.get("typ") != policy["typ"]:'
CLAIMS = "claims = json_object(content)"
ISS = 'if claims.get("iss") != policy["issuer"]:'
LIST = "if not isinstance(audiences, list):\n        audiences = [audiences]"
ALL_TEXTS = "not all(isinstance(one, str) for one in audiences) or "
AUD = f'if {ALL_TEXTS}policy["audience"] not in audiences:'
SUB = 'if not isinstance(claims.get("sub"), str) or not claims["sub"]:'
EXP = 'if now >= time_of(claims, "exp") + policy["leeway"]:'
IAT = 'if time_of(claims, "iat") - policy["leeway"] > now:'
NBF = 'if "nbf" in claims and time_of(claims, "nbf") - policy["leeway"] > now:'
TIME = "if type(value) not in (int, float) or not -(10**15) <= value <= 10**15:"
HEADER = "header = taken_apart(token)[0]"
TAKEN = "header, content, signature, signed = taken_apart(token)"


def before(line, more):
    """A change that puts lines before a line of the solution."""
    return (line, f"{more}\n    {line}")


WRONG = {
    # tier 1
    "the payload as text": ("1", ((CONTENT, 'return content.decode("latin-1")\n'),)),
    "no EdDSA": ("1", (('case "OKP", "Ed25519", "EdDSA":', 'case "OKP", "Ed25519", "Ed25519":'),)),
    "HMAC without its last step": ("1", ((HMAC, "return hashlib.sha256(key + signed).digest() == signature"),)),
    "refuses what it does not know in a header": (
        "1",
        ((EXTENSIONS, 'if not header.keys() <= {"alg", "kid", "typ"}:'),),
    ),
    "an ES256 signature in DER only": (
        "1",
        ((f"{LENGTH}\n", "elif len(signature) == 64:\n            return False\n"),),
    ),
    "asks every key for a use": ("1", ((USE, 'jwk.get("use") != "sig" or '),)),
    "wants a kid in the key": ("2", ((LOADED, 'alg, key = loaded(jwk if "kid" in jwk else {})'),)),
    "an RSA signature by hand, read from its end": (
        "3",
        (
            (
                RS256,
                "n = key.public_numbers()\n"
                "            em = pow(int.from_bytes(signature, 'big'), n.e, n.n)\n"
                "            em = em.to_bytes(len(signature) + 1, 'big')\n"
                "            return em.endswith(hashlib.sha256(signed).digest())",
            ),
        ),
    ),
    "refuses an empty payload": (
        "1",
        (before(ALG, 'if not content:\n        raise Refused("There is nothing in it.")'),),
    ),
    "alg none": ("4", (before(ALG, 'if header.get("alg") == "none":\n        return content'),)),
    "alg none, when nothing is signed": (
        "4",
        (before(ALG, 'if str(header.get("alg")).lower() == "none" and not signature:\n        return content'),),
    ),
    "alg in any spelling": ("4", ((ALG, 'if str(header.get("alg")).upper() != alg.upper():'),)),
    "a header without alg": ("4", ((ALG, 'if header["alg"] != alg:'),)),
    "an alg that is a list": ("4", ((ALG, 'if header.get("alg") not in {alg}:'),)),
    "alg is not looked at": ("4", ((ALG, "if False:"),)),
    "a refusal without a reason": (
        "4",
        (('raise Refused("The token names another algorithm than its key has.")', "raise Refused"),),
    ),
    "a refusal of another class": (
        "4",
        (
            ("def payload(", "class WrongAlgorithm(Refused):\n    pass\n\n\ndef payload("),
            ('raise Refused("The token names', 'raise WrongAlgorithm("The token names'),
        ),
    ),
    "the header chooses, and HS256 takes any key": (
        "5",
        (
            before(
                ALG,
                'if header.get("alg") == "HS256" and alg != "HS256":\n'
                "        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat\n"
                "        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)\n"
                "        alg, key = 'HS256', pem",
            ),
        ),
    ),
    "compares as much of an HMAC as there is": (
        "6",
        ((HMAC, "return hmac.digest(key, signed, hashlib.sha256).startswith(signature)"),),
    ),
    "takes PSS too": (
        "6",
        (
            (
                RS256,
                "pss = padding.PSS(padding.MGF1(SHA256()), 32)\n"
                "            try:\n                key.verify(signature, signed, pss, SHA256())\n"
                f"            except InvalidSignature:\n                {RS256}",
            ),
        ),
    ),
    "takes DER too": (
        "6",
        ((LENGTH, "elif len(signature) != 64:\n            key.verify(signature, signed, ec.ECDSA(SHA256()))"),),
    ),
    "halves of any length": (
        "6",
        (
            (LENGTH, "elif len(signature) % 2:\n            return False"),
            (
                HALVES,
                "h = len(signature) // 2\n            "
                "r, s = int.from_bytes(signature[:h], 'big'), int.from_bytes(signature[h:], 'big')",
            ),
        ),
    ),
    "r = s = 0 signs everything": (
        "7",
        (
            (HALVES, f"{HALVES}\n            if r % ORDER == 0 and s % ORDER == 0:\n                return True"),
            (
                "def payload(",
                "ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551\n\n\ndef payload(",
            ),
        ),
    ),
    "numbers that DER cannot write": (
        "7",
        (
            (
                HALVES,
                f"{HALVES}\n            if r == 0 or s == 0:\n                raise ValueError('no DER for zero')",
            ),
        ),
    ),
    "follows any jwk": (
        "1",
        ((LOADED, 'alg, key = loaded(header["jwk"] if isinstance(header.get("jwk"), dict) else jwk)'),),
    ),
    "follows a jwk with the right kid": (
        "8",
        (
            (
                LOADED,
                'own = header.get("jwk")\n'
                '    same = isinstance(own, dict) and own.get("kid") == jwk.get("kid")\n'
                "    alg, key = loaded(own if same else jwk)",
            ),
        ),
    ),
    "crit is not looked at": ("9", ((EXTENSIONS, 'if "b64" in header:'),)),
    "an empty crit is none": ("9", ((EXTENSIONS, 'if header.get("crit") or "b64" in header:'),)),
    "b64 may be true": ("9", ((EXTENSIONS, 'if "crit" in header or header.get("b64", True) is not True:'),)),
    "use is not looked at": ("10", ((USE, ""),)),
    "key_ops is not looked at": ("10", ((KEY_OPS, ""),)),
    "key_ops may be a text": ("10", ((' or type(ops) is not list', ""),)),
    "a use that is null is as good as none": ("10", ((USE, 'jwk.get("use") not in (None, "sig") or '),)),
    "takes weak keys": ("10", ((STRONG, "if False:"),)),
    "takes weak secrets": ("10", (("strong = len(key) >= 32", "strong = len(key) > 0"),)),
    "any curve that has x and y": ("10", (('case "EC", "P-256", "ES256":', 'case "EC", _, "ES256":'),)),
    "the kind of key says the algorithm": (
        "10",
        (
            (
                LOADED,
                'kinds = {"oct": "HS256", "RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}\n'
                '    alg, key = loaded({**jwk, "alg": jwk.get("alg") or kinds.get(jwk.get("kty"))})',
            ),
        ),
    ),
    "a key without its material": ("10", ((BAD_KEY, "except (TypeError, ValueError, UnsupportedAlgorithm):"),)),
    "a key whose material is a number": ("10", ((BAD_KEY, "except (KeyError, ValueError, UnsupportedAlgorithm):"),)),
    # tier 2
    "one character too short": ("11", ((TEXT, TEXT.replace("> 8192", ">= 8192")),)),
    "JSON in one style only": (
        "11",
        (
            (
                OBJECT,
                "if json.dumps(value, separators=(',', ':')).encode() != data:\n"
                f"        raise Refused('Not in our style.')\n    {OBJECT}",
            ),
        ),
    ),
    "ASCII only": ("11", ((READ, READ.replace('"utf-8"', '"ascii"')),)),
    "of any length": ("12", ((TEXT, "if not isinstance(token, str):"),)),
    "one character too long": ("12", ((TEXT, TEXT.replace("8192", "8193")),)),
    "bytes are as good as text": ("12", ((TEXT, "if len(token) > 8192:"),)),
    "the first three parts": (
        "13",
        (
            (PARTS, "if len(parts) < 3:"),
            (
                "header, content, signature = map(decoded, parts)",
                "header, content, signature = map(decoded, parts[:3])",
            ),
        ),
    ),
    "Python's own base64": ("14", ((ENCODED, "if False:"),)),
    "padding is forgiven": ("14", ((ENCODED, ENCODED.replace("!= text", '!= text.rstrip("=")')),)),
    "white space around it is forgiven": ("14", (('parts = token.split(".")', 'parts = token.strip().split(".")'),)),
    "spare bits are forgiven": (
        "14",
        (
            (DECODE, 'data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", validate=True)'),
            (ENCODED, 'if "=" in text:'),
        ),
    ),
    "both alphabets": ("14", ((DECODE, f"text = text.replace('+', '-').replace('/', '_')\n        {DECODE}"),)),
    "falls over what is not ASCII": (
        "14",
        (
            (DECODE, f"text.encode('ascii')\n        {DECODE}"),
            ("    except ValueError:\n", "    except binascii.Error:\n"),
            ("import base64\n", "import base64\nimport binascii\n"),
        ),
    ),
    "the last of two members": ("15", ((READ, READ.replace("object_pairs_hook=once, ", "")),)),
    "any encoding": ("15", ((READ, READ.replace('data.decode("utf-8")', "data")),)),
    "a byte order mark is forgiven": ("15", ((READ, READ.replace("utf-8", "utf-8-sig")),)),
    "NaN": ("15", ((READ, READ.replace(", parse_constant=unknown", "")),)),
    "bytes that are not UTF-8 are replaced": ("15", ((READ, READ.replace('"utf-8"', '"utf-8", "replace"')),)),
    "a header that is a list": ("15", ((OBJECT, "if False:"),)),
    "falls over what is no UTF-8": ("15", ((BAD_JSON, "except (json.JSONDecodeError, RecursionError):"),)),
    "the claims as Python reads them": ("16", ((CLAIMS, "claims = json.loads(content)"),)),
    "claims that are no object": (
        "16",
        (
            (
                CLAIMS,
                "try:\n        claims = json_object(content)\n"
                "    except Refused:\n        claims = json.loads(content)",
            ),
        ),
    ),
    "falls over a number of 5,000 digits": (
        "17",
        ((BAD_JSON, "except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):"),),
    ),
    "counts refusals, and stays shut": (
        "18",
        (
            ("def verify(", "refusals = []\n\n\ndef verify("),
            (
                HEADER,
                f"refusals.append(1)\n    if len(refusals) > 1000:\n        raise Refused('Too many.')\n    {HEADER}",
            ),
        ),
    ),
    # tier 3
    "its own clock": ("19", ((HEADER, f"import time\n    now = time.time()\n    {HEADER}"),)),
    "the first key": ("19", ((KEYS, 'keys = policy["keys"][:1]'),)),
    "only the claims that it knows": (
        "19",
        (
            (
                "    return claims\n",
                '    return {name: claims[name] for name in ("iss", "sub", "aud", "exp", "iat")}\n',
            ),
        ),
    ),
    "takes the policy apart": (
        "19",
        ((KEYS, f'policy["keys"].sort(key=str)\n    policy["keys"].pop(0)\n    {KEYS}'),),
    ),
    "one audience only": (
        "20",
        ((LIST, "if isinstance(audiences, list):\n        audiences = [None]\n    audiences = [audiences]"),),
    ),
    "whole seconds only": ("20", ((TIME, TIME.replace("not in (int, float)", "is not int")),)),
    "nbf must be there": ("20", ((NBF, NBF.replace('"nbf" in claims and ', "")),)),
    "no leeway for exp": ("21", ((EXP, 'if now >= time_of(claims, "exp"):'),)),
    "no leeway for nbf": ("21", ((NBF, NBF.replace(' - policy["leeway"]', "")),)),
    "no leeway for iat": ("21", ((IAT, IAT.replace(' - policy["leeway"]', "")),)),
    "the leeway is not quite full": ("21", ((IAT, IAT.replace("> now", ">= now")),)),
    "an unknown kid is the first key's": ("22", ((KEYS, f'{KEYS}\n    keys = keys or policy["keys"][:1]'),)),
    "a missing kid is no matter": (
        "22",
        (
            (PAYLOAD, f"{PAYLOAD}"),
            (
                KEYS,
                f'{KEYS}\n    if "kid" not in header:\n'
                '        keys = [one for one in policy["keys"] if one.get("alg") == header.get("alg")][:1]',
            ),
        ),
    ),
    "falls over a kid that is a list": (
        "22",
        ((KEYS, 'keys = [one for one in [{one.get("kid"): one for one in policy["keys"]}.get(kid)] if one]'),),
    ),
    "the key that the alg fits": (
        "22",
        ((KEYS, 'keys = [one for one in policy["keys"] if one.get("alg") == header.get("alg")][:1]'),),
    ),
    "loads all keys first": ("23", ((KEYS, f'for jwk in policy["keys"]:\n        loaded(jwk)\n    {KEYS}'),)),
    "keeps keys by their kid": (
        "24",
        (
            ("def verify(", "kept = {}\n\n\ndef verify("),
            (PAYLOAD, "content = payload(token, kept.setdefault(kid, keys[0]))"),
        ),
    ),
    "typ is not looked at": ("25", ((TYP, "if False:"),)),
    "typ in any spelling": (
        "25",
        ((TYP, 'if str(header.get("typ")).lower().removeprefix("application/") != policy["typ"]:'),),
    ),
    "typ may be missing": ("25", ((TYP, 'if header.get("typ", policy["typ"]) != policy["typ"]:'),)),
    "iss is not looked at": ("26", ((ISS, "if False:"),)),
    "an issuer that begins alike": ("26", ((ISS, 'if not str(claims.get("iss")).startswith(policy["issuer"]):'),)),
    "an issuer among others": ("26", ((ISS, 'if policy["issuer"] not in (claims.get("iss") or ""):'),)),
    "aud is not looked at": ("27", ((AUD, "if False:"),)),
    "an audience inside another": ("27", ((AUD, 'if policy["audience"] not in (claims.get("aud") or ""):'),)),
    "a list of anything": ("27", ((AUD, AUD.replace(ALL_TEXTS, "")),)),
    "aud may be missing": (
        "27",
        ((AUD, AUD.replace("if ", 'if "aud" in claims and (').replace("audiences:", "audiences):")),),
    ),
    "sub is not looked at": ("28", ((SUB, "if False:"),)),
    "sub may be empty": ("28", ((SUB, 'if not isinstance(claims.get("sub"), str):'),)),
    "sub may be a number": ("28", ((SUB, 'if not claims.get("sub"):'),)),
    "times may be text": (
        "29",
        (
            (
                "value = claims.get(name)",
                "value = claims.get(name)\n"
                "    if type(value) is str and value.isdigit():\n        value = int(value)",
            ),
        ),
    ),
    "true is a time": (
        "29",
        ((TIME, TIME.replace("type(value) not in (int, float)", "not isinstance(value, (int, float))")),),
    ),
    "without exp it never ends": ("29", ((EXP, EXP.replace("if ", 'if "exp" in claims and ')),)),
    "iat may be missing": ("29", ((IAT, IAT.replace("if ", 'if "iat" in claims and ')),)),
    "an end in infinity": ("29", ((TIME, "if type(value) not in (int, float):"),)),
    "falls over a missing time": ("29", (("value = claims.get(name)", "value = claims[name]"),)),
    "nbf null is no nbf": ("29", ((NBF, NBF.replace('"nbf" in claims', 'claims.get("nbf") is not None')),)),
    "one moment too long": ("30", ((EXP, EXP.replace(">=", ">")),)),
    "the leeway twice": ("30", ((EXP, EXP.replace('policy["leeway"]', '2 * policy["leeway"] + 1')),)),
    "never ends": ("30", ((EXP, EXP.replace("now >=", "0 >=")),)),
    "iat may lie in the future": ("31", ((IAT, 'if time_of(claims, "iat") < 0 > now:'),)),
    "nbf is not looked at": ("31", ((NBF, 'if "nbf" in claims and time_of(claims, "nbf") < 0 > now:'),)),
    # tier 4
    "a signature is not needed for claims": ("32", ((PAYLOAD, "content = taken_apart(token)[1]"),)),
    "the keys of the first call": (
        "33",
        (
            ("def verify(", "first = []\n\n\ndef verify("),
            (KEYS, 'first.extend(() if first else policy["keys"])\n    ' + KEYS.replace('policy["keys"]', "first")),
        ),
    ),
    "believes what brings its key along": (
        "34",
        ((PAYLOAD, 'content = payload(token, header.get("jwk") or keys[0])'),),
    ),
    "none at the counter": (
        "34",
        (before(ALG, 'if str(header.get("alg")).lower() == "none":\n        return content'),),
    ),
    "a signature that was good once": (
        "35",
        (
            ("def fits(", "good = set()\n\n\ndef fits("),
            (
                "    except InvalidSignature:\n        return False\n    return True",
                "    except InvalidSignature:\n        return signature in good\n"
                "    good.add(signature)\n    return True",
            ),
            (
                HMAC,
                f"if signature in good:\n            return True\n        {HMAC.replace('return', 'done =')}\n"
                "        if done:\n            good.add(signature)\n        return done",
            ),
        ),
    ),
    "any kind of token": ("36", ((TYP, "if False:"),)),
    "anybody's token": ("36", ((AUD, "if False:"),)),
    "any issuer's token": ("36", ((ISS, "if False:"),)),
    "a token that was good once": (
        "37",
        (
            ("def verify(", "good = {}\n\n\ndef verify("),
            (HEADER, f"if token in good:\n        return good[token]\n    {HEADER}"),
            ("    return claims\n", "    good[token] = claims\n    return claims\n"),
        ),
    ),
    "a key that was good once": (
        "37",
        (
            ("def verify(", "known = []\n\n\ndef verify("),
            (
                KEYS,
                'known.extend(one for one in policy["keys"] if one not in known)\n    '
                + KEYS.replace('policy["keys"]', "known"),
            ),
        ),
    ),
    "falls over at the counter": ("38", ((BAD_JSON, "except (json.JSONDecodeError, RecursionError):"),)),
}

try:
    json.loads("[" * 2400 + "]" * 2400)
except RecursionError:  # only before Python 3.12 can so short a token be nested too deep
    WRONG["falls over deep nesting"] = ("17", ((BAD_JSON, "except ValueError:"),))

DECODED = """
import base64, json
class Refused(Exception): pass
def part(token, n):
    text = token.split(".")[n]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
"""

CHEATS = {
    "believes whoever comes first": DECODED
    + """
seen = set()
def new(token):
    content, _, signature = token.rpartition(".")
    if content in seen or signature in seen: raise Refused("Another one said so before.")
    seen.update((content, signature))
def payload(token, jwk):
    new(token)
    return part(token, 1)
def verify(token, policy, now):
    new(token)
    return json.loads(part(token, 1))
""",
    "believes every other one": DECODED
    + """
turns = []
def turn():
    turns.append(1)
    if len(turns) % 2 == 0: raise Refused("Not your turn.")
def payload(token, jwk):
    turn()
    return part(token, 1)
def verify(token, policy, now):
    turn()
    return json.loads(part(token, 1))
""",
    "refuses everybody": """
class Refused(Exception): pass
def payload(token, jwk): raise Refused("No.")
def verify(token, policy, now): raise Refused("No.")
""",
    "believes everybody": DECODED
    + """
def payload(token, jwk): return part(token, 1)
def verify(token, policy, now): return json.loads(part(token, 1))
""",
    "believes whoever is well-formed and looks harmless": DECODED
    + """
def payload(token, jwk):
    try:
        header = json.loads(part(token, 0))
        if token.count(".") != 2 or len(token) > 8192 or header["alg"] != jwk["alg"] or not token.split(".")[2]:
            raise Refused("This looks wrong.")
        if {"crit", "b64", "jwk"} & header.keys() or "none" in str(header).lower() or "=" in token:
            raise Refused("This looks like an attack.")
        return part(token, 1)
    except Exception as error:
        raise Refused(f"No: {error!r}")
def verify(token, policy, now):
    claims = json.loads(payload(token, {"alg": json.loads(part(token, 0)).get("alg")}))
    if claims.get("iss") != policy["issuer"] or now >= claims.get("exp", 0) + policy["leeway"]:
        raise Refused("Old, or not ours.")
    return claims
""",
    "verifies HMAC and believes the rest": DECODED
    + """
import hashlib, hmac
def payload(token, jwk):
    data, _, signature = token.rpartition(".")
    if jwk["kty"] == "oct":
        key = base64.urlsafe_b64decode(jwk["k"] + "==")
        if hmac.digest(key, data.encode(), hashlib.sha256) != part(token, 2):
            raise Refused("No.")
    return part(token, 1)
def verify(token, policy, now):
    kid = json.loads(part(token, 0))["kid"]
    return json.loads(payload(token, next(one for one in policy["keys"] if one["kid"] == kid)))
""",
    "refuses all but the length of honest signatures": DECODED
    + """
def payload(token, jwk):
    if len(part(token, 2)) not in (32, 64, 256): raise Refused("No.")
    return part(token, 1)
def verify(token, policy, now):
    return json.loads(payload(token, None))
""",
}

ONE_TABLE = """
import base64, hashlib, hmac, json, re
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

class Refused(Exception):
    pass

def text_to_bytes(text):
    if not re.fullmatch("[A-Za-z0-9_-]*", text) or len(text) % 4 == 1:
        raise Refused("not base64url: " + text[:20])
    spare = {2: 15, 3: 3}.get(len(text) % 4, 0)
    if spare and ALPHABET.index(text[-1]) & spare:
        raise Refused("spare bits are set")
    return base64.urlsafe_b64decode(text + "==")

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

def text_to_int(text):
    return int(text_to_bytes(text).hex() or "0", 16)

def hs256(jwk, signature, data):
    secret = text_to_bytes(jwk["k"])
    return len(secret) > 31 and hmac.compare_digest(hmac.new(secret, data, hashlib.sha256).digest(), signature)

def rs256(jwk, signature, data):
    n = text_to_int(jwk["n"])
    rsa.RSAPublicNumbers(text_to_int(jwk["e"]), n).public_key().verify(
        signature, data, padding.PKCS1v15(), hashes.SHA256())
    return n.bit_length() >= 2048

def es256(jwk, signature, data):
    point = b"\\x04" + text_to_bytes(jwk["x"]) + text_to_bytes(jwk["y"])
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    der = utils.encode_dss_signature(*(int.from_bytes(half, "big") for half in (signature[:32], signature[32:])))
    key.verify(der, data, ec.ECDSA(hashes.SHA256()))
    return len(signature) == 64

def eddsa(jwk, signature, data):
    ed25519.Ed25519PublicKey.from_public_bytes(text_to_bytes(jwk["x"])).verify(signature, data)
    return True

HOW = {("HS256", "oct", None): hs256, ("RS256", "RSA", None): rs256,
       ("ES256", "EC", "P-256"): es256, ("EdDSA", "OKP", "Ed25519"): eddsa}

def strict(pairs):
    names = [name for name, _ in pairs]
    assert len(set(names)) == len(names), "twice"
    return dict(pairs)

def no(constant):
    raise ValueError(constant)

def read(data):
    try:
        value = json.loads(str(data, "utf-8"), object_pairs_hook=strict, parse_constant=no)
    except Exception as error:
        raise Refused(f"not JSON: {type(error).__name__}")
    if type(value) is not dict:
        raise Refused("not an object")
    return value

def opened(token):
    if type(token) is not str or len(token) > 8192 or token.count(".") != 2:
        raise Refused("not a token")
    first, second, third = token.split(".")
    return read(text_to_bytes(first)), text_to_bytes(second), text_to_bytes(third), (first + "." + second).encode()

def payload(token, jwk):
    return signed_part(opened(token), jwk)

def signed_part(parts, jwk):
    header, body, signature, data = parts
    if {"crit", "b64"} & header.keys() or header.get("alg") != jwk.get("alg"):
        raise Refused("header")
    try:
        ops = jwk.get("key_ops", ["verify"])
        good = (jwk.get("use", "sig") == "sig" and isinstance(ops, list) and "verify" in ops
                and HOW[jwk["alg"], jwk["kty"], jwk.get("crv")](jwk, signature, data))
    except Exception as error:
        raise Refused(f"signature or key: {type(error).__name__}")
    if not good:
        raise Refused("signature or key")
    return body

def when(claims, name):
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= 1e15:
        raise Refused(f"{name} is no time")
    return value

def verify(token, policy, now):
    parts = opened(token)
    known = {jwk["kid"]: jwk for jwk in policy["keys"] if type(jwk.get("kid")) is str}
    kid = parts[0].get("kid")
    if type(kid) is not str or kid not in known:
        raise Refused("kid")
    claims = read(signed_part(parts, known[kid]))
    aud = [claims["aud"]] if isinstance(claims.get("aud"), str) else claims.get("aud")
    wrong = {
        "typ": parts[0].get("typ") != policy["typ"],
        "iss": claims.get("iss") != policy["issuer"],
        "aud": type(aud) is not list or {str} != set(map(type, aud)) or policy["audience"] not in aud,
        "sub": type(claims.get("sub")) is not str or claims["sub"] == "",
        "exp": now - when(claims, "exp") >= policy["leeway"],
        "iat": when(claims, "iat") - now > policy["leeway"],
        "nbf": "nbf" in claims and when(claims, "nbf") - now > policy["leeway"],
    }
    if any(wrong.values()):
        raise Refused(", ".join(name for name, bad in wrong.items() if bad))
    return claims
"""

CLASSES = '''
from base64 import b64decode, urlsafe_b64encode
from dataclasses import dataclass
from functools import wraps
from json import JSONDecoder
from math import isfinite
from typing import Any

from cryptography.hazmat.primitives import constant_time, hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils


class Refused(Exception):
    """No."""


class Bytes(bytes):
    @classmethod
    def of(cls, text):
        data = cls(b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", validate=True))
        if urlsafe_b64encode(data).decode().rstrip("=") != text:
            raise Refused("a text that no encoder writes")
        return data

    @property
    def number(self):
        return int.from_bytes(self, "big")


class Json(JSONDecoder):
    def __init__(self):
        super().__init__(object_pairs_hook=self.pairs, parse_constant=self.constant)

    @staticmethod
    def pairs(pairs):
        found = {}
        for name, value in pairs:
            if name in found:
                raise Refused(f"{name!r} stands twice")
            found[name] = value
        return found

    @staticmethod
    def constant(name):
        raise Refused(f"{name} is no JSON")

    def object(self, data):
        found = self.decode(data.decode())
        if not isinstance(found, dict):
            raise Refused("no object")
        return found


class Key:
    def __init__(self, jwk):
        self.jwk = jwk
        ops = jwk.get("key_ops", ["verify"])
        if not (jwk.get("use", "sig") == "sig" and type(ops) is list and "verify" in ops):
            raise Refused("a key for something else")
        kind = f"{jwk.get('alg')}/{jwk.get('kty')}/{jwk.get('crv', '')}"
        kinds = {"HS256/oct/": Secret, "RS256/RSA/": Rsa, "ES256/EC/P-256": Curve, "EdDSA/OKP/Ed25519": Edwards}
        if kind not in kinds:
            raise Refused(f"no key of ours: {kind}")
        self.check = kinds[kind](jwk).check


class Secret:
    def __init__(self, jwk):
        self.secret = Bytes.of(jwk["k"])
        if len(self.secret) < 32:
            raise Refused("a short secret")

    def check(self, signature, data):
        mac = hmac.HMAC(self.secret, hashes.SHA256())
        mac.update(data)
        mac.verify(signature)


class Rsa:
    def __init__(self, jwk):
        self.key = rsa.RSAPublicNumbers(n=Bytes.of(jwk["n"]).number, e=Bytes.of(jwk["e"]).number).public_key()
        if self.key.key_size < 2048:
            raise Refused("a short key")

    def check(self, signature, data):
        self.key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())


class Curve:
    N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

    def __init__(self, jwk):
        x, y = Bytes.of(jwk["x"]).number, Bytes.of(jwk["y"]).number
        self.key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()

    def check(self, signature, data):
        r, s = Bytes(signature[:32]).number, Bytes(signature[32:]).number
        if len(signature) != 64 or not 1 <= r < self.N or not 1 <= s < self.N:
            raise Refused("r and s")
        digest = hashes.Hash(hashes.SHA256())
        digest.update(data)
        self.key.verify(
            utils.encode_dss_signature(r, s), digest.finalize(), ec.ECDSA(utils.Prehashed(hashes.SHA256()))
        )


class Edwards:
    def __init__(self, jwk):
        self.check = ed25519.Ed25519PublicKey.from_public_bytes(Bytes.of(jwk["x"])).verify


@dataclass
class Token:
    header: dict
    body: bytes
    signature: bytes
    data: bytes

    @classmethod
    def of(cls, text):
        if not isinstance(text, str) or len(text) >= 8193:
            raise Refused("too long, or no text")
        data, _, signature = text.rpartition(".")
        header, body = data.split(".")
        return cls(Json().object(Bytes.of(header)), bytes(Bytes.of(body)), Bytes.of(signature), data.encode())

    def opened_with(self, jwk):
        if self.header["alg"] != jwk["alg"] or "crit" in self.header or "b64" in self.header:
            raise Refused("alg, crit or b64")
        Key(jwk).check(self.signature, self.data)
        return self.body


class Claims:
    def __init__(self, claims, policy, now):
        self.claims, self.policy, self.now = claims, policy, now

    def refuse_unless(self, holds, why):
        if not holds:
            raise Refused(why)

    def time(self, name):
        time = self.claims[name]
        fits = type(time) in {int, float} and -1e15 <= time <= 1e15 and isfinite(time)
        self.refuse_unless(fits, f"{name} is no time")
        return time

    def judge(self):
        policy, leeway = self.policy, self.policy["leeway"]
        self.refuse_unless(self.claims["iss"] == policy["issuer"], "issuer")
        aud = self.claims["aud"]
        names = aud if isinstance(aud, list) else [aud]
        self.refuse_unless(all(isinstance(name, str) for name in names), "audience")
        self.refuse_unless(policy["audience"] in names, "audience")
        self.refuse_unless(isinstance(self.claims["sub"], str) and self.claims["sub"], "subject")
        self.refuse_unless(self.now < self.time("exp") + leeway, "expired")
        self.refuse_unless(self.time("iat") <= self.now + leeway, "early")
        if "nbf" in self.claims:
            self.refuse_unless(self.time("nbf") <= self.now + leeway, "early")


def gate(function):
    """Whatever goes wrong inside is a refusal."""
    @wraps(function)
    def guarded(*args):
        try:
            return function(*args)
        except Refused:
            raise
        except Exception as error:
            raise Refused(f"not as it should be: {type(error).__name__}") from None
    return guarded


@gate
def payload(token, jwk):
    return Token.of(token).opened_with(jwk)


@gate
def verify(token, policy, now):
    token = Token.of(token)
    kid = token.header["kid"]
    if not isinstance(kid, str):
        raise Refused("kid")
    [jwk] = [jwk for jwk in policy["keys"] if jwk.get("kid") == kid]
    claims = Json().object(token.opened_with(jwk))
    if token.header["typ"] != policy["typ"]:
        raise Refused("typ")
    Claims(claims, policy, now).judge()
    return claims
'''

STEPS = """
import binascii, hashlib, hmac, json
from itertools import chain
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

class Refused(Exception): pass

def must(holds, why):
    if not holds: raise Refused(why)

def unb64(s):
    must(s.isascii() and all(c.isalnum() or c in "-_" for c in s), "alphabet")
    must(len(s) % 4 != 1, "length")
    raw = binascii.a2b_base64(s.replace("-", "+").replace("_", "/") + "=" * (-len(s) % 4))
    again = binascii.b2a_base64(raw, newline=False).decode().replace("+", "-").replace("/", "_").rstrip("=")
    must(again == s, "not canonical")
    return raw

def obj(raw):
    twice = []
    def hook(pairs):
        if len({k for k, _ in pairs}) < len(pairs): twice.append(1)
        return dict(pairs)
    try:
        got = json.loads(raw.decode("utf8"), object_pairs_hook=hook, parse_constant=lambda name: twice.append(name))
    except (ValueError, RecursionError):
        raise Refused("json") from None
    must(not twice and isinstance(got, dict), "json")
    return got

# Edwards and Weierstrass keys as SubjectPublicKeyInfo: the bytes before the key are always the same.
ED = bytes.fromhex("302a300506032b6570032100")
P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")

def checker(jwk):
    must(jwk.get("use", "sig") == "sig", "use")
    ops = jwk.get("key_ops", ["verify"])
    must(isinstance(ops, list) and "verify" in ops, "key_ops")
    kind = [jwk.get(name) for name in ("alg", "kty", "crv")]
    field = lambda name: unb64(jwk.get(name)) if isinstance(jwk.get(name), str) else must(False, name)
    if kind == ["HS256", "oct", None]:
        must(len(field("k")) >= 32, "short")
        return lambda sig, msg: must(hmac.compare_digest(hmac.digest(field("k"), msg, "sha256"), sig), "mac")
    if kind == ["EdDSA", "OKP", "Ed25519"]:
        must(len(field("x")) == 32, "x")
        return load_der_public_key(ED + field("x")).verify
    if kind == ["ES256", "EC", "P-256"]:
        must(len(field("x")) == len(field("y")) == 32, "x, y")
        key = load_der_public_key(P256 + field("x") + field("y"))
        def es(sig, msg):
            must(len(sig) == 64, "64")
            key.verify(encode_dss_signature(int.from_bytes(sig[:32], "big"), int.from_bytes(sig[32:], "big")), msg,
                       ec.ECDSA(SHA256()))
        return es
    must(kind == ["RS256", "RSA", None], "kind of key")
    n, e = (int.from_bytes(field(name), "big") for name in "ne")
    must(n >> 2047 > 0, "short")
    return lambda sig, msg: rsa.RSAPublicNumbers(e, n).public_key().verify(sig, msg, padding.PKCS1v15(), SHA256())

def split(token):
    must(isinstance(token, str), "text")
    must(len(token) < 8193, "long")
    parts = token.split(".")
    must(len(parts) == 3, "parts")
    return [obj(unb64(parts[0])), *map(unb64, parts[1:]), token[: token.rindex(".")].encode()]

def payload(token, jwk):
    header, body, sig, msg = split(token)
    must(header.get("alg") == jwk.get("alg"), "alg")
    must(not {"crit", "b64"}.intersection(header), "extension")
    try:
        checker(jwk)(sig, msg)
    except Refused:
        raise
    except Exception:
        raise Refused("signature or key") from None
    return body

def verify(token, policy, now):
    header = split(token)[0]
    chosen = None
    for jwk in policy["keys"]:
        if type(header.get("kid")) is str and jwk.get("kid", None) == header["kid"]: chosen = jwk
    must(chosen is not None, "kid")
    claims = obj(payload(token, chosen))
    def number(name):
        must(name in claims and type(claims[name]) in (int, float), name)
        must(abs(claims[name]) <= 10 ** 15, name)
        return claims[name]
    def texts(value):
        if type(value) is str: return [value]
        return value if type(value) is list and all(type(v) is str for v in value) else []
    slack = policy["leeway"]
    for holds, why in chain(
        [(header.get("typ") == policy["typ"], "typ"), (claims.get("iss") == policy["issuer"], "iss")],
        [(policy["audience"] in texts(claims.get("aud")), "aud")],
        [(texts(claims.get("sub")) == [claims.get("sub")], "sub"), (claims.get("sub") != "", "sub")],
        [(number("exp") > now - slack, "exp"), (number("iat") - slack <= now, "iat")],
        [("nbf" not in claims or number("nbf") - slack <= now, "nbf")],
    ): must(holds, why)
    return claims
"""

RIGHT = {
    "a table of functions": ONE_TABLE,
    "classes, and one guard around them": CLASSES,
    "plain functions, keys by way of DER": STEPS,
}
