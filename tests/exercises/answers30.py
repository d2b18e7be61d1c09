"""Answers to the exercises of lesson 30, right and wrong."""


# ---- 30.1 ----------------------------------------------------------------------------------------------------

GOOD = "A guess where there is an order; where there is none, None"
COUNTER = "A counter: Ana's balance is read"
CLOCK = "A clock: Ana's balance is read"

PREDICT = r'''
import re

def predict_id(seen, at):
    parts = [re.fullmatch(r"(\D*)(\d+)", one["id"]) for one in seen]
    if not all(parts):
        return None
    prefix, width = parts[0][1], len(parts[0][2])
    numbers = [int(part[2]) for part in parts]
    guesses = None
    for unit in (1, 10, 100, 1000):
        if all(number // unit == one["at"] for number, one in zip(numbers, seen)):
            guesses = range(at * unit, at * unit + unit)
    steps = [after - before for before, after in zip(numbers, numbers[1:])]
    if guesses is None and all(0 < step < 1000 for step in steps):
        guesses = range(numbers[-1] + 1, numbers[-1] + 1001)
    return guesses and [prefix + str(number).zfill(width) for number in guesses]
'''
PREDICT_RIGHT = {
    "by string methods": '''
def predict_id(seen, at):
    ids = [one["id"] for one in seen]
    head = ids[0].rstrip("0123456789")
    tails = [id[len(head):] for id in ids]
    if not all(id.startswith(head) and tail.isdigit() for id, tail in zip(ids, tails)):
        return None
    ns = [int(tail) for tail in tails]
    fmt = lambda n: head + f"{n:0{len(tails[0])}d}"
    for unit in (1000, 100, 10, 1):
        if {n // unit - one["at"] for n, one in zip(ns, seen)} == {0}:
            return [fmt(at * unit + k) for k in range(unit)]
    if ns == sorted(ns) and ns[-1] - ns[0] < 5000:
        return [fmt(ns[-1] + k) for k in range(1, 1000)]
''',
    "the clock's unit from a quotient": (
        "    for unit in (1, 10, 100, 1000):\n"
        "        if all(number // unit == one[\"at\"] for number, one in zip(numbers, seen)):\n"
        "            guesses = range(at * unit, at * unit + unit)\n",
        "    unit = max(1, round(numbers[0] / seen[0]['at']))\n"
        "    if unit <= 1000 and all(abs(n / unit - one['at']) < 1.5 for n, one in zip(numbers, seen)):\n"
        "        guesses = range(at * unit, at * unit + unit)\n",
    ),
}  # fmt: skip
PREDICT_WRONG = {
    "always a guess": (
        "0 < step < 1000", "True",
        {GOOD: "predict_id() gave ['"},
    ),
    "whatever goes up is a counter": (
        "0 < step < 1000", "0 < step",
        {GOOD: "predict_id() gave ['"},
    ),
    "half as many others as there may be": ("numbers[-1] + 1001)", "numbers[-1] + 51)", {COUNTER: "gave 50 ids"}),
    "fewer others when one is seen": ("0 < step < 1000", "0 < step < 90", {COUNTER: "gave None"}),
    "a clock that goes on as fast as it did": (
        "            guesses = range(at * unit, at * unit + unit)\n",
        "            seconds = [one['at'] for one in seen]\n"
        "            pace = (numbers[-1] - numbers[0]) / (seconds[-1] - seconds[0])\n"
        "            guess = int(numbers[-1] + (at - seconds[-1]) * pace)\n"
        "            guesses = range(guess - 499, guess + 500)\n",
        {CLOCK: "ids, "},
    ),
    "never a guess": ("    parts =", "    return None\n    parts =", {GOOD: "gave None"}),
    "one guess": ("numbers[-1] + 1001)", "numbers[-1] + 2)", {COUNTER: "gave 1 ids"}),
    "the next but one": ("range(numbers[-1] + 1,", "range(numbers[-1] + 100,", {GOOD: "ids, "}),
    "without the zeros": (".zfill(width)", "", {GOOD: "ids, "}),
    "without what stands in front": (
        "[prefix + str(number)", "[('' if prefix else '0') + str(number)", {GOOD: "ids, "},
    ),
    "a clock of seconds only": ("(1, 10, 100, 1000)", "(1,)", {CLOCK: "gave "}),
    "most of a second": (
        "range(at * unit, at * unit + unit)", "range(at * unit + unit // 10, at * unit + unit)", {CLOCK: "gave "},
    ),
    "milliseconds only": ("(1, 10, 100, 1000)", "(1000,)", {CLOCK: "gave "}),
    "a clock is a counter": ("(1, 10, 100, 1000)", "()", {CLOCK: "gave "}),
    "the time of the last one seen": (
        "range(at * unit, at * unit + unit)", "range(seen[-1]['at'] * unit, seen[-1]['at'] * unit + unit)",
        {CLOCK: "ids, "},
    ),
    "two thousand guesses": (
        "numbers[-1] + 1001", "numbers[-1] + 2001", {GOOD: "gave ["},
    ),
}  # fmt: skip
PREDICT_WRONG = {name: (tuple(answer[:2]), answer[2]) for name, answer in PREDICT_WRONG.items()}

