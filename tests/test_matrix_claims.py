"""The matrix of claims: every attack of lesson 32 against every verifier, each cell exact, with its reason.

A cell is True where the bank's own record holds a loss of Ana's after the attack. One that works where it should not
is as wrong as one that fails. The verifiers are those of `labs.servers.flaws.claims_bank`, each with one flaw, and
PyJWT and joserfc, configured well and badly. All sign with ES256 but those that say RS256.
"""

import warnings
from functools import cache, partial

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwe as joserfc_jwe
from joserfc import jwk as joserfc_jwk
from joserfc import jwt as joserfc_jwt
from joserfc.errors import JoseError
from token_matrix import wrong_cells

from labs.attacks import claims as attacks
from labs.attacks import composition, forging
from labs.attacks.claims_target import ClaimsTarget
from labs.attacks.token_target import bearer
from labs.auth import production
from labs.auth.denylist import DenyList
from labs.auth.token_errors import TokenRefused
from labs.bench import skip
from labs.servers.flaws.claims import RawDenyList
from labs.servers.flaws.claims_bank import CLAIM_GATES, claims_bank, plain
from labs.servers.flaws.nested import ALGORITHMS, encryption_key
from labs.servers.flaws.token_bank import GATES, new_key

REQUIRED = ["iss", "aud", "sub", "exp", "iat"]
ALL_BUT_EXP = [name for name in REQUIRED if name != "exp"]


def pyjwt(typ=True, text=True, leeway=None, **options):
    """PyJWT with one key. `typ`, `text`: whether the type, and one spelling, are asked for besides."""

    def gate(policy, encryption):
        [key] = policy.keys

        def verify(token):
            try:
                if text and "=" in token or typ and jwt.get_unverified_header(token).get("typ") != policy.typ:
                    raise TokenRefused("It is of another form, or of another kind.")
                return jwt.decode(
                    token, key.verifies, algorithms=[key.alg], issuer=policy.issuer, audience=policy.audience,
                    leeway=policy.leeway if leeway is None else leeway, options={"require": REQUIRED} | options,
                )  # fmt: skip
            except jwt.PyJWTError as error:
                raise TokenRefused("PyJWT refuses it.") from error

        return verify

    return gate


def pem_of(key):
    return key.verifies.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def joserfc(typ=True, missing=(), how="signed", leeway=None):
    """joserfc with one key. `missing`: claims that are not asked for. `how` encrypted tokens are taken."""

    def gate(policy, encryption):
        [key] = policy.keys
        asked = {
            "iss": {"essential": True, "value": policy.issuer}, "sub": {"essential": True},
            "aud": {"essential": True, "value": policy.audience}, "iat": {"essential": True},
            "exp": {"essential": True},
        }  # fmt: skip
        asked = {name: rule for name, rule in asked.items() if name not in missing}
        registry = joserfc_jwt.JWTClaimsRegistry(leeway=policy.leeway if leeway is None else leeway, **asked)
        kind = {"RS256": joserfc_jwk.RSAKey, "ES256": joserfc_jwk.ECKey}[key.alg]
        public = kind.import_key(pem_of(key))

        def read(token):
            if token.count(".") == 4 and how != "signed":
                if how == "decode":  # the one function for both: what it gives is called claims in either case
                    registry = joserfc_jwe.JWERegistry(algorithms=ALGORITHMS)
                    return joserfc_jwt.decode(token, encryption, algorithms=ALGORITHMS, registry=registry)
                token = joserfc_jwe.decrypt_compact(token, encryption, algorithms=ALGORITHMS).plaintext.decode()
            return joserfc_jwt.decode(token, public, algorithms=[key.alg])

        def verify(token):
            try:
                found = read(token)
                registry.validate(found.claims)
                if typ and how != "decode" and found.header.get("typ") != policy.typ and token.count(".") == 2:
                    raise TokenRefused("It is of another kind.")
                return found.claims
            except (JoseError, ValueError) as error:
                raise TokenRefused("joserfc refuses it.") from error

        return verify

    return gate


