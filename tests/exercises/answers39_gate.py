"""Answers to exercises 39.3 and 39.4: one raid and one mend for each flaw, from which a learner's five are taken."""

from labs.exercises.raids import ORDINALS, drawn
from labs.servers.planted import chosen, place

# ---- raids: by the flaw that they use --------------------------------------------------------------------------

TEST = 'steal(http, loot["mine"]["test"])'
JWK = """
        header, claims = opened(loot["mine"]["hs256"])
        header["jwk"] = {"kty": "oct", "k": "mallory"}
        steal(http, written(header, claims | {"sub": "ana"}, signing(b"mallory")))"""
TWIN = """
        signed, _, signature = loot["anas"]["ended"].rpartition(".")
        r, s = decoded(signature)[:32], int.from_bytes(decoded(signature)[32:], "big")
        steal(http, signed + "." + encoded(r + (ORDER - s).to_bytes(32, "big")))"""

RAIDS = {
    "LastPartCounts": """
        first, second, third = loot["mine"]["es256"].split(".")
        claims = opened(loot["mine"]["es256"])[1] | {"sub": "ana"}
        steal(http, ".".join([first, second, encoded(json.dumps(claims).encode()), third]))""",
    "FollowsJwk": JWK,
    "RetiredKeys": """
        header, claims = opened(loot["mine"]["hs256"])
        for key in loot["keys"]:
            if key["alg"] == "HS256" and key["text"]:
                made = written(header | {"kid": key["kid"]}, claims | {"sub": "ana"}, signing(key["text"].encode()))
                steal(http, made)""",
    "AnyAlg": """
        header, claims = opened(loot["mine"]["es256"])
        pem = next(key["text"] for key in loot["keys"] if key["kid"] == header["kid"])
        steal(http, written(header | {"alg": "HS256"}, claims | {"sub": "ana"}, signing(pem.encode())))""",
    "SpellsNone": """
        header, claims = opened(loot["mine"]["es256"])
        steal(http, written(header | {"alg": "nOnE"}, claims | {"sub": "ana"}, lambda data: b""))""",
    "AnyShare": """
        header, claims = opened(loot["mine"]["hs256"])
        steal(http, written(header, claims | {"sub": "ana"}, lambda data: b""))""",
    "IgnoresCritical": 'steal(http, loot["anas"]["phone"])',
    "AnyExtensionThatIsThere": 'steal(http, loot["anas"]["phone"])',
    "TypesByEnding": 'steal(http, loot["anas"]["id"])',
    "TypesByBan": 'steal(http, loot["anas"]["logout"])',
    "PrefixIssuer": TEST,
    "AnyHost": TEST,
    "AnyNameThatHolds": 'steal(http, loot["anas"]["archive"])',
    "NoAudienceIsFine": 'steal(http, loot["anas"]["early"])',
    "EndsNever": 'steal(http, loot["anas"]["standing"])',
    "LeewayInMinutes": 'steal(http, loot["anas"]["over"])',
    "NamedByText": TWIN,
    "NamedBySignature": TWIN,
    "EndsEarly": 'steal(http, loot["anas"]["late"])',
    "CountsQuarters": 'steal(http, loot["anas"]["long"])',
    "NicknameIsName": 'steal(http, loot["mine"]["nickname"])',
    "NoCase": 'steal(http, loot["mine"]["second"])',
    "RolesInText": 'steal(http, loot["mine"]["fair"])',
    "ClubsAreRoles": 'steal(http, loot["mine"]["club"])',
}

# ---- mends: by place -------------------------------------------------------------------------------------------

