"""Answers to the exercises of lesson 32, right and wrong."""


# ---- 32.1 ----------------------------------------------------------------------------------------------------

CLAIMS_FALL = "A bank that takes bare claims for a profile falls"
PLAIN_FALLS = "A bank that takes a token without a signature falls"
JWE_STANDS = "A bank that verifies what is inside holds: None"

FORGE_JWE = '''
import base64
import json

from joserfc import jwe
from joserfc.jwk import RSAKey

def forge_jwe(sample, victim, public, http):
    part = sample.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) | {"sub": victim}
    text = json.dumps(claims)
    none, body = (base64.urlsafe_b64encode(one.encode()).rstrip(b"=").decode() for one in ('{"alg":"none"}', text))
    algorithms = ["RSA-OAEP-256", "A256GCM"]
    header = {"alg": "RSA-OAEP-256", "enc": "A256GCM"}
    for inside in (text, f"{none}.{body}."):
        token = jwe.encrypt_compact(header, inside.encode(), RSAKey.import_key(public), algorithms=algorithms)
        answer = http("GET", "/balance", {"Authorization": "Bearer " + token}, None)
        if answer["status"] == 200:
            return json.loads(answer["body"])["balance"]
    return None
'''
FORGE_JWE_RIGHT = {
    "the other form first": ('(text, f"{none}.{body}.")', '(f"{none}.{body}.", text)'),
    "with joserfc's own decoder, and a kid": '''
import json
from base64 import urlsafe_b64encode as b64
from joserfc import jwe, jwk
from joserfc.util import urlsafe_b64decode

def forge_jwe(sample, victim, public, http):
    claims = json.loads(urlsafe_b64decode(sample.split(".")[1].encode()))
    claims["sub"] = victim
    raw = json.dumps(claims).encode()
    strip = lambda data: b64(data).replace(b"=", b"")
    plain = strip(json.dumps({"alg": "none", "typ": "JWT"}).encode()) + b"." + strip(raw) + b"."
    for inside in [raw, plain]:
        head = {"alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": public["kid"], "cty": "JWT"}
        key = jwk.import_key(public)
        made = jwe.encrypt_compact(head, inside, key, algorithms=["RSA-OAEP-256", "A256GCM"])
        got = http("GET", "/balance", {"authorization": f"Bearer {made}"})
        if got["status"] != 401:
            return json.loads(got["body"])["balance"]
''',
}
FORGE_JWE_WRONG = {
    "nothing": ("def forge_jwe(sample, victim, public, http):\n    return None", {CLAIMS_FALL: "no loss"}),
    "Mallory's own claims": ((' | {"sub": victim}', ""), {CLAIMS_FALL: "no loss"}),
    "her own good token, encrypted": (
        ('(text, f"{none}.{body}.")', "(sample, sample)"), {CLAIMS_FALL: "no loss"},
    ),
    "only the compact form": (('(text, f"{none}.{body}.")', '(f"{none}.{body}.",)'), {CLAIMS_FALL: "no loss"}),
    "only the claims": (('(text, f"{none}.{body}.")', "(text,)"), {PLAIN_FALLS: "no loss"}),
    "two parts": (('f"{none}.{body}."', 'f"{none}.{body}"'), {PLAIN_FALLS: "no loss"}),
    "a key of her own": (
        ("RSAKey.import_key(public)", "RSAKey.generate_key(2048)"), {CLAIMS_FALL: "no loss"},
    ),
    "claims of her own": (
        ('| {"sub": victim}', 'and {"sub": victim, "exp": 9999999999}'), {CLAIMS_FALL: "no loss"},
    ),
    "not encrypted at all": (("token = jwe", "token = inside or jwe"), {CLAIMS_FALL: "no loss"}),
    "a number for who is not let in": (("    return None\n", "    return 0\n"), {JWE_STANDS: "gave 0"}),
    "the whole answer": (
        ('json.loads(answer["body"])["balance"]', 'answer["body"]'), {CLAIMS_FALL: "gave '{"},
    ),
}  # fmt: skip

