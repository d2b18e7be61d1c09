"""Which optional parts `make test` leaves out on this machine: prints them as WITHOUT takes them.

They are those that WITHOUT names already, and those that this machine does not offer. A browser that is
missing is first fetched, since that needs no root. In CI (CI=true) what is missing and was not named is an
error.
"""

import os
import subprocess
import sys

from labs.bench import offers

PARTS = ("redis", "postgres", "browser")


def missing(named: set[str]) -> dict[str, str]:
    """Give the parts that this machine lacks beside those `named`, each with why, and what to do."""
    return {
        offer.part: f"{offer.why} {offer.what_to_do}".strip()
        for offer in offers()
        if offer.part in PARTS and offer.part not in named and not offer.available
    }


def fetch_browser() -> None:
    """Let Playwright fetch its own Chromium into the user's cache; without a network nothing changes."""
    print("No browser here: fetching Playwright's own Chromium.", file=sys.stderr)
    fetch = [sys.executable, "-m", "playwright", "install", "chromium"]
    subprocess.run(fetch, stdout=sys.stderr, check=False)


def main() -> int:
    named = {part.strip() for part in os.environ.get("WITHOUT", "").split(",") if part.strip()}
    if unknown := named - set(PARTS):
        print(f"WITHOUT names {', '.join(sorted(unknown))}; it may name {', '.join(PARTS)}.", file=sys.stderr)
        return 2
    lacking = missing(named)
    if "browser" in lacking:
        fetch_browser()
        lacking = missing(named)
    for part, why in lacking.items():
        print(f"LEFT OUT: {part}. {why}", file=sys.stderr)
    if lacking and os.environ.get("CI") == "true":
        print(f"CI needs every part, or to be told: make test WITHOUT={','.join(lacking)}", file=sys.stderr)
        return 1
    print(",".join(part for part in PARTS if part in named or part in lacking))
    return 0


if __name__ == "__main__":
    sys.exit(main())