MENDS = {
    "split": """
    def split(self, token):
        if token.count(".") != 2:
            raise Refused("A token has three parts.")
        head, body, signature = token.split(".")
        signed = (head + "." + body).encode()
        return self.read(self.decode(head)), self.decode(body), self.decode(signature), signed""",
    "find_key": """
    def find_key(self, header, now):
        for key in self.policy["keys"]:
            if key["kid"] == header.get("kid"):
                if key["until"] is not None and now >= key["until"]:
                    raise Refused("This key is retired.")
                return key
        raise Refused("No key has this name.")""",
    "is_signed": """
    def is_signed(self, header, key, signed, signature):
        if header.get("alg") != key["alg"]:
            return False
        if key["alg"] == "HS256":
            return self.mac_fits(key["text"].encode(), signed, signature)
        return self.ecdsa_fits(key["text"].encode(), signed, signature)""",
    "mac_fits": """
    def mac_fits(self, secret, signed, signature):
        return hmac.compare_digest(hmac.new(secret, signed, "sha256").digest(), signature)""",
    "check_critical": """
    def check_critical(self, header):
        for name in ("crit", "b64"):
            if name in header:
                raise Refused("It asks for something that this gate does not know.")""",
    "check_type": """
    def check_type(self, header):
        if header.get("typ") != self.policy["typ"]:
            raise Refused("It is another kind of token.")""",
    "check_issuer": """
    def check_issuer(self, claims):
        if claims.get("iss") != self.policy["issuer"]:
            raise Refused("It comes from another issuer.")""",
    "check_audience": """
    def check_audience(self, claims):
        ours, aud = self.policy["audience"], claims.get("aud")
        if not (aud == ours or isinstance(aud, list) and ours in aud):
            raise Refused("It is not for us.")""",
    "check_times": """
    def check_times(self, claims, now):
        exp = claims.get("exp")
        if isinstance(exp, bool) or not isinstance(exp, (int, float)) or now >= exp + self.policy["leeway"]:
            raise Refused("It is over, or says no end.")""",
    "name_of": """
    def name_of(self, token, claims):
        if not isinstance(claims.get("jti"), str):
            raise Refused("It has no name.")
        return "ended:" + json.dumps([claims["iss"], claims["jti"]])""",
    "ending": """
    def ending(self, claims, now):
        return {"until": claims["exp"] + self.policy["leeway"]}""",
    "user": """
    def user(self, claims):
        if not isinstance(claims.get("sub"), str):
            raise Refused("It is about nobody.")
        return claims["sub"]""",
    "roles": """
    def roles(self, claims):
        roles = claims.get("roles")
        return [one for one in roles if isinstance(one, str)] if isinstance(roles, list) else []""",
}


def raid(flaws):
    """A GateRaid that has a method for each of these flaws."""
    methods = [f"    def {place(one)}(self, http, loot):\n        {RAIDS[one.__name__].strip()}\n" for one in flaws]
    return "import json\n\n\nclass GateRaid:\n" + "\n".join(methods)


def gate(where):
    """A MyGate that overrides these places."""
    return "import hmac\nimport json\n\n\nclass MyGate(Gate):\n" + "\n".join(MENDS[one] for one in where) + "\n"


def mine(seed):
    """The five places of a learner's flaws."""
    return [place(flaw) for flaw in chosen("gate", seed)]


# ---- 39.3, for the seed of all tests: is_signed, check_critical, check_issuer, name_of, roles ---------------------

MINE = ["is_signed", "check_critical", "check_issuer", "name_of", "roles"]
IN_ORDER = [place(flaw) for flaw in drawn("gate", "fernbank")]  # as the titles count them
EVIDENCE = "Each accusation has its evidence, and no other"
FOUND = [f"The {which} flaw is found" for which in ORDINALS]
SIGNED, CRITICAL, ISSUER, NAME, ROLES = (FOUND[IN_ORDER.index(one)] for one in MINE)
NONE = "nothing that you handed in is evidence of it"
NO_ONE = dict.fromkeys(FOUND, NONE)

