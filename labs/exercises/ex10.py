"""Exercises of lesson 10, Sessions from scratch."""

import base64
import math
import re
from collections import Counter

from labs.auth.cookies import SessionCookie
from labs.auth.sessions import Sessions
from labs.auth.stores import MemoryStore
from labs.bench.jar import CookieJar

from .exercise import BASICS, Exercise
from .process import LearnerError

SID = SessionCookie().name  # the cookie of the bank, where the exercise is not about the cookie


class Functions:
    """What a bank is handed, made of a cell's functions: create, load and delete(store, ...)."""

    def __init__(self, lab):
        self._lab, self._store = lab, lab.remote("store")

    def create(self, user=None, elevated=False):
        return usable("create", self._lab.call("create", self._store, user))

    def load(self, id):
        user = self._lab.call("load", self._store, id)
        if not isinstance(user, str | None):
            raise LearnerError(f"your load returned {user!r:.60}: it should return the user's name, or None")
        return None if user is None else {"user": user}

    def save(self, id, data):
        return False

    def rotate(self, id, user, elevated=False):
        return self.create(user)

    def revoke(self, id):
        self._lab.call("delete", self._store, id)
        return True

    def revoke_all(self, user):
        return 0


def usable(name, id):
    """The id that the cell's function `name` returned. Raises LearnerError when no cookie can carry it."""
    if type(id) is not str or not COOKIE_VALUE.fullmatch(id):
        raise LearnerError(
            f"your {name} returned {id!r:.60}: it should return the id, text that a cookie can carry"
        )
    return id


COOKIE_VALUE = re.compile(r"[!#-+\--:<-\[\]-~]{1,4000}")


def bank_of_functions(lab):
    """A Fernbank whose sessions are the cell's create, load and delete."""
    return lab.bank(Functions(lab))


def holding(lab, id, person="mallory"):
    """A browser at which `person` sits, with `id` in its cookie, however they came by it."""
    browser = lab.visitor(person)
    browser.cookies[SID] = id
    return browser


# ---- 10.1 ----------------------------------------------------------------------------------------------------

NEW_ID = Exercise(
    "10.1",
    "An id that nobody guesses",
    defines=("new_id",),
    imports=BASICS | {"os", "random", "uuid"},
    minutes=5,
    hints=(
        "The module `secrets` asks the operating system for random bytes; `random` computes its numbers from a seed.",
        "128 bits are 16 bytes. `secrets.token_urlsafe(n)` takes the number of bytes.",
    ),
)


def entropy(ids):
    """The bits that the positions of these ids (list of str) carry together, as seen in the sample.

    Each position counts by itself (Shannon, with the Miller-Madow correction for a finite sample), so this is an
    upper bound: a prefix, a date or a counter's constant digits give nothing.
    """
    bits = 0.0
    for column in zip(*ids, strict=False):
        counts = Counter(column)
        bits += -sum(n / len(ids) * math.log2(n / len(ids)) for n in counts.values())
        bits += (len(counts) - 1) / (2 * len(ids) * math.log(2))
    return bits


@NEW_ID.customer("10,000 ids, and no two are the same", look_at="what new_id() draws from")
def unique(lab):
    ids = lab.call_many("new_id", 10_000)
    odd = [id for id in ids if type(id) is not str or not COOKIE_VALUE.fullmatch(id)]
    lab.expect(
        not odd, "an id is text that a cookie can carry", f"new_id() gave {odd[0] if odd else ''!r:.60}"
    )
    twice = [id for id, n in Counter(ids).items() if n > 1]
    lab.expect(not twice, "10,000 different ids", f"{len(ids) - len(set(ids))} of them came twice or more")


@NEW_ID.probe("An id carries at least 128 bits (ASVS 7.2.3)", look_at="how many random bytes an id has")
def long_enough(lab):
    bits = entropy(lab.call_many("new_id", 4_000))
    lab.expect(
        bits >= 127.5, "at least 128 bits that nobody can know", f"the ids vary by about {bits:.0f} bits"
    )


