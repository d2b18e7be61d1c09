"""`serve(app)`: a real HTTP server for one app, on this machine only, that stops with the kernel."""

import atexit
import contextlib
import os
import socket
import threading
import traceback
from collections import deque
from collections.abc import Callable

from werkzeug.serving import make_server

from .connection import Connection
from .errors import BenchError
from .visitor import Visitor
from .wire import WireLog

ADDRESS = "127.0.0.1"
PAGE_HOST = "app.fernbank.localhost"

# Served through Jupyter's own origin, a page with an XSS would own the notebook: so there is no proxy.
REMOTE = " (this kernel is not on your machine: browser().person(...) opens the page here)"

_sites: dict[str, "Site"] = {}
_lock = threading.RLock()


def serve(app: Callable, name: str | None = None, port: int = 0) -> "Site":
    """Serve a WSGI app on 127.0.0.1 and give its Site, ready for requests.

    The site that had this name before (default: the app's own name) is stopped first. `port=0` takes a free
    one.
    Raises BenchError when `app` is no app, or the port is taken.
    """
    if not callable(app):
        raise BenchError(f"serve() takes a WSGI app, such as bank(sessions), and was given {app!r}.")
    name = name or getattr(app, "name", None) or type(app).__name__
    with _lock:
        if name in _sites:
            _sites[name].stop()
        _sites[name] = site = Site(app, name, _listen(port))
        site.start()
    return site


@atexit.register
def stop_all() -> None:
    """Stop every site of this process."""
    with _lock:
        for site in list(_sites.values()):
            site.stop()


class Site:
    """A running site; also a context manager that stops it at the end.

    `url` is for Python, `page` for a browser: the same server under a name whose cookies are its own (cookies
    ignore ports, so on 127.0.0.1 or localhost a page would get Jupyter's). `log` is the wire, `errors` what
    the app wrote to its error stream, tracebacks included.
    """

    def __init__(self, app: Callable, name: str, listener: socket.socket) -> None:
        self.app = app
        self.name = name
        self.port: int = listener.getsockname()[1]
        self.log = WireLog()
        self.errors: deque[str] = deque(maxlen=50)
        self.people: dict[int, str] = {}  # a visitor's port -> its name, said before it sends
        # Given a socket, werkzeug asks no reverse DNS, which takes seconds on some machines.
        self._server = make_server(
            ADDRESS, self.port, app, threaded=True, request_handler=Connection, fd=listener.fileno()
        )
        listener.close()
        self._server.site = self
        self._server.log = self._server.handle_error = self._note_error
        self._server.timeout = 0.5  # should stop() not get through
        self._stopping = False
        self._server.verify_request = lambda *_: not self._stopping
        self._thread = threading.Thread(target=self._answer, name=f"site {name}", daemon=True)

    @property
    def url(self) -> str:
        """The address for Python, such as "http://127.0.0.1:40123"."""
        return f"http://{ADDRESS}:{self.port}"

    @property
    def page(self) -> str:
        """The address for a browser on this machine, such as "http://app.fernbank.localhost:40123"."""
        return f"http://{PAGE_HOST}:{self.port}"

    @property
    def record(self):
        """The app's own record of who read or moved what; None for an app that keeps none."""
        return getattr(self.app, "record", None)

    @property
    def customers(self):
        """The app's customers by name; None for an app that has none."""
        return getattr(self.app, "customers", None)

    def password_of(self, user: str) -> str:
        """Give a customer's password. Raises BenchError for somebody who is no customer."""
        customers = self.customers or {}
        if user not in customers:
            raise BenchError(
                f"{self.name} has no customer {user!r}; its customers: {', '.join(customers)}."
            )
        return customers[user].password

    def visitor(self, name: str | None = None) -> Visitor:
        """Give a new visitor with an empty cookie jar; the site's record calls them `name`."""
        return Visitor(self, name)

    def start(self) -> None:
        """Begin to answer; `serve` has done it."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and free the port; a second call does nothing."""
        if self._thread.is_alive():
            self._stopping = True
            # It waits for a caller. serve_forever() would look a hundred times a second whether it should end.
            with contextlib.suppress(OSError):
                socket.create_connection((ADDRESS, self.port)).close()
            self._thread.join()
        self._server.server_close()
        with _lock:
            if _sites.get(self.name) is self:
                del _sites[self.name]

    def _answer(self) -> None:
        while not self._stopping:
            self._server.handle_request()

    def __enter__(self) -> "Site":
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def __repr__(self) -> str:
        if not self._thread.is_alive():
            return f"<Site {self.name}, stopped>"
        return f"<Site {self.name} at {self.page}{REMOTE if is_remote() else ''}>"

    def _note_error(self, *_) -> None:
        # Kept, not printed: a line on stderr would land in whichever cell runs.
        self.errors.append(traceback.format_exc())


def is_remote() -> bool:
    """Say whether this kernel runs on somebody else's machine: JupyterHub and Binder say so."""
    return any(name in os.environ for name in ("JUPYTERHUB_API_URL", "BINDER_SERVICE_HOST"))


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((ADDRESS, port), backlog=128)
    except (OSError, OverflowError) as error:
        raise BenchError(
            f"Port {port} cannot be used ({getattr(error, 'strerror', None) or error}). Leave out port= to "
            "take a free one, or stop the program that holds it."
        ) from None
