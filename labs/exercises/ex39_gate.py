"""Exercises 39.3 and 39.4 of the lab Defend the bank: the gate, which has five flaws for each learner."""

import inspect
import itertools
from functools import cache

from labs.auth.stores import MemoryStore
from labs.servers import Books, customers
from labs.servers.planted import FLAWS, place, places, source, with_flaws
from labs.servers.planted import mallory as tools
from labs.servers.planted.counter import GONE, Issuer, as_mallory, counter
from labs.servers.planted.gate import Gate, Refused

from .exercise import BASICS, Exercise
from .gate_attacks import attacks
from .lab import FAST, Customer, ProbeFailed
from .mint import damaged
from .process import LearnerError, NotAttempted
from .raids import ORDINALS, ask_for_raids, drawn

MOST = 300  # requests of one raid

# ---- what both of them share -----------------------------------------------------------------------------------


def served(lab):
    """The counter that an At has opened."""
    return lab.app


@cache
def flawed(*flaws: type) -> type:
    """The gate with these flaws, made once."""
    return with_flaws("gate", flaws)


def believed(gate, token: str, now: float) -> bool:
    """Whether a gate takes whoever holds this token for Ana, or for a teller."""
    try:
        given = gate.verify(token, now)
    except Exception as error:
        if type(error).__name__ != "Refused":
            raise
        return False
    return given["sub"] == "ana" or "teller" in given["roles"]


def bearing(token: str) -> dict[str, str]:
    """The header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


class At:
    """A counter behind a gate of these tokens' issuer, in the place of the one that was open before."""

    def __init__(self, lab, issuer: Issuer, gate) -> None:
        self.lab, self.issuer = lab, issuer
        lab.app = lab.guard(counter(Books(customers(lab.seed), FAST, lambda: lab.now), gate))
        lab.fresh_site()

    def send(self, user: str, token: str, method: str = "GET", path: str = "/balance", order: dict | None = None):
        """The Response to a request with this token."""
        body = {} if order is None else {"json": order}
        return Customer(self.lab, user).send(method, path, headers=bearing(token), **body)

    def serves(self, user: str, what: str, token: str, *how) -> dict:
        """Expect that a customer is served with a token; `how`: as send() takes it. Returns the answer."""
        response = self.send(user, token, *how)
        happened = self.lab.answered(response)
        self.lab.expect(response.status == 200, f"{user.title()} is served, with {what}", happened, response.exchange)
        return response.json()

    def knows(self, user: str, what: str, token: str) -> None:
        """Expect that a customer sees the right account with a token; and nobody any with a bit of it changed."""
        owner = self.serves(user, what, token)["owner"]
        self.lab.expect(owner == user, f"{what} shows {user} their own account", f"it was {owner}'s", self.lab.last)
        spoilt = damaged(token, self.lab.random)
        self.refuses(user, f"{what} is refused when one bit of its signature has changed", spoilt)

    def refuses(self, user: str, because: str, token: str) -> None:
        """Expect that the counter says no."""
        response = self.send(user, token)
        self.lab.expect(response.status == 401, because, self.lab.answered(response), response.exchange)

    def loses(self, token: str) -> bool:
        """Whether Mallory gets one of Ana's ferns with this token."""
        order = {"from": "ana", "to": "mallory", "amount": 1}
        before = len(self.lab.site.record.lost("ana"))
        self.send("mallory", token, "POST", "/transfer", order)
        return len(self.lab.site.record.lost("ana")) > before


# ---- 39.3 ------------------------------------------------------------------------------------------------------

FIND = Exercise(
    "39.3",
    "Find: whom the gate believes",
    defines=("GateRaid",),
    minutes=30,
    difficulty="hard",
    kind="attack",
    imports=BASICS | {"cryptography", "itertools"},
    given=lambda learner: inspect.getsource(tools),
    mount=served,
    hints=(
        "Take each docstring for a promise, and look for a token for which the lines below do not keep it: one that "
        "says less than they expect, or more, or nearly the right thing.",
        "Go through what Mallory has. For each of Ana's tokens: which line of your gate turns it away? Where you "
        "find none, you have a place, and the raid is one line: `steal(http, loot['anas'][...])`.",
        "The others are made. `header, claims = opened(loot['mine']['hs256'])`, change what the place looks at, "
        "write Ana's name into `claims['sub']`, and `steal(http, written(header, claims, sign))`.",
    ),
)