@NEW_ID.probe(
    "A restarted server repeats nothing", look_at="whether a seed, a counter or the clock decides the id"
)
def repeats_nothing(lab):
    seen, reseed = set(), lab.random.randrange(1_000_000)
    for _ in range(3):
        lab.restart(reseed)
        seen_now = set(lab.call_many("new_id", 50))
        lab.expect(
            not seen & seen_now,
            "new ids, with the same seed of `random` and at the same second",
            f"the restarted server gave {len(seen & seen_now)} of 50 ids again",
        )
        seen |= seen_now


# ---- 10.2 ----------------------------------------------------------------------------------------------------

RECORDS = Exercise(
    "10.2",
    "Create, load, delete",
    defines=("create", "load", "delete"),
    minutes=8,
    mount=bank_of_functions,
    hints=(
        "create: draw an id with new_id(), store.add(id, ...) a dict that names the user, return the id.",
        "load: store.get(id) gives that dict, or None when there is none. An id without a record is nobody's: "
        "return None and write nothing.",
        "delete: the record has to go; what the browser still holds is then worth nothing.",
    ),
)


@RECORDS.customer(
    "Ana and Ben are logged in at once, each as themselves", look_at="whose name load() returns"
)
def two_users(lab):
    people = [lab.login(name) for name in lab.random.sample(["ana", "ben"], 2)]
    for one in people:
        owner = one.owner()
        lab.expect(
            owner == one.name, f"{one.name} sees {one.name}'s account", f"{one.name} saw {owner}'s", lab.last
        )


@RECORDS.customer(
    "Ana logs out on her phone and stays logged in on her laptop", look_at="what delete() deletes"
)
def two_devices(lab):
    laptop, phone = lab.login("ana"), lab.login("ana")
    lab.random.choice([laptop, phone]).balance()
    phone.logout()
    laptop.balance()


@RECORDS.customer(
    "The server restarts, and Ana is still logged in", look_at="where create() keeps the record"
)
def survives_a_restart(lab):
    ana = lab.login("ana")
    lab.restart()
    still_in(lab, ana)


@RECORDS.probe(
    "Once Ana has logged out, a copy of her id opens nothing", look_at="what delete() leaves behind"
)
def replay(lab):
    ana = lab.login("ana")
    copy = holding(lab, ana.cookies[SID])
    ana.logout()
    lab.refused(copy.balance, because="the session ends on the server, so every copy of its id is worthless")
    copy.logout()  # an id that is dead already: nothing to do, and no error


@RECORDS.probe(
    "An id that nobody issued opens nothing and leaves no record", look_at="what load() does without a record"
)
def not_adopted(lab):
    made_up = made_up_id(lab)
    before = lab.store.text()
    lab.refused(holding(lab, made_up).balance, because="only ids that create() gave out open a session")
    lab.expect(
        lab.store.text() == before, "load() writes nothing", "GET /balance with a made-up id left a record"
    )


@RECORDS.probe("Every login gets a new id, and none can be guessed", look_at="what the id is made from")
def new_ids(lab):
    user = lab.random.choice(["ana", "ben"])
    ids = [id for id in lab.call_many("create", 300, lab.remote("store"), user) if type(id) is str]
    different = len(set(ids))
    lab.expect(
        different == 300, "a new id at each login", f"300 logins of {user} gave {different} different ids"
    )
    bits = entropy(ids)
    lab.expect(
        bits >= 127.5, "at least 128 bits that nobody can know", f"the ids vary by about {bits:.0f} bits"
    )


def still_in(lab, customer):
    """Expect that a restart of the server logged nobody out."""
    response = customer.send("GET", "/balance")
    expected = "the record is in the store, which outlives the server"
    lab.expect(response.status == 200, expected, f"after a restart {lab.answered(response)}", lab.last)


def made_up_id(lab):
    """An id of the usual length that no server gave out."""
    return "fern-" + "".join(lab.random.choices("0123456789abcdef", k=38))


# ---- 10.3 ----------------------------------------------------------------------------------------------------