# ---- 30.2 ----------------------------------------------------------------------------------------------------

UNHARMED = "The attack takes place, and Ana notices nothing"
FALLS = "A bank that keeps the id falls"
HOLDS = "A bank that renews the id holds: None"

FIXATION = '''
import json

def fixation(http, plant, ana_logs_in):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    given = http("POST", "/basket", headers, "item=umbrella")
    cookie = next(value for name, value in given["headers"] if name == "Set-Cookie").split(";")[0]
    plant(f"{cookie}; Domain=fernbank.localhost; Path=/login")
    ana_logs_in()
    answer = http("GET", "/balance", {"Cookie": cookie}, None)
    return json.loads(answer["body"])["balance"] if answer["status"] == 200 else None
'''
FIXATION_RIGHT = {
    "by JSON, and the notes page": '''
import json

def fixation(http, plant, ana_logs_in):
    answer = http("POST", "/basket", {"Content-Type": "application/json"}, json.dumps({"item": "x"}))
    for name, value in answer["headers"]:
        if name.lower() == "set-cookie":
            pair = value.partition(";")[0]
    plant(pair + "; Path=/login; Domain=.fernbank.localhost")
    ana_logs_in()
    answer = http("GET", "/balance", {"Cookie": pair}, None)
    if answer["status"] != 200:
        return None
    return json.loads(answer["body"])["balance"]
''',
    "a cookie that is gone soon": ("Path=/login", "Path=/login; Max-Age=3600; Secure"),
}
FIXATION_WRONG = {
    "nothing": ("def fixation(http, plant, ana_logs_in):\n    return None", {UNHARMED: "plant() was called 0 times"}),
    "she never logs in": (("    ana_logs_in()\n", ""), {UNHARMED: "ana_logs_in() 0 times"}),
    "for the whole site": (("Path=/login", "Path=/"), {UNHARMED: "GET /balance answered 401"}),
    "for this host only": (("Domain=fernbank.localhost; ", ""), {UNHARMED: "it did not"}),
    "an id of one's own": (
        ("    plant(", "    cookie = cookie.split('=')[0] + '=' + 'A' * 43\n    plant("),
        {FALLS: "no loss of Ana's"},
    ),
    "the balance, made up": (
        ("json.loads(answer[\"body\"])[\"balance\"]", "1000"), {FALLS: "fixation() gave 1000"},
    ),
    "it always says a number": (
        (" if answer[\"status\"] == 200 else None", " if answer['status'] == 200 else 0"),
        {HOLDS: "fixation() gave 0"},
    ),
    "without the cookie": (('{"Cookie": cookie}', "{}"), {UNHARMED: "no request of yours did"}),
    "planted after the log-in": (
        "import json\n" + FIXATION.split("import json\n")[1].replace("    ana_logs_in()\n", "").replace(
            "    plant(", "    ana_logs_in()\n    plant("
        ),
        {UNHARMED: "it did not"},
    ),
}  # fmt: skip

# ---- 30.3 ----------------------------------------------------------------------------------------------------

FORMS = "The bank's own forms work, and need the token"
TABS = "Two tabs work, and the back button; Ben's token is another"
FETCHES = "Fetches with X-CSRF-Token work, and a link with the token"
ELSEWHERE = "A form from elsewhere moves no money"
ANOTHER = "A token of another session is none"
BEFORE = "A token from before the log-in is none"
PLAIN = "JSON that a form sends as text/plain moves no money"
DOORS = "A link, and a form that stands for a PUT, move no money"
NEAR = "What resembles the token is not the token"
ORDER = "Nobody works a token out"