def sending(lab):
    """The `http` of a raid, which counts what it sends."""
    http, sent = as_mallory(lab.site), itertools.count(1)

    def send(method, path, headers=None, body=None):
        if next(sent) > MOST:
            raise TypeError(f"a raid sends at most {MOST} requests")
        given = http(method, path, headers, body)
        lab.last = lab.site.log[-1]
        return given

    return lab.remote("http", send, {"call"})


def raided(lab, where: str, flaws) -> tuple[bool, LearnerError | None]:
    """Run this place's raid at a gate with these flaws: whether Ana lost something, and what the raid raised."""
    lab.restart()  # no raid knows whether it is the first
    issuer = Issuer(lab.random, lab.now)
    gate = flawed(*flaws)(issuer.policy, MemoryStore())
    At(lab, issuer, gate)
    loot, raised = issuer.loot(lab.now, gate.end), None
    try:
        lab.call(f"{lab.make('GateRaid')}.{where}", sending(lab), loot)
    except NotAttempted:
        raise
    except LearnerError as error:  # she may have lost something before, and that is what counts
        raised = error
    return bool(lab.site.record.lost("ana")), raised


ask_for_raids(FIND, "gate", raided)


# ---- 39.4 ------------------------------------------------------------------------------------------------------

MEND = Exercise(
    "39.4",
    "Mend: whom the gate believes",
    defines=("MyGate",),
    minutes=20,
    difficulty="medium",
    imports=BASICS | {"cryptography"},
    given=lambda learner: source("gate", learner),
    mount=served,
    hints=(
        "Override the methods that you have found, each with the arguments that it has, and leave the others alone. "
        "The docstring says what it must do.",
        "Do not look for the token of your raid: say what is good, and refuse all else. Whatever a token says may "
        "be missing, or of any type.",
        "Serve `MyGate` as the page served `Gate`, and run your raids of 39.3 against it.",
    ),
)


def said(lab, name: str, *args):
    """What a method of the learner's gives. Raises Refused, LearnerError."""
    try:
        return lab.call(name, *args)
    except LearnerError as error:
        if error.type != "Refused":
            raise
        raise Refused(error.said) from None


class Theirs:
    """The learner's gate, as it is."""

    def __init__(self, lab, issuer: Issuer) -> None:
        self.lab, self.name = lab, lab.make("MyGate", issuer.policy, lab.remote("store"))

    def verify(self, token, now):
        """Ask the learner's verify()."""
        given = said(self.lab, f"{self.name}.verify", token, now)
        if type(given) is not dict or type(given.get("sub")) is not str or type(given.get("roles")) is not list:
            raise LearnerError(f'your verify returned {given!r:.80}: it should return {{"sub": text, "roles": list}}')
        return given

    def end(self, token, now):
        """Ask the learner's end()."""
        said(self.lab, f"{self.name}.end", token, now)

    def alone(self, issuer: Issuer, where: str) -> Gate:
        """A sound gate, in which the learner's method has this one place."""
        gate = Gate(issuer.policy, self.lab.store)
        setattr(gate, where, lambda *args: said(self.lab, f"{self.name}.{where}", *args))
        return gate


def opening(lab, issuer: Issuer, gate, flaw: type) -> tuple[list, list]:
    """The attacks on the place of a flaw: those to which it opens, the obvious one first, and the others.

    `gate`: the one that is to be attacked; what has been ended has been ended there.
    """
    with_it = flawed(flaw)(issuer.policy, MemoryStore())

    def end(token, then):
        with_it.end(token, then)
        gate.end(token, then)

    drawn = attacks(place(flaw), issuer, lab.now, end)
    opens = [believed(with_it, token, lab.now) for _, token in drawn]
    both = [(fits, one) for fits, one in zip(opens, drawn, strict=True)]
    return [one for fits, one in both if fits], [one for fits, one in both if not fits]


