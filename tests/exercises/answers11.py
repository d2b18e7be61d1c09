"""Answers to exercises 11.1 to 11.4, right and wrong."""


# ---- 11.1 ----------------------------------------------------------------------------------------------------

CONTRACT = "Four methods, and each answers as it should"
EQUAL = "What was stored comes back equal, at every server"
BANK = "A bank runs on it, for busy customers too"
ENDED = "A record that has ended is as if it were gone"
WRITERS = "Of two who replace the same record one wins"
ADDS = "Of two who add at the same moment one wins"
DELETED = "A record that was deleted does not come back"
LOGOUT = "A log-out while a page loads: the session stays gone"
QUOTE = "A quote is only a quote"
DOWN = "When the database is down, StoreDown comes through"

STORE = """
import json
import time

def row(key, value):
    return [key, json.dumps(value, sort_keys=True), value.get("expires_at", 9e99)]

class Store:
    def __init__(self, db):
        self.db = db
        db.execute("CREATE TABLE IF NOT EXISTS records (key TEXT PRIMARY KEY, value TEXT, expires_at REAL)", [])

    def get(self, key):
        rows, _ = self.db.execute("SELECT value FROM records WHERE key = ? AND expires_at > ?", [key, time.time()])
        return json.loads(rows[0][0]) if rows else None

    def add(self, key, value):
        self.db.execute("DELETE FROM records WHERE key = ? AND expires_at <= ?", [key, time.time()])
        _, changed = self.db.execute("INSERT INTO records VALUES (?, ?, ?) ON CONFLICT DO NOTHING", row(key, value))
        return changed == 1

    def replace(self, key, old, new):
        _, text, end = row(key, new)
        _, changed = self.db.execute(
            "UPDATE records SET value = ?, expires_at = ? WHERE key = ? AND value = ? AND expires_at > ?",
            [text, end, key, row(key, old)[1], time.time()],
        )
        return changed == 1

    def delete(self, key):
        _, changed = self.db.execute("DELETE FROM records WHERE key = ?", [key])
        return changed == 1
"""
ADD = STORE[STORE.index("    def add") : STORE.index("    def replace")]
REPLACE = STORE[STORE.index("    def replace") : STORE.index("    def delete")]
SWAP = 'row(key, old)[1], time.time()],\n        )\n        return changed == 1'