SYNCHRONIZER = '''
import hashlib
import hmac
import secrets

def key_of(id):
    return "csrf:" + hashlib.sha256(id.encode()).hexdigest()

def token(store, id):
    if not store.get(key_of(id)):
        store.add(key_of(id), {"token": secrets.token_urlsafe(32)})
    return store.get(key_of(id))["token"]

def accept(store, id, request):
    given = request["headers"].get("X-CSRF-Token") or request["fields"].get("csrf")
    record = store.get(key_of(id))
    if record is None or not isinstance(given, str) or not given:
        return False
    return hmac.compare_digest(given.encode(), record["token"].encode())
'''
ACCEPT = SYNCHRONIZER[SYNCHRONIZER.index("def accept") :]
SYNCHRONIZER_RIGHT = {
    "kept under the id itself, compared with ==": '''
import secrets

def token(store, id):
    record = store.get(id)
    if record is None:
        store.add(id, {"t": secrets.token_hex(16)})
        record = store.get(id)
    return record["t"]

def accept(store, id, request):
    record = store.get(id)
    if record is None:
        return False
    sent = request["fields"].get("csrf", request["headers"].get("X-CSRF-Token", ""))
    return sent == record["t"]
''',
    "a secret in the store, and a hash of both": '''
import hashlib, secrets

def token(store, id):
    store.add("secret", {"secret": secrets.token_hex(32)})
    return hashlib.sha256((store.get("secret")["secret"] + id).encode()).hexdigest()

def accept(store, id, request):
    expected = token(store, id)
    return expected in (request["headers"].get("X-CSRF-Token"), request["fields"].get("csrf"))
''',
}
SYNCHRONIZER_WRONG = {
    "everything is accepted": (
        ("    given = request", "    return True\n    given = request"),
        {FORMS: "POST /notes answered 303"},
    ),
    "nothing is accepted": (
        ("    given = request", "    return False\n    given = request"),
        {FORMS: "POST /login answered 403", TABS: "answered 403", FETCHES: "answered 403"},
    ),
    "a new token for each page": (
        ("    if not store.get(key_of(id)):\n        store.add(",
         "    if True:\n        store.delete(key_of(id))\n        store.add("),
        {TABS: "answered 403"},
    ),
    "kept in the process": (
        """
        import secrets
        KEPT = {}

        def token(store, id):
            return KEPT.setdefault(id, secrets.token_urlsafe(32))

        def accept(store, id, request):
            given = request["headers"].get("X-CSRF-Token") or request["fields"].get("csrf")
            return id in KEPT and given == KEPT[id]
        """,
        {TABS: "answered 403"},
    ),
    "used once": (
        ('    return hmac.compare_digest(given.encode(), record["token"].encode())',
         '    return given == record["token"] and store.delete(key_of(id))'),
        {TABS: "answered 403", FETCHES: "answered 403"},
    ),
    "fields only": (
        ('request["headers"].get("X-CSRF-Token") or ', ""), {FETCHES: "POST /transfer answered 403"},
    ),
    "the header only": (
        (' or request["fields"].get("csrf")', ""), {FORMS: "answered 403", TABS: "403", FETCHES: "403"},
    ),
    "one for all": (
        ('return "csrf:" + hashlib.sha256(id.encode()).hexdigest()', 'return "csrf"'),
        {TABS: "both have "},
    ),
    "any token that was ever given": (
        [('    return store.get(key_of(id))["token"]',
          '    it = store.get(key_of(id))["token"]\n    store.add("given:" + it, {})\n    return it'),
         ('    return hmac.compare_digest(given.encode(), record["token"].encode())',
          '    return store.get("given:" + given) is not None')],
        {ANOTHER: "the bank's record: ana moved", BEFORE: "the bank's record"},
    ),
    "nothing equals nothing": (
        ('    if record is None or not isinstance(given, str) or not given:\n        return False\n',
         '    if given is None and record is None:\n        return True\n'
         '    if record is None or not isinstance(given, str):\n        return False\n'),
        {ELSEWHERE: "the bank's record"},
    ),
    "GET is safe": (
        ("    given = request", '    if request["method"] == "GET":\n        return True\n    given = request'),
        {DOORS: "the bank's record"},
    ),
    "POST only": (
        ("    given = request", '    if request["method"] != "POST":\n        return True\n    given = request'),
        {DOORS: "the bank's record"},
    ),
    "what goes to Mallory is refused, with any token": (
        ('    return hmac.compare_digest(given.encode(), record["token"].encode())',
         '    return request["fields"].get("to") != "mallory"'),
        {FORMS: "answered 403", TABS: "answered 403"},
    ),
    "forms only": (
        ("    given = request",
         '    if "form" not in request["headers"].get("Content-Type", "form"):\n'
         '        return True\n    given = request'),
        {ANOTHER: "POST /notes answered 201", PLAIN: "the bank's record", NEAR: "POST /notes answered 201"},
    ),
    "what is no text is trusted": (
        ("    if record is None or not isinstance(given, str)",
         "    if given and not isinstance(given, str):\n        return True\n    if record is None"),
        {PLAIN: "the bank's record"},
    ),
    "how it begins": (
        ('    return hmac.compare_digest(given.encode(), record["token"].encode())',
         '    return record["token"].startswith(given)'),
        {NEAR: "POST /notes answered 201"},
    ),
    "text beyond ASCII": (
        ("compare_digest(given.encode(), record[\"token\"].encode())", "compare_digest(given, record['token'])"),
        {NEAR: "TypeError"},
    ),
    "the session id": (
        SYNCHRONIZER.replace("secrets.token_urlsafe(32)", "id"), {NEAR: "the token holds it"},
    ),
    "the session id, backwards": (
        SYNCHRONIZER.replace("secrets.token_urlsafe(32)", "id[::-1]"), {NEAR: "the token holds it"},
    ),
    "the session id, in hexadecimal": (
        SYNCHRONIZER.replace("secrets.token_urlsafe(32)", "id.encode().hex()"), {NEAR: "the token holds it"},
    ),
    "one after the other": (
        """
        import hashlib

        def token(store, id):
            if not store.get(id):
                last = store.get("last") or {"n": 0}
                store.delete("last")
                store.add("last", {"n": last["n"] + 1})
                store.add(id, {"token": f"{last['n'] + 1:032}"})
            return store.get(id)["token"]

        def accept(store, id, request):
            given = request["headers"].get("X-CSRF-Token") or request["fields"].get("csrf")
            return bool(store.get(id)) and given == store.get(id)["token"]
        """,
        {ORDER: "and another"},
    ),
    "one after the other, hashed": (
        """
        import hashlib
        made = 0

        def token(store, id):
            global made
            if not store.get(id):
                made += 1
                store.add(id, {"token": hashlib.sha256(b"fern %d" % made).hexdigest()})
            return store.get(id)["token"]

        def accept(store, id, request):
            given = request["headers"].get("X-CSRF-Token") or request["fields"].get("csrf")
            return bool(store.get(id)) and given == store.get(id)["token"]
        """,
        {ORDER: "and another"},
    ),
    "what was kept is not read again": (
        """
        import secrets

        def token(store, id):
            record = store.get(id)
            if record is None:
                record = {"token": secrets.token_urlsafe(32)}
                store.add(id, record)
            return record["token"]

        def accept(store, id, request):
            given = request["headers"].get("X-CSRF-Token") or request["fields"].get("csrf")
            return bool(store.get(id)) and given == store.get(id)["token"]
        """,
        {TABS: " and "},
    ),
    "a part of the id for a key": (
        SYNCHRONIZER.replace("hashlib.sha256(id.encode()).hexdigest()", "id[:30]"), {ANOTHER: "both have"},
    ),
    "a header is enough": (
        ("    given = request",
         '    if "X-CSRF-Token" in request["headers"]:\n        return True\n    given = request'),
        {ANOTHER: "POST /notes answered 201", NEAR: "POST /notes answered 201"},
    ),
    "the log-in is free": (
        ("    given = request", '    if "username" in request["fields"]:\n        return True\n    given = request'),
        {ELSEWHERE: "POST /login answered 303"},
    ),
    "no fields, no token": (
        ("    given = request", '    if not request["fields"]:\n        return True\n    given = request'),
        {ELSEWHERE: "POST /logout answered 303"},
    ),
    "in letters of any size": (
        ('compare_digest(given.encode(), record["token"].encode())',
         'compare_digest(given.lower().encode(), record["token"].lower().encode())'),
        {NEAR: "POST /notes answered 201"},
    ),
    "a short one": (("token_urlsafe(32)", "token_urlsafe(6)"), {NEAR: "it has 8"}),
}  # fmt: skip

