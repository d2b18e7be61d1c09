"""Exercises of lesson 31, Attacking tokens: header and keys."""

import base64
import json
import posixpath
import sqlite3
from dataclasses import replace

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from labs.auth import base64url, jws, tokens
from labs.auth.algorithms import sign
from labs.auth.keys import Key, KeySet
from labs.auth.token_errors import BadSignature, TokenRefused
from labs.servers import Books, accounts, customers
from labs.servers.flaws import tokens as flaws
from labs.servers.flaws.token_bank import key_folder

from .exercise import BASICS, Exercise
from .lab import FAST
from .mint import GONE, Mint, changed, compact, damaged, jwk, mac, public_texts
from .process import LearnerError

MOST = 60  # requests of one attack

# ---- what all of them share ------------------------------------------------------------------------------------


def served(lab):
    """The accounts service that a Branch has opened."""
    return lab.app


class Branch:
    """An accounts service with its issuer: a policy and keys of this probe's own, and `verify(token)` for a gate."""

    def __init__(self, lab, *algs: str):
        self.lab, self.random = lab, lab.random
        self.issuer = f"https://id-{lab.random.randrange(10_000)}.fernbank.example"
        mint = Mint(lab.random)
        self.keys = [mint.key(alg, issuer=self.issuer) for alg in algs]
        trusted = KeySet(key if key.alg == "HS256" else key.public() for key in self.keys)
        typ = lab.random.choice(["at+jwt", "fern+jwt", "counter+jwt"])
        audience = f"accounts-{lab.random.randrange(100)}"
        self.policy = tokens.Policy(self.issuer, audience, trusted, typ=typ, leeway=5)

    def open(self, verify) -> "Branch":
        """Serve accounts with this verifier, in the place of what was served before. Returns itself."""
        lab = self.lab
        lab.app = lab.guard(accounts(Books(customers(lab.seed), FAST, lambda: lab.now), verify))
        lab.fresh_site()
        return self

    def claims(self, user: str) -> dict:
        """What an honest access token says now; each has a claim that no other has."""
        now = int(self.lab.now)
        return {
            "iss": self.issuer, "sub": user, "aud": self.policy.audience, "iat": now - self.random.randrange(60),
            "exp": now + self.random.randrange(60, 600), "jti": f"{self.random.getrandbits(64):016x}",
            f"fern_{self.random.randrange(1000)}": self.random.randrange(1000),
        }  # fmt: skip

    def header(self, key: Key, **changes) -> dict:
        """The header of an honest token, with changes; GONE takes a member out."""
        return changed({"alg": key.alg, "typ": self.policy.typ, "kid": key.kid}, changes)

    def token(self, user: str, key: Key | None = None) -> str:
        """An honest access token."""
        key = key or self.keys[0]
        return compact(self.header(key), self.claims(user), key)

    def forged(self, signer, key: Key | None = None, **changes) -> str:
        """A token about Ana with changes to its header, signed by a function, or by a key of Mallory's."""
        return compact(self.header(key or self.keys[0], **changes), self.claims("ana"), signer)

    def rule(self) -> flaws.Verifier:
        """The verifier that holds."""
        return flaws.Verifier(self.policy, lambda: self.lab.now)

    def asks(self, user: str, token: str):
        """The Response to GET /balance with this token."""
        header = {"Authorization": f"Bearer {token}"}
        response = self.lab.site.visitor(user).get("/balance", headers=header)
        self.lab.last = response.exchange
        self.lab.raise_learner_error()
        return response

    def serves(self, user: str, token: str, what: str) -> None:
        """Expect that a customer gets in."""
        answer = self.asks(user, token)
        happened = self.lab.answered(answer)
        self.lab.expect(answer.status == 200, f"{user.title()} is served, with {what}", happened, answer.exchange)

    def looks(self, token: str, what: str) -> None:
        """Expect that an honest token with one bit of its signature changed is refused.

        Each customer is followed by one: who lets everybody in serves nobody.
        """
        self.holds(damaged(token, self.random), f"{what} is refused when one bit of its signature has changed")

    def holds(self, token: str, because: str) -> None:
        """Mallory presents a token about Ana; expect that Ana loses nothing."""
        self.asks("mallory", token)
        self.lab.safe("ana", because)


def unsigned(data: bytes) -> bytes:
    """No signature at all."""
    return b""


def attacked(lab, branch: Branch, name: str, *told) -> tuple[str, object]:
    """Run the learner's attack `name(sample, victim, *told, http)`. Returns the victim, and what it gave."""
    victim = lab.random.choice(["ana", "ben"])
    given = lab.call(name, branch.token("mallory"), victim, *told, lab.http("mallory"))
    sent = len(lab.site.log)
    lab.expect(sent <= MOST, f"at most {MOST} requests", f"{name}() sent {sent}", lab.last)
    lab.raise_learner_error()
    return victim, given