COOKIE = Exercise(
    "10.3",
    "A cookie that stays home",
    defines=("set_cookie",),
    minutes=8,
    mount=lambda lab: lab.bank(Sessions(MemoryStore()), Policy(lab)),
    hints=(
        'The value reads name=id, then the attributes, each after a semicolon: f"sid={id}; Path=/; ..."',
        "HttpOnly keeps script away, Secure keeps plain http away, no Domain keeps siblings from getting it.",
        "SameSite=Strict also holds back the customer who comes by a link. Lax does not.",
        "No attribute stops a sibling from setting a cookie of the same name: the prefix __Host- in the name does.",
    ),
)

REAL = (
    "https://app.fernbank.example/login"  # a host that is not this machine, so its plain http is not secure
)


class Policy:
    """The bank's cookie policy, made of the cell's set_cookie(id)."""

    def __init__(self, lab):
        self._lab, self._name = lab, None

    def set(self, id):
        value = self._lab.call("set_cookie", id)
        if type(value) is not str:
            raise LearnerError(f"your set_cookie returned {value!r:.60}: it should return text")
        if value.lower().startswith("set-cookie:"):
            raise LearnerError("your set_cookie returned the whole header: return what follows Set-Cookie:")
        self._name = value.partition("=")[0].strip()
        return value

    def clear(self):
        return f"{self._name}=; Path=/; Secure; Max-Age=0"

    def read(self, cookie_header):
        pairs = [pair.strip().partition("=") for pair in (cookie_header or "").split(";")]
        return next((value for name, _, value in pairs if name == self._name), None)


def kept_all(lab, jar):
    """Expect that the browser kept every cookie that it was given."""
    reason = jar.refusals[0][1] if jar.refusals else ""
    lab.expect(not reason, "a cookie that a browser keeps", f"the browser refused it: {reason}")


@COOKIE.customer("The browser brings the id back, to every page", look_at="name, value and Path")
def comes_back(lab):
    ana = lab.login("ana")
    kept_all(lab, ana.cookies)
    lab.random.choice([ana.balance, ana.notes])()
    ana.transfer("ben", lab.random.randrange(1, 100))


@COOKIE.customer("A customer who follows a link from another site is still logged in", look_at="SameSite")
def survives_a_link(lab):
    ana = lab.login("ana")
    sent = ana.cookies.header(ana.visitor.url_of("/balance"), initiator="https://mail.example/inbox")
    lab.expect(
        sent is not None, "a link in a mail brings the cookie along", "the browser held the cookie back"
    )
    lab.visitor("ana").ask("GET", "/balance", headers={"Cookie": sent})


@COOKIE.probe("Script on the page cannot read the id", look_at="HttpOnly")
def script(lab):
    ana = lab.login("ana")
    seen = ana.cookies.script(ana.visitor.url_of("/balance"))
    lab.expect(not seen, "document.cookie is empty", f"document.cookie was {seen!r:.60}")


@COOKIE.probe("Another host of the same site does not get the id", look_at="Domain")
def sibling_reads(lab):
    ana = lab.login("ana")
    site = ana.visitor.host.partition(".")[2]
    for host in (f"blog.{site}", site):
        sent = ana.cookies.header(f"http://{host}:{lab.site.port}/")
        lab.expect(not sent, f"the id goes to {ana.visitor.host} only", f"{host} got it, too")


@COOKIE.probe("The id never travels over plain http", look_at="Secure")
def plain_http(lab):
    jar = CookieJar("app.fernbank.example")
    jar.store(Policy(lab).set(lab.random.randbytes(32).hex()), REAL)
    sent = jar.header(REAL.replace("https", "http"))
    expected = "nothing is sent where anybody on the way can read it"
    lab.expect(not sent, expected, f"plain http carried Cookie: {sent or '':.60}")


