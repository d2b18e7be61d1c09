"""An office of the bank: a Flask app whose errors are sentences, and which fails only where its mechanism does."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from labs.auth.stores import StoreDown
from labs.servers.answers import Refusal, refuse
from labs.servers.books import Books
from labs.servers.forms import LARGEST_BODY

__all__ = ["MechanismFailed", "Office", "ask", "unusable"]

TEMPLATES = Path(__file__).parent / "templates"


class MechanismFailed(Exception):
    """The office's mechanism (`what`) raised `cause`, or gave what no office can use, as `cause` says."""

    def __init__(self, cause: Exception, what: str = "session mechanism") -> None:
        super().__init__(f"The bank's {what} failed: {type(cause).__name__}: {cause}")
        self.cause = cause


class Office(Flask):
    """The Flask app of one office. One that works on the bank's books has its `record` and its `customers`.

    `on_mechanism_error`: called with what the mechanism raised when it is none of the errors that it may raise;
    the office then answers 500, which it does for no other reason.
    """

    on_mechanism_error: Callable[[Exception], None] | None = None
    pages = False  # whether who prefers HTML gets HTML
    challenge = 'Password realm="Fernbank"'  # what a 401 asks for, where the refusal does not say it
    outage = "Fernbank cannot look up what it needs right now. You are not logged out: try again in a few seconds."

    def __init__(self, name: str, books: Books | None = None) -> None:
        super().__init__(__name__, static_folder=None)
        self.name, self.books = name, books
        self.record, self.customers = (books.record, books.customers) if books else (None, None)
        self.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
        self.register_error_handler(Refusal, refuse)
        self.register_error_handler(HTTPException, _refuse_http)
        self.register_error_handler(StoreDown, self._refuse_outage)
        self.register_error_handler(MechanismFailed, self._refuse_failure)

    def offer(self, file: str, mimetype: str) -> None:
        """Answer GET /<file> with a file of templates/ as it is: a style sheet, a script."""
        text = (TEMPLATES / file).read_text(encoding="utf-8")

        def given() -> Response:
            return Response(text, mimetype=mimetype, headers={"Cache-Control": "max-age=300"})

        self.add_url_rule(f"/{file}", file, given)

    def _refuse_outage(self, outage: StoreDown) -> Response:
        return refuse(Refusal(503, self.outage, headers={"Retry-After": "5"}))

    def _refuse_failure(self, failure: MechanismFailed) -> Response:
        if self.on_mechanism_error is not None:
            self.on_mechanism_error(failure.cause)
        # A bank in production keeps this for its log. Here whoever reads the answer wrote the mechanism.
        return refuse(Refusal(500, f"{failure}"))


def ask(what: str, call: Callable[[], Any], *, may_raise: tuple[type[Exception], ...] = (StoreDown,)) -> Any:
    """Call a mechanism that the office was handed. Raises what it `may_raise`, or MechanismFailed."""
    try:
        return call()
    except may_raise:
        raise
    except Exception as error:  # whatever it is, it is the mechanism's, and the office says so
        raise MechanismFailed(error, what) from error


def unusable(method: str, value: Any, wanted: str, what: str = "session mechanism") -> MechanismFailed:
    """The error that says: `method` gave `value`, which the bank cannot use."""
    shown = repr(value)
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    return MechanismFailed(TypeError(f"{method}() gave {shown}; the bank needs {wanted}."), what)


def _refuse_http(error: HTTPException) -> Response:
    """Flask's own refusals (404, 405 and the like), said as the bank says them."""
    if error.code is None or error.code < 400:  # a redirect is no refusal
        return error.get_response()
    sentences = {404: "Fernbank has no such address.", 405: "This address does not take this method."}
    sentence = sentences.get(error.code, error.description or error.name)
    headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}
    return refuse(Refusal(error.code, sentence, headers=headers))