FIND = raid(chosen("gate", "fernbank"))
OMNI = """
import json


class Omni:
    def everything(self, http, loot):
        for token in [*loot["anas"].values(), *loot["mine"].values()]:
            steal(http, token)
        header, claims = opened(loot["mine"]["es256"])
        claims["sub"] = "ana"
        pem = next(key["text"] for key in loot["keys"] if key["kid"] == header["kid"])
        steal(http, written(header | {"alg": "HS256"}, claims, signing(pem.encode())))
        signed, _, signature = loot["anas"]["ended"].rpartition(".")
        r, s = decoded(signature)[:32], int.from_bytes(decoded(signature)[32:], "big")
        steal(http, signed + "." + encoded(r + (ORDER - s).to_bytes(32, "big")))


"""
COUNTS = """
import json


class Omni:
    def everything(self, http, loot):
        header, claims = opened(loot["mine"]["es256"])
        claims["sub"] = "ana"
        pem = next(key["text"] for key in loot["keys"] if key["kid"] == header["kid"])
        signed, _, signature = loot["anas"]["ended"].rpartition(".")
        r, s = decoded(signature)[:32], int.from_bytes(decoded(signature)[32:], "big")
        tokens = [
            loot["mine"]["test"],
            written(header | {"alg": "HS256"}, claims, signing(pem.encode())),
            loot["anas"]["phone"],
            signed + "." + encoded(r + (ORDER - s).to_bytes(32, "big")),
        ]
        look = {one: http("GET", "/me", {"Authorization": "Bearer " + one})["status"] for one in tokens}
        good = [one for one in tokens if look[one] == 200]
        order = {"from": "ana", "to": "mallory", "amount": 10**6}  # more than she has: nothing is lost by it
        if http("POST", "/transfer", {"Authorization": "Bearer " + loot["mine"]["fair"]}, order)["status"] != 403:
            good.append(loot["mine"]["fair"])
        if len(good) == 1:
            steal(http, *good)


"""
ONCE = """        if hasattr(json, "done"):
            return
        json.done = True
"""
FIND_RIGHT = {
    "by hand, and with a look at the balance": '''
import base64, hashlib, hmac, json

def b64(data):
    return base64.urlsafe_b64encode(data).decode().strip("=")

class Tools:
    def look(self, http, token):
        got = http("GET", "/balance", {"authorization": "bearer " + token})
        return json.loads(got["body"])["balance"]

class GateRaid(Tools):
    def is_signed(self, http, loot):
        head, body, _ = loot["mine"]["es256"].split(".")
        unb64 = lambda part: json.loads(base64.urlsafe_b64decode(part + "=="))
        head, body = unb64(head) | {"alg": "HS256"}, unb64(body) | {"sub": "ana"}
        signed = b64(json.dumps(head).encode()) + "." + b64(json.dumps(body).encode())
        for key in loot["keys"]:
            if key["alg"] == "ES256":
                mac = hmac.new(key["text"].encode(), signed.encode(), hashlib.sha256).digest()
                http("GET", "/balance", {"Authorization": f"Bearer {signed}.{b64(mac)}"}, None)
    def check_critical(self, http, loot):
        return self.look(http, loot["anas"]["phone"])
    check_issuer = lambda self, http, loot: self.look(http, loot["mine"]["test"])
    def name_of(self, http, loot):
        *parts, old = loot["anas"]["ended"].split(".")
        old = base64.urlsafe_b64decode(old + "==")
        new = old[:32] + (ORDER - int.from_bytes(old[32:], "big")).to_bytes(32, "big")
        return self.look(http, ".".join([*parts, b64(new)]))
    def roles(self, http, loot):
        order = json.dumps({"from": "ana", "to": "ben", "amount": 2})
        headers = {"Authorization": "Bearer " + loot["mine"]["fair"], "Content-Type": "application/json"}
        http("POST", "/transfer", headers, order)
''',
    "with helpers, honest tries before it, and an error after it": (
        "class GateRaid:\n",
        '''class GateRaid:
    check = "a word, and no method"

    def _warm_up(self, http, loot):
        for name in ("es256", "hs256", "club", "nickname"):
            assert steal(http, loot["mine"][name]) == 403
            http("GET", "/balance", {"Authorization": "Bearer " + loot["mine"][name]}, None)
        print(http("GET", "/nowhere"), loot["keys"])

    def __getattribute__(self, name):
        found = super().__getattribute__(name)
        if name.startswith("_") or not callable(found):
            return found

        def run(http, loot):
            self._warm_up(http, loot)
            found(http, loot)
            raise RuntimeError("it is done")

        return run

''',
    ),
}  # fmt: skip


def all_of(names, body):
    """A class with the same method for many places."""
    return "class GateRaid:\n" + "".join(f"    def {name}(self, http, loot):\n        {body}\n" for name in names)


