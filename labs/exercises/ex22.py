"""Exercises of lesson 22, Access and refresh."""

import base64
import random
import re

from .exercise import BASICS, Exercise
from .lab import ProbeFailed
from .process import LearnerError

# ---- 22.1 ----------------------------------------------------------------------------------------------------

LOOP = Exercise(
    "22.1",
    "The refresh loop",
    defines=("step",),
    imports=BASICS | {"copy"},
    minutes=15,
    difficulty="medium",
    hints=(
        "Begin with a copy of the state, with a list and a dict of its own. Then one branch for each type of event.",
        "For `request` and `unauthorized` ask in this order: is it over for the request (logged out, or sent twice)? "
        "Must it wait (a refresh is under way)? Must a refresh begin (a 401 for the token in hand)? Else send it.",
        "`refreshed`, `refused`, `unavailable` and `logout` all end the waiting: empty the list, and send or fail "
        "what was in it. The first three mean nothing when no refresh is under way, for example after a log-out.",
    ),
)

SIZES = {"send": 3, "fail": 2, "refresh": 1, "logout": 1}  # of the actions that there are
WHAT_COMES_BACK = 'return (state, actions), a dict and a list such as [["send", "r1", "t1"], ["refresh"]]'


class Client:
    """A client that does what the learner's step() says. `story` tells it, one line an event."""

    def __init__(self, lab):
        self.lab, self.story, self._numbers = lab, [], 0
        self.token = self.fresh()
        self.state = {"token": self.token, "refreshing": False, "waiting": [], "sent": {}}

    def fresh(self):
        """A new access token."""
        return f"{self.lab.random.getrandbits(40):010x}"

    def ids(self, number):
        """The ids of so many new requests."""
        self._numbers += number
        return [f"r{n}" for n in range(self._numbers - number + 1, self._numbers + 1)]

    def happens(self, type, id=None, token=None):
        """What step() says is to be done now. Raises LearnerError for what no client can do."""
        event = {"type": type, "id": id, "token": token}
        event = {name: value for name, value in event.items() if value is not None}
        given = self.lab.call("step", self.state, event)
        if type_of(given) != [dict, list]:
            raise LearnerError(f"your step gave {given!r:.80}: {WHAT_COMES_BACK}")
        self.state, actions = given
        for action in actions:
            known = isinstance(action, list) and action and all(isinstance(part, str) for part in action)
            if isinstance(action, list) and action[:1] == ["send"] and action[2:] == [None]:
                raise LearnerError(
                    f"your step gave {action!r:.60}, without a token: what fails when nobody is logged in?"
                )
            if not known or SIZES.get(action[0]) != len(action):
                raise LearnerError(f"your step gave the action {action!r:.60}, which there is not: {WHAT_COMES_BACK}")
        self.story.append(f"{written(event):<42} {'; '.join(map(' '.join, actions)) or '(nothing)'}")
        return actions

    def does(self, expected, because, *event):
        """Expect these actions, in any order, after an event."""
        actions = self.happens(*event)
        if sorted(actions) != sorted(expected):
            wanted = "; ".join(map(" ".join, expected)) or "nothing"
            happened = "; ".join(map(" ".join, actions)) or "nothing"
            self.fail(f"{shortened(wanted)} ({because})", f"step() said: {shortened(happened)}")

    def fail(self, expected, happened):
        """Raise ProbeFailed, with the story so far."""
        raise ProbeFailed(expected, happened, "what happened, and what step() said\n\n" + "\n".join(self.story[-40:]))

    def out(self, ids):
        """New requests with these ids go out."""
        for id in ids:
            self.does([["send", id, self.token]], "a request goes out with the token in hand", "request", id)

    def until_refresh(self, ids):
        """All of them come back with 401, in this order: the first asks for a refresh."""
        first, *others = ids
        why = "the first 401 for the token in hand starts the refresh, and its request waits"
        self.does([["refresh"]], why, "unauthorized", first, self.token)
        for id in others:
            self.does([], "one refresh is enough, and the next 401s wait for it", "unauthorized", id, self.token)

    def refreshed(self, waiting):
        """The refresh brings a new token, and what waits goes out with it."""
        self.token = self.fresh()
        because = "all that waits goes out with the new token"
        self.does([["send", id, self.token] for id in waiting], because, "refreshed", None, self.token)

    def answered(self, ids):
        """These requests are answered."""
        for id in ids:
            self.does([], "a request that is answered is over", "answered", id)