def falls(lab, branch: Branch, name: str, what: str, *told) -> None:
    """Expect that the attack reads the victim's balance, and returns it."""
    victim, given = attacked(lab, branch, name, *told)
    lost = lab.site.record.lost(victim)
    happened = "the bank's record holds no loss"
    lab.expect(bool(lost), f"{what}: Mallory reads {victim}'s balance", happened, lab.last)
    balance = lab.site.app.books.ledger.balance(victim)
    right = type(given) is int and given == balance
    lab.expect(right, f"the balance of {victim}, {balance}", f"{name}() gave {given!r:.80}", lab.last)


def stands(lab, branch: Branch, name: str, *told) -> None:
    """Expect None from the attack on the verifier that holds; and that it was tried there."""
    victim, given = attacked(lab, branch.open(branch.rule()), name, *told)
    lab.expect(bool(lab.site.log), "the attack is tried, with a request", f"{name}() sent nothing")
    lab.safe(victim, "this bank is not the one with the flaw")
    lab.expect(given is None, "None: the bank did not let Mallory in", f"{name}() gave {given!r:.80}", lab.last)


# ---- 31.1 ----------------------------------------------------------------------------------------------------

FORGE_NONE = Exercise(
    "31.1",
    "Forge: no signature",
    defines=("forge_none",),
    minutes=7,
    difficulty="easy",
    kind="attack",
    imports=BASICS | {"itertools"},
    mount=served,
    hints=(
        "`header, payload, _ = sample.split('.')`. Decode both with base64url and JSON, change `alg` and `sub`, and "
        "write them again. The token is `header.payload.`, with the last dot and nothing behind it.",
        "Padding: `base64.urlsafe_b64decode(part + '=' * (-len(part) % 4))`, and `.rstrip(b'=')` on the way back.",
        "Four letters, each small or capital: 16 ways. `itertools.product(*zip('none', 'NONE'))` gives the letters "
        "of each of them; `''.join(...)` makes it a word.",
    ),
)

WAYS = ["".join(c.upper() if n >> i & 1 else c for i, c in enumerate("none")) for n in range(16)]


class TakesOne(flaws.Verifier):
    """Believes that a token is not signed when its alg is one spelling of `none`."""

    def __init__(self, branch: Branch, spelling: str):
        super().__init__(branch.policy, lambda: branch.lab.now)
        self._spelling = spelling

    def proven(self, parts):
        if parts.header.get("alg") == self._spelling and not parts.signature:
            return parts.payload  # VULNERABLE: the token says that it is not signed (RFC 8725 §3.1)
        return super().proven(parts)


@FORGE_NONE.customer("A bank that believes none falls", look_at="the three parts of your token, one by one")
def none_falls(lab):
    for alg in ("ES256", "HS256"):
        branch = Branch(lab, alg)
        falls(lab, branch.open(TakesOne(branch, "none")), "forge_none", "a token that says none")


@FORGE_NONE.probe("A bank that has banned all spellings but one falls", look_at="how many ways to write it you try")
def spelling_falls(lab):
    rare = [way for way in WAYS[1:] if way not in ("None", "NONE", "nOnE", "NoNe")]
    for spelling in lab.random.sample(rare, 2):
        branch = Branch(lab, "ES256")
        falls(lab, branch.open(TakesOne(branch, spelling)), "forge_none", f"a token that says {spelling}")


@FORGE_NONE.probe("A bank where the key decides holds: None", look_at="the status of the answers")
def none_stands(lab):
    stands(lab, Branch(lab, "EdDSA"), "forge_none")


# ---- 31.2 ----------------------------------------------------------------------------------------------------

FORGE_CONFUSED = Exercise(
    "31.2",
    "Forge: a public secret",
    defines=("forge_confused",),
    minutes=8,
    difficulty="medium",
    kind="attack",
    mount=served,
    hints=(
        "Header: `alg` is HS256. What is signed: the two first parts with the dot between them, as bytes. The "
        "signature: `hmac.digest(secret, signed, 'sha256')`, in base64url.",
        "First secret: `pem.encode()`, every byte of it. The second: the same without white space at its end.",
        "DER is what the lines between BEGIN and END say, in ordinary base64: "
        "`base64.b64decode(''.join(pem.strip().splitlines()[1:-1]))`.",
    ),
)