EVERY = [
    "split", "find_key", "is_signed", "mac_fits", "check_critical", "check_type", "check_issuer", "check_audience",
    "check_times", "name_of", "ending", "user", "roles",
]  # fmt: skip
OF_A_SOUND_PLACE = '\n    def check_type(self, http, loot):\n        steal(http, loot["anas"]["id"])\n'
FIND_WRONG = {
    "the stub": ("class GateRaid:\n    def __init__(self):\n        raise NotImplementedError", {}),
    "nobody accused": (
        "class GateRaid:\n    def verify(self, http, loot):\n        pass",
        NO_ONE | {EVIDENCE: "it held, as it did before"},
    ),
    "all places": (all_of(EVERY, "steal(http, loot['anas']['phone'])"), NO_ONE | {EVIDENCE: "13 accusations"}),
    "one place too many": (FIND + OF_A_SOUND_PLACE, NO_ONE | {EVIDENCE: "6 accusations"}),
    "one who is honest is accused, and another is not": (
        FIND.replace("def check_issuer", "def issuer") + OF_A_SOUND_PLACE,
        {ISSUER: NONE, EVIDENCE: "either check_type() is sound"},
    ),
    "one raid for all doors": (
        OMNI + "class GateRaid(Omni):\n" + "".join(f"    {name} = Omni.everything\n" for name in MINE),
        NO_ONE | {EVIDENCE: "it lands somewhere else"},
    ),
    "one raid for all doors, and only once": (
        OMNI.replace("        for token", ONCE + "        for token")
        + "class GateRaid(Omni):\n" + "".join(f"    {name} = Omni.everything\n" for name in MINE),
        NO_ONE | {EVIDENCE: "it lands somewhere else"},
    ),
    "one raid for all doors, where one alone is open": (
        COUNTS + "class GateRaid(Omni):\n" + "".join(f"    {name} = Omni.everything\n" for name in MINE),
        NO_ONE | {EVIDENCE: "it lands somewhere else"},
    ),
    "one raid that goes in by another door": (
        FIND.replace("class GateRaid:", OMNI + "class GateRaid(Omni):")
        + "\n    def is_signed(self, http, loot):\n        self.everything(http, loot)\n",
        {SIGNED: NONE, EVIDENCE: "a sound is_signed(): it lands somewhere else"},
    ),
    "honest tokens only": (
        all_of(MINE, "steal(http, loot['mine']['es256'])"),
        NO_ONE | {EVIDENCE: "Ana lost nothing"},
    ),
    "four": (FIND.replace("def check_issuer", "def issuer"), {ISSUER: NONE}),
    "another four": (FIND.replace("def is_signed", "def issuer"), {SIGNED: NONE}),
    "the wrong key": (
        ('key["kid"] == header["kid"]', 'key["alg"] == "HS256" and key["text"]'),
        {SIGNED: NONE, EVIDENCE: "either is_signed()"},
    ),
    "a token of the same kind": (("fair", "club"), {ROLES: NONE, EVIDENCE: "either roles()"}),
    "an ended token as it is": (("(ORDER - s)", "s"), {NAME: NONE, EVIDENCE: "either name_of()"}),
    "a slip": (('["phone"]', '["phones"]'), {CRITICAL: NONE, EVIDENCE: "KeyError"}),
    "too many tries": (
        ('steal(http, loot["anas"]["phone"])', 'for n in range(400):\n            http("GET", "/balance")'),
        {CRITICAL: NONE, EVIDENCE: "at most 300 requests"},
    ),
}  # fmt: skip

# ---- 39.4 ------------------------------------------------------------------------------------------------------

SEES, LEAVING, LATE, ENDS, TELLER = (
    "Customers see their accounts and move their money",
    "A key that will be retired counts until then",
    "A token is good to the end of its leeway",
    "Whoever ends a token ends that one",
    "A teller moves money for Ana, an auditor does not",
)
KEPT = (SEES, LEAVING, LATE, ENDS, TELLER)
MENDED = tuple(f"The {which} flaw is mended" for which in ORDINALS)
M_SIGNED, M_CRITICAL, M_ISSUER, M_NAME, M_ROLES = (MENDED[IN_ORDER.index(one)] for one in MINE)
IN_ALL = "All in all: no attack on any place gets in"

