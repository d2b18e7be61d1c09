"""Refresh tokens: opaque, each good for one use, in families that end together (RFC 6749 §6, RFC 9700 §4.14)."""

import hashlib
import re
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

from labs.auth.stores import Store, StoreDown
from labs.auth.token_errors import RefreshRefused

__all__ = ["RefreshRefused", "RefreshTokens"]

DAY = 86_400


class RefreshTokens:
    """The refresh tokens of one issuer, in one store (`labs.auth.stores`). Times are in seconds.

    A log-in starts a **family**; each use gives the next token of it. All of them end `lifetime` seconds after the
    log-in, however often they were renewed (RFC 10017: a rotated token must not outlive the first one's limit). At
    rest there is only each token's SHA-256. Every method may raise StoreDown.

    A token that comes back after its use was copied: by a thief, or the thief used it first. Nobody can tell which,
    so the family is revoked for both (ASVS 5.0 10.4.5). An honest client whose answer was lost is thrown out as well,
    and so is one that uses a token twice at once; lesson 41 gives it a few seconds of grace, and says what they cost.

    In the store a family is one record, and deleting it revokes every token of the family. A use that a log-out
    overlaps counts as one that came before: what it gave is ended too.
    """

    def __init__(self, store: Store, *, lifetime: float = 30 * DAY, clock: Callable[[], float] = time.time):
        self._store, self._lifetime, self._clock = store, lifetime, clock

    def issue(self, user: str, client: str) -> str:
        """Start a family for `user`, who has just logged in with `client`, and return its first token."""
        ends = self._clock() + self._lifetime
        family = {"user": user, "client": client, "expires_at": ends}
        for _ in _attempts():
            key = "family:" + secrets.token_hex(16)
            if self._store.add(key, family):
                break
        self._list(user, key, ends)  # before the token leaves, or `revoke_all` would miss it
        return self._add_token(key, ends)

    def use(self, token: str, client: str) -> tuple[str, str]:
        """Exchange a token for the next one; returns (user, next token). Raises RefreshRefused.

        Of two who use a token at once one wins; the other has used it again, which revokes the family.
        """
        key = _key(token)
        record, family = self._look_up(key)
        # First: whoever merely tries tokens, or presents another client's, must not throw anybody out.
        if record is None or family is not None and family["client"] != client:
            raise RefreshRefused("This refresh token is not one of this client's.")
        if family is None:
            raise RefreshRefused("The log-in of this refresh token has been ended.")
        used = record["used_at"] is not None
        if not used and self._clock() >= record["expires_at"]:
            raise RefreshRefused("This refresh token has expired.")
        child = None if used else self._exchange(key, record)
        if child is None:  # used is asked before expired: a copy that comes late is still a copy
            self._store.delete(record["family"])
            raise RefreshRefused("This refresh token has been used before, so its log-in is ended.")
        return family["user"], child

    def revoke(self, token: str) -> bool:
        """End the family of a token, used or not: log-out (RFC 7009 §2.1). True when it was live."""
        record, family = self._look_up(_key(token))
        return family is not None and self._store.delete(record["family"]) and self._clock() < family["expires_at"]

    def revoke_all(self, user: str) -> int:
        """End every family of `user` and return how many were live.

        A log-in in the middle is either ended too or counts as one that came after.
        """
        ended, index = 0, _index(user)
        for _ in _attempts():
            listed = self._store.get(index)
            if listed is None:
                break
            for key in listed["families"]:
                ended += self._is_live(key) and self._store.delete(key)
            if self._store.replace(index, listed, {**listed, "families": []}):
                break
        return ended

    def _exchange(self, key: str, record: dict[str, Any]) -> str | None:
        """Mark a token as used and return the next one; None when somebody else was first.

        The child comes first: an outage in between costs nobody a token, and nobody ever sees a loser's child.
        """
        child = self._add_token(record["family"], record["expires_at"])
        return child if self._store.replace(key, record, {**record, "used_at": self._clock()}) else None

    def _add_token(self, family: str, ends: float) -> str:
        record = {"family": family, "used_at": None, "expires_at": ends}  # used ones stay until the family's end
        for _ in _attempts():
            token = secrets.token_urlsafe(32)  # 256 bits of the system's generator
            if self._store.add(_key(token), record):
                return token

    def _look_up(self, key: str | None) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
        """Return the records of a token and of its family; None for what is not there."""
        record = None if key is None else self._store.get(key)
        return record, None if record is None else self._store.get(record["family"])

    def _is_live(self, family: str) -> bool:
        record = self._store.get(family)
        return record is not None and self._clock() < record["expires_at"]

    def _list(self, user: str, key: str, ends: float) -> None:
        """Add a family to its user's list and drop those that have ended, so that the list does not grow."""
        index = _index(user)
        for _ in _attempts():
            listed = self._store.get(index)
            if listed is None:
                if self._store.add(index, {"families": [key], "expires_at": ends}):
                    break
                continue
            live = [other for other in listed["families"] if self._is_live(other)]
            new = {"families": [*live, key], "expires_at": max(ends, listed["expires_at"])}
            if self._store.replace(index, listed, new):
                break


def _key(token: object) -> str | None:
    """Where the record of `token` is kept; None for what cannot be a token of ours, whatever it is.

    Hashed, so that whoever reads the store finds no token to present.
    """
    if not isinstance(token, str) or not re.fullmatch(r"[A-Za-z0-9_-]{43}", token):
        return None
    return "refresh:" + hashlib.sha256(token.encode()).hexdigest()


def _index(user: str) -> str:
    """Where the list of a user's families is kept: {"families": [key, ...]}."""
    return "families:" + user


def _attempts() -> Iterator[int]:
    """Count attempts at a write. One fails only where a rival's succeeded: a thousand are a broken store."""
    yield from range(1000)
    raise StoreDown("The store refused a thousand writes in a row. Check its add() and replace().")