CHECK_FIRST = """    def replace(self, key, old, new):
        if self.get(key) != old:
            return False
        _, text, end = row(key, new)
        self.db.execute("UPDATE records SET value = ?, expires_at = ? WHERE key = ?", [text, end, key])
        return True

"""
LOOK_FIRST = """    def add(self, key, value):
        if self.get(key) is not None:
            return False
        self.db.execute("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", row(key, value))
        return True

"""
STORE_RIGHT = {
    "an insert that fails is a key that is taken": (
        ADD,
        """    def add(self, key, value):
        self.db.execute("DELETE FROM records WHERE key = ? AND expires_at <= ?", [key, time.time()])
        try:
            self.db.execute("INSERT INTO records VALUES (?, ?, ?)", row(key, value))
        except TypeError:
            return False
        return True

""",
    ),
    "one statement for add": (
        ADD,
        """    def add(self, key, value):
        sql = '''INSERT INTO records VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE
                 SET value = excluded.value, expires_at = excluded.expires_at WHERE records.expires_at <= ?'''
        return self.db.execute(sql, row(key, value) + [time.time()])[1] == 1

""",
    ),
    "compare dicts, then swap the text that was read": (
        REPLACE,
        """    def replace(self, key, old, new):
        sql = "SELECT value FROM records WHERE key = ? AND expires_at > ?"
        rows = self.db.execute(sql, [key, time.time()])[0]
        if not rows or json.loads(rows[0][0]) != old:
            return False
        _, text, end = row(key, new)
        sql = "UPDATE records SET value = ?, expires_at = ? WHERE key = ? AND value = ?"
        return self.db.execute(sql, [text, end, key, rows[0][0]])[1] == 1

""",
    ),
    "a table of its own, with no end in it": '''
import json, time

class Store:
    def __init__(self, db):
        self.db = db
        db.execute("CREATE TABLE IF NOT EXISTS mine (k TEXT NOT NULL UNIQUE, v TEXT)")

    def text(self, key):
        rows, _ = self.db.execute("SELECT v FROM mine WHERE k = ?", [key])
        if rows and json.loads(rows[0][0]).get("expires_at", time.time() + 1) <= time.time():
            self.db.execute("DELETE FROM mine WHERE k = ? AND v = ?", [key, rows[0][0]])
            return None
        return rows[0][0] if rows else None

    def get(self, key):
        text = self.text(key)
        return text and json.loads(text)

    def add(self, key, value):
        self.text(key)
        return bool(self.db.execute("INSERT OR IGNORE INTO mine VALUES (?, ?)", [key, json.dumps(value)])[1])

    def replace(self, key, old, new):
        text = self.text(key)
        if text is None or json.loads(text) != old:
            return False
        sql = "UPDATE mine SET v = ? WHERE k = ? AND v = ? RETURNING k"
        return len(self.db.execute(sql, [json.dumps(new), key, text])[0]) == 1

    def delete(self, key):
        return self.db.execute("DELETE FROM mine WHERE k = ?", [key])[1] > 0
''',
}
STORE_WRONG = {
    "replace compares in Python, and then writes": (
        (REPLACE, CHECK_FIRST),
        {
            WRITERS: "replace() told one True, and the other True",
        },
    ),
    "replace compares, and puts the row back if need be": (
        (
            REPLACE,
            CHECK_FIRST.replace(
                'self.db.execute("UPDATE records SET value = ?, expires_at = ? WHERE key = ?", [text, end, key])',
                'self.db.execute("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", [key, text, end])',
            ),
        ),
        {
            WRITERS: "replace() told one True, and the other True",
            DELETED: "get() gave {",
            LOGOUT: "GET /balance still answered 200",
        },
    ),
    "a plain write": (
        ("WHERE key = ? AND value = ? AND expires_at > ?", "WHERE key = ? AND ? IS NOT NULL AND expires_at > ?"),
        {CONTRACT: "replace() gave True"},
    ),
    "replace always says True": ((SWAP, SWAP.replace("changed == 1", "True")), {CONTRACT: "replace() gave True"}),
    "replace makes a record where there is none": (
        (
            SWAP,
            SWAP.replace("changed == 1", "changed == 1 or (self.get(key) is None and self.add(key, new))"),
        ),
        {
            DELETED: "replace() gave True",
            ENDED: "replace() gave True",
            LOGOUT: "GET /balance still answered 200",
        },
    ),
    "text that depends on the order of the keys": ((", sort_keys=True", ""), {CONTRACT: "replace() gave False"}),
    "add looks first": ((ADD, LOOK_FIRST), {ADDS: "add() told one True, and the other True"}),
    "add throws a row away that has ended, or what has taken its place": (
        (
            'self.db.execute("DELETE FROM records WHERE key = ? AND expires_at <= ?", [key, time.time()])',
            'if self.get(key) is None:\n            self.db.execute("DELETE FROM records WHERE key = ?", [key])',
        ),
        {ADDS: "add() told one True, and the other True"},
    ),
    "add overwrites": (
        ("ON CONFLICT DO NOTHING", "ON CONFLICT (key) DO UPDATE SET value = excluded.value"),
        {CONTRACT: "add() gave True"},
    ),
    "True and False as numbers": (
        ("return changed == 1", "return changed"),
        {CONTRACT: "add() gave 1", EQUAL: "add() gave 1"},
    ),
    "delete says nothing": (
        ("[key])\n        return changed == 1", "[key])"),
        {CONTRACT: "delete() gave None"},
    ),
    "str instead of JSON": (
        [("json.dumps(value, sort_keys=True)", "str(value)"), ("json.loads(rows[0][0])", "rows[0][0]")],
        {CONTRACT: "get() gave \"{", EQUAL: "get() gave \"{", BANK: "cannot use"},
    ),
    "default=str loses nothing but what is not text": (
        ("json.dumps(value, sort_keys=True)", "json.dumps({k: str(v) for k, v in value.items()}, sort_keys=True)"),
        {CONTRACT: "get() gave {", EQUAL: "get() gave {", BANK: "cannot use"},
    ),
    "a dict in the process": (
        [
            ("self.db = db", "self.db, self.kept = db, {}"),
            ("rows, _ = ", "if key in self.kept:\n            return self.kept[key]\n        rows, _ = "),
            ("    def add(self, key, value):", "    def add(self, key, value):\n        self.kept[key] = value"),
        ],
        {CONTRACT: "get() gave {", EQUAL: "get() gave {", BANK: "answered 503"},
    ),
    "replace keeps the old end": (
        [("SET value = ?, expires_at = ?", "SET value = ?"), ("[text, end, key", "[text, key")],
        {BANK: "answered 401"},
    ),
    "get gives what has ended": (
        ('key = ? AND expires_at > ?", [key, time.time()]', 'key = ?", [key]'),
        {ENDED: "get() gave {"},
    ),
    "ended only a moment later": (
        [("expires_at > ?", "expires_at >= ?"), ("expires_at <= ?", "expires_at < ?")],
        {ENDED: "get() gave {"},
    ),
    "a late replace revives": (
        [("AND value = ? AND expires_at > ?", "AND value = ?"), ("[1], time.time()]", "[1]]")],
        {ENDED: "replace() gave True"},
    ),
    "add does not take the place of what has ended": (
        ('self.db.execute("DELETE FROM records WHERE key = ? AND expires_at <= ?", [key, time.time()])', "pass"),
        {ENDED: "add() gave False", ADDS: "add() told one False, and the other False"},
    ),
    "the key in the statement's text": (
        (
            'self.db.execute("DELETE FROM records WHERE key = ?", [key])',
            "self.db.execute(f\"DELETE FROM records WHERE key = '{key}'\", [])",
        ),
        {QUOTE: "the database refuses"},
    ),
    "a key that is like another": (
        ('SELECT value FROM records WHERE key = ?', 'SELECT value FROM records WHERE key LIKE ?'),
        {QUOTE: "get() gave {"},
    ),
    "quotes are taken out": (
        [
            ("return [key,", 'return [key.replace("\'", ""),'),
            ("[key, time", '[key.replace("\'", ""), time'),
        ],
        {QUOTE: "gave"},
    ),
    "an outage is None": (
        (
            '        rows, _ = self.db.execute("SELECT value FROM records WHERE key = ? AND expires_at > ?", '
            "[key, time.time()])",
            '        try:\n            rows, _ = self.db.execute("SELECT value FROM records WHERE key = ? AND '
            'expires_at > ?", [key, time.time()])\n        except Exception:\n            return None',
        ),
        {DOWN: "get() gave None"},
    ),
}

