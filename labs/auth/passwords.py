"""Passwords: hashed by argon2id (RFC 9106), through argon2-cffi; nothing here is of our own making."""

import base64
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from argon2.low_level import ARGON2_VERSION

__all__ = ["dummy_hash", "hasher", "verify"]


def hasher(fast: bool = False) -> PasswordHasher:
    """Return the hasher of a site: `.hash(password)` gives the text to store.

    Its parameters are the library's defaults (the second option of RFC 9106 §4: 64 MiB, 3 passes), slow on
    purpose: guessing against a stolen table must be dear. `fast` (8 KiB, 1 pass) is for lab banks only, where
    a log-in should not take a tenth of a second.

    A site that has raised its parameters asks `.check_needs_rehash(hash)` at log-in, and stores a new hash.
    """
    return PasswordHasher(memory_cost=8, time_cost=1, parallelism=1) if fast else PasswordHasher()


def verify(hasher: PasswordHasher, hash: str | None, password: str) -> bool:
    """Tell whether `password` belongs to `hash`; None stands for a user who does not exist.

    For None as much work is done as for anybody, or the time of an answer would tell who has an account
    (ASVS 5.0 6.3.8). Raises argon2's InvalidHashError when `hash` is damaged.
    """
    if hash is None:
        hash = dummy_hash(hasher)
    try:
        return hasher.verify(hash, password)
    except (VerifyMismatchError, UnicodeEncodeError):  # JSON can carry half a character, which has no UTF-8
        return False


def dummy_hash(hasher: PasswordHasher) -> str:
    """Return a hash that no password has (random salt, random tag), as dear to verify as any other."""

    def part(length: int) -> str:
        return base64.b64encode(secrets.token_bytes(length)).decode().rstrip("=")

    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    salt, tag = part(hasher.salt_len), part(hasher.hash_len)
    return f"$argon2{hasher.type.name.lower()}$v={ARGON2_VERSION}${cost}${salt}${tag}"
