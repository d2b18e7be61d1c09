"""Exercises of lab 19, The session desk: one class, judged through the bank in four tiers."""

import re

from flask import request

from labs.bench.jar import CookieJar

from .ex10 import entropy
from .exercise import BASICS, Exercise
from .lab import Refused

BANK = "https://bank.fernbank.example/"  # a host that is not this machine, where Secure and sites count in full
ELSEWHERE = "https://mallory.example/"


class Desk:
    """What the bank is handed: the learner's Desk, as sessions and as cookie policy."""

    def __init__(self, lab):
        self._lab = lab
        self.policy = {
            "cookie": "__Host-" + lab.random.choice(["fern", "desk", "sid", "visit"]),
            "idle_timeout": 60 * lab.random.randrange(18, 40),
            "absolute_timeout": 3600 * lab.random.randrange(3, 8),
        }
        self._name = lab.make("Desk", lab.remote("store"), self.policy)

    def __getattr__(self, method):
        if method.startswith("_"):
            raise AttributeError(method)
        return lambda *args: self._lab.call(f"{self._name}.{method}", *args)

    def set(self, id):
        return self._lab.call(f"{self._name}.set_cookie", id)

    def clear(self):
        return self._lab.call(f"{self._name}.clear_cookie")

    def read(self, cookie_header):
        seen = {"method": request.method, "path": request.full_path.rstrip("?"), "headers": dict(request.headers)}
        return self._lab.call(f"{self._name}.read_id", seen)

    def create(self, user=None, elevated=False):
        return self._lab.call(f"{self._name}.create", user, elevated)

    def create_many(self, times):
        return self._lab.call_many(f"{self._name}.create", times, None, False)

    def rotate(self, id, user, elevated=False):
        return self._lab.call(f"{self._name}.rotate", id, user, elevated)


def bank_with_desk(lab):
    """A Fernbank whose sessions and cookies are the learner's Desk; `lab.desk` reaches it past the bank."""
    lab.desk = Desk(lab)
    return lab.bank(lab.desk, lab.desk)


def tier(id, title, minutes, difficulty, *hints):
    """One tier of the lab: every tier judges the same cell."""
    return Exercise(
        id,
        title,
        defines=("Desk",),
        imports=BASICS | {"string", "http"},
        minutes=minutes,
        difficulty=difficulty,
        hints=hints,
        mount=bank_with_desk,
    )


def held_id(customer):
    """The session id that this browser holds."""
    lab, name = customer.lab, customer.lab.desk.policy["cookie"]
    lab.expect(
        bool(customer.cookies.get(name)),
        f"a browser that holds an id in the cookie {name}",
        "it holds none",
        lab.last,
    )
    return customer.cookies[name]


def made_up_id(lab):
    """An id that the desk never gave out, and that looks like one of its own."""
    letters = list(lab.desk.create())
    lab.random.shuffle(letters)
    return "".join(letters)


def plant(customer, id):
    """Put an id that somebody else chose into this browser, as the bank's own cookie."""
    lab = customer.lab
    stored = customer.cookies.store(lab.desk.set(id), lab.site.page + "/")
    lab.expect(stored, "a cookie that a browser stores", f"it refused {lab.desk.set(id)!r:.120}")


def with_id(lab, id, person="mallory"):
    """A browser at which `person` sits and that presents `id`."""
    thief = lab.visitor("mallory", person)
    plant(thief, id)
    return thief


# ---- tier 1: the desk opens ----------------------------------------------------------------------------------

OPEN = tier(
    "19.1",
    "The desk opens",
    25,
    "medium",
    "Exercises 10.1 to 10.3 are this tier's parts. rotate() may begin as `return self.create(user, elevated)`: "
    "that is a log-in, and tier 2 asks for more.",
    "read_id() gets the request as a dict. Only one of its headers counts, and only one cookie in it: skip "
    "whatever has no `=`, and never raise.",
    "A cookie whose name starts with __Host- is one that no sibling host can write: it needs Secure, Path=/ and "
    "no Domain. To clear it, send it once more, empty, with Max-Age=0 and the same attributes.",
)


