import hashlib
import secrets
import time


class Desk:
    """All sessions in one record: slow, and right, since every change is one swap."""

    def __init__(self, store, policy):
        self.store, self.policy = store, policy
        store.add("desk", {"sessions": {}})

    def change(self, do):
        while True:
            desk = self.store.get("desk")
            copy = {"sessions": {k: dict(v) for k, v in desk["sessions"].items() if self.alive(v)}}
            result = do(copy["sessions"])
            if self.store.replace("desk", desk, copy):
                return result

    def alive(self, one):
        now = time.time()
        return (
            now < one["used"] + self.policy["idle_timeout"]
            and now < one["made"] + self.policy["absolute_timeout"]
        )

    def h(self, id):
        return hashlib.sha512((id or "").encode()).hexdigest()

    def set_cookie(self, id):
        return self.policy["cookie"] + "=" + id + ";Path=/;Secure;HttpOnly;SameSite=Lax;Max-Age=86400"

    def clear_cookie(self):
        return self.policy["cookie"] + "=;Path=/;Secure;HttpOnly;Max-Age=-1"

    def read_id(self, request):
        pairs = dict(
            p.strip().split("=", 1) for p in request["headers"].get("Cookie", "").split(";") if "=" in p
        )
        id = pairs.get(self.policy["cookie"])
        return id if id and 10 < len(id) < 200 and id.isascii() else None

    def create(self, user, elevated):
        return self.rotate(None, user, elevated)

    def load(self, id):
        def do(sessions):
            one = sessions.get(self.h(id))
            if one:
                one["used"] = time.time()
            return one

        return self.change(do)

    def save(self, id, data):
        def do(sessions):
            if self.h(id) in sessions:
                sessions[self.h(id)]["data"] = data
                return True
            return False

        return self.change(do)

    def rotate(self, id, user, elevated):
        new, now = secrets.token_urlsafe(24), time.time()

        def do(sessions):
            old = sessions.pop(self.h(id), None)
            if old and old["user"] not in (None, user):
                old = None
            made = old["made"] if old and elevated and old["user"] == user else now
            data = old["data"] if old else {}
            sessions[self.h(new)] = {
                "user": user,
                "elevated": elevated,
                "data": data,
                "made": made,
                "used": now,
            }
            return new

        return self.change(do)

    def revoke(self, id):
        return self.change(lambda sessions: sessions.pop(self.h(id), None) is not None)

    def revoke_all(self, user):
        def do(sessions):
            theirs = [k for k, v in sessions.items() if v["user"] == user]
            for k in theirs:
                del sessions[k]
            return len(theirs)

        return self.change(do)
