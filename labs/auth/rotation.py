"""An issuer's keys over time: announced before they sign, published until their last token has ended."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from labs.auth.keys import Key, generate

__all__ = ["KeyRing"]

EVER = float("inf")


@dataclass
class _Turn:
    """One key's turn: it signs from `begins_at` until just before `ends_at`, and is published from the start."""

    key: Key
    begins_at: float
    ends_at: float = EVER


class KeyRing:
    """The keys of one issuer, of which one signs. Times are in seconds; `clock` gives seconds since 1970.

    - `cache`: for how long a verifier may keep the keys that it fetched. A new key is announced that much before it
      signs, so nobody meets a token whose key they have not seen.
    - `lifetime` and `leeway`: of the tokens, as verifiers count them. A key that has stopped signing stays published
      until the last token it signed has ended, so nobody is logged out.

    Threads may share a ring. It lives in this process: an issuer of several processes needs a store for it.
    """

    def __init__(
        self,
        issuer: str,
        alg: str = "ES256",
        *,
        cache: float = 300,
        lifetime: float = 900,
        leeway: float = 30,
        clock: Callable[[], float] = time.time,
    ):
        self.issuer, self.alg = issuer, alg
        self.cache, self.lifetime, self.leeway = cache, lifetime, leeway
        self._clock = clock
        self._lock = threading.Lock()
        self._turns = [_Turn(generate(alg, issuer), begins_at=clock())]

    def signing(self) -> Key:
        """Return the key that signs now."""
        with self._lock:
            return self._now_signing().key

    def published(self) -> list[Key]:
        """Return the keys that verifiers should trust now, without their private halves, the oldest first.

        An HS256 key has no public half and comes as it is: share it, but never publish it.
        """
        with self._lock:
            keys = [turn.key for turn in self._turns if not self._is_over(turn)]
        return keys if self.alg == "HS256" else [key.public() for key in keys]

    def rotate(self) -> Key:
        """Announce a new key and return it. It signs `cache` seconds from now.

        The one before stays published until then, and on for `lifetime + leeway`: its last token may be that old.
        """
        with self._lock:
            self._drop_what_is_over()
            begins_at = self._clock() + self.cache
            self._turns[-1].ends_at = begins_at
            self._turns.append(_Turn(generate(self.alg, self.issuer), begins_at))
            return self._turns[-1].key

    def remove(self, kid: str) -> None:
        """Stop publishing a key at once: its private half is known to somebody. ValueError for an unknown `kid`.

        Its tokens are refused as soon as each verifier fetches the keys again, `cache` seconds at the latest. When it
        was the one that signs, a new key is published and signs at once; a verifier that cannot fetch again yet
        refuses its tokens for a moment. That is what an emergency costs.
        """
        with self._lock:
            self._drop_what_is_over()
            removed = next((turn for turn in self._turns if turn.key.kid == kid), None)
            if removed is None:
                raise ValueError(f"This ring publishes no key with the kid {kid!r}.")
            place, now = self._turns.index(removed), self._clock()
            if removed is self._now_signing():
                self._turns[place] = _Turn(generate(self.alg, self.issuer), now, removed.ends_at)
            else:
                del self._turns[place]
                if removed.begins_at > now:  # it never signed: the one before it goes on
                    self._turns[place - 1].ends_at = removed.ends_at

    def _now_signing(self) -> _Turn:
        now = self._clock()
        begun = [turn for turn in self._turns if turn.begins_at <= now]
        return begun[-1] if begun else self._turns[0]  # a clock that was set back to before the first turn

    def _is_over(self, turn: _Turn) -> bool:
        return self._clock() >= turn.ends_at + self.lifetime + self.leeway

    def _drop_what_is_over(self) -> None:
        self._turns = [turn for turn in self._turns if not self._is_over(turn)]
