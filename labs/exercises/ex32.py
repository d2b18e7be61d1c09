"""Exercises of lesson 32, Attacking tokens: claims, types and composition."""

import json
from dataclasses import replace

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import RSAKey

from labs.auth import base64url, jws
from labs.auth.algorithms import ORDER
from labs.auth.stores import StoreDown
from labs.auth.token_errors import TokenRefused
from labs.servers.flaws import claims as flaws
from labs.servers.flaws import nested

from .ex31 import Branch, falls, served, stands, unsigned
from .exercise import BASICS, Exercise
from .mint import GONE, Mint, changed, compact, rsa_key, with_signature
from .process import LearnerError

# ---- what some of them share -----------------------------------------------------------------------------------


class Sealing(Branch):
    """A branch that has a key pair for encryption, besides. `open()` it with a kind of nested verifier."""

    def __init__(self, lab):
        super().__init__(lab, "ES256")
        pem = rsa_key(2048, 7_032).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        named = {"kid": Mint(lab.random).kid(), "use": "enc", "alg": nested.ALGORITHMS[0]}
        self.sealing = RSAKey.import_key(pem, named)
        self.jwk = self.sealing.as_dict(private=False)

    def opened(self, kind) -> "Sealing":
        """Serve accounts with a verifier of this kind. Returns itself."""
        return self.open(kind(self.policy, self.sealing, lambda: self.lab.now))

    def rule(self):
        """The verifier that holds."""
        return nested.Nested(self.policy, self.sealing, lambda: self.lab.now)

    def sealed(self, text: str) -> str:
        """Any text, encrypted for this bank: everybody can do that."""
        return nested.sealed(text, self.sealing)


def encoded(value) -> str:
    """base64url of a value's JSON."""
    return base64url.encode(json.dumps(value).encode())


# ---- 32.1 ----------------------------------------------------------------------------------------------------

FORGE_JWE = Exercise(
    "32.1",
    "Forge: encrypted, and signed by nobody",
    defines=("forge_jwe",),
    mount=served,
    minutes=10,
    difficulty="medium",
    kind="attack",
    imports=BASICS | {"joserfc"},
    hints=(
        "What you encrypt: the claims of your own token with another `sub`, as JSON. All else that the bank asks of "
        "claims they have already.",
        '`jwe.encrypt_compact({"alg": "RSA-OAEP-256", "enc": "A256GCM"}, text.encode(), RSAKey.import_key(public), '
        'algorithms=["RSA-OAEP-256", "A256GCM"])` gives the token, five parts.',
        'The second form: base64url of `{"alg": "none"}`, a dot, base64url of the claims, a dot, and nothing. Try '
        "one form, and when the answer is not 200, the other.",
    ),
)


@FORGE_JWE.customer("A bank that takes bare claims for a profile falls", look_at="what you encrypt, and for whom")
def claims_fall(lab):
    branch = Sealing(lab).opened(nested.OnlyIfSigned)
    falls(lab, branch, "forge_jwe", "claims as JSON, encrypted", branch.jwk)


@FORGE_JWE.probe("A bank that takes a token without a signature falls", look_at="the second form on the page")
def plain_falls(lab):
    branch = Sealing(lab).opened(nested.OnlyIfSignedPlain)
    falls(lab, branch, "forge_jwe", "header.payload. with alg none, encrypted", branch.jwk)


@FORGE_JWE.probe("A bank that verifies what is inside holds: None", look_at="the status of the answers")
def jwe_stands(lab):
    branch = Sealing(lab)
    stands(lab, branch, "forge_jwe", branch.jwk)


# ---- 32.2 ----------------------------------------------------------------------------------------------------

REPLAY = Exercise(
    "32.2",
    "Which of these opens the door?",
    defines=("replay",),
    mount=served,
    minutes=8,
    difficulty="medium",
    kind="attack",
    hints=(
        "Read, before you send: a token's second part is base64url of JSON. Whose is it (`sub`), is it over (`exp`), "
        "and who issued it (`iss`)?",
        "Your own token is good here, so its `iss` is the issuer that this bank believes. `time.time()` is the time.",
        "Do not sort out by `aud` or `typ`: those are the mistakes that you hope for. Three tokens are left. Try "
        "them, and stop at the first 200.",
    ),
)

TRIES = 3


