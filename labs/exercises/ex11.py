"""Exercises of lesson 11, Where sessions live."""

import json
import re
from contextlib import suppress
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from labs.auth.cookies import SessionCookie
from labs.auth.sessions import Sessions
from labs.auth.stores import StoreDown
from labs.servers import customers, flask_bank

from .database import METHODS, JudgeDatabase
from .ex10 import SID, Functions, holding
from .exercise import Exercise
from .lab import FAST, Refused
from .process import LearnerError


def same(one, other) -> bool:
    """Whether two plain values are equal, and True is not 1."""
    return one == other and type(one) is type(other)


# ---- 11.1 ----------------------------------------------------------------------------------------------------


class Shelf:
    """A store whose four methods are those of a Store of the learner's; all of one lab share one database."""

    def __init__(self, lab):
        if not hasattr(lab, "db"):
            lab.db = JudgeDatabase()
        self._lab, self._name = lab, lab.make("Store", lab.remote("db", lab.db, METHODS))

    def get(self, key):
        return self._lab.call(f"{self._name}.get", key)

    def add(self, key, value):
        return self._lab.call(f"{self._name}.add", key, value)

    def replace(self, key, old, new):
        return self._lab.call(f"{self._name}.replace", key, old, new)

    def delete(self, key):
        return self._lab.call(f"{self._name}.delete", key)


STORE = Exercise(
    "11.1",
    "A store in SQL",
    defines=("Store",),
    minutes=12,
    difficulty="medium",
    mount=lambda lab: lab.bank(Sessions(Shelf(lab), clock=lambda: lab.now)),
    hints=(
        "Four statements will do: SELECT, INSERT ... ON CONFLICT DO NOTHING, UPDATE and DELETE. `changed` is 1 when "
        "the statement met its row, and 0 when it did not: that is the True or False.",
        "What replace() compares belongs into the WHERE of its UPDATE: `key = ? AND value = ?`, with row()'s text of "
        "`old`. What Python compares a moment before may have changed by then.",
        "`AND expires_at > ?` with time.time() makes a record that has ended as if it were gone. add() first deletes "
        "such a row, by a DELETE with the opposite condition.",
    ),
)


def record(lab, **more):
    """A record that no other is equal to."""
    return {"user": lab.random.choice(["ana", "ben"]), "seen": lab.random.randrange(10**9), **more}


def new_key(lab):
    """A key as sessions have it."""
    return f"session:{lab.random.getrandbits(128):032x}"


def says(lab, shelf, expected, because, method, *args):
    """Expect what a method of the store returns; `because` is the rule."""
    got = getattr(shelf, method)(*args)
    lab.expect(same(got, expected), because, f"{method}() gave {got!r:.80}")


@STORE.customer("Four methods, and each answers as it should", look_at="what each method returns, in the docstrings")
def contract(lab):
    shelf, key, other = Shelf(lab), new_key(lab), new_key(lab)
    old, new, third = record(lab), record(lab), record(lab)
    says(lab, shelf, None, "get() gives None for a key that nobody added", "get", key)
    says(lab, shelf, True, "add() of a new key gives True", "add", key, old)
    says(lab, shelf, True, "add() of a new key gives True", "add", other, third)
    says(lab, shelf, False, "add() gives False when the key is taken", "add", key, new)
    says(lab, shelf, old, "add() that gives False leaves the record as it is", "get", key)
    shuffled = dict(reversed(old.items()))
    says(lab, shelf, True, "replace() gives True: the record is old, in another order", "replace", key, shuffled, new)
    says(lab, shelf, new, "get() gives what replace() put there", "get", key)
    says(lab, shelf, False, "replace() gives False when the record is not old", "replace", key, old, third)
    says(lab, shelf, new, "replace() that gives False leaves the record as it is", "get", key)
    says(lab, shelf, True, "delete() gives True when there was a record", "delete", key)
    says(lab, shelf, False, "delete() gives False when there was none", "delete", key)
    says(lab, shelf, None, "what was deleted is gone", "get", key)
    says(lab, shelf, True, "the key of what was deleted is free again", "add", key, new)
    says(lab, shelf, third, "the record under another key is untouched", "get", other)


