"""The wire log: every request and response of a site, as the bytes that were received and sent."""

import io
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

MAX_EXCHANGES = 1000
MAX_BYTES = 64 * 1024  # kept in each direction of one exchange; the rest is only counted as truncated

Headers = list[tuple[str, str]]


@dataclass(eq=False)
class Exchange:
    """One request and its response, byte for byte. Only the site writes it, while the exchange is under way.

    `n` counts from 1 over the life of the log; `at` is the time of the request (epoch seconds, moved by
    `skip`); `person` is who sent it, when the site knows; `truncated` says that bytes beyond 64 KiB were not
    kept; `told` is what the app's own record says of it, in sentences that the app adds to
    environ["fernbank.told"].
    """

    n: int
    at: float
    person: str | None = None
    request: bytes = b""
    response: bytes = b""
    truncated: bool = False
    client_port: int = field(default=0, repr=False)
    told: list[str] = field(default_factory=list, repr=False)

    @property
    def method(self) -> str:
        """The request's method, or "" when the request line was garbage."""
        return self._request_line()[0]

    @property
    def path(self) -> str:
        """The request's target as sent, query included, or ""."""
        return self._request_line()[1]

    @property
    def status(self) -> int | None:
        """The final status code; None while there is no answer yet."""
        words = split_message(_final(self.response))[0].split(b"\r\n")[0].split()
        return int(words[1]) if len(words) > 1 and words[1].isdigit() else None

    @property
    def request_headers(self) -> Headers:
        """The request's headers in order, names as they were written."""
        return _headers(self.request)

    @property
    def response_headers(self) -> Headers:
        """The final response's headers in order, names as they were written."""
        return _headers(_final(self.response))

    @property
    def request_body(self) -> bytes:
        """What followed the request's empty line."""
        return split_message(self.request)[1]

    @property
    def response_body(self) -> bytes:
        """What followed the final response's empty line, chunk sizes included if it was sent in chunks."""
        return split_message(_final(self.response))[1]

    @property
    def request_text(self) -> str:
        """The request for reading; bytes that are no UTF-8 appear as \\xNN."""
        return self.request.decode("utf-8", "backslashreplace")

    @property
    def response_text(self) -> str:
        """The response for reading; bytes that are no UTF-8 appear as \\xNN."""
        return self.response.decode("utf-8", "backslashreplace")

    def __repr__(self) -> str:
        who = f" by {self.person}" if self.person else ""
        return f"<Exchange {self.n}: {self.method} {self.path} -> {self.status}{who}>"

    def _request_line(self) -> tuple[str, str]:
        words = self.request.split(b"\n", 1)[0].decode("latin-1").split()
        return (words[0], words[1]) if len(words) == 3 else ("", "")


class WireLog:
    """A site's exchanges in order, the latest last: `len(log)`, `log[0]`, `log[-5:]`, `for exchange in log`.

    The newest 1,000 are kept.
    """

    def __init__(self) -> None:
        self._kept: deque[Exchange] = deque(maxlen=MAX_EXCHANGES)
        self._count = 0
        self._lock = threading.Lock()

    def begin(self, client_port: int, person: str | None) -> Exchange:
        """Note that a request begins to arrive from `client_port`; the site fills in what it returns."""
        with self._lock:
            self._count += 1
            exchange = Exchange(self._count, time.time(), person, client_port=client_port)
            self._kept.append(exchange)
            return exchange

    def by(self, person: str) -> list[Exchange]:
        """Give the exchanges of one person."""
        return [exchange for exchange in self if exchange.person == person]

    def latest_from(self, client_port: int) -> Exchange | None:
        """Give the latest exchange that came from this port of the client's."""
        return next((e for e in reversed(self._all()) if e.client_port == client_port), None)

    def clear(self) -> None:
        """Forget all exchanges; the count goes on."""
        with self._lock:
            self._kept.clear()

    def __len__(self) -> int:
        return len(self._kept)

    def __getitem__(self, index):
        return self._all()[index]

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self._all())

    def __repr__(self) -> str:
        return f"<WireLog: {len(self)} exchanges>"

    def _all(self) -> list[Exchange]:
        with self._lock:
            return list(self._kept)


class Tap(io.RawIOBase):
    """A connection as a raw file that notes every byte on its way in and out.

    `exchange` is called when the first byte arrives: a connection that a browser opened ahead of need and
    never used is no exchange.
    """

    def __init__(self, connection: socket.socket, exchange: Callable[[], Exchange]) -> None:
        self._connection = connection
        self._exchange = exchange

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        count = self._connection.recv_into(buffer)
        if count:
            exchange = self._exchange()
            exchange.request = _kept(exchange, exchange.request, bytes(buffer[:count]))
        return count

    def write(self, data) -> int:
        # Noted before it is sent: whoever has an answer in hand finds it in the log.
        exchange = self._exchange()
        exchange.response = _kept(exchange, exchange.response, bytes(data))
        self._connection.sendall(data)
        return len(data)


def _kept(exchange: Exchange, before: bytes, more: bytes) -> bytes:
    whole = before + more[: MAX_BYTES - len(before)]
    exchange.truncated |= len(whole) < len(before) + len(more)
    return whole


def split_message(message: bytes) -> tuple[bytes, bytes]:
    """Split a message into head and body; a client may end its lines with a bare LF (RFC 9112 §2.2)."""
    crlf, lf = message.find(b"\r\n\r\n"), message.find(b"\n\n")
    if lf != -1 and (crlf == -1 or lf < crlf):
        return message[:lf], message[lf + 2 :]
    head, _, body = message.partition(b"\r\n\r\n")
    return head, body


def _headers(message: bytes) -> Headers:
    lines = split_message(message)[0].decode("latin-1").splitlines()[1:]
    pairs = (line.partition(":") for line in lines)
    return [(name, value.strip(" \t")) for name, colon, value in pairs if colon]


def _final(response: bytes) -> bytes:
    """Leave out interim responses such as 100 Continue (RFC 9110 §15.2)."""
    while response.startswith(b"HTTP/1.1 1"):
        response = split_message(response)[1]
    return response