def type_of(given):
    """The types of a list's items; [] for what is no list."""
    return [type(item) for item in given] if isinstance(given, list) else []


def written(event):
    """An event as a line of text."""
    return " ".join(event.values())


def shortened(text):
    """A text of at most 100 characters."""
    return text if len(text) <= 100 else f"{text[:97]}..."


@LOOP.customer("A request goes out at once, with the token in hand", look_at="the event `request`")
def at_once(lab):
    client = Client(lab)
    ids = client.ids(lab.random.randrange(2, 5))
    client.out(ids)
    client.answered(lab.random.sample(ids, len(ids)))


@LOOP.customer("Ten 401s make one refresh, and all ten go out again", points=2, look_at="the event `unauthorized`")
def ten(lab):
    client = Client(lab)
    for _ in range(2):  # a quarter of an hour later that token has ended, too
        ids = client.ids(10)
        client.out(ids)
        ids = lab.random.sample(ids, 10)
        client.until_refresh(ids)
        client.refreshed(ids)
        client.answered(ids)


@LOOP.customer("What is asked for during a refresh waits for it", look_at="the event `request`, while `refreshing`")
def during(lab):
    client = Client(lab)
    [first] = client.ids(1)
    client.out([first])
    client.until_refresh([first])
    others = client.ids(lab.random.randrange(2, 5))
    for id in others:
        client.does([], "the token in hand has ended, so a new request waits", "request", id)
    client.refreshed([first, *others])
    client.answered([first, *others])


@LOOP.probe("A 401 that comes late starts no second refresh", points=2, look_at="the token that was sent with it")
def late(lab):
    client = Client(lab)
    ids = client.ids(lab.random.randrange(4, 8))
    client.out(ids)
    early, old = ids[:2], client.token
    client.until_refresh(early)
    client.refreshed(early)
    for id in ids[2:-1]:
        why = "it was sent with the token before, and there is a new one to send it with"
        client.does([["send", id, client.token]], why, "unauthorized", id, old)
    [new] = client.ids(1)
    client.out([new])
    client.until_refresh([new])
    client.does([], "the token in hand is being replaced, so it waits", "unauthorized", ids[-1], old)
    client.refreshed([new, ids[-1]])


@LOOP.probe("No loop: a request is sent twice at most", points=2, look_at="what you know about how often it was sent")
def no_loop(lab):
    client = Client(lab)
    ids = client.ids(lab.random.randrange(2, 5))
    client.out(ids)
    client.until_refresh(ids)
    [before] = client.ids(1)
    client.does([], "a new request waits for the refresh", "request", before)
    client.refreshed([*ids, before])
    for id in ids:
        why = "it was sent twice, and a fresh token did not help"
        client.does([["fail", id]], why, "unauthorized", id, client.token)
    client.until_refresh([before])  # sent once, so far
    client.refreshed([before])
    client.does([["fail", before]], "it was sent twice by now", "unauthorized", before, client.token)


def waiting_client(lab):
    """A client with requests that wait for a refresh: (client, their ids, one more that is still out)."""
    client = Client(lab)
    ids = client.ids(lab.random.randrange(3, 6))
    client.out(ids)
    client.until_refresh(ids[:-1])
    return client, ids[:-1], ids[-1]


@LOOP.probe("A refresh that is refused logs out", points=2, look_at="the event `refused`")
def refused(lab):
    client, waiting, out = waiting_client(lab)
    failed = [["fail", id] for id in waiting]
    client.does([["logout"], *failed], "the log-in is over, log out once, and fail what waits", "refused")
    client.does([["fail", out]], "nobody is logged in, so a 401 fails its request", "unauthorized", out, client.token)
    [new] = client.ids(1)
    client.does([["fail", new]], "nobody is logged in, so a new request fails", "request", new)