@STORE.customer("What was stored comes back equal, at every server", look_at="how a record becomes text, and back")
def values(lab):
    shelf, elsewhere = Shelf(lab), Shelf(lab)
    for value in (
        {"user": "Zoë 🌿", "data": {"basket": ["grün", "a\nb\t", ""], "none": None}},
        {"numbers": [0, -1, 2.5, 1e300, 2**53, lab.random.random()], "flags": [True, False]},
        {"deep": {"a": [[], {}, [{"b": {"c": [None]}}]]}},
        {},
    ):
        key = new_key(lab)
        says(lab, shelf, True, "add() takes any record of plain data", "add", key, value)
        says(lab, shelf, value, "get() gives an equal record", "get", key)
        says(lab, elsewhere, value, "another server, with a Store of its own, gets it too", "get", key)
        says(lab, elsewhere, True, "another server can replace it", "replace", key, value, {"n": 1})
        says(lab, shelf, {"n": 1}, "the first server sees what the other one wrote", "get", key)


@STORE.customer("A bank runs on it, for busy customers too", look_at="add() and replace(): what they return and keep")
def bank_day(lab):
    ana, ben = lab.login("ana"), lab.login("ben")
    item = lab.random.choice(["a card", "a safe"])
    ana.put_in_basket(item)
    for _ in range(4):
        lab.skip(minutes=lab.random.randrange(15, 30))
        for customer in (ana, ben):
            owner = customer.owner()
            lab.expect(owner == customer.name, f"{customer.name} sees their own account", f"it was {owner}'s")
    lab.expect(ana.basket() == [item], f"a basket with {item}", f"it held {ana.basket()}", lab.last)
    ana.logout()
    ben.balance()
    ana.login().balance()


@STORE.probe("A record that has ended is as if it were gone", look_at="expires_at, in each of your statements")
def ended(lab):
    shelf, key, lasting = Shelf(lab), new_key(lab), new_key(lab)
    ends = lab.now + lab.random.randrange(100, 5000)
    old, new = record(lab, expires_at=ends), record(lab, expires_at=ends + 1000)
    shelf.add(key, old)
    shelf.add(lasting, record(lab))
    lab.now = ends - 1
    says(lab, shelf, old, "a second before expires_at the record is there", "get", key)
    lab.now = ends
    says(lab, shelf, None, "get() gives None when time.time() has reached expires_at", "get", key)
    says(lab, shelf, False, "a late replace() gives False", "replace", key, old, new)
    says(lab, shelf, None, "a late replace() does not bring the record back", "get", key)
    says(lab, shelf, True, "add() may take the place of a record that has ended", "add", key, new)
    says(lab, shelf, new, "the record that add() put in its place is there", "get", key)
    says(lab, shelf, False, "until it has ended, the place is taken", "add", key, record(lab))
    lab.expect(shelf.get(lasting) is not None, "a record without expires_at lasts", "it was gone")


def races(lab, start, first, second):
    """Run `first(key)` with `second(key)` in front of each of its statements in turn, one key a time.

    `start(key)` prepares. Yields (key, what first returned, what second returned).
    """
    for skipped in range(8):
        key = new_key(lab)
        start(key)
        with lab.db.hold(skipped) as held:
            under_way = lab.together(lambda key=key: first(key))
            lab.until_held(held, under_way)
            other = second(key)
            held.release()
            yield key, under_way.result(), other
        if not held.arrived.is_set():
            return


def one_wins(lab, method, shelf, key, told, values):
    """Expect that of two writers one was told True, and that its record is what stands there."""
    lab.expect(
        sorted(map(repr, told)) == ["False", "True"],
        "one of the two gets True, and the other False",
        f"{method}() told one {told[0]!r}, and the other {told[1]!r}",
    )
    there = shelf.get(key)
    lab.expect(there == values[told.index(True)], "the record of the one who got True", f"get() gave {there!r:.80}")