# ---- 11.2 ----------------------------------------------------------------------------------------------------

BEN = "Ana logs out everywhere, and Ben stays"
AGAIN = "Afterwards she can log in again, and out"
THREE = "All three devices are out"
TWO = "Two log-ins at once are both found"
MIDDLE = "A log-in in the middle is out, or is found next time"
CUT = "After an outage in the middle the next call ends the rest"

EVERYWHERE = """
import hashlib
import secrets

def key_of(id):
    return "session:" + hashlib.sha256(id.encode()).hexdigest()

def create(store, user):
    id = secrets.token_urlsafe(32)
    store.add(key_of(id), {"user": user})
    remember(store, user, key_of(id))
    return id

def load(store, id):
    record = store.get(key_of(id))
    return record["user"] if record else None

def delete(store, id):
    store.delete(key_of(id))

def remember(store, user, key):
    while True:
        old = store.get("user:" + user)
        if old is None:
            if store.add("user:" + user, {"sessions": [key]}):
                return
        elif store.replace("user:" + user, old, {"sessions": [*old["sessions"], key]}):
            return

def revoke_all(store, user):
    ended = 0
    while True:
        old = store.get("user:" + user)
        if old is None:
            return ended
        for key in old["sessions"]:
            ended += store.delete(key)
        if store.replace("user:" + user, old, {"sessions": []}):
            return ended
"""
REMEMBER = EVERYWHERE[EVERYWHERE.index("def remember") : EVERYWHERE.index("def revoke_all")]
REVOKE_ALL = EVERYWHERE[EVERYWHERE.index("def revoke_all") :]
EMPTY_LIST = 'store.replace("user:" + user, old, {"sessions": []})'

