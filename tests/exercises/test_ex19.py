"""Lab 19: wrong desks are refused by the probe that should, right ones are accepted however they are built."""

import re
from functools import cache
from pathlib import Path

import nbformat
import pytest
from answers import judged

from labs.exercises import judge

SOURCE = Path(__file__).parents[2] / "solutions" / "19_lab_the_session_desk.ipynb"


@cache
def solution():
    """The desk of solutions/19, without the markers."""
    cells = nbformat.read(SOURCE, as_version=4).cells
    text = next(cell.source for cell in cells if cell.source.startswith("import") and "class Desk" in cell.source)
    return re.sub(r"\n *### (BEGIN|END) SOLUTION.*", "", text)


def changed(old, new, source=None):
    """The solution (or `source`) with one thing done differently."""
    source = source or solution()
    assert old in source, f"{old!r} does not stand in the solution any more"
    return source.replace(old, new)


def loose():
    """The solution, with a read_id() that takes a value of any form."""
    return changed(CHECKED, "return value or None")


KEY = 'return "session:" + hashlib.sha256(id.encode()).hexdigest()'
SWAP = "if self.store.replace(self._key(id), record, new):"
PLAIN_WRITE = "self.store.delete(self._key(id))\n            if self.store.add(self._key(id), new):"
ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Lax"
REVOKE = "return self._live(id) is not None and self.store.delete(self._key(id))"
REPLACE_LIST = 'done = self.store.replace("user:" + user, listed, {"keys": [*listed["keys"], self._key(id)]})'
EMPTY_LIST = 'if self.store.replace("user:" + user, listed, {"keys": []}):'
READ = 'for pair in request["headers"].get("Cookie", "").split(";"):'
CHECKED = 'return value if re.fullmatch(r"[\\w-]{43}", value, re.ASCII) else None'