FORMS = {
    "the text as it is": lambda pem: pem,
    "the text without its last newline": bytes.strip,
    "the DER": lambda pem: base64.b64decode(b"".join(pem.strip().split(b"\n")[1:-1])),
}


class Confused(flaws.Verifier):
    """Checks HS256 when the header says so, with its public key in one form as the secret."""

    def __init__(self, branch: Branch, form: str):
        super().__init__(branch.policy, lambda: branch.lab.now)
        self._form = FORMS[form]

    def proven(self, parts):
        if parts.header.get("alg") != "HS256":
            return super().proven(parts)
        # VULNERABLE: a key for another algorithm is used as a secret (CVE-2015-9235)
        return flaws._with_secret(parts, self._form(pem_of(self.find_key(parts.header)).encode()))


def pem_of(key: Key) -> str:
    """The public half of a key, as text."""
    return key.verifies.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def confused_falls(lab, alg: str, form: str) -> None:
    branch = Branch(lab, alg)
    branch.open(Confused(branch, form))
    falls(lab, branch, "forge_confused", f"an HMAC with {form} for a secret", pem_of(branch.keys[0]))


@FORGE_CONFUSED.customer("A bank whose secret is the PEM's text falls", look_at="which bytes are signed, with what")
def pem_falls(lab):
    for alg in ("ES256", "RS256"):
        confused_falls(lab, alg, "the text as it is")


@FORGE_CONFUSED.probe("A bank that keeps its key in another form falls", look_at="the three forms on the page")
def forms_fall(lab):
    for form in lab.random.sample([*FORMS][1:], 2):
        confused_falls(lab, lab.random.choice(["ES256", "EdDSA"]), form)


@FORGE_CONFUSED.probe("A bank where the key decides holds: None", look_at="the status of the answers")
def confusion_stands(lab):
    branch = Branch(lab, "ES256")
    stands(lab, branch, "forge_confused", pem_of(branch.keys[0]))


# ---- 31.3 ----------------------------------------------------------------------------------------------------

FORGE_KID = Exercise(
    "31.3",
    "Forge: a key that you know",
    defines=("forge_kid",),
    minutes=8,
    difficulty="medium",
    kind="attack",
    mount=served,
    hints=(
        "Two things change in the header: `kid`, and with it the secret. HS256 stays. Begin with `../../dev/null`: "
        "how many `../` lead up to the root? More than enough do no harm. The secret is `b''`.",
        "`....//` without the `../` in its middle is `../`.",
        "SQL: your `kid` ends the text with a quote, adds `UNION SELECT 'a text'`, and makes the rest a comment "
        "with `--`. The secret is that text.",
    ),
)


class ReadsFile(flaws.KidIsPath):
    """Reads the secret from folder and kid, put together as text; `clean` is done to the kid first."""

    def __init__(self, branch: Branch, clean=lambda kid: kid):
        folder = key_folder(branch.policy)
        levels = branch.random.randrange(8, 12) - (len(folder.parts) - 1)  # wherever this machine has its /tmp
        deep = folder.joinpath(*["keys"] * max(1, levels))
        deep.mkdir(parents=True)
        for key in branch.keys:
            (deep / key.kid).write_bytes(key.verifies)
        super().__init__(branch.policy, deep, lambda: branch.lab.now)
        self._clean = clean

    def _file(self, kid):
        return type(self._folder)(f"{self._folder}/{self._clean(kid)}")  # VULNERABLE: `../` leads out (CWE-22)


@FORGE_KID.customer("A bank that makes a path of the kid falls", look_at="how many `../` it has; the secret")
def path_falls(lab):
    branch = Branch(lab, "HS256")
    falls(lab, branch.open(ReadsFile(branch)), "forge_kid", "a kid that leads to /dev/null")


@FORGE_KID.probe("A bank that takes every ../ out of it falls", look_at="what is left of `....//`")
def cleaned_path_falls(lab):
    branch = Branch(lab, "HS256")
    branch.open(ReadsFile(branch, lambda kid: kid.replace("../", "")))
    falls(lab, branch, "forge_kid", "a kid that leads to /dev/null once each ../ is gone")


@FORGE_KID.probe("A bank that makes SQL of the kid falls", look_at="the whole statement, with your kid in it")
def query_falls(lab):
    branch = Branch(lab, "HS256")
    branch.open(flaws.KidInQuery(branch.policy, branch.keys, lambda: lab.now))
    falls(lab, branch, "forge_kid", "a kid that brings its secret along")


@FORGE_KID.probe("A bank that looks the kid up holds: None", look_at="the status of the answers")
def kid_stands(lab):
    stands(lab, Branch(lab, "HS256"), "forge_kid")


