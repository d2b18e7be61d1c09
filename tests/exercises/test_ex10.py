"""Exercises 10.1 to 10.6: right answers pass, wrong ones are refused by the probe that should, and told why."""

import textwrap

import pytest

from labs.exercises import exercise, judge

# ---- 10.1 --------------------------------------------------------------------------------------------------

UNIQUE = "10,000 ids, and no two are the same"
BITS = "An id carries at least 128 bits (ASVS 7.2.3)"
RESTARTED = "A restarted server repeats nothing"

NEW_ID = """
import secrets

def new_id():
    return secrets.token_urlsafe(32)
"""
DRAWN = "secrets.token_urlsafe(32)"

NEW_ID_RIGHT = {
    "hex digits": (DRAWN, "secrets.token_hex(16)"),
    "the system's random bytes": "import os\ndef new_id():\n    return os.urandom(20).hex()",
    "a random UUID and more": "import uuid\ndef new_id():\n    return f'{uuid.uuid4()}{uuid.uuid4()}'",
    "a prefix": (DRAWN, "'sid_' + secrets.token_urlsafe(24)"),
}
NEW_ID_WRONG = {
    "a counter": (
        "n = [1000]\ndef new_id():\n    n[0] += 1\n    return str(n[0])",
        {BITS: "vary by about", RESTARTED: "gave 50 of 50 ids again"},
    ),
    "the clock": (
        "import time\ndef new_id():\n    return str(time.time_ns())",
        {UNIQUE: "9999 of them came twice or more"},
    ),
    "random, seeded by nobody": (
        "import random\ndef new_id():\n    return '%064x' % random.getrandbits(256)",
        {RESTARTED: "gave 50 of 50 ids again"},
    ),
    "a hash of the clock and a counter": (
        "import hashlib, time\nn = [0]\ndef new_id():\n    n[0] += 1\n"
        "    return hashlib.sha256(f'{time.time()}{n[0]}'.encode()).hexdigest()",
        {RESTARTED: "gave 50 of 50 ids again"},
    ),
    "four bytes, made long": (
        "import secrets\ndef new_id():\n    return secrets.token_hex(4).rjust(40, '0')",
        {BITS: "vary by about 32 bits"},
    ),
    "one random UUID, which has 122 bits": (
        "import uuid\ndef new_id():\n    return str(uuid.uuid4())",
        {BITS: "vary by about 122 bits"},
    ),
    "bytes": ((DRAWN, "secrets.token_bytes(32)"), {UNIQUE: "new_id() gave b"}),
    "a space in it": (
        (DRAWN, "secrets.token_hex(16) + ' ' + secrets.token_hex(16)"),
        {UNIQUE: "new_id() gave '"},
    ),
}

# ---- 10.2 --------------------------------------------------------------------------------------------------

TWO_USERS = "Ana and Ben are logged in at once, each as themselves"
DEVICES = "Ana logs out on her phone and stays logged in on her laptop"
RESTART = "The server restarts, and Ana is still logged in"
REPLAY = "Once Ana has logged out, a copy of her id opens nothing"
ADOPTED = "An id that nobody issued opens nothing and leaves no record"
GUESSED = "Every login gets a new id, and none can be guessed"

RECORDS = """
import secrets

def new_id():
    return secrets.token_urlsafe(32)

def create(store, user):
    id = new_id()
    store.add(id, {"user": user})
    return id

def load(store, id):
    record = store.get(id)
    return record["user"] if record else None

def delete(store, id):
    store.delete(id)
"""

