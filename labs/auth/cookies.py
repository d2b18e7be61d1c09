"""The session cookie: one policy, written to Set-Cookie and read back from Cookie (RFC 6265bis)."""

import re

__all__ = ["SessionCookie"]

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # RFC 9110 §5.6.2: a cookie's name
# RFC 6265bis §4.1.1: its value, without spaces, double quotes, commas, semicolons and backslashes
_OCTETS = r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+"
_PATH = r"/[\x20-\x3a\x3c-\x7e]*"
_DOMAIN = r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*"
_LARGEST = 4096  # octets of name and value: browsers drop what is larger (RFC 6265bis §5.6, ASVS 5.0 3.3.5)


class SessionCookie:
    """How a session id travels in a cookie. The defaults are the policy; other arguments are there to study.

    - `__Host-` in the name (ASVS 5.0 3.3.3): no other host, not even a sibling subdomain, can set it.
    - `secure` (3.3.1): never sent over plain http.
    - `http_only` (3.3.4): script cannot read it. Injected script can still send requests that carry it.
    - `samesite="Lax"` (3.3.2): another site's form does not carry it, a link from there does.
    - no Max-Age: whoever holds a cookie can edit that, so the timeouts are the server's (`Sessions`).

    Raises ValueError for what a browser would refuse to store.
    """

    def __init__(
        self,
        name: str = "__Host-sid",
        secure: bool = True,
        samesite: str | None = "Lax",
        http_only: bool = True,
        path: str = "/",
        domain: str | None = None,
    ):
        if not re.fullmatch(_TOKEN, name):
            raise ValueError(f"{name!r} is no cookie name: use letters, digits, - and _.")
        if not re.fullmatch(_PATH, path):
            raise ValueError(f"{path!r} is no cookie path: it starts with / and holds no semicolon.")
        if domain is not None and not re.fullmatch(_DOMAIN, domain):
            raise ValueError(f"{domain!r} is no cookie domain: give a host name such as example.com.")
        if samesite not in ("Strict", "Lax", "None", None):
            raise ValueError(f"{samesite!r} is no SameSite: use 'Strict', 'Lax' or 'None'.")
        if samesite == "None" and not secure:
            raise ValueError("SameSite=None needs Secure (RFC 6265bis §5.7).")
        # A browser takes __HOST-sid for __Host- too, as a server might (RFC 6265bis §5.4).
        prefixed = name.lower()
        if prefixed.startswith(("__host-", "__secure-", "__http-")) and not secure:
            raise ValueError(f"{name} needs Secure (RFC 6265bis §4.1.3).")
        if prefixed.startswith("__host-") and (path != "/" or domain is not None):
            raise ValueError(f"{name} needs Path=/ and no Domain (RFC 6265bis §4.1.3.2).")
        if prefixed.startswith(("__http-", "__host-http-")) and not http_only:
            raise ValueError(f"{name} needs HttpOnly (draft-ietf-httpbis-layered-cookies).")
        self.name = name
        attributes = [
            f"Path={path}",
            f"Domain={domain}" if domain else "",
            "Secure" if secure else "",
            "HttpOnly" if http_only else "",
            f"SameSite={samesite}" if samesite else "",
        ]
        self._attributes = "; ".join(filter(None, attributes))

    def set(self, id: str) -> str:
        """Return the Set-Cookie value that gives the browser `id`. ValueError when no cookie can hold it."""
        if not re.fullmatch(_OCTETS, id) or len(self.name) + len(id) > _LARGEST:
            raise ValueError("This id does not fit into a cookie: use up to 4,000 letters, digits, - and _.")
        return f"{self.name}={id}; {self._attributes}"

    def clear(self) -> str:
        """Return the Set-Cookie value that makes the browser forget the id.

        With its attributes: Path and Domain say which cookie is meant, and a prefix needs Secure here too.
        """
        return f"{self.name}=; Max-Age=0; {self._attributes}"

    def read(self, cookie_header: str | None) -> str | None:
        """Return the id in a request's Cookie header; None when none is there, or it is malformed.

        Of several cookies of this name the first counts, which has the longest path (RFC 6265bis §5.8.3).
        To look on for one that fits would leave the choice to whoever planted it.
        """
        for pair in (cookie_header or "").split(";"):
            name, _, value = pair.strip(" \t").partition("=")
            if name == self.name:
                fits = re.fullmatch(_OCTETS, value) and len(name) + len(value) <= _LARGEST
                return value if fits else None
        return None