def mending(lab) -> tuple[Issuer, Theirs]:
    """An issuer, and the learner's gate."""
    issuer = Issuer(lab.random, lab.now)
    return issuer, Theirs(lab, issuer)


# ---- the customers: each is a probe, and all of them come before each attack -----------------------------------


def sees_accounts(at: At) -> None:
    issuer, now = at.issuer, at.lab.now
    more = [{}, {"aud": [issuer.policy["audience"], "statements"]}, {"aud": ["cards", issuer.policy["audience"]]},
            {"scope": "read", "preferred_username": "Fern", "clubs": ["chess"]}]  # fmt: skip
    for key in (issuer.es256, issuer.hs256):
        for claims in at.lab.random.sample(more, 2):
            user = at.lab.random.choice(["ana", "ben"])
            what = f"an honest token of {key['alg']}" + "".join(f" with {n} {v!r}" for n, v in claims.items())
            at.knows(user, what, issuer.token(user, now, key, **claims))
    header = {"jku": "https://fernbank.example/keys", "x5t": "fern"}
    at.knows("ana", "an honest token with jku and x5t in its header", issuer.token("ana", now, header=header))
    token = issuer.token("ana", now, preferred_username="ben", roles=GONE)
    order = {"to": "ben", "amount": at.lab.random.randrange(1, 50)}
    moved = at.serves("ana", "an honest token, who sends Ben money", token, "POST", "/transfer", order)
    at.lab.expect(moved["from"] == "ana", "it is Ana's money", f"it was {moved['from']}'s", at.lab.last)


def uses_leaving_key(at: At) -> None:
    issuer = at.issuer
    for user in at.lab.random.sample(["ana", "ben"], 2):
        at.knows(user, "a token of a key that is in use until later", issuer.token(user, at.lab.now, issuer.leaving))


def comes_late(at: At) -> None:
    issuer, now, leeway = at.issuer, at.lab.now, at.issuer.policy["leeway"]
    keys = itertools.cycle([issuer.es256, issuer.hs256])
    for key, exp in zip(keys, (now + 0.5, int(now), now - leeway + 0.5, int(now) + 10**6), strict=False):
        left = exp - now
        when = f"comes in {left:g} seconds" if left > 0 else f"was {-left:g} seconds ago, with a leeway of {leeway}"
        what = f"a token whose exp {when},"
        at.knows("ben", what, issuer.token("ben", now, key, exp=exp))


def ends_a_token(at: At) -> None:
    issuer, now = at.issuer, at.lab.now
    for key in (issuer.es256, issuer.hs256):
        first, second = (issuer.token("ana", now, key) for _ in range(2))
        at.serves("ana", f"a token of {key['alg']} that she ends with POST /end", first, "POST", "/end", {})
        at.refuses("ana", "what Ana has ended is refused", first)
        at.knows("ana", "another token of hers, which she has not ended", second)
        at.knows("ben", "a token of his own, after Ana has ended hers", issuer.token("ben", now, key))


def has_a_teller(at: At) -> None:
    issuer, order = at.issuer, {"from": "ana", "to": "ben", "amount": at.lab.random.randrange(1, 20)}
    for roles in (["teller"], ["auditor", "teller"]):
        token = issuer.token("ben", at.lab.now, roles=roles)
        moved = at.serves("ben", f"roles {roles}, and moves Ana's money for her", token, "POST", "/transfer", order)
        at.lab.expect(moved["from"] == "ana", "it is Ana's money", f"it was {moved['from']}'s", at.lab.last)
    response = at.send("ben", issuer.token("ben", at.lab.now, roles=["auditor"]), "POST", "/transfer", order)
    at.lab.expect(
        response.status == 403, "an auditor moves nobody's money: 403", at.lab.answered(response), at.lab.last
    )