# ---- 30.4 ----------------------------------------------------------------------------------------------------

TWO = "Two tabs work, and fetches with the header"
HALF = "A form without its half moves no money"
MADE_UP = "A pair that Mallory made up is none"
OWN = "Mallory's own pair is none in Ana's session"
PAIR_BEFORE = "A pair from before the log-in is none"
EMPTY = "Empty equals empty, and is none"
BOUNDARY = "The id ends where it ends"

DOUBLE = '''
import hmac
import secrets

def sign(key, id, rand):
    return hmac.new(key, f"{len(id)}|{id}|{rand}".encode(), "sha256").hexdigest()

def issue(key, id):
    rand = secrets.token_urlsafe(16)
    return f"{rand}.{sign(key, id, rand)}"

def accept(key, id, cookie, token):
    if not isinstance(cookie, str) or not isinstance(token, str) or not token:
        return False
    if not hmac.compare_digest(cookie.encode(), token.encode()):
        return False
    rand, _, signature = token.partition(".")
    return hmac.compare_digest(signature.encode(), sign(key, id, rand).encode())
'''
SIGNED = DOUBLE[DOUBLE.index("    rand, _, signature") :]
DOUBLE_RIGHT = {
    "JSON is signed, base64url is sent": '''
import base64, hashlib, hmac, json, secrets

def mac(key, *parts):
    raw = hmac.new(key, json.dumps(parts).encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")

def issue(key, id):
    rand = secrets.token_hex(8)
    return mac(key, id, rand) + rand

def accept(key, id, cookie, token):
    if type(cookie) is not str or cookie != token:
        return False
    return len(token) == 59 and mac(key, id, token[43:]) == token[:43]
''',
    "without a random part": '''
import hmac

def issue(key, id):
    return hmac.new(key, b"csrf|" + id.encode(), "sha256").hexdigest()

def accept(key, id, cookie, token):
    return cookie == token == issue(key, id)
''',
}
DOUBLE_WRONG = {
    "two equal halves": (
        (SIGNED, "    return True\n"),
        {MADE_UP: "the bank's record", OWN: "the bank's record", PAIR_BEFORE: "the bank's record",
         BOUNDARY: "accept() took", EMPTY: "accept() gave True"},
    ),
    "equal, empty too": (
        DOUBLE[: DOUBLE.index("def accept")]
        + "def accept(key, id, cookie, token):\n    return (cookie or '') == (token or '')\n",
        {MADE_UP: "record", OWN: "record", PAIR_BEFORE: "record", BOUNDARY: "accept() took",
         EMPTY: "record"},
    ),
    "signed for nobody": (
        ('f"{len(id)}|{id}|{rand}".encode()', "rand.encode()"),
        {OWN: "the bank's record: ana moved", PAIR_BEFORE: "the bank's record", BOUNDARY: "accept() took"},
    ),
    "without a length": (
        [('f"{len(id)}|{id}|{rand}"', 'f"{id}{rand}"'),
         ('f"{rand}.{sign(key, id, rand)}"', 'f"{rand}.{sign(key, id, rand)}"')],
        {BOUNDARY: "accept() took"},
    ),
    "kept in the process": (
        """
        import secrets
        KEPT = {}

        def issue(key, id):
            return KEPT.setdefault((key, id), secrets.token_hex(32))

        def accept(key, id, cookie, token):
            return cookie == token == KEPT.get((key, id), False)
        """,
        {TWO: "answered 403"},
    ),
    "a key of the process": (
        [("import secrets\n", "import secrets\nOWN = secrets.token_bytes(32)\n"),
         ("hmac.new(key,", "hmac.new(OWN + key,")],
        {TWO: "answered 403"},
    ),
    "the cookie alone": (
        [("    if not isinstance(cookie, str) or not isinstance(token, str) or not token:", "    if not cookie:"),
         ("    if not hmac.compare_digest(cookie.encode(), token.encode()):\n        return False\n", ""),
         ("token.partition", "cookie.partition")],
        {FORMS: "POST /notes answered 303"},
    ),
    "the token alone": (
        [("not isinstance(cookie, str) or ", ""),
         ("    if not hmac.compare_digest(cookie.encode(), token.encode()):\n        return False\n", "")],
        {HALF: "accept() gave True"},
    ),
    "another key": (
        DOUBLE.replace("hmac.new(key,", "hmac.new(b'fernbank',") , {MADE_UP: "accept() gave True"},
    ),
    "nothing is accepted": (
        ("    if not isinstance(cookie", "    return False\n    if not isinstance(cookie"),
        {FORMS: "answered 403", TWO: "answered 403"},
    ),
    "issue signs something else": (
        ("sign(key, id, rand)}\"", "sign(key, id, 'x')}\""), {FORMS: "answered 403", TWO: "answered 403"},
    ),
    "no check of what it is": (
        (DOUBLE[DOUBLE.index("    if not isinstance") : DOUBLE.index("    if not hmac")], ""),
        {FORMS: "AttributeError"},
    ),
    "the first byte of the key": (("hmac.new(key,", "hmac.new(key[:1],"), {MADE_UP: "accept() gave True"}),
    "the id is in the token": (
        [('return f"{rand}.{sign(key, id, rand)}"', 'return f"{rand}.{sign(key, id, rand)}.{id}"'),
         ("sign(key, id, rand).encode())", "f'{sign(key, id, rand)}.{id}'.encode())")],
        {MADE_UP: "holds it"},
    ),
    "half of the id": (('{len(id)}|{id}|{rand}', '{len(id)}|{id[:20]}|{rand}'), {BOUNDARY: "accept() took"}),
    "the other half": (('{len(id)}|{id}|{rand}', '{len(id)}|{id[20:]}|{rand}'), {BOUNDARY: "accept() took"}),
    "the id in small letters": (('|{id}|', '|{id.lower()}|'), {BOUNDARY: "accept() took"}),
    "the id without white space": (
        ('{len(id)}|{id}|{rand}', '{len(id.strip())}|{id.strip()}|{rand}'), {BOUNDARY: "accept() took"},
    ),
    "the random part goes first": (
        ('f"{len(id)}|{id}|{rand}"', 'f"{rand}{id}"'), {BOUNDARY: "accept() took"},
    ),
    "a dot for an end": (
        [('f"{len(id)}|{id}|{rand}"', 'f"{id}.{rand}"'), ('token.partition(".")', 'token.rpartition(".")')],
        {BOUNDARY: "accept() took"},
    ),
    "the first eight digits": (
        ("hmac.compare_digest(signature.encode(), sign(key, id, rand).encode())",
         "signature[:8] == sign(key, id, rand)[:8]"),
        {MADE_UP: "the bank's record"},
    ),
    "digits of any size": (
        ("compare_digest(signature.encode()", "compare_digest(signature.lower().encode()"),
        {MADE_UP: "the bank's record"},
    ),
    "how the signature begins": (
        ("hmac.compare_digest(signature.encode(), sign(key, id, rand).encode())",
         "sign(key, id, rand).startswith(signature)"),
        {MADE_UP: "the bank's record", EMPTY: "accept() gave True", BOUNDARY: "accept() took"},
    ),
}  # fmt: skip