WRONG = {
    # tier 1
    "log-out only clears the cookie": ("19.1", REVOKE, "return True", "After log-out the id is worth nothing"),
    "takes up unknown ids": (
        "19.1",
        "        if record is None:\n            return None\n",
        "        if record is None:\n"
        "            record = {'user': None, 'elevated': False, 'data': {}, 'created_at': time.time(),\n"
        "                      'last_seen': time.time()}\n"
        "            self.store.add(self._key(id), record)\n",
        "An id that the desk never gave out is not adopted",
    ),
    "reads the id from the address": (
        "19.1",
        "        " + READ,
        "        if '=' in request['path']:\n            return request['path'].split('=')[1]\n        " + READ,
        "An id in the address is no id",
    ),
    "falls over a malformed cookie": (
        "19.1",
        'name, _, value = pair.strip().partition("=")',
        'name, value = pair.strip().split("=")',
        "Malformed cookies are no cookies",
    ),
    "takes any cookie whose name begins so": (
        "19.1",
        'if name == self.policy["cookie"]:',
        'if name.startswith(self.policy["cookie"]):',
        "Malformed cookies are no cookies",
    ),
    "only the first cookie": ("19.1", '.split(";"):', '.split(";")[:1]:', "Malformed cookies are no cookies"),
    "a short id": (
        "19.1",
        "secrets.token_urlsafe(32)",
        "secrets.token_hex(7).rjust(43, '0')",
        "Ids carry at least 128 bits, and a restart repeats none",
    ),
    "an id from the clock": (
        "19.1",
        "secrets.token_urlsafe(32)",
        "hashlib.sha256(f'{time.time()} {user}'.encode()).hexdigest()[:43]",
        "Ids carry at least 128 bits, and a restart repeats none",
    ),
    "a counter, hashed": (
        "19.1",
        "id = secrets.token_urlsafe(32)",
        "self.n = getattr(self, 'n', 0) + 1\n        id = hashlib.sha256(str(self.n).encode()).hexdigest()[:43]",
        "Ids carry at least 128 bits, and a restart repeats none",
    ),
    "script can read it": ("19.1", ATTRIBUTES, "Path=/; Secure; SameSite=Lax", "Script cannot read the cookie"),
    "no SameSite, None": ("19.1", "SameSite=Lax", "SameSite=None", "Another site's form does not carry it"),
    "Strict": ("19.1", "SameSite=Lax", "SameSite=Strict", "A link from another site finds Ana logged in"),
    "not Secure": ("19.1", "Secure; ", "", "A link from another site finds Ana logged in"),
    "for the whole domain": (
        "19.1",
        "Path=/;",
        "Path=/; Domain=fernbank.example;",
        "A link from another site finds Ana logged in",
    ),
    "another name": (
        "19.1",
        "f\"{self.policy['cookie']}={id}; ",
        'f"sid={id}; ',
        "Ana and Ben log in, and each sees their own account",
    ),
    "clears nothing": ("19.1", '+ "; Max-Age=0"', "", "Ana logs out, and logs in again the next minute"),
    "one session a user": (
        "19.1",
        "        times = {",
        "        if user is not None:\n            self.revoke_all(user)\n        times = {",
        "Ana logs out on the phone, and her laptop stays in",
    ),
    "saves nothing": (
        "19.1",
        'return self._change(id, {"data": data}) is not None',
        "return self._change(id, {}) is not None",
        "A visitor fills a basket without logging in",
    ),
    "revoke says True regardless": (
        "19.1",
        REVOKE,
        "self.store.delete(self._key(id))\n        return True",
        "After log-out the id is worth nothing",
    ),
    "save asks no timeout": (
        "19.3",
        'return self._change(id, {"data": data}) is not None',
        "record = self.store.get(self._key(id))\n"
        "        new = {**(record or {}), 'data': data, 'last_seen': time.time()}\n"
        "        return record is not None and self.store.replace(self._key(id), record, new)",
        "Silence ends a session, exactly at the idle timeout",
    ),
    # tier 2
    "keeps the id at log-in": (
        "19.2",
        "        old = self._live(id)\n",
        "        old = self._live(id)\n"
        "        if old is not None:\n"
        "            self._change(id, {'user': user, 'elevated': elevated})\n"
        "            return id\n",
        "Nor is a valid anonymous id of Mallory's",
    ),
    "takes the browser's id at log-in": (
        "19.2",
        "        old = self._live(id)\n",
        "        old = self._live(id)\n"
        "        if old is None and id:\n"
        "            self.store.add(self._key(id), {'user': user, 'elevated': elevated, 'data': {},\n"
        "                           'created_at': time.time(), 'last_seen': time.time()})\n"
        "            return id\n",
        "An id that Mallory made up is not Ana's after her log-in",
    ),
    "leaves the old session": (
        "19.2",
        "        if old is not None:\n            self.store.delete(self._key(id))\n        return new",
        "        return new",
        "Nor is a valid anonymous id of Mallory's",
    ),
    "leaves the old session at an elevation": (
        "19.2",
        "        if old is not None:\n            self.store.delete(self._key(id))\n        return new",
        "        if old is not None and not elevated:\n"
        "            self.store.delete(self._key(id))\n        return new",
        "The id from before an elevation is dead",
    ),
    "loses the basket": ("19.2", 'old["data"] if theirs else {}', "{}", "The basket survives the log-in"),
    "hands Ana's basket to Ben": (
        "19.2",
        'old["data"] if theirs else {}',
        'old["data"] if old else {}',
        "Another customer's log-in inherits nothing",
    ),
    "once elevated, always elevated": (
        "19.2",
        "        created_at = old[",
        "        elevated = elevated or bool(old and old['elevated'])\n        created_at = old[",
        "Another customer's log-in inherits nothing",
    ),
    "never elevated": (
        "19.2",
        "new = self._start(user, elevated,",
        "new = self._start(user, False,",
        "After her password once more Ana moves a large sum",
    ),
    "always elevated": (
        "19.2",
        "new = self._start(user, elevated,",
        "new = self._start(user, True,",
        "After her password once more Ana moves a large sum",
    ),
    "falls over a stale cookie": (
        "19.2",
        "theirs = old is not None and old",
        "theirs = (id is None or old['user']) and old is not None and old",
        "Somebody with a stale cookie can still log in",
    ),
    # tier 3
    "one second too long": (
        "19.3",
        'idle >= self.policy["idle_timeout"]',
        'idle > self.policy["idle_timeout"]',
        "Silence ends a session, exactly at the idle timeout",
    ),
    "one second too long in all": (
        "19.3",
        'age >= self.policy["absolute_timeout"]',
        'age > self.policy["absolute_timeout"]',
        "Constant activity does not stretch the absolute timeout",
    ),
    "no idle timeout": (
        "19.3",
        'idle >= self.policy["idle_timeout"] or ',
        "",
        "Silence ends a session, exactly at the idle timeout",
    ),
    "no absolute timeout": (
        "19.3",
        ' or age >= self.policy["absolute_timeout"]',
        "",
        "Constant activity does not stretch the absolute timeout",
    ),
    "the idle time never slides": (
        "19.3",
        '"last_seen": time.time()}\n            if',
        '"last_seen": record["last_seen"]}\n            if',
        "A customer who keeps clicking stays in",
    ),
    "numbers of its own": ("19.3", 'self.policy["idle_timeout"]', "1800", None),
    "an elevation stretches it": (
        "19.3",
        'old["created_at"] if inherits else time.time()',
        "time.time()",
        "Nor does an elevation stretch it",
    ),
    "a log-in inherits the absolute limit": (
        "19.3",
        "inherits = theirs and elevated and",
        "inherits = theirs and",
        "A new log-in starts both clocks anew",
    ),
    "raw ids as keys": ("19.3", KEY, 'return "session:" + id', "Whoever reads the store finds no id in it"),
    "the id spelled in hex": (
        "19.3",
        KEY,
        'return "session:" + id.encode().hex()',
        "Whoever reads the store finds no id in it",
    ),
    "the id in the record": (
        "19.3",
        '"data": data, **times}',
        '"data": data, "id": id, **times}',
        "Whoever reads the store finds no id in it",
    ),
    "the hash opens, too": (
        "19.3",
        "record = self.store.get(self._key(id)) if id else None",
        "record = (self.store.get(self._key(id)) or self.store.get('session:' + id)) if id else None",
        "What stands in the store opens no session",
    ),
    # tier 4
    "a plain write": ("19.4", SWAP, PLAIN_WRITE, "A log-out during a request: the session does not come back"),
    "out when somebody was faster": (
        "19.4",
        "                return new\n        return None",
        "                return new\n            return None\n        return None",
        "Two tabs load at the same moment, and both are served",
    ),
    "save brings it back": (
        "19.4",
        'return self._change(id, {"data": data}) is not None',
        "record = self._live(id)\n"
        "        if record is None:\n            return False\n"
        "        self.store.delete(self._key(id))\n"
        '        return self.store.add(self._key(id), {**record, "data": data})',
        "A log-out while a basket is saved: nothing comes back",
    ),
    "save says True regardless": (
        "19.4",
        'return self._change(id, {"data": data}) is not None',
        'self._change(id, {"data": data})\n        return True',
        "A log-out while a basket is saved: nothing comes back",
    ),
    "log out everywhere is log out here": (
        "19.4",
        'for key in listed["keys"])',
        'for key in listed["keys"][:1])',
        "Log out everywhere: three devices are out, and Ben stays",
    ),
    "log everybody out": (
        "19.4",
        '"user:" + user',
        '"users"',
        "Log out everywhere: three devices are out, and Ben stays",
    ),
    "the list is written blindly": (
        "19.4",
        REPLACE_LIST,
        'self.store.delete("user:" + user)\n'
        '                done = self.store.add("user:" + user, {"keys": [*listed["keys"], self._key(id)]})\n'
        "                done = True",
        "Two log-ins at once are both found by revoke_all",
    ),
    "the list is deleted at the end": (
        "19.4",
        EMPTY_LIST,
        'if self.store.delete("user:" + user):',
        "A log-in in the middle of revoke_all is out, or is found next time",
    ),
    "an outage is a log-out": (
        "19.4",
        "record = self.store.get(self._key(id)) if id else None",
        "try:\n            record = self.store.get(self._key(id)) if id else None\n"
        "        except Exception:\n            record = None",
        "The store fails, comes back, and nobody was logged out",
    ),
}
WRONG["the list is overwritten"] = (
    "19.4",
    '{"keys": [*listed["keys"], self._key(id)]}',
    '{"keys": [self._key(id)]}',
    "Log out everywhere: three devices are out, and Ben stays",
)