MECHANISMS = {name: ("ES256", gate, ending) for name, (gate, ending) in CLAIM_GATES.items()} | {
    "the course's own, RS256": ("RS256", *CLAIM_GATES["the course's own"]),
    "a list of texts, RS256": ("RS256", *CLAIM_GATES["a list of texts"]),
    "on PyJWT": ("ES256", plain(lambda policy: partial(production.verify, policy=policy)), DenyList),
    "on PyJWT, a list of texts": (
        "ES256", plain(lambda policy: partial(production.verify, policy=policy)), RawDenyList,
    ),
    "PyJWT": ("ES256", pyjwt(), DenyList),
    "PyJWT, aud unasked": ("ES256", pyjwt(verify_aud=False), DenyList),
    "PyJWT, typ unasked": ("ES256", pyjwt(typ=False), DenyList),
    "PyJWT, exp not required": ("ES256", pyjwt(require=ALL_BUT_EXP), DenyList),
    "PyJWT, exp unasked": ("ES256", pyjwt(verify_exp=False, require=ALL_BUT_EXP), DenyList),
    "PyJWT, a long leeway": ("ES256", pyjwt(leeway=2 * 24 * 3600), DenyList),
    "PyJWT, as it comes, a list of texts": ("ES256", pyjwt(text=False), RawDenyList),
    "PyJWT, as it comes, a list of names": ("ES256", pyjwt(text=False), DenyList),
    "PyJWT, RS256, a list of texts": ("RS256", pyjwt(text=False), RawDenyList),
    "joserfc": ("ES256", joserfc(), DenyList),
    "joserfc, aud unasked": ("ES256", joserfc(missing=["aud"]), DenyList),
    "joserfc, typ unasked": ("ES256", joserfc(typ=False), DenyList),
    "joserfc, exp not required": ("ES256", joserfc(missing=["exp"]), DenyList),
    "joserfc, a list of texts": ("ES256", joserfc(), RawDenyList),
    "joserfc, decrypts and verifies": ("ES256", joserfc(how="both"), DenyList),
    "joserfc, decodes what is encrypted": ("ES256", joserfc(how="decode"), DenyList),
}  # fmt: skip

ATTACKS = {
    "another service's token": attacks.cross_service,
    "an ID token": attacks.id_token,
    "a token that is over": attacks.expired,
    "a token without an end": attacks.endless,
    "an ended token and =": attacks.respelt,
    "an ended token's twin": attacks.twin,
    "encrypted claims": composition.encrypted_claims,
    "encrypted, alg none": composition.encrypted_plain,
    "encrypted, badly signed": composition.encrypted_forgery,
}

# ---- what is expected, and why: attack -> [(whether it succeeds, why, where)]; the last is all the rest ------------

ENCRYPTED = ["encrypted, signed inside", "joserfc, decrypts and verifies"]
NO_JWE = (False, "it takes no encrypted tokens", ...)
INSIDE = (False, "what is inside must be signed, and is verified", ENCRYPTED)

CELLS = {
    "another service's token": [
        (True, "nobody asks for whom it is", ["any audience", "PyJWT, aud unasked", "joserfc, aud unasked"]),
        (False, "its aud is another service", ...),
    ],
    "an ID token": [
        (True, "the audience fits, and nobody asks what kind of token it is",
         ["any type", "PyJWT, typ unasked", "joserfc, typ unasked", "joserfc, decodes what is encrypted"]),
        (False, "its typ is another", ...),
    ],
    "a token that is over": [
        (True, "the leeway is longer than a day", ["a long leeway", "PyJWT, a long leeway"]),
        (True, "nobody asks for its end", ["PyJWT, exp unasked"]),
        (False, "its exp and the leeway are over", ...),
    ],
    "a token without an end": [
        (True, "what is not there is not asked", ["no end is fine", "PyJWT, exp not required", "PyJWT, exp unasked",
                                                  "joserfc, exp not required"]),
        (False, "exp is required", ...),
    ],
    "an ended token and =": [
        (True, "another text, and the list is one of texts",
         ["a list of texts, = is skipped", "PyJWT, as it comes, a list of texts", "PyJWT, RS256, a list of texts"]),
        (False, "another text, and the same name",
         ["a list of names, = is skipped", "PyJWT, as it comes, a list of names"]),
        (False, "a token has one text: = is refused", ...),
    ],
    "an ended token's twin": [
        (True, "another text, a good signature, and the list is one of texts",
         ["a list of texts", "a list of texts, = is skipped", "on PyJWT, a list of texts",
          "PyJWT, as it comes, a list of texts", "joserfc, a list of texts"]),
        (False, "a signature of RS256 has no twin",
         ["the course's own, RS256", "a list of texts, RS256", "PyJWT, RS256, a list of texts"]),
        (False, "another text, and the same name", ...),
    ],
    "encrypted claims": [
        (True, "what is not signed is not verified, and believed", ["verified only if signed"]),
        (True, "decode() gives the claims of what anybody encrypted", ["joserfc, decodes what is encrypted"]),
        (False, "it takes a token for what is inside, and this is none", ["verified only if signed, plain"]),
        INSIDE, NO_JWE,
    ],
    "encrypted, alg none": [
        (True, "what is not signed is not verified, and believed", ["verified only if signed, plain"]),
        (False, "three parts, so it is verified", ["verified only if signed"]),
        (False, "what is inside is no JSON", ["joserfc, decodes what is encrypted"]),
        INSIDE, NO_JWE,
    ],
    "encrypted, badly signed": [
        (False, "it is signed, so it is verified", ["verified only if signed", "verified only if signed, plain"]),
        (False, "what is inside is no JSON", ["joserfc, decodes what is encrypted"]),
        INSIDE, NO_JWE,
    ],
}  # fmt: skip
TAKES_BOTH = [*ENCRYPTED, "verified only if signed", "verified only if signed, plain"]
MENDED = ["the course's own", "a list of names, = is skipped", "encrypted, signed inside"]


