"""What a raid on lab 39's desk needs again and again. The cell of 39.1 has these names."""

from urllib.parse import urlencode


def cookie_in(answer):
    """Name and value of the cookie that an answer sets."""
    found = next(value for name, value in answer["headers"] if name.lower() == "set-cookie")
    name, _, value = found.partition(";")[0].partition("=")
    return name, value


def log_in(http, me):
    """Mallory logs in to her own account: the name of the cookie, and the id in it."""
    body = urlencode({"username": me["username"], "password": me["password"]})
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": me["bank"]}
    return cookie_in(http("POST", "/login", headers, body))


def read(http, name, id):
    """Ask for the balance with this id: the status."""
    return http("GET", "/balance", {"Cookie": f"{name}={id}"}, None)["status"]
