"""Exercises of lesson 30, Attacking sessions."""

import base64
import secrets
from itertools import combinations

from labs.attacks.victim import EVIL, MALLORY, PLAIN, Page, Victim, hidden_fields
from labs.auth.cookies import SessionCookie
from labs.auth.csrf import cookie_named
from labs.auth.sessions import Sessions
from labs.auth.stores import MemoryStore
from labs.servers import bank, customers
from labs.servers.flaws.doors import any_type, method_override, payment_link
from labs.servers.flaws.sessions import AdoptsAnyId, KeepsAnonymousId

from .exercise import BASICS, Exercise
from .lab import FAST
from .process import LearnerError

# ---- 30.1 ----------------------------------------------------------------------------------------------------

MOST = 1000  # guesses

PREDICT = Exercise(
    "30.1",
    "The next id",
    defines=("predict_id",),
    minutes=10,
    difficulty="medium",
    mount=lambda lab: lab.bank(Numbered(lab)),
    hints=(
        "Split an id into the letters in front and the number behind: `re.fullmatch(r'(\\D*)(\\d+)', id)`. No match "
        "for one of them: no order, so None. Write a guess with as many digits: `str(n).zfill(width)`.",
        "A counter: each number is a little more than the one before. From the last one on, the next 1,000.",
        "A clock: with unit 1, 10, 100 or 1000, `number // unit == at` for every id that was seen. Then Ana's number "
        "is one of `at * unit` up to `at * unit + unit - 1`. Ask this first: a clock goes up as well.",
    ),
)


class Numbered:
    """Sessions in a dict, whose ids come from `lab.new_id()`, which a probe sets."""

    def __init__(self, lab):
        self._lab, self._users = lab, {}

    def create(self, user=None, elevated=False):
        id = self._lab.new_id()
        self._users[id] = user
        return id

    def load(self, id):
        return {"user": self._users[id]} if id in self._users else None

    def save(self, id, data):
        return False

    def rotate(self, id, user, elevated=False):
        return self.create(user)

    def revoke(self, id):
        return self._users.pop(id, None) is not None

    def revoke_all(self, user):
        return 0


def guesses_at(lab, new_id, others=lambda: 0, hours=0, fraction=None):
    """Mallory logs in five times, `others()` others in between, and `hours` later Ana, `fraction` into a second.

    Returns what Mallory saw, Ana's id, and the guesses.
    """
    lab.new_id, seen = new_id, []
    for _ in range(5):
        lab.skip(seconds=lab.random.randrange(3, 400) + lab.random.random())
        for _ in range(others()):
            lab.new_id()  # somebody else is given it
        mallory = lab.login("mallory")
        seen.append({"at": int(lab.now), "id": mallory.cookies[SessionCookie().name]})
    lab.skip(hours=hours, seconds=lab.random.randrange(3, 400) + lab.random.random())
    lab.now = lab.now if fraction is None else int(lab.now) + fraction
    for _ in range(others()):
        lab.new_id()
    ana = lab.login("ana").cookies[SessionCookie().name]
    given = lab.call("predict_id", seen, int(lab.now))
    fits = given is None or type(given) is list and len(given) <= MOST and all(type(one) is str for one in given)
    lab.expect(fits, f"a list of at most {MOST:,} ids, or None", f"predict_id() gave {given!r:.80}")
    return seen, ana, given


def presents(lab, ana, given):
    """Mallory tries her guesses at the bank: those that miss are a request each, so only a few are really sent."""
    for id in [*given[:3], *([ana] if ana in given else [])]:
        browser = lab.visitor("mallory")
        browser.send("GET", "/balance", headers={"Cookie": f"{SessionCookie().name}={id}"})


def counting(lab):
    """Ids of a counter, in a form of this lab's own."""
    prefix, width = lab.random.choice(["", "s-", "fern_"]), lab.random.randrange(8, 20)
    last = lab.random.randrange(10**4, 10**7)

    def new_id():
        nonlocal last
        last += 1
        return f"{prefix}{last:0{width}}"

    return new_id


def timed(lab, unit):
    """Ids that are the time, in so many parts of a second."""
    prefix, width = lab.random.choice(["", "t", "sid-"]), lab.random.randrange(16, 24)
    return lambda: f"{prefix}{int(lab.now * unit):0{width}}"


@PREDICT.customer("A guess where there is an order; where there is none, None", look_at="what makes you sure of one")
def good_ids(lab):
    last = lab.random.randrange(10**4, 10**7)
    _, ana, given = guesses_at(lab, (f"{number:012}" for number in range(last, last + 99)).__next__)
    lands(lab, ana, given)
    rising = sorted(secrets.randbelow(10**12) for _ in range(6))
    generators = [
        lambda: secrets.token_urlsafe(32),
        lambda: f"{secrets.randbits(128):032x}",
        lambda: f"s-{secrets.randbelow(10**20):020}",
        lambda: f"{secrets.randbelow(10**12):012}",
        (f"{number:012}" for number in rising).__next__,  # good ones go up by chance, now and then
    ]
    for new_id in lab.random.sample(generators, len(generators)):
        seen, _, given = guesses_at(lab, new_id)
        lab.expect(given is None, f"None: {seen[-1]['id']} has no order", f"predict_id() gave {given!r:.80}")


@PREDICT.probe("A counter: Ana's balance is read", look_at="what changes from one id to the next")
def counter_falls(lab):
    busiest = [*lab.random.sample([0, 99, *lab.random.choices(range(100), k=3)], 5), 99]  # Ana's is the last
    for others in ([0] * 6, [lab.random.randrange(90) for _ in range(6)], busiest):
        _, ana, given = guesses_at(lab, counting(lab), iter(others).__next__)
        lands(lab, ana, given)


