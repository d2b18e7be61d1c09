"""The matrix of tokens: every attack against every verifier, each cell exact, with its reason.

A cell is True where the bank's own record holds a loss of Ana's after the attack. One that works where it should not
is as wrong as one that fails. `CELLS` holds what is expected of each, and why. The verifiers are those of
`labs.servers.flaws.token_bank`, each with one flaw, and PyJWT and joserfc, configured well and badly.
"""

import warnings
from functools import cache, partial

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwk as joserfc_jwk
from joserfc import jwt as joserfc_jwt
from joserfc.errors import JoseError
from token_matrix import wrong_cells

from labs.attacks import cracking, forging
from labs.attacks.token_target import TokenTarget, bearer
from labs.auth import production
from labs.auth.token_errors import TokenRefused
from labs.servers.flaws.token_bank import GATES, guessable, new_key, token_bank

# ---- the libraries, as one uses them ---------------------------------------------------------------------------

REQUIRED = ["iss", "aud", "sub", "exp", "iat"]


def pem_of(key):
    return key.verifies.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def body_of(key):
    """A public key as some consoles show it: the text of a PEM on one line, without its first and last."""
    return b"".join(pem_of(key).strip().split(b"\n")[1:-1])


def pyjwt(algorithms=None, text=None, **options):
    """PyJWT with one key. `algorithms` and `text`, what it is given as the key, may depend on the header's alg."""

    def gate(policy):
        [key] = policy.keys

        def verify(token):
            try:
                alg = jwt.get_unverified_header(token).get("alg")
                return jwt.decode(
                    token,
                    text(key, alg) if text else key.verifies,
                    algorithms=algorithms(alg) if algorithms else [key.alg],
                    issuer=policy.issuer,
                    audience=policy.audience,
                    leeway=policy.leeway,
                    options={"require": REQUIRED, **options},
                )
            except jwt.PyJWTError as error:
                raise TokenRefused("PyJWT refuses it.") from error

        return verify

    return gate


def joserfc(*algorithms, as_secret=None):
    """joserfc with one key. `as_secret(key)`: the text that is the key where the header says HS256."""

    def gate(policy):
        [key] = policy.keys
        claims = joserfc_jwt.JWTClaimsRegistry(
            leeway=policy.leeway, iss={"essential": True, "value": policy.issuer}, sub={"essential": True},
            aud={"essential": True, "value": policy.audience}, exp={"essential": True}, iat={"essential": True},
        )  # fmt: skip
        material = key.verifies if key.alg == "HS256" else pem_of(key)
        kinds = {"HS256": joserfc_jwk.OctKey, "RS256": joserfc_jwk.RSAKey, "ES256": joserfc_jwk.ECKey}

        def chosen(token):
            if as_secret and jwt.get_unverified_header(token)["alg"] == "HS256":
                return kinds["HS256"].import_key(as_secret(key))
            return kinds[key.alg].import_key(material)

        def verify(token):
            try:
                found = joserfc_jwt.decode(token, chosen(token), algorithms=list(algorithms) or [key.alg])
                claims.validate(found.claims)
                return found.claims
            except (JoseError, ValueError, jwt.PyJWTError) as error:
                raise TokenRefused("joserfc refuses it.") from error

        return verify

    return gate


def two_texts(key, alg):
    return pem_of(key) if alg == "RS256" else body_of(key)


def no_key_for_none(key, alg):
    return None if alg == "none" else key.verifies