@OPEN.customer("Ana and Ben log in, and each sees their own account", look_at="create(), rotate() and load()")
def two_customers(lab):
    ana, ben = lab.login("ana"), lab.login("ben")
    for _ in range(2):
        for customer in (ana, ben):
            owner = customer.owner()
            lab.expect(
                owner == customer.name, f"{customer.name} sees their own account", f"it was {owner}'s", lab.last
            )
    lab.expect(held_id(ana) != held_id(ben), "two ids", "both have the same one")


@OPEN.customer("Ana logs out, and logs in again the next minute", look_at="revoke() and clear_cookie()")
def out_and_in(lab):
    ana = lab.login("ana")
    ana.logout()
    lab.expect(
        lab.desk.policy["cookie"] not in ana.cookies,
        "after a log-out the browser has no such cookie",
        "it kept one",
        lab.last,
    )
    lab.skip(minutes=1)
    ana.login().balance()


@OPEN.customer("Ana logs out on the phone, and her laptop stays in", look_at="what revoke() deletes")
def one_device(lab):
    phone, laptop = lab.login("ana"), lab.login("ana")
    phone.balance()
    phone.logout()
    laptop.balance()


@OPEN.customer("A visitor fills a basket without logging in", look_at="create() with user None, and save()")
def stranger_with_basket(lab):
    visitor = lab.visitor("ana")
    items = lab.random.sample(["a savings book", "a card", "a loan", "a safe"], 2)
    for item in items:
        visitor.put_in_basket(item)
    lab.expect(visitor.basket() == items, f"a basket of {items}", f"it held {visitor.basket()}", lab.last)
    lab.refused(visitor.balance, "somebody who has not logged in sees no account")


@OPEN.customer("A link from another site finds Ana logged in", look_at="SameSite in set_cookie()")
def link_from_elsewhere(lab):
    jar, name, id = cookie_elsewhere(lab)
    sent = jar.header(BANK, initiator=ELSEWHERE, method="GET") or ""
    lab.expect(f"{name}={id}" in sent, "a top-level link carries the cookie", f"the browser sent {sent!r}")


@OPEN.probe("After log-out the id is worth nothing", points=2, look_at="revoke(): is the record gone?")
def replay_after_logout(lab):
    ana = lab.login("ana")
    id = held_id(ana)
    ana.logout()
    lab.refused(with_id(lab, id).balance, "a log-out ends the session at the server (ASVS 7.4.1)")
    again = lab.desk.revoke(id)
    lab.expect(again is False, "revoke() says False when there was nothing to end", f"it said {again!r}")
    lab.safe("ana", "nobody else reads what is Ana's")


@OPEN.probe("An id that the desk never gave out is not adopted", look_at="load() and save() for an unknown id")
def unknown_id(lab):
    thief = lab.visitor("mallory")
    made_up = made_up_id(lab)
    plant(thief, made_up)
    lab.refused(thief.balance, "an unknown id is nobody's")
    thief.put_in_basket("a card")
    lab.expect(
        held_id(thief) != made_up, "a new id for a new session", "the desk took the id that it was sent", lab.last
    )


@OPEN.probe("An id in the address is no id", look_at="what read_id() reads")
def id_in_url(lab):
    ana = lab.login("ana")
    id, name = held_id(ana), lab.desk.policy["cookie"]
    thief = lab.visitor("mallory")
    for key in (name, "sid", "id", "session"):
        lab.refused(
            lambda key=key: thief.ask("GET", f"/balance?{key}={id}"),
            "addresses end up in logs and histories: an id counts in the cookie only",
        )


@OPEN.probe("Malformed cookies are no cookies", points=2, look_at="read_id(), line by line, with these headers")
def malformed(lab):
    ana = lab.login("ana")
    id, name = held_id(ana), lab.desk.policy["cookie"]
    nobody = lab.visitor("mallory")
    for header in (
        "",
        "=", ";;; =; ,", name, f"{name}=", f"{name}=%00", f"{name}={'x' * 5000}", f"x{name}={id}", f"{name}x={id}",
        f"{name} {id}", f"{name}=\xff\xfe", f'{name}="{id[:5]}', "\x7f", f"{name.lower()}-={id}",
    ):  # fmt: skip
        lab.refused(
            lambda header=header: nobody.ask("GET", "/balance", headers={"Cookie": header}),
            f"401 for the header Cookie: {header!r:.50}",
        )
    among_others = f"theme=dark; broken; ={id[:3]}; {name}={id}; lang=en"
    response = ana.send("GET", "/balance", headers={"Cookie": among_others})
    lab.expect(
        response.status == 200,
        f"the id is found in the header Cookie: theme=dark; broken; ={id[:3]}; {name}=...; lang=en",
        lab.answered(response),
        lab.last,
    )