@PREDICT.probe("A clock: Ana's balance is read", look_at="the numbers beside the times, for each unit")
def clock_falls(lab):
    units = [(unit, fraction) for unit in (1, 10, 100, 1000) for fraction in (0, 0.9995)]  # its first, its last
    for unit, fraction in lab.random.sample(units, len(units)):
        _, ana, given = guesses_at(lab, timed(lab, unit), hours=lab.random.randrange(5, 20), fraction=fraction)
        lands(lab, ana, given)


def lands(lab, ana, given):
    """Expect that one of the guesses opened Ana's account."""
    before = len(lab.site.record.lost("ana"))
    presents(lab, ana, given or [])
    many = "None" if given is None else f"{len(given)} ids, {given[0]} first" if given else "no id"
    lab.expect(len(lab.site.record.lost("ana")) > before, f"{ana} is among the guesses", f"predict_id() gave {many}")


# ---- 30.2 ----------------------------------------------------------------------------------------------------

FIXATION = Exercise(
    "30.2",
    "An id for Ana",
    defines=("fixation",),
    minutes=10,
    difficulty="medium",
    kind="attack",
    mount=lambda lab: lab.guard(lab.app),
    hints=(
        "Three steps: get an id, plant it, and after Ana's log-in ask for /balance with it. The name of the cookie "
        "stands in the Set-Cookie header that gave you the id, in front of the equal sign.",
        'POST /basket with a form, `item=umbrella`, gives an id without any log-in. `Content-Type` is '
        "`application/x-www-form-urlencoded`.",
        "With `Path=/` your cookie goes in front of every cookie that the bank gives Ana later: where the bank "
        "renews the id, she is locked out. It is needed at her log-in, and nowhere else.",
    ),
)


class Planting:
    """What Mallory's page on the sibling host does to Ana's browser, and whether Ana noticed."""

    def __init__(self, lab, sessions):
        self.lab = lab
        self.name = lab.random.choice(["sid", "session", "fern_id", "visit"])
        lab.app = opened(lab, sessions(MemoryStore(), clock=lambda: lab.now), SessionCookie(self.name))
        lab.fresh_site()
        self.ana = Victim(lab.site, "ana")
        self.planted, self.logins = [], 0

    def plant(self, set_cookie):
        if type(set_cookie) is not str:
            raise TypeError(f"plant() takes the text of a Set-Cookie header, not {type(set_cookie).__name__}")
        self.planted.append(set_cookie)
        self.ana.open(Page(EVIL, cookies=(set_cookie,)))

    def log_in(self):
        self.logins += 1
        self.ana.log_in()

    def attack(self):
        """Run the learner's attack. Returns what it gave."""
        lab = self.lab
        plant, log_in = lab.remote("plant", self.plant, {"call"}), lab.remote("ana_logs_in", self.log_in, {"call"})
        given = lab.call("fixation", lab.http("mallory"), plant, log_in)
        lab.last = lab.site.log[-1] if lab.site.log else None
        lab.expect(self.planted and self.logins == 1, "one attack: plant a cookie, and let Ana log in once",
                   f"plant() was called {len(self.planted)} times, and ana_logs_in() {self.logins} times")
        values = {cookie.partition(";")[0].strip() for cookie in self.planted}
        (login,) = [one for one in lab.site.log.by("ana") if one.method == "POST"]
        lab.expect(carries(login, values), "what you plant goes along when Ana logs in", "it did not", login)
        later = [one for one in lab.site.log.by("mallory") if one.n > login.n]
        used = any(carries(one, values) for one in later)
        lab.expect(used, "after her log-in you ask the bank with the id that you planted", "no request of yours did")
        return given


def carries(exchange, values):
    """Whether the request brings one of these cookies ("name=value")."""
    return bool(values & set(dict(exchange.request_headers).get("Cookie", "").split("; ")))


@FIXATION.customer("The attack takes place, and Ana notices nothing", look_at="the cookie's name, Domain and Path")
def unharmed(lab):
    for sessions in (Sessions, KeepsAnonymousId):
        here = Planting(lab, sessions)
        here.attack()
        page = here.ana.read("/balance")
        seen = page.text if page.status == 200 else ""
        lab.expect(
            "Your account" in seen and "Log out ana" in seen,
            "after her log-in Ana sees her account, whether the attack works or not",
            f"GET /balance answered {page.status}",
            page.exchange,
        )
        here.ana.log_out()


@FIXATION.probe("A bank that keeps the id falls", points=2, look_at="the id with which you ask for /balance")
def keeps_falls(lab):
    for sessions in lab.random.sample([KeepsAnonymousId, AdoptsAnyId], 2):
        here = Planting(lab, sessions)
        given = here.attack()
        lost = lab.site.record.lost("ana")
        lab.expect(bool(lost), "Mallory reads Ana's balance", "the bank's record holds no loss of Ana's", lab.last)
        balance = lab.site.app.ledger.balance("ana")
        holds = given == balance and type(given) is int
        lab.expect(holds, f"her balance, {balance}", f"fixation() gave {given!r:.80}")


@FIXATION.probe("A bank that renews the id holds: None", look_at="the status of your last request")
def fixed_holds(lab):
    here = Planting(lab, Sessions)
    given = here.attack()
    lab.safe("ana", "an id from before the log-in opens nothing (ASVS 7.2.4)")
    lab.expect(given is None, "None: the bank did not let Mallory in", f"fixation() gave {given!r:.80}")


def opened(lab, sessions, cookie=None, **more):
    """A bank of this lab's customers and clock."""
    return bank(sessions, cookie, customers=customers(lab.seed), hasher=FAST, clock=lambda: lab.now, **more)


# ---- what 30.3, 30.4 and 30.5 share --------------------------------------------------------------------------

NONE = SessionCookie(samesite="None")  # so that nothing but the learner's work stands in a form's way


