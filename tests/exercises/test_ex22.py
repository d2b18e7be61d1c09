"""Exercises 22.1 to 22.3: right answers pass, wrong ones are refused by the probe that should, and told why."""

import base64
import itertools
import json
import secrets

import pytest

from labs.auth.jwks import publish
from labs.bench import serve, skip
from labs.exercises import judge
from labs.exercises.ex22 import ATTACKS, DESIGNS, attacks_of
from labs.servers.designs import COOKIE, design

# ---- 22.1 ----------------------------------------------------------------------------------------------------

AT_ONCE = "A request goes out at once, with the token in hand"
TEN = "Ten 401s make one refresh, and all ten go out again"
DURING = "What is asked for during a refresh waits for it"
LATE = "A 401 that comes late starts no second refresh"
NO_LOOP = "No loop: a request is sent twice at most"
REFUSED = "A refresh that is refused logs out"
OUTAGE = "An outage logs nobody out"
AFTER = "A refresh that ends after the log-out brings nobody back"
ANY_ORDER = "In whatever order it happens"

STEP = """
def step(state, event):
    state = {**state, "waiting": list(state["waiting"]), "sent": dict(state["sent"])}
    kind, id = event["type"], event.get("id")

    def send(id):
        state["sent"][id] = state["sent"].get(id, 0) + 1
        return ["send", id, state["token"]]

    if kind in ("request", "unauthorized"):
        if state["token"] is None or state["sent"].get(id, 0) == 2:
            return state, [["fail", id]]
        if state["refreshing"]:
            state["waiting"].append(id)
            return state, []
        if event.get("token") == state["token"]:
            state["refreshing"] = True
            state["waiting"].append(id)
            return state, [["refresh"]]
        return state, [send(id)]
    if kind == "answered" or (kind != "logout" and not state["refreshing"]):
        return state, []
    waiting, state["waiting"], state["refreshing"] = state["waiting"], [], False
    if kind == "refreshed":
        state["token"] = event["token"]
        return state, [send(id) for id in waiting]
    failed = [["fail", id] for id in waiting]
    if kind == "unavailable":
        return state, failed
    state["token"] = None
    return state, [["logout"], *failed]
"""
BY_TYPE = """
import copy

MOST = 2

def step(state, event):
    state = copy.deepcopy(state)
    state.setdefault("tries", {})
    return state, globals()["on_" + event["type"]](state, event)

def out(state, ids):
    for id in ids:
        state["tries"][id] = state["tries"].get(id, 0) + 1
    return [("send", id, state["token"]) for id in ids]

def on_request(state, event):
    if state["token"] is None:
        return [("fail", event["id"])]
    if state["refreshing"]:
        state["waiting"].append(event["id"])
        return []
    return out(state, [event["id"]])

def on_unauthorized(state, event):
    if state["token"] is None or state["tries"][event["id"]] >= MOST:
        return [("fail", event["id"])]
    if not state["refreshing"] and event["token"] != state["token"]:
        return out(state, [event["id"]])
    state["waiting"].append(event["id"])
    if state["refreshing"]:
        return []
    state["refreshing"] = True
    return [("refresh",)]

def on_answered(state, event):
    return []

def on_refreshed(state, event):
    if not state["refreshing"]:
        return []
    state["token"], state["refreshing"] = event["token"], False
    return out(state, give_up(state))

def give_up(state):
    waiting, state["waiting"], state["refreshing"] = state["waiting"], [], False
    return waiting

def on_unavailable(state, event):
    return [("fail", id) for id in give_up(state)]

def on_logout(state, event):
    state["token"] = None
    return [("logout",)] + on_unavailable(state, event)

def on_refused(state, event):
    return on_logout(state, event) if state["refreshing"] else []
"""
STEP_RIGHT = {
    "one function a type": BY_TYPE,
    "it forgets what is answered": (
        '    if kind == "answered" or',
        '    if kind == "answered":\n        state["sent"].pop(id, None)\n    if kind == "answered" or',
    ),
    "log out comes last": ('[["logout"], *failed]', '[*failed, ["logout"]]'),
}
STEP_WRONG = {
    "every 401 refreshes": (
        [
            (
                '        if state["refreshing"]:\n            state["waiting"].append(id)\n'
                "            return state, []\n",
                '        if state["refreshing"] and kind == "request":\n            state["waiting"].append(id)\n'
                "            return state, []\n",
            )
        ],
        {TEN: "step() said: refresh"},
    ),
    "a new request goes out during a refresh": (
        (
            '        if state["refreshing"]:\n',
            '        if state["refreshing"] and kind == "unauthorized":\n',
        ),
        {DURING: "step() said: send"},
    ),
    "a 401 refreshes, whichever token it was": (
        (
            'if event.get("token") == state["token"]:',
            'if kind == "unauthorized":',
        ),
        {LATE: "step() said: refresh", ANY_ORDER: "that one is still good"},
    ),
    "the older token is looked at before the refresh": (
        (
            '        if state["refreshing"]:\n',
            '        if state["refreshing"] and event.get("token") in (None, state["token"]):\n',
        ),
        {LATE: "step() said: send"},
    ),
    "a request is sent for ever": (
        (' or state["sent"].get(id, 0) == 2', ""),
        {NO_LOOP: "step() said: refresh", ANY_ORDER: "was sent again"},
    ),
    "once refreshed is once and for all": (
        (
            ' or state["sent"].get(id, 0) == 2:',
            ' or (kind == "unauthorized" and state.setdefault("had", False)):',
        ),
        {NO_LOOP: "step() said: refresh", ANY_ORDER: "was sent again"},
    ),
    "only one 401 each, also for those that waited": (
        (
            "        return state, [send(id) for id in waiting]",
            '        state["sent"] = {id: 2 for id in waiting}\n'
            '        return state, [["send", id, state["token"]] for id in waiting]',
        ),
        {NO_LOOP: "step() said: fail", ANY_ORDER: ""},
    ),
    "an outage logs out": (
        ('    if kind == "unavailable":\n        return state, failed\n', ""),
        {OUTAGE: "logout"},
    ),
    "a refusal is an outage": (
        (
            'if kind == "unavailable":',
            'if kind in ("unavailable", "refused"):',
        ),
        {REFUSED: "step() said: fail"},
    ),
    "nobody fails what waits": (
        ('failed = [["fail", id] for id in waiting]', "failed = []"),
        {REFUSED: "said: logout", OUTAGE: "said: nothing", AFTER: "said: logout"},
    ),
    "logged out for each that waits": (
        (
            'return state, [["logout"], *failed]',
            'return state, [["logout"] for _ in failed] + failed',
        ),
        {REFUSED: "logout; logout", AFTER: "logout; logout"},
    ),
    "after the log-out it sends without a token": (
        ('state["token"] is None or state["sent"].get(id, 0) == 2', 'state["sent"].get(id, 0) == 2'),
        {REFUSED: "without a token", AFTER: "said: refresh"},
    ),
    "what is refreshed counts, logged out or not": (
        ('(kind != "logout" and not state["refreshing"])', "False"),
        {AFTER: "step() said: "},
    ),
    "it goes on refreshing after an outage": (
        (
            'waiting, state["waiting"], state["refreshing"] = state["waiting"], [], False\n'
            '    if kind == "refreshed":',
            'waiting, state["waiting"] = state["waiting"], []\n    if kind != "unavailable":\n'
            '        state["refreshing"] = False\n    if kind == "refreshed":',
        ),
        {OUTAGE: "said: nothing"},
    ),
    "it never refreshes": (
        ('            return state, [["refresh"]]', "            return state, []"),
        {TEN: "said: nothing", DURING: "said: nothing"},
    ),
    "nothing is ever sent": (
        ("        return state, [send(id)]\n", '        return state, [["fail", id]]\n'),
        {AT_ONCE: "said: fail", TEN: "said: fail", DURING: "said: fail"},
    ),
    "the request that found out is forgotten": (
        (
            '            state["refreshing"] = True\n            state["waiting"].append(id)\n',
            '            state["refreshing"] = True\n',
        ),
        {TEN: "said: send", DURING: "said: send"},
    ),
    "it changes the state that it was given": (
        (
            '    state = {**state, "waiting": list(state["waiting"]), "sent": dict(state["sent"])}\n',
            "",
        ),
        {AT_ONCE: "changed its arg", TEN: "changed", DURING: "changed"},
    ),
    "it returns only the actions": (
        ("        return state, [send(id)]\n", "        return [send(id)]\n"),
        {AT_ONCE: "return (state, actions)", TEN: "return (", DURING: "return ("},
    ),
    "the token is left out": (
        ('return ["send", id, state["token"]]', 'return ["send", id]'),
        {AT_ONCE: "which there is not", TEN: "which there", DURING: "which there"},
    ),
}

