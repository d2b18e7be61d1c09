"""What a bank answers: JSON for programs, a page for people, and an honest refusal for both."""

import json
from typing import Any

from flask import Response, current_app, g, make_response, redirect, render_template, request

__all__ = ["Refusal", "answer", "done", "refuse", "wants_page"]


class Refusal(Exception):
    """The bank says no: a status (4xx or 5xx) and a sentence that says what was wrong and what to do.

    `form`: the form that helps a person on, "login" or "confirm"; `headers`: more headers of the answer.
    `code`: what a standard calls this error, for programs; the sentence then is its `error_description`.
    """

    def __init__(
        self,
        status: int,
        sentence: str,
        *,
        form: str | None = None,
        headers: dict | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.form, self.headers = status, sentence, form, headers or {}
        self.code = code

    @property
    def data(self) -> dict[str, str]:
        """What the answer says, as JSON. With a code it is that of RFC 6749 §5.2."""
        if self.code is None:
            return {"error": self.sentence}
        return {"error": self.code, "error_description": self.sentence}


def answer(data: dict[str, Any], page: str = "", status: int = 200, **context: Any) -> Response:
    """`data` as JSON; for who would rather read HTML the template `page`, drawn with `data` and `context`."""
    if wants_page():
        response = make_response(render_template(page, **{"user": g.get("user"), **data, **context}), status)
    else:
        # Half a surrogate pair, which a mechanism's words may hold, is written as JSON's own escape (RFC 8259 §7).
        text = (json.dumps(data, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
        response = Response(text, status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"  # ASVS 5.0 14.2.5: no cache keeps what is private
    return response


def done(data: dict[str, Any], to: str, status: int = 200) -> Response:
    """After a change: `data` as JSON; for a person 303 to a page, so that a reload repeats nothing."""
    if not wants_page():
        return answer(data, "", status)
    response = redirect(to, 303)
    response.headers["Cache-Control"] = "no-store"
    return response


def refuse(refusal: Refusal) -> Response:
    """The answer that says no."""
    response = answer(refusal.data, "refusal.html", refusal.status, refusal=refusal)
    response.headers.extend(refusal.headers)
    if refusal.status == 401:
        response.headers.setdefault("WWW-Authenticate", current_app.challenge)
    return response


def wants_page() -> bool:
    """Whether this office has pages, and who asks would rather read HTML than JSON (Accept, RFC 9110 §12.5.1)."""
    accepts = request.accept_mimetypes
    return current_app.pages and accepts["text/html"] > accepts["application/json"]  # who takes anything gets JSON