EVERYWHERE_RIGHT = {
    "each session has its own listing in a dict": (
        [
            ('{"sessions": [key]}', '{key: True}'),
            ('{"sessions": [*old["sessions"], key]}', "{**old, key: True}"),
            ('old["sessions"]', "old"),
            ('{"sessions": []}', "{}"),
        ]
    ),
    "once, and the list stays as it is when somebody was faster": (
        REVOKE_ALL,
        """def revoke_all(store, user):
    old = store.get("user:" + user) or {"sessions": []}
    ended = [store.delete(key) for key in old["sessions"]]
    store.replace("user:" + user, old, {"sessions": []})
    return sum(ended)
""",
    ),
    "a number of the user's, raised": """
import hashlib, secrets

def key_of(id):
    return "session:" + hashlib.sha256(id.encode()).hexdigest()

def number(store, user):
    while True:
        known = store.get("number:" + user)
        if known is not None:
            return known["n"]
        store.add("number:" + user, {"n": 0})

def create(store, user):
    id = secrets.token_urlsafe(32)
    store.add(key_of(id), {"user": user, "n": number(store, user)})
    return id

def load(store, id):
    record = store.get(key_of(id))
    return record["user"] if record and record["n"] == number(store, record["user"]) else None

def delete(store, id):
    store.delete(key_of(id))

def revoke_all(store, user):
    n = number(store, user)
    store.replace("number:" + user, {"n": n}, {"n": n + 1})
    return 0
""",
}
EVERYWHERE_WRONG = {
    "whoever was faster is overwritten": (
        (
            REMEMBER,
            """def remember(store, user, key):
    old = store.get("user:" + user) or {"sessions": []}
    store.delete("user:" + user)
    store.add("user:" + user, {"sessions": [*old["sessions"], key]})

""",
        ),
        {TWO: "GET /balance still answered 200"},
    ),
    "a replace that says False is not tried again": (
        (
            REMEMBER,
            """def remember(store, user, key):
    old = store.get("user:" + user)
    if old is None:
        if store.add("user:" + user, {"sessions": [key]}):
            return
        old = store.get("user:" + user)
    store.replace("user:" + user, old, {"sessions": [*old["sessions"], key]})

""",
        ),
        {TWO: "GET /balance still answered 200"},
    ),
    "an add that says False is not tried again": (
        (
            'if store.add("user:" + user, {"sessions": [key]}):\n                return',
            'store.add("user:" + user, {"sessions": [key]})\n            return',
        ),
        {TWO: "GET /balance still answered 200"},
    ),
    "the list is deleted, whatever is in it by now": (
        (EMPTY_LIST, 'store.delete("user:" + user)'),
        {MIDDLE: "GET /balance still answered 200"},
    ),
    "the list is emptied first": (
        (
            REVOKE_ALL,
            """def revoke_all(store, user):
    while True:
        old = store.get("user:" + user) or {"sessions": []}
        if store.replace("user:" + user, old, {"sessions": []}):
            return sum(store.delete(key) for key in old["sessions"])
        if old == {"sessions": []}:
            return 0
""",
        ),
        {CUT: "GET /balance still answered 200"},
    ),
    "only the latest is listed": (
        ('{"sessions": [*old["sessions"], key]}', '{"sessions": [key]}'),
        {
            THREE: "GET /balance still answered 200",
            TWO: "GET /balance still answered 200",
            MIDDLE: "GET /balance still answered 200",
            CUT: "GET /balance still answered 200",
        },
    ),
    "one list for everybody": (
        ('"user:" + user', '"users"'),
        {BEN: "GET /balance answered 401"},
    ),
    "all but the latest": (
        ('for key in old["sessions"]:', 'for key in old["sessions"][:-1]:'),
        {
            THREE: "GET /balance still answered 200",
            TWO: "GET /balance still answered 200",
            MIDDLE: "GET /balance still answered 200",
            CUT: "GET /balance still answered 200",
        },
    ),
    "nothing is emptied, and a key that is gone is an error": (
        (
            REVOKE_ALL,
            """def revoke_all(store, user):
    for key in store.get("user:" + user)["sessions"]:
        if not store.delete(key):
            raise KeyError(key)
    return 1
""",
        ),
        {AGAIN: "your revoke_all raised KeyError"},
    ),
    "out for good": (
        [
            ('record["user"] if record else None', 'record["user"] if record and not store.get("out") else None'),
            ("    ended = 0\n", '    ended = 0\n    store.add("out", {"all": True})\n'),
        ],
        {BEN: "GET /balance answered 401", AGAIN: "GET /balance answered 401"},
    ),
    "it says nothing": (
        ('"sessions": []}):\n            return ended', '"sessions": []}):\n            return'),
        {BEN: "cannot use", AGAIN: "cannot use"},
    ),
}

# ---- 11.3 ----------------------------------------------------------------------------------------------------