@LOOP.probe("An outage logs nobody out", points=2, look_at="the event `unavailable`")
def outage(lab):
    client, waiting, out = waiting_client(lab)
    failed = [["fail", id] for id in waiting]
    client.does(failed, "what waits fails, and nobody is logged out", "unavailable")
    client.until_refresh([out])
    client.refreshed([out])
    client.out(client.ids(1))


@LOOP.probe("A refresh that ends after the log-out brings nobody back", look_at="the event `logout`")
def after_logout(lab):
    for end in lab.random.sample(["refreshed", "refused", "unavailable"], 3):
        client, waiting, _ = waiting_client(lab)
        failed = [["fail", id] for id in waiting]
        client.does([["logout"], *failed], "log out, and fail what waits", "logout")
        token = client.fresh() if end == "refreshed" else None
        client.does([], "nobody waits for this refresh any more", end, None, token)
        [new] = client.ids(1)
        client.does([["fail", new]], "nobody is logged in", "request", new)


@LOOP.probe("In whatever order it happens", look_at="the story below: where does it go wrong?")
def any_order(lab):
    day = Day(Client(lab), lab.random)
    for _ in range(300):
        day.one_thing()
    day.end()
    left = ", ".join(sorted(day.open))
    if left:
        day.client.fail("in the end each request was answered or failed", f"nothing became of {shortened(left)}")


class Day:
    """A client's day: tokens end, answers come in any order, and each rule must hold all the time."""

    # Tokens end so often that many requests meet two ends.
    KINDS = ["request"] * 3 + ["answer"] * 5 + ["end of a token"] * 2 + ["end of a refresh"] * 2

    def __init__(self, client, random):
        self.client, self.random, self.valid, self.hand = client, random, client.token, client.token
        self.flying, self.open, self.sent, self.refreshing = [], set(), {}, False

    def one_thing(self):
        """One thing happens, drawn by lot."""
        kind = self.random.choice(self.KINDS)
        if kind == "request":
            [id] = self.client.ids(1)
            self.open.add(id)
            self.happens("request", id)
        elif kind == "answer" and self.flying:
            self.answer(*self.flying.pop(self.random.randrange(len(self.flying))))
        elif kind == "end of a token":
            self.valid = None
        elif kind == "end of a refresh" and self.refreshing:
            self.refresh_ends()

    def end(self):
        """What is under way comes to its end."""
        for _ in range(1000):
            if not self.flying and not self.refreshing:
                return
            if self.refreshing:
                self.refresh_ends()
            while self.flying:
                self.answer(*self.flying.pop(self.random.randrange(len(self.flying))))

    def refresh_ends(self):
        """The refresh brings a new token."""
        self.refreshing, self.valid = False, self.client.fresh()
        self.hand = self.valid
        self.happens("refreshed", None, self.valid)

    def answer(self, id, token):
        """The server answers a request."""
        if token == self.valid:
            self.open.discard(id)
            self.happens("answered", id)
        else:
            self.happens("unauthorized", id, token)

    def happens(self, *event):
        """Something happens, and the client does what step() says."""
        for what, *rest in self.client.happens(*event):
            if what == "refresh":
                self.expect(not self.refreshing, "one refresh at a time", "a second one began")
                live = self.valid == self.hand
                self.expect(not live, "a refresh only where the token in hand has ended", "that one is still good")
                self.refreshing = True
            elif what == "send":
                self.sent[rest[0]] = self.sent.get(rest[0], 0) + 1
                self.expect(rest[0] in self.open, "only open requests are sent", f"{rest[0]} is over")
                self.expect(self.sent[rest[0]] < 3, "a request is sent twice at most", f"{rest[0]} was sent again")
                self.flying.append(rest)
            elif what == "fail":
                twice = self.sent.get(rest[0]) == 2
                self.expect(twice, "a request fails when it was sent twice", f"{rest[0]} was given up before")
                self.open.discard(rest[0])
            else:
                self.client.fail("nobody is logged out where no refresh was refused", "step() said logout")

    def expect(self, holds, expected, happened):
        if not holds:
            self.client.fail(expected, happened)


# ---- 22.2 ----------------------------------------------------------------------------------------------------