# ---- 22.2 ----------------------------------------------------------------------------------------------------

ROUND_TRIP = "What was sealed comes back, after a restart too"
READS = "Whoever reads the file does not read the token"
DIFFER = "Two seals of one token have nothing in common"
KNOWN = "Mallory's own token tells her nothing about Ana's"
TAMPERED = "What has been changed does not open"
OTHER_KEY = "Another key opens nothing"

SEAL = """
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

def seal(token, key):
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(key).encrypt(nonce, token.encode(), None)

def unseal(sealed, key):
    try:
        return AESGCM(key).decrypt(sealed[:12], sealed[12:], None).decode()
    except (InvalidTag, ValueError):
        return None
"""
FERNET = """
import base64
from cryptography.fernet import Fernet, InvalidToken

def seal(token, key):
    return Fernet(base64.urlsafe_b64encode(key)).encrypt(token.encode())

def unseal(sealed, key):
    try:
        return Fernet(base64.urlsafe_b64encode(key)).decrypt(sealed).decode()
    except InvalidToken:
        return None
"""
CTR = """
import hashlib, hmac, secrets
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

def keys(key):
    return [hmac.digest(key, name, "sha256") for name in (b"encrypt", b"authenticate")]

def crypt(data, key, nonce):
    one = Cipher(algorithms.AES(key), modes.CTR(nonce)).encryptor()
    return one.update(data) + one.finalize()

def seal(token, key):
    first, second = keys(key)
    nonce = secrets.token_bytes(16)
    body = nonce + crypt(token.encode(), first, nonce)
    return body + hmac.digest(second, body, "sha256")

def unseal(sealed, key):
    first, second = keys(key)
    body, tag = sealed[:-32], sealed[-32:]
    if len(sealed) < 48 or not hmac.compare_digest(hmac.digest(second, body, "sha256"), tag):
        return None
    return crypt(body[16:], first, body[:16]).decode()
"""
SEAL_RIGHT = {
    "Fernet": FERNET,
    "AES-CTR with an HMAC": CTR,
    "ChaCha20-Poly1305": ("AESGCM", "ChaCha20Poly1305"),
}
PLAIN = """
def seal(token, key):
    return token.encode()

def unseal(sealed, key):
    return sealed.decode("utf-8", "replace")
"""
ENCODED = """
import base64, hmac

def seal(token, key):
    return hmac.digest(key, token.encode(), "sha256") + base64.b64encode(token.encode())

def unseal(sealed, key):
    try:
        token = base64.b64decode(sealed[32:], validate=True)
        same = hmac.compare_digest(hmac.digest(key, token, "sha256") + base64.b64encode(token), sealed)
        return token.decode() if same else None
    except ValueError:
        return None
"""
PAD_GOES_ALONG = """
import hmac, secrets

def xor(one, other):
    return bytes(a ^ b for a, b in zip(one, other))

def seal(token, key):
    pad = secrets.token_bytes(len(token.encode()))
    body = pad + xor(pad, token.encode())
    return hmac.digest(key, body, "sha256") + body

def unseal(sealed, key):
    tag, body = sealed[:32], sealed[32:]
    half = len(body) // 2
    same = hmac.compare_digest(hmac.digest(key, body, "sha256"), tag)
    return xor(body[:half], body[half:]).decode() if same else None
"""
IN_MEMORY = """
import secrets
kept = {}

def seal(token, key):
    name = secrets.token_bytes(32)
    kept[name, key] = token
    return name

def unseal(sealed, key):
    return kept.get((sealed, key))
"""
SEAL_WRONG = {
    "as it is": (
        PLAIN,
        {READS: "as it is", DIFFER: "same", KNOWN: "she reads", TAMPERED: "unseal() gave", OTHER_KEY: "another"},
    ),
    "base64, signed": (ENCODED, {READS: "as base64", DIFFER: "the same bytes"}),
    "a pad that goes along": (PAD_GOES_ALONG, {READS: "after XOR with what stands 43 bytes further"}),
    "in memory": (IN_MEMORY, {ROUND_TRIP: "unseal() made None"}),
    "one nonce for all": (
        (
            "secrets.token_bytes(12)",
            'b"fernbank nce"',
        ),
        {DIFFER: "the same bytes", KNOWN: "so she reads"},
    ),
    "a nonce from the key": (
        (
            "nonce = secrets.token_bytes(12)",
            "nonce = key[:12]",
        ),
        {DIFFER: "the same bytes", KNOWN: "so she reads"},
    ),
    "a new nonce that is not used": (
        [
            ("return nonce + AESGCM(key).encrypt(nonce,", 'return nonce + AESGCM(key).encrypt(b"0" * 12,'),
            ("decrypt(sealed[:12]", 'decrypt(b"0" * 12'),
        ],
        {DIFFER: "bytes are the same", KNOWN: "so she reads", TAMPERED: "byte 0"},
    ),
    "encrypted, and not authenticated": (
        CTR.replace(' or not hmac.compare_digest(hmac.digest(second, body, "sha256"), tag)', "").replace(
            ".decode()", '.decode("utf-8", "replace")'
        ),
        {TAMPERED: "unseal() gave", OTHER_KEY: "unseal() gave"},
    ),
    "the error comes through": (
        ("    except (InvalidTag, ValueError):\n        return None", "    finally:\n        pass"),
        {TAMPERED: "raised InvalidTag", OTHER_KEY: "raised InvalidTag"},
    ),
    "an empty text for what does not open": (
        ("        return None", '        return ""'),
        {TAMPERED: "gave ''", OTHER_KEY: "gave ''"},
    ),
    "half the key": (
        ("AESGCM(key)", "AESGCM(key[:16])"),
        {OTHER_KEY: "a key that differs by one bit"},
    ),
    "a key of its own": (
        ("AESGCM(key)", 'AESGCM(b"fernbank" * 4)'),
        {OTHER_KEY: "with another key"},
    ),
    "the key goes along": (
        [
            ("return nonce + AESGCM(key).encrypt(nonce,", "return key + nonce + AESGCM(key).encrypt(nonce,"),
            ("decrypt(sealed[:12], sealed[12:],", "decrypt(sealed[32:44], sealed[44:],"),
        ],
        {READS: "the key stands there", TAMPERED: "byte 0"},
    ),
    "text instead of bytes": (
        ("return nonce + AESGCM(key).encrypt(nonce, token.encode(), None)", "return token[::-1]"),
        {ROUND_TRIP: "return bytes"},
    ),
}


