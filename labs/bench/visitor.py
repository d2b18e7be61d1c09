"""A visitor: one person's browser without a screen, with a cookie jar, that sends real HTTP."""

import http.client
import json as json_text
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urljoin, urlsplit

from .errors import BenchError
from .jar import CookieJar, octets
from .wire import Exchange

if TYPE_CHECKING:
    from .server import Site

TIMEOUT = 30  # seconds without an answer
MOST_REDIRECTS = 10
REDIRECTS = (301, 302, 303, 307, 308)  # after the first three a browser goes on with GET, RFC 9110 §15.4


@dataclass(repr=False)
class Response:
    """What came back. `headers` ignores case and keeps repeats (`get_all`); `exchange` is the raw HTTP."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    url: str
    exchange: Exchange | None

    @property
    def text(self) -> str:
        """The body as UTF-8 text; what is none appears as a replacement character."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """Give the body as JSON data. Raises BenchError when it is none."""
        try:
            return json_text.loads(self.body)
        except (ValueError, RecursionError):
            raise BenchError(
                f"The answer to {self.url} ({self.status}) is no JSON; it begins with {self.text[:60]!r}."
            ) from None

    @property
    def set_cookies(self) -> list[str]:
        """The Set-Cookie values in order."""
        return self.headers.get_all("Set-Cookie", [])

    def __repr__(self) -> str:
        return f"<Response {self.status}, {len(self.body)} bytes from {self.url}>"


class Visitor:
    """One person at a site. `cookies` is its jar; what it sends is what the person called `name` sent."""

    def __init__(self, site: "Site", name: str | None = None, host: str = "app.fernbank.localhost") -> None:
        self.site = site
        self.name = name
        self.host = host
        self.cookies = CookieJar(host)

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        body: bytes | str | None = None,
        follow: bool = False,
    ) -> Response:
        """Send one request and give the Response; the jar's cookies go along, and new ones are kept.

        The body is one of `json` (any plain data), `form` (fields) or `body` (as it is). `headers` come on
        top and replace the visitor's own of the same name. `follow` follows redirects within the site.
        Raises BenchError when the request cannot be written or the site does not answer.
        """
        content_type, content = encoded(json, form, body)
        response = self._send(method, path, self._headers(path, content_type, content, headers), content)
        for value in response.set_cookies:
            self.cookies.store(value, response.url)
        if follow and response.status in REDIRECTS:
            return self._follow(method, response, dict(headers=headers, json=json, form=form, body=body))
        return response

    def get(self, path: str, **options: Any) -> Response:
        """Send a GET; the options are those of `request`."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Response:
        """Send a POST; the options are those of `request`."""
        return self.request("POST", path, **options)

    def login(self, user: str, password: str) -> Response:
        """Log in: POST /login with user name and password as JSON."""
        return self.post("/login", json={"username": user, "password": password})

    def url_of(self, path: str) -> str:
        """Give the full address of a path, as this visitor sees the site."""
        return f"http://{self.host}:{self.site.port}{path}"

    def __repr__(self) -> str:
        return f"<Visitor {self.name or 'without a name'} at {self.url_of('/')}>"

    def _headers(
        self, path: str, content_type: str | None, content: bytes | None, extra: Mapping[str, str] | None
    ) -> dict[str, str]:
        own = {
            "Host": f"{self.host}:{self.site.port}",
            "User-Agent": "fernbank-visitor",
            "Cookie": self.cookies.header(self.url_of(path)),
            "Content-Type": content_type,
            "Content-Length": None if content is None else str(len(content)),
        }
        named = {name.lower() for name in extra or {}}
        kept = {k: v for k, v in own.items() if v is not None and k.lower() not in named}
        return {**kept, **(extra or {})}

    def _send(self, method: str, path: str, headers: dict[str, str], content: bytes | None) -> Response:
        # The system may not know *.localhost (RFC 6761 leaves it to the resolver): connect by number.
        connection = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=TIMEOUT)
        try:
            connection.connect()
            port = connection.sock.getsockname()[1]
            if self.name:
                self.site.people[port] = self.name
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, octets(str(value)))
            connection.endheaders(content)
            answer = connection.getresponse()
            body = answer.read()
        except (ValueError, TypeError, http.client.InvalidURL) as error:
            raise BenchError(f"This request cannot be written as HTTP: {error}.") from None
        except (OSError, http.client.HTTPException) as error:
            why = error or "no response"
            raise BenchError(f"{self.site!r} did not answer {method} {path}: {why}.") from None
        finally:
            connection.close()
        exchange = self.site.log.latest_from(port)
        return Response(answer.status, answer.headers, body, self.url_of(path), exchange)

    def _follow(self, method: str, response: Response, options: dict[str, Any]) -> Response:
        for _ in range(MOST_REDIRECTS):
            target = urlsplit(urljoin(response.url, response.headers.get("Location", "")))
            if response.status not in REDIRECTS or target.netloc != f"{self.host}:{self.site.port}":
                return response
            if response.status in REDIRECTS[:3] and method != "HEAD":
                method, options = "GET", {"headers": options["headers"]}
            path = target._replace(scheme="", netloc="", fragment="").geturl() or "/"
            response = self.request(method, path, **options)
        raise BenchError(f"{response.url} redirects in a circle, more than {MOST_REDIRECTS} times.")


def encoded(
    json: Any, form: Mapping[str, str] | None, body: bytes | str | None
) -> tuple[str | None, bytes | None]:
    """Give content type and octets of a body that is JSON data, form fields, or given as it is."""
    if sum(part is not None for part in (json, form, body)) > 1:
        raise BenchError("A request has one body: give one of json=, form= and body=.")
    if json is not None:
        return "application/json", json_text.dumps(json).encode()
    if form is not None:
        return "application/x-www-form-urlencoded", urlencode(form).encode()
    return None, body.encode() if isinstance(body, str) else body