@STORE.probe("Of two who replace the same record one wins", look_at="what may happen between your two statements")
def two_writers(lab):
    here, there, old = Shelf(lab), Shelf(lab), record(lab)
    values = [record(lab), record(lab)]
    first, second = (lambda key: here.replace(key, old, values[0])), (lambda key: there.replace(key, old, values[1]))
    for key, *told in races(lab, lambda key: here.add(key, old), first, second):
        one_wins(lab, "replace", here, key, told, values)


@STORE.probe("Of two who add at the same moment one wins", look_at="who decides that the key is free, and when")
def two_adds(lab):
    here, there = Shelf(lab), Shelf(lab)
    values = [record(lab), record(lab)]
    over = record(lab, expires_at=lab.now - 1)
    for start in (lambda key: None, lambda key: here.add(key, over)):
        first, second = (lambda key: here.add(key, values[0])), (lambda key: there.add(key, values[1]))
        for key, *told in races(lab, start, first, second):
            one_wins(lab, "add", here, key, told, values)


@STORE.probe("A record that was deleted does not come back", look_at="what replace() does where there is no row")
def deleted(lab):
    here, there, old, new = Shelf(lab), Shelf(lab), record(lab), record(lab)
    key = new_key(lab)
    says(lab, here, False, "replace() gives False where there is no record", "replace", key, old, new)
    says(lab, here, None, "replace() makes no record where there is none", "get", key)
    first, second = (lambda key: here.replace(key, old, new)), (lambda key: there.delete(key))
    for key, *_ in races(lab, lambda key: here.add(key, old), first, second):
        says(lab, here, None, "a replace() that was under way does not undo a delete()", "get", key)


@STORE.probe("A log-out while a page loads: the session stays gone", look_at="replace(), between its read and write")
def logout_meanwhile(lab):
    lab.login("ana")
    for skipped in range(8):
        ana = lab.login("ana")
        thief = holding(lab, ana.cookies[SID])
        lab.skip(minutes=1)
        with lab.db.hold(skipped) as held:
            page = lab.together(lambda ana=ana: ana.send("GET", "/balance"))
            lab.until_held(held, page)
            ana.logout()
            held.release()
            page.result()
        lab.refused(thief.balance, "a log-out ends the session, whatever else is under way (ASVS 7.4.1)")
        lab.safe("ana", "nobody else reads what is Ana's")
        if not held.arrived.is_set():
            return


@STORE.probe("A quote is only a quote", look_at="how a key gets into your statement: as a ?")
def only_text(lab):
    shelf, bystander, kept = Shelf(lab), new_key(lab), record(lab)
    shelf.add(bystander, kept)
    number = lab.random.randrange(10**6)
    for key in (
        f"it's {number}", f"x' OR '1'='1' -- {number}", f"x'); DELETE FROM records; -- {number}", f'"{number}"',
        "%", "_" * len(bystander), bystander.upper(), bystander + " ", "?", "é",
    ):  # fmt: skip
        value = record(lab, said=key)
        says(lab, shelf, None, f"nothing is stored under {key!r}", "get", key)
        says(lab, shelf, False, f"nothing is stored under {key!r}", "delete", key)
        says(lab, shelf, True, f"{key!r} is a key like any other", "add", key, value)
        says(lab, shelf, True, f"{key!r} is a key like any other", "replace", key, value, {"said": key})
        says(lab, shelf, {"said": key}, f"{key!r} is a key like any other", "get", key)
    says(lab, shelf, kept, "the record under another key is untouched", "get", bystander)


@STORE.probe("When the database is down, StoreDown comes through", look_at="what your except catches")
def outage(lab):
    shelf, key, value = Shelf(lab), new_key(lab), record(lab)
    shelf.add(key, value)
    lab.db.down = True
    for method, *args in (["get", key], ["add", key, value], ["replace", key, value, {}], ["delete", key]):
        try:
            got = getattr(shelf, method)(*args)
        except StoreDown:
            continue
        lab.expect(False, "StoreDown: None and False would be statements about a record", f"{method}() gave {got!r}")
    lab.db.down = False
    says(lab, shelf, value, "after the outage the record is there", "get", key)


