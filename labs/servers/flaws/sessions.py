"""Sessions with one flaw each: `labs.auth.sessions.Sessions`, but for the method that stands here."""

import base64
import os
import random

from labs.auth.sessions import Sessions, _key

__all__ = ["AdoptsAnyId", "ClockIds", "CounterIds", "KeepsAnonymousId", "SeededIds"]


class CounterIds(Sessions):
    """Ids that count, written with as many digits as a good id has characters."""

    issued = 1_000

    def _new_id(self) -> str:
        self.issued += 1
        return f"{self.issued:043}"  # VULNERABLE: the next id is known (ASVS 5.0 7.2.3, CWE-330)


class ClockIds(Sessions):
    """Ids that are the time of the log-in."""

    def _new_id(self) -> str:
        return f"{int(self._clock() * 1000):043}"  # VULNERABLE: a thousand ids a second to try (CWE-337)


class SeededIds(Sessions):
    """256 bits of Python's `random`, which computes them from a seed: here the number of the server's process.

    As Debian's OpenSSL did from 2006 to 2008: all of its keys followed from one of 32,768 process numbers.
    """

    def __init__(self, *args, pid: int | None = None, **options) -> None:
        super().__init__(*args, **options)
        seed = os.getpid() % 32_768 if pid is None else pid
        self._random = random.Random(seed)  # VULNERABLE: 15 bits of secret in 256 (CVE-2008-0166, CWE-338)

    def _new_id(self) -> str:
        return base64.urlsafe_b64encode(self._random.randbytes(32)).rstrip(b"=").decode()


class AdoptsAnyId(Sessions):
    """Whoever brings an id keeps it at the log-in, whether it was ever given out or not."""

    def rotate(self, id: str | None, user: str, elevated: bool = False) -> str:
        if _key(id) is None:
            return super().rotate(id, user, elevated)
        self.revoke(id)
        self._chosen = id
        try:
            return self._start(user, elevated, {})
        finally:
            del self._chosen

    def _new_id(self) -> str:
        return getattr(self, "_chosen", None) or super()._new_id()  # VULNERABLE: anybody may choose it (CWE-384)


class KeepsAnonymousId(Sessions):
    """A visitor who logs in keeps the id that the bank gave them before."""

    def rotate(self, id: str | None, user: str, elevated: bool = False) -> str:
        def log_in(session, now):
            session["user"], session["elevated"] = user, elevated

        session = self.load(id)
        if session is None or session["user"] is not None:
            return super().rotate(id, user, elevated)
        self._change(id, log_in)  # VULNERABLE: whoever knew the id before knows it now (ASVS 5.0 7.2.4, CWE-384)
        self._list(user, _key(id))
        return id
