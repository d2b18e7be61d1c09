"""Guards with one flaw each: those of `labs.auth.csrf`, but for the line that is marked."""

import hmac
import secrets
from collections.abc import Mapping

from labs.auth.csrf import BoundDoubleSubmit, FetchMetadata, Request, SynchronizerTokens, cookie_named, given, same
from labs.auth.sessions import Sessions

__all__ = [
    "CarriedAlong", "EmptyIsEnough", "FormsOnly", "NaiveDoubleSubmit", "OneForAll", "PostOnly", "TrustsNull",
    "TrustsSiblings", "UnboundDoubleSubmit",
]  # fmt: skip


class OneForAll(SynchronizerTokens):
    """A random token, the same for everybody."""

    def token(self, id: str, headers: Mapping[str, str]) -> str:
        return super().token("everybody", headers)  # VULNERABLE: Mallory reads it on her own page (CWE-352)

    def allows(self, request: Request, id: str | None) -> bool:
        return super().allows(request, "everybody")


class CarriedAlong:
    """A random token in the session's data, which goes along when the log-in renews the id."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def token(self, id: str, headers: Mapping[str, str]) -> str:
        data = self._sessions.load(id)["data"]
        if "csrf" not in data:
            data = {**data, "csrf": secrets.token_urlsafe(32)}
            self._sessions.save(id, data)
        return data["csrf"]  # VULNERABLE: who knew it before the log-in knows it after (ASVS 5.0 7.2.4)

    def cookie(self, token: str) -> str | None:
        return None

    def allows(self, request: Request, id: str | None) -> bool:
        if not request["changes"]:
            return True
        token, session = given(request), self._sessions.load(id)
        return token is not None and session is not None and same(token, session["data"].get("csrf", ""))


class PostOnly(SynchronizerTokens):
    """It asks only where the method is POST."""

    def allows(self, request: Request, id: str | None) -> bool:
        if request["method"] != "POST":  # VULNERABLE: a GET or a PUT may change something, too (ASVS 5.0 3.5.3)
            return True
        return super().allows(request, id)


class FormsOnly(SynchronizerTokens):
    """It trusts whatever does not call itself a form, because "a form cannot send JSON"."""

    def allows(self, request: Request, id: str | None) -> bool:
        # VULNERABLE: a form can call its body text/plain, and JSON is text (ASVS 5.0 3.5.2)
        if request["headers"].get("Content-Type", "") != "application/x-www-form-urlencoded":
            return True
        return super().allows(request, id)


class NaiveDoubleSubmit(BoundDoubleSubmit):
    """A cookie and a field that are equal, and nothing else."""

    def __init__(self, key: bytes, name: str = "csrf") -> None:
        super().__init__(key, name)

    def allows(self, request: Request, id: str | None) -> bool:
        if not request["changes"]:
            return True
        token, twin = request["fields"].get("csrf"), cookie_named(self.name, request["headers"])
        if token is None or twin is None or not isinstance(token, str):
            return False
        return same(token, twin)  # VULNERABLE: a sibling host plants both halves (OWASP, naive double submit)


class EmptyIsEnough(NaiveDoubleSubmit):
    """Where the cookie is missing it compares with the empty text, and so does it where the field is missing."""

    def allows(self, request: Request, id: str | None) -> bool:
        if not request["changes"]:
            return True
        token = str(request["fields"].get("csrf", ""))
        return same(token, cookie_named(self.name, request["headers"]) or "")  # VULNERABLE: nothing equals nothing


class UnboundDoubleSubmit(BoundDoubleSubmit):
    """Signed, but for nobody in particular."""

    def __init__(self, key: bytes, name: str = "csrf") -> None:
        super().__init__(key, name)

    def _sign(self, id: str, rand: str) -> str:
        return hmac.new(self._key, rand.encode("utf-8", "surrogatepass"), "sha256").hexdigest()  # VULNERABLE: no id


class TrustsSiblings(FetchMetadata):
    """It takes a sibling subdomain for the site itself."""

    def allows(self, request: Request, id: str | None) -> bool:
        if request["headers"].get("Sec-Fetch-Site") == "same-site":  # VULNERABLE: whoever has one host of the site
            return True
        return super().allows(request, id)


class TrustsNull(FetchMetadata):
    """Where `Sec-Fetch-Site` is missing it lets `Origin: null` through, "which comes from files"."""

    def allows(self, request: Request, id: str | None) -> bool:
        headers = request["headers"]
        if "Sec-Fetch-Site" not in headers and headers.get("Origin") == "null":  # VULNERABLE: no-referrer sends it
            return True
        return super().allows(request, id)