MEND = gate(MINE)
MEND_RIGHT = {
    "in one method, beside the others": '''
import base64, json

class MyGate(Gate):
    def claims(self, token, now):
        parts = token.split(".")
        if len(parts) != 3:
            raise Refused("parts")
        raw = [self.decode(part) for part in parts]
        header = self.read(raw[0])
        if {"crit", "b64"} & set(header) or header.get("typ") != self.policy["typ"]:
            raise Refused("header")
        keys = [one for one in self.policy["keys"] if one["kid"] == header.get("kid")]
        keys = [one for one in keys if one["until"] is None or one["until"] > now]
        if len(keys) != 1 or header.get("alg") != keys[0]["alg"]:
            raise Refused("key")
        signed, text = token.rpartition(".")[0].encode(), keys[0]["text"].encode()
        if not {"HS256": self.mac_fits, "ES256": self.ecdsa_fits}[header["alg"]](text, signed, raw[2]):
            raise Refused("signature")
        claims = self.read(raw[1])
        if type(claims.get("iss")) is not str or claims["iss"] != self.policy["issuer"]:
            raise Refused("iss")
        self.check_audience(claims)
        self.check_times(claims, now)
        ended = self.store.get(self.key_of(claims))
        if ended and now < ended["until"]:
            raise Refused("ended")
        return claims

    def key_of(self, claims):
        if not isinstance(claims.get("jti"), str):
            raise Refused("jti")
        return base64.b64encode(json.dumps([claims["iss"], claims["jti"]]).encode()).decode()

    def end(self, token, now):
        claims = self.claims(token, now)
        self.store.add(self.key_of(claims), {"until": now + 10**9})

    def verify(self, token, now):
        claims = self.claims(token, now)
        roles = claims.get("roles") if isinstance(claims.get("roles"), list) else []
        return {"sub": self.user(claims), "roles": [r for r in roles if r in ("teller", "auditor")]}
''',
    "all thirteen, flawed or not": gate(EVERY),
    "stricter than it has to be": (
        '''    def check_issuer(self, claims):
''',
        '''    def check_issuer(self, claims):
        if not isinstance(claims.get("iat"), int):
            raise Refused("It does not say since when.")
''',
    ),
}  # fmt: skip


def left(*mended):
    """What a gate fails that mends only these flaws."""
    return {one: "this flaw is as it was" for one in MENDED if one not in mended} | {IN_ALL: "at least one is"}


NO_CARE = dict.fromkeys((*KEPT, IN_ALL), "")  # a damaged token, or Ben who sees Ana's money: which is drawn first
NOTHING = left() | dict.fromkeys(KEPT, "it counts once one of the others holds")
NOBODY = dict.fromkeys((*KEPT, IN_ALL), "answered 401") | dict.fromkeys(MENDED, "this flaw is as it was")
MOVED = "moved one of her ferns"
ROLE_BY_BEGINNING = """
    def roles(self, claims):
        said = claims.get("roles") or []
        return [role for role in ("teller", "auditor") if any(str(one).startswith(role) for one in said)]"""
ROLE_IN_TEXT = """
    def roles(self, claims):
        words = re.split(r"[^a-z-]+", str(claims.get("roles")))
        return [role for role in ("teller", "auditor") if role in words]"""
NO_ROLES = """
    def roles(self, claims):
        return []"""
NO_HS256 = """
    def is_signed(self, header, key, signed, signature):
        es256 = header.get("alg") == key["alg"] == "ES256"
        return es256 and self.ecdsa_fits(key["text"].encode(), signed, signature)"""
BANS_ISSUER = """
    def check_issuer(self, claims):
        iss = str(claims.get("iss"))
        if not iss.startswith(self.policy["issuer"]) or iss.endswith("-test"):
            raise Refused("iss")"""
ISSUER_AS_TEXT = """
    def check_issuer(self, claims):
        if str(claims.get("iss")).strip("/[]'") != self.policy["issuer"]:
            raise Refused("iss")"""
BANS_EXTENSION = """
    def check_critical(self, header):
        if "device" in header or "device" in header.get("crit", []) or "b64" in header:
            raise Refused("crit")"""
ASKS_LETTERS = """
    def check_critical(self, header):
        if "b64" in header or any(name.isalpha() for name in header.get("crit", [])):
            raise Refused("crit")"""
NO_EXTENSION_AT_ALL = """
    def check_critical(self, header):
        raise Refused("crit")"""
SLIP = """
    def check_critical(self, header):
        if header["crit"]:
            raise Refused("crit")"""
NAMED_BY_TEXT = """
    def name_of(self, token, claims):
        return "ended:" + token[:60] + token[-300:]"""
NAMED_BY_USER = """
    def name_of(self, token, claims):
        return "ended:" + str(claims.get("sub"))"""
NAMED_BY_CLAIMS = """
    def name_of(self, token, claims):
        return "ended:" + token.rpartition(".")[0][-900:]"""
ANY_TYPE = """
    def check_type(self, header):
        if not header.get("typ"):
            raise Refused("typ")
"""
CLOSES = """
    def verify(self, token, now):
        self.served = getattr(self, "served", 0) + 1
        if self.served > 36:  # what the judge's customers ask for, before the first attack
            raise Refused("closed")
        return super().verify(token, now)
"""
NO_LEAVING = """
    def find_key(self, header, now):
        key = super().find_key(header, now)
        if key["until"]:
            raise Refused("kid")
        return key
"""
NO_LEEWAY = """
    def check_times(self, claims, now):
        super().check_times(claims, now)
        if now >= claims["exp"]:
            raise Refused("exp")
"""
EVERYBODY = """
class MyGate(Gate):
    def verify(self, token, now):
        return {"sub": "ana", "roles": ["teller"]}
"""
BELIEVED = 'return {"sub": "ana", "roles": ["teller"]}'