# ---- 31.4 ----------------------------------------------------------------------------------------------------


class Payloads(flaws.Verifier):
    """The learner's payload(token, secret), and then the rule for the claims."""

    def __init__(self, branch: Branch):
        super().__init__(branch.policy, lambda: branch.lab.now)
        self._lab, self._secret = branch.lab, branch.keys[0].verifies

    def __call__(self, token):
        given = self._lab.call("payload", token, self._secret)
        if given is None:
            raise TokenRefused("payload() gave None.")
        if type(given) is not bytes:
            raise LearnerError(f"your payload returned {given!r:.60}: it should return bytes or None")
        return self.believed(jws.read(token).header, given)


MEND_NONE = Exercise(
    "31.4",
    "Mend: no signature",
    defines=("payload",),
    minutes=7,
    difficulty="easy",
    imports=BASICS | {"binascii"},
    mount=served,
    hints=(
        "Do not ask which words are bad. There is one that is good: HS256. Ask for that, and refuse all else.",
        'What a header says may have any type: `header.get("alg") != "HS256"` is right for all of them, '
        "`alg.lower()` is not. And the header itself may be a list: ask `isinstance(header, dict)`.",
        "Then the signature, always: `hmac.compare_digest(mac, signature)`, both bytes. What cannot be split, "
        "decoded or read raises ValueError (binascii.Error and JSONDecodeError are ones), or RecursionError when it "
        "is nested too deep: one `except` takes them.",
    ),
)


def mended(lab) -> Branch:
    """A branch on HS256 with the learner's payload()."""
    branch = Branch(lab, "HS256")
    return branch.open(Payloads(branch))


@MEND_NONE.customer("Honest tokens are accepted, damaged ones are not", look_at="what payload() gives, and when")
def honest_payloads(lab):
    branch = mended(lab)
    for user in ("ana", "ben", "ana"):
        token = branch.token(user)
        branch.serves(user, token, "an honest token")
        branch.looks(token, "that token")
    branch.looks(branch.token("ana"), "a token")
    key = branch.keys[0]
    for header in (branch.header(key, jku="https://mallory.example"), dict(reversed(branch.header(key).items()))):
        spaced = json.dumps(header, indent=lab.random.choice([None, 2])).encode()
        branch.serves("ben", compact(spaced, branch.claims("ben"), key), "an honest token in other clothes")


@MEND_NONE.probe("A token that says none is refused", look_at="what happens when alg is none")
def refuses_none(lab):
    branch = mended(lab)
    branch.holds(branch.forged(unsigned, alg="none"), "a token without a signature is nobody's")
    branch.holds(branch.forged(mac(b""), alg="none"), "whatever stands in the third part")


@MEND_NONE.probe("And so is every other alg than HS256", points=2, look_at="whether your list is one of good words")
def refuses_spellings(lab):
    branch = mended(lab)
    others = [*WAYS[1:], "", " ", "none ", " none", "\tnone", "n0ne", "null", "plain", "hs256", "HS256 ", "HS384",
              GONE, None, False, 0, [], {}, ["none"], ["HS256"], {"HS256": 1}, "ＨＳ256", "ｎone", "*"]  # fmt: skip
    for alg in lab.random.sample(others, len(others)):
        said = "no alg" if alg is GONE else f"alg {alg!r}"
        branch.holds(branch.forged(unsigned, alg=alg), f"a token that says {said} is not signed, and refused")
        given = lab.call("payload", branch.forged(branch.keys[0], alg=alg), branch.keys[0].verifies)
        lab.expect(given is None, f"None for {said}, whatever has signed it", f"payload() gave {given!r:.80}")
    for more in ({"jwk": {"alg": "HS256"}}, {"note": '"alg": "HS256"'}, {"Alg": "HS256"}):
        given = lab.call("payload", branch.forged(branch.keys[0], alg="none", **more), branch.keys[0].verifies)
        lab.expect(given is None, f"None for alg 'none' beside {more}", f"payload() gave {given!r:.80}")


@MEND_NONE.probe("HS256 without a good signature is refused", look_at="the signature, when alg is HS256")
def refuses_unsigned(lab):
    branch = mended(lab)
    secret, because = branch.keys[0].verifies, "HS256 takes a signature that the secret made"
    for signer in (unsigned, mac(b""), mac(lab.random.randbytes(32)), lambda data: bytes(32),
                   lambda data: mac(secret)(data)[: lab.random.randrange(1, 32)],
                   lambda data: mac(secret)(data.partition(b".")[2])):  # fmt: skip
        branch.holds(branch.forged(signer), because)
    sample = branch.token("mallory")
    branch.serves("mallory", sample, "an honest token")
    head, _, signature = sample.split(".")
    claims = base64url.encode(json.dumps(branch.claims("ana")).encode())
    branch.holds(f"{head}.{claims}.{signature}", "Mallory's own signature is not one of other claims")


