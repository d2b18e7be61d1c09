"""The smallest server of the course: it greets whoever comes, by a rule that it is handed."""

from collections.abc import Callable

from flask import Flask, Response, request

__all__ = ["hello"]


def hello(greet: Callable[[dict], tuple[str, dict]]) -> Flask:
    """A Flask app that answers GET / with what `greet` says.

    `greet(cookies)` is given what the browser brought (dict of text to text) and returns the text of the page (HTML)
    and the cookies to give to the browser (dict of text to text). `app.on_mechanism_error`, when set, is called with
    what greet raised; the answer is then 500.
    """
    app = Flask("hello", static_folder=None)
    app.on_mechanism_error = None

    @app.get("/")
    def greeting() -> Response:
        try:
            text, cookies = greet(request.cookies.to_dict())
            response = Response(str(text), mimetype="text/html")
            for name, value in cookies.items():
                response.set_cookie(name, value, httponly=True, samesite="Lax")
        except Exception as error:  # the learner's rule, not ours
            if app.on_mechanism_error:
                app.on_mechanism_error(error)
            return Response(f"The greeting failed: {error}", status=500, mimetype="text/plain")
        return response

    return app