RECORDS_RIGHT = {
    "a prefix, and more in the record": """
        import secrets, time
        def create(store, user):
            while True:
                id = secrets.token_hex(32)
                if store.add("session:" + id, {"who": user, "since": time.time()}):
                    return id
        def load(store, id):
            try:
                return store.get("session:" + id)["who"]
            except TypeError:
                return None
        def delete(store, id):
            return store.delete("session:" + id)
        """,
    "the record stays, marked as ended": """
        import secrets
        def create(store, user):
            id = secrets.token_urlsafe(16)
            store.add(id, {"user": user, "ended": False})
            return id
        def load(store, id):
            session = store.get(id) or {"ended": True}
            return None if session["ended"] else session["user"]
        def delete(store, id):
            session = store.get(id)
            if session is not None:
                store.replace(id, session, session | {"ended": True})
        """,
}
RECORDS_WRONG = {
    "the name as id": (
        ("id = new_id()", "id = user"),
        {DEVICES: "GET /balance answered 401"},
    ),
    "one record for everybody": (
        """
        import secrets
        def create(store, user):
            store.delete("current")
            store.add("current", {"user": user})
            return secrets.token_urlsafe(32)
        def load(store, id):
            record = store.get("current")
            return record["user"] if record else None
        def delete(store, id):
            store.delete("current")
        """,
        {TWO_USERS: "'s", DEVICES: "GET /balance answered 401"},
    ),
    "a dict of the server's own": (
        """
        import secrets
        sessions = {}
        def create(store, user):
            id = secrets.token_urlsafe(32)
            sessions[id] = user
            return id
        def load(store, id):
            return sessions.get(id)
        def delete(store, id):
            sessions.pop(id, None)
        """,
        {RESTART: "after a restart GET /balance answered 401"},
    ),
    "log-out that deletes nothing": (
        ("store.delete(id)", "pass"),
        {REPLAY: "GET /balance still answered 200"},
    ),
    "log-out that deletes by name": (
        ("store.delete(id)", "store.delete(load(store, id) or 'nobody')"),
        {REPLAY: "GET /balance still answered 200"},
    ),
    "an unknown id gets a record": (
        ("    record = store.get(id)", '    store.add(id, {"user": None})\n    record = store.get(id)'),
        {ADOPTED: "left a record"},
    ),
    "an unknown id is an exception": (
        (" if record else None", ""),
        {REPLAY: "TypeError", ADOPTED: "your load raised TypeError"},
    ),
    "an unknown id is somebody": (
        (" if record else None", ' if record else "ana"'),
        {REPLAY: "still answered 200", ADOPTED: "still answered 200"},
    ),
    "one id for each user": (
        (
            "    id = new_id()",
            "    import hashlib\n    id = hashlib.sha256(user.encode()).hexdigest()\n    store.delete(id)",
        ),
        {DEVICES: "GET /balance answered 401"},
    ),
    "the name and a random number": (
        ("id = new_id()", "id = f'{user}-{secrets.randbelow(10**9)}'"),
        {GUESSED: "vary by about"},
    ),
    "a short id": (
        ("token_urlsafe(32)", "token_hex(6)"),
        {GUESSED: "vary by about 48 bits"},
    ),
    "the record and not the name": (
        ('return record["user"] if record else None', "return record"),
        {
            TWO_USERS: "your load returned {'user': ",
            DEVICES: "your load returned",
            RESTART: "your load returned",
        },
    ),
    "no id comes back": (
        ("    return id\n", "    id\n"),
        {
            TWO_USERS: "your create returned None",
            DEVICES: "your create returned None",
            RESTART: "returned None",
        },
    ),
}

# ---- 10.3 --------------------------------------------------------------------------------------------------

BACK = "The browser brings the id back, to every page"
LINK = "A customer who follows a link from another site is still logged in"
SCRIPT = "Script on the page cannot read the id"
SIBLING = "Another host of the same site does not get the id"
PLAIN = "The id never travels over plain http"
FORM = "A form on another site moves no money"
TOSSED = "Another host of the same site cannot put its own id in this one's place"

COOKIE = """
def set_cookie(id):
    return f"__Host-sid={id}; Path=/; Secure; HttpOnly; SameSite=Lax"
"""

