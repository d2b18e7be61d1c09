"""Fernbank's session desk."""

import hashlib
import hmac
import secrets
import time


class Desk:
    """Sessions, their cookie, and what tells a request that was meant from one that was forged.

    `store`: get, add, replace and delete. `policy`: "cookie", "origin", "secret" (text), and two timeouts in seconds.
    """

    def __init__(self, store, policy, clock=time.time):
        self.store, self.policy, self.clock = store, policy, clock

    def new_id(self):
        """A new session id, which nobody can guess."""
        return secrets.token_urlsafe(32)

    def key(self, id):
        """Where the session of this id stands. Nothing that stands in the store opens a session."""
        return "session:" + hashlib.sha256(id.encode()).hexdigest()

    def cookie_name(self):
        """The cookie's name. A browser takes a cookie of this name from this host alone."""
        return "__Host-" + self.policy["cookie"]

    def set_cookie(self, id):
        """The Set-Cookie value that gives the browser this id, and shows it to no script."""
        return f"{self.cookie_name()}={id}; Path=/; Secure; HttpOnly; SameSite=Lax"

    def clear_cookie(self):
        """The Set-Cookie value that makes the browser forget the id."""
        return self.set_cookie("") + "; Max-Age=0"

    def read_cookie(self, header):
        """The id in a request's Cookie header (text or None), or None. No other cookie counts."""
        for pair in (header or "").split(";"):
            name, _, value = pair.strip(" \t").partition("=")
            if name == self.cookie_name():
                return value or None
        return None

    def create(self, user=None, elevated=False, data=None, created_at=None):
        """Start a session, put it on its user's list, and only then give its id away."""
        id, now = self.new_id(), self.clock()
        times = {"created_at": created_at or now, "last_seen": now}
        session = {"user": user, "elevated": elevated, "data": data or {}, **times}
        self.store.add(self.key(id), session)
        if user is not None:
            self.remember(user, self.key(id))
        return id

    def ended(self, session):
        """Whether a session is over: after so much silence, or so long after the log-in, however busy."""
        now = self.clock()
        silence, age = now - session["last_seen"], now - session["created_at"]
        return silence >= self.policy["idle_timeout"] or age >= self.policy["absolute_timeout"]

    def load(self, id):
        """The session of this id, or None. To be used starts its idle time anew."""
        while id and (session := self.store.get(self.key(id))) is not None:
            if self.ended(session):
                self.store.delete(self.key(id))
                return None
            seen = {**session, "last_seen": self.clock()}
            if self.store.replace(self.key(id), session, seen):
                return seen
        return None

    def save(self, id, data):
        """Keep the data of a session. False when it has ended."""
        while (session := self.load(id)) is not None:
            if self.store.replace(self.key(id), session, {**session, "data": data}):
                return True
        return False

    def rotate(self, id, user, elevated=False):
        """A new id after a password; the old one ends. Its data go along, and its start if the user only confirms."""
        old = self.load(id)
        theirs = old is not None and old["user"] in (None, user)
        inherits = theirs and elevated and old["user"] == user
        data, start = (old["data"] if theirs else {}), (old["created_at"] if inherits else None)
        new = self.create(user, elevated, data, start)
        self.revoke(id)
        return new

    def revoke(self, id):
        """End this session, here at the server. False when there was none."""
        return self.load(id) is not None and self.store.delete(self.key(id))

    def remember(self, user, key):
        """Put a session's key on its user's list, where revoke_all looks."""
        while True:
            old = self.store.get("user:" + user)
            new = {"keys": [*(old["keys"] if old else []), key]}
            done = self.store.replace("user:" + user, old, new) if old else self.store.add("user:" + user, new)
            if done:
                return

    def revoke_all(self, user):
        """End every session of a user, on every device. How many there were."""
        ended = 0
        for key in (self.store.get("user:" + user) or {"keys": []})["keys"]:
            ended += self.store.delete(key)
        self.store.delete("user:" + user)
        return ended

    def token(self, id):
        """What the forms of this session carry along: nobody can make it, or has it from another session."""
        return hmac.new(self.policy["secret"].encode(), id.encode(), "sha256").hexdigest()

    def token_fits(self, id, given):
        """Whether what a form carried along (anything, or None) is the token of this session."""
        return isinstance(given, str) and hmac.compare_digest(given.encode(errors="replace"), self.token(id).encode())

    def own_page(self, headers):
        """Whether the bank's own page sent this: by Origin, which the browser writes and no page can choose."""
        return headers.get("Origin") == self.policy["origin"]

    def allows(self, request, id):
        """Whether what changes something was meant: by its session's token or, without a session, by own_page."""
        if not request["changes"]:
            return True
        if self.load(id) is None:
            return self.own_page(request["headers"])
        return self.token_fits(id, request["fields"].get("csrf"))