@COOKIE.probe("A form on another site moves no money", look_at="SameSite")
def cross_site_form(lab):
    ana, ferns = lab.login("ana"), lab.site.app.ledger.balance
    sent = ana.cookies.header(
        ana.visitor.url_of("/transfer"), initiator="https://mallory.example/", method="POST"
    )
    before, form = ferns("ana"), {"to": "mallory", "amount": str(lab.random.randrange(1, 1000))}
    # Ana's own browser sends this: a page of Mallory's made it.
    lab.visitor("ana").send("POST", "/transfer", form=form, headers={"Cookie": sent} if sent else None)
    lost = before - ferns("ana")
    lab.expect(
        lost == 0,
        "the browser sends Mallory's form without the id",
        f"it moved {lost} of ana's ferns",
        lab.last,
    )


@COOKIE.probe(
    "Another host of the same site cannot put its own id in this one's place", look_at="the cookie's name"
)
def sibling_writes(lab):
    """Cookie tossing: a cookie for the whole domain with a longer Path comes first in the header."""
    ana, mallory = lab.login("ana"), lab.login("mallory")
    name, id = next(iter(mallory.cookies.items()), ("", ""))
    domain = ana.visitor.host.partition(".")[2]
    ana.cookies.store(
        f"{name}={id}; Domain={domain}; Path=/balance; Secure", f"http://evil.{domain}:{lab.site.port}/"
    )
    owner = ana.owner()
    lab.expect(owner == "ana", "ana's browser shows ana's account", f"it showed {owner}'s", lab.last)


# ---- 10.4 ----------------------------------------------------------------------------------------------------

TIMEOUTS = Exercise(
    "10.4",
    "Two timeouts",
    defines=("create", "load"),
    minutes=10,
    difficulty="medium",
    mount=bank_of_functions,
    hints=(
        "Two times go into the record: when it was made, and when it was last used. time.time() gives seconds.",
        "load: compare the time now with both, before you write anything. Ended means now - then >= limit.",
        "What has ended is deleted, so that no later request finds it.",
        'What lives gets a new last_seen: store.replace(id, old, {**old, "last_seen": now}).',
    ),
)

IDLE, ABSOLUTE = 30 * 60, 8 * 3600  # seconds; the page says them


def stay_busy(lab, customer, until):
    """Click every 10 to 25 minutes until `until` seconds after the probe began."""
    while lab.elapsed < until:
        lab.skip(seconds=min(lab.random.randrange(600, 1500), until - lab.elapsed))
        customer.balance()


@TIMEOUTS.customer(
    "A customer who keeps clicking stays in for hours", look_at="what load() writes at each click"
)
def keeps_clicking(lab):
    stay_busy(lab, lab.login("ana"), until=7 * 3600)


@TIMEOUTS.customer(
    "One second before either limit a session is alive", look_at="the limits, and from when they count"
)
def just_before(lab):
    ana = lab.login("ana")
    lab.skip(seconds=lab.random.randrange(60, 240))
    ana.balance()
    lab.skip(seconds=IDLE - 1)
    ana.balance()
    stay_busy(lab, ana, until=ABSOLUTE - 1)


@TIMEOUTS.probe(
    "Half an hour of silence ends the session, to the second", look_at="how load() compares the time of last use"
)
def idle(lab):
    ana, ben = lab.login("ana"), lab.login("ben")
    lab.skip(seconds=lab.random.randrange(60, 1200))
    ben.balance()
    lab.skip(seconds=IDLE)
    lab.refused(ben.balance, because="at 30 minutes of silence the session has ended (ASVS 7.3.1)")
    lab.skip(hours=lab.random.randrange(1, 3))
    lab.refused(ana.balance, because="after hours of silence the session has ended (ASVS 7.3.1)")


@TIMEOUTS.probe("What has ended stays ended", look_at="what load() writes when the session has ended")
def stays_ended(lab):
    ana = lab.login("ana")
    lab.skip(seconds=IDLE + lab.random.randrange(1, 600))
    lab.refused(ana.balance, because="after half an hour of silence the session has ended (ASVS 7.3.1)")
    for _ in range(3):
        lab.skip(seconds=lab.random.randrange(1, 60))
        lab.refused(ana.balance, because="a request that comes too late does not bring the session back")