MECHANISMS = GATES | {
    "the course's own, RS256": ("RS256", GATES["the course's own"][1]),
    "the course's own, HS256": ("HS256", GATES["the course's own"][1]),
    "on PyJWT": ("ES256", lambda policy: partial(production.verify, policy=policy)),
    "PyJWT": ("ES256", pyjwt()),
    "PyJWT, RS256": ("RS256", pyjwt()),
    "PyJWT, HS256": ("HS256", pyjwt()),
    "PyJWT, no signature asked": ("ES256", pyjwt(verify_signature=False)),
    "PyJWT, alg from the header": ("RS256", pyjwt(lambda alg: [alg], lambda key, alg: pem_of(key))),
    "PyJWT, none in its list": ("ES256", pyjwt(lambda alg: ["none", "ES256"], no_key_for_none)),
    "PyJWT, two algs, a PEM": ("RS256", pyjwt(lambda alg: ["RS256", "HS256"], lambda key, alg: pem_of(key))),
    "PyJWT, two algs, a PEM's body": ("RS256", pyjwt(lambda alg: ["RS256", "HS256"], two_texts)),
    "PyJWT, a word for a secret": ("guessable", pyjwt()),
    "joserfc": ("ES256", joserfc()),
    "joserfc, HS256": ("HS256", joserfc()),
    "joserfc, none in its list": ("ES256", joserfc("none", "ES256")),
    "joserfc, two algs": ("RS256", joserfc("RS256", "HS256")),
    "joserfc, two algs, a PEM": ("RS256", joserfc("RS256", "HS256", as_secret=pem_of)),
    "joserfc, two algs, a PEM's body": ("RS256", joserfc("RS256", "HS256", as_secret=body_of)),
}


def guess(target):
    """Her list, cut short: what it is worth in full, lesson 31 measures."""
    return cracking.weak_secret(target, [*cracking.guesses(["fern", "heron"]), guessable().encode()])


ATTACKS = {
    "none": forging.none,
    "none, spelt otherwise": partial(forging.none, spellings=forging.SPELLINGS),
    "confusion": forging.confusion,
    "a guessed secret": guess,
    "kid, a path": forging.kid_traversal,
    "kid, SQL": forging.kid_sql,
    "jku": forging.jku,
    "jwk": forging.embedded_jwk,
    "r = s = 0": forging.zeros,
}

# ---- what is expected, and why: attack -> [(whether it succeeds, why, where)]; the last is all the rest ------

BLIND = (True, "it asks for no signature", ["PyJWT, no signature asked"])
SECRET = [name for name, (alg, _) in MECHANISMS.items() if alg in ("HS256", "guessable")]
WORDS = ["a word for a secret", "PyJWT, a word for a secret"]
LIBRARIES = ["PyJWT", "joserfc"]
OTHER_KEY = (False, "the key is one of the issuer's, whatever the header says", ...)

CELLS = {
    "none": [
        BLIND,
        (True, "the token says that it is not signed", ["believes none"]),
        (True, "none is in the list of what is allowed", ["joserfc, none in its list"]),
        (False, "PyJWT knows none, and it verifies nothing", ["PyJWT, none in its list"]),
        (False, "that word is banned", ["bans one spelling"]),
        (False, "the key has another algorithm", ...),
    ],
    "none, spelt otherwise": [
        BLIND,
        (True, "another spelling is not banned, and means the same", ["bans one spelling"]),
        (False, "no such algorithm", ...),
    ],
    "confusion": [
        BLIND,
        (True, "the public key is taken for a secret", ["the header chooses"]),
        (True, "a library knows a PEM, and not its body", [f"{name}, two algs, a PEM's body" for name in LIBRARIES]),
        (False, "a PEM is no secret for PyJWT", ["PyJWT, two algs, a PEM", "PyJWT, alg from the header"]),
        (False, "a PEM is no secret for joserfc", ["joserfc, two algs, a PEM"]),
        (False, "an RSA key is no secret for joserfc", ["joserfc, two algs"]),
        (False, "a secret has no public half: there is nothing to sign with", SECRET),
        (False, "the key has another algorithm", ...),
    ],
    "a guessed secret": [
        (True, "one of the words", WORDS),
        (False, "256 random bits are no word", [name for name in SECRET if name not in WORDS]),
        (False, "there is no secret to guess", ...),
    ],
    "kid, a path": [
        BLIND,
        (True, "the path leads to a file that is empty", ["kid is a path"]),
        (False, "no key has this name", ...),
    ],
    "kid, SQL": [
        BLIND,
        (True, "the look-up gives what came with the token", ["kid in a query"]),
        (False, "no key has this name", ...),
    ],
    "jku": [
        BLIND,
        (True, "it asks Mallory's server for the key", ["follows jku"]),
        OTHER_KEY,
    ],
    "jwk": [
        BLIND,
        (True, "it takes the key that came along", ["trusts its jwk"]),
        OTHER_KEY,
    ],
    "r = s = 0": [
        BLIND,
        (True, "the sum holds for zeros", ["r and s unasked"]),
        (False, "zeros are out of range, or the key is for another algorithm", ...),
    ],
}  # fmt: skip


