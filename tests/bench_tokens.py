"""The figures of Part 2 for `make bench`: what a verification costs, beside PyJWT's and the bare algorithm's."""

import hmac
import multiprocessing
import os
import shutil
import statistics
import subprocess
import time

import jwt

from labs.auth import production, tokens
from labs.auth.algorithms import ALGORITHMS
from labs.auth.jwks import JwksClient, publish
from labs.auth.keys import KeySet, generate

ISSUER = "https://id.fernbank.example"
ROUNDS = 2000


def in_turns(*actions) -> list[float]:
    """Microseconds that each action takes: the medians of many rounds, in each of which all of them run once."""
    rounds: list[list[float]] = [[] for _ in actions]
    for _ in range(ROUNDS):
        for action, times in zip(actions, rounds, strict=True):
            began = time.perf_counter()
            action()
            times.append(time.perf_counter() - began)
    return [1e6 * statistics.median(times) for times in rounds]


def verification(alg: str) -> list[float]:
    """Microseconds to verify one access token: plain PyJWT, the readable verifier, and the one on PyJWT."""
    key = generate(alg, ISSUER)
    policy = tokens.Policy(ISSUER, "accounts", KeySet([key]))
    token = tokens.issue(key, "ana", "accounts", time.time(), roles=["customer"])
    plain = {
        "key": key.verifies, "algorithms": [alg], "audience": "accounts", "issuer": ISSUER, "leeway": 30,
        "options": {"require": production.REQUIRED},
    }  # fmt: skip
    return in_turns(
        lambda: jwt.decode(token, **plain),
        lambda: tokens.verify(token, policy, time.time()),
        lambda: production.verify(token, policy),
    )


def openssl_speed() -> dict[str, float]:
    """How many signatures of each algorithm OpenSSL's own command verifies a second; empty where there is none."""
    if shutil.which("openssl") is None:
        return {}
    speed = ["openssl", "speed", "-mr", "-seconds", "1"]
    lines = []
    for about in (["rsa2048", "ecdsap256", "ed25519"], ["-bytes", "256", "-hmac", "sha256"]):
        done = subprocess.run(speed + about, capture_output=True, text=True, check=True)
        lines += [line.split(":") for line in done.stdout.splitlines() if line.startswith("+F")]
    # For key pairs the last number is verifications a second; for the HMAC it is bytes a second, 256 at a time.
    names = {"+F2": "RS256", "+F4": "ES256", "+F6": "EdDSA", "+F": "HS256"}
    return {names[kind]: float(last) / (256 if kind == "+F" else 1) for kind, *_, last in lines}


def jwks_hit() -> tuple[float, int]:
    """Microseconds to find a key that was fetched before, and how many fetches that took in all."""
    key = generate("ES256", ISSUER)
    client = JwksClient(ISSUER, lambda: publish([key]))
    client.find(key.kid, ISSUER)
    many = 100  # one alone is too short to be timed

    def hits():
        for _ in range(many):
            client.find(key.kid, ISSUER)

    return statistics.median(in_turns(hits)) / many, client.fetches


def served(start, counts) -> None:
    """Answer GET /balance at accounts for a second, each time with a token to verify, and say how often."""
    from werkzeug.test import EnvironBuilder, run_wsgi_app

    from labs.servers.accounts import accounts
    from labs.servers.books import Books

    key = generate("ES256", ISSUER)
    policy = tokens.Policy(ISSUER, "accounts", KeySet([key]))
    app = accounts(Books(), lambda token: tokens.verify(token, policy, time.time()))
    bearer = {"Authorization": f"Bearer {tokens.issue(key, 'ana', 'accounts', time.time())}", "Host": "127.0.0.1"}
    environ = EnvironBuilder("/balance", headers=bearer).get_environ()
    assert run_wsgi_app(app, dict(environ))[1] == "200 OK"
    start.wait()
    count, ends = 0, time.perf_counter() + 1
    while time.perf_counter() < ends:
        run_wsgi_app(app, dict(environ), buffered=True)
        count += 1
    counts.put(count)


def throughput(processes: int) -> float:
    """Requests a second that accounts answers in so many processes, which share nothing."""
    fresh = multiprocessing.get_context("spawn")
    start, counts = fresh.Barrier(processes), fresh.Queue()
    workers = [fresh.Process(target=served, args=(start, counts)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    total = sum(counts.get() for _ in workers)
    for worker in workers:
        worker.join()
    return total


def guesses_a_second() -> tuple[float, float]:
    """How many secrets of HS256 the attack of lesson 31 tries a second on one core, and how many plain `hmac` does.

    One search goes through the whole word list; the two take turns, and the fastest turn of each counts.
    """
    from labs.attacks import cracking

    candidates = list(cracking.guesses(cracking.word_list()))
    token = tokens.issue(generate("HS256", ISSUER), "mallory", "accounts", time.time())  # a secret that is no word
    message, rates, plain = token.rpartition(".")[0].encode(), [], []
    for _ in range(5):
        rates.append(cracking.crack(token, cracking.guesses(cracking.word_list())).rate)
        began = time.perf_counter()
        for secret in candidates:
            hmac.digest(secret, message, "sha256")
        plain.append(len(candidates) / (time.perf_counter() - began))
    return max(rates), max(plain)


def token_figures():
    """Yield (what, figure with unit, limit with unit, whether it holds), each as soon as it is measured."""
    bare = openssl_speed()
    for alg in ALGORITHMS:
        plain, readable, on_pyjwt = verification(alg)
        speed = f"openssl speed {bare[alg]:,.0f}/s" if alg in bare else "no openssl here"
        what = f"verify {alg}: PyJWT {plain:.0f} µs ({speed}), "
        yield f"{what}ours {readable:.0f} µs", f"{readable / plain:.2f} x", "1.5 x", readable / plain < 1.5
        what = f"verify {alg}: PyJWT {plain:.0f} µs, the production face {on_pyjwt:.0f} µs"
        yield what, f"{on_pyjwt / plain:.2f} x", "1.15 x", on_pyjwt / plain < 1.15
    hit, fetches = jwks_hit()
    what = f"a key that was fetched before ({fetches} fetch for {ROUNDS * 100:,} hits)"
    yield what, f"{hit:.2f} µs", "2 µs", hit < 2 and fetches == 1
    rounds = [(throughput(1), throughput(2)) for _ in range(3)]
    one, two = map(max, zip(*rounds, strict=True))  # the best: whatever else runs only takes away from it
    cores = os.cpu_count() or 1
    what = f"accounts, ES256: 1 process {one:,.0f}/s, 2 processes {two:,.0f}/s; each costs"
    loss = 2 * one / two
    yield what, f"{loss:.2f} x", "1.5 x", loss < 1.5 or cores < 2
    rate, plain = guesses_a_second()
    yield f"a guess at a secret ({rate:,.0f}/s on one core)", f"{1e6 / rate:.2f} µs", "5 µs", rate > 200_000
    what = f"a guess against plain hmac ({plain:,.0f}/s)"
    yield what, f"{plain / rate:.2f} x", "1.25 x", rate / plain > 0.8