# ---- 32.2 ----------------------------------------------------------------------------------------------------

AUDIENCE_FALLS = "A bank that does not ask for whom a token is falls"
TYPE_FALLS = "A bank that does not ask what kind of token it is falls"
REPLAY_STANDS = "A bank that asks for both holds: None"

REPLAY = '''
import base64
import json
import time

def read(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))

def replay(sample, victim, found, http):
    issuer = read(sample)["iss"]
    for token in found:
        claims = read(token)
        if claims["sub"] != victim or claims["iss"] != issuer or claims["exp"] <= time.time():
            continue
        answer = http("GET", "/balance", {"Authorization": "Bearer " + token}, None)
        if answer["status"] == 200:
            return json.loads(answer["body"])["balance"]
    return None
'''
REPLAY_RIGHT = {
    "sorted out first": '''
import json, time
from base64 import urlsafe_b64decode

def replay(sample, victim, found, http):
    claims = lambda t: json.loads(urlsafe_b64decode(t.split(".")[1] + "=="))
    wanted = (claims(sample)["iss"], victim)
    good = [t for t in found if (claims(t)["iss"], claims(t)["sub"]) == wanted and claims(t)["exp"] > time.time()]
    for t in sorted(good, key=len):
        got = http("GET", "/balance", {"Authorization": f"Bearer {t}"})
        if got["status"] == 200 and json.loads(got["body"])["owner"] == victim:
            return json.loads(got["body"])["balance"]
''',
    "from the last": ("for token in found:", "for token in reversed(found):"),
}
REPLAY_WRONG = {
    "nothing": ("def replay(sample, victim, found, http):\n    return None", {AUDIENCE_FALLS: "sent 0"}),
    "all of them": (
        [("        if claims[\"sub\"] != victim or", "        if False and"),
         ("in found:", 'in sorted(found, key=lambda one: read(one)["sub"] == victim):')],
        {AUDIENCE_FALLS: "record"},
    ),
    "also those that are over": (
        [(' or claims["exp"] <= time.time()', ""),
         ("in found:", 'in sorted(found, key=lambda one: read(one)["exp"]):')],
        {AUDIENCE_FALLS: "sent"},
    ),
    "whoever issued them": (
        [(' or claims["iss"] != issuer', ""),
         ("in found:", 'in sorted(found, key=lambda one: read(one)["iss"] != issuer):')],
        {REPLAY_STANDS: "sent 4"},
    ),
    "the issuer by how it looks": (
        [('claims["iss"] != issuer', '"fernbank" not in claims["iss"]'),
         ("in found:", 'in sorted(found, key=lambda one: read(one)["iss"] != issuer):')],
        {REPLAY_STANDS: "sent 4"},
    ),
    "the end by how long it lived": (
        [('claims["exp"] <= time.time()', 'claims["exp"] - claims["iat"] > 700'),
         ("in found:", 'in sorted(found, key=lambda one: -read(one)["exp"]):')],
        {REPLAY_STANDS: "sent 6"},
    ),
    "only of other kinds": (
        ('claims["sub"] != victim or', 'claims["sub"] != victim or claims["aud"] != read(sample)["aud"] or'),
        {AUDIENCE_FALLS: "no loss"},
    ),
    "only of other services": (
        ('claims["sub"] != victim or', 'claims["sub"] != victim or claims["aud"] == read(sample)["aud"] or'),
        {TYPE_FALLS: "no loss"},
    ),
    "her own token": (
        ('for token in found:', 'for token in [sample]:\n        victim = "mallory"'),
        {AUDIENCE_FALLS: "no loss"},
    ),
    "a number for who is not let in": (("    return None\n", "    return 0\n"), {REPLAY_STANDS: "gave 0"}),
    "a balance that is made up": (
        ('json.loads(answer["body"])["balance"]', "1000"), {AUDIENCE_FALLS: "gave 1000"},
    ),
}  # fmt: skip

# ---- 32.3 ----------------------------------------------------------------------------------------------------