COOKIE_RIGHT = {
    "in another order, and with an end": ("HttpOnly; SameSite=Lax", "SameSite=lax; Max-Age=28800; httponly"),
    "put together": """
        def set_cookie(id):
            parts = ["__Host-fern=" + id, "HttpOnly", "Secure", "SameSite=Lax", "Path=/"]
            return ";".join(parts)
        """,
    "the newest prefix": ("__Host-sid", "__Host-Http-sid"),
}
COOKIE_WRONG = {
    "nothing but name and value": (
        'def set_cookie(id):\n    return "sid=" + id',
        {
            SCRIPT: "document.cookie was 'sid=",
            PLAIN: "plain http carried Cookie: sid=",
            FORM: "of ana's ferns",
            TOSSED: "it showed mallory's",
        },
    ),
    "no HttpOnly": (("HttpOnly; ", ""), {SCRIPT: "document.cookie was '__Host-sid="}),
    "no Secure": (
        ("__Host-sid={id}; Path=/; Secure", "sid={id}; Path=/"),
        {PLAIN: "plain http carried Cookie: sid=", TOSSED: "it showed mallory's"},
    ),
    "no prefix": (("__Host-", ""), {TOSSED: "it showed mallory's"}),
    "__Secure- only": (("__Host-", "__Secure-"), {TOSSED: "it showed mallory's"}),
    "another site's Domain": (
        ("__Host-sid={id}", "sid={id}; Domain=fernbank.example"),
        {
            BACK: "Domain=fernbank.example does not contain app.fernbank.localhost",
            LINK: "held the cookie back",
        },
    ),
    "the site's Domain": (
        ("__Host-sid={id}", "sid={id}; Domain=fernbank.localhost"),
        {SIBLING: "blog.fernbank.localhost got it, too", TOSSED: "it showed mallory's"},
    ),
    "a Domain, with the prefix": (
        ("Path=/", "Path=/; Domain=app.fernbank.localhost"),
        {BACK: "the prefix __Host- needs Path=/ and no Domain", LINK: "held the cookie back"},
    ),
    "the prefix without Secure": (
        ("Secure; ", ""),
        {BACK: "the prefix __Host- needs Secure", LINK: "held the cookie back"},
    ),
    "no SameSite": (("; SameSite=Lax", ""), {FORM: "of ana's ferns"}),
    "SameSite=None": (("Lax", "None"), {FORM: "of ana's ferns"}),
    "SameSite=Strict": (("Lax", "Strict"), {LINK: "the browser held the cookie back"}),
    "for the login page only": (
        ("__Host-sid={id}; Path=/;", "sid={id}; Path=/login;"),
        {BACK: "answered 401", LINK: "the browser held the cookie back"},
    ),
    "another value": (("{id}", "{id[:8]}"), {BACK: "answered 401", LINK: "answered 401"}),
    "in quotes": (("{id}", "'{id}'"), {BACK: "answered 401", LINK: "answered 401"}),
    "the whole header": (
        ('f"', 'f"Set-Cookie: '),
        {BACK: "returned the whole header", LINK: "the whole header"},
    ),
    "nothing": (("return ", ""), {BACK: "your set_cookie returned None", LINK: "returned None"}),
}

# ---- 10.4 --------------------------------------------------------------------------------------------------

CLICKING = "A customer who keeps clicking stays in for hours"
BEFORE = "One second before either limit a session is alive"
IDLE = "Half an hour of silence ends the session, to the second"
ENDED = "What has ended stays ended"
ABSOLUTE = "Constant activity does not stretch the absolute limit"
EXACTLY = "The absolute limit holds to the second"

TIMEOUTS = """
import secrets
import time

IDLE, ABSOLUTE = 30 * 60, 8 * 60 * 60

def create(store, user):
    id, now = secrets.token_urlsafe(32), time.time()
    store.add(id, {"user": user, "created_at": now, "last_seen": now})
    return id

def load(store, id):
    old, now = store.get(id), time.time()
    if old is None:
        return None
    if now - old["last_seen"] >= IDLE or now - old["created_at"] >= ABSOLUTE:
        store.delete(id)
        return None
    store.replace(id, old, {**old, "last_seen": now})
    return old["user"]
"""

ENDS = 'now - old["last_seen"] >= IDLE or now - old["created_at"] >= ABSOLUTE'