# ---- 11.2 ----------------------------------------------------------------------------------------------------


class ByUser(Functions):
    """What a bank is handed, made of a cell's create, load, delete and revoke_all(store, ...)."""

    def revoke_all(self, user):
        return self._lab.call("revoke_all", self._store, user)


EVERYWHERE = Exercise(
    "11.2",
    "Log out everywhere",
    defines=("create", "load", "delete", "revoke_all"),
    minutes=8,
    difficulty="medium",
    mount=lambda lab: lab.bank(ByUser(lab)),
    hints=(
        'The list is a record like any other, under "user:" + user: {"sessions": [key, ...]}. Read it, change it, '
        "store.replace(key, old, new); when that says False, somebody was faster: start over.",
        "For the first log-in there is no list yet, and store.add() makes it. It says False when another first "
        "log-in was faster: then there is one, so start over.",
        "In revoke_all() delete the sessions first, and empty the list last, by replace(). The other way round an "
        "outage in between leaves sessions that no list names.",
    ),
)


def end_all(lab, user="ana"):
    """revoke_all as somebody at the bank calls it: no browser's cookie is cleared by that."""
    lab.call("revoke_all", lab.remote("store"), user)


def all_out(lab, devices, because):
    """Expect that none of these browsers gets in, with the cookie that it had."""
    for device in devices:
        lab.refused(device.balance, because)


@EVERYWHERE.customer("Ana logs out everywhere, and Ben stays", look_at="whose sessions revoke_all() ends")
def ben_stays(lab):
    devices = {name: [lab.login(name) for _ in range(2)] for name in lab.random.sample(["ana", "ben"], 2)}
    devices["ana"][0].logout_everywhere()
    for ben in devices["ben"]:
        ben.balance()


@EVERYWHERE.customer("Afterwards she can log in again, and out", look_at="what revoke_all() leaves behind")
def in_again(lab):
    phone, laptop = lab.login("ana"), lab.login("ana")
    phone.logout()
    laptop.logout_everywhere()
    for _ in range(2):
        phone.login().balance()
        laptop.login().balance()
        phone.logout()
        laptop.balance()
        laptop.logout_everywhere()


@EVERYWHERE.probe("All three devices are out", points=2, look_at="the list, after each of three log-ins")
def three_devices(lab):
    devices = [lab.login("ana") for _ in range(3)]
    copies = [holding(lab, device.cookies[SID]) for device in devices]
    lab.random.choice(devices).logout_everywhere()
    all_out(lab, copies, "all of Ana's sessions have ended, on every device (ASVS 7.4.2)")
    lab.safe("ana", "nobody else reads what is Ana's")


@EVERYWHERE.probe("Two log-ins at once are both found", look_at="what happens when replace() or add() says False")
def two_logins(lab):
    for known in (False, True):
        for skipped in range(6):
            lab.store.records.clear()
            devices = [lab.visitor("ana"), lab.visitor("ana")]
            if known:
                devices.append(lab.login("ana"))
            with lab.store.hold(skipped) as held:
                login = lab.together(devices[0].login)
                lab.until_held(held, login)
                devices[1].login()
                held.release()
                login.result()
            end_all(lab)
            all_out(lab, devices, "two log-ins at the same moment are both on Ana's list")
            if not held.arrived.is_set():
                break


@EVERYWHERE.probe("A log-in in the middle is out, or is found next time", look_at="how revoke_all() empties the list")
def login_meanwhile(lab):
    for skipped in range(8):
        lab.store.records.clear()
        before, late = [lab.login("ana"), lab.login("ana")], lab.visitor("ana")
        with lab.store.hold(skipped) as held:
            ending = lab.together(lambda: end_all(lab))
            lab.until_held(held, ending)
            late.login()
            held.release()
            ending.result()
        all_out(lab, before, "what was there when revoke_all() began has ended")
        end_all(lab)
        all_out(lab, [late], "a log-in in the middle of revoke_all() is ended by it, or by the next one")
        if not held.arrived.is_set():
            return


