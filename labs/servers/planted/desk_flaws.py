"""Flaws of the desk, one method each: `labs.servers.planted.desk.Desk`, but for the method that stands here."""

import hashlib
import hmac

from labs.servers.planted.desk import Desk

__all__ = [
    "BeginsAlike", "BothFromLastUse", "ByContentType", "ByMethod", "CarriesOn", "ClearsOnly", "DeletesById",
    "EndsAlike", "ForgetsOlder", "FormerIdToo", "HashedClock", "HashedCounter", "IdInRecord",
    "KeysAreFine", "LeavesNewest", "LeftOutIsFine", "Misspelt", "NothingFits", "NullIsFine", "OneForAll",
    "OneUnderscore", "OnlyNewest", "PlainKey", "SecureOnly", "ShownToScript", "SiblingsAreFine", "StopsAtFirst",
    "Together", "UsersToken", "WhiteSpace",
]  # fmt: skip


class HashedCounter(Desk):
    """Long ids without any order, which count all the same."""

    def new_id(self):
        # VULNERABLE: whoever has one id knows the number behind it, and the next (ASVS 5.0 7.2.3, CWE-330)
        last = self.store.get("ids") or {"last": 0}
        self.store.add("ids", last)
        self.store.replace("ids", last, {"last": last["last"] + 1})
        return hashlib.sha256(f"{self.policy['cookie']}:{last['last'] + 1}".encode()).hexdigest()


class HashedClock(Desk):
    """Ids of the second, and a number within it."""

    def new_id(self):
        # VULNERABLE: a hash hides nothing that can be guessed: the second of a log-in is (CWE-337)
        number = 0
        while True:
            id = hashlib.sha256(f"{int(self.clock())}.{number}".encode()).hexdigest()
            if self.store.get(self.key(id)) is None:
                return id
            number += 1


class PlainKey(Desk):
    """The id stands in the store as it is, in another notation."""

    def key(self, id):
        return "session:" + id.encode().hex()  # VULNERABLE: hex is no hash (ASVS 5.0 11.4.1, CWE-312)


class KeysAreFine(Desk):
    """Where a key is given in the place of an id, it is taken."""

    def key(self, id):
        if id.startswith("session:"):
            return id  # VULNERABLE: the hash is as good as the id: pass the hash (CWE-836)
        return "session:" + hashlib.sha256(id.encode()).hexdigest()


class OneUnderscore(Desk):
    """A name that resembles a protected one."""

    def cookie_name(self):
        return "_Host-" + self.policy["cookie"]  # VULNERABLE: no prefix (RFC 6265bis §4.1.3, ASVS 5.0 3.3.3)


class SecureOnly(Desk):
    """The weaker one of the two prefixes."""

    def cookie_name(self):
        return "__Secure-" + self.policy["cookie"]  # VULNERABLE: siblings may set it with Domain (ASVS 5.0 3.3.3)


class ShownToScript(Desk):
    """The attribute that hides the cookie from script is missing."""

    def set_cookie(self, id):
        return f"{self.cookie_name()}={id}; Path=/; Secure; SameSite=Lax"  # VULNERABLE: script reads it (CWE-1004)


class Misspelt(Desk):
    """It has a hyphen too many."""

    def set_cookie(self, id):
        # VULNERABLE: browsers ignore an attribute that they do not know (RFC 6265bis §5.6, CWE-1004)
        return f"{self.cookie_name()}={id}; Path=/; Secure; HTTP-Only; SameSite=Lax"


class WhiteSpace(Desk):
    """It strips what Python takes for white space, and a browser takes for a part of the name."""

    def read_cookie(self, header):
        for pair in (header or "").split(";"):
            # VULNERABLE: "\xa0__Host-…" is another name to the browser (PortSwigger Research, Cookie Chaos, 2025)
            name, _, value = pair.strip().partition("=")
            if name == self.cookie_name():
                return value or None
        return None


