"""A cookie jar that keeps and sends cookies as a browser does: RFC 6265bis §5, held against Chromium.

Section numbers are those of draft-22. Where Chromium and the draft differ, the jar does as Chromium does, and
says so. It leaves out the list of public suffixes (here a name's last label is one, which is right for every
host of this course), the 400-day limit on a cookie's life, and the limit on the number of cookies.
"""

import itertools
import re
import time
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import SplitResult, urlsplit

MAX_NAME_AND_VALUE = 4096  # octets, §5.6
MAX_ATTRIBUTE = 1024  # octets, §5.6: a longer attribute is ignored
LAX_GRACE = 120  # seconds in which a cookie without SameSite goes along on a cross-site POST, §5.7.7.2
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# In the order in which a word is tried. The draft reads no year before 1601, Chromium does.
DATE_PARTS = {
    "time": r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?!\d)",
    "day": r"\d{1,2}(?!\d)",
    "month": "|".join(MONTHS),
    "year": r"\d{2,4}(?!\d)",
}
SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")  # RFC 9110 §9.2.1


class Refused(Exception):
    """The jar does not keep this cookie; the message says why."""


@dataclass
class Cookie:
    """One kept cookie. Times are epoch seconds; `expires` is None for one that lasts until the browser ends.

    `same_site` is "Strict", "Lax", "None", or "" when the server did not say.
    """

    name: str
    value: str
    domain: str
    host_only: bool = True
    path: str = "/"
    secure: bool = False
    http_only: bool = False
    same_site: str = ""
    expires: float | None = None
    created: float = 0.0
    order: int = 0

    @property
    def key(self) -> tuple:
        """What makes two cookies the same cookie: the later replaces the earlier."""
        return self.name, self.domain, self.host_only, self.path


class CookieJar(MutableMapping[str, str]):
    """The cookies of one browser.

    It is read and written by name: `jar["sid"]` is the value that would be sent first, and `jar["sid"] = "x"`
    plants a plain cookie for `host`, as somebody with the browser's developer tools would. `refusals` lists
    what was not kept, as (Set-Cookie value, reason).
    """

    def __init__(self, host: str = "app.fernbank.localhost") -> None:
        self.host = host
        self.refusals: list[tuple[str, str]] = []
        self._cookies: dict[tuple, Cookie] = {}
        self._order = itertools.count()

    def store(self, set_cookie: str, url: str, http: bool = True) -> bool:
        """Take a Set-Cookie value that a response from `url` carried (`http=False`: that a script wrote).

        Gives False when a browser would not keep it; `refusals` then says why.
        """
        try:
            cookie = received(set_cookie, urlsplit(url), http)
            self._admit(cookie, urlsplit(url), http)
        except Refused as reason:
            self.refusals.append((set_cookie, str(reason)))
            return False
        self._keep(cookie)
        return True

    def header(
        self, url: str, *, initiator: str | None = None, method: str = "GET", navigation: bool = True
    ) -> str | None:
        """Give the Cookie header that a browser sends to `url`, or None for none (§5.8).

        `initiator` is the address of the page that makes the request; None means that a person typed it.
        `navigation` says that the address bar changes (a link, a form), not that a page fetches something.
        """
        target = urlsplit(url)
        same_site = initiator is None or site_of(urlsplit(initiator)) == site_of(target)
        sent = [c for c in self._matching(target) if same_site or crosses_sites(c, method, navigation)]
        return cookie_string(sent) or None

    def script(self, url: str) -> str:
        """Give what `document.cookie` shows on a page at `url`: all but HttpOnly."""
        shown = cookie_string([c for c in self._matching(urlsplit(url)) if not c.http_only])
        return octets(shown).decode("utf-8", "replace")

    def records(self) -> list[Cookie]:
        """Give the cookies that are kept and not expired, oldest first."""
        now = time.time()
        alive = [c for c in list(self._cookies.values()) if c.expires is None or c.expires > now]
        return sorted(alive, key=lambda c: c.order)

    def _matching(self, target: SplitResult) -> list[Cookie]:
        host, path = target.hostname or "", target.path or "/"
        found = [
            c
            for c in self.records()
            if (c.domain == host if c.host_only else domain_matches(host, c.domain))
            and path_matches(path, c.path)
            and (is_secure(target) or not c.secure)
        ]
        return sorted(found, key=lambda c: -len(c.path))  # longer paths first, then older first

    def _admit(self, cookie: Cookie, origin: SplitResult, http: bool) -> None:
        """Raise Refused when what is already kept forbids this cookie (§5.7, steps 14 to 16 and 23)."""
        earlier = self._cookies.get(cookie.key)
        if earlier and earlier.http_only and not http:
            raise Refused("a script may not overwrite an HttpOnly cookie")
        if is_secure(origin) or cookie.secure:
            return
        for kept in self.records():
            shared = domain_matches(cookie.domain, kept.domain) or domain_matches(kept.domain, cookie.domain)
            if kept.secure and kept.name == cookie.name and shared and path_matches(cookie.path, kept.path):
                raise Refused("over plain http it would cover a Secure cookie")

    def _keep(self, cookie: Cookie) -> None:
        cookie.created, cookie.order = time.time(), next(self._order)
        earlier = self._cookies.pop(cookie.key, None)
        # Chromium keeps the first date only when the value is the same; the draft keeps it always.
        if earlier and earlier.value == cookie.value:
            cookie.created, cookie.order = earlier.created, earlier.order
        if cookie.expires is None or cookie.expires > cookie.created:
            self._cookies[cookie.key] = cookie

    # By name --------------------------------------------------------------------------------------

    def _named(self, name: str) -> list[Cookie]:
        return sorted((c for c in self.records() if c.name == name), key=lambda c: -len(c.path))

    def __getitem__(self, name: str) -> str:
        cookies = self._named(name)
        if not cookies:
            raise KeyError(name)
        return cookies[0].value

    def __setitem__(self, name: str, value: str) -> None:
        self._keep(Cookie(name, value, self.host))

    def __delitem__(self, name: str) -> None:
        cookies = self._named(name)
        if not cookies:
            raise KeyError(name)
        for cookie in cookies:
            del self._cookies[cookie.key]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(c.name for c in self.records()))

    def __len__(self) -> int:
        return len({c.name for c in self.records()})

    def __repr__(self) -> str:
        return f"<CookieJar: {cookie_string(self.records()) or 'empty'}>"