def found(branch: Branch, victim: str, other: str) -> list[str]:
    """What lay in Bloom's log: three tokens that some bank takes, and more that none does."""
    random, key = branch.random, branch.keys[0]
    now, audience = int(branch.lab.now), branch.policy.audience
    services = random.sample(["statements", "cards", "loans", "savings"], 2)

    def token(user, typ=None, **changes):
        typ = typ or branch.policy.typ
        return compact(branch.header(key, typ=typ), changed(branch.claims(user), changes), key)

    def over():  # it lived no longer, and no shorter, than the others do
        end = now - random.randrange(60, 900)
        return {"iat": end - random.randrange(120, 600), "exp": end}

    other_issuer = branch.issuer.replace("id-", f"id-{random.randrange(1, 10)}")

    return random.sample([
        *(token(victim, aud=service) for service in services),
        token(victim, "JWT", client_id="bloom"),
        *(token(victim, aud=aud, **over()) for aud in (audience, services[0])),
        token(victim, "JWT", **over()),
        token(victim, aud=services[1], iss=other_issuer),
        *(token(other, aud=aud) for aud in (audience, services[0])),
        token(other, "JWT"),
        token("mallory", aud=services[0]),
    ], 11)  # fmt: skip


def replayed(lab, branch: Branch) -> tuple[str, object]:
    """Run the learner's attack. Returns the victim, and what it gave."""
    victim, other = lab.random.sample(["ana", "ben"], 2)
    told = [branch.token("mallory"), victim, found(branch, victim, other)]
    given = lab.call("replay", *told, lab.http("mallory"))
    lab.raise_learner_error()
    because = f"no token of {other}'s is used: the one that Mallory is after is {victim}"
    lab.safe(other, because)
    sent = len(lab.site.log)
    because = "one to three requests: the rest can be read off"
    lab.expect(0 < sent <= TRIES, because, f"replay() sent {sent}", lab.last)
    return victim, given


def opens(lab, branch: Branch, what: str) -> None:
    """Expect that the attack reads the victim's balance, and returns it."""
    victim, given = replayed(lab, branch)
    lost, happened = lab.site.record.lost(victim), "the bank's record holds no loss"
    lab.expect(bool(lost), f"{what}: Mallory reads {victim}'s balance", happened, lab.last)
    balance = lab.site.app.books.ledger.balance(victim)
    right = type(given) is int and given == balance
    lab.expect(right, f"the balance of {victim}, {balance}", f"replay() gave {given!r:.80}", lab.last)


@REPLAY.customer(
    "A bank that does not ask for whom a token is falls", look_at="the victim's tokens that are not over"
)
def audience_falls(lab):
    branch = Branch(lab, "ES256")
    opens(lab, branch.open(flaws.AnyAudience(branch.policy, lambda: lab.now)), "a token for another service")


@REPLAY.probe("A bank that does not ask what kind of token it is falls", look_at="the victim's ID token")
def type_falls(lab):
    branch = Branch(lab, "ES256")
    opens(lab, branch.open(flaws.AnyType(branch.policy, lambda: lab.now)), "an ID token")


@REPLAY.probe("A bank that asks for both holds: None", look_at="the status of the answers")
def replay_stands(lab):
    branch = Branch(lab, "ES256")
    victim, given = replayed(lab, branch.open(branch.rule()))
    lab.safe(victim, "this bank is not one with the flaw")
    lab.expect(given is None, "None: the bank did not let Mallory in", f"replay() gave {given!r:.80}", lab.last)


# ---- 32.3 ----------------------------------------------------------------------------------------------------

MEND_CLAIMS = Exercise(
    "32.3",
    "Mend: for whom, what kind, until when",
    defines=("for_us",),
    mount=served,
    minutes=10,
    difficulty="medium",
    hints=(
        "Three questions, and a token must pass all: `typ` is the one we take, `aud` is our name or a list with it, "
        "`exp` is a number and `now < exp + leeway`.",
        '`policy["audience"] in claims["aud"]` also holds inside a longer text: "cards" in "discards". Ask what type '
        "`aud` has.",
        "`type(exp) in (int, float)` takes numbers, and neither text nor True, nor what is missing "
        '(`claims.get("exp")` is None then).',
    ),
)


