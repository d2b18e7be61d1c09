"""The page of a client that is a single page: one document, one script, and what the browser may do with them."""

from flask import Response, make_response, render_template

from labs.servers.office import Office

__all__ = ["serve_page"]


def serve_page(app: Office, script: str, name: str, foot: str, **addresses: str) -> None:
    """Let `app` answer GET / with the page that runs `script` (a file of templates/).

    `addresses`: the origins of other sites that the script calls, by the names under which it finds them.
    """
    # What is not said here is not allowed. form-action: without the script no password ends up in an address.
    policy = "; ".join([
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src data:",
        " ".join(["connect-src 'self'", *addresses.values()]),
        "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
    ])  # fmt: skip

    def page() -> Response:
        response = make_response(
            render_template("client.html", script=script, name=name, foot=foot, addresses=addresses)
        )
        response.headers["Content-Security-Policy"] = policy
        response.headers["Cache-Control"] = "no-store"
        return response

    app.add_url_rule("/", "page", page)
    for file in ("page.js", script):
        app.offer(file, "text/javascript")
    app.offer("style.css", "text/css")