TABLE = {
    "22.1": (STEP, STEP_RIGHT, STEP_WRONG),
    "22.2": (SEAL, SEAL_RIGHT, SEAL_WRONG),
}


def test_the_story_is_told():
    report = judge("22.1", STEP.replace(' or state["sent"].get(id, 0) == 2', ""))
    [verdict] = [one for one in report.verdicts if one.probe == NO_LOOP]
    assert "unauthorized r1 " in verdict.exchange
    assert verdict.exchange.rstrip().endswith("refresh")


# ---- 22.3 ----------------------------------------------------------------------------------------------------

TRUE = {name: sorted(works) for name, (_, works, _) in ATTACKS.items()}
SEEDS = [f"seed {n}" for n in range(200)]


class Design:
    """One of the four designs, running, with Ana and Mallory logged in; each attack says whether it works here."""

    def __init__(self, name):
        format, self.transport = name.split("+")
        self.site = serve(design(format, self.transport, "record" if format == "opaque" else "none"))
        self.ana, self.mallory = self.site.visitor("ana"), self.site.visitor("mallory")
        self.anas, self.mallorys = self.log_in(self.ana), self.log_in(self.mallory)

    def log_in(self, visitor):
        answer = visitor.login(visitor.name, self.site.password_of(visitor.name))
        return visitor.cookies[COOKIE.name] if self.transport == "cookie" else answer.json()["token"]

    def brings(self, token):
        if self.transport == "cookie":
            return {"Cookie": f"{COOKIE.name}={token}"}
        return {"Authorization": f"Bearer {token}"}

    def lost(self, token):
        """Whether Mallory reads Ana's balance with this credential."""
        self.site.record.clear()
        self.mallory.get("/balance", headers=self.brings(token))
        return bool(self.site.record.lost("ana"))

    def order(self, **how):
        """Whether an order to pay Mallory is carried out."""
        return self.ana.post("/transfer", **how).status == 200

    def advert(self):
        return self.order(form={"to": "mallory", "amount": "1"})  # the jar adds the cookies, as the browser does

    def laptop(self):
        self.ana.post("/logout", headers=self.brings(self.anas))  # of this one log-in: the only one that there is
        skip(minutes=5)
        return self.lost(self.anas)

    def role(self):
        self.site.app.roles["ana"] = ["teller"]
        token = self.log_in(self.ana)
        self.site.app.roles.clear()
        skip(minutes=5)
        return self.order(json={"from": "ben", "to": "mallory", "amount": 1}, headers=self.brings(token))

    def drawer(self):
        skip(days=7)
        assert not self.lost(self.anas)
        return any(b'"ana"' in base64.urlsafe_b64decode(part + "===") for part in self.anas.split("."))

    def script(self):
        readable = [one.value for one in self.ana.cookies.records() if not one.http_only]
        readable += [self.anas] if self.transport == "header" else []  # the script of the page keeps it
        return any(self.lost(one) for one in readable)

    def library(self):
        return self.lost(self.anas)

    def rider(self):
        own = self.brings(self.anas) if self.transport == "header" else {}  # what the page's script sets
        return self.order(json={"to": "mallory", "amount": 1}, headers=own)

    def edit(self):
        mine = self.mallorys
        changed = [mine[:n] + ("B" if mine[n] == "A" else "A") + mine[n + 1 :] for n in range(0, len(mine), 7)]
        if mine.count(".") == 2:
            header, payload, signature = mine.split(".")
            payload = base64.urlsafe_b64decode(payload + "===").replace(b'"mallory"', b'"ana"')
            changed.append(f"{header}.{base64.urlsafe_b64encode(payload).decode().rstrip('=')}.{signature}")
        return any(self.lost(one) for one in changed)

    def copy(self):
        app = self.site.app
        kept = [*app.records.live, *(json.dumps(one) for one in public_keys(app.credentials))]
        return any(self.lost(one.replace('"', "")) for one in kept)

    def refresh(self):
        return self.lost(secrets.token_urlsafe(32))  # opaque, and of identity: to this service it is any text