@OPEN.probe("Ids carry at least 128 bits, and a restart repeats none", look_at="what create() draws from")
def strong_ids(lab):
    ids = [id for _ in range(8) for id in first_ids(lab, 50)]
    lab.expect(all(type(id) is str for id in ids), "ids that are text", f"create() gave {ids[0]!r:.60}")
    bits = entropy(ids)
    lab.expect(bits >= 127, "at least 128 bits (ASVS 7.2.3)", f"the ids vary by about {bits:.0f} bits")
    reseed, runs = lab.random.randrange(1_000_000), []
    for _ in range(2):
        lab.restart(reseed)
        runs.append(set(first_ids(lab, 10)))
    lab.expect(not runs[0] & runs[1], "new ids after a restart", "the restarted desk gave the same ids again")


def first_ids(lab, number):
    """The first ids of a desk that has just been made, on an empty store."""
    lab.store.records.clear()
    return Desk(lab).create_many(number)


@OPEN.probe("Script cannot read the cookie", look_at="set_cookie()")
def script_cannot_read(lab):
    jar, _, id = cookie_elsewhere(lab)
    lab.expect(
        id not in jar.script(BANK), "document.cookie does not show it (ASVS 3.3.4)", "script could read the id"
    )


@OPEN.probe("Another site's form does not carry it", look_at="SameSite in set_cookie()")
def form_from_elsewhere(lab):
    jar, _, id = cookie_elsewhere(lab)
    sent = jar.header(BANK + "transfer", initiator=ELSEWHERE, method="POST") or ""
    lab.expect(id not in sent, "a POST from another site comes without it (ASVS 3.3.2)", f"the browser sent {sent!r}")


@OPEN.probe("Neither plain http nor a sibling host gets it, and no sibling can write it", look_at="set_cookie()")
def stays_home(lab):
    jar, name, id = cookie_elsewhere(lab)
    for url in ("http://bank.fernbank.example/", "https://shop.fernbank.example/", "https://fernbank.example/"):
        sent = jar.header(url) or ""
        lab.expect(id not in sent, f"{url} gets no session id", f"the browser sent it {sent!r}")
    jar.store(f"{name}=tossed; Domain=fernbank.example; Path=/; Secure", "https://shop.fernbank.example/")
    sent = jar.header(BANK) or ""
    lab.expect(
        "tossed" not in sent, "a sibling host cannot put an id of its own beside it", f"the browser sent {sent!r}"
    )


def cookie_elsewhere(lab):
    """A browser at the bank on a host of its own. Returns its jar, the cookie's name, and the id in it."""
    bank_with_desk(lab)
    jar, id, name = CookieJar(), lab.desk.create("ana", False), lab.desk.policy["cookie"]
    header = lab.desk.set(id)
    text = type(header) is str
    lab.expect(
        text and jar.store(header, BANK), "a Set-Cookie value that a browser stores", f"it refused {header!r:.120}"
    )
    lab.expect(f"{name}={id}" in (jar.header(BANK) or ""), f"a cookie named {name}", f"Set-Cookie: {header:.120}")
    return jar, name, id


# ---- tier 2: who somebody becomes ----------------------------------------------------------------------------

ROTATE = tier(
    "19.2",
    "A new id for whoever becomes more",
    20,
    "medium",
    "Exercise 10.6 is this tier's core: the new record first, then the old one goes.",
    "Ask whose the old session was before its basket goes along: nobody's, or the same user's.",
    "An elevation is a step inside a session: its time of log-in goes along. A log-in starts anew, not elevated.",
)


@ROTATE.customer("The basket survives the log-in", look_at="what rotate() carries over")
def basket_survives(lab):
    ana = lab.visitor("ana")
    item = lab.random.choice(["a savings book", "a card", "a loan"])
    ana.put_in_basket(item)
    ana.login()
    lab.expect(ana.basket() == [item], f"a basket with {item}", f"it held {ana.basket()}", lab.last)