def expected(mechanism, attack):
    """The cell, and why: the row that names the mechanism, else the last."""
    rows = [(cell, why) for cell, why, where in CELLS[attack] if where is not ... and mechanism in where]
    assert len(rows) <= 1, (mechanism, attack, rows)
    return rows[0] if rows else CELLS[attack][-1][:2]


@cache
def key(alg):
    return new_key(alg)


encryption = cache(encryption_key)


def opened(mechanism):
    alg, gate, ending = MECHANISMS[mechanism]
    return claims_bank(key(alg), gate, ending, encryption=encryption())


@pytest.fixture(autouse=True)
def _time_comes_back():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="joserfc")
        yield
    skip.reset()


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_every_attack_has_exactly_the_outcome_that_is_expected(mechanism):
    with opened(mechanism) as bank:
        assert wrong_cells(bank, ClaimsTarget, ATTACKS, lambda attack: expected(mechanism, attack)) == {}


@pytest.mark.parametrize("mechanism", GATES)
def test_a_flaw_of_lesson_31_is_none_of_these(mechanism):
    """None of this lesson's attacks works there, which a header's flaw alone does not let in."""
    alg, gate = GATES[mechanism]
    with claims_bank(key(alg), plain(gate), encryption=encryption()) as bank:
        for run in ATTACKS.values():
            run(ClaimsTarget(bank.identity, bank.accounts))
        assert bank.record.lost("ana") == []
        assert {exchange.status for exchange in bank.accounts.log} <= {200, 401}


@pytest.mark.parametrize("mechanism", CLAIM_GATES)
def test_no_attack_of_lesson_31_works_here(mechanism):
    """The signature of what is merely signed is verified by each of them."""
    with opened(mechanism) as bank:
        for name in ("none", "confusion", "kid_traversal", "kid_sql", "jku", "embedded_jwk", "zeros"):
            getattr(forging, name)(ClaimsTarget(bank.identity, bank.accounts))
        assert bank.record.lost("ana") == []
        assert {exchange.status for exchange in bank.accounts.log} <= {200, 401}


def test_the_table_has_a_cell_and_a_reason_for_each():
    assert set(CELLS) == set(ATTACKS)
    named = {name for rows in CELLS.values() for _, _, where in rows if where is not ... for name in where}
    assert named <= set(MECHANISMS)
    for attack, rows in CELLS.items():
        cells = {mechanism: expected(mechanism, attack) for mechanism in MECHANISMS}
        outcomes = {False} if attack == "encrypted, badly signed" else {True, False}
        assert {cell for cell, _ in cells.values()} == outcomes, attack
        assert {why for _, why in cells.values()} == {why for _, why, _ in rows}, attack


def test_each_flaw_lets_in_its_attack_alone_and_each_mended_one_none():
    for name in CLAIM_GATES:
        succeed = [attack for attack in ATTACKS if expected(name, attack)[0]]
        both = name == "a list of texts, = is skipped"  # two ways to write one token
        assert len(succeed) == (0 if name in MENDED else 2 if both else 1), name


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_customers_are_served_and_lose_nothing(mechanism):
    with opened(mechanism) as bank:
        for path in ["/login", "/login/sealed"] if mechanism in TAKES_BOTH else ["/login"]:
            for name, other in (("ana", "ben"), ("ben", "ana")):
                person = bank.identity.visitor(name)
                body = {"username": name, "password": bank.identity.password_of(name)}
                first, second = (bearer(person.post(path, json=body).json()["access_token"]) for _ in range(2))
                counter = bank.accounts.visitor(name)
                assert counter.get("/balance", headers=first).json()["owner"] == name
                assert counter.post("/transfer", json={"to": other, "amount": 10}, headers=first).status == 200
                assert counter.post("/end", headers=first).status == 200
                assert counter.get("/balance", headers=first).status == 401
                assert counter.post("/end", headers=first).status == 401
                assert counter.get("/balance", headers=second).json()["owner"] == name
                assert counter.get("/balance", headers=bearer("not.a.token")).status == 401
                assert counter.get("/balance", headers=bearer("not.a.token.at.all")).status == 401
        assert bank.record.lost("ana") == bank.record.lost("ben") == []


@pytest.mark.parametrize("mechanism", CLAIM_GATES)
def test_it_answers_on_loopback_only_and_for_no_other_host(mechanism):
    with opened(mechanism) as bank:
        for site in (bank.identity, bank.accounts):
            assert site._server.socket.getsockname()[0] == "127.0.0.1"
            for host in ("fernbank.example", f"fernbank.example:{site.port}", "api.localhost"):
                assert site.visitor("mallory").get("/balance", headers={"Host": host}).status == 421