SEAL = Exercise(
    "22.2",
    "The token at rest",
    defines=("seal", "unseal"),
    imports=BASICS | {"cryptography"},
    minutes=8,
    difficulty="medium",
    hints=(
        "`AESGCM(key)` is in `cryptography.hazmat.primitives.ciphers.aead`. `.encrypt(nonce, data, None)` "
        "encrypts bytes so that a change shows; `.decrypt` then raises `InvalidTag` (in `cryptography.exceptions`).",
        "A nonce is used once: `secrets.token_bytes(12)` for each seal. It is no secret, and `unseal` needs it: put "
        "it in front.",
        "`except (InvalidTag, ValueError): return None`. What is shorter than a nonce gives a ValueError.",
    ),
)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def key_of(lab):
    """A key of 32 bytes."""
    return lab.random.randbytes(32)


def token_of(lab, length=43):
    """A token such as identity issues."""
    return "".join(lab.random.choice(LETTERS) for _ in range(length))


def sealed_of(lab, token, key):
    """What seal() gives. Raises LearnerError unless it is bytes."""
    return bytes_of(lab.call("seal", token, key))


def bytes_of(given):
    """The same, when it is bytes."""
    if isinstance(given, LearnerError):
        raise given
    if type(given) is not bytes:
        raise LearnerError(f"your seal gave {given!r:.60}: return bytes")
    return given


def seals(lab, pairs):
    """What seal() gives for each [token, key]."""
    return [bytes_of(given) for given in lab.call_each("seal", pairs)]


def opened(lab, pairs):
    """What unseal() gives for each [sealed, key]. Raises the LearnerError where it raised."""
    given = lab.call_each("unseal", pairs)
    for one in given:
        if isinstance(one, LearnerError):
            raise one
    return given


def told(token):
    """A token for a sentence, shortened."""
    return token if len(token) <= 20 else f"{token[:17]}..."


@SEAL.customer("What was sealed comes back, after a restart too", look_at="what unseal needs that seal knew")
def round_trip(lab):
    key = key_of(lab)
    texts = ["", "grüße, 東京, 🌿", token_of(lab, 2000), *(token_of(lab) for _ in range(5))]
    kept = seals(lab, [[text, key] for text in texts])
    lab.restart()  # the phone was off: what stood in memory is gone
    for text, sealed, given in zip(texts, kept, opened(lab, [[sealed, key] for sealed in kept]), strict=True):
        happened = f"of {len(sealed)} bytes unseal() made {given!r:.40}"
        lab.expect(given == text, f"the token {told(text)!r}, with nothing but the bytes and the key", happened)


@SEAL.probe("Whoever reads the file does not read the token", points=2, look_at="what seal returns, as bytes")
def not_readable(lab):
    key, token = key_of(lab), token_of(lab)
    sealed = sealed_of(lab, token, key)
    for name, form in readings(sealed).items():
        found = next((token[n : n + 8] for n in range(len(token) - 7) if token[n : n + 8].encode() in form), None)
        lab.expect(not found, "nothing of the token can be read in the file", f"{found!r} stands there, {name}")
        lab.expect(key not in form and key[::-1] not in form, "no key in the file", f"the key stands there, {name}")


def readings(sealed):
    """How somebody with the file, and no key, would try to read it: bytes by the way they were read."""
    found = {"as it is": sealed, "read backwards": sealed[::-1]}
    for start in range(min(33, len(sealed))):
        for name, read in (("as hex", bytes_from_hex), ("as base64", base64_decoded)):
            found[f"{name} from byte {start} on"] = read(sealed[start:])
    for shift in range(1, len(sealed)):  # a key stream that goes along is no secret
        both = zip(sealed, sealed[shift:], strict=False)
        found[f"after XOR with what stands {shift} bytes further"] = bytes(a ^ b for a, b in both)
    return found