@ROTATE.customer("After her password once more Ana moves a large sum", look_at="elevated in rotate() and load()")
def elevation(lab):
    ana = lab.login("ana")
    lab.expect(ana.ask("GET", "/me")["elevated"] is False, "a log-in is not elevated", "it was", lab.last)
    ana.confirm()
    lab.expect(
        ana.ask("GET", "/me")["elevated"] is True, "POST /confirm makes the session an elevated one", "it was not"
    )
    ana.transfer("ben", 1_001)  # the bank asks for an elevated session above 1,000


@ROTATE.customer("Somebody with a stale cookie can still log in", look_at="rotate() when the old id is unknown")
def stale_cookie(lab):
    ana = lab.login("ana")
    lab.desk.revoke(held_id(ana))
    ana.login().balance()


@ROTATE.probe("An id that Mallory made up is not Ana's after her log-in", points=2, look_at="rotate() draws a new id")
def fixation_unknown(lab):
    ana = lab.visitor("ana")
    chosen = made_up_id(lab)
    plant(ana, chosen)
    ana.login()
    lab.refused(with_id(lab, chosen).balance, "a log-in gives a new id, whatever came with it (ASVS 7.2.4)")
    lab.safe("ana", "nobody else reads what is Ana's")


@ROTATE.probe(
    "Nor is a valid anonymous id of Mallory's", points=2, look_at="what becomes of the old record in rotate()"
)
def fixation_valid(lab):
    mallory = lab.visitor("mallory")
    mallory.put_in_basket("a card")
    ana = lab.visitor("ana")
    plant(ana, held_id(mallory))
    ana.login()
    lab.refused(mallory.balance, "the id from before the log-in ends with it (ASVS 7.2.4)")
    lab.expect(
        mallory.basket() == [], "the old session is gone, its basket too", f"it held {mallory.basket()}", lab.last
    )
    lab.safe("ana", "nobody else reads what is Ana's")


@ROTATE.probe("The id from before an elevation is dead", points=2, look_at="rotate() with elevated True")
def old_id_after_elevation(lab):
    ana = lab.login("ana")
    before = held_id(ana)
    ana.confirm()
    lab.expect(held_id(ana) != before, "a new id for the elevated session", "it kept its id", lab.last)
    lab.refused(with_id(lab, before).balance, "whoever had the old id gets nothing of the elevated session")


@ROTATE.probe("Another customer's log-in inherits nothing", look_at="whose the old session was")
def other_customer(lab):
    ana = lab.login("ana")
    ana.put_in_basket("a loan")
    ana.confirm()
    id = held_id(ana)
    ben = lab.visitor("ben")
    plant(ben, id)
    ben.login()
    lab.expect(ben.basket() == [], "Ben starts with an empty basket", f"he got Ana's: {ben.basket()}", lab.last)
    lab.expect(
        ben.ask("GET", "/me") == {"user": "ben", "elevated": False}, "Ben, not elevated", "it was more", lab.last
    )


# ---- tier 3: time, and what the store shows ------------------------------------------------------------------

TIME = tier(
    "19.3",
    "Two timeouts, and a store that may leak",
    25,
    "hard",
    "The policy's numbers are in seconds and differ from check to check: read them from `policy`.",
    "Two times stand in a record: when it was created, and when it was last used. Ended is `now - then >= limit`.",
    "Keep the record under a hash of the id. Presented as an id, that hash is hashed once more, and finds nothing.",
)


@TIME.customer("A customer who keeps clicking stays in", look_at="when load() moves the time of last use")
def keeps_clicking(lab):
    ana = lab.login("ana")
    pause = lab.desk.policy["idle_timeout"] - 60
    while lab.elapsed + pause < lab.desk.policy["absolute_timeout"]:
        lab.skip(seconds=pause)
        ana.balance()


@TIME.customer("One second before each limit the session lives", look_at="the comparison in load()")
def just_before(lab):
    ana = lab.login("ana")
    idle, absolute = lab.desk.policy["idle_timeout"], lab.desk.policy["absolute_timeout"]
    lab.skip(seconds=idle - 1)
    ana.balance()
    stay_busy_until(lab, ana, absolute - 1)