RECOVERY = "Once the store is back, the same browser is still logged in"
ASKED = "Whose session has ended is asked to log in"
SAYS_WHEN = "An outage is a 503 that says when to come again"
COOKIE = "An outage leaves the cookie alone"
UNKNOWN = "An unknown id is not an outage"
CLOSED = "Nobody gets in because the store is down"

ANSWER = """
def answer(error):
    if error == "StoreDown":
        return 503, {"Retry-After": "5"}
    return 401, {}
"""
OUTAGE = '503, {"Retry-After": "5"}'
ANSWER_RIGHT = {
    "a match, and a challenge": """
def answer(error):
    match error:
        case "StoreDown":
            return [503, {"retry-after": 30, "Cache-Control": "no-store"}]
        case "unknown" | "expired":
            return [401, {"WWW-Authenticate": 'Cookie realm="Fernbank"'}]
""",
    "a date, and a cookie that is cleared when its session has ended": """
from datetime import datetime, timedelta, UTC

def answer(error):
    soon = datetime.now(UTC) + timedelta(seconds=10)
    return {
        "StoreDown": (503, {"Retry-After": soon.strftime("%a, %d %b %Y %H:%M:%S GMT")}),
        "unknown": (401, {}),
        "expired": (401, {"Set-Cookie": "__Host-sid=; Max-Age=0; Path=/; Secure"}),
    }[error]
""",
}
ANSWER_WRONG = {
    "an outage is a log-out": (
        (OUTAGE, '401, {"Set-Cookie": "__Host-sid=; Max-Age=0; Path=/; Secure"}'),
        {RECOVERY: "GET /balance answered 401"},
    ),
    "an outage asks to log in": (
        (OUTAGE, "401, {}"),
        {SAYS_WHEN: "GET /balance answered 401"},
    ),
    "503 and a cleared cookie": (
        (OUTAGE, '503, {"Retry-After": "5", "Set-Cookie": "__Host-sid=; Max-Age=0; Path=/; Secure"}'),
        {RECOVERY: "GET /balance answered 401"},
    ),
    "503 and another cookie beside it": (
        (OUTAGE, '503, {"Retry-After": "5", "Set-Cookie": "outage=1; Path=/"}'),
        {COOKIE: "Set-Cookie: outage=1"},
    ),
    "503 and everything of this site is cleared": (
        (OUTAGE, '503, {"Retry-After": "5", "Clear-Site-Data": \'"cookies"\'}'),
        {COOKIE: 'Clear-Site-Data: "cookies"'},
    ),
    "fail open": (
        (OUTAGE, "200, {}"),
        {
            SAYS_WHEN: "GET /balance answered 200",
            CLOSED: "the bank's record: mallory read ana's",
        },
    ),
    "no Retry-After": ((OUTAGE, "503, {}"), {SAYS_WHEN: "there was none"}),
    "a Retry-After that is none": (
        (OUTAGE, '503, {"Retry-After": "soon"}'),
        {SAYS_WHEN: "Retry-After: soon"},
    ),
    "500 for an outage": ((OUTAGE, "500, {}"), {SAYS_WHEN: "GET /balance answered 500"}),
    "everything is an outage": (("return 401, {}", "return 503, {'Retry-After': 5}"), {ASKED: "answered 503"}),
    "the unknown is an outage": (
        ('== "StoreDown"', 'in ("StoreDown", "unknown")'),
        {UNKNOWN: "GET /balance answered 503"},
    ),
    "everybody is asked to wait": (
        ("return 401, {}", 'return 401, {"Retry-After": "5"}'),
        {UNKNOWN: "Retry-After: 5"},
    ),
    "403 for a session that has ended": (
        ("return 401, {}", 'return (403 if error == "expired" else 401), {}'),
        {ASKED: "answered 403"},
    ),
    "the status alone": (("return 401, {}", "return 401"), {ASKED: "return a status (int) and headers (dict)"}),
    "a status that is none": (("return 401, {}", "return 999, {}"), {ASKED: "999, which is none"}),
}

# ---- 11.4 ----------------------------------------------------------------------------------------------------

CLEAN = "A day without a replay: nobody is accused"
FOUND = "A copy that is used after the log-out is found"
DECOYS = "Another device, a new log-in and a refused log-out are no replays"
THIEVES = "Two thieves, and each use counts"