@TIMEOUTS.probe(
    "Constant activity does not stretch the absolute limit", 2, look_at="what load() compares with the login"
)
def absolute(lab):
    ana = lab.login("ana")
    stay_busy(lab, ana, until=ABSOLUTE - 60)
    lab.skip(seconds=60 + lab.random.randrange(1, 600))
    lab.refused(
        ana.balance, because="eight hours after login the session has ended, however busy (ASVS 7.3.2)"
    )


@TIMEOUTS.probe("The absolute limit holds to the second", look_at="how load() compares the time of login")
def absolute_exactly(lab):
    ana = lab.login("ana")
    stay_busy(lab, ana, until=ABSOLUTE - lab.random.randrange(1, 600))
    lab.skip(seconds=ABSOLUTE - lab.elapsed)
    lab.refused(ana.balance, because="at exactly eight hours the session has ended (ASVS 7.3.2)")


# ---- 10.5 ----------------------------------------------------------------------------------------------------

HASHED = Exercise(
    "10.5",
    "A store that opens nothing",
    defines=("create", "load", "delete", "log_line"),
    minutes=8,
    difficulty="medium",
    mount=bank_of_functions,
    hints=(
        "The browser gets the id. The store gets a key that follows from the id and does not lead back to it.",
        "hashlib.sha256(id.encode()).hexdigest() is such a key. create, load and delete all use it.",
        "A log line may show the beginning of that key: long enough to tell sessions apart, and no part of an id.",
    ),
)


@HASHED.customer(
    "Two customers are served, also after a restart", look_at="whether load() looks where create() wrote"
)
def served_from_hashes(lab):
    people = [lab.login("ana"), lab.login("ben")]
    for when in ("", "after a restart "):
        for one in people:
            response = one.send("GET", "/balance")
            happened = f"{when}{lab.answered(response)}"
            lab.expect(response.status == 200, "a customer who is logged in is served", happened, lab.last)
            owner = response.json()["owner"]
            lab.expect(
                owner == one.name, f"{one.name} sees {one.name}'s account", f"it was {owner}'s", lab.last
            )
        lab.restart()


@HASHED.customer(
    "Log-out ends one session and no other", look_at="whether delete() looks where create() wrote"
)
def logout_from_hashes(lab):
    laptop, phone = lab.login("ana"), lab.login("ana")
    copy = holding(lab, phone.cookies[SID])
    phone.logout()
    lab.refused(copy.balance, because="once Ana has logged out, a copy of her id opens nothing")
    laptop.balance()


@HASHED.customer(
    "A session keeps one line in the log, and no two share it", look_at="what log_line() is made from"
)
def log_lines(lab):
    ids = lab.call_many("create", 100, lab.remote("store"), "ana")
    lines = [lab.call("log_line", id) for id in ids]
    odd = [line for line in lines if type(line) is not str or len(line.splitlines()) != 1]
    lab.expect(not odd, "log_line() returns one line of text", f"it returned {odd[0] if odd else ''!r:.60}")
    lab.expect(len(set(lines)) == 100, "100 sessions, 100 lines", f"100 sessions had {len(set(lines))} lines")
    lab.restart()
    again = lab.call("log_line", ids[0])
    lab.expect(again == lines[0], "the same line each time", f"{lines[0]!r:.60} was later {again!r:.60}")


@HASHED.probe(
    "Whoever reads the store gets in with nothing they find",
    2,
    look_at="the keys and the fields in the store",
)
def stolen_store(lab):
    for one in (lab.login("ana"), lab.login("ben")):
        one.balance()
    for found in words_in(lab.store.records):
        lab.refused(holding(lab, found).balance, because="no key and no text from the store opens a session")


@HASHED.probe(
    "No id stands in the store, however it is spelled", look_at="the keys and the fields in the store"
)
def no_id_in_the_store(lab):
    one, other = (usable("create", lab.call("create", lab.remote("store"), "ana")) for _ in range(2))
    lab.call("load", lab.remote("store"), one)
    way = spelled_in(lab.store.text(), one, other)
    lab.expect(not way, "nothing in the store leads back to an id", f"an id stood in the store {way}")