class Guard:
    """A bank's guard that is the learner's: `allows` asks `_accepts` about what changes something."""

    def __init__(self, lab):
        self._lab = lab

    def cookie(self, token):
        return None

    def allows(self, request, id):
        if not request["changes"]:
            return True
        return id is not None and self._decided(self._accepts(request, id), "accept")

    def _decided(self, given, name):
        if type(given) is not bool:
            raise LearnerError(f"your {name} returned {given!r:.60}: it should return True or False")
        return given

    def _token(self, given, name):
        if type(given) is not str or not 1 <= len(given) <= 1000 or not given.isascii() or not given.isprintable():
            raise LearnerError(f"your {name} returned {given!r:.60}: it should return the token, a text")
        return given


def with_doors(lab, guard, cookie=NONE):
    """A bank with that guard, and with three side doors: GET /pay, ?_method=, and JSON of any type."""
    app = opened(lab, Sessions(MemoryStore(), clock=lambda: lab.now), cookie, csrf=guard)
    return lab.guard(any_type(method_override(payment_link(app))))


class Served(Victim):
    """A customer's browser whose every answer is looked at: the bank must serve it."""

    def __init__(self, lab, name, metadata=True):
        super().__init__(lab.site, name, metadata=metadata)
        self._lab = lab

    def _sent(self, *args):
        answer = super()._sent(*args)
        return looked_at(self._lab, answer)

    def fetch(self, *args):
        return looked_at(self._lab, super().fetch(*args))


def looked_at(lab, answer):
    """Keep the exchange for the report, and raise what the learner's code raised."""
    lab.last = answer.exchange
    lab.raise_learner_error()
    return answer


def served(lab, answer, who="Ana"):
    """Expect that the bank did what its customer asked."""
    lab.expect(answer.status in (200, 201, 303), f"{who} is served", lab.answered(answer), answer.exchange)
    return answer


def in_session(lab, name="ana", metadata=True, page="/balance"):
    """A customer's browser, logged in through the bank's own form, with a page open (None: with none yet)."""
    customer = Served(lab, name, metadata)
    served(lab, customer.log_in(), name.title())
    if page is not None:
        served_page(lab, customer.read(page))
    return customer


def served_page(lab, answer):
    """Expect a page."""
    lab.expect(answer.status == 200, "Ana sees her page", lab.answered(answer), answer.exchange)


def order(lab, **more):
    """The fields of a transfer. Ana's own and a forged one look alike: what is in it tells nobody which it is."""
    return {"to": lab.random.choice(["ben", "mallory"]), "amount": str(lab.random.randrange(1, 90)), **more}


def opens(lab, ana, page, because):
    """Ana opens a page of Mallory's; expect that nothing is done in Ana's name."""
    undone(lab, ana, lambda: ana.open(page), because)


def undone(lab, customer, action, because):
    """Expect that the bank does nothing in this customer's name while `action()` runs."""
    before = done_by(lab, customer)
    action()
    after = done_by(lab, customer)
    lab.expect(after == before, because, f"the bank's record: {after[-1] if after else ''}", lab.last)


def done_by(lab, customer):
    """What the bank did for this customer's browser, by its record."""
    theirs = [one for one in lab.site.record if one.person == customer.name]
    return [str(one) for one in theirs if one.action in ("moved money", "wrote note")]


def forms_work(lab):
    """Log in, pay, write, confirm, log out: by the bank's own forms, for two customers."""
    for name, other in (("ana", lab.random.choice(["ben", "mallory"])), ("ben", "mallory")):
        customer = in_session(lab, name)
        served(lab, customer.submit("/balance", "/transfer", **order(lab, to=other)), name.title())
        served(lab, customer.submit("/notes", "/notes", text="a note"), name.title())
        served(lab, customer.submit("/me", "/confirm", password=lab.site.password_of(name)), name.title())
        served(lab, customer.submit("/balance", "/transfer", **order(lab, to=other)), name.title())
        answer = customer.send("/notes", {"text": "a note"}, at="/notes")
        lab.expect(answer.status == 403, "403 for a form without a token", lab.answered(answer), answer.exchange)
        served(lab, customer.log_out(), name.title())


def two_tabs_work(lab):
    """Two pages are open, the bank is restarted, both forms are sent, in any order. Ben has a token of his own."""
    ana, ben = in_session(lab), in_session(lab, "ben")
    tokens = token_of_page(ana), token_of_page(ben)
    lab.expect(tokens[0] != tokens[1], "Ben's session has another token than Ana's", f"both have {tokens[0]}")
    tabs = [hidden_fields(ana.read(path).text) for path in ("/balance", "/notes")]
    lab.skip(minutes=lab.random.randrange(2, 25))
    lab.restart()
    sends = [
        lambda: ana.send("/transfer", {**order(lab, to="mallory"), **tabs[0]}, at="/balance"),
        lambda: ana.send("/notes", {"text": "a note", **tabs[1]}, at="/notes"),
    ]
    for send in lab.random.sample(sends, 2) + [sends[0]]:  # and the form of the first once more, by "back"
        served(lab, send())


def tabs_at_once(lab):
    """Two tabs ask for the token of a session in the same moment, and get one."""
    store, id = lab.remote("store"), f"{lab.random.getrandbits(160):040x}"
    with lab.store.hold() as held:
        first = lab.together(lambda: lab.call("token", store, id))
        lab.until_held(held, first)
        second = lab.call("token", store, id)
        held.release()
        tokens = first.result(), second
    lab.expect(tokens[0] == tokens[1], "two tabs that open at once get one token", "{} and {}".format(*tokens))


def fetches_work(lab):
    """The bank's own script sends JSON with the token in a header; a link of the bank's carries it in the address."""
    ana = in_session(lab)
    token = ana.read("/csrf").json()["csrf"]
    served(lab, ana.fetch("/transfer", {"to": "ben", "amount": 7}, {"X-CSRF-Token": token}))
    served(lab, ana.fetch("/notes", {"text": "a note"}, {"X-CSRF-Token": token}))
    served(lab, ana.read(f"/pay?to=ben&amount=7&csrf={token}"))