HONEST = "Honest tokens are accepted, to the end of the leeway"
AUDIENCE = "A token for another service is refused"
NEAR = "And so is one for a service of nearly that name"
KIND = "A token of another kind is refused"
OVER = "A token that is over is refused"
ENDLESS = "A token that says no end is refused"

FOR_US = '''
def for_us(header, claims, policy, now):
    aud, exp = claims.get("aud"), claims.get("exp")
    if header.get("typ") != policy["typ"]:
        return False
    if aud != policy["audience"] and not (isinstance(aud, list) and policy["audience"] in aud):
        return False
    return type(exp) in (int, float) and now < exp + policy["leeway"]
'''
FOR_US_RIGHT = {
    "in one go": '''
def for_us(header, claims, policy, now):
    aud = claims.get("aud")
    audiences = [aud] if isinstance(aud, str) else aud if isinstance(aud, list) else []
    exp = claims.get("exp")
    timely = isinstance(exp, (int, float)) and not isinstance(exp, bool) and exp + policy["leeway"] > now
    return timely and any(one == policy["audience"] for one in audiences) and header.get("typ") == policy["typ"]
''',
    "by early returns and a try": '''
import json

def for_us(header, claims, policy, now):
    if "exp" not in claims or "aud" not in claims or "typ" not in header:
        return False
    if isinstance(claims["exp"], (str, bool)):
        return False
    try:
        left = claims["exp"] + policy["leeway"] - now
    except TypeError:
        return False
    aud = claims["aud"]
    right = aud == policy["audience"] or type(aud) is list and aud.count(policy["audience"]) > 0
    return bool(left > 0 and right and header["typ"] == policy["typ"])
''',
}
FOR_US_WRONG = {
    "everything is fine": ("def for_us(header, claims, policy, now):\n    return True",
                           {name: "" for name in (AUDIENCE, NEAR, KIND, OVER, ENDLESS)}),
    "nothing is fine": ("def for_us(header, claims, policy, now):\n    return False", {HONEST: "401"}),
    "a list is none": ((' and not (isinstance(aud, list) and policy["audience"] in aud)', ""), {HONEST: "401"}),
    "no leeway": ((' + policy["leeway"]', ""), {HONEST: "401"}),
    "a leeway of its own": (('policy["leeway"]', "60"), {OVER: "ana"}),
    "no audience": (("    if aud !=", "    if False and aud !="), {AUDIENCE: "ana", NEAR: "ana"}),
    "inside a text": ((
        'aud != policy["audience"] and not (isinstance(aud, list) and policy["audience"] in aud)',
        'policy["audience"] not in str(aud)'), {NEAR: "ana"}),
    "in, whatever it is": ((
        'not (isinstance(aud, list) and policy["audience"] in aud)',
        'not (isinstance(aud, (list, dict)) and policy["audience"] in aud)'), {NEAR: "ana"}),
    "only what is called a statement": ((
        'aud != policy["audience"] and not (isinstance(aud, list) and policy["audience"] in aud)',
        'aud in ("statements", ["statements", "cards"], None)'), {NEAR: ""}),
    "no type": (('header.get("typ") != policy["typ"]', "False"), {KIND: "ana"}),
    "ID tokens are banned": (('header.get("typ") != policy["typ"]', 'header.get("typ") == "JWT"'), {KIND: "ana"}),
    "the type begins so": (
        ('header.get("typ") != policy["typ"]', 'not str(header.get("typ")).startswith(policy["typ"])'),
        {KIND: "ana"}),
    "the type in small letters": (
        ('header.get("typ") != policy["typ"]', 'str(header.get("typ")).lower() != policy["typ"]'), {KIND: "ana"}),
    "the type without application/": (
        ('header.get("typ") != policy["typ"]',
         'str(header.get("typ")).removeprefix("application/") != policy["typ"]'), {KIND: "ana"}),
    "a list of two at most": (("isinstance(aud, list)", "isinstance(aud, list) and len(aud) < 3"), {HONEST: "401"}),
    "any service of that kind": (
        ('aud != policy["audience"] and', 'str(aud)[:-1] != policy["audience"][:-1] and'), {NEAR: "ana"}),
    "whole seconds": (("now < exp", "int(now) < exp"), {OVER: "ana"}),
    "no end is fine": (("type(exp) in (int, float) and", "exp is None or"), {ENDLESS: ""}),
    "the end as text, too": (("type(exp) in (int, float) and now < exp",
                              "exp not in (None, '') and isinstance(exp, (int, float, str)) and now < float(exp)"),
                             {ENDLESS: ""}),
    "an end later": (("now < exp", "now <= exp"), {OVER: "ana"}),
    "until it is over, for ever": (('and now < exp + policy["leeway"]', ""), {OVER: "ana"}),
}  # fmt: skip

