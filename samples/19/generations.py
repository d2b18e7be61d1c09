import base64
import hmac
import secrets
import time

PEPPER = b"in production this comes from the configuration"


def digest(id):
    return base64.b32encode(hmac.digest(PEPPER, id.encode(), "sha256")).decode()


class Desk:
    """A generation a user instead of a list: revoke_all moves it on, and sessions of an older one are over."""

    def __init__(self, store, policy):
        self.s = store
        self.name, self.idle, self.absolute = policy["cookie"], policy["idle_timeout"], policy["absolute_timeout"]

    def set_cookie(self, id):
        return f"{self.name}={id}; HttpOnly; Secure; SameSite=lax; path=/"

    def clear_cookie(self):
        return f"{self.name}=gone; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; Path=/; HttpOnly"

    def read_id(self, request):
        found = [
            p.strip()[len(self.name) + 1 :]
            for p in request["headers"].get("Cookie", "").split(";")
            if p.strip().startswith(self.name + "=")
        ]
        return found[0] if found and found[0].isalnum() and len(found[0]) == 64 else None

    def user(self, user):
        while True:
            record = self.s.get("u/" + user)
            if record:
                return record
            self.s.add("u/" + user, {"generation": 0, "open": []})

    def create(self, user, elevated, data=None, since=None):
        id, now = secrets.token_hex(32), time.time()
        record = dict(user=user, elevated=elevated, data=data or {}, since=since or now, seen=now)
        if user is None:
            self.s.add(digest(id), record)
            return id
        while True:
            account = self.user(user)
            self.s.delete(digest(id))
            self.s.add(digest(id), dict(record, generation=account["generation"]))
            if self.s.replace("u/" + user, account, dict(account, open=account["open"] + [digest(id)])):
                return id

    def find(self, id):
        if not id:
            return None
        r = self.s.get(digest(id))
        if r is None or time.time() - r["seen"] >= self.idle or time.time() - r["since"] >= self.absolute:
            return None
        if r["user"] is not None and r["generation"] != self.user(r["user"])["generation"]:
            return None
        return r

    def load(self, id):
        while r := self.find(id):
            if self.s.replace(digest(id), r, dict(r, seen=time.time())):
                return r

    def save(self, id, data):
        while r := self.find(id):
            if self.s.replace(digest(id), r, dict(r, data=data)):
                return True
        return False

    def rotate(self, id, user, elevated):
        old = self.find(id)
        keep = bool(old) and (old["user"] is None or old["user"] == user)
        same = bool(old) and old["user"] == user and elevated
        new = self.create(user, elevated, old["data"] if keep else None, old["since"] if same else None)
        if old:
            self.s.delete(digest(id))
        return new

    def revoke(self, id):
        return bool(self.find(id)) and self.s.delete(digest(id))

    def revoke_all(self, user):
        while True:
            account = self.user(user)
            live = sum(bool(self.s.get(key)) for key in account["open"])
            new = {"generation": account["generation"] + 1, "open": []}
            if self.s.replace("u/" + user, account, new):
                return live