@TIME.customer("A new log-in starts both clocks anew", look_at="which time of log-in rotate() writes")
def log_in_again(lab):
    ana = lab.login("ana")
    stay_busy_until(lab, ana, lab.desk.policy["absolute_timeout"] - 5)
    ana.login()
    lab.skip(seconds=60)
    ana.balance()


def stay_busy_until(lab, customer, end):
    """Use the session just inside the idle timeout until `end` seconds after the beginning, then once more."""
    idle = lab.desk.policy["idle_timeout"]
    while lab.elapsed < end:
        lab.skip(seconds=min(idle - 1, end - lab.elapsed))
        customer.balance()


@TIME.probe(
    "Silence ends a session, exactly at the idle timeout",
    points=2,
    look_at="the comparison with the time of last use",
)
def idle(lab):
    ana = lab.login("ana")
    lab.skip(seconds=60)
    ana.balance()
    lab.skip(seconds=lab.desk.policy["idle_timeout"])
    minutes = lab.desk.policy["idle_timeout"] // 60
    lab.refused(ana.balance, f"after {minutes} minutes of silence a session has ended (ASVS 7.3.1)")
    lab.refused(ana.balance, "what has ended stays ended: asking once more does not bring it back")
    id = held_id(lab.login("ben"))
    lab.skip(seconds=lab.desk.policy["idle_timeout"])
    saved = lab.desk.save(id, {"basket": ["a card"]})
    lab.expect(saved is False, "save() says False once a timeout has ended the session", f"it said {saved!r}")
    lab.refused(with_id(lab, id).balance, "a save does not bring back what has ended")


@TIME.probe(
    "Constant activity does not stretch the absolute timeout",
    points=2,
    look_at="the comparison with the time of log-in",
)
def absolute(lab):
    ana = lab.login("ana")
    end = lab.desk.policy["absolute_timeout"]
    stay_busy_until(lab, ana, end - 30)
    lab.skip(seconds=30)
    lab.refused(ana.balance, f"{end // 3600} hours after the log-in a session ends, however busy (ASVS 7.3.2)")


@TIME.probe("Nor does an elevation stretch it", look_at="which time of log-in rotate() writes when elevated is True")
def elevation_does_not_stretch(lab):
    ana = lab.login("ana")
    end = lab.desk.policy["absolute_timeout"]
    stay_busy_until(lab, ana, end - 30)
    ana.confirm()
    lab.skip(seconds=30)
    lab.refused(ana.balance, "an elevation is a step inside a session, and inherits its absolute timeout")


@TIME.probe("Whoever reads the store finds no id in it", points=2, look_at="the key and the record in create()")
def no_id_at_rest(lab):
    ana, visitor = lab.login("ana"), lab.visitor("ben")
    visitor.put_in_basket("a card")
    stored = lab.store.text()
    for id in (held_id(ana), held_id(visitor)):
        for spelling in (id, id[::-1], id.encode().hex(), id.lower(), id.upper()):
            lab.expect(spelling not in stored, "ids are hashed at rest", "an id stands in the store, readable")


@TIME.probe("What stands in the store opens no session", points=2, look_at="what load() does to the id it is given")
def stolen_store(lab):
    lab.login("ana").balance()
    words = set(re.findall(r"[^\s\"'{}\[\](),;]{8,}", lab.store.text()))
    words |= {part for word in words for part in re.split(r"[:/|.]", word) if len(part) >= 8}
    for word in sorted(words):
        try:
            with_id(lab, word).balance()
        except Refused:
            continue
        lab.expect(False, "no text from the store gets in", f"{word:.40}... was answered 200", lab.last)


# ---- tier 4: many at once, and no store ----------------------------------------------------------------------

MANY = tier(
    "19.4",
    "Many at once",
    20,
    "hard",
    "Read, change, replace(key, old, new); when that says False, somebody was faster: read again and decide again.",
    "A list of a user's sessions is a record of its own. Two log-ins at once both write it: replace() in a loop, "
    "and add() when there is none yet.",
    "StoreDown is nothing to catch: the bank answers 503, and the cookie stays. Whoever turns it into `None` "
    "logs everybody out.",
)


