"""The figures of `make bench` that are about attacks: how long they take, all of them."""

import statistics
import time

from test_matrix_sessions import ATTACKS, MECHANISMS, outcome

from labs.attacks import prediction
from labs.attacks.attempt import Target
from labs.bench import serve

WHOLE = {"guess between two": prediction.between, "guess the seed": prediction.seeded}  # the matrix searches less


def attack_figures():
    """Yield (what, figure with unit, limit with unit, whether it holds)."""
    suite = statistics.median(suite_seconds() for _ in range(3))
    yield f"all {len(ATTACKS)} attacks on sessions, each on the course's bank", f"{suite:.2f} s", "3 s", suite < 3
    began = time.perf_counter()
    for mechanism in MECHANISMS:
        for attack in ATTACKS:
            outcome(mechanism, attack)
    matrix = time.perf_counter() - began
    yield f"the matrix of sessions, {len(ATTACKS) * len(MECHANISMS)} cells", f"{matrix:.0f} s", "60 s", matrix < 60


def suite_seconds() -> float:
    """Seconds for every attack on sessions, in full, without a browser."""
    began = time.perf_counter()
    for name, attack in ATTACKS.items():
        with serve(MECHANISMS["the course's own"](), name="suite") as site:
            WHOLE.get(name, attack)(Target(site))
    return time.perf_counter() - began