@EVERYWHERE.probe("After an outage in the middle the next call ends the rest", look_at="which write comes first")
def outage_meanwhile(lab):
    for skipped in range(8):
        lab.store.records.clear()
        devices = [lab.login("ana") for _ in range(3)]
        with lab.store.hold(skipped) as held:
            ending = lab.together(lambda: end_all(lab))
            lab.until_held(held, ending)
            lab.store.down = held.arrived.is_set()
            held.release()
            with suppress(StoreDown):
                ending.result()
        lab.store.down = False
        end_all(lab)
        all_out(lab, devices, "what an outage cut short, the next revoke_all() finishes")
        if not held.arrived.is_set():
            return


# ---- 11.3 ----------------------------------------------------------------------------------------------------


class Trusting(Sessions):
    """Sessions whose load() believes the gate in front of the bank."""

    believed: dict

    def load(self, id):
        return self.believed.get(id)


class Gate:
    """A WSGI app in front of a bank. Who has no session gets what the learner's answer() says.

    A status of 200 to 299 there opens the gate: the request goes on as whoever this cookie was last.
    """

    name = "gate"

    def __init__(self, lab):
        self._lab, self._cookie = lab, SessionCookie()
        self._sessions = Sessions(lab.store, clock=lambda: lab.now)
        trusting = Trusting(lab.store, clock=lambda: lab.now)
        trusting.believed = self._last = {}
        self._bank = lab.bank(trusting)
        self.record, self.customers = self._bank.record, self._bank.customers

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"] == "/login":
            return self._bank(environ, start_response)
        id = self._cookie.read(environ.get("HTTP_COOKIE"))
        try:
            error = self._look_up(id)
            status, headers = self._told(error) if error else (200, {})
        except Exception as failure:
            self._bank.on_mechanism_error(failure)
            status, headers, error = 500, {}, "answer() failed"
        if 200 <= status < 300 and id in self._last:
            return self._bank(environ, start_response)
        head = [("Content-Type", "application/json"), *headers.items()]
        start_response(f"{status} {HTTPStatus(status).phrase}", head)
        return [json.dumps({"error": error}).encode()]

    def _look_up(self, id):
        """"" when the session is there, else the text for answer()."""
        try:
            session = self._sessions.load(id)
        except StoreDown:
            return "StoreDown"
        if session is not None:
            self._last[id] = session
            return ""
        return "expired" if id in self._last else "unknown"

    def _told(self, error):
        """What answer() says. Raises LearnerError when no server can send it."""
        given = self._lab.call("answer", error)
        if type(given) is not list or len(given) != 2 or type(given[0]) is not int or type(given[1]) is not dict:
            raise LearnerError(f"your answer gave {given!r:.80}: return a status (int) and headers (dict)")
        status, headers = given[0], {name: str(value) for name, value in given[1].items()}
        if status not in set(HTTPStatus) or status < 200:
            raise LearnerError(f"your answer gave the status {status}, which is none")
        for name, value in headers.items():
            if not re.fullmatch(r"[A-Za-z0-9-]+", name) or not re.fullmatch(r"[\x20-\x7e]*", value):
                raise LearnerError(f"your answer gave the header {name!r:.40}: {value!r:.40}, which cannot be sent")
        return status, headers


ANSWER = Exercise(
    "11.3",
    "What to say when there is no session",
    defines=("answer",),
    minutes=4,
    difficulty="easy",
    mount=Gate,
    hints=(
        "Two kinds of news: the store cannot be asked, which the customer can do nothing about; and there is no "
        "session, so log in. One is 503, the other 401.",
        "503 Service Unavailable goes with a Retry-After in seconds. Whatever you do to the cookie during an outage "
        "is still done to it afterwards: so do nothing.",
    ),
)