class Asked(flaws.TwoSteps):
    """The learner's for_us(header, claims, policy, now) in the place of type, audience and end."""

    def __init__(self, branch: Branch):
        super().__init__(branch.policy, lambda: branch.lab.now)
        self._lab = branch.lab

    def believed(self, header, payload):
        claims = jws.json_object(payload, "payload")
        told = {"audience": self.policy.audience, "typ": self.policy.typ, "leeway": self.policy.leeway}
        given = self._lab.call("for_us", header, claims, told, self._lab.now)
        if type(given) is not bool:
            raise LearnerError(f"your for_us returned {given!r:.60}: it should return True or False")
        if not given or claims.get("iss") != self.policy.issuer:
            raise TokenRefused("for_us() gave False.")
        return claims


def asking(lab) -> Branch:
    """A branch with the learner's for_us(), and a leeway of its own; its clock stands between two seconds."""
    lab.skip(seconds=0.25)
    branch = Branch(lab, "ES256")
    branch.policy = replace(branch.policy, leeway=lab.random.randrange(2, 60))
    return branch.open(Asked(branch))


def about(branch: Branch, header: dict | None = None, **changes) -> str:
    """A token about Ana, signed well, with changes."""
    key = branch.keys[0]
    return compact(branch.header(key, **(header or {})), changed(branch.claims("ana"), changes), key)


@MEND_CLAIMS.customer("Honest tokens are accepted, to the end of the leeway", look_at="aud as text and as list")
def honest_claims(lab):
    branch = asking(lab)
    branch.serves("ana", branch.token("ana"), "an honest token")
    audience, now = branch.policy.audience, int(lab.now)
    others = [f"{audience}0", "statements", "cards", ""]
    for aud in ([audience], ["statements", audience], [audience, "cards"], [*others[:2], audience, *others[2:]]):
        branch.serves("ana", about(branch, aud=aud), "a token for several services, this one among them")
    leeway = branch.policy.leeway
    for exp in (now + 1, now, now - leeway + 1, now - leeway + 0.5, now + 30.5, float(now + 60)):
        branch.serves(
            "ana", about(branch, exp=exp), f"exp {lab.now - exp:g} seconds ago and {leeway} seconds of leeway"
        )


@MEND_CLAIMS.probe("A token for another service is refused", look_at="aud, and what policy['audience'] says")
def refuses_audience(lab):
    branch = asking(lab)
    for aud in ("statements", ["statements", "cards"], GONE):
        said = "none" if aud is GONE else repr(aud)
        branch.holds(about(branch, aud=aud), f"aud {said} is not {branch.policy.audience!r} (RFC 8725 §3.9)")


@MEND_CLAIMS.probe("And so is one for a service of nearly that name", points=2, look_at="the type of aud")
def refuses_near_audience(lab):
    branch = asking(lab)
    name = branch.policy.audience
    next_one = f"{name[:-1]}{(int(name[-1]) + 1) % 10}"
    odd = [f"{name}0", f"my-{name}", name[:-1], next_one, name.upper(), f"{name} ", f"{name},cards", "", "*", None,
           True, 0, [], [[name]], [f"{name}0"], [f"my {name}"], {name: 1}, {"aud": name}, [{name: 1}]]  # fmt: skip
    for aud in lab.random.sample(odd, len(odd)):
        branch.holds(about(branch, aud=aud), f"aud {aud!r} is not {name!r}, and no list with it")


@MEND_CLAIMS.probe("A token of another kind is refused", look_at="the header's typ")
def refuses_types(lab):
    branch = asking(lab)
    typ = branch.policy.typ
    odd = ["JWT", GONE, "id+jwt", "logout+jwt", "at+jwt-2", typ[:-1], f"{typ} ", f"x{typ}", f"application/{typ}",
           typ.upper(), typ.title(), "jwt", "", None, True, [typ], {typ: 1}]  # fmt: skip
    for one in lab.random.sample(odd, len(odd)):
        said = "none" if one is GONE else repr(one)
        branch.holds(about(branch, {"typ": one}), f"typ {said} is not {typ!r} (RFC 8725 §3.11)")


@MEND_CLAIMS.probe("A token that is over is refused", look_at="now >= exp + leeway")
def refuses_over(lab):
    branch = asking(lab)
    now, leeway = int(lab.now), branch.policy.leeway
    for ago in (leeway, leeway - 0.25, leeway - 0.125, leeway + 1, leeway + 0.5, 3600, 86_400):
        branch.holds(
            about(branch, exp=now - ago),
            f"exp {lab.now - now + ago} seconds ago, with {leeway} seconds of leeway, is over",
        )


