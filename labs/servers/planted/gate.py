"""The gate of lab 39: which tokens accounts believes. It stands alone, so that its text can run anywhere."""

import base64
import hashlib
import hmac
import json

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

__all__ = ["Gate", "Refused"]


class Refused(Exception):
    """A token is not believed. The message says why."""


class Gate:
    """Decides which tokens accounts believes. `policy`: what the bank says; `store`: which tokens have been ended."""

    def __init__(self, policy, store):
        self.policy, self.store = policy, store

    def verify(self, token, now):
        """For whom a good token speaks, and as what: {"sub", "roles"}. Raises Refused, and nothing else."""
        claims = self.claims(token, now)
        return {"sub": self.user(claims), "roles": self.roles(claims)}

    def end(self, token, now):
        """End a good token before its time: from now on it is refused."""
        claims = self.claims(token, now)
        self.store.add(self.name_of(token, claims), self.ending(claims, now))

    def claims(self, token, now):
        """What a good token claims (dict). The signature comes first: until then every word is Mallory's."""
        header, payload, signature, signed = self.split(token)
        key = self.find_key(header, now)
        if not self.is_signed(header, key, signed, signature):
            raise Refused("The signature does not fit.")
        self.check_critical(header)
        self.check_type(header)
        claims = self.read(payload)
        self.check_issuer(claims)
        self.check_audience(claims)
        self.check_times(claims, now)
        ended = self.store.get(self.name_of(token, claims))
        if ended is not None and now < ended["until"]:
            raise Refused("The token has been ended.")
        return claims

    def split(self, token):
        """Header (dict), payload, signature and what was signed (bytes) of a token, which has three parts."""
        parts = token.split(".")
        if len(parts) != 3:
            raise Refused("A token has three parts.")
        header, payload, signature = (self.decode(part) for part in parts)
        return self.read(header), payload, signature, f"{parts[0]}.{parts[1]}".encode()

    def decode(self, part):
        """The bytes of a part of a token. Only the one text that an encoder writes is taken."""
        try:
            data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        except ValueError:
            raise Refused("A part of the token is not base64url.") from None
        if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != part:
            raise Refused("A part of the token is not the base64url that its bytes have.")
        return data

    def read(self, data):
        """The JSON object in these bytes (dict)."""
        try:
            members = json.loads(data.decode("utf-8"))
        except (ValueError, RecursionError):
            raise Refused("A part of the token is not JSON.") from None
        if not isinstance(members, dict):
            raise Refused("A part of the token is not an object.")
        return members

    def find_key(self, header, now):
        """The bank's key of this kid, if it is in use: before its `until`, or without one (None)."""
        for key in self.policy["keys"]:
            if key["kid"] == header.get("kid") and (key["until"] is None or now < key["until"]):
                return key
        raise Refused("No key in use has this name.")

    def is_signed(self, header, key, signed, signature):
        """Whether this key signed it, by the key's own algorithm, which the header has to name (bool)."""
        if header.get("alg") != key["alg"]:
            return False
        fits = {"HS256": self.mac_fits, "ES256": self.ecdsa_fits}[key["alg"]]
        return fits(key["text"].encode(), signed, signature)

    def mac_fits(self, secret, signed, signature):
        """Whether the signature is the HMAC of what was signed, with SHA-256 and this secret (bool)."""
        return hmac.compare_digest(hmac.digest(secret, signed, "sha256"), signature)

    def ecdsa_fits(self, pem, signed, signature):
        """Whether the signature is one of the owner of this public key, on P-256 with SHA-256 (bool)."""
        if len(signature) != 64:
            return False
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        try:
            load_pem_public_key(pem).verify(encode_dss_signature(r, s), signed, ec.ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True

    def check_critical(self, header):
        """Refuse a token that is only good for those who understand an extension: this gate knows none."""
        if "crit" in header or "b64" in header:
            raise Refused("The token asks for an extension that is not known here.")

    def check_type(self, header):
        """Refuse a token of another kind than the policy's `typ`, letter for letter."""
        if header.get("typ") != self.policy["typ"]:
            raise Refused("The token is of another kind.")

    def check_issuer(self, claims):
        """Refuse a token of another issuer than the policy's."""
        if claims.get("iss") != self.policy["issuer"]:
            raise Refused("Somebody else issued the token.")

    def check_audience(self, claims):
        """Refuse a token that is for others: `aud` is the policy's audience, or a list with it."""
        audience = claims.get("aud")
        names = audience if isinstance(audience, list) else [audience]
        if self.policy["audience"] not in names:
            raise Refused("The token is for another service.")

    def check_times(self, claims, now):
        """Refuse a token that says no end (`exp`, a number), and one that is over: now >= exp + leeway."""
        if type(claims.get("exp")) not in (int, float):
            raise Refused("The token does not say when it ends.")
        if now >= claims["exp"] + self.policy["leeway"]:
            raise Refused("The token is over.")

    def name_of(self, token, claims):
        """The one name (str) of a token in the store. Whatever way it is written, it is the same token."""
        if not isinstance(claims.get("jti"), str):
            raise Refused("The token has no name, so it could not be ended.")
        return "ended:" + hashlib.sha256(json.dumps([claims["iss"], claims["jti"]]).encode()).hexdigest()

    def ending(self, claims, now):
        """The record of an ended token: it counts `until` the token would be refused anyway."""
        return {"until": claims["exp"] + self.policy["leeway"]}

    def user(self, claims):
        """The customer (str) whom the token is about: `sub`, as it is written."""
        if not isinstance(claims.get("sub"), str):
            raise Refused("The token is about nobody.")
        return claims["sub"]

    def roles(self, claims):
        """The roles that the issuer gave: the texts in the list `roles`, or none."""
        roles = claims.get("roles")
        return [role for role in roles if isinstance(role, str)] if isinstance(roles, list) else []