def bytes_from_hex(data):
    digits = re.sub(rb"[^0-9a-fA-F]", b"", data)
    return bytes.fromhex(digits[: len(digits) // 2 * 2].decode())


def base64_decoded(data):
    digits = re.sub(rb"[^A-Za-z0-9_+/-]", b"", data).translate(bytes.maketrans(b"-_", b"+/"))
    return base64.b64decode(digits[: len(digits) // 4 * 4])


@SEAL.probe("Two seals of one token have nothing in common", points=2, look_at="the nonce: is it new for each seal?")
def differ(lab):
    key, token = key_of(lab), token_of(lab, 300)
    one, other = seals(lab, [[token, key]] * 2)
    same = sum(a == b for a, b in zip(one, other, strict=False))
    lab.expect(one != other, "two seals of one token differ", "they are the same bytes")
    lab.expect(same < 60, "they differ from end to end", f"{same} of {len(one)} bytes are the same")


@SEAL.probe("Mallory's own token tells her nothing about Ana's", points=2, look_at="what is encrypted with what")
def known_plaintext(lab):
    key, hers, anas = key_of(lab), token_of(lab, 60), token_of(lab, 60)
    first, second = seals(lab, [[hers, key], [anas, key]])
    for start in range(max(0, min(len(first), len(second)) - 59)):
        both = [a ^ b for a, b in zip(first[start : start + 60], second[start : start + 60], strict=True)]
        read = bytes(a ^ ord(b) for a, b in zip(both, hers, strict=True))
        happened = f"she knows her own token, and both seals: so she reads {told(anas)!r}"
        lab.expect(read != anas.encode(), "from her own token and both seals Mallory learns nothing", happened)


@SEAL.probe("What has been changed does not open", points=2, look_at="whether anything checks the bytes")
def tampered(lab):
    key, token = key_of(lab), token_of(lab)
    sealed = sealed_of(lab, token, key)
    changed = {f"a bit of byte {n} was changed": flipped(lab, sealed, n) for n in range(len(sealed))}
    at = lab.random.randrange(1, len(sealed)) if len(sealed) > 1 else 0
    changed |= {
        "the end was cut off": sealed[:-1],
        f"only {at} bytes are left": sealed[:at],
        "the file is empty": b"",
        "two bytes were swapped": swapped(sealed),
        "it is another file": lab.random.randbytes(len(sealed)),
    }
    for how, given in zip(changed, opened(lab, [[one, key] for one in changed.values()]), strict=True):
        lab.expect(given is None, "None: it is not what was sealed", f"{how}, and unseal() gave {given!r:.60}")


def flipped(lab, sealed, n):
    """These bytes with one bit of byte `n` changed."""
    return sealed[:n] + bytes([sealed[n] ^ 1 << lab.random.randrange(8)]) + sealed[n + 1 :]


def swapped(sealed):
    """These bytes with two neighbours in their places exchanged."""
    for n in range(len(sealed) // 2, len(sealed) - 1):
        if sealed[n] != sealed[n + 1]:
            return sealed[:n] + bytes([sealed[n + 1], sealed[n]]) + sealed[n + 2 :]
    return sealed[:-1]


@SEAL.probe("Another key opens nothing", look_at="what the key is used for")
def other_key(lab):
    key, other, token = key_of(lab), key_of(lab), token_of(lab)
    sealed = sealed_of(lab, token, key)
    [given] = opened(lab, [[sealed, other]])
    lab.expect(given is None, "None: it was sealed with another key", f"with another key unseal() gave {given!r:.60}")
    close = [flipped(lab, key, n) for n in range(32)]
    for given in lab.call_each("unseal", [[sealed, one] for one in close]):
        # Fernet proves with one half of its key: with another half to decrypt with it may give noise, or stumble.
        happened = "with a key that differs by one bit unseal() gave the token"
        lab.expect(given != token, "no token: it was sealed with another key", happened)


# ---- 22.3 ----------------------------------------------------------------------------------------------------

OPAQUE_COOKIE, OPAQUE_HEADER = "opaque+cookie", "opaque+header"
JWT_COOKIE, JWT_HEADER = "jwt+cookie", "jwt+header"
DESIGNS = (OPAQUE_COOKIE, OPAQUE_HEADER, JWT_COOKIE, JWT_HEADER)

#: name -> (what happens, where it works, what to ask); tests/exercises/test_ex22.py performs each of them in each.
ATTACKS = {
    "advert": (
        "An advert on a news page holds a hidden form, and makes Ana's browser post it to /transfer.",
        {OPAQUE_COOKIE, JWT_COOKIE},
        "what does the browser add to a request by itself?",
    ),
    "laptop": (
        "Ana has just logged in, and her laptop is stolen. At her phone she clicks log out everywhere. Five minutes "
        "later the thief goes on.",
        {JWT_COOKIE, JWT_HEADER},
        "who hears of the log-out?",
    ),
    "role": (
        "Ana is a teller no more: the bank has changed its records. With what she got five minutes ago she moves "
        "Ben's money.",
        {JWT_COOKIE, JWT_HEADER},
        "where does the service read the role?",
    ),
    "drawer": (
        "Mallory finds what Ana's browser sent last week, long ended, and reads Ana's name in it.",
        {JWT_COOKIE, JWT_HEADER},
        "what stands in it, for whoever has no key?",
    ),
    "script": (
        "A script that got into the bank's own page reads the credential and sends it to Mallory, who uses it.",
        {OPAQUE_HEADER, JWT_HEADER},
        "can the page's script read it?",
    ),
    "library": (
        "In the library Mallory copies the credential out of Ana's unlocked browser, by its developer tools, and "
        "uses it at once.",
        set(DESIGNS),
        "from whom does HttpOnly hide a cookie, and what does the service know about who brings it?",
    ),
    "rider": (
        "A script that got into the bank's own page moves Ana's money from right there.",
        set(DESIGNS),
        "must the script read the credential to use it?",
    ),
    "edit": (
        "Mallory takes a live credential of her own, and changes one character of it so that it might be Ana's.",
        set(),
        "what does the service compare it with?",
    ),
    "copy": (
        "Mallory copies all that the service keeps to check credentials, and makes one for Ana out of it.",
        set(),
        "records hashed at rest, and public keys: what can be made of them?",
    ),
    "refresh": (
        "Mallory has Ana's refresh token, and sends it to /balance as if it were the credential.",
        set(),
        "what is a refresh token to this service?",
    ),
}


def attacks_of(seed: str) -> list[dict[str, str]]:
    """The three attacks that whoever has this seed (text) is asked about: one of them is harmless."""
    draw = random.Random(f"{seed}/22.3")
    harmless = [name for name, (_, works, _) in ATTACKS.items() if not works]
    while True:
        two = draw.sample([name for name in ATTACKS if name not in harmless], 2)
        if ATTACKS[two[0]][1] != ATTACKS[two[1]][1]:
            break
    three = draw.sample([*two, draw.choice(harmless)], 3)
    return [{"attack": name, "what happens": ATTACKS[name][0]} for name in three]


WHERE = Exercise(
    "22.3",
    "Which attack works where",
    defines=("where",),
    kind="answer",
    minutes=5,
    difficulty="easy",
    hints=(
        "Ask of each attack: does it need the browser to send the credential by itself? That is a matter of the "
        "transport. Does it need the script to read it? That as well.",
        "Does it live on something that the bank knows by now, and the token does not? Then it is a matter of state, "
        "and in this table only the opaque ones have a record behind them.",
        "One of your three works nowhere: []. And some work everywhere.",
    ),
)


def judge_row(lab, number):
    """Expect that the answer says where the learner's attack with this number works."""
    name = attacks_of(lab.seed.rsplit("/", 2)[0])[number]["attack"]
    _, works, ask = ATTACKS[name]
    answer = lab.answer if isinstance(lab.answer, dict) else {}
    happened = f"the dict has {shortened(', '.join(answer) or 'nothing')}"
    lab.expect(name in answer, f"an answer about {name!r}", happened)
    given = answer[name]
    unknown = [one for one in given if one not in DESIGNS] if isinstance(given, list) else [given]
    lab.expect(not unknown, f"a list of {', '.join(DESIGNS)}", f"for {name!r} there is {unknown[:1]!r:.60}")
    happened = f"that is not where {name!r} works; your answer names {len(set(given))} of the four"
    lab.expect(set(given) == works, f"where it works, and nowhere else. {ask[0].upper()}{ask[1:]}", happened)


@WHERE.probe("Your first attack", look_at="the first row of your table")
def first(lab):
    judge_row(lab, 0)


@WHERE.probe("Your second attack", look_at="the second row of your table")
def second(lab):
    judge_row(lab, 1)


@WHERE.probe("Your third attack", look_at="the third row of your table")
def third(lab):
    judge_row(lab, 2)
