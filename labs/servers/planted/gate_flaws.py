"""Flaws to plant in the gate of lab 39: each is the gate but for one method, and in it for the marked line."""

import hashlib
import hmac
import json

from labs.servers.planted.gate import Gate, Refused

__all__ = [
    "AnyAlg", "AnyExtensionThatIsThere", "AnyHost", "AnyNameThatHolds", "AnyShare", "ClubsAreRoles",
    "CountsQuarters", "EndsEarly", "EndsNever", "FollowsJwk", "IgnoresCritical", "LastPartCounts",
    "LeewayInMinutes", "NamedBySignature", "NamedByText", "NicknameIsName", "NoAudienceIsFine", "NoCase",
    "PrefixIssuer", "RetiredKeys", "RolesInText", "SpellsNone", "TypesByBan", "TypesByEnding",
]  # fmt: skip


# ---- the form ----------------------------------------------------------------------------------------------------


class LastPartCounts(Gate):
    """Verifies one part and believes another, when there are more of them."""

    def split(self, token):
        parts = token.split(".")
        if len(parts) < 3:
            raise Refused("A token has three parts.")
        signed, signature = ".".join(parts[:2]), self.decode(parts[-1])
        # VULNERABLE: `header.payload.other.signature`: two readers of one text (as CVE-2022-39227; RFC 7515 §5.2)
        return self.read(self.decode(parts[0])), self.decode(parts[-2]), signature, signed.encode()


# ---- the key and the signature -----------------------------------------------------------------------------------


class FollowsJwk(Gate):
    """Takes the key that the token brings along, where it brings one."""

    def find_key(self, header, now):
        if isinstance(header.get("jwk"), dict) and header["jwk"].get("kty") == "oct":
            # VULNERABLE: the signature proves that whoever made the token made it (CVE-2026-27962; RFC 8725 §3.1)
            return {"kid": header.get("kid"), "alg": "HS256", "text": str(header["jwk"].get("k")), "until": None}
        for key in self.policy["keys"]:
            if key["kid"] == header.get("kid") and (key["until"] is None or now < key["until"]):
                return key
        raise Refused("No key in use has this name.")


class RetiredKeys(Gate):
    """Does not ask whether a key is still in use."""

    def find_key(self, header, now):
        for key in self.policy["keys"]:
            if key["kid"] == header.get("kid"):  # VULNERABLE: a key that leaked and was retired (NIST SP 800-57)
                return key
        raise Refused("No key in use has this name.")


class AnyAlg(Gate):
    """Lets the header choose the algorithm."""

    def is_signed(self, header, key, signed, signature):
        alg, text = header.get("alg"), key["text"].encode()
        if alg == "HS256":
            return self.mac_fits(text, signed, signature)  # VULNERABLE: a public key as a secret (CVE-2015-9235)
        return alg == key["alg"] and self.ecdsa_fits(text, signed, signature)


class SpellsNone(Gate):
    """Has banned a word, and not what it means."""

    def is_signed(self, header, key, signed, signature):
        alg = str(header.get("alg"))
        if alg == "none":
            return False
        if alg.lower() == "none":  # VULNERABLE: the token says that it is not signed (McLean 2015; RFC 8725 §3.1)
            return signature == b""
        fits = {"HS256": self.mac_fits, "ES256": self.ecdsa_fits}[key["alg"]]
        return alg == key["alg"] and fits(key["text"].encode(), signed, signature)


class AnyShare(Gate):
    """Compares as much of the signature as there is."""

    def mac_fits(self, secret, signed, signature):
        mac = hmac.digest(secret, signed, "sha256")
        # VULNERABLE: zip() ends with the shorter one, and nothing differs in nothing (CWE-1023, CWE-347)
        return not any(one ^ other for one, other in zip(mac, signature, strict=False))


# ---- what the token says -----------------------------------------------------------------------------------------


class IgnoresCritical(Gate):
    """Looks at one extension, and not at the list of those that must be understood."""

    def check_critical(self, header):
        if "b64" in header:  # VULNERABLE: crit is not looked at (CVE-2025-59420, CVE-2026-32597; RFC 7515 §4.1.11)
            raise Refused("The token asks for an extension that is not known here.")


class AnyExtensionThatIsThere(Gate):
    """Asks whether what is critical stands in the header, and not whether it is understood."""

    def check_critical(self, header):
        critical = header.get("crit", [])
        # VULNERABLE: that a member is there does not make it understood (RFC 7515 §4.1.11)
        if not isinstance(critical, list) or any(str(name) not in header for name in critical) or "b64" in header:
            raise Refused("The token asks for an extension that is not known here.")


class TypesByEnding(Gate):
    """Takes whatever calls itself a JWT."""

    def check_type(self, header):
        # VULNERABLE: an ID token ends like an access token (RFC 8725 §3.11, RFC 9068 §4)
        if not str(header.get("typ")).lower().endswith("jwt"):
            raise Refused("The token is of another kind.")


class TypesByBan(Gate):
    """Bans the kind that it knows, and no other."""

    def check_type(self, header):
        if header.get("typ") in (None, "", "JWT"):  # VULNERABLE: a list of bad words (RFC 8725 §3.11)
            raise Refused("The token is of another kind.")