# From a Set-Cookie value to a cookie --------------------------------------------------------------


def received(set_cookie: str, origin: SplitResult, http: bool) -> Cookie:
    """Read a Set-Cookie value (§5.6) and check what can be checked without the jar (§5.7). Raises Refused."""
    # The draft allows a tab inside a word, Chromium does not; around one, both drop it.
    if re.search(r"[\x00-\x08\x0a-\x1f\x7f]|[^ \t;=][ \t]*\t[ \t]*[^ \t;=]", set_cookie):
        raise Refused("it contains a control character")
    pair, *rest = set_cookie.split(";")
    name, equals, value = (part.strip(" \t") for part in pair.partition("="))
    if not equals:
        name, value = "", name
    if not name and not value:
        raise Refused("it has neither name nor value")
    if len(octets(name)) + len(octets(value)) > MAX_NAME_AND_VALUE:
        raise Refused(f"name and value are longer than {MAX_NAME_AND_VALUE} octets together")
    attributes = read_attributes(rest)
    host = origin.hostname or ""
    domain = allowed_domain(attributes.get("domain", ""), host)
    path = attributes.get("path", "")
    cookie = Cookie(
        name,
        value,
        domain=domain or host,
        host_only=not domain,
        path=path if path.startswith("/") else default_path(origin),
        secure="secure" in attributes,
        http_only="httponly" in attributes,
        same_site=same_site_of(attributes.get("samesite", "")),
        expires=expiry(attributes),
    )
    refuse_by_attributes(cookie, origin, http)
    refuse_by_prefix(cookie, path == "/", http)
    return cookie


def read_attributes(parts: list[str]) -> dict[str, str]:
    """Give the attributes by lower-case name; the last of a kind counts, one too long does not."""
    attributes = {}
    for part in parts:
        name, _, value = (piece.strip(" \t") for piece in part.partition("="))
        if len(octets(value)) <= MAX_ATTRIBUTE:
            attributes[name.lower()] = value
    return attributes


def allowed_domain(attribute: str, host: str) -> str:
    """Give the domain that a Domain attribute names, or "" for "this host only". Raises Refused."""
    domain = attribute.removeprefix(".").lower()
    if not domain or domain == host and (is_address(host) or is_public_suffix(host)):
        return ""
    if is_public_suffix(domain):
        raise Refused(f"Domain={domain} is a public suffix: everybody's hosts are below it")
    if not domain_matches(host, domain):
        raise Refused(f"Domain={domain} does not contain {host}")
    return domain


def same_site_of(attribute: str) -> str:
    """Give "Strict", "Lax" or "None"; "" for anything else, which browsers treat as not said."""
    return attribute.capitalize() if attribute.lower() in ("strict", "lax", "none") else ""


def expiry(attributes: dict[str, str]) -> float | None:
    """Give when the cookie ends: Max-Age goes before Expires (§5.7); what cannot be read is ignored."""
    if re.fullmatch("[-+]?[0-9]+", attributes.get("max-age", "")):  # the draft knows no "+", Chromium does
        return time.time() + float(attributes["max-age"])
    return cookie_date(attributes.get("expires", ""))


