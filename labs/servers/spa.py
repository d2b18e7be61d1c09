"""A single-page client: a page whose script logs in, holds the tokens, and calls the services from the browser."""

from labs.servers.client_page import serve_page
from labs.servers.office import Office

__all__ = ["spa"]

FOOT = "Fernbank is a lab. This page holds its tokens itself, in memory: load it anew, and you are logged out."


def spa(identity_page: str, accounts_page: str) -> Office:
    """Open a site that gives out the client. It keeps nothing: all that follows is between browser and services.

    Both addresses are origins as a browser sees them ("http://id.fernbank.localhost:40123"), and both services
    have to list the origin of this site's page (`labs.servers.cors`).
    """
    app = Office("spa")
    serve_page(app, "spa.js", "Single page", FOOT, identity=identity_page, accounts=accounts_page)
    return app