class PrefixIssuer(Gate):
    """Asks how the issuer's name begins."""

    def check_issuer(self, claims):
        # VULNERABLE: other names begin alike (RFC 8725 §3.8; RFC 9068 §4: "MUST exactly match")
        if not str(claims.get("iss")).startswith(self.policy["issuer"]):
            raise Refused("Somebody else issued the token.")


class AnyHost(Gate):
    """Asks where the issuer lives."""

    def check_issuer(self, claims):
        # VULNERABLE: several issuers live at one address, each with its own users (RFC 8725 §3.8, RFC 8414 §3)
        if str(claims.get("iss")).split("/")[:3] != self.policy["issuer"].split("/")[:3]:
            raise Refused("Somebody else issued the token.")


class AnyNameThatHolds(Gate):
    """Looks for its name anywhere in the audience."""

    def check_audience(self, claims):
        audience = claims.get("aud")
        # VULNERABLE: in a text, `in` finds parts of a name (RFC 8725 §3.9, RFC 7519 §4.1.3; CWE-697)
        if not isinstance(audience, str | list) or self.policy["audience"] not in audience:
            raise Refused("The token is for another service.")


class NoAudienceIsFine(Gate):
    """Asks for whom a token is if it says so."""

    def check_audience(self, claims):
        audience = claims.get("aud", self.policy["audience"])  # VULNERABLE: no audience is any (RFC 8725 §3.9)
        names = audience if isinstance(audience, list) else [audience]
        if self.policy["audience"] not in names:
            raise Refused("The token is for another service.")


class EndsNever(Gate):
    """Asks whether a token is over if it says when."""

    def check_times(self, claims, now):
        end = claims.get("exp", now)  # VULNERABLE: no end is none (RFC 9068 §2.2: required; ASVS 9.2.1)
        if type(end) not in (int, float):
            raise Refused("The token does not say when it ends.")
        if now >= end + self.policy["leeway"]:
            raise Refused("The token is over.")


class LeewayInMinutes(Gate):
    """Takes seconds for minutes."""

    def check_times(self, claims, now):
        if type(claims.get("exp")) not in (int, float):
            raise Refused("The token does not say when it ends.")
        # VULNERABLE: sixty times the leeway (RFC 7519 §4.1.4: "usually no more than a few minutes")
        if now >= claims["exp"] + 60 * self.policy["leeway"]:
            raise Refused("The token is over.")


# ---- what has been ended -----------------------------------------------------------------------------------------


class NamedByText(Gate):
    """Knows an ended token by how it was written."""

    def name_of(self, token, claims):
        if not isinstance(claims.get("jti"), str):
            raise Refused("The token has no name, so it could not be ended.")
        # VULNERABLE: one token of ES256 has two texts, (r, s) and (r, n - s) (RFC 7519 §4.1.7: there is jti)
        return "ended:" + hashlib.sha256(token.encode()).hexdigest()


class NamedBySignature(Gate):
    """Knows an ended token by its signature."""

    def name_of(self, token, claims):
        if not isinstance(claims.get("jti"), str):
            raise Refused("The token has no name, so it could not be ended.")
        # VULNERABLE: one token, two signatures: (r, s) and (r, n - s) (FIPS 186-5 allows both; RFC 7519 §4.1.7)
        signature = token.rpartition(".")[2]
        return "ended:" + hashlib.sha256(json.dumps([claims["iss"], signature]).encode()).hexdigest()


class EndsEarly(Gate):
    """Forgets an ended token while the leeway still lets it in."""

    def ending(self, claims, now):
        return {"until": claims["exp"]}  # VULNERABLE: it is accepted until exp + leeway (ASVS 7.4.1)


class CountsQuarters(Gate):
    """Forgets an ended token after a quarter of an hour, however long it lasts."""

    def ending(self, claims, now):
        return {"until": now + 15 * 60}  # VULNERABLE: some tokens last longer than that (ASVS 7.4.1)


# ---- for whom it speaks ------------------------------------------------------------------------------------------


class NicknameIsName(Gate):
    """Prefers the name that a customer has chosen for the page."""

    def user(self, claims):
        # VULNERABLE: anybody may choose it ("nOAuth", Descope 2023; OpenID Connect Core §5.7)
        user = claims.get("preferred_username") or claims.get("sub")
        if not isinstance(user, str):
            raise Refused("The token is about nobody.")
        return user


class NoCase(Gate):
    """Makes two names one."""

    def user(self, claims):
        if not isinstance(claims.get("sub"), str):
            raise Refused("The token is about nobody.")
        # VULNERABLE: whoever registered as `Ana` is ana here (RFC 7519 §4.1.2: case-sensitive; CWE-178)
        return claims["sub"].strip().casefold()


class RolesInText(Gate):
    """Looks for a role anywhere in what the token says."""

    def roles(self, claims):
        # VULNERABLE: "teller" stands in "storyteller" (CWE-697)
        return [role for role in ("teller", "auditor") if role in str(claims.get("roles"))]


class ClubsAreRoles(Gate):
    """Takes the clubs that a customer is in for roles, too."""

    def roles(self, claims):
        roles = [claims.get("roles"), claims.get("clubs")]  # VULNERABLE: customers name their clubs (CWE-266)
        return [role for one in roles if isinstance(one, list) for role in one if isinstance(role, str)]