# ---- 32.4 ----------------------------------------------------------------------------------------------------

OTHERS = "What nobody ended is accepted, each time"
NAMES = "No two names share an entry"
ENDED = "An ended token is refused, also when it is ended twice"
TEXTS = "In other words it is refused, too"
UNTIL = "An entry may go when the token is over, leeway and all"
NAMELESS = "What has no jti is ended"
DOWN = "A store that is down is not an empty one"

LIST = '''
import json

def name(claims):
    return "ended:" + json.dumps([claims["iss"], claims["jti"]])

def end(store, token, claims, leeway):
    store.add(name(claims), {"expires_at": claims["exp"] + leeway})

def ended(store, token, claims):
    if not isinstance(claims.get("jti"), str) or not claims["jti"]:
        return True
    return store.get(name(claims)) is not None
'''
LIST_RIGHT = {
    "hashed, and with lengths": (
        '"ended:" + json.dumps([claims["iss"], claims["jti"]])',
        '__import__("hashlib").sha256(f"{len(claims[\'iss\'])}|{claims[\'iss\']}{claims[\'jti\']}".encode()).hexdigest()',
    ),
    "a tuple as text, by other ways": '''
def end(store, token, claims, leeway):
    key = repr((claims["iss"], claims["jti"]))
    if store.get(key) is None:
        store.add(key, {"expires_at": leeway + claims["exp"], "sub": claims["sub"]})

def ended(store, token, claims):
    jti = claims.get("jti")
    if type(jti) is str and jti != "":
        return bool(store.get(repr((claims["iss"], jti))))
    return True
''',
}
TEXT_KEY = '"ended:" + json.dumps([claims["iss"], claims["jti"]])'
LIST_WRONG = {
    "everything is ended": (("return store.get(name(claims)) is not None", "return True"), {OTHERS: "401"}),
    "a token is good for once": (
        ("return store.get(name(claims)) is not None", 'return not store.add(name(claims), {"expires_at": 2e9})'),
        {OTHERS: "401"}),
    "nothing is ended": (("return store.get(name(claims)) is not None", "return False"),
                         {ENDED: "ana", TEXTS: "ana", DOWN: ""}),
    "all of a customer's": ((TEXT_KEY, 'claims["iss"] + claims["sub"]'), {OTHERS: "401"}),
    "the jti alone": ((TEXT_KEY, 'claims["jti"]'), {OTHERS: "True"}),
    "glued together": ((TEXT_KEY, 'claims["iss"] + claims["jti"]'), {NAMES: "True"}),
    "glued with a bar": ((TEXT_KEY, 'claims["iss"] + "|" + claims["jti"]'), {NAMES: "True"}),
    "glued with a colon": ((TEXT_KEY, "f\"{claims['iss']}:{claims['jti']}\""), {NAMES: "True"}),
    "glued with a line break": ((TEXT_KEY, 'claims["iss"] + "\\n" + claims["jti"]'), {NAMES: "True"}),
    "in small letters": ((TEXT_KEY, TEXT_KEY + ".lower()"), {NAMES: "True"}),
    "without spaces": ((TEXT_KEY, TEXT_KEY.replace('claims["jti"]', 'claims["jti"].strip()')), {NAMES: "True"}),
    "its first characters": ((TEXT_KEY, f"({TEXT_KEY})[:200]"), {NAMES: "True"}),
    "another record each time": (
        ('    store.add(name(claims), {"expires_at": claims["exp"] + leeway})',
         '    key = name(claims)\n    while not store.add(key, {"expires_at": claims["exp"] + leeway}):\n'
         '        key += "+"'), {ENDED: "ended 2 times, it left 2"}),
    "in its own memory": (
        [("import json\n", "import json\n\nENDED = set()\n"),
         ("    store.add(", "    ENDED.add(name(claims))\n    store.add("),
         ("return store.get(name(claims)) is not None",
          "return store.get(name(claims)) is not None and name(claims) in ENDED")], {ENDED: "ana"}),
    "by a hash of this process": ((TEXT_KEY, 'str(hash((claims["iss"], claims["jti"])))'), {ENDED: "ana"}),
    "until exp": ((' + leeway}', "}"), {UNTIL: "it is"}),
    "for good": (('{"expires_at": claims["exp"] + leeway}', "{}"), {UNTIL: "None"}),
    "no name is no matter": (('        return True\n', "        return False\n"), {NAMELESS: "False"}),
    "a missing name only": (('not isinstance(claims.get("jti"), str) or not claims["jti"]', '"jti" not in claims'),
                            {NAMELESS: "False"}),
    "open when the store is down": (
        ("    return store.get(name(claims)) is not None\n",
         "    try:\n        return store.get(name(claims)) is not None\n"
         "    except Exception:\n        return False\n"),
        {DOWN: "False"}),
    "closed, and silent": (
        ("    return store.get(name(claims)) is not None\n",
         "    try:\n        return store.get(name(claims)) is not None\n"
         "    except Exception:\n        return True\n"),
        {DOWN: "True"}),
    "ended twice is back": (
        ('    store.add(name(claims), {"expires_at": claims["exp"] + leeway})',
         '    if not store.add(name(claims), {"expires_at": claims["exp"] + leeway}):\n'
         '        store.delete(name(claims))'), {ENDED: "ana"}),
}  # fmt: skip
WITH_TOKEN = '''
import json

def name(claims, token):
    return KEY

def end(store, token, claims, leeway):
    store.add(name(claims, token), {"expires_at": claims["exp"] + leeway})

def ended(store, token, claims):
    if not isinstance(claims.get("jti"), str) or not claims["jti"]:
        return True
    return store.get(name(claims, token)) is not None
'''
for _name, _key in {
    "by the text": '"ended:" + token[:900]',
    "the text without =": '"ended:" + token.rstrip("=")[:900]',
    "the signed part": '"ended:" + token.rpartition(".")[0][:900]',
}.items():
    LIST_WRONG[_name] = (WITH_TOKEN.replace("KEY", _key), {TEXTS: "ana"})