TIMEOUTS_RIGHT = {
    "two ends instead of two starts": """
        import secrets
        import time
        def create(store, user):
            id, now = secrets.token_hex(16), time.time()
            store.add(id, {"user": user, "idle_end": now + 1800, "end": now + 28800})
            return id
        def load(store, id):
            session = store.get(id)
            if not session or time.time() >= min(session["idle_end"], session["end"]):
                return None
            store.replace(id, session, dict(session, idle_end=time.time() + 1800))
            return session["user"]
        """,
    "dates": """
        import secrets
        from datetime import datetime, timedelta, timezone
        def now():
            return datetime.now(timezone.utc)
        def create(store, user):
            id = secrets.token_urlsafe(32)
            store.add(id, {"user": user, "login": now().isoformat(), "click": now().isoformat()})
            return id
        def load(store, id):
            session = store.get(id)
            if session is None:
                return None
            silent = now() - datetime.fromisoformat(session["click"])
            old = now() - datetime.fromisoformat(session["login"])
            if silent < timedelta(minutes=30) and old < timedelta(hours=8):
                store.replace(id, session, {**session, "click": now().isoformat()})
                return session["user"]
            store.delete(id)
        """,
}
TIMEOUTS_WRONG = {
    "no limit at all": (
        (ENDS, "False"),
        {
            IDLE: "GET /balance still answered 200",
            ENDED: "still answered 200",
            ABSOLUTE: "at 8 h",
            EXACTLY: "at 8 h GET /balance still answered 200",
        },
    ),
    "idle only": (
        (' or now - old["created_at"] >= ABSOLUTE', ""),
        {ABSOLUTE: "GET /balance still answered 200", EXACTLY: "at 8 h GET /balance still answered 200"},
    ),
    "absolute only": (
        ('now - old["last_seen"] >= IDLE or ', ""),
        {IDLE: "GET /balance still answered 200", ENDED: "still answered 200"},
    ),
    "the idle time does not slide": (
        ('    store.replace(id, old, {**old, "last_seen": now})\n', ""),
        {CLICKING: "GET /balance answered 401", BEFORE: "GET /balance answered 401"},
    ),
    "idle, but a second too late": ((">= IDLE", "> IDLE"), {IDLE: "still answered 200"}),
    "absolute, but a second too late": (
        (">= ABSOLUTE", "> ABSOLUTE"),
        {EXACTLY: "at 8 h GET /balance still answered 200"},
    ),
    "a second too early": ((">= IDLE", ">= IDLE - 1"), {BEFORE: "GET /balance answered 401"}),
    "minutes for seconds": (
        ("30 * 60, 8 * 60 * 60", "30, 8 * 60"),
        {CLICKING: "GET /balance answered 401", BEFORE: "GET /balance answered 401"},
    ),
    "a click moves both times": (
        ('"last_seen": now})\n    return old', '"last_seen": now, "created_at": now})\n    return old'),
        {ABSOLUTE: "still answered 200", EXACTLY: "at 8 h GET /balance still answered 200"},
    ),
    "written before it is looked at": (
        (
            f"    if {ENDS}:\n        store.delete(id)\n",
            f'    store.replace(id, old, {{**old, "last_seen": now}})\n    if {ENDS}:\n',
        ),
        {ENDED: "GET /balance still answered 200"},
    ),
    "last_seen is written now and then": (
        (
            '    store.replace(id, old, {**old, "last_seen": now})',
            '    if now - old["last_seen"] >= 300:\n        store.replace(id, old, {**old, "last_seen": now})',
        ),
        {BEFORE: "GET /balance answered 401"},
    ),
    "the end stands in the browser's hands": (
        """
        import secrets, time
        def create(store, user):
            id = f"{int(time.time())}.{secrets.token_urlsafe(32)}"
            store.add(id, {"user": user})
            return id
        def load(store, id):
            record = store.get(id)
            return record["user"] if record and time.time() - int(id.split(".")[0]) < 28800 else None
        """,
        {IDLE: "still answered 200", ENDED: "still answered 200"},
    ),
}

# ---- 10.5 --------------------------------------------------------------------------------------------------

SERVED = "Two customers are served, also after a restart"
LOGOUT = "Log-out ends one session and no other"
LINES = "A session keeps one line in the log, and no two share it"
STOLEN = "Whoever reads the store gets in with nothing they find"
STORED = "No id stands in the store, however it is spelled"
LOGGED = "No piece of an id stands in the log, and no log line opens anything"
LONG_KEYS = "A key keeps at least 128 bits of the id"

HASHED = """
import base64
import hashlib
import secrets

def key_of(id):
    return "session:" + hashlib.sha256(id.encode()).hexdigest()

def create(store, user):
    id = secrets.token_urlsafe(32)
    store.add(key_of(id), {"user": user})
    return id

def load(store, id):
    record = store.get(key_of(id))
    return record["user"] if record else None

def delete(store, id):
    store.delete(key_of(id))

def log_line(id):
    return key_of(id)[:24]
"""
KEY = '"session:" + hashlib.sha256(id.encode()).hexdigest()'