def public_keys(credentials):
    policy = getattr(credentials, "_policy", None)
    return publish(policy.keys)["keys"] if policy else []


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("where", DESIGNS)
def test_each_attack_works_where_the_exercise_says_so(where, attack):
    there = Design(where)
    try:
        assert getattr(there, attack)() == (where in ATTACKS[attack][1])
    finally:
        there.site.stop()


@pytest.mark.parametrize("seed", SEEDS[:20])
def test_three_rows_are_drawn_and_one_is_harmless(seed):
    drawn = [row["attack"] for row in attacks_of(seed)]
    assert drawn == [row["attack"] for row in attacks_of(seed)]
    truths = [TRUE[name] for name in drawn]
    assert truths.count([]) == 1
    assert len({*map(tuple, truths)}) == 3


def test_every_attack_and_every_place_is_drawn():
    drawn = [[row["attack"] for row in attacks_of(seed)] for seed in SEEDS]
    assert {name for three in drawn for name in three} == set(ATTACKS)
    assert {[TRUE[name] for name in three].index([]) for three in drawn} == {0, 1, 2}


def handed_in(answer, seed="fernbank"):
    """The report about an answer, in both forms that it may have: data, and a function that returns it."""
    one = judge("22.3", answer=answer, seed=seed)
    other = judge("22.3", f"def where():\n    return {answer!r}\n", seed=seed)
    assert (one.status, one.points) == (other.status, other.points)
    return one