EVIDENCE = """
def session_of(request):
    for line in request.split("\\r\\n"):
        if line.startswith("Cookie: "):
            for pair in line.removeprefix("Cookie: ").split("; "):
                if pair.startswith("session="):
                    return pair
    return None

def evidence(log):
    ended, replays = set(), []
    for exchange in log:
        cookie = session_of(exchange["request"])
        if cookie in ended:
            replays.append(exchange["n"])
        if exchange["request"].startswith("POST /logout "):
            ended.add(cookie)
    return replays
"""
EVIDENCE_RIGHT = {
    "with re, by what the server took back": r"""
import re

def evidence(log):
    found, gone = [], []
    for one in log:
        match = re.search(r"^Cookie:.*\bsession=([^;\s]+)", one["request"], re.M | re.I)
        value = match and match[1]
        if value and value in gone:
            found.append(one["n"])
        elif re.search(r"^Set-Cookie: session=;", one["response"], re.M):
            gone.append(value)
    return found
""",
    "two passes": r"""
import re

def cookie(text):
    head = text.partition("\r\n\r\n")[0]
    return next((m for m in re.findall(r"[ ;]session=([\w.-]+)", head)), None)

def evidence(log):
    out = {cookie(e["request"]): e["n"] for e in reversed(log) if e["request"].startswith("POST /logout")}
    return [e["n"] for e in log if cookie(e["request"]) in out and e["n"] > out[cookie(e["request"])]]
""",
}
EVIDENCE_WRONG = {
    "nobody, ever": ("def evidence(log):\n    return []", {FOUND: "gave []", DECOYS: "gave []", THIEVES: "gave []"}),
    "positions instead of numbers": (
        [("for exchange in log", "for i, exchange in enumerate(log)"), ('append(exchange["n"])', "append(i)")],
        {FOUND: "evidence() gave [", DECOYS: "evidence() gave [", THIEVES: "evidence() gave ["},
    ),
    "the log-out itself": (
        [
            ("        if cookie in ended:\n            replays.append(exchange[\"n\"])\n", ""),
            ("ended.add(cookie)", "ended.add(cookie)\n        if cookie in ended:\n            replays.append("
             'exchange["n"])'),
        ],
        {CLEAN: "evidence() gave ["},
    ),
    "whoever comes after a log-out": (
        ("if cookie in ended:", "if ended and cookie:"),
        {CLEAN: "evidence() gave ["},
    ),
    "requests without a cookie, too": (
        ("if cookie in ended:", "if cookie in ended or (ended and cookie is None):"),
        {CLEAN: "evidence() gave ["},
    ),
    "only the first": (
        ('replays.append(exchange["n"])', 'return [exchange["n"]]'),
        {THIEVES: "evidence() gave ["},
    ),
    "each thief once": (
        ('replays.append(exchange["n"])', 'replays.append(exchange["n"])\n            ended.discard(cookie)'),
        {THIEVES: "evidence() gave ["},
    ),
    "any address that ends in logout": (
        ('exchange["request"].startswith("POST /logout ")', '" /logout " in exchange["request"]'),
        {DECOYS: "evidence() gave ["},
    ),
    "the whole Cookie header": (
        [("for pair in line.removeprefix(\"Cookie: \").split(\"; \"):", "for pair in [line]:"),
         ('pair.startswith("session=")', 'pair')],
        {FOUND: "gave []", DECOYS: "gave []", THIEVES: "gave []"},
    ),
    "whoever has a copy, before and after": (
        "import re\n"
        "def evidence(log):\n"
        "    v = lambda e: re.search(r'session=([\\w.-]+)', e['request'].split('\\r\\n\\r\\n')[0])\n"
        "    out = [v(e)[1] for e in log if e['request'].startswith('POST /logout ')]\n"
        "    return [e['n'] for e in log if v(e) and v(e)[1] in out and 'theme=' not in e['request']]",
        {THIEVES: "evidence() gave ["},
    ),
    "the lines themselves": (
        ('append(exchange["n"])', "append(exchange)"),
        {FOUND: "evidence() gave [{", DECOYS: "evidence() gave [{", THIEVES: "evidence() gave [{"},
    ),
}

# --------------------------------------------------------------------------------------------------------------

TABLE = {
    "11.1": (STORE, STORE_RIGHT, STORE_WRONG),
    "11.2": (EVERYWHERE, EVERYWHERE_RIGHT, EVERYWHERE_WRONG),
    "11.3": (ANSWER, ANSWER_RIGHT, ANSWER_WRONG),
    "11.4": (EVIDENCE, EVIDENCE_RIGHT, EVIDENCE_WRONG),
}
