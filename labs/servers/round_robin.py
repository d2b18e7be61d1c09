"""A round robin: one address in front of several servers, each of which gets a request in its turn."""

import http.client
from collections.abc import Callable, Iterable
from itertools import cycle

from labs.bench import Site

__all__ = ["RoundRobin"]

# They belong to one connection (RFC 9110 §7.6.1), or are written anew by who sends.
OF_ONE_HOP = {"connection", "keep-alive", "transfer-encoding", "host", "date", "server"}


class RoundRobin:
    """A WSGI app that passes each request to the next of `sites` and its answer back. Serve it like a bank.

    `customers` are those of the first site: all of them are meant to be one bank. Each answer says who gave it,
    in `X-Served-By`. A site that does not answer is a 502.
    """

    name = "round robin"

    def __init__(self, *sites: Site) -> None:
        self.sites = sites
        self._turns = cycle(sites)

    @property
    def customers(self) -> dict:
        return self.sites[0].customers

    def __call__(self, environ: dict, start_response: Callable) -> list[bytes]:
        site = next(self._turns)
        try:
            status, headers, body = _passed_on(site, environ)
        except (OSError, http.client.HTTPException):
            status, headers, body = "502 Bad Gateway", [], f"{site.name} does not answer.".encode()
        start_response(status, [*headers, ("X-Served-By", site.name)])
        return [body]


def _passed_on(site: Site, environ: dict) -> tuple[str, list[tuple[str, str]], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
    try:
        connection.connect()
        # The bench knows who sent the request to us, and the server behind us should know it too.
        site.people[connection.sock.getsockname()[1]] = environ.get("fernbank.person") or "someone"
        path = environ["REQUEST_URI"]
        connection.putrequest(environ["REQUEST_METHOD"], path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", f"app.fernbank.localhost:{site.port}")
        for name, value in _request_headers(environ):
            connection.putheader(name, value.encode("latin-1"))
        connection.endheaders(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        answer = connection.getresponse()
        headers = [pair for pair in answer.getheaders() if pair[0].lower() not in OF_ONE_HOP]
        return f"{answer.status} {answer.reason}", headers, answer.read()
    finally:
        connection.close()


def _request_headers(environ: dict) -> Iterable[tuple[str, str]]:
    for name, value in environ.items():
        if name.startswith("HTTP_") and name[5:].lower() not in OF_ONE_HOP:
            yield name[5:].replace("_", "-").title(), value
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            yield name.replace("_", "-").title(), environ[name]
