"""The session desk: the one place where a bank speaks with the mechanism that it was handed."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol
from weakref import WeakValueDictionary

from flask import Response, g, request

from labs.servers.answers import Refusal
from labs.servers.office import ask, unusable

__all__ = ["Cookie", "Desk", "Mechanism"]


class Mechanism(Protocol):
    """What a bank needs of a session mechanism. Each method may raise StoreDown.

    Ids are text. A record is a dict with "user" (text or None), and perhaps "elevated" (bool), "data" (dict).
    """

    def create(self, user: str | None = None, elevated: bool = False) -> str: ...
    def load(self, id: str) -> dict | None: ...
    def save(self, id: str, data: dict) -> bool: ...
    def rotate(self, id: str | None, user: str, elevated: bool = False) -> str: ...
    def revoke(self, id: str) -> bool: ...
    def revoke_all(self, user: str) -> int: ...


class Cookie(Protocol):
    """What a bank needs of a cookie policy: a Set-Cookie value, and the id out of a Cookie header."""

    def set(self, id: str) -> str: ...
    def clear(self) -> str: ...
    def read(self, cookie_header: str | None) -> str | None: ...


class Desk:
    """Sessions as the bank's routes use them: who is there, who comes, who goes.

    Every method works on the current request, and may raise StoreDown or MechanismFailed.
    """

    def __init__(self, sessions: Mechanism, cookie: Cookie, knows: Callable[[str], bool]) -> None:
        self._sessions, self._cookie, self._knows = sessions, cookie, knows
        self._baskets: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
        self._lock = threading.Lock()

    def session(self) -> dict | None:
        """The session that the cookie names: {"user", "elevated", "data"}, or None. It is looked up once."""
        if "session" not in g:
            id = self.id()
            g.session = None if id is None else self._load(id)
            g.user = g.session["user"] if g.session else None
        return g.session

    def user(self) -> str:
        """Who is logged in. Raises Refusal (401) when nobody is."""
        session = self.session()
        if session is None or session["user"] is None:
            raise Refusal(401, "You are not logged in: log in first.", form="login")
        return session["user"]

    def admit(self, user: str, elevated: bool = False) -> None:
        """Somebody has just proved to be `user`: they get a new id, always (ASVS 5.0 7.2.4)."""
        self._give(_text("rotate", self._call(self._sessions, "rotate", self.id(), user, elevated)))

    def dismiss(self) -> str | None:
        """End this session; gives who was logged in."""
        session, id = self.session(), self.id()
        if id is not None:
            self._call(self._sessions, "revoke", id)
        self._take()
        return session["user"] if session else None

    def dismiss_all(self, user: str) -> int:
        """End every session of `user`; gives how many there were."""
        ended = self._call(self._sessions, "revoke_all", user)
        if type(ended) is not int:
            raise unusable("revoke_all", ended, "the number of sessions it ended")
        self._take()
        return ended

    def some_id(self) -> str:
        """The id of this browser's session; where there is no session one begins, which is nobody's yet."""
        if self.session() is None:
            g.id = _text("create", self._call(self._sessions, "create"))
            self._give(g.id)
            g.pop("session", None)
        return g.id

    def basket(self) -> list[str]:
        """What lies in the visitor's basket."""
        session = self.session()
        return _basket(session["data"]) if session else []

    def put_in_basket(self, item: str, most: int) -> list[str]:
        """Put an item into the basket; give what is in it now. Where there is no session one begins.

        Raises Refusal (409) when `most` things are in it.
        """
        id = self.id()
        with self._one_at_a_time(id):  # or two tabs that load, add and save at once would lose one of two items
            session = None if id is None else self._load(id)
            if session is not None:
                g.user = session["user"]
                items = _basket(session["data"])
                if len(items) >= most:
                    raise Refusal(409, f"The basket is full: it holds {most} things.")
                items = [*items, item]
                if self._save(id, {**session["data"], "basket": items}):
                    return items
        # There is no session, or it ended at this very moment: what comes now belongs to nobody yet.
        id = _text("create", self._call(self._sessions, "create"))
        self._save(id, {"basket": [item]})
        self._give(id)
        return [item]

    def keep(self, data: dict) -> bool:
        """Replace the data of the session that this request has, or was just given. False when it has ended."""
        id = self.id()
        return id is not None and self._save(id, data)

    @contextmanager
    def alone(self) -> Iterator[dict | None]:
        """Look the session up anew, and let no other request of it in here meanwhile."""
        with self._one_at_a_time(self.id()):
            g.pop("session", None)
            yield self.session()

    def set_cookie(self, response: Response) -> Response:
        """Add what the route decided about the cookie; where it decided nothing, the cookie stays."""
        if "set_cookie" in g:
            response.headers.add("Set-Cookie", g.set_cookie)
        return response

    def id(self) -> str | None:
        """The session id that came with the request, whatever it is worth."""
        if "id" not in g:
            g.id = self._call(self._cookie, "read", request.headers.get("Cookie"))
            if g.id is not None and not isinstance(g.id, str):
                raise unusable("read", g.id, "a text or None")
        return g.id

    def _load(self, id: str) -> dict | None:
        session = self._call(self._sessions, "load", id)
        if session is None:
            return None
        if not isinstance(session, dict) or "user" not in session:
            raise unusable("load", session, 'a dict with "user", or None')
        user, elevated, data = session["user"], session.get("elevated", False), session.get("data", {})
        if not (isinstance(user, str | None) and isinstance(elevated, bool) and isinstance(data, dict)):
            raise unusable("load", session, 'a text or None as "user", a bool as "elevated", a dict as "data"')
        if user is not None and not self._knows(user):  # a forger's invention: a stranger, not a failure
            user = None
        return {"user": user, "elevated": elevated, "data": data}

    def _save(self, id: str, data: dict) -> bool:
        saved = self._call(self._sessions, "save", id, data)
        if not isinstance(saved, bool):
            raise unusable("save", saved, "True, or False when the session has ended")
        return saved

    def _give(self, id: str) -> None:
        g.set_cookie = header("set", self._call(self._cookie, "set", id))
        g.id = id  # from here on this is the session of the request
        g.pop("session", None)

    def _take(self) -> None:
        g.set_cookie = header("clear", self._call(self._cookie, "clear"))

    def _call(self, part: Any, method: str, *args: Any) -> Any:
        return ask("session mechanism", lambda: getattr(part, method)(*args))

    def _one_at_a_time(self, id: str | None) -> threading.Lock:
        with self._lock:  # one lock an id, for as long as somebody holds it
            return threading.Lock() if id is None else self._baskets.setdefault(id, threading.Lock())


def _basket(data: dict) -> list[str]:
    items = data.get("basket", [])
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise unusable("load", {"data": data}, "the data as they were saved")
    return items


def _text(method: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise unusable(method, value, "a session id, which is a text")
    return value


def header(method: str, value: Any, what: str = "session mechanism") -> str:
    """A Set-Cookie value, which `method` gave. A line break in it would let whoever chose it write more headers."""
    if not isinstance(value, str) or not re.fullmatch(r"[\x20-\x7e\xa0-\xff]+", value):
        raise unusable(method, value, "the value of a Set-Cookie header, which is one line of text", what)
    return value