@MEND_NONE.probe("What is no token is None, never an error", look_at="parts that are missing, or cannot be decoded")
def odd_tokens(lab):
    branch = mended(lab)
    secret, honest = branch.keys[0].verifies, branch.token("ana")
    head, claims, signature = honest.split(".")
    listed = compact([], branch.claims("ana"), mac(secret))
    deep = base64url.encode(b'["HS256"]')
    for odd in ("", ".", "..", head, f"{head}.{claims}", f"{honest}.", f"{honest}.x", f"a.{claims}.{signature}",
                "é.é.é", f"{head}.{claims}.é", listed, f"{deep}.{claims}.", f"{base64url.encode(b'null')}.{claims}.",
                f"{base64url.encode(bytes([255]))}.{claims}.", f"{base64url.encode(b'[' * 100_000)}.{claims}.",
                "\ud800.\ud800.\ud800", f"{honest[:-1]}\ud800"):  # fmt: skip
        given = lab.call("payload", odd, secret)
        lab.expect(given is None, f"None for {odd[:60]!r}", f"payload() gave {given!r:.80}")


# ---- 31.5 ----------------------------------------------------------------------------------------------------


class Goods(flaws.Verifier):
    """The learner's good(alg, signed, signature, key), with the key that the kid names, and then the rule."""

    def __init__(self, branch: Branch):
        super().__init__(branch.policy, lambda: branch.lab.now)
        self._lab = branch.lab

    def proven(self, parts):
        found = self.find_key(parts.header)
        told = {"alg": found.alg, "text": text_of(found)}
        given = self._lab.call("good", parts.header.get("alg"), parts.signed, parts.signature, told)
        if type(given) is not bool:
            raise LearnerError(f"your good returned {given!r:.60}: it should return True or False")
        if not given:
            raise BadSignature("good() gave False.")
        return parts.payload


def text_of(key: Key) -> str:
    """A key as this bank keeps it, as text: a secret as it is, an RSA key as PEM, an elliptic one as a JWK."""
    match key.alg:
        case "HS256":
            return key.verifies.decode()
        case "RS256":
            return pem_of(key)
        case _:
            return json.dumps(jwk(key))


def in_words(key: Key) -> Key:
    """A key of HS256 whose secret is text."""
    secret = key.verifies.hex().encode()
    return replace(key, verifies=secret, signs=secret)


MEND_CONFUSION = Exercise(
    "31.5",
    "Mend: a public secret",
    defines=("good",),
    minutes=7,
    difficulty="easy",
    imports=BASICS | {"cryptography"},
    mount=served,
    hints=(
        "Where does the decision come from, in the code of the page? From `alg`, which Mallory wrote. The bank's own "
        "word is `key['alg']`.",
        "`if alg != key['alg']: return False`. It does not matter what the text of the key looks like.",
        "A check that cannot even be computed is not good: False, and no error. Look at what `rsa_good` and "
        "`ec_good` do with a signature that is too short.",
    ),
)


def mixed(lab) -> Branch:
    """A branch with three keys, the first of which is HS256, and the learner's good()."""
    branch = Branch(lab, "HS256", "RS256", "ES256")
    branch.keys[0] = in_words(branch.keys[0])
    trusted = KeySet([branch.keys[0], *(key.public() for key in branch.keys[1:])])
    branch.policy = replace(branch.policy, keys=trusted)
    return branch.open(Goods(branch))


@MEND_CONFUSION.customer("Honest tokens of all keys are accepted, damaged ones are not", look_at="the three checks")
def honest_goods(lab):
    branch = mixed(lab)
    for key in lab.random.sample(branch.keys, 3):
        for user in ("ben", "ana"):
            token = branch.token(user, key)
            branch.serves(user, token, f"an honest token of {key.alg}")
        branch.looks(branch.token("ana", key), f"a token of {key.alg}")
        branch.looks(token, f"that token of {key.alg}")


@MEND_CONFUSION.probe("The PEM of the RSA key is no secret", look_at="who says which algorithm it is")
def refuses_pem(lab):
    branch = mixed(lab)
    for what, secret in public_texts(branch.keys[1]):
        forged = branch.forged(mac(secret), branch.keys[1], alg="HS256")
        branch.holds(forged, f"{what} of the RSA key is known to all, and no secret")