def during_outage(lab, customer, path="/balance"):
    """The Response to a request while the store is down."""
    lab.store.down = True
    response = customer.send("GET", path)
    lab.store.down = False
    return response


@ANSWER.customer("Once the store is back, the same browser is still logged in", look_at="what you do to the cookie")
def recovery(lab):
    ana = lab.login("ana")
    ana.balance()
    for _ in range(2):
        during_outage(lab, ana)
        lab.skip(minutes=1)
    ana.balance()


@ANSWER.customer("Whose session has ended is asked to log in", look_at='answer("expired")')
def asked_to_log_in(lab):
    ana = lab.login("ana")
    ana.balance()
    lab.skip(hours=9)
    response = ana.send("GET", "/balance")
    lab.expect(response.status == 401, "401: log in", lab.answered(response), response.exchange)
    ana.login().balance()


@ANSWER.probe("An outage is a 503 that says when to come again", look_at='answer("StoreDown")')
def unavailable(lab):
    response = during_outage(lab, lab.login("ana"))
    lab.expect(response.status == 503, "503 Service Unavailable", lab.answered(response), response.exchange)
    said = response.headers.get("Retry-After", "")
    lab.expect(
        is_delay(said),
        "a Retry-After of whole seconds, or a date (RFC 9110 §10.2.3)",
        f"Retry-After: {said}" if said else "there was none",
        response.exchange,
    )


def is_delay(text):
    """Whether this is a value for Retry-After: seconds up to an hour, or a date."""
    if re.fullmatch(r"[0-9]{1,4}", text):
        return 1 <= int(text) <= 3600
    try:
        return parsedate_to_datetime(text) is not None
    except ValueError:
        return False


@ANSWER.probe("An outage leaves the cookie alone", look_at='the headers of answer("StoreDown")')
def cookie_stays(lab):
    ana = lab.login("ana")
    before = [repr(cookie) for cookie in ana.cookies.records()]
    response = during_outage(lab, ana)
    lab.expect(
        [repr(cookie) for cookie in ana.cookies.records()] == before,
        "the browser's cookies are what they were",
        f"Set-Cookie: {', '.join(response.set_cookies)}",
        response.exchange,
    )
    cleared = response.headers.get("Clear-Site-Data", "")
    lab.expect(not cleared, "no Clear-Site-Data either", f"Clear-Site-Data: {cleared}", response.exchange)


@ANSWER.probe("An unknown id is not an outage", look_at='answer("unknown")')
def no_outage(lab):
    made_up = holding(lab, unknown_id(lab))
    for stranger in (made_up, lab.visitor("ben")):
        response = stranger.send("GET", "/balance")
        lab.expect(response.status == 401, "401: log in", lab.answered(response), response.exchange)
        waits = response.headers.get("Retry-After")
        lab.expect(waits is None, "nothing to wait for", f"Retry-After: {waits}", response.exchange)