CUSTOMERS = {
    "Customers see their accounts and move their money": (sees_accounts, "the exchange: an honest token"),
    "A key that will be retired counts until then": (uses_leaving_key, "until, in the policy's keys"),
    "A token is good to the end of its leeway": (comes_late, "the comparison with exp, and what now is"),
    "Whoever ends a token ends that one": (ends_a_token, "end(), and the name of a token in the store"),
    "A teller moves money for Ana, an auditor does not": (has_a_teller, "roles, which is a list of texts"),
}


def _customer(title, comes, look_at):
    @MEND.probe(title, look_at=look_at, kept=True)
    def is_served(lab):
        issuer, theirs = mending(lab)
        comes(At(lab, issuer, theirs))


for _title, (_comes, _look_at) in CUSTOMERS.items():
    _customer(_title, _comes, _look_at)


# ---- the flaws -------------------------------------------------------------------------------------------------

MENDED = "the attack on this flaw costs Ana nothing"
STILL = "it still moves one of her ferns: this flaw is as it was"


def failure(lab, issuer: Issuer, gate, flaw: type) -> tuple[int, Exception] | None:
    """How far a gate gets, and what stops it there: 0 a customer, 1 the flaw's own attack, 2 a variant; None when
    nothing does.
    """
    stage = 0
    try:
        at = At(lab, issuer, gate)
        for comes, _ in CUSTOMERS.values():
            comes(at)
        stage = 1
        opens, others = opening(lab, issuer, gate, flaw)
        some_come_again(at)  # so that no gate can count when the attack is due
        lab.expect(not at.loses(opens[0][1]), MENDED, STILL)
        stage = 2
        withstands(at, opens[1:] + others)
    except (ProbeFailed, LearnerError) as error:
        return stage, error
    return None


def withstands(at: At, attempts: list) -> None:
    """Expect that Ana loses nothing by these attacks, whatever their order, and that customers are served on."""
    for what, token in at.lab.random.sample(attempts, len(attempts)):
        at.lab.expect(not at.loses(token), f"{what} costs Ana nothing", "it moved one of her ferns", at.lab.last)
        some_come_again(at, at.lab.random.choice([0, 0, 0, 1]))
    some_come_again(at, 1)


def some_come_again(at: At, many: int | None = None) -> None:
    """Expect that honest customers are served, whatever came before: so many, or up to three."""
    for _ in range(at.lab.random.randrange(4) if many is None else many):
        user = at.lab.random.choice(["ana", "ben"])
        at.serves(user, "an honest token, among others that are refused", at.issuer.token(user, at.lab.now))


def mended(lab, number: int) -> None:
    """Expect that a flaw is mended: in the learner's gate, or by the method alone where another mend spoils that."""
    issuer, theirs = mending(lab)
    flaw = drawn("gate", lab.learner)[number]
    whole = failure(lab, issuer, theirs, flaw)
    single = whole and failure(lab, issuer, theirs.alone(issuer, place(flaw)), flaw)
    if whole and single:
        raise max(whole, single, key=lambda one: one[0])[1]


def _mend(number: int):
    @MEND.probe(
        f"The {ORDINALS[number]} flaw is mended", points=2, look_at="your raids of 39.3, against MyGate this time"
    )
    def is_mended(lab):
        mended(lab, number)


for _number in range(FLAWS):
    _mend(_number)


@MEND.probe("All in all: no attack on any place gets in", points=2, look_at="the method that should turn it away")
def holds_everywhere(lab):
    issuer, theirs = mending(lab)
    at = At(lab, issuer, theirs)
    for comes, _ in CUSTOMERS.values():
        comes(at)
    # These first, since what gets in by a flaw that is still there must not say where it is.
    for flaw in drawn("gate", lab.learner):
        opens, _ = opening(lab, issuer, theirs, flaw)
        some_come_again(at)
        lab.expect(not at.loses(opens[0][1]), "all five flaws are mended", "at least one is as it was")
    for where in lab.random.sample(places("gate"), len(places("gate"))):
        withstands(at, attacks(where, issuer, lab.now, theirs.end))