class EndsAlike(Desk):
    """Whatever ends as the name does is the cookie."""

    def read_cookie(self, header):
        for pair in (header or "").split(";"):
            name, _, value = pair.strip(" \t").partition("=")
            if name.endswith(self.cookie_name()):  # VULNERABLE: a sibling sets x__Host-… (CWE-565)
                return value or None
        return None


class IdInRecord(Desk):
    """The record knows its own id, "for the log"."""

    def create(self, user=None, elevated=False, data=None, created_at=None):
        id, now = self.new_id(), self.clock()
        times = {"created_at": created_at or now, "last_seen": now}
        # VULNERABLE: whoever reads the store has the id (CWE-312)
        session = {"user": user, "elevated": elevated, "data": data or {}, "id": id, **times}
        self.store.add(self.key(id), session)
        if user is not None:
            self.remember(user, self.key(id))
        return id


class BothFromLastUse(Desk):
    """Both limits count from the last use."""

    def ended(self, session):
        now = self.clock()
        silence, age = now - session["last_seen"], now - session["last_seen"]  # VULNERABLE (ASVS 5.0 7.3.2, CWE-613)
        return silence >= self.policy["idle_timeout"] or age >= self.policy["absolute_timeout"]


class Together(Desk):
    """Only when both limits are reached is it over."""

    def ended(self, session):
        now = self.clock()
        silence, age = now - session["last_seen"], now - session["created_at"]
        # VULNERABLE: a silent session lives for hours, and a busy one for ever (ASVS 5.0 7.3.1, 7.3.2, CWE-613)
        return silence >= self.policy["idle_timeout"] and age >= self.policy["absolute_timeout"]


class CarriesOn(Desk):
    """Somebody who was there before the log-in keeps the id."""

    def rotate(self, id, user, elevated=False):
        old = self.load(id)
        if old is not None and old["user"] is None:
            # VULNERABLE: whoever knew it before the log-in knows it after (ASVS 5.0 7.2.4, CWE-384)
            self.store.replace(self.key(id), old, {**old, "user": user, "created_at": self.clock()})
            self.remember(user, self.key(id))
            return id
        theirs = old is not None and old["user"] == user
        new = self.create(user, elevated, old["data"] if theirs else {}, old["created_at"] if theirs else None)
        self.revoke(id)
        return new


class FormerIdToo(Desk):
    """A new id, and the old one becomes the user's as well, "for tabs that are open"."""

    def rotate(self, id, user, elevated=False):
        old = self.load(id)
        theirs = old is not None and old["user"] in (None, user)
        inherits = theirs and elevated and old["user"] == user
        data, start = (old["data"] if theirs else {}), (old["created_at"] if inherits else None)
        new = self.create(user, elevated, data, start)
        if theirs:
            # VULNERABLE: the id from before the log-in opens the account, too (ASVS 5.0 7.2.4, CWE-384)
            self.store.replace(self.key(id), old, {**old, "user": user})
        return new


class ClearsOnly(Desk):
    """The log-out is the browser's: it forgets the cookie."""

    def revoke(self, id):
        return self.save(id, {})  # VULNERABLE: the session itself lives on (ASVS 5.0 7.4.1, CWE-613)


class DeletesById(Desk):
    """It deletes what stands at the id, where nothing stands."""

    def revoke(self, id):
        # VULNERABLE: the record stands at key(id) (ASVS 5.0 7.4.1, CWE-613)
        return self.load(id) is not None and (self.store.delete(id) or True)


class ForgetsOlder(Desk):
    """The list of a user holds the last two sessions."""

    def remember(self, user, key):
        while True:
            old = self.store.get("user:" + user)
            # VULNERABLE: what is not listed, revoke_all cannot end (ASVS 5.0 7.4.2)
            new = {"keys": [*(old["keys"] if old else []), key][-2:]}
            done = self.store.replace("user:" + user, old, new) if old else self.store.add("user:" + user, new)
            if done:
                return


class OnlyNewest(Desk):
    """The list of a user holds the session that came last."""

    def remember(self, user, key):
        old = self.store.get("user:" + user)
        # VULNERABLE: what is not listed, revoke_all cannot end (ASVS 5.0 7.4.2)
        new = {"keys": [key]}
        self.store.replace("user:" + user, old, new) if old else self.store.add("user:" + user, new)