@MANY.customer("Log out everywhere: three devices are out, and Ben stays", points=2, look_at="revoke_all()")
def everywhere(lab):
    devices, ben = [lab.login("ana") for _ in range(3)], lab.login("ben")
    devices[1].confirm()
    answer = devices[0].logout_everywhere()
    for device in devices:
        lab.refused(device.balance, "all of Ana's sessions have ended (ASVS 7.4.2)")
    lab.expect(answer["ended"] == 3, "revoke_all() says 3", f"it said {answer['ended']}")
    ben.balance()
    lab.login("ana").balance()


@MANY.customer(
    "Two tabs load at the same moment, and both are served", look_at="what load() does when replace() says False"
)
def two_tabs(lab):
    ana = lab.login("ana")
    lab.skip(seconds=30)
    with lab.store.hold() as held:
        tab = lab.together(ana.balance)
        lab.until_held(held, tab)
        ana.balance()
        held.release()
        tab.result()
    ana.balance()


@MANY.customer("The store fails, comes back, and nobody was logged out", look_at="who catches StoreDown")
def outage(lab):
    ana = lab.login("ana")
    lab.store.down = True
    response = ana.send("GET", "/balance")
    lab.expect(response.status == 503, "503 while the store is down", lab.answered(response), lab.last)
    lab.expect(not response.set_cookies, "the cookie is left alone", f"Set-Cookie: {response.set_cookies}", lab.last)
    lab.store.down = False
    ana.balance()


@MANY.probe("A log-out during a request: the session does not come back", points=3, look_at="how load() writes")
def logout_meanwhile(lab):
    ana, tab = lab.login("ana"), lab.visitor("ana")
    id = held_id(ana)
    plant(tab, id)
    lab.skip(seconds=30)
    with lab.store.hold() as held:
        request_under_way = lab.together(lambda: tab.send("GET", "/balance"))
        lab.until_held(held, request_under_way)
        ana.logout()
        held.release()
        request_under_way.result()
    lab.refused(with_id(lab, id).balance, "a write of a request that was under way does not undo a log-out")


@MANY.probe("A log-out while a basket is saved: nothing comes back", points=2, look_at="how save() writes")
def logout_while_saving(lab):
    ana = lab.login("ana")
    id = held_id(ana)
    with lab.store.hold() as held:
        saving = lab.together(lambda: lab.desk.save(id, {"basket": ["a card"]}))
        lab.until_held(held, saving)
        lab.desk.revoke(id)
        held.release()
        saved = saving.result()
    lab.refused(with_id(lab, id).balance, "a save that was under way does not undo a log-out")
    lab.expect(saved is False, "save() says False when the session has ended meanwhile", f"it said {saved!r}")


@MANY.probe("Two log-ins at once are both found by revoke_all", points=2, look_at="how the list of a user is written")
def two_logins(lab):
    first, second = lab.visitor("ana"), lab.visitor("ana")
    lab.login("ana")
    for skipped in range(3):  # whichever of a log-in's writes is the one that matters
        with lab.store.hold(skipped) as held:
            login = lab.together(first.login)
            lab.until_held(held, login)
            second.login()
            held.release()
            login.result()
        second.logout_everywhere()
        for device in (first, second):
            lab.refused(device.balance, "a log-in that ran beside another one is on the user's list too")


@MANY.probe("A log-in in the middle of revoke_all is out, or is found next time", look_at="the end of revoke_all()")
def login_meanwhile(lab):
    for skipped in range(3):
        ana, late = lab.login("ana"), lab.visitor("ana")
        with lab.store.hold(skipped) as held:
            ending = lab.together(lambda: lab.desk.revoke_all("ana"))
            lab.until_held(held, ending)
            late.login()
            held.release()
            ending.result()
        lab.refused(ana.balance, "revoke_all() ends what was there when it began")
        lab.desk.revoke_all("ana")
        lab.refused(late.balance, "a session that revoke_all() did not see can still be revoked")
    for skipped in range(2):  # and the other way round: revoke_all in the middle of a log-in
        late = lab.visitor("ana")
        with lab.store.hold(skipped) as held:
            login = lab.together(late.login)
            lab.until_held(held, login)
            lab.desk.revoke_all("ana")
            held.release()
            login.result()
        lab.desk.revoke_all("ana")
        lab.refused(late.balance, "a log-in that was under way is ended by this revoke_all() or by the next")