@pytest.mark.parametrize("seed", SEEDS[:5])
def test_the_truth_passes_in_any_order(seed):
    assert handed_in(TRUE, seed).passed
    mine = {row["attack"]: list(reversed(TRUE[row["attack"]])) * 2 for row in attacks_of(seed)}
    assert handed_in(mine, seed).passed


def test_nothing_that_is_the_same_for_all_three_passes():
    for size in range(5):
        for cells in itertools.combinations(DESIGNS, size):
            report = handed_in(dict.fromkeys(ATTACKS, list(cells)))
            assert report.points <= 1


@pytest.mark.parametrize("number", range(3))
def test_each_row_is_looked_at(number):
    name = attacks_of("fernbank")[number]["attack"]
    for size in range(5):
        for cells in itertools.combinations(DESIGNS, size):
            report = handed_in({**TRUE, name: list(cells)})
            right = sorted(cells) == TRUE[name]
            assert [one.passed for one in report.verdicts] == [right or n != number for n in range(3)]
            assert right or report.verdicts[number].happened.startswith(f"that is not where '{name}' works")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({}, "the dict has nothing"),
        ({"theft": []}, "the dict has theft"),
        ([], "the dict has nothing"),
        (dict.fromkeys(ATTACKS, "jwt+cookie"), "there is ['jwt+cookie']"),
        (dict.fromkeys(ATTACKS, ["cookie"]), "there is ['cookie']"),
        (dict.fromkeys(ATTACKS, [["jwt+cookie"]]), "there is [['jwt+cookie']]"),
        (dict.fromkeys(ATTACKS), "there is [None]"),
        (dict.fromkeys(ATTACKS, {"jwt+cookie": True}), "there is [{'jwt+cookie': True}]"),
    ],
)
def test_another_form_is_said(answer, said):
    report = handed_in(answer)
    assert report.points == 0
    assert said in report.verdicts[0].happened


def test_no_verdict_gives_the_answer_away():
    for verdict in handed_in(dict.fromkeys(ATTACKS, ["jwt+cookie", "opaque+header"])).verdicts:
        assert not any(one in verdict.expected + verdict.happened for one in DESIGNS)


def test_nothing_handed_in_is_not_attempted():
    assert judge("22.3", answer=None).status == "not attempted"
    assert judge("22.3", "def where():\n    raise NotImplementedError").status == "not attempted"
