"""Verifiers that believe a good signature too much: each is `Verifier`, but for the marked line; and a deny-list."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from labs.auth import jws, tokens
from labs.auth.denylist import DenyList
from labs.auth.token_errors import WrongType
from labs.servers.flaws.tokens import Verifier

__all__ = ["AnyAudience", "AnyType", "LongLeeway", "NoEndIsFine", "RawDenyList", "SkipsEquals", "TwoSteps"]


class TwoSteps(Verifier):
    """The same rule with its last step in two: the type, and then the claims."""

    def believed(self, header: dict[str, Any], payload: bytes) -> dict[str, Any]:
        self.fits(header)
        return self.checked(jws.json_object(payload, "payload"))

    def fits(self, header: dict[str, Any]) -> None:
        """Raise WrongType unless it is a token of the right kind."""
        if header.get("typ") != self.policy.typ:
            raise WrongType(f"This is not a token of the type {self.policy.typ}.")

    def checked(self, claims: dict[str, Any]) -> dict[str, Any]:
        """The claims, now that this service accepts them."""
        return tokens.check(claims, self.policy, self._clock())


class AnyAudience(TwoSteps):
    """Does not ask for whom a token is: whatever it says is right."""

    def checked(self, claims: dict[str, Any]) -> dict[str, Any]:
        # VULNERABLE: a token for any service of this issuer opens this one (RFC 8725 §3.9, RFC 7519 §4.1.3)
        return tokens.check(claims, replace(self.policy, audience=claims.get("aud")), self._clock())


class AnyType(TwoSteps):
    """Does not ask what kind of token it is."""

    def fits(self, header: dict[str, Any]) -> None:
        """VULNERABLE: an ID token is as good as an access token (RFC 8725 §3.11, RFC 9068 §4)."""


class NoEndIsFine(TwoSteps):
    """Asks whether a token is over if it says when; one that does not say is never over."""

    def checked(self, claims: dict[str, Any]) -> dict[str, Any]:
        now = self._clock()
        tokens.check({"exp": now + 1} | claims, self.policy, now)  # VULNERABLE: no end is none (ASVS 9.2.1)
        return claims


class LongLeeway(Verifier):
    """Allows for clocks that are two days off."""

    def __init__(self, policy: tokens.Policy, clock: Callable[[], float] = time.time) -> None:
        # VULNERABLE: leeway is added to every token's life (RFC 7519 §4.1.4: "usually no more than a few minutes")
        super().__init__(replace(policy, leeway=2 * 24 * 3600), clock)


class SkipsEquals(Verifier):
    """Reads padding where no padding belongs, as most libraries do: no flaw yet, but one token has several texts."""

    def __call__(self, token: str) -> dict[str, Any]:
        return super().__call__(token.rstrip("="))


class RawDenyList(DenyList):
    """A list of ended tokens by what was written, and not by what was said."""

    def _name(self, token: str, claims: dict[str, Any]) -> str:
        # VULNERABLE: one token has several texts: `token=`, and for ES256 (r, n - s) (RFC 7519 §4.1.7: there is jti)
        return "ended:" + hashlib.sha256(token.encode()).hexdigest()