# ---- 32.5 ----------------------------------------------------------------------------------------------------

SIGNED = "Signed tokens are accepted where they come as they are"
SEALED = "Encrypted ones are accepted, signed inside"
BARE = "Bare claims in an encrypted token are refused"
INSIDE = "And so is every other thing without a good signature"
SHAPE = "The service decides what it takes, and not the token"
ODD = "What is no token is None, never an error"

NESTED = '''
import base64
import json

def claims_of(token, encrypted, decrypt, verify):
    if encrypted:
        token = decrypt(token)
    if token is None:
        return None
    return verify(token)
'''
NESTED_RIGHT = {
    "in one line": '''
def claims_of(token, encrypted, decrypt, verify):
    text = decrypt(token) if encrypted else token
    return verify(text) if text is not None else None
''',
    "it asks the shape as well": '''
def claims_of(token, encrypted, decrypt, verify):
    if (token.count(".") == 4) != encrypted:
        return None
    if not encrypted:
        return verify(token)
    inside = decrypt(token)
    if inside is None or inside.count(".") != 2:
        return None
    return verify(inside)
''',
}
LAZY = '''
import base64
import json

def read(text):
    try:
        part = text if "{" in text else text.split(".")[1]
        if part is not text:
            part = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        given = json.loads(part)
        return given if isinstance(given, dict) and isinstance(given.get("sub"), str) else None
    except (ValueError, IndexError):
        return None

def claims_of(token, encrypted, decrypt, verify):
    if encrypted:
        token = decrypt(token)
        if token is None:
            return None
        if NOT_SIGNED:
            return read(token)
    return verify(token)
'''
NESTED_WRONG = {
    "nothing": ("def claims_of(token, encrypted, decrypt, verify):\n    return None", {SIGNED: "401", SEALED: "401"}),
    "as the page has it": (
        LAZY.replace("NOT_SIGNED", "token.strip().startswith('{')"), {BARE: "ana", INSIDE: "ana"}),
    "only {": (LAZY.replace("NOT_SIGNED", "token.startswith('{')"), {BARE: "ana"}),
    "no signature, no check": (
        LAZY.replace("NOT_SIGNED", "token.endswith('.') and token.count('.') == 2"), {INSIDE: "ana"}),
    "alg none needs none": (LAZY.replace("NOT_SIGNED", "token.startswith('eyJhbGciOiAibm9uZSJ9')"), {INSIDE: "ana"}),
    "encrypted is enough": (LAZY.replace("NOT_SIGNED", "True"), {BARE: "ana", INSIDE: "ana"}),
    "verified, and ignored": (LAZY.replace("NOT_SIGNED", "verify(token) is None"), {BARE: "ana", INSIDE: "ana"}),
    "what was good once": (
        LAZY.replace("import json\n", "import json\n\nKNOWN = {}\n")
        .replace("        if NOT_SIGNED:\n            return read(token)\n    return verify(token)",
                 "        body = token.split('.')[1:2]\n        if str(body) not in KNOWN:\n"
                 "            KNOWN[str(body)] = verify(token)\n        return KNOWN[str(body)]\n"
                 "    return verify(token)"), {INSIDE: "ana"}),
    "all, once one was good": (
        LAZY.replace("import json\n", "import json\n\nseen = []\n")
        .replace("        if NOT_SIGNED:\n            return read(token)\n    return verify(token)",
                 "        if seen:\n            return read(token)\n        seen.append(1)\n"
                 "    return verify(token)"), {BARE: "ana", INSIDE: "ana"}),
    "None is no matter": (
        ("    if token is None:\n        return None\n", ""), {ODD: "TypeError", SHAPE: "TypeError"}),
    "the shape decides": (("if encrypted:", 'if token.count(".") == 4:'), {SHAPE: "ana"}),
    "both are welcome": (
        ("        token = decrypt(token)", "        token = decrypt(token) or token"), {SHAPE: "ana"}),
    "never decrypted": (("if encrypted:", "if False:"), {SEALED: "401"}),
    "always decrypted": (("if encrypted:", "if True:"), {SIGNED: "401"}),
    "None is a text": (('    if token is None:\n        return None\n    return verify(token)',
                        '    return verify(token.strip())'), {ODD: "", SHAPE: ""}),
}  # fmt: skip