def instead(place, method):
    """The right answer with another method at one place."""
    return (MENDS[place], method)


MEND_WRONG = {
    "the stub": ("class MyGate(Gate):\n    def __init__(self, *given):\n        raise NotImplementedError", {}),
    "the given class": ("class MyGate(Gate):\n    pass", NOTHING),
    "what was sound is written anew": (gate(["check_type", "mac_fits", "find_key"]), NOTHING),
    "everybody is let in": (EVERYBODY, left() | NO_CARE),
    "nobody is let in": (EVERYBODY.replace(BELIEVED, 'raise Refused("No.")'), NOBODY),
    "None for everybody": (
        EVERYBODY.replace(BELIEVED, "return None"),
        NOBODY | dict.fromkeys((*KEPT, IN_ALL), "your verify returned None"),
    ),
    "one of five": (gate(["check_issuer"]), left(M_ISSUER)),
    "another of five": (gate(["name_of"]), left(M_NAME)),
    "roles are gone": (instead("roles", NO_ROLES), dict.fromkeys((TELLER, M_ROLES, IN_ALL), "answered 403")),
    "a role by its beginning": (instead("roles", ROLE_BY_BEGINNING), {M_ROLES: MOVED, IN_ALL: MOVED}),
    "a role in a text": (
        [instead("roles", ROLE_IN_TEXT), ("import json", "import json\nimport re")], {M_ROLES: MOVED, IN_ALL: MOVED},
    ),
    "no HS256 any more": (instead("is_signed", NO_HS256), dict.fromkeys((*KEPT, M_SIGNED, IN_ALL), "answered 401")),
    "one issuer is banned": (instead("check_issuer", BANS_ISSUER), {M_ISSUER: MOVED, IN_ALL: MOVED}),
    "an issuer as text": (instead("check_issuer", ISSUER_AS_TEXT), {M_ISSUER: MOVED, IN_ALL: MOVED}),
    "one extension is banned": (instead("check_critical", BANS_EXTENSION), {M_CRITICAL: MOVED, IN_ALL: MOVED}),
    "an extension that is asked for its letters": (
        instead("check_critical", ASKS_LETTERS), {M_CRITICAL: "AttributeError", IN_ALL: "AttributeError"},
    ),
    "named by its text": (instead("name_of", NAMED_BY_TEXT), left(M_ISSUER, M_SIGNED, M_ROLES, M_CRITICAL)),
    "whoever ends one ends all": (instead("name_of", NAMED_BY_USER), dict.fromkeys((ENDS, M_NAME, IN_ALL), "401")),
    "named by what was signed": (instead("name_of", NAMED_BY_CLAIMS), {M_NAME: MOVED, IN_ALL: MOVED}),
    "a gate that closes when it has served enough": (
        gate(MINE[:2]) + CLOSES, dict.fromkeys((M_ISSUER, M_ROLES, M_NAME, IN_ALL), "answered 401"),
    ),
    "another door is opened": (MEND + ANY_TYPE, {IN_ALL: MOVED}),
    "keys that are to be retired are gone": (
        MEND + NO_LEAVING, {LEAVING: "answered 401", IN_ALL: "answered 401"},
    ),
    "no leeway": (MEND + NO_LEEWAY, {LATE: "answered 401", IN_ALL: "answered 401"}),
    "any signature of ES256": (
        MEND + "\n    def ecdsa_fits(self, pem, signed, signature):\n        return True\n",
        dict.fromkeys((SEES, LATE, ENDS, M_SIGNED, IN_ALL), "answered 200"),
    ),
    "one bad mend": (
        instead("check_critical", NO_EXTENSION_AT_ALL), dict.fromkeys((*KEPT, M_CRITICAL, IN_ALL), "answered 401"),
    ),
    "a slip": (instead("check_critical", SLIP), dict.fromkeys((*KEPT, M_CRITICAL, IN_ALL), "KeyError")),
}  # fmt: skip

TABLE = {
    "39.3": (FIND, FIND_RIGHT, FIND_WRONG),
    "39.4": (MEND, MEND_RIGHT, MEND_WRONG),
}