@HASHED.probe(
    "No piece of an id stands in the log, and no log line opens anything", look_at="what log_line() shows"
)
def no_id_in_the_log(lab):
    ana, ben = lab.login("ana"), lab.login("ben")
    line = lab.call("log_line", ana.cookies[SID])
    lab.expect(type(line) is str, "log_line() returns text", f"it returned {line!r:.60}")
    way = spelled_in(line, ana.cookies[SID], ben.cookies[SID])
    lab.expect(
        not way, "nothing in the log leads back to an id", f"a piece of the id stood in the line {way}"
    )
    for found in words_in(line):
        lab.refused(holding(lab, found).balance, because="no word of a log line opens a session")


@HASHED.probe("A key keeps at least 128 bits of the id", look_at="how much of the hash the key keeps")
def long_keys(lab):
    """Else many ids fit one record, and guessing is cheap again."""
    lab.call_many("create", 500, lab.remote("store"), "ana")
    by_length = {}
    for key in lab.store.records:
        by_length.setdefault(len(key), []).append(key)
    bits = max(map(entropy, by_length.values()), default=0)
    lab.expect(bits >= 127.5, "keys of at least 128 bits", f"the keys vary by about {bits:.0f} bits")


def words_in(value):
    """Every text in plain data, keys included, that a cookie can carry: whole, and in parts (no prefix, say)."""
    if isinstance(value, dict):
        return [word for key, item in value.items() for word in [*words_in(key), *words_in(item)]]
    if isinstance(value, list):
        return [word for item in value for word in words_in(item)]
    if not isinstance(value, str):
        return []
    return [
        word
        for word in dict.fromkeys([value, *re.split(r"[\s:/|.,;=]+", value)])
        if COOKIE_VALUE.fullmatch(word)
    ]


def spelled_in(text, id, other):
    """How `id`, or a piece of it, stands in `text`: "as it is", "in hex" and so on; "" when it does not.

    A piece is six characters (twelve hex digits) in a row; what `id` shares with `other`, another session's, is none.
    """
    for way, spell, length in SPELLINGS:
        pieces = pieces_of(spell(id), length) - pieces_of(spell(other), length)
        if any(piece in text.lower() for piece in pieces):
            return way
    return ""


def pieces_of(text, length):
    return {text[n : n + length].lower() for n in range(len(text) - length + 1)}