HASHED_RIGHT = {
    "in base64, shortened to 128 bits": (
        KEY,
        "base64.urlsafe_b64encode(hashlib.sha512(id.encode()).digest()[:16]).decode()",
    ),
    "with a key of the server's": """
        import hashlib, hmac, secrets
        PEPPER = b"in production this comes from the environment"
        def name(id):
            return hmac.new(PEPPER, id.encode(), "sha256").hexdigest()
        def create(store, user):
            id = secrets.token_hex(32)
            store.add(name(id), dict(user=user, log=name("log" + id)[:16]))
            return id
        def load(store, id):
            return (store.get(name(id)) or {}).get("user")
        def delete(store, id):
            return store.delete(name(id))
        def log_line(id):
            return "session " + name("log" + id)[:16] + " did something"
        """,
    "the whole key in the log": ("key_of(id)[:24]", "key_of(id)"),
}
HASHED_WRONG = {
    "the id as key": (
        (KEY, "id"),
        {
            STOLEN: "still answered 200",
            STORED: "stood in the store as it is",
            LOGGED: "stood in the line as it is",
        },
    ),
    "the id behind a prefix": (
        (KEY, '"session:" + id'),
        {
            STOLEN: "still answered 200",
            STORED: "stood in the store as it is",
            LOGGED: "stood in the line as it is",
        },
    ),
    "the id in the record": (
        ('{"user": user}', '{"user": user, "id": id}'),
        {STOLEN: "still answered 200", STORED: "an id stood in the store as it is"},
    ),
    "base64 is no hash": (
        (KEY, '"session:" + base64.b64encode(id.encode()).decode()'),
        {STORED: "stood in the store in base64", LOGGED: "stood in the line in base64"},
    ),
    "hex is no hash": (
        (KEY, "id.encode().hex()"),
        {STORED: "stood in the store in hex", LOGGED: "stood in the line in hex"},
    ),
    "backwards is no hash": (
        (KEY, "id[::-1]"),
        {STORED: "stood in the store backwards", LOGGED: "stood in the line backwards"},
    ),
    "the id's own bytes": (
        (KEY, 'base64.urlsafe_b64decode(id + "=").hex()'),
        {STORED: "as the bytes that it was made from", LOGGED: "as the bytes that it was made from"},
    ),
    "load takes the key as well": (
        (
            "    record = store.get(key_of(id))",
            "    record = store.get(key_of(id)) or store.get('session:' + id)",
        ),
        {STOLEN: "still answered 200"},
    ),
    "the whole id in the log": (
        ("key_of(id)[:24]", "id"),
        {LOGGED: "a piece of the id stood in the line as it is"},
    ),
    "a piece of the id in the log": (
        ("key_of(id)[:24]", '"session " + id[:8] + "..."'),
        {LOGGED: "a piece of the id stood in the line as it is"},
    ),
    "one line for all sessions": (("key_of(id)[:24]", '"a session"'), {LINES: "100 sessions had 1 lines"}),
    "a new line each time": (
        ("key_of(id)[:24]", "secrets.token_hex(8)"),
        {LINES: "was later"},
    ),
    "the key cut short": (
        (".hexdigest()", ".hexdigest()[:16]"),
        {LONG_KEYS: "the keys vary by about 64 bits"},
    ),
    "Python's own hash()": (
        (KEY, 'f"{hash(id)} {hash(id + id)} {hash(id * 3)}"'),
        {SERVED: "after a restart GET /balance answered 401", LINES: "was later"},
    ),
    "a salt for each, as for passwords": (
        (KEY, "hashlib.sha256(secrets.token_bytes(16) + id.encode()).hexdigest()"),
        {SERVED: "GET /balance answered 401", LOGOUT: "GET /balance answered 401", LINES: "was later"},
    ),
    "log-out looks elsewhere": (
        ("store.delete(key_of(id))", "store.delete(id)"),
        {LOGOUT: "GET /balance still answered 200"},
    ),
}

# ---- 10.6 --------------------------------------------------------------------------------------------------

BASKET = "What Ana put into her basket is there after she logs in"
NOTHING = "Ana logs in without an earlier session, or with one that is over"
AGAIN = "Ana logs in once more and keeps her basket"
OTHER = "Ben, who logs in on Ana's computer, does not get her basket"
UNKNOWN = "An id that Mallory made up and planted opens nothing after Ana's login"
PLANTED = "An id that Mallory got and planted shows her nothing of Ana's"
OLD = "The id from before the login is dead"

ROTATE = """
import secrets

def create(store, user, data):
    id = secrets.token_urlsafe(32)
    store.add(id, {"user": user, "data": data})
    return id

def load(store, id):
    return None if id is None else store.get(id)

def save(store, id, data):
    old = load(store, id)
    return old is not None and store.replace(id, old, {**old, "data": data})

def delete(store, id):
    return store.delete(id)

def rotate(store, old, user):
    before, data = load(store, old), {}
    if before is not None and before["user"] in (None, user):
        data = before["data"]
    id = create(store, user, data)
    if before is not None:
        delete(store, old)
    return id
"""
WHOSE = 'before is not None and before["user"] in (None, user)'


