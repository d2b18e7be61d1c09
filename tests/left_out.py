"""Which optional parts `make test` leaves out on this machine: prints them as WITHOUT takes them.

They are those that WITHOUT hides, and those that this machine lacks. A missing browser is fetched first, since
that needs no root. In CI (the variable CI) a part that is missing and not hidden is an error.
"""

import os
import re
import subprocess
import sys

from labs.bench import Offer, offers
from labs.bench.parts import left_out
from labs.classroom import sandbox


def parts() -> list[Offer]:
    """Give what lessons may use, and the sandbox, which only an instructor needs."""
    why = "WITHOUT hides it" if left_out("sandbox") else sandbox.why_not()
    return [*offers(), Offer("sandbox", "bubblewrap", not why, why.rstrip("."))]


def missing() -> list[Offer]:
    """Give what this machine lacks and WITHOUT does not hide."""
    return [offer for offer in parts() if not offer.available and not left_out(offer.part)]


def fetch_browser() -> None:
    """Let Playwright fetch its own Chromium into the user's cache; without a network nothing changes."""
    print("No browser here: fetching Playwright's own Chromium, about 150 MB.", file=sys.stderr)
    fetch = [sys.executable, "-m", "playwright", "install", "chromium"]
    if subprocess.run(fetch, capture_output=True, check=False).returncode != 0:
        print("It could not be fetched.", file=sys.stderr)


def main() -> int:
    known = [offer.part for offer in parts() if offer.part != "python"]
    named = re.split(r"[,\s]+", os.environ.get("WITHOUT", "").lower())
    unknown = [name for name in named if name and name not in known]
    if unknown:
        print(f"WITHOUT names {', '.join(unknown)}. It may name {', '.join(known)}.", file=sys.stderr)
        return 2
    if "browser" in [offer.part for offer in missing()]:
        fetch_browser()
    lacking = missing()
    for offer in lacking:
        print(f"LEFT OUT: {offer.part}, {offer.why}. {offer.what_to_do}", file=sys.stderr)
    names = [offer.part for offer in parts() if not offer.available]
    if lacking and os.environ.get("CI"):
        print(f"CI needs every part, or to be told: make test WITHOUT={','.join(names)}", file=sys.stderr)
        return 1
    print(",".join(names))
    return 0


if __name__ == "__main__":
    sys.exit(main())