# ---- 32.6 ----------------------------------------------------------------------------------------------------

BALANCE = "A balance that was read is found"
CAPTURED = "So is whatever else was captured"
NOTHING = "Where nothing was lost there is no evidence: None"

EVIDENCE = '''
import json

def evidence(log, victim):
    for one in log:
        head, _, body = one["response"].partition("\\n\\n")
        if head.split()[1] != "200" or "application/json" not in head:
            continue
        given = json.loads(body)
        if isinstance(given, dict) and len(given) == 2 and given.get("owner") == victim:
            [field] = [name for name in given if name != "owner"]
            return {"exchange": one["n"], "field": field, "value": given[field]}
    return None
'''
EVIDENCE_RIGHT = {
    "with a try": '''
import json

def evidence(log, victim):
    for one in log:
        first, *_ , body = one["response"].splitlines()
        try:
            data = json.loads(body)
        except ValueError:
            continue
        json_type = "Content-Type: application/json" in _
        if first.split()[1] == "200" and json_type and type(data) is dict and data.pop("owner", None) == victim:
            if len(data) == 1:
                ((field, value),) = data.items()
                return {"value": value, "field": field, "exchange": one["n"]}
''',
    "from the end": ("for one in log:", "for one in log[::-1]:"),
}
EVIDENCE_WRONG = {
    "nothing": ("def evidence(log, victim):\n    return None", {BALANCE: "None", }),
    "the place in the list": (('one["n"]', "log.index(one)"), {BALANCE: "evidence() gave"}),
    "whoever the owner is": (
        [('given.get("owner") == victim', '"owner" in given'),
         ("in log:", 'in sorted(log, key=lambda one: "mallory" not in one["response"]):')], {BALANCE: ""}),
    "whatever the status": (
        [('head.split()[1] != "200" or ', ""),
         ("in log:", 'in sorted(log, key=lambda one: " 200 " in one["response"]):')],
        {BALANCE: "evidence() gave"}),
    "the owner": (('"value": given[field]', '"value": given["owner"]'), {BALANCE: "evidence() gave"}),
    "the value as text": (("given[field]}", "str(given[field])}"), {BALANCE: "evidence() gave"}),
    "balances only": (
        ("    [field] = [name for name in given if name != \"owner\"]", '    field = "balance"'), {CAPTURED: ""}),
    "balances and notes": (
        ('[field] = [name for name in given if name != "owner"]',
         'field = "notes" if "notes" in given else "balance"'), {CAPTURED: "KeyError"}),
    "the last member": (
        ('[field] = [name for name in given if name != "owner"]', "field = list(given)[-1]"),
        {BALANCE: "'field': 'owner'"}),
    "nothing that is empty": (
        ('given.get("owner") == victim', 'given.get("owner") == victim and all(given.values())'), {CAPTURED: "None"}),
    "by the paths that it knows": (
        ('given.get("owner") == victim',
         'given.get("owner") == victim and one["request"].startswith(("GET /balance", "GET /notes"))'),
        {CAPTURED: "None"}),
    "a 200 somewhere": (
        ('head.split()[1] != "200" or ', '"200" not in one["response"] or '), {NOTHING: "403 FORBIDDEN"}),
    "a 200 somewhere in the head": (
        ('head.split()[1] != "200" or ', '"200" not in head or '), {NOTHING: "/notes answered 403 FORBIDDEN"}),
    "200 OK somewhere": (
        ('head.split()[1] != "200" or ', '"200 OK" not in one["response"] or '),
        {NOTHING: "/notes answered 403 FORBIDDEN"}),
    "JSON of any type": (
        [(' or "application/json" not in head', ""),
         ("        given = json.loads(body)",
          "        try:\n            given = json.loads(body)\n        except ValueError:\n            continue")],
        {NOTHING: "/help answered 200 OK, text/plain"}),
    "objects of any size": ((" and len(given) == 2", " and len(given) > 1"), {NOTHING: ""}),
    "whatever JSON it is": (
        ("isinstance(given, dict) and len(given) == 2 and ", ""), {NOTHING: ""}),
    "by its text": (
        ('isinstance(given, dict) and len(given) == 2 and given.get("owner") == victim',
         'len(given) == 2 and f\'"owner": "{victim}"\' in body'), {NOTHING: "'of'"}),
    "always something": (
        ("    return None\n", '    return {"exchange": 0, "field": "balance", "value": 0}\n'),
        {NOTHING: "evidence()"}),
}  # fmt: skip

TABLE = {
    "32.1": (FORGE_JWE, FORGE_JWE_RIGHT, FORGE_JWE_WRONG),
    "32.2": (REPLAY, REPLAY_RIGHT, REPLAY_WRONG),
    "32.3": (FOR_US, FOR_US_RIGHT, FOR_US_WRONG),
    "32.4": (LIST, LIST_RIGHT, LIST_WRONG),
    "32.5": (NESTED, NESTED_RIGHT, NESTED_WRONG),
    "32.6": (EVIDENCE, EVIDENCE_RIGHT, EVIDENCE_WRONG),
}