@MEND_CONFUSION.probe("Nor is the text of the other key", points=2, look_at="keys whose text is no PEM")
def refuses_jwk(lab):
    branch = mixed(lab)
    key = branch.keys[2]
    for secret in (text_of(key).encode(), *(secret for _, secret in public_texts(key))):
        forged = branch.forged(mac(secret), key, alg="HS256")
        branch.holds(forged, "what the bank knows of the ES256 key, everybody knows")
    signed = lab.random.randbytes(40)
    for text in ('{"k": "a secret that looks like a JWK"}', "-----BEGIN SECRET-----\nabc\n", '"', "é"):
        told, signature = {"alg": "HS256", "text": text}, mac(text.encode())(signed)
        given = lab.call("good", "HS256", signed, signature, told)
        because = f"True: the secret of this key is {text!r}, whatever that looks like"
        lab.expect(given is True, because, f"good() gave {given!r:.60}")


@MEND_CONFUSION.probe("Another alg than the key's is False, never an error", look_at="alg and key that do not fit")
def other_algs(lab):
    branch = mixed(lab)
    odd = ["none", "nOnE", "", "hs256", "HS256 ", "HS384", "RS512", "PS256", None, 0, True, [], ["RS256"], {"alg": 1}]
    signed = lab.random.randbytes(40)
    for key in branch.keys:
        good = sign(key.alg, key.signs, signed)
        told = {"alg": key.alg, "text": text_of(key)}
        others = [alg for alg in ("HS256", "RS256", "ES256") if alg != key.alg]
        for alg in lab.random.sample([*odd, *others], len(odd) + 2):
            for signature in (good, b"", bytes(64)):
                given = lab.call("good", alg, signed, signature, told)
                because = f"False: the header says {alg!r}, the key is for {key.alg}"
                lab.expect(given is False, because, f"good() gave {given!r:.60}")


@MEND_CONFUSION.probe("A bad signature is False, never an error", look_at="what the three checks raise")
def bad_signatures(lab):
    branch = mixed(lab)
    signed = lab.random.randbytes(40)
    for key in branch.keys:
        good = sign(key.alg, key.signs, signed)
        told = {"alg": key.alg, "text": text_of(key)}
        place = lab.random.randrange(len(good))
        flipped = good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]
        zeros = (bytes(len(good)), bytes(64))
        accepted = [lab.call("good", key.alg, data, good, told) for data in (signed, signed[:-1], b"")]
        because = f"True, and False for what else has this signature of {key.alg}"
        lab.expect(accepted == [True, False, False], because, f"good() gave {accepted!r:.60}")
        for signature in (b"", b"\0", good[:-1], good + b"\0", *zeros, flipped, good.hex().encode()):
            given = lab.call("good", key.alg, signed, signature, told)
            lab.expect(given is False, f"False: it is no signature of {key.alg}", f"good() gave {given!r:.60}")


# ---- 31.6 ----------------------------------------------------------------------------------------------------


class Files:
    """A machine's files: secrets in keys/, retired ones in keys/old/, and what everybody knows, in keys/ too."""

    def __init__(self, branch: Branch):
        random = branch.random
        self.style = f"body {{ color: #{random.getrandbits(24):06x} }}".encode()
        self.retired = f"reed-{random.randrange(2000, 2020)}"
        self.leaked = random.randbytes(32)
        number = random.randrange(100)
        self.lies_about = [f"read{number}.txt", f"für-ana-{number}", f"todo-{number}\n", f"todo-{number}~"]
        self.files = {
            "/bank/public/style.css": self.style,
            f"/bank/keys/old/{self.retired}": self.leaked,
            "/dev/null": b"",
        } | {f"/bank/keys/{name}": self.style for name in self.lies_about}
        self.files |= {f"/bank/keys/{key.kid}": key.verifies for key in branch.keys}

    def read(self, path):
        """What stands in the file at a path, seen from /bank; None when there is no such file."""
        if type(path) is not str:
            raise TypeError("read() takes a path, as text")
        return self.files.get(posixpath.normpath(posixpath.join("/bank", path)))

    def attacks(self):
        """Kids that lead to a file whose bytes Mallory knows, the obvious one first: kid, secret."""
        up, retired = "../" * 8, f"old/{self.retired}"
        yield f"{up}dev/null", b""
        yield "../public/style.css", self.style
        yield retired, self.leaked
        yield from (
            (f"....//....//....//{'....//' * 4}dev/null", b""),
            ("....//public/style.css", self.style),
            (f"./{retired}", self.leaked),
            (f"old/../{retired}", self.leaked),
            (f"old//{self.retired}", self.leaked),
            ("/dev/null", b""),
            ("/bank/public/style.css", self.style),
            (f"x/../{up}dev/null", b""),
            ("..././public/style.css", self.style),
            (f"/bank/keys/{retired}", self.leaked),
            *((name, self.style) for name in self.lies_about),
        )


