"""What a Content-Security-Policy lets a page do (CSP Level 3), held against Chromium.

It knows what the lessons use: scripts, fetch, images, forms and base addresses; the source lists 'self', 'none',
hosts, schemes, 'unsafe-inline', nonces, hashes and 'strict-dynamic'. Reports, sandboxes and plugins it leaves out.
"""

import base64
import hashlib
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

__all__ = ["Policy"]

HASHES = re.compile(r"'(sha256|sha384|sha512)-([A-Za-z0-9+/_-]+=*)'", re.I)
NONCE = re.compile(r"'nonce-([A-Za-z0-9+/_-]+=*)'", re.I)
HOST = re.compile(r"(?:([a-z][a-z0-9+.-]*)://)?(\*|(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*)(?::(\d+|\*))?(/.*)?", re.I)
PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


class Policy:
    """The policies of one answer: its Content-Security-Policy values. All of them must allow a thing (§4.2).

    `origin`: of the page, such as "http://app.fernbank.localhost:8000".
    """

    def __init__(self, values: Iterable[str], origin: str) -> None:
        self._origin = origin
        # A comma ends a policy, as it does between two headers (§2.2.1).
        self._policies = [_directives(text) for value in values for text in value.split(",") if text.strip()]

    def runs_inline(self, script: str, nonce: str = "") -> bool:
        """Whether a script element with this text runs."""
        return all(_inline(_script_sources(policy), script, nonce) for policy in self._policies)

    def runs_handler(self, script: str) -> bool:
        """Whether an attribute such as onerror with this text runs: no nonce helps, and no hash by itself."""
        return all(_inline(_script_sources(p, "script-src-attr"), None, "") for p in self._policies)

    def runs_file(self, url: str, nonce: str = "") -> bool:
        """Whether a script element with this address runs."""
        return all(self._file(_script_sources(policy), url, nonce) for policy in self._policies)

    def connects(self, url: str) -> bool:
        """Whether a script may send something there with fetch."""
        return self._allows("connect-src", url)

    def loads_image(self, url: str) -> bool:
        """Whether an image may come from there."""
        return self._allows("img-src", url)

    def sends_form(self, url: str) -> bool:
        """Whether a form may be sent there. default-src has no say."""
        return self._allows("form-action", url, default="")

    def _allows(self, directive: str, url: str, default: str = "default-src") -> bool:
        lists = (policy.get(directive, policy.get(default)) for policy in self._policies)
        return all(sources is None or self._matches(sources, url) for sources in lists)

    def _file(self, sources: list[str] | None, url: str, nonce: str) -> bool:
        if sources is None or _has_nonce(sources, nonce):
            return True
        return "'strict-dynamic'" not in _lower(sources) and self._matches(sources, url)

    def _matches(self, sources: list[str], url: str) -> bool:
        return any(_source(source, url, self._origin) for source in sources)


def _directives(text: str) -> dict[str, list[str]]:
    """The directives of one policy by name; of two the first counts (§2.2.1)."""
    found: dict[str, list[str]] = {}
    for part in text.split(";"):
        words = part.split()
        if words:
            found.setdefault(words[0].lower(), words[1:])
    return found


def _script_sources(policy: dict[str, list[str]], directive: str = "script-src-elem") -> list[str] | None:
    """The list that scripts are held against; None when the policy says nothing about them."""
    return policy.get(directive, policy.get("script-src", policy.get("default-src")))


def _inline(sources: list[str] | None, script: str | None, nonce: str) -> bool:
    """Whether inline script is allowed: by a nonce, a hash, or 'unsafe-inline' where there is neither (§6.7.3.2)."""
    if sources is None:
        return True
    if _has_nonce(sources, nonce) or script is not None and _has_hash(sources, script):
        return True
    strict = any(NONCE.fullmatch(one) or HASHES.fullmatch(one) for one in sources)
    return not strict and "'strict-dynamic'" not in _lower(sources) and "'unsafe-inline'" in _lower(sources)


def _has_nonce(sources: list[str], nonce: str) -> bool:
    return bool(nonce) and any(found[1] == nonce for one in sources if (found := NONCE.fullmatch(one)))


def _has_hash(sources: list[str], script: str) -> bool:
    for one in sources:
        if found := HASHES.fullmatch(one):
            digest = hashlib.new(found[1].lower(), script.encode()).digest()
            if base64.b64encode(digest).decode() == found[2].replace("-", "+").replace("_", "/"):
                return True
    return False


def _source(source: str, url: str, origin: str) -> bool:
    """Whether one source expression fits an address (§6.7.2.6)."""
    to, page = urlsplit(url), urlsplit(origin)
    if source.lower() == "'self'":
        return (to.scheme, to.hostname, _port(to)) == (page.scheme, page.hostname, _port(page))
    if source == "*":
        return to.scheme in PORTS
    if source.endswith(":") and ":" not in source[:-1]:
        return _scheme_fits(source[:-1].lower(), to.scheme)
    parts = HOST.fullmatch(source)
    if parts is None or source.startswith("'"):
        return False
    scheme, host, port, path = parts.groups()
    return (
        _scheme_fits((scheme or page.scheme).lower(), to.scheme)
        and _host_fits(host.lower(), to.hostname or "")
        and (port == "*" or (int(port) if port else PORTS.get(to.scheme)) == _port(to))
        and _path_fits(path or "", to.path or "/")
    )


def _scheme_fits(wanted: str, scheme: str) -> bool:
    return scheme == wanted or (wanted, scheme) in (("http", "https"), ("ws", "wss"))


def _host_fits(wanted: str, host: str) -> bool:
    return wanted in ("*", host) or wanted.startswith("*.") and host.endswith(wanted[1:])


def _path_fits(wanted: str, path: str) -> bool:
    return wanted in ("", path) or wanted.endswith("/") and path.startswith(wanted)


def _port(address) -> int | None:
    return address.port or PORTS.get(address.scheme)


def _lower(sources: list[str]) -> list[str]:
    return [one.lower() for one in sources]