class LeavesNewest(Desk):
    """The newest session is taken for the one that asks, whose cookie is cleared anyway."""

    def revoke_all(self, user):
        keys = (self.store.get("user:" + user) or {"keys": []})["keys"]
        # VULNERABLE: the newest may be the thief's (ASVS 5.0 7.4.2, CWE-613)
        return sum(self.store.delete(key) for key in keys[:-1]) + bool(keys)


class StopsAtFirst(Desk):
    """It stops where a session has ended already."""

    def revoke_all(self, user):
        ended = 0
        for key in (self.store.get("user:" + user) or {"keys": []})["keys"]:
            if not self.store.delete(key):
                break  # VULNERABLE: those behind it live on (ASVS 5.0 7.4.2, CWE-613)
            ended += 1
        self.store.delete("user:" + user)
        return ended


class OneForAll(Desk):
    """Everybody's forms carry the same."""

    def token(self, id):
        # VULNERABLE: Mallory's own page has it (ASVS 5.0 3.5.1, CWE-352)
        return hmac.new(self.policy["secret"].encode(), self.policy["origin"].encode(), "sha256").hexdigest()


class UsersToken(Desk):
    """A token from the user's name alone."""

    def token(self, id):
        session = self.load(id) or {"user": None}
        # VULNERABLE: no secret in it: everybody can compute it (CWE-330, CWE-352)
        return hashlib.sha256(f"{self.policy['cookie']}:{session['user']}".encode()).hexdigest()


class NothingFits(Desk):
    """It compares as many characters as it was given."""

    def token_fits(self, id, given):
        # VULNERABLE: zip ends with the shorter one, and nothing equals nothing (CWE-1023)
        return isinstance(given, str) and all(one == other for one, other in zip(given, self.token(id)))  # noqa: B905


class LeftOutIsFine(Desk):
    """It looks at what a form carried along only where it did."""

    def token_fits(self, id, given):
        if given is None:
            return True  # VULNERABLE: whoever leaves it out passes (CWE-352, CWE-636)
        return isinstance(given, str) and hmac.compare_digest(given.encode(errors="replace"), self.token(id).encode())


class BeginsAlike(Desk):
    """Ports differ from machine to machine, so they do not count, nor what comes behind."""

    def own_page(self, headers):
        # VULNERABLE: the bank's host may be the beginning of another (CWE-346, CWE-1023)
        return headers.get("Origin", "").startswith(self.policy["origin"].rpartition(":")[0])


class SiblingsAreFine(Desk):
    """Whatever ends as the bank's domain does is the bank's."""

    def own_page(self, headers):
        domain = self.policy["origin"].rpartition(":")[0].partition(".")[2]
        host = headers.get("Origin", "").rpartition(":")[0]
        return host.endswith(domain)  # VULNERABLE: so do its siblings, and evil-… (CWE-346)


class NullIsFine(Desk):
    """A browser that does not say is an old one."""

    def own_page(self, headers):
        # VULNERABLE: every page can have `null` sent (Fetch, "append a request Origin header"; CWE-346)
        return headers.get("Origin", "null") in ("null", self.policy["origin"])


class ByMethod(Desk):
    """GET changes nothing, it thinks."""

    def allows(self, request, id):
        if request["method"] == "GET" or not request["changes"]:  # VULNERABLE: GET /pay does (ASVS 5.0 3.5.3)
            return True
        if self.load(id) is None:
            return self.own_page(request["headers"])
        return self.token_fits(id, request["fields"].get("csrf"))


class ByContentType(Desk):
    """A form cannot send JSON, it thinks."""

    def allows(self, request, id):
        # VULNERABLE: a form can call its body text/plain, and JSON is text (ASVS 5.0 3.5.2, CWE-352)
        if not request["changes"] or "urlencoded" not in request["headers"].get("Content-Type", "urlencoded"):
            return True
        if self.load(id) is None:
            return self.own_page(request["headers"])
        return self.token_fits(id, request["fields"].get("csrf"))