@pytest.mark.parametrize(("tier", "old", "new", "probe"), WRONG.values(), ids=WRONG)
def test_a_wrong_desk_is_refused_by_the_probe_that_should(tier, old, new, probe):
    report = judged(tier, changed(old, new, loose() if "self.store.get('session:' + id)" in new else None))
    failed = {verdict.probe: verdict for verdict in report.verdicts if not verdict.passed}
    assert report.status in ("partly", "failed"), report.message
    assert probe is None or (probe in failed and "counts only once" not in failed[probe].happened)
    assert all(verdict.happened for verdict in failed.values())


def test_a_desk_that_lists_a_session_before_it_is_stored_is_refused():
    store_it = re.search(r"        self\.store\.add\(self\._key\(id\), .*\n", solution())[0]
    source = changed(store_it, "")
    source = changed("        return id\n\n    def _key", store_it + "        return id\n\n    def _key", source)
    report = judged("19.4", source)
    assert [one.probe for one in report.verdicts if not one.passed] == [
        "A log-in in the middle of revoke_all is out, or is found next time"
    ]


TIERS = ("19.1", "19.2", "19.3", "19.4")


@pytest.mark.parametrize("tier", TIERS)
def test_a_desk_that_refuses_everybody_earns_nothing(tier):
    refuses = """
class Desk:
    def __init__(self, store, policy): pass
    def set_cookie(self, id): return "__Host-x=1; Path=/; Secure; HttpOnly; SameSite=Lax"
    def clear_cookie(self): return "__Host-x=; Path=/; Secure; Max-Age=0"
    def read_id(self, request): return None
    def create(self, user, elevated): return "x" * 43
    def load(self, id): return None
    def save(self, id, data): return False
    def rotate(self, id, user, elevated): return "x" * 43
    def revoke(self, id): return True
    def revoke_all(self, user): return 0
"""
    attack_points = [one for one in judge(tier, refuses).verdicts if one.passed]
    assert sum(one.points for one in attack_points) <= 1


#: Also what `classroom samples` hands in.
OTHERS = SOURCE.parents[1] / "samples" / "19"
RIGHT = {
    "the solution": None,
    "generations, and HMAC": (OTHERS / "generations.py").read_text("utf-8"),
    "one record for all": (OTHERS / "one_record.py").read_text("utf-8"),
}


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("source", RIGHT.values(), ids=RIGHT)
def test_a_right_desk_is_accepted_however_it_is_built(source, tier):
    report = judged(tier, source or solution())
    wrong = [(one.probe, one.expected, one.happened) for one in report.verdicts if not one.passed]
    assert (report.status, wrong) == ("passed", []), report.message