def expected(mechanism, attack):
    """The cell, and why: the row that names the mechanism, else the last."""
    rows = [(cell, why) for cell, why, where in CELLS[attack] if where is not ... and mechanism in where]
    assert len(rows) <= 1, (mechanism, attack, rows)
    return rows[0] if rows else CELLS[attack][-1][:2]


@cache
def key(alg):
    return new_key(alg)


def opened(mechanism):
    alg, gate = MECHANISMS[mechanism]
    return token_bank(key(alg), gate)


@pytest.fixture(autouse=True)
def _libraries_only_warn():
    """Both libraries say what is weak about a configuration, and go on."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=jwt.warnings.InsecureKeyLengthWarning)
        warnings.filterwarnings("ignore", module="joserfc")
        warnings.filterwarnings("ignore", message=".*(none|HS256|key).*", category=UserWarning)
        yield


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_every_attack_has_exactly_the_outcome_that_is_expected(mechanism):
    with opened(mechanism) as bank:
        assert wrong_cells(bank, TokenTarget, ATTACKS, lambda attack: expected(mechanism, attack)) == {}


def test_the_table_has_a_cell_and_a_reason_for_each_and_both_outcomes_for_each_attack():
    assert set(CELLS) == set(ATTACKS)
    named = {name for rows in CELLS.values() for _, _, where in rows if where is not ... for name in where}
    assert named <= set(MECHANISMS)
    for attack, rows in CELLS.items():
        cells = {mechanism: expected(mechanism, attack) for mechanism in MECHANISMS}
        assert {cell for cell, _ in cells.values()} == {True, False}, attack
        assert {why for _, why in cells.values()} == {why for _, why, _ in rows}, attack


def test_each_flaw_lets_exactly_one_attack_in_and_each_mended_one_none():
    for name in GATES:
        succeed = [attack for attack in ATTACKS if expected(name, attack)[0]]
        mended = name in ("the course's own", "kid is a name", "kid as a parameter", "r and s asked")
        assert len(succeed) == (0 if mended else 1), name


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_customers_are_served_and_lose_nothing(mechanism):
    with opened(mechanism) as bank:
        for name, other in (("ana", "ben"), ("ben", "ana")):
            person = bank.identity.visitor(name)
            login = person.post("/login", json={"username": name, "password": bank.identity.password_of(name)})
            header = bearer(login.json()["access_token"])
            counter = bank.accounts.visitor(name)
            assert counter.get("/balance", headers=header).json()["owner"] == name
            paid = counter.post("/transfer", json={"to": other, "amount": 10}, headers=header)
            assert paid.status == 200
            assert counter.get("/balance", headers=bearer("not.a.token")).status == 401
        assert bank.record.lost("ana") == bank.record.lost("ben") == []


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_it_answers_on_loopback_only_and_for_no_other_host(mechanism):
    with opened(mechanism) as bank:
        for site in (bank.identity, bank.accounts):
            assert site.url.startswith("http://127.0.0.1:")
            assert site._server.socket.getsockname()[0] == "127.0.0.1"
            for host in ("fernbank.example", f"fernbank.example:{site.port}", "127.0.0.1.example", "api.localhost"):
                assert site.visitor("mallory").get("/balance", headers={"Host": host}).status == 421
