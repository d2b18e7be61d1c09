"""The figure of `make bench` that is about a real browser: how long lesson 33's table takes to measure."""

import time

from labs.attacks.cross_site import table
from labs.attacks.trap import Trap
from labs.bench import NoBrowser, browser, serve
from labs.servers.flaws import pages


def browser_figures():
    """Yield (what, figure with unit, limit with unit, whether it holds); nothing where there is no browser."""
    began = time.perf_counter()
    try:
        people = [browser(third_party).person("ana") for third_party in (True, False)]
    except NoBrowser:
        return
    cells = 0
    with Trap() as trap, serve(pages.cookies()) as site:
        for person in people:
            cells += 4 * len(table(site, trap, person))
            person.close()
    seconds = time.perf_counter() - began
    yield f"the SameSite table, {cells} cells, two browsers started", f"{seconds:.1f} s", "15 s", seconds < 15
