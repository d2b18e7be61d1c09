"""Sessions: the browser keeps an opaque id, the server keeps the record, and the record decides."""

import hashlib
import re
import secrets
import time
from collections.abc import Callable, Iterator
from typing import TypedDict

from labs.auth.stores import Store, StoreDown

__all__ = ["Session", "Sessions"]


class Session(TypedDict):
    """The record of one session. All of it is plain data; times are seconds since 1970."""

    user: str | None  # None: somebody who has not logged in
    elevated: bool  # has this user just proved who they are once more? (ASVS 5.0 7.5.3)
    data: dict  # what the application keeps, a basket for example
    created_at: float  # the absolute timeout counts from here
    last_seen: float  # the idle timeout counts from here
    expires_at: float  # when the next timeout strikes: tells the store when it may tidy up, decides nothing


class Sessions:
    """Every session of one site, in one store (`labs.auth.stores`).

    Both timeouts are in seconds (ASVS 5.0 7.3.1, 7.3.2); `clock` gives seconds since 1970. A session has
    ended when `now - start >= timeout`: at the very limit it is over.

    Every method may raise `StoreDown`. Nobody is logged out by that, and no id is handed out whose session
    `revoke_all` would miss: it is listed under its user before the id leaves this class.
    """

    def __init__(
        self,
        store: Store,
        *,
        idle_timeout: float = 1800,
        absolute_timeout: float = 28800,
        clock: Callable[[], float] = time.time,
    ):
        self._store = store
        self._idle_timeout = idle_timeout
        self._absolute_timeout = absolute_timeout
        self._clock = clock

    def create(self, user: str | None = None, elevated: bool = False) -> str:
        """Start a session and return its id. For a log-in use `rotate`: it also ends what was before."""
        return self._start(user, elevated, {})

    def load(self, id: str | None) -> Session | None:
        """Return the session of `id` and start its idle time anew; None when there is none, or it has ended.

        An id that is not ours is never adopted: nobody can choose one and plant it on somebody else.
        """

        def slide(session: Session, now: float) -> None:
            # Every time, not now and then: a `last_seen` that lags would end the session early. And never
            # backwards: another server's clock may be a little ahead of ours.
            session["last_seen"] = max(session["last_seen"], now)
            session["expires_at"] = self._expiry(session)

        return self._change(id, slide)

    def save(self, id: str | None, data: dict) -> bool:
        """Replace the `data` of a session. False when it has ended meanwhile: then nothing was kept.

        Of two saves the later one counts, whole. TypeError or ValueError when `data` is not JSON.
        """

        def keep(session: Session, now: float) -> None:
            session["data"] = data

        return self._change(id, keep) is not None

    def rotate(self, id: str | None, user: str, elevated: bool = False) -> str:
        """Give `user`, who has just proved who they are, a session with a new id, and end the old one.

        Somebody else may know the id from before the log-in (session fixation), so it must not become worth
        more: ASVS 5.0 7.2.4. The `data` of an anonymous session, or of the same user's, goes along; another
        user's stays behind. A log-in starts a new absolute timeout. An elevation is a step inside a session
        and inherits it, or confirming now and then would stretch the session for ever.

        Without a live old session this is a plain log-in. When two rotate the same id, or one rotates what
        another revokes, the one who deleted the old record has its data; the other begins without. A `save`
        to the old session that comes in the middle may be lost with it.
        """
        key = _key(id)
        old = self._live(key, self._clock())
        data, created_at = {}, None
        if old is not None and old["user"] in (None, user):
            data = old["data"]
            if elevated and old["user"] == user:
                created_at = old["created_at"]
        new_id = self._start(user, elevated, data, created_at)
        # The old one last: an outage up to here leaves its owner where they were.
        if old is not None and not self._store.delete(key):
            self.save(new_id, {})
        return new_id

    def revoke(self, id: str | None) -> bool:
        """End one session: log-out (ASVS 5.0 7.4.1). True when it was live."""
        key = _key(id)
        return self._live(key, self._clock()) is not None and self._store.delete(key)

    def revoke_all(self, user: str) -> int:
        """End every session of `user` and return how many were live (ASVS 5.0 7.4.2, 7.4.3, 7.4.5).

        A log-in in the middle is either ended too or counts as one that came after.
        """
        ended = 0
        index = _index(user)
        for _ in _attempts():
            listed = self._store.get(index)
            if listed is None:
                break
            # Records first: after an outage in here the list still names what is left, for a second call.
            for key in listed["sessions"]:
                ended += self._live(key, self._clock()) is not None and self._store.delete(key)
            if self._store.replace(index, listed, {"sessions": []}):
                break
        return ended

    def _start(self, user: str | None, elevated: bool, data: dict, created_at: float | None = None) -> str:
        """Store a new session, list it under its user, and only then return its id."""
        now = self._clock()
        session: Session = {
            "user": user,
            "elevated": elevated,
            "data": data,
            "created_at": now if created_at is None else created_at,
            "last_seen": now,
            "expires_at": now,
        }
        session["expires_at"] = self._expiry(session)
        for _ in _attempts():
            id = self._new_id()
            if self._store.add(_key(id), session):
                break
        if user is not None:
            self._list(user, _key(id))
        return id

    def _new_id(self) -> str:
        return secrets.token_urlsafe(32)  # 256 bits of the system's generator; ASVS 5.0 7.2.3 asks for 128

    def _list(self, user: str, key: str) -> None:
        """Add a session to its user's list and drop those that have ended, so that the list does not grow.

        A record comes before its listing, and no id comes twice: what is listed without one is gone for good.
        """
        index = _index(user)
        for _ in _attempts():
            listed = self._store.get(index)
            if listed is None:
                if self._store.add(index, {"sessions": [key]}):
                    break
                continue
            live = [k for k in listed["sessions"] if k != key and self._live(k, self._clock()) is not None]
            if self._store.replace(index, listed, {"sessions": [*live, key]}):
                break

    def _change(self, id: str | None, change: Callable[[Session, float], None]) -> Session | None:
        """Let `change(session, now)` alter a live session, and return it as stored; None when it has ended.

        By compare-and-swap. A plain write would bring a session back when its log-out came between our read
        and our write; a swap finds the record gone, and fails.
        """
        key = _key(id)
        for _ in _attempts():
            now = self._clock()
            old = self._live(key, now)
            if old is None:
                return None
            change(new := old.copy(), now)
            if self._store.replace(key, old, new):
                return new

    def _live(self, key: str | None, now: float) -> Session | None:
        """Return the session at `key`, or None when there is none or it has ended; what has ended is deleted.

        `now` was taken before the record is read: a record read long ago says nothing of a session in use.
        """
        session = None if key is None else self._store.get(key)
        if session is None:
            return None
        idle, age = now - session["last_seen"], now - session["created_at"]
        if idle >= self._idle_timeout or age >= self._absolute_timeout:
            self._store.delete(key)  # so that it stays ended for a server whose clock is behind ours
            return None
        return session

    def _expiry(self, session: Session) -> float:
        return min(session["last_seen"] + self._idle_timeout, session["created_at"] + self._absolute_timeout)


def _key(id: object) -> str | None:
    """Where the session of `id` is kept; None for what cannot be an id of ours, whatever it is.

    Hashed, so that whoever reads the store finds no id to present. Plain SHA-256 is enough, unlike for a
    password: nobody can try 2^256 ids.
    """
    if not isinstance(id, str) or not re.fullmatch(r"[A-Za-z0-9_-]{43}", id):
        return None
    return "session:" + hashlib.sha256(id.encode()).hexdigest()


def _index(user: str) -> str:
    """Where the list of a user's sessions is kept: {"sessions": [key, ...]}."""
    return "user:" + user


def _attempts() -> Iterator[int]:
    """Count attempts at a write. One fails only where a rival's succeeded: a thousand are a broken store."""
    yield from range(1000)
    raise StoreDown("The session store refused a thousand writes in a row. Check its add() and replace().")