def token_of(lab, visitor):
    """The token that the bank shows Mallory's browser (a Visitor) on a page of her own."""
    return hidden_fields(visitor.get("/basket", headers={"Accept": "text/html"}).text).get("csrf", "")


def mallorys_token(lab):
    """The token that Mallory sees when she is logged in to her own account."""
    visitor = lab.site.visitor("mallory")
    Victim(lab.site, "mallory", visitor).log_in()
    lab.raise_learner_error()
    return token_of(lab, visitor)


def tampered(lab, token):
    """What is not this token, as text: the last one is no ASCII."""
    start, end = token[: len(token) // 2], token[len(token) // 2 :]
    near = [token[:-1], token + "=", start, end, start.swapcase() + end, start + end.swapcase()]
    for at in (0, lab.random.randrange(len(token)), len(token) - 1):
        near.append(token[:at] + ("B" if token[at] == "A" else "A") + token[at + 1 :])
    return [*(one for one in near if one != token), "é" + token[1:]]


def shows(token, id):
    """Whether who sees the token can read the session id, or much of it, out of it."""
    raw = id.encode()
    written = [id, raw.hex(), base64.urlsafe_b64encode(raw).decode(), base64.b32encode(raw).decode()]
    texts = [text[::step].rstrip("=").lower() for text in written for step in (1, -1)]
    return any(text[at : at + 12] in token.lower() for text in texts for at in range(len(text) - 11))


JSON_LIKE = ("null", "true", "[]", "{}", "0", '""', '["%s"]')


def as_text(lab, csrf):
    """A form that sends JSON as text/plain; `csrf` is the JSON of that member, or None for none."""
    member = "" if csrf is None else f'"csrf": {csrf}, '
    fields = order(lab)
    start = f'{{"to": "{fields["to"]}", "amount": {fields["amount"]}, {member}"x": "'
    return Page(MALLORY, "/transfer", {start: '"}'}, enctype=PLAIN)


# ---- 30.3 ----------------------------------------------------------------------------------------------------

HEADERS = {"x-csrf-token": "X-CSRF-Token"}  # as the page writes it


class Synchronizer(Guard):
    """The learner's token(store, id) and accept(store, id, request)."""

    def token(self, id, headers):
        return self._token(self._lab.call("token", self._lab.remote("store"), id), "token")

    def _accepts(self, request, id):
        headers = {HEADERS.get(name.lower(), name): value for name, value in request["headers"].items()}
        told = {"method": request["method"], "headers": headers, "fields": request["fields"]}
        return self._lab.call("accept", self._lab.remote("store"), id, told)


SYNCHRONIZER = Exercise(
    "30.3",
    "A synchronizer token",
    defines=("token", "accept"),
    minutes=12,
    difficulty="medium",
    mount=lambda lab: with_doors(lab, Synchronizer(lab)),
    hints=(
        "token(): a record in the store under a key that is made of the session id, with a random token in it. "
        "`store.add(key, value)` says False when there is one: then read it. Two tabs must get the same.",
        "accept(): what came is `request['headers'].get('X-CSRF-Token')` or else `request['fields'].get('csrf')`. No "
        "token stored, nothing sent, an empty text, something that is no text: False.",
        "`hmac.compare_digest` raises TypeError for text beyond ASCII: compare `.encode()`. And do not look at the "
        "method or at the Content-Type: the bank only asks about what changes something.",
    ),
)


@SYNCHRONIZER.customer("The bank's own forms work, and need the token", look_at="what accept() reads out of fields")
def forms(lab):
    forms_work(lab)


@SYNCHRONIZER.customer("Two tabs work, and the back button; Ben's token is another", look_at="a second token()")
def tabs(lab):
    two_tabs_work(lab)
    tabs_at_once(lab)


@SYNCHRONIZER.customer("Fetches with X-CSRF-Token work, and a link with the token", look_at="where a token may come")
def fetches(lab):
    fetches_work(lab)


@SYNCHRONIZER.probe("A form from elsewhere moves no money", look_at="a request without a token")
def no_token(lab):
    ana = in_session(lab, page=None)
    made_up = f"{lab.random.getrandbits(256):x}"
    for why in ("since the log-in no page was opened: there is no token", "the form holds no token of this session"):
        for fields in ({}, {"csrf": ""}, {"csrf": "None"}, {"csrf": "undefined"}, {"csrf": made_up}):
            opens(lab, ana, Page(MALLORY, "/transfer", order(lab, **fields)), why)
        served(lab, ana.submit("/notes", "/notes", text="Ana goes on"))
    account = {"username": "mallory", "password": lab.site.password_of("mallory")}
    for path, fields in (("/basket", {"item": "a card"}), ("/logout", {}), ("/login", account)):
        answer = ana.send(path, fields, at="/")
        lab.expect(answer.status == 403, f"403: {path} changes something, too", lab.answered(answer), answer.exchange)


@SYNCHRONIZER.probe("A token of another session is none", look_at="what ties a token to one session")
def another_session(lab):
    ana, token = in_session(lab), mallorys_token(lab)
    opens(lab, ana, Page(MALLORY, "/transfer", order(lab, csrf=token)), "the token of Mallory's session is none")
    forge_header(lab, ana, token, "the token of Mallory's session is none in the header either")
    token = token_of(lab, lab.site.visitor("mallory"))
    opens(lab, ana, Page(EVIL, "/transfer", order(lab, csrf=token)), "an anonymous session has a token of its own")
    id = f"{lab.random.getrandbits(160):040x}"
    own = lab.call("token", lab.remote("store"), id)
    for near in ids_near(id):
        other = lab.call("token", lab.remote("store"), near)
        lab.expect(own != other, "no two sessions have the same token", f"{id!r} and {near!r} both have {own}")


def forge_header(lab, ana, token, because):
    """A request in Ana's session with this text in the header X-CSRF-Token; expect that the bank says no."""
    answer = ana.fetch("/notes", {"text": "a note"}, {"X-CSRF-Token": token})
    lab.expect(answer.status == 403, because, lab.answered(answer), answer.exchange)


def ids_near(id):
    """Session ids that are nearly this one: text of 40 small hexadecimal digits."""
    last, first = ("1" if digit == "0" else "0" for digit in (id[-1], id[0]))
    return [id[:-1] + last, first + id[1:], id[:20] + id[21:], id + "0", id.upper(), f" {id}", f"{id} "]


@SYNCHRONIZER.probe("Nobody works a token out", look_at="what the token is made of")
def no_order(lab):
    store, tokens = lab.remote("store"), []
    for _ in range(2):  # and a bank that was never here: what it gives first tells nothing of what this one gave
        tokens += [lab.call("token", store, f"{lab.random.getrandbits(160):040x}") for _ in range(3)]
        lab.store.records.clear()
        lab.restart()
    for one, other in combinations(tokens, 2):
        apart = sum(a != b for a, b in zip(one, other, strict=False))
        holds = apart >= min(12, len(one) // 2)
        lab.expect(holds, "one token tells nothing of another", f"one is {one}, and another {other}")


@SYNCHRONIZER.probe("A token from before the log-in is none", look_at="the key under which the token is kept")
def before_login(lab):
    ana = Served(lab, "ana")
    before = hidden_fields(ana.read("/login").text).get("csrf", "")
    served(lab, ana.log_in())
    for why in ("since the log-in no page was opened: there is no token", "the log-in gave a new id: a new token"):
        opens(lab, ana, Page(MALLORY, "/transfer", order(lab, csrf=before)), why)
        served_page(lab, ana.read("/me"))
    unconfirmed = token_of_page(ana)
    served(lab, ana.submit("/me", "/confirm", password=lab.site.password_of("ana")))
    served_page(lab, ana.read("/me"))
    opens(lab, ana, Page(MALLORY, "/transfer", order(lab, csrf=unconfirmed)), "so did the confirmation")


@SYNCHRONIZER.probe("JSON that a form sends as text/plain moves no money", look_at="the types that fields may hold")
def text_plain(lab):
    ana = in_session(lab)
    token = token_of_page(ana)
    for csrf in (None, *(like.replace("%s", token[:-1]) for like in JSON_LIKE)):
        opens(lab, ana, as_text(lab, csrf), "a form can send JSON: it needs the token as a form does")


def token_of_page(customer):
    """The token on a page that this customer opens."""
    return hidden_fields(customer.read("/balance").text).get("csrf", "")


@SYNCHRONIZER.probe("A link, and a form that stands for a PUT, move no money", look_at="what you ask the method for")
def doors(lab):
    ana = in_session(lab)
    for page in lab.random.sample(
        [
            Page(MALLORY, "/pay", order(lab), method="GET"),
            Page(MALLORY, "/transfer?_method=PUT", order(lab)),
            Page(MALLORY, "/pay", order(lab, csrf=""), method="GET"),
        ],
        3,
    ):
        opens(lab, ana, page, "whatever changes something needs the token, a GET and a PUT too")


@SYNCHRONIZER.probe("What resembles the token is not the token", look_at="how you compare")
def resembles(lab):
    ana = in_session(lab)
    token = token_of_page(ana)
    lab.expect(len(token) >= 22, "a token of 128 bits at least: 22 characters", f"it has {len(token)}")
    hidden = not shows(token, ana.copied()[NONE.name])
    lab.expect(hidden, "the page does not show the session id", "the token holds it, as it is or written otherwise")
    for near in tampered(lab, token)[:-1]:
        forge_header(lab, ana, near, "nothing but the whole token will do, in the header too")
    for near in tampered(lab, token):
        opens(lab, ana, Page(MALLORY, "/transfer", order(lab, csrf=near)), "nothing but the whole token will do")
        answer = ana.send("/notes", {"text": "x", "csrf": near})
        lab.expect(answer.status == 403, "the bank refuses it", lab.answered(answer), answer.exchange)


# ---- 30.4 ----------------------------------------------------------------------------------------------------


class DoubleSubmit(Guard):
    """The learner's issue(key, id) and accept(key, id, cookie, token)."""

    name = "csrf"

    def __init__(self, lab):
        super().__init__(lab)
        self.key = lab.random.randbytes(32)

    def token(self, id, headers):
        kept = cookie_named(self.name, headers)
        if kept and self._decided(self._lab.call("accept", self.key, id, kept, kept), "accept"):
            return kept
        return self._token(self._lab.call("issue", self.key, id), "issue")

    def cookie(self, token):
        if not set(token) <= COOKIE_OCTETS:
            raise LearnerError(f"your issue returned {token!r:.60}: a cookie cannot carry that")
        return f"{self.name}={token}; Path=/; Secure; SameSite=None"

    def _accepts(self, request, id):
        headers = {name.lower(): value for name, value in request["headers"].items()}
        token = headers.get("x-csrf-token", request["fields"].get("csrf"))
        return self._lab.call("accept", self.key, id, cookie_named(self.name, request["headers"]), token)


COOKIE_OCTETS = {chr(one) for one in range(0x21, 0x7F)} - set('",;\\')

DOUBLE = Exercise(
    "30.4",
    "A double submit that is bound to the session",
    defines=("issue", "accept"),
    minutes=12,
    difficulty="medium",
    mount=lambda lab: with_doors(lab, DoubleSubmit(lab)),
    hints=(
        "The token: a random part, a dot, and `hmac.new(key, message, 'sha256').hexdigest()`, where the message is "
        "made of the id and the random part. No store: accept() computes the same once more.",
        "accept(): both are texts, neither is empty, the two are equal, and the signature fits this id. All four.",
        "`id + rand` is the same for ('ab', 'c') and ('a', 'bc'). Put the length of the id in front: "
        "f'{len(id)}|{id}|{rand}'.",
    ),
)


@DOUBLE.customer("The bank's own forms work, and need the token", look_at="what issue() makes, and accept() checks")
def double_forms(lab):
    forms_work(lab)


@DOUBLE.customer("Two tabs work, and fetches with the header", look_at="what accept() says to a token in good order")
def double_tabs(lab):
    two_tabs_work(lab)
    fetches_work(lab)


def tosses(lab, ana, cookie, token, because):
    """A page on the sibling host sets the cookie (text) for the path of the form, and sends the form."""
    cookies = () if cookie is None else (f"csrf={cookie}; Domain=fernbank.localhost; Path=/transfer",)
    fields = order(lab) if token is None else order(lab, csrf=token)
    opens(lab, ana, Page(EVIL, "/transfer", fields, cookies=cookies), because)


@DOUBLE.probe("A form without its half moves no money", look_at="the cookie's own value, when no token came")
def half(lab):
    ana = in_session(lab)
    tosses(lab, ana, None, None, "the cookie goes along by itself: it proves nothing without the token")
    tosses(lab, ana, None, f"{lab.random.getrandbits(128):x}", "cookie and token must be equal")
    sent = ana.copied()["csrf"]
    key = lab.site.app.csrf.key
    for cookie, given in ((None, sent), ("", sent), (sent[:-1], sent), (sent, sent[:-1])):
        accepted = lab.call("accept", key, ana.copied()[NONE.name], cookie, given)
        lab.expect(accepted is False, "False: the halves differ", f"accept() gave {accepted!r} for {cookie!r:.30}")


@DOUBLE.probe("A pair that Mallory made up is none", look_at="whether the bank has signed it")
def made_up(lab):
    ana = in_session(lab)
    sent = ana.copied()["csrf"]  # before a sibling plants one of the same name
    for pair in (f"{lab.random.getrandbits(256):064x}", "fern", "a.b", ".", f"x.{'0' * 64}"):
        tosses(lab, ana, pair, pair, "a sibling host can plant both halves: they must be signed by the bank")
    for near in tampered(lab, sent)[:-1]:
        tosses(lab, ana, near, near, "what resembles a token is none")
    id, key = ana.copied()[NONE.name], lab.site.app.csrf.key
    for another in (lab.random.randbytes(32), key[:-1] + bytes([key[-1] ^ 1]), bytes([key[0] ^ 1]) + key[1:]):
        other = lab.call("issue", another, id)
        accepted = lab.call("accept", key, id, other, other)
        lab.expect(accepted is False, "False: it was issued under another key", f"accept() gave {accepted!r}")
    hidden = not shows(sent, id)
    lab.expect(hidden, "a token that does not show the session id", f"{sent} holds it, as it is or written otherwise")


@DOUBLE.probe("Mallory's own pair is none in Ana's session", points=2, look_at="what the signature covers")
def own_pair(lab):
    ana, token = in_session(lab), mallorys_token(lab)
    tosses(lab, ana, token, token, "this pair was signed for Mallory's session")
    visitor = lab.site.visitor("mallory")
    anonymous = token_of(lab, visitor)
    tosses(lab, ana, anonymous, anonymous, "this pair was signed for a visitor's session")


@DOUBLE.probe("A pair from before the log-in is none", look_at="the id that is signed")
def pair_before(lab):
    ana = Served(lab, "ana")
    before = hidden_fields(ana.read("/login").text).get("csrf", "")
    served(lab, ana.log_in())
    tosses(lab, ana, before, before, "the log-in gave a new id: the old pair is over")


@DOUBLE.probe("Empty equals empty, and is none", look_at="two halves that are equal, and nothing")
def empty(lab):
    ana = in_session(lab)
    tosses(lab, ana, "", "", "two empty halves are equal, and prove nothing")
    key, id = lab.site.app.csrf.key, ana.copied()[NONE.name]
    for cookie, token in ((None, None), ("", None), (None, ""), ("", ""), ("None", None), (None, []), ("é", "é")):
        accepted, pair = lab.call("accept", key, id, cookie, token), (cookie, token)
        lab.expect(accepted is False, "False: nothing proves nothing", f"accept() gave {accepted!r} for {pair}")


@DOUBLE.probe("The id ends where it ends", look_at="how id and random part are put together")
def boundary(lab):
    start, end = f"{lab.random.getrandbits(80):020x}", f"{lab.random.getrandbits(80):020x}"
    id, long = start + end, start * lab.random.randrange(60, 90)
    not_issued(lab, id, lambda token: [*((near, token) for near in ids_near(id)), *moved(id, token, (1, 2, 5))])
    not_issued(lab, long, lambda token: [(near, token) for near in (end + long[20:], long[:-20] + end, long[20:])])
    for between in (".", "|", ":", ",", "-", "_", "/", ";", "\n", "\0"):
        in_two = f"{start}{between}{end}"
        not_issued(lab, in_two, lambda token, between=between: [
            (start, f"{end}{between}{token}"), (end, f"{start}{between}{token}"),
            (start, f"{token}{between}{end}"), (end, f"{token}{between}{start}"),
        ])  # fmt: skip


def not_issued(lab, id, others):
    """Issue a token for `id`; expect that accept() takes none of others(token): pairs of another id and a token."""
    key = lab.site.app.csrf.key
    token = lab.call("issue", key, id)
    pairs = others(token)
    answers = lab.call_each("accept", [[key, other, text, text] for other, text in pairs])
    for (other, text), accepted in zip(pairs, answers, strict=True):
        if isinstance(accepted, LearnerError):
            raise accepted
        expected = f"False: {token:.80} was issued for {id!r:.60}"
        lab.expect(accepted is not True, expected, f"accept() took {text:.80} for {other!r:.60}")


def moved(id, token, lengths):
    """Ids and tokens in which so many characters have moved from one to the other, at either end of the id."""
    pairs = []
    for at in range(len(token)):
        for many in lengths:
            left, taken, right = token[:at], token[at : at + many], token[at + many :]
            pairs += [(id + taken, left + right), (taken + id, left + right)]
            pairs += [(id[:-many], left + id[-many:] + token[at:]), (id[many:], left + id[:many] + token[at:])]
    return pairs


# ---- 30.5 ----------------------------------------------------------------------------------------------------


class Policy(Guard):
    """The learner's allow(method, headers, config), asked about every request."""

    def __init__(self, lab):
        super().__init__(lab)
        self.config = {"origins": [], "siblings": [], "absent": False}

    def token(self, id, headers):
        return None

    def allows(self, request, id):
        config = {**self.config, "changes": request["changes"] and request["method"] in ("GET", "HEAD", "OPTIONS")}
        return self._decided(self._lab.call("allow", request["method"], request["headers"], config), "allow")


POLICY = Exercise(
    "30.5",
    "What the browser says",
    defines=("allow",),
    minutes=12,
    difficulty="medium",
    mount=lambda lab: with_doors(lab, Policy(lab)),
    imports=BASICS | {"urllib.parse"},
    hints=(
        "First: does it change something? `method not in ('GET', 'HEAD', 'OPTIONS') or config['changes']`. To list "
        "the dangerous methods instead would forget one.",
        "If it changes something: `Sec-Fetch-Site` decides where there is one; `Origin` where there is none; and "
        "`config['absent']` where there is neither. `headers.get(...)` gives None for what is missing.",
        "If it only reads: refuse just what comes from another site or host *and* is no navigation to a document: "
        "`Sec-Fetch-Mode` and `Sec-Fetch-Dest` say so.",
    ),
)


def configured(lab, **config):
    """Tell the bank's policy its own address, as its configuration would."""
    lab.site.app.csrf.config.update(origins=[lab.site.page], **config)


@POLICY.customer("Bookmarks, and links in a mail", look_at="what only reads, and is typed or clicked")
def bookmarks(lab):
    configured(lab)
    for metadata in (True, False):
        ana = in_session(lab, metadata=metadata)
        for path in lab.random.sample(["/balance", "/notes", "/me", "/"], 3):
            served(lab, ana.read(path))
            ana.open(Page(MALLORY, path, {}, method="GET"))
            served_last(lab)
    config = {"origins": some_origins(lab, 1), "siblings": [], "absent": False, "changes": False}
    asks(lab, True, "GET", {"Origin": "https://elsewhere.example"}, config, "no Sec-Fetch-Site, and it only reads")
    for method in ("GET", "HEAD"):
        told = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
        asks(lab, True, method, told, config, "a sibling may have a link to the bank, too")
    for method in ("HEAD", "OPTIONS"):
        asks(lab, True, method, {"Sec-Fetch-Site": "none"}, config, f"{method} only reads")
        asks(lab, True, method, {"Host": "app.example"}, config, f"{method} only reads")


def served_last(lab):
    """Expect that the last exchange was answered."""
    lab.expect(lab.last.status == 200, "a link from elsewhere leads to the page", lab.still(), lab.last)


@POLICY.customer("The bank's own forms and fetches work, and no others", look_at="same-origin; and Origin alone")
def own_pages(lab):
    configured(lab, absent=lab.random.choice([True, False]))
    for metadata in (True, False):
        ana = in_session(lab, metadata=metadata)
        served(lab, ana.submit("/balance", "/transfer", **order(lab)))
        served(lab, ana.fetch("/transfer", {"to": "ben", "amount": 7}))
        served(lab, ana.submit("/notes?_method=POST", "/notes", text="a note"))
        ana.open(Page(MALLORY, "/notes", {"text": "a note"}))
        lab.expect(lab.last.status == 403, "403 for a form on another site", lab.still(), lab.last)
        served(lab, ana.log_out())


@POLICY.customer("A proxy in front, a trusted sibling, and a program", look_at="config, and not Host")
def configuration(lab):
    names = some_origins(lab, 4)
    origins, siblings = names[:2], names[2:]
    own = origins[0]
    config = {"origins": origins, "siblings": siblings, "absent": True, "changes": False}
    behind = {"Host": f"10.0.0.{lab.random.randrange(1, 250)}:8080"}
    asks(lab, True, "POST", {**behind, "Origin": own}, config, "the proxy changed Host: the configuration counts")
    for origin in ("null", "https://elsewhere.example"):
        told = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
        asks(lab, True, "POST", told, config, "Sec-Fetch-Site goes first: a page may have its Origin left out")
    asks(lab, True, "POST", {**behind, "Origin": origins[1]}, config, "the site has two addresses of its own")
    for trusted in [*siblings, origins[1]]:
        told = {"Origin": trusted, "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
        asks(lab, True, "PUT", told, config, f"config trusts {trusted}")
        asks(lab, True, "POST", {"Origin": trusted}, config, f"config trusts {trusted}")
    asks(lab, True, "DELETE", behind, config, "neither header, and config['absent'] is True: a program may")
    told = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
    asks(lab, True, "GET", told, {**config, "changes": True}, "the bank's own script may change something by GET")
    for site in ("same-origin", "none"):
        told = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
        asks(lab, True, "GET", told, config, "the bank's own pages show pictures")


def some_origins(lab, many):
    """Addresses of sites that nobody has."""
    names = lab.random.sample(["pine", "moss", "birch", "heath", "sedge", "alder"], many)
    return [f"https://{name}{lab.random.randrange(100)}.example" for name in names]


def asks(lab, expected, method, headers, config, because):
    """Expect what allow() says; `because` is the rule."""
    given = lab.call("allow", method, headers, config)
    said = ", ".join(f"{name}: {value}" for name, value in headers.items()) or "no such header"
    lab.expect(given is expected, f"{expected}: {because}", f"allow() gave {given!r} for {method}, {said}")


@POLICY.probe("A form on another site moves no money", points=2, look_at="Sec-Fetch-Site; without it, Origin")
def foreign_form(lab):
    configured(lab, siblings=[f"http://api.fernbank.localhost:{lab.site.port}"])
    for metadata in (True, False):
        ana = in_session(lab, metadata=metadata)
        opens(lab, ana, Page(MALLORY, "/transfer", order(lab)), "the form stands on another site")
        opens(lab, ana, as_text(lab, None), "JSON out of a form comes from another site as well")
        opens(lab, ana, Page(MALLORY, "/transfer?_method=PUT", order(lab)), "a PUT changes something, too")
        opens(lab, ana, Page(EVIL, "/transfer", order(lab)), "config does not trust this sibling")
    told = {"Content-Type": "application/json", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
    config = {"origins": some_origins(lab, 1), "siblings": [], "absent": True, "changes": False}
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for site in ("cross-site", "same-site"):
            headers = {**told, "Origin": "https://mallory.example", "Sec-Fetch-Site": site}
            asks(lab, False, method, headers, config, "a script elsewhere is no better than a form")


@POLICY.probe("Mallory cannot log Ana in as Mallory", look_at="requests without a session")
def no_foreign_login(lab):
    configured(lab)
    account = {"username": "mallory", "password": lab.site.password_of("mallory")}
    for metadata in (True, False):
        for ana in (in_session(lab, metadata=metadata), Served(lab, "ana", metadata)):
            ana.open(Page(MALLORY, "/login", account))
            ana.submit("/notes", "/notes", text="a secret of Ana's")
            lab.safe("ana", "the log-in form was another site's: Ana does not become Mallory")


@POLICY.probe("Origin: null is nobody's", look_at="null where no Sec-Fetch-Site says more")
def null(lab):
    configured(lab, absent=True)
    for metadata in (True, False):
        ana = in_session(lab, metadata=metadata)
        opens(lab, ana, Page(MALLORY, "/transfer", order(lab), hides=True), "any page can have null sent")


@POLICY.probe("Neither header: config decides, for what changes something", look_at="config['absent']")
def neither(lab):
    config = {"origins": some_origins(lab, 1), "siblings": [], "absent": False, "changes": False}
    for method in ("POST", "PUT", "PATCH", "DELETE", *lab.random.sample(["LINK", "MKCOL", "PURGE", "COPY"], 2)):
        asks(lab, False, method, {"Host": "app.example"}, config, "neither header, and config['absent'] is False")
        told = {"Sec-Fetch-Site": "none"}
        asks(lab, False, method, told, {**config, "absent": True}, "a header is there, and says none")
        asks(lab, True, method, {"Host": "app.example"}, {**config, "absent": True}, "config['absent'] is True")
    for method in ("GET", "HEAD", "OPTIONS"):
        for headers in ({}, {"Sec-Fetch-Site": "cross-site"}):
            asks(lab, False, method, headers, {**config, "changes": True}, f"this {method} changes something")
    asks(lab, True, "GET", {}, config, "an old browser opens a page")


@POLICY.probe("A link that pays does not pay", look_at="config['changes']")
def paying_link(lab):
    configured(lab)
    ana = in_session(lab)
    opens(lab, ana, Page(MALLORY, "/pay", order(lab), method="GET"), "a GET that changes something is like a POST")
    typed = "typed, or from a bookmark, is not the bank's own page either"
    undone(lab, ana, lambda: ana.read("/pay?to=ben&amount=7"), typed)
    own, sibling = some_origins(lab, 2)
    config = {"origins": [own], "siblings": [sibling], "absent": False, "changes": True}
    told = {"Origin": sibling, "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
    asks(lab, True, "GET", told, config, "a sibling that config trusts may change something, as by POST")


@POLICY.probe("Nobody else frames or loads what is Ana's", look_at="Sec-Fetch-Mode and Sec-Fetch-Dest")
def isolated(lab):
    config = {"origins": some_origins(lab, 1), "siblings": [], "absent": True, "changes": False}
    for site in ("cross-site", "same-site"):
        for mode, dest in (("no-cors", "image"), ("no-cors", "script"), ("cors", "empty"), ("navigate", "iframe"),
                           ("navigate", "object"), ("no-cors", "document"), (None, None)):  # fmt: skip
            told = {"Sec-Fetch-Site": site}
            told |= {} if mode is None else {"Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
            for more in ({}, {"Sec-Fetch-User": "?1"}):
                because = "from elsewhere only a page of its own is opened, by a link"
                asks(lab, False, "GET", told | more, config, because)


@POLICY.probe("An address that resembles the bank's is another", look_at="how you compare origins")
def look_alikes(lab):
    (own,) = origins = some_origins(lab, 1)
    config = {"origins": origins, "siblings": [], "absent": True, "changes": False}
    host = own.removeprefix("https://")
    for origin in (f"{own}.mallory.example", f"https://mallory-{host}", f"http://{host}", f"{own}:8443", own[:-1],
                   f"https://evil.{host}", "https://mallory.example", f"{own}/", own.upper(), f"{own}:443",
                   f" {own}"):  # fmt: skip
        told = {"Origin": origin, "Host": origin.partition("//")[2]}
        asks(lab, False, "POST", told, config, f"{origin} is not {own}")
        told = {"Origin": origin, "Sec-Fetch-Site": "same-site", "Host": host}
        asks(lab, False, "POST", told, config, f"{origin} is not {own}")
    told = {"Origin": own, "Sec-Fetch-Site": "cross-site"}
    asks(lab, False, "POST", told, config, "Sec-Fetch-Site says cross-site, and goes first")
    for site in ("Same-Origin", "same-origins", "sibling", ""):
        told = {"Origin": own, "Sec-Fetch-Site": site}
        asks(lab, False, "POST", told, config, f"{site!r} is none of the table's words: it counts as cross-site")