def unknown_id(lab):
    """An id of the right form that nobody was given."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return "".join(lab.random.choice(alphabet) for _ in range(43))


@ANSWER.probe("Nobody gets in because the store is down", look_at="a status below 300 lets the request through")
def closed(lab):
    ana = lab.login("ana")
    ana.balance()
    thief = holding(lab, ana.cookies[SID])
    ana.logout()
    for path in lab.random.sample(["/balance", "/notes"], 2):
        during_outage(lab, thief, path)
        lab.safe("ana", "Ana has logged out, and an outage does not bring her session back")


# ---- 11.4 ----------------------------------------------------------------------------------------------------

EVIDENCE = Exercise(
    "11.4",
    "The replay, in the log",
    defines=("evidence",),
    minutes=6,
    difficulty="medium",
    mount=lambda lab: flask_bank(customers=customers(lab.seed), hasher=FAST, clock=lambda: lab.now),
    hints=(
        "Go through the log once, in order, with a set of the cookie values that were logged out so far.",
        "A log-out is a POST to /logout that was answered with 200. GET /logout is refused, and ends nothing.",
        "The value: the header line that begins with `Cookie:`, split at `; `, the part that begins with `session=`.",
    ),
)


class Day:
    """A day at the bank, as its wire log tells it. `replays` are the numbers of the exchanges to be found."""

    def __init__(self, lab):
        self.lab, self.replays = lab, []
        for _ in range(lab.random.randrange(1, 9)):  # so that the log does not begin with number 1
            lab.visitor("ben").send("GET", "/health")
        lab.site.log.clear()

    def comes(self, name):
        """A browser of this customer, with another cookie in it, logged in."""
        browser = self.lab.visitor(name)
        browser.cookies["theme"] = self.lab.random.choice(["dark", "light"])
        self.lab.skip(seconds=self.lab.random.randrange(2, 90))
        return browser.login()

    def reads(self, browser):
        """It looks at a page or two."""
        for path in self.lab.random.sample(["/balance", "/notes", "/me"], self.lab.random.randrange(1, 3)):
            browser.ask("GET", path)

    def replay(self, thief):
        """Mallory uses a cookie whose owner has logged out."""
        thief.ask("GET", self.lab.random.choice(["/balance", "/notes"]))
        self.replays.append(self.lab.last.n)

    def judge(self):
        """Expect that evidence() finds the replays in this log, and nothing else."""
        log = list(self.lab.site.log)
        given = self.lab.call(
            "evidence", [{"n": one.n, "request": one.request_text, "response": one.response_text} for one in log]
        )
        numbers = ", ".join(map(str, self.replays)) or "none"
        wrong = set(self.replays) ^ {n for n in given if type(n) is int} if type(given) is list else set()
        self.lab.expect(
            type(given) is list and sorted(map(repr, given)) == sorted(map(repr, self.replays)),
            f"the replays: {numbers}",
            f"evidence() gave {given!r:.80}",
            next((one for one in log if one.n in wrong), None),
        )


def thief_of(lab, browser):
    """Mallory's browser, with a copy of this one's session cookie."""
    thief = lab.visitor("mallory")
    thief.cookies["session"] = browser.cookies["session"]
    return thief


@EVIDENCE.customer("A day without a replay: nobody is accused", look_at="what you take for a replay")
def clean(lab):
    day = Day(lab)
    ana, ben = day.comes("ana"), day.comes("ben")
    for browser in (ana, ben):
        day.reads(browser)
    ana.logout()
    day.reads(ben)
    with suppress(Refused):
        ana.balance()
    day.reads(day.comes("ana"))
    day.judge()


@EVIDENCE.probe("A copy that is used after the log-out is found", look_at="the cookie value that was logged out")
def one_replay(lab):
    day = Day(lab)
    ana, ben = day.comes("ana"), day.comes("ben")
    day.reads(ana)
    thief = thief_of(lab, ana)
    ana.logout()
    day.reads(ben)
    day.replay(thief)
    day.reads(ben)
    ben.logout()
    day.judge()


@EVIDENCE.probe("Another device, a new log-in and a refused log-out are no replays", look_at="what ends a session")
def decoys(lab):
    day = Day(lab)
    phone, laptop, ben = day.comes("ana"), day.comes("ana"), day.comes("ben")
    thief = thief_of(lab, phone)
    ben.send("GET", "/logout")  # 405: a link does not log anybody out
    day.reads(ben)
    phone.logout()
    day.reads(laptop)
    lab.skip(seconds=5)
    day.reads(phone.login())
    day.replay(thief)
    day.reads(laptop)
    day.judge()


@EVIDENCE.probe("Two thieves, and each use counts", look_at="whether you stop at the first")
def two_replays(lab):
    day = Day(lab)
    ana, ben = day.comes("ana"), day.comes("ben")
    first, second = thief_of(lab, ana), thief_of(lab, ben)
    second.ask("GET", "/balance")  # before the log-out nobody can tell a copy from the original
    ana.logout()
    day.replay(first)
    day.reads(ben)
    ben.logout()
    for thief in lab.random.sample([first, second, second], 3):
        day.replay(thief)
    day.judge()