@MEND_CLAIMS.probe("A token that says no end is refused", points=2, look_at="exp that is missing, or no number")
def refuses_endless(lab):
    branch = asking(lab)
    later = int(lab.now) + 600
    odd = [GONE, None, True, "", "never", str(later), f" {later} ", [later], {}, [], {"exp": later}, False]
    for exp in lab.random.sample(odd, len(odd)):
        said = "none" if exp is GONE else repr(exp)
        branch.holds(about(branch, exp=exp), f"exp {said} is no end (RFC 7519 §4.1.4: a number)")


# ---- 32.4 ----------------------------------------------------------------------------------------------------

MEND_LIST = Exercise(
    "32.4",
    "Mend: a list of ended tokens",
    defines=("end", "ended"),
    mount=served,
    minutes=10,
    difficulty="medium",
    hints=(
        "A token's name is `(iss, jti)`, and never its text. Both functions need the key: give it a function of its "
        "own.",
        "A key must be one text for one pair. `iss + jti` is the same for ('a', 'bc') and ('ab', 'c'), and a sign "
        "between them may stand in a name as well; `json.dumps([iss, jti])` keeps them apart.",
        "`ended`: no text as `jti`, or an empty one: True. Otherwise whether there is a record. No `try` around the "
        "store: what it raises is for the bank.",
    ),
)


class Listed(flaws.Verifier):
    """The rule, which reads `=` at a token's end, and then the learner's ended(store, token, claims)."""

    def __init__(self, branch: Branch):
        super().__init__(branch.policy, lambda: branch.lab.now)
        self._lab = branch.lab

    def __call__(self, token):
        claims = super().__call__(token.rstrip("="))
        if is_ended(self._lab, token, claims):
            raise TokenRefused("ended() gave True.")
        return claims


def is_ended(lab, token: str, claims: dict) -> bool:
    """What the learner's ended() says. Raises LearnerError, StoreDown."""
    given = lab.call("ended", lab.remote("store"), token, claims)
    if type(given) is not bool:
        raise LearnerError(f"your ended returned {given!r:.60}: it should return True or False")
    return given


def ends(lab, token: str, leeway: float, claims: dict | None = None) -> dict:
    """Have the learner's end() end a token. Returns its claims."""
    claims = claims or json.loads(jws.read(token).payload)
    lab.call("end", lab.remote("store"), token, claims, leeway)
    return claims


def listing(lab) -> Branch:
    """A branch whose tokens can be ended."""
    branch = Branch(lab, "ES256")
    branch.policy = replace(branch.policy, leeway=lab.random.randrange(2, 60))
    return branch.open(Listed(branch))