def raw_bytes(id):
    """The bytes behind an id in base64url, in hex."""
    letters = re.sub(r"[^A-Za-z0-9_-]", "", id)
    return base64.urlsafe_b64decode(letters[: len(letters) // 4 * 4]).hex()


SPELLINGS = (
    ("as it is", str, 6),
    ("backwards", lambda id: id[::-1], 6),
    ("in hex", lambda id: id.encode().hex(), 12),
    ("in base64", lambda id: base64.b64encode(id.encode()).decode(), 6),
    ("in base32", lambda id: base64.b32encode(id.encode()).decode(), 6),
    ("as the bytes that it was made from", raw_bytes, 12),
)


# ---- 10.6 ----------------------------------------------------------------------------------------------------

ROTATE = Exercise(
    "10.6",
    "A new id at login",
    defines=("create", "load", "save", "delete", "rotate"),
    minutes=10,
    difficulty="medium",
    mount=lambda lab: lab.bank(Rotating(lab)),
    hints=(
        "load(store, old) says what was there: nothing, a session of nobody, of this user, or of another user.",
        "Make a new session in every case, with create(store, user, data): others may know the id from before.",
        "The data comes along when the old session was nobody's or this user's; else the new one starts with {}.",
        "The old session has to end: delete(store, old).",
    ),
)


class Rotating(Functions):
    """Sessions with data, made of the cell's create, load, save, delete and rotate."""

    def create(self, user=None, elevated=False):
        return usable("create", self._lab.call("create", self._store, user, {}))

    def load(self, id):
        return self._lab.call("load", self._store, id)

    def save(self, id, data):
        return self._lab.call("save", self._store, id, data)

    def rotate(self, id, user, elevated=False):
        return usable("rotate", self._lab.call("rotate", self._store, id, user))


WARES = ("travel guide", "piggy bank", "gold coin", "cheque book", "savings plan")


def shop(lab, customer, most=3):
    """Put one to `most` things into the customer's basket, and return them."""
    draw = lab.random
    items = [f"{draw.choice(WARES)} no. {draw.randrange(1000)}" for _ in range(draw.randint(1, most))]
    for item in items:
        customer.put_in_basket(item)
    return items


def things(items):
    return f"{len(items)} thing{'' if len(items) == 1 else 's'}"


def same_basket(lab, customer, items, expected):
    found = customer.basket()
    lab.expect(found == items, expected, f"{things(items)} went in, {things(found)} came out", lab.last)


@ROTATE.customer(
    "What Ana put into her basket is there after she logs in", look_at="what goes into the new session"
)
def basket_survives(lab):
    ana = lab.visitor("ana")
    items = shop(lab, ana)
    ana.login()
    owner = ana.owner()
    lab.expect(owner == "ana", "ana is logged in as ana", f"she saw {owner}'s account", lab.last)
    same_basket(lab, ana, items, "the basket goes along into the new session")
    items += shop(lab, ana)
    same_basket(lab, ana, items, "more can be put into the basket")


@ROTATE.customer(
    "Ana logs in without an earlier session, or with one that is over", look_at="what load() gives then"
)
def nothing_before(lab):
    ana = lab.login("ana")
    same_basket(lab, ana, [], "an empty basket")
    old = ana.cookies[SID]
    ana.logout()
    holding(lab, old, person="ana").login().balance()


@ROTATE.customer("Ana logs in once more and keeps her basket", look_at="an old session of the same user")
def the_same_user(lab):
    ana = lab.login("ana")
    items = shop(lab, ana)
    ana.login()
    same_basket(lab, ana, items, "her own session's data goes along")
    ana.balance()


@ROTATE.probe(
    "Ben, who logs in on Ana's computer, does not get her basket", look_at="whose the old session was"
)
def another_user(lab):
    ana = lab.login("ana")
    shop(lab, ana)
    found = holding(lab, ana.cookies[SID], person="ben").login().basket()
    lab.expect(not found, "another user's data stays behind", f"ben found {things(found)} of ana's", lab.last)


@ROTATE.probe(
    "An id that Mallory made up and planted opens nothing after Ana's login", look_at="an unknown old id"
)
def planted_unknown(lab):
    planted = made_up_id(lab)
    holding(lab, planted, person="ana").login()
    rule = "a login never makes an id valid that somebody else chose (ASVS 7.2.4)"
    lab.refused(holding(lab, planted).balance, because=rule)


@ROTATE.probe(
    "An id that Mallory got and planted shows her nothing of Ana's", 2, look_at="which id Ana has after login"
)
def planted_anonymous(lab):
    mallory = lab.visitor("mallory")
    bait = shop(lab, mallory, most=1)
    ana = holding(lab, mallory.cookies[SID], person="ana").login()
    rule = "after the login Ana's id is a new one, which Mallory does not know (ASVS 7.2.4)"
    lab.refused(mallory.balance, because=rule)
    shop(lab, ana)
    seen = [item for item in mallory.basket() if item not in bait]
    lab.expect(
        not seen,
        "what Ana does from now on is hers",
        f"mallory saw {things(seen)} in ana's basket",
        lab.last,
    )


@ROTATE.probe("The id from before the login is dead", look_at="what becomes of the old session")
def old_id(lab):
    ana = lab.visitor("ana")
    shop(lab, ana)
    first = holding(lab, ana.cookies[SID])
    ana.login()
    found = first.basket()
    lab.expect(not found, "the old session has ended", f"its id still showed {things(found)}", lab.last)
    second = holding(lab, ana.cookies[SID])
    ana.login()
    lab.refused(second.balance, because="a second login ends the session before it, too")