class Table:
    """A database with one table: keys(kid, owner, secret), where a shop of Mallory's has keys, too.

    It has one of its own, and one under each `kid` of Fernbank's.
    """

    def __init__(self, branch: Branch, shop_first: bool = False):
        random = branch.random
        self.database = sqlite3.connect(":memory:", check_same_thread=False)
        self.shops, self.shop = random.randbytes(32), random.choice(["shop", "florist", "fernbank-shop", "Fernbank"])
        self.kid, self.kids = f"{random.choice(['till', 'shop', 'rose'])}-1", [key.kid for key in branch.keys]
        self.database.execute("CREATE TABLE keys (kid TEXT, owner TEXT, secret BLOB)")
        shops = [(kid, self.shop, self.shops) for kid in (self.kid, *self.kids)]
        banks = [(key.kid, "fernbank", key.verifies) for key in branch.keys]
        rows = shops + banks if shop_first else banks + shops
        self.database.executemany("INSERT INTO keys VALUES (?, ?, ?)", rows)

    def query(self, statement, parameters=()):
        """The rows that a statement finds, each a list; none when it cannot be read, or changes something."""
        if type(statement) is not str or not statement.lstrip().upper().startswith("SELECT"):
            raise TypeError("query() takes a SELECT statement, as text")
        try:
            return [list(row) for row in self.database.execute(statement, parameters)]
        except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
            if "binding" in str(error) or "type" in str(error):
                raise TypeError(f"query(): {error}") from error
            return []

    def attacks(self):
        """Kids that bring a secret along, or find one that Mallory has, the obvious one first: kid, secret."""
        for quote in ("'", '"'):
            yield f"x{quote} UNION SELECT {quote}m{quote} --", b"m"
        shop, name, kid = self.shops, self.shop, self.kid
        yield from ((kid, shop) for kid in self.kids)
        yield from (
            (f"x' OR owner = '{name}' --", shop),
            (f"{kid}' OR kid = '{kid}", shop),
            (f"{kid}' --", shop),
            (kid, shop),
            ("x'/**/UNION/**/SELECT/**/'m'--", b"m"),
            ("X' uNiOn sElEcT 'm' --", b"m"),
            ("x' UNION SELECT char(109) /*", b"m"),
            ("\\' UNION SELECT 'm' --", b"m"),
            (f"x' UNION ALL SELECT secret FROM keys WHERE owner='{name}", shop),
        )


class Finders(flaws.Verifier):
    """The learner's from_file(kid, read), or from_table(kid, query), and then the rule. Only HS256 is taken."""

    def __init__(self, branch: Branch, name: str, told):
        super().__init__(branch.policy, lambda: branch.lab.now)
        self._lab, self._name, self._told = branch.lab, name, told

    def proven(self, parts):
        if parts.header.get("alg") != "HS256":
            raise TokenRefused("The keys of this service are for HS256.")
        given = self._lab.call(self._name, parts.header.get("kid"), self._told)
        if given is None:
            raise TokenRefused(f"{self._name}() gave None.")
        if type(given) not in (bytes, str):
            raise LearnerError(f"your {self._name} returned {given!r:.60}: it should return the secret, or None")
        return flaws._with_secret(parts, given if isinstance(given, bytes) else given.encode())


MEND_KID = Exercise(
    "31.6",
    "Mend: a key that she knows",
    defines=("from_file", "from_table"),
    minutes=10,
    difficulty="medium",
    mount=served,
    hints=(
        "from_file: say what a good kid looks like, not what a bad one does: `re.fullmatch(r'[A-Za-z0-9_-]+', kid)`. "
        "`re.match` with `$` lets a newline through, and a kid may be no text at all.",
        "from_table: `query('... WHERE kid = ?', [kid])`. What stands for a question mark is never read as SQL.",
        "And of the table's rows only those that are Fernbank's: `owner = 'fernbank'`.",
    ),
)


def filing(lab) -> tuple[Branch, Files]:
    """A branch with secrets in files, found by the learner's from_file()."""
    branch = Branch(lab, "HS256", "HS256")
    first, second = branch.keys
    letters = "".join(lab.random.sample("GHJKMPQRSTVWXYZ", 4))
    branch.keys = [first, replace(second, kid=f"{letters}_{lab.random.randrange(100)}-{letters.lower()}")]
    branch.policy = replace(branch.policy, keys=KeySet(branch.keys))
    files = Files(branch)
    return branch.open(Finders(branch, "from_file", lab.remote("read", files.read, {"call"}))), files


