"""Mallory's own web site: pages for her victims, and what those bring to her.

It is one server with two names: `mallory.localhost`, another site than Fernbank's, and `evil.fernbank.localhost`, a
sibling, as a forgotten or a rented subdomain is.
"""

import json
import re
from typing import Any
from urllib.parse import parse_qsl, unquote

from labs.bench import Exchange, Site, serve

__all__ = ["ANOTHER", "SIBLING", "Trap"]

ANOTHER, SIBLING = "mallory.localhost", "evil.fernbank.localhost"


class Trap:
    """Mallory's site, running; also a context manager that stops it. Where a victim must come from is up to them."""

    def __init__(self) -> None:
        self._pages: dict[str, tuple[bytes, list[tuple[str, str]]]] = {}
        self.site: Site = serve(self._answer, name="mallory")

    def origin(self, host: str = ANOTHER) -> str:
        """Its origin under one of its names, such as "http://mallory.localhost:40123"."""
        return f"http://{host}:{self.site.port}"

    def put(self, path: str, text: str, host: str = ANOTHER, *headers: tuple[str, str]) -> str:
        """Offer a page (or a script, *.js) with these headers beside; returns its address under `host`."""
        kind = "text/javascript" if path.endswith(".js") else "text/html; charset=utf-8"
        self._pages[path] = text.encode(), [("Content-Type", kind), *headers]
        return self.origin(host) + path

    @property
    def loot_at(self) -> str:
        """The address that takes whatever is brought: as a body, or after the question mark."""
        return f"{self.origin()}/loot"

    @property
    def brought(self) -> list[Exchange]:
        """The exchanges that brought something, in order."""
        return [one for one in self.site.log if re.match(r"/loot\b", one.path) and one.method in ("GET", "POST")]

    @property
    def loot(self) -> list[Any]:
        """What was brought: JSON data as such, form fields as a dict, anything else as text."""
        return [_read(one) for one in self.brought]

    def stop(self) -> None:
        """Stop answering."""
        self.site.stop()

    def __enter__(self) -> "Trap":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        body, headers = self._pages.get(environ["PATH_INFO"], (b"", [("Content-Type", "text/html")]))
        known = environ["PATH_INFO"] in self._pages or environ["PATH_INFO"] in ("/", "/loot")
        status = "200 OK" if known else "404 Not Found"
        # Her site lets every page read it: she has nothing to hide from those who bring her things.
        start_response(status, [*headers, ("Content-Length", str(len(body))), ("Access-Control-Allow-Origin", "*")])
        return [body]


def _read(exchange: Exchange) -> Any:
    sent = exchange.request_body.decode("utf-8", "replace") or unquote(exchange.path.partition("?")[2])
    try:
        return json.loads(sent)
    except ValueError:
        return dict(parse_qsl(sent)) or sent
