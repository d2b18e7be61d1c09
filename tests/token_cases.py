"""What the tests of tokens share: keys, an honest token, any header and claims signed, and both verifiers."""

import json
from enum import Enum
from functools import cache

import time_machine
from hypothesis import HealthCheck, settings

from labs.auth import algorithms, base64url, keys, production, tokens
from labs.auth.algorithms import ALGORITHMS
from labs.auth.keys import Key, KeySet
from labs.auth.tokens import ACCESS_TOKEN, Policy

ISSUER = "https://id.fernbank.example"
NOW = 1_900_000_000
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no failure
LEFT_OUT = Enum("Left", "OUT").OUT  # in a dict of changes: this member is not there


@cache
def key(alg: str) -> Key:
    """A key of this algorithm; the same one at each call."""
    return keys.generate(alg, ISSUER, f"the-{alg}")


def policy(*extra: Key, **changes) -> Policy:
    """What the accounts service accepts: one key of each algorithm, and `extra`."""
    trusted = KeySet([*map(key, ALGORITHMS), *extra])
    return Policy(**{"issuer": ISSUER, "audience": "accounts", "keys": trusted} | changes)


def header_of(alg: str, /, **changes) -> dict:
    return changed({"alg": alg, "kid": key(alg).kid, "typ": ACCESS_TOKEN}, changes)


def claims_with(**changes) -> dict:
    honest = {"iss": ISSUER, "sub": "ana", "aud": "accounts", "iat": NOW, "exp": NOW + 900, "jti": "a-name"}
    return changed(honest, changes)


def changed(members: dict, changes: dict) -> dict:
    return {name: value for name, value in (members | changes).items() if value is not LEFT_OUT}


def compact(header, payload, signer) -> str:
    """A token of any header and payload (bytes as they are, else as JSON), signed by a Key or a function."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload)]
    signed = ".".join(map(base64url.encode, parts))
    if isinstance(signer, Key):
        signature = algorithms.sign(signer.alg, signer.signs, signed.encode())
    else:
        signature = signer(signed.encode())
    return f"{signed}.{base64url.encode(signature)}"


def signed(alg: str, header: dict | None = None, claims: dict | None = None) -> str:
    """A token that the key of `alg` really signed, with changes in its header and claims."""
    return compact(header_of(alg, **(header or {})), claims_with(**(claims or {})), key(alg))


def with_signature(token: str, signature: bytes) -> str:
    return f"{token.rpartition('.')[0]}.{base64url.encode(signature)}"


def signature_of(token: str) -> bytes:
    return base64url.decode(token.rpartition(".")[2])


def said(case) -> str:
    """A case as a test's id."""
    return ascii(case)[:60] if not hasattr(case, "__name__") else case.__name__


def readable(token, policy, now=NOW):
    return tokens.verify(token, policy, now)


def on_pyjwt(token, policy, now=NOW):
    with time_machine.travel(now, tick=False):
        return production.verify(token, policy)


VERIFIERS = [readable, on_pyjwt]