def rotating(body):
    """The exercise's cell with another body of rotate()."""
    head = ROTATE[: ROTATE.index("    before, data")]
    return head + textwrap.indent(textwrap.dedent(body), "    ")


ROTATE_RIGHT = {
    "the old one ends first": rotating(
        """
        session = load(store, old) or {"user": None, "data": {}}
        if old:
            delete(store, old)
        if session["user"] and session["user"] != user:
            return create(store, user, {})
        return create(store, user, session["data"])
        """
    ),
    "saved afterwards": rotating(
        """
        id = create(store, user, {})
        before = load(store, old)
        if before:
            if before["user"] is None or before["user"] == user:
                save(store, id, dict(before["data"]))
            store.delete(old)
        return id
        """
    ),
}
ROTATE_WRONG = {
    "the id stays": (
        rotating(
            """
            before = load(store, old)
            if before is None:
                return create(store, user, {})
            data = before["data"] if before["user"] in (None, user) else {}
            store.replace(old, before, {"user": user, "data": data})
            return old
            """
        ),
        {PLANTED: "GET /balance still answered 200", OLD: "its id still showed"},
    ),
    "the id stays, whoever chose it": (
        rotating(
            """
            if old is None:
                return create(store, user, {})
            before = load(store, old) or {"user": None, "data": {}}
            delete(store, old)
            store.add(old, {"user": user, "data": before["data"] if before["user"] in (None, user) else {}})
            return old
            """
        ),
        {UNKNOWN: "still answered 200", PLANTED: "still answered 200", OLD: "its id still showed"},
    ),
    "a new id, and the old one is logged in, too": (
        rotating(
            """
            before = load(store, old)
            data = before["data"] if before and before["user"] in (None, user) else {}
            if before:
                store.replace(old, before, {"user": user, "data": data})
            return create(store, user, data)
            """
        ),
        {PLANTED: "GET /balance still answered 200", OLD: "its id still showed"},
    ),
    "the old session lives on": (
        ("    if before is not None:\n        delete(store, old)\n", ""),
        {OLD: "its id still showed"},
    ),
    "only an anonymous one ends": (
        ("    if before is not None:\n", '    if before is not None and before["user"] is None:\n'),
        {OLD: "GET /balance still answered 200"},
    ),
    "the basket is left behind": (
        ('data = before["data"]', "pass"),
        {BASKET: "0 things came out", AGAIN: "0 things came out"},
    ),
    "a second login loses the basket": (("in (None, user)", "is None"), {AGAIN: "0 things came out"}),
    "whoever logs in gets the basket": ((WHOSE, "before is not None"), {OTHER: "of ana's"}),
    "no session before, no login": (
        (WHOSE, 'before["user"] in (None, user)'),
        {NOTHING: "TypeError", AGAIN: "TypeError"},
    ),
    "nobody is logged in": (
        ("id = create(store, user, data)", "id = create(store, None, data)"),
        {BASKET: "GET /balance answered 401", NOTHING: "GET /balance answered 401", AGAIN: "answered 401"},
    ),
    "no id comes back": (
        ("        delete(store, old)\n    return id\n", "        delete(store, old)\n"),
        {one: "your rotate returned None" for one in (BASKET, NOTHING, AGAIN)},
    ),
}

# ---- the tests ---------------------------------------------------------------------------------------------

TABLE = {
    "10.1": (NEW_ID, NEW_ID_RIGHT, NEW_ID_WRONG),
    "10.2": (RECORDS, RECORDS_RIGHT, RECORDS_WRONG),
    "10.3": (COOKIE, COOKIE_RIGHT, COOKIE_WRONG),
    "10.4": (TIMEOUTS, TIMEOUTS_RIGHT, TIMEOUTS_WRONG),
    "10.5": (HASHED, HASHED_RIGHT, HASHED_WRONG),
    "10.6": (ROTATE, ROTATE_RIGHT, ROTATE_WRONG),
}


@pytest.mark.parametrize("id", TABLE)
@pytest.mark.parametrize("value", ["None", "'\\ud800'", "b'x'", "1 / 0"])
def test_functions_that_return_anything_are_judged(id, value):
    source = "".join(f"def {name}(*args):\n    return {value}\n" for name in exercise(id).defines)
    report = judge(id, source)
    assert report.status in ("failed", "partly")
    assert all(verdict.happened for verdict in report.verdicts if not verdict.passed)