def tabled(lab, shop_first: bool = False) -> tuple[Branch, Table]:
    """A branch with secrets in a table, found by the learner's from_table(); one kid has a quote in it."""
    branch = Branch(lab, "HS256", "HS256", "HS256")
    first, second, third = branch.keys
    name = lab.random.choice(["o'brien", "d'arcy", "o'hara"])
    renamed = replace(second, kid=f"{name}-{lab.random.randrange(100)}")
    words = lab.random.choice(["the key of", "union or select --", "/* %"])
    spaced = replace(third, kid=f"{words} {lab.random.randrange(2000, 2030)}")
    branch.keys = [first, renamed, spaced]
    branch.policy = replace(branch.policy, keys=KeySet(branch.keys))
    table = Table(branch, shop_first)
    return branch.open(Finders(branch, "from_table", lab.remote("query", table.query, {"call"}))), table


@MEND_KID.customer("Honest kids find their file", look_at="the path that you read")
def honest_files(lab):
    branch, _ = filing(lab)
    for key in lab.random.sample(branch.keys, 2):
        for user in ("ana", "ben"):
            branch.serves(user, branch.token(user, key), f"a token of the key {key.kid!r}")


@MEND_KID.customer("Honest kids find their row, o'brien's too", look_at="how the kid gets into the statement")
def honest_rows(lab):
    branch, _ = tabled(lab)
    for key in lab.random.sample(branch.keys, 3):
        branch.serves("ana", branch.token("ana", key), f"a token of the key {key.kid!r}")


def withstands(lab, branch: Branch, attacks, what: str) -> None:
    """Mallory tries kids with the secrets that they should lead to."""
    for kid, secret in attacks:
        branch.holds(branch.forged(mac(secret), kid=kid), f"{what}: {kid!r} is no key of the bank's")


@MEND_KID.probe("A path that leads out of the folder finds nothing", look_at="kids with ../ in them")
def leads_out(lab):
    branch, files = filing(lab)
    withstands(lab, branch, [*files.attacks()][:2], "a kid is a name and no path")


@MEND_KID.probe("Nor does any other path", points=2, look_at="what a name may consist of")
def other_paths(lab):
    branch, files = filing(lab)
    rest = [*files.attacks()][2:]
    withstands(lab, branch, lab.random.sample(rest, len(rest)), "a kid is a name and no path")


@MEND_KID.probe("A kid that is SQL finds nothing", look_at="where the statement ends, and the kid begins")
def is_sql(lab):
    branch, table = tabled(lab)
    withstands(lab, branch, [*table.attacks()][:2], "a kid is a value and no part of the statement")


@MEND_KID.probe("Nor does it in other words, nor a shop's own key", points=2, look_at="whose rows you look at")
def other_sql(lab):
    branch, table = tabled(lab, shop_first=True)
    for key in branch.keys:
        branch.serves("ana", branch.token("ana", key), f"the kid {key.kid!r}, which the shop uses too")
    rest = [*table.attacks()][2:]
    withstands(lab, branch, lab.random.sample(rest, len(rest)), "only a key of Fernbank's, found by its whole kid")


@MEND_KID.probe("What is no name is None, never an error", look_at="kids that are no text, or nearly a name")
def odd_kids(lab):
    branch = Branch(lab, "HS256", "HS256")
    number = lab.random.randrange(2, 1000)
    branch.keys[1] = replace(branch.keys[1], kid=str(number))  # as text, a name; as a number, none
    read = lab.remote("read", Files(branch).read, {"call"})
    query = lab.remote("query", Table(branch).query, {"call"})
    kid = branch.keys[0].kid
    odd = ["", ".", "..", "/", "old", kid[:-1], kid + "0", kid.upper(), f"{kid}\n", f"\n{kid}", f" {kid}", f"{kid}\0",
           "%", "_" * len(kid), kid[:-1] + "%", kid[:-1] + "_", "*", 0, 1, True, None, 2.5, [], [kid], {}, {kid: kid},
           "é", "\0", "x" * 3000, f"./{kid}", f"old/../{kid}", f"x/{kid}", f"/{kid}", f"keys/{kid}",
           number]  # fmt: skip
    for one in lab.random.sample(odd, len(odd)):
        for name, told in (("from_file", read), ("from_table", query)):
            given = lab.call(name, one, told)
            lab.expect(given is None, f"None for the kid {one!r:.60}", f"{name}() gave {given!r:.60}")
