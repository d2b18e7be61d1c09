"""One connection to a site: it is recorded, and held to HTTP/1.1 (RFC 9112) before the app sees it."""

import contextlib
import io
import re
import socket
from collections import deque
from email.errors import (
    FirstHeaderLineIsContinuationDefect,
    MisplacedEnvelopeHeaderDefect,
    MissingHeaderBodySeparatorDefect,
)
from http import HTTPStatus

from werkzeug.serving import WSGIRequestHandler

from .wire import Exchange, Tap, split_message

MAX_BODY = 1024 * 1024  # octets of a request's body; more is answered 413
SILENCE = 10  # seconds that a client may be silent inside a request

REQUEST_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ (/|http://)[^\s\x00-\x20]* HTTP/1\.[01]\r?\n")
# A page elsewhere that resolves its own name to 127.0.0.1 (DNS rebinding) must not reach a lab server.
OUR_HOST = re.compile(r"(127\.0\.0\.1|localhost|mallory\.localhost|([a-z0-9-]+\.)+fernbank\.localhost)", re.I)
# What the bench's own browser calls itself, one name a person.
BROWSER_AGENT = re.compile(r"fernbank-browser/([\w-]+)")
HEADER_DEFECTS = (
    FirstHeaderLineIsContinuationDefect,
    MisplacedEnvelopeHeaderDefect,
    MissingHeaderBodySeparatorDefect,
)
TLS_HANDSHAKE = b"\x16"  # RFC 8446 §5.1: what a browser sends first when https was typed


class Connection(WSGIRequestHandler):
    """Werkzeug's handler, with its wire recorded, its log silent and its manners strict.

    Each connection carries one request. What is malformed gets a 4xx and one sentence, and the app never
    sees it.
    """

    protocol_version = "HTTP/1.1"
    timeout = SILENCE
    # Until a request line has been read: an answer to garbage has a status line, too.
    command, request_version = None, "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.exchange: Exchange | None = None
        tap = Tap(self.connection, self.current_exchange)
        self.rfile, self.wfile = io.BufferedReader(tap), tap

    def finish(self) -> None:
        # Said, but nothing was sent: the system may give this port to somebody else next.
        self.server.site.people.pop(self.client_address[1], None)
        super().finish()

    def current_exchange(self) -> Exchange:
        """Give this connection's exchange; begin it with its first byte."""
        if self.exchange is None:
            port = self.client_address[1]
            self.exchange = self.server.site.log.begin(port, self.server.site.people.pop(port, None))
        return self.exchange

    # What happens to a request, in order ----------------------------------------------------------

    def handle(self) -> None:
        super().handle()
        if self.exchange and not self.exchange.response:
            self.send_error(408, f"The rest of the request did not come within {SILENCE} seconds.")

    def handle_one_request(self) -> None:
        if self.rfile.peek(1)[:1] == TLS_HANDSHAKE:
            return self.send_error(400, "This site speaks plain http: use an address that begins with http://.")
        super().handle_one_request()

    def parse_request(self) -> bool:
        if not REQUEST_LINE.fullmatch(self.raw_requestline):
            self.send_error(400, "The request line is not 'METHOD /path HTTP/1.1'.")
            return False
        return super().parse_request()

    def run_wsgi(self) -> None:
        refusal = self.refusal()
        if refusal:
            return self.send_error(*refusal)
        length = int(self.headers.get("Content-Length", 0))
        self.body = self.rfile.read(length)
        if len(self.body) < length:
            return self.send_error(400, f"Content-Length said {length} octets, and {len(self.body)} came.")
        # Answered already, in parse_request; werkzeug would answer it once more.
        del self.headers["Expect"]
        self.name_person()
        super().run_wsgi()
        if not self.exchange.response:
            self._headers_buffer = []
            self.send_error(500, "The app's answer cannot be written as HTTP: see the site's .errors.")

    # What is refused, and how ---------------------------------------------------------------------

    def refusal(self) -> tuple[int, str] | None:
        """Give the status and the sentence with which this request is turned away, or None for a good one."""
        head, _ = split_message(self.exchange.request)
        # The parser takes headers for an email's, and also misses the parts of a multipart body.
        malformed = any(isinstance(defect, HEADER_DEFECTS) for defect in self.headers.defects)
        if malformed or re.search(rb"\0|\r(?!\n)", head):
            return 400, "A header is not 'Name: value' on a line of its own."
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1:
            return 400, f"A request carries one Host header (RFC 9112 §3.2), and this one has {len(hosts)}."
        if not self.is_ours(hosts[0]) or not self.is_ours(self.target_host() or hosts[0]):
            return 421, f"This site is {self.server.site.page} and answers for no other host."
        if "Transfer-Encoding" in self.headers:
            return 411, "This site takes bodies with a Content-Length only, not in chunks."
        return self.refusal_of_length()

    def refusal_of_length(self) -> tuple[int, str] | None:
        # Two lengths, or a sign before one, are how requests are smuggled past a proxy (RFC 9112 §6.3).
        lengths = self.headers.get_all("Content-Length", [])
        if len(lengths) > 1 or any(not re.fullmatch("[0-9]{1,18}", length) for length in lengths):
            return 400, "Content-Length is not one whole number."
        if lengths and int(lengths[0]) > MAX_BODY:
            return 413, f"This site takes bodies of {MAX_BODY} octets at most."
        return None

    def is_ours(self, host: str) -> bool:
        """Say whether this is a name of this site, without a port or with this site's."""
        name, _, port = host.partition(":")
        return OUR_HOST.fullmatch(name) is not None and port in ("", str(self.server.site.port))

    def target_host(self) -> str:
        """Give the host of a request line like 'GET http://host/path HTTP/1.1', or "" when it has none."""
        return "" if self.path.startswith("/") else self.path.removeprefix("http://").partition("/")[0]

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer with a status and one sentence as plain text, and close."""
        status = HTTPStatus(code)
        body = f"{message or status.description or status.phrase}\n".encode("utf-8", "replace")
        with contextlib.suppress(OSError):  # the client may be gone
            self.send_response(status, status.phrase)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)
            self.let_client_finish()

    def let_client_finish(self) -> None:
        """Read on for a while: closing on unread bytes would reset the connection and lose the answer."""
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(0.5)
        for _ in range(1024):
            if not self.connection.recv(65536):
                return

    # What the app is told -------------------------------------------------------------------------

    def name_person(self) -> None:
        """Name the sender: a Visitor has said who it is, the bench's browser says it in its own name."""
        agent = BROWSER_AGENT.fullmatch(self.headers.get("User-Agent", ""))
        if self.exchange.person is None and agent:
            self.exchange.person = agent[1]

    def make_environ(self) -> dict:
        environ = super().make_environ()
        environ["wsgi.input"] = io.BytesIO(self.body)
        environ["wsgi.errors"] = Notes(self.server.site.errors)
        environ["fernbank.person"] = self.exchange.person or "someone"
        environ["fernbank.told"] = self.exchange.told
        return environ

    def version_string(self) -> str:
        return "Fernbank"

    def log(self, *_) -> None:
        """Print nothing: a line on stderr would land in whichever cell runs."""

    log_request = log


class Notes:
    """A text stream for the app's errors: each write becomes one entry of a list."""

    def __init__(self, entries: deque[str]) -> None:
        self._entries = entries

    def write(self, text: str) -> int:
        self._entries.append(text)
        return len(text)

    def flush(self) -> None:
        """There is nothing to flush: an entry is there before the client has its answer."""