# ---- 30.5 ----------------------------------------------------------------------------------------------------

BOOKMARKS = "Bookmarks, and links in a mail"
PAGES = "The bank's own forms and fetches work, and no others"
CONFIG = "A proxy in front, a trusted sibling, and a program"
FOREIGN = "A form on another site moves no money"
LOGIN = "Mallory cannot log Ana in as Mallory"
NULL = "Origin: null is nobody's"
NEITHER = "Neither header: config decides, for what changes something"
LINK = "A link that pays does not pay"
ISOLATED = "Nobody else frames or loads what is Ana's"
ALIKE = "An address that resembles the bank's is another"

POLICY = '''
def allow(method, headers, config):
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    trusted = origin in config["origins"] or origin in config["siblings"]
    if method not in ("GET", "HEAD", "OPTIONS") or config["changes"]:
        if site is None:
            return config["absent"] if origin is None else trusted
        return site == "same-origin" or (site == "same-site" and trusted)
    if site in (None, "same-origin", "none"):
        return True
    return headers.get("Sec-Fetch-Mode") == "navigate" and headers.get("Sec-Fetch-Dest") == "document"
'''
POLICY_RIGHT = {
    "one thing after another": '''
def allow(method, headers, config):
    reads = method in {"GET", "HEAD", "OPTIONS"} and not config["changes"]
    known = set(config["origins"]) | set(config["siblings"])
    match headers.get("Sec-Fetch-Site"):
        case None if reads:
            return True
        case None if "Origin" in headers:
            return headers["Origin"] in known
        case None:
            return config["absent"]
        case "same-origin":
            return True
        case "none":
            return reads
        case other if reads:
            return (headers.get("Sec-Fetch-Mode"), headers.get("Sec-Fetch-Dest")) == ("navigate", "document")
        case other:
            return other == "same-site" and headers.get("Origin") in known
''',
    "sibling scripts may read": (
        "    return headers.get(\"Sec-Fetch-Mode\")",
        "    if site == 'same-site' and trusted:\n        return True\n    return headers.get(\"Sec-Fetch-Mode\")",
    ),
}
UNSAFE = 'method not in ("GET", "HEAD", "OPTIONS") or config["changes"]'
POLICY_WRONG = {
    "everything": (
        ("    site, origin", "    return True\n    site, origin"),
        {PAGES: "POST /notes still answered 303"},
    ),
    "nothing": (
        ("    site, origin", "    return False\n    site, origin"),
        {BOOKMARKS: "answered 403", PAGES: "answered 403", CONFIG: "gave False"},
    ),
    "Host instead of config": (
        ('origin in config["origins"] or', 'origin and origin.partition("//")[2] == headers.get("Host") or'),
        {CONFIG: "allow() gave"},
    ),
    "no way in from elsewhere": (
        ('headers.get("Sec-Fetch-Mode") == "navigate" and headers.get("Sec-Fetch-Dest") == "document"', "False"),
        {BOOKMARKS: "answered 403"},
    ),
    "old browsers stay out": (
        ('if site is None:\n            return config["absent"] if origin is None else trusted',
         "if site is None:\n            return False"),
        {BOOKMARKS: "answered 403", PAGES: "answered 403", CONFIG: "gave False"},
    ),
    "POST and PUT only": ((UNSAFE, 'method in ("POST", "PUT") or config["changes"]'), {NEITHER: "gave True"}),
    "the method alone": (
        (UNSAFE, 'method not in ("GET", "HEAD", "OPTIONS")'), {NEITHER: "gave True", LINK: "record"},
    ),
    "siblings are family": (
        ('site == "same-site" and trusted', 'site == "same-site"'), {FOREIGN: "record", ALIKE: "gave True"},
    ),
    "no siblings at all": (
        (' or (site == "same-site" and trusted)', ""), {CONFIG: "gave False"},
    ),
    "null is a file": (
        ('    trusted = origin in', '    trusted = origin == "null" or origin in'), {NULL: "the bank's record"},
    ),
    "null is missing": (
        ("if origin is None else", 'if origin in (None, "null") else'), {NULL: "the bank's record"},
    ),
    "neither is fine": (
        ('config["absent"] if origin is None', "True if origin is None"), {NEITHER: "gave True"},
    ),
    "neither is never fine": (
        ('config["absent"] if origin is None', "False if origin is None"), {CONFIG: "gave False"},
    ),
    "typed is trusted": (
        ('return site == "same-origin" or', 'return site in ("same-origin", "none") or'),
        {NEITHER: "gave True", LINK: "the bank's record"},
    ),
    "any navigation": (
        (' and headers.get("Sec-Fetch-Dest") == "document"', ""), {ISOLATED: "allow() gave True"},
    ),
    "reading is harmless": (
        ('    return headers.get("Sec-Fetch-Mode") == "navigate" and headers.get("Sec-Fetch-Dest") == "document"',
         "    return True"),
        {ISOLATED: "allow() gave True"},
    ),
    "how it begins": (
        ('trusted = origin in config["origins"]',
         'trusted = any((origin or "").startswith(one) for one in config["origins"])'),
        {ALIKE: "allow() gave True"},
    ),
    "how it ends": (
        ('trusted = origin in config["origins"]',
         'trusted = any((origin or "").endswith(one.partition("//")[2]) for one in config["origins"])'),
        {ALIKE: "allow() gave True"},
    ),
    "Origin goes first": (
        ('(site == "same-site" and trusted)', "trusted"), {ALIKE: "cross-site"},
    ),
    "no list of what reads": (
        (UNSAFE, 'method in ("POST", "PUT", "PATCH", "DELETE") or config["changes"]'), {NEITHER: "gave True"},
    ),
    "GET alone reads": ((UNSAFE, 'method != "GET" or config["changes"]'), {BOOKMARKS: "gave False"}),
    "one sibling": (('origin in config["siblings"]', 'origin in config["siblings"][:1]'), {CONFIG: "gave False"}),
    "siblings have no links": (
        ('    if site in (None, "same-origin", "none")',
         '    if site == "same-site" and not trusted:\n        return False\n'
         '    if site in (None, "same-origin", "none")'),
        {BOOKMARKS: "gave False"},
    ),
    "Origin is asked when it only reads": (
        ('    if site in (None, "same-origin", "none")',
         '    if site is None and origin and not trusted:\n        return False\n'
         '    if site in (None, "same-origin", "none")'),
        {BOOKMARKS: "gave False"},
    ),
    "Origin is asked of the bank's own pages": (
        ('return site == "same-origin" or',
         'return site == "same-origin" and origin in (None, *config["origins"]) or'),
        {CONFIG: "gave False"},
    ),
    "what is no word of the table is nobody's": (
        ("    trusted = origin",
         '    if site not in ("same-origin", "same-site", "none", "cross-site"):\n        site = None\n'
         "    trusted = origin"),
        {ALIKE: "gave True"},
    ),
    "none, and absent": (
        ('return site == "same-origin" or',
         'return site == "same-origin" or (site == "none" and config["absent"]) or'),
        {NEITHER: "gave True"},
    ),
    "JSON comes from a script": (
        ("    trusted = origin",
         '    if headers.get("Content-Type") == "application/json":\n        return True\n    trusted = origin'),
        {FOREIGN: "allow() gave True"},
    ),
    "no sibling changes anything by GET": (
        ('(site == "same-site" and trusted)', '(site == "same-site" and trusted and method != "GET")'),
        {LINK: "allow() gave False for GET"},
    ),
    "HEAD changes nothing": (
        ('    trusted = origin', '    if method in ("HEAD", "OPTIONS"):\n        return True\n    trusted = origin'),
        {NEITHER: "gave True for HEAD"},
    ),
    "what is not said is fine": (
        [('headers.get("Sec-Fetch-Mode")', 'headers.get("Sec-Fetch-Mode", "navigate")'),
         ('headers.get("Sec-Fetch-Dest")', 'headers.get("Sec-Fetch-Dest", "document")')],
        {ISOLATED: "allow() gave True"},
    ),
    "a slash at the end": (
        ('    trusted = origin', '    origin = origin and origin.rstrip("/")\n    trusted = origin'),
        {ALIKE: "gave True"},
    ),
    "in letters of any size": (
        ('    trusted = origin', '    origin = origin and origin.lower()\n    trusted = origin'),
        {ALIKE: "gave True"},
    ),
    "the usual port": (
        ('    trusted = origin', '    origin = origin and origin.removesuffix(":443")\n    trusted = origin'),
        {ALIKE: "gave True"},
    ),
    "a person has clicked": (
        ('    if site in (None, "same-origin", "none")',
         '    if headers.get("Sec-Fetch-User") == "?1":\n        return True\n'
         '    if site in (None, "same-origin", "none")'),
        {ISOLATED: "gave True"},
    ),
    "a log-in needs no check": (
        ("    site, origin", '    if "Cookie" not in headers:\n        return True\n    site, origin'),
        {FOREIGN: "gave True", NEITHER: "gave True", ISOLATED: "gave True", ALIKE: "gave True", LOGIN: "record"},
    ),
}  # fmt: skip

# --------------------------------------------------------------------------------------------------------------

TABLE = {
    "30.1": (PREDICT, PREDICT_RIGHT, PREDICT_WRONG),
    "30.2": (FIXATION, FIXATION_RIGHT, FIXATION_WRONG),
    "30.3": (SYNCHRONIZER, SYNCHRONIZER_RIGHT, SYNCHRONIZER_WRONG),
    "30.4": (DOUBLE, DOUBLE_RIGHT, DOUBLE_WRONG),
    "30.5": (POLICY, POLICY_RIGHT, POLICY_WRONG),
}