def cookie_date(text: str) -> float | None:
    """Give the epoch seconds of a date as §5.1.1 reads it, its parts in any order; None when that fails."""
    found: dict[str, re.Match] = {}
    for token in re.split(r"[\t\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+", text):
        for part, pattern in DATE_PARTS.items():
            if part not in found and (match := re.match(pattern, token, re.I)):
                found[part] = match
                break
    if len(found) < len(DATE_PARTS):
        return None
    month = MONTHS.index(found["month"][0].lower()) + 1
    year, day = int(found["year"][0]), int(found["day"][0])
    if year < 100:
        year += 1900 if year > 69 else 2000
    try:
        return datetime(year, month, day, *map(int, found["time"].groups()), tzinfo=UTC).timestamp()
    except ValueError:
        return None


def refuse_by_attributes(cookie: Cookie, origin: SplitResult, http: bool) -> None:
    """Raise Refused for attributes that contradict each other or where the cookie came from."""
    if cookie.secure and not is_secure(origin):
        raise Refused("it is Secure and came over plain http")
    if cookie.http_only and not http:
        raise Refused("a script may not set an HttpOnly cookie")
    if cookie.same_site == "None" and not cookie.secure:
        raise Refused("SameSite=None needs Secure")


def refuse_by_prefix(cookie: Cookie, path_said: bool, http: bool) -> None:
    """Raise Refused when the name promises what the attributes do not keep (§4.1.3).

    The `Http` prefixes are of the layered-cookies draft.
    """
    # A cookie without a name is sent as its bare value, which must not look like a prefixed one.
    prefix = re.match("__(host-http|host|http|secure)-", cookie.name or cookie.value, re.I)
    if not prefix:
        return
    kind = prefix[1].lower()
    if not cookie.name:
        raise Refused("a cookie without a name may not begin with a prefix")
    if not cookie.secure:
        raise Refused(f"the prefix {prefix[0]} needs Secure")
    if "host" in kind and not (cookie.host_only and cookie.path == "/" and path_said):
        raise Refused(f"the prefix {prefix[0]} needs Path=/ and no Domain")
    if "http" in kind and not (cookie.http_only and http):
        raise Refused(f"the prefix {prefix[0]} needs HttpOnly")


# What matches what --------------------------------------------------------------------------------


def crosses_sites(cookie: Cookie, method: str, navigation: bool) -> bool:
    """Say whether SameSite lets this cookie go along on a request that another site caused (§5.8.3)."""
    if cookie.same_site == "None":
        return True
    if cookie.same_site == "Strict" or not navigation:
        return False
    fresh = not cookie.same_site and time.time() - cookie.created <= LAX_GRACE
    return method.upper() in SAFE_METHODS or fresh


def site_of(origin: SplitResult) -> tuple[str, str]:
    """Give what "same site" compares: scheme, and the host's last two labels (all of an address)."""
    host = origin.hostname or ""
    return origin.scheme, host if is_address(host) else ".".join(host.split(".")[-2:])


def is_secure(origin: SplitResult) -> bool:
    """Say whether Secure cookies may be set and sent: over https and, as in Chromium, on this machine."""
    host = origin.hostname or ""
    return origin.scheme == "https" or ("." + host).endswith(".localhost") or is_loopback(host)


def is_address(host: str) -> bool:
    """Say whether this is an IP address and not a name."""
    return ":" in host or re.fullmatch(r"\d+\.\d+\.\d+\.\d+", host) is not None


def is_loopback(host: str) -> bool:
    """Say whether this address is the machine itself."""
    return host == "::1" or is_address(host) and host.startswith("127.")


def is_public_suffix(domain: str) -> bool:
    """Say whether unrelated people own the names below this one: here, a name of one label."""
    return "." not in domain and not is_address(domain)


def domain_matches(host: str, domain: str) -> bool:
    """Say whether `host` is `domain` or a name below it (§5.1.3)."""
    return host == domain or host.endswith("." + domain) and not is_address(host)


def path_matches(path: str, cookie_path: str) -> bool:
    """Say whether `path` is `cookie_path` or lies below it (§5.1.4)."""
    return path == cookie_path or path.startswith(cookie_path.rstrip("/") + "/")


def default_path(origin: SplitResult) -> str:
    """Give the folder of the address that set the cookie (§5.1.4)."""
    return origin.path.rpartition("/")[0] or "/"


def cookie_string(cookies: list[Cookie]) -> str:
    """Write cookies as a Cookie header does; one without a name is its bare value."""
    return "; ".join(f"{c.name}={c.value}" if c.name else c.value for c in cookies)


def octets(text: str) -> bytes:
    """Give a header's text as octets: those it came with (Latin-1), and UTF-8 for letters beyond those."""
    return b"".join(letter.encode("latin-1" if letter <= "\xff" else "utf-8", "replace") for letter in text)
