"""A verifier of tokens that may come encrypted; and how one was written that believed whoever could encrypt."""

import time
from collections.abc import Callable
from typing import Any

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from labs.auth import base64url, jws, tokens
from labs.auth.token_errors import Malformed, TokenRefused
from labs.servers.flaws.tokens import Verifier

__all__ = ["ALGORITHMS", "Nested", "OnlyIfSigned", "OnlyIfSignedPlain", "encryption_key", "sealed"]

ALGORITHMS = ["RSA-OAEP-256", "A256GCM"]


def encryption_key(kid: str = "rsa-encrypt") -> RSAKey:
    """A new key pair of whoever is to receive; everybody may have the public half."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "enc", "alg": ALGORITHMS[0]}, private=True)


class Nested(Verifier):
    """Takes a signed token, as it is or encrypted for this service (RFC 7519 §11.2: sign first, then encrypt)."""

    def __init__(self, policy: tokens.Policy, key: RSAKey, clock: Callable[[], float] = time.time) -> None:
        super().__init__(policy, clock)
        self._key = key

    def __call__(self, token: str) -> dict[str, Any]:
        if token.count(".") == 4:
            return self.opened(self.decrypted(token))
        return super().__call__(token)

    def opened(self, text: str) -> dict[str, Any]:
        """The claims in what was encrypted. It must be signed: encryption says who may read, not who wrote."""
        return super().__call__(text)

    def decrypted(self, token: str) -> str:
        """The text in an encrypted token. Raises Malformed for what cannot be decrypted, whatever the reason."""
        try:
            return jwe.decrypt_compact(token, self._key, algorithms=ALGORITHMS).plaintext.decode("utf-8")
        except (JoseError, ValueError, TypeError, RecursionError):
            raise Malformed("The token cannot be decrypted.") from None


class OnlyIfSigned(Nested):
    """As pac4j's JwtAuthenticator was, by its control flow: decrypt, verify if it is signed, believe."""

    def opened(self, text: str) -> dict[str, Any]:
        signed = self.as_signed(text)
        if signed is not None:  # VULNERABLE: the token decides whether it is verified (CVE-2026-29000; CWE-347)
            return super().opened(text)
        return tokens.check(self.claims_of(text), self.policy, self._clock())

    def as_signed(self, text: str) -> jws.Jws | None:
        """What is signed, or None when this text is something else."""
        try:
            return jws.read(text)
        except TokenRefused:
            return None

    def claims_of(self, text: str) -> dict[str, Any]:
        """The claims in what is not signed: JSON."""
        return jws.json_object(text.encode(), "payload")


class OnlyIfSignedPlain(OnlyIfSigned):
    """The same with the other form: `header.payload.`, a token that says `none`."""

    def as_signed(self, text: str) -> jws.Jws | None:
        signed = super().as_signed(text)
        return None if signed is not None and signed.header.get("alg") == "none" else signed

    def claims_of(self, text: str) -> dict[str, Any]:
        """The claims in what is not signed: the payload of a token without a signature."""
        if text.count(".") != 2:
            raise Malformed("This is no token.")
        return jws.json_object(base64url.decode(text.split(".")[1]), "payload")


def sealed(text: str, key: RSAKey) -> str:
    """A signed token, encrypted for the holder of `key`."""
    header = {"alg": ALGORITHMS[0], "enc": ALGORITHMS[1], "cty": "JWT", "kid": key.kid}
    return jwe.encrypt_compact(header, text.encode(), key, algorithms=ALGORITHMS)
