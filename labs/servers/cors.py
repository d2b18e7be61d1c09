"""Cross-origin requests: which pages elsewhere may call an office from a browser, and read its answers (CORS)."""

from collections.abc import Collection

from flask import Flask, Response, request

__all__ = ["allow"]

HEADERS = "Authorization, Content-Type"  # what a page may send besides what every form can
SEEN = "WWW-Authenticate, Retry-After"  # what its script may read besides the ordinary
PREFLIGHT_KEPT = 600  # seconds


def allow(app: Flask, origins: Collection[str]) -> None:
    """Let pages of exactly these origins ("https://app.example.com") call `app`, with a token and without cookies.

    Compared as a whole: a pattern or a mere ending also fits origins that an attacker can register. Whatever
    origin asks is never repeated back, and `*` is not used. Looked at anew for each request: it may be a set that
    grows. The browser enforces this (Fetch §3.2): it protects the people who use one, and is no access control.
    """

    def add_headers(response: Response) -> Response:
        if origins:
            response.vary.add("Origin")  # or a cache would give one origin's answer to another
        origin = request.headers.get("Origin")
        if origin in origins:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = SEEN
            if request.method == "OPTIONS":
                response.headers["Access-Control-Allow-Methods"] = ", ".join(sorted(response.allow))
                response.headers["Access-Control-Allow-Headers"] = HEADERS
                response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_KEPT)
        return response

    app.after_request(add_headers)