def twin(token: str) -> str:
    """The same token with (r, n - s) for a signature."""
    raw = base64url.decode(token.rpartition(".")[2])
    return with_signature(token, raw[:32] + (ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big"))


@MEND_LIST.customer("What nobody ended is accepted, each time", look_at="the key of an entry")
def lists_others(lab):
    branch = listing(lab)
    first, others = branch.token("ana"), [branch.token(user) for user in ("ana", "ben", "ana")]
    branch.serves("ana", first, "a token that nobody ended")
    ends(lab, first, branch.policy.leeway)
    for _ in range(2):
        for user, token in zip(("ana", "ben", "ana"), others, strict=True):
            branch.serves(user, token, "a token that nobody ended, after another was, each time")
    claims = json.loads(jws.read(first).payload) | {"iss": f"https://id-{lab.random.randrange(10_000)}.bloom.example"}
    expected = "another issuer's token with the jti of one that was ended is not ended: it is another token"
    lab.expect(not is_ended(lab, "a.b.c", claims), expected, "ended() gave True")


@MEND_LIST.probe("No two names share an entry", look_at="whether one key can stand for two pairs")
def lists_names(lab):
    branch, random = listing(lab), lab.random
    issuer, jti = branch.issuer, f"{random.getrandbits(64):016x}"
    cut, long, letters = random.randrange(1, 8), "fern" * random.randrange(40, 60), f"aB{jti}"
    pairs = [  # what was ended, and what was not
        ((issuer, jti), (f"{issuer}.other", jti)), ((issuer, jti), (issuer, jti[:-1])),
        ((issuer, jti), (issuer + jti[:cut], jti[cut:])), ((issuer, jti), (issuer[:-cut], issuer[-cut:] + jti)),
        ((issuer, letters), (issuer, letters.swapcase())), ((issuer, letters), (issuer.upper(), letters)),
        ((issuer, letters), (issuer, f" {letters}")), ((issuer, letters), (issuer, f"{letters} ")),
        ((issuer, f"{long}1"), (issuer, f"{long}2")), ((f"{issuer}/{long}/1", jti), (f"{issuer}/{long}/2", jti)),
    ]  # fmt: skip
    for between in ("|", ":", ",", ".", "/", " ", "-", "_", "#", "\n", "\0", "::", "||", "', '", '", "', '","'):
        pairs.append(((issuer, f"moss{between}{jti}"), (f"{issuer}{between}moss", jti)))
    for (iss, name), (other_iss, other_name) in random.sample(pairs, len(pairs)):
        ends(lab, "a.b.c", 5, branch.claims("ana") | {"iss": iss, "jti": name})
        other = branch.claims("ben") | {"iss": other_iss, "jti": other_name}
        expected = f"iss {other_iss!r} with jti {other_name!r} is not ended, when {iss!r} with {name!r} is"
        lab.expect(not is_ended(lab, "d.e.f", other), expected, "ended() gave True")


@MEND_LIST.probe("An ended token is refused, also when it is ended twice", look_at="end() and ended() use one key")
def lists_ended(lab):
    branch = listing(lab)
    for times in (1, 2, 3):
        token, before = branch.token("ana"), len(lab.store.records)
        for _ in range(times):
            ends(lab, token, branch.policy.leeway)
        branch.holds(token, "the token has been ended")
        added = len(lab.store.records) - before
        lab.expect(added == 1, "one ended token is one record", f"ended {times} times, it left {added}")
        lab.restart()
        branch.holds(token, "the token has been ended, and another server of the bank's reads the same store")


@MEND_LIST.probe("In other words it is refused, too", points=2, look_at="whether the token's text is part of the key")
def lists_texts(lab):
    branch = listing(lab)
    leeway = branch.policy.leeway
    for _ in range(2):
        token = branch.token("ana")
        ends(lab, token, leeway)
        key, claims = branch.keys[0], json.loads(jws.read(token).payload)
        signed_again = compact(branch.header(key), claims | {"fern": lab.random.random()}, key)
        respelt = compact(branch.header(key, fern=1), json.dumps(claims, indent=1).encode(), key)
        for other in (f"{token}=", f"{token}==", twin(token), f"{twin(token)}=", signed_again, respelt):
            branch.holds(other, "another text with the iss and the jti of a token that has been ended")


@MEND_LIST.probe("An entry may go when the token is over, leeway and all", look_at="expires_at of the record")
def lists_until(lab):
    for _ in range(3):
        leeway, before = lab.random.randrange(2, 60), set(lab.store.records)
        branch = Branch(lab, "ES256")
        claims = ends(lab, branch.token("ana"), leeway)
        new = [record for key, record in lab.store.records.items() if key not in before]
        lab.expect(len(new) == 1, "one new record for one ended token", f"the store has {len(new)} new ones")
        until = new[0].get("expires_at")
        expected = f'"expires_at" is exp + leeway, {claims["exp"] + leeway}: until then the token is good'
        lab.expect(until == claims["exp"] + leeway and type(until) in (int, float), expected, f"it is {until!r:.60}")


@MEND_LIST.probe("What has no jti is ended", look_at="a jti that is missing, or no text")
def lists_nameless(lab):
    branch = listing(lab)
    for jti in lab.random.sample([GONE, None, "", 0, 7, True, [], ["x"], {}], 9):
        claims = changed(branch.claims("ana"), {"jti": jti})
        said = "no jti" if jti is GONE else f"jti {jti!r}"
        because = f"True for {said}: nobody could end this token"
        lab.expect(is_ended(lab, "a.b.c", claims) is True, because, "ended() gave False")


@MEND_LIST.probe("A store that is down is not an empty one", look_at="what you do with StoreDown: nothing")
def lists_down(lab):
    branch = listing(lab)
    claims = branch.claims("ana")
    lab.store.down = True
    for name, asked in (("ended", ["a.b.c", claims]), ("end", ["a.b.c", claims, 5])):
        try:
            given = lab.call(name, lab.remote("store"), *asked)
        except StoreDown:
            continue
        lab.expect(False, "StoreDown passes, and the bank answers 503", f"{name}() gave {given!r:.60}")


# ---- 32.5 ----------------------------------------------------------------------------------------------------

MEND_NESTED = Exercise(
    "32.5",
    "Mend: verified only if it is signed",
    defines=("claims_of",),
    mount=served,
    minutes=8,
    difficulty="easy",
    hints=(
        "Which line of the page's code decides whether a signature is needed? It asks the token. The bank knows the "
        "answer without asking.",
        "Two services, two straight lines: encrypted ones decrypt and then verify; the others verify. Neither looks "
        "at the token to find out which it is.",
        "`decrypt` gives None for what is no encrypted token: then the answer is None. Believe nothing but what "
        "`verify` gives.",
    ),
)


class Composed(nested.Nested):
    """The learner's claims_of(token, encrypted, decrypt, verify)."""

    def __init__(self, branch: Sealing, encrypted: bool):
        super().__init__(branch.policy, branch.sealing, lambda: branch.lab.now)
        self._lab, self._encrypted = branch.lab, encrypted

    def __call__(self, token):
        read = self._lab.remote("decrypt", self.read, {"call"})
        verify = self._lab.remote("verify", self.verified, {"call"})
        given = self._lab.call("claims_of", token, self._encrypted, read, verify)
        if given is None:
            raise TokenRefused("claims_of() gave None.")
        if type(given) is not dict or type(given.get("sub")) is not str:
            raise LearnerError(f"your claims_of returned {given!r:.60}: it should return the claims, or None")
        return given

    def read(self, token):
        """The text in an encrypted token, or None when it is none, or not for this bank."""
        try:
            return self.decrypted(a_text(token, "decrypt"))
        except TokenRefused:
            return None

    def verified(self, text):
        """The claims of a signed token that holds in all that this bank asks; None for everything else."""
        try:
            return super(nested.Nested, self).__call__(a_text(text, "verify"))
        except TokenRefused:
            return None


def a_text(given, name: str) -> str:
    """What decrypt or verify was given. Raises TypeError, which the learner's code gets."""
    if type(given) is not str:
        raise TypeError(f"{name} takes text, and was given {given!r:.40}")
    return given


def composed(lab, encrypted: bool) -> Sealing:
    """A branch with the learner's claims_of()."""
    branch = Sealing(lab)
    return branch.open(Composed(branch, encrypted))


@MEND_NESTED.customer("Signed tokens are accepted where they come as they are", look_at="encrypted is False")
def serves_signed(lab):
    branch = composed(lab, encrypted=False)
    for user in ("ana", "ben"):
        branch.serves(user, branch.token(user), "a signed token, at a service that takes those")


@MEND_NESTED.customer("Encrypted ones are accepted, signed inside", look_at="what decrypt gives, what verify takes")
def serves_sealed(lab):
    branch = composed(lab, encrypted=True)
    for user in ("ana", "ben"):
        sealed = branch.sealed(branch.token(user))
        branch.serves(user, sealed, "a signed token in an encrypted one, where those are taken")


@MEND_NESTED.probe("Bare claims in an encrypted token are refused", look_at="what you believe when nothing is signed")
def refuses_bare(lab):
    branch = composed(lab, encrypted=True)
    branch.serves("ana", branch.sealed(branch.token("ana")), "a signed token in an encrypted one")
    for indent in (None, 2):
        text = json.dumps(branch.claims("ana"), indent=indent)
        branch.holds(branch.sealed(text), "anybody can encrypt; what is inside must be signed (CVE-2026-29000)")


@MEND_NESTED.probe("And so is every other thing without a good signature", points=2, look_at="when verify is asked")
def refuses_inside(lab):
    branch = composed(lab, encrypted=True)
    claims, own = branch.claims("ana"), Mint(lab.random).key("ES256", branch.keys[0].kid, branch.issuer)
    signed, hers = branch.token("mallory").split("."), branch.token("ana")
    branch.serves("ana", branch.sealed(hers), "a signed token in an encrypted one")
    hers = hers.split(".")
    inside = [
        f"{hers[0]}.{hers[1]}.{signed[2]}", f"{hers[0]}.{hers[1]}.", f"{encoded({'alg': 'none'})}.{hers[1]}.",
        *(f"{encoded({'alg': alg})}.{encoded(claims)}." for alg in ("none", "None", "ES256", "")),
        f"{encoded({'alg': 'none', 'typ': branch.policy.typ})}.{encoded(claims)}",
        f"{encoded(claims)}",
        f".{encoded(claims)}.",
        branch.forged(unsigned), branch.forged(unsigned, alg="none"), branch.forged(own),
        f"{signed[0]}.{encoded(claims)}.{signed[2]}",
        json.dumps({"payload": encoded(claims), "signatures": []}),
        json.dumps([claims]),
        "\n" + json.dumps(claims),
        branch.sealed(json.dumps(claims)),
        branch.sealed(f"{encoded({'alg': 'none'})}.{encoded(claims)}."),
    ]  # fmt: skip
    for text in lab.random.sample(inside, len(inside)):
        branch.holds(branch.sealed(text), f"what is inside is not signed by the issuer: {text[:40]!r}...")


@MEND_NESTED.probe("The service decides what it takes, and not the token", look_at="`encrypted`, and nothing else")
def refuses_other_shape(lab):
    branch = composed(lab, encrypted=False)
    for text in (branch.token("ana"), json.dumps(branch.claims("ana"))):
        branch.holds(branch.sealed(text), "this service takes no encrypted tokens")
    branch = composed(lab, encrypted=True)
    branch.holds(branch.token("ana"), "this service takes encrypted tokens only: others have been read on the way")
    branch.holds(branch.forged(unsigned, alg="none"), "this service takes encrypted tokens only")


@MEND_NESTED.probe("What is no token is None, never an error", look_at="None from decrypt, and from verify")
def refuses_odd(lab):
    branch = Sealing(lab)
    for encrypted in (True, False):
        bank = Composed(branch, encrypted)
        read = lab.remote("decrypt", bank.read, {"call"})
        verify = lab.remote("verify", bank.verified, {"call"})
        honest = branch.sealed(branch.token("ana"))
        for odd in ("", ".", "....", "a.b.c", "a.b.c.d.e", honest[:-4], f"{honest}.x", "é", branch.sealed("")):
            given = lab.call("claims_of", odd, encrypted, read, verify)
            lab.expect(given is None, f"None for {odd[:40]!r}", f"claims_of() gave {given!r:.80}")


# ---- 32.6 ----------------------------------------------------------------------------------------------------

EVIDENCE = Exercise(
    "32.6",
    "Evidence",
    defines=("evidence",),
    minutes=5,
    difficulty="easy",
    hints=(
        "A response: status line, headers, an empty line, the body. `head, _, body = text.partition('\\n\\n')`, and "
        "the body is JSON where it is an answer of the bank's.",
        "Ask all of it: the status is 200 (the second word of the first line), the type is JSON, the body is a dict "
        "of two members, and `owner` is the victim. A 403 that shows a balance is no loss, and nor is Mallory's own.",
        'What was captured is the member beside `owner`: {"exchange": n, "field": its name, "value": its value}.',
    ),
)


TEXT = "text/plain"


def exchange(number: int, path: str, status: str, body, kind="application/json") -> dict:
    """An exchange as the bank's log has it; `body` is text, or what its JSON says."""
    text = body if isinstance(body, str) else json.dumps(body)
    method = "POST" if path == "/transfer" else "GET"
    return {
        "n": number,
        "request": f"{method} {path} HTTP/1.1\nHost: 127.0.0.1\nAuthorization: Bearer ...\n\n",
        "response": f"HTTP/1.1 {status}\nContent-Type: {kind}\nContent-Length: {len(text)}\n\n{text}",
    }


def harmless(random, victim: str) -> list[tuple]:
    """What stands in every log and cost the victim nothing: path, status, body, and of what type it is."""
    return [
        ("/balance", "200 OK", {"owner": "mallory", "balance": random.randrange(100, 1000)}),
        ("/notes", "200 OK", {"owner": "mallory", "notes": [f"{victim}: {random.randrange(1000)}?"]}),
        ("/balance", "401 UNAUTHORIZED", {"error": f"The token about {victim} is for another service."}),
        ("/balance", "401 UNAUTHORIZED", {"owner": victim, "error": "The token has been ended."}),
        ("/transfer", "200 OK", {"moved": 1, "from": "mallory", "to": victim}),
        (f"/{victim}", "404 NOT FOUND", {"error": "There is no such page."}),
        ("/balance", "503 SERVICE UNAVAILABLE", f"owner {victim}, balance {random.randrange(1000)}: try again", TEXT),
        ("/balance", "403 FORBIDDEN", {"owner": victim, "balance": 0}),
        ("/", "200 OK", f'Fernbank. Welcome, {victim}! {{"owner": "{victim}"}}', TEXT),
    ]


def deceptive(random, victim: str) -> list[tuple]:
    """The same, and each lacks but one thing of what would be evidence."""
    balance = random.randrange(100, 5000)
    padding = "." * (200 - len(json.dumps({"owner": victim, "notes": [""]})))
    return [
        ("/notes", "403 FORBIDDEN", {"owner": victim, "notes": [padding]}),  # its Content-Length is 200
        ("/balance", "403 FORBIDDEN", {"owner": victim, "balance": 200}),
        ("/notes", "403 FORBIDDEN", {"owner": victim, "notes": ["HTTP/1.1 200 OK"]}),
        ("/help", "200 OK", json.dumps({"owner": victim, "balance": balance}), TEXT),
        ("/branches", "200 OK", {"owner": victim, "branch": "Fern Street", "open": True}),
        ("/owners", "200 OK", {"owner": victim}),
        ("/owners", "200 OK", [{"owner": victim, "balance": balance}]),
        ("/owners", "200 OK", {"of": {"owner": victim, "balance": balance}, "owner": "mallory"}),
        ("/owners", "200 OK", {"owner": [victim], "balance": balance}),
        ("/balance", "200 OK", {"user": victim, "balance": balance}),
    ]


def log_of(random, entries: list[tuple]) -> list[dict]:
    """A log of these entries in their order, numbered as they came."""
    first = random.randrange(2, 400)
    numbers = [first + random.randrange(1, 3) + 3 * step for step in range(len(entries))]
    return [exchange(number, *entry) for number, entry in zip(numbers, entries, strict=True)]


def shows(lab, path: str, field: str, value) -> None:
    """Expect that the answer names the exchange, the field and the value."""
    random, victim = lab.random, lab.random.choice(["ana", "ben"])
    entries = harmless(random, victim)
    random.shuffle(entries)
    place, members = random.randrange(len(entries) + 1), random.sample([("owner", victim), (field, value)], 2)
    entries.insert(place, (path, "200 OK", dict(members)))
    log = log_of(random, entries)
    given = lab.call("evidence", log, victim)
    wanted = {"exchange": log[place]["n"], "field": field, "value": value}
    same = given == wanted and type(given["exchange"]) is int and type(given["value"]) is type(value)
    lab.expect(same, f"{wanted}", f"evidence() gave {given!r:.120}")


@EVIDENCE.customer("A balance that was read is found", look_at="who is the owner, and what is the status")
def balance_shown(lab):
    for _ in range(4):
        shows(lab, "/balance", "balance", lab.random.randrange(100, 5000))


@EVIDENCE.probe("So is whatever else was captured", look_at="the name of the member beside owner, and its value")
def others_shown(lab):
    word = f"fern{lab.random.randrange(1000)}"
    notes = [f"the key is under pot {lab.random.randrange(1000)}", "a second note"]
    secrets = [("notes", notes), ("notes", []), (word, {"to": "ben", "amount": 5}), (word, ""), ("balance", 0)]
    for field, value in lab.random.sample(secrets, len(secrets)):
        shows(lab, f"/{field}", field, value)


@EVIDENCE.probe("Where nothing was lost there is no evidence: None", look_at="a log in which nothing worked")
def nothing_shown(lab):
    random = lab.random
    for victim in random.sample(["ana", "ben"], 2):
        told = [[], *([one] for one in deceptive(random, victim))]
        for lies in random.sample(told, len(told)):
            entries = [*harmless(random, victim), *lies]
            log = log_of(random, random.sample(entries, len(entries)))
            given = lab.call("evidence", log, victim)
            happened = f"evidence() gave {given!r:.120}"
            for path, status, body, *kind in lies:
                happened += f"; in the log {path} answered {status}, {(kind or ['application/json'])[0]}: {body}"
            lab.expect(given is None, f"None: {victim} has lost nothing in this log", happened)
