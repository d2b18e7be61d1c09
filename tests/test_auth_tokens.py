"""What a verifier accepts and refuses, rule by rule: the readable one and the one on PyJWT, with the same answers."""

import json
import math

import jwt
import pytest
from token_cases import (
    ISSUER,
    LEFT_OUT,
    NOW,
    VERIFIERS,
    claims_with,
    compact,
    header_of,
    key,
    on_pyjwt,
    policy,
    readable,
    said,
    signed,
)

from labs.auth import keys, production, tokens
from labs.auth.algorithms import ALGORITHMS
from labs.auth.token_errors import (
    Expired,
    KeysUnavailable,
    Malformed,
    NotYetValid,
    TokenRefused,
    UnknownKey,
    WrongAlgorithm,
    WrongAudience,
    WrongClaim,
    WrongIssuer,
    WrongType,
)
from labs.auth.tokens import ACCESS_TOKEN, ID_TOKEN, Policy


@pytest.fixture(params=VERIFIERS, ids=said)
def verify(request):
    return request.param


def refused(verify, token, kind, policy=policy(), now=NOW):  # noqa: B008 - never changed
    """Expect a refusal of this kind (of one of these, when PyJWT calls it otherwise), with a reason."""
    with pytest.raises(TokenRefused) as caught:
        verify(token, policy, now)
    kinds = kind if isinstance(kind, tuple) else (kind,)
    assert isinstance(caught.value, kinds[0] if verify is readable else kinds)
    assert str(caught.value).endswith(".")


# ---- Honest tokens -------------------------------------------------------------------------------


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_an_honest_token_is_accepted_and_its_claims_come_back(verify, alg):
    token = tokens.issue(key(alg), "ana", "accounts", NOW + 0.7, lifetime=600, roles=["customer"])
    claims = verify(token, policy(), NOW)
    assert len(claims.pop("jti")) >= 22
    times = {"iat": NOW, "exp": NOW + 600}  # whole seconds, and never in the future
    assert claims == {"iss": ISSUER, "sub": "ana", "aud": "accounts", "roles": ["customer"], **times}


def test_two_tokens_never_have_the_same_name():
    names = {readable(tokens.issue(key("HS256"), "ana", "accounts", NOW), policy())["jti"] for _ in range(100)}
    assert len(names) == 100


ALSO_HONEST = [
    {"aud": ["accounts"]},
    {"aud": ["statements", "accounts"]},
    {"exp": NOW + 900.0},
    {"exp": 1e15},
    {"iat": NOW - 0.5},
    {"nbf": NOW},
    {"nbf": NOW + 30},
    {"iat": NOW + 30},
    {"jti": LEFT_OUT},
    {"sub": "Zoë 🌿"},
    {"sub": "\x00"},
    {"nested": {"exp": "text", "aud": 5}},
    {"roles": []},
    {"many": [{"a": []}] * 100, "brackets": "[" * 100},
    {"deep": json.loads("[" * 31 + "]" * 31)},
    {"deep": json.loads("[[], " * 30 + "[]" + "]" * 30)},
]


@pytest.mark.parametrize("claims", ALSO_HONEST, ids=said)
def test_other_claims_of_an_honest_issuer_are_accepted(verify, claims):
    assert verify(signed("HS256", claims=claims), policy()) == claims_with(**claims)


@pytest.mark.parametrize("name", ["jku", "jwk", "x5u", "x5c", "x5t", "cty"])
def test_what_the_header_says_about_keys_is_not_followed(verify, name):
    mallorys = keys.generate("ES256", ISSUER)
    own = {"jwk": keys.jwk_of(mallorys), "x5c": ["MIIB"]}.get(name, "https://mallory.example/keys")
    assert verify(signed("ES256", header={name: own}), policy())["sub"] == "ana"
    with pytest.raises(TokenRefused, match="signature does not fit"):
        verify(compact(header_of("ES256", **{name: own}), claims_with(), mallorys), policy())


# ---- Times ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("leeway", [0, 30, 0.5])
def test_a_token_ends_at_exp_plus_leeway_and_not_before(verify, leeway):
    token, accepts = signed("HS256"), policy(leeway=leeway)
    assert verify(token, accepts, NOW + 900 + leeway - 0.25)
    refused(verify, token, Expired, accepts, NOW + 900 + leeway)


@pytest.mark.parametrize("name", ["nbf", "iat"])
@pytest.mark.parametrize("leeway", [0, 30, 0.5])
def test_a_token_begins_at_nbf_and_iat_less_leeway(verify, name, leeway):
    token, accepts = signed("HS256", claims={name: NOW + 60}), policy(leeway=leeway)
    assert verify(token, accepts, NOW + 60 - leeway)
    refused(verify, token, NotYetValid, accepts, NOW + 60 - leeway - 0.25)


def test_a_fraction_of_a_second_counts_where_pyjwt_cuts_it(verify):
    token, accepts = signed("HS256", claims={"exp": NOW + 1.75}), policy(leeway=0)
    assert verify(token, accepts, NOW + 0.75)
    refused(verify, token, Expired, accepts, NOW + 1.75)
    if verify is readable:
        assert verify(token, accepts, NOW + 1.5)
    else:
        refused(verify, token, Expired, accepts, NOW + 1.5)


def test_a_leeway_that_is_no_time_is_no_policy():
    for leeway in (-1, math.inf, math.nan):
        with pytest.raises(ValueError, match="leeway"):
            policy(leeway=leeway)


# ---- Claims --------------------------------------------------------------------------------------

NO_TIMES = [LEFT_OUT, None, str(NOW + 60), f" {NOW} ", "soon", "", True, False, [NOW], {"at": NOW}, 1e16, -(10**4000)]
TIME = (WrongClaim, Malformed)  # PyJWT says DecodeError of a time that int() does not take

REFUSED_CLAIMS = [
    *[({"iss": value}, WrongIssuer) for value in (LEFT_OUT, None, "", f"{ISSUER}/", ISSUER[:-1], [ISSUER], 5, True)],
    *[
        ({"aud": value}, WrongAudience)
        for value in (
            LEFT_OUT, None, "", [], "statements", ["statements"], "account", "accounts ", "Accounts", 5, True,
            {"accounts": 1}, ["accounts", 5], [["accounts"]], ["statements", None, "accounts"],
        )
    ],
    *[({"sub": value}, WrongClaim) for value in (LEFT_OUT, None, "", 5, True, ["ana"], {"name": "ana"})],
    *[({"exp": value}, TIME) for value in NO_TIMES],
    *[({"iat": value}, TIME) for value in NO_TIMES],
    *[({"nbf": value}, TIME) for value in NO_TIMES[1:]],
    *[({"jti": value}, WrongClaim) for value in (None, 5, ["a-name"])],
    ({"exp": 0}, Expired),
    ({"exp": -1}, Expired),
    ({"exp": NOW - 30}, Expired),
    ({"iat": NOW + 31}, NotYetValid),
    ({"nbf": NOW + 31}, NotYetValid),
]  # fmt: skip


@pytest.mark.parametrize(("claims", "kind"), REFUSED_CLAIMS, ids=said)
def test_claims_that_are_refused(verify, claims, kind):
    refused(verify, signed("HS256", claims=claims), kind)


@pytest.mark.parametrize("payload", [b"", b"[]", b'"ana"', b"5", b"null", b"{", b"{}x", b"\xff", b"{'sub': 'ana'}"])
def test_a_payload_that_is_no_json_object(verify, payload):
    refused(verify, compact(header_of("HS256"), payload, key("HS256")), Malformed)


def changed_text(old: str, new: str) -> bytes:
    text = json.dumps(claims_with())
    assert old in text
    return text.replace(old, new, 1).encode()


READ_IN_TWO_WAYS = {
    "a claim twice": changed_text("{", '{"sub": "mallory", '),
    "a claim twice, the same": changed_text("{", '{"sub": "ana", '),
    "a claim twice, once escaped": changed_text("{", '{"s\\u0075b": "mallory", '),
    "a member of a member twice": changed_text("{", '{"more": {"a": 1, "a": 2}, '),
    "NaN": changed_text("{", '{"more": NaN, '),
    "exp NaN": changed_text(str(NOW + 900), "NaN"),
    "exp Infinity": changed_text(str(NOW + 900), "Infinity"),
    "exp 1e999": changed_text(str(NOW + 900), "1e999"),
    "a number too large": changed_text("{", '{"more": [-1e400], '),
    "more digits than Python reads": changed_text(str(NOW + 900), "9" * 4400),
    "half a character": changed_text("ana", "\\ud800"),
    "half a character in a name": changed_text("{", '{"\\udfff": 1, '),
    "a byte order mark": b"\xef\xbb\xbf" + json.dumps(claims_with()).encode(),
    "UTF-16": json.dumps(claims_with()).encode("utf-16"),
    "UTF-32": json.dumps(claims_with()).encode("utf-32"),
    "Latin-1": changed_text("ana", "Zo\N{LATIN SMALL LETTER E WITH DIAERESIS}").decode().encode("latin-1"),
    "nested 33 deep": changed_text("{", '{"more": ' + "[" * 32 + "]" * 32 + ", "),
    "nested 33 deep, with neighbours": changed_text("{", '{"more": ' + "[[], " * 32 + "[]" + "]" * 32 + ", "),
    "nested 2,900 deep": changed_text("{", '{"more": ' + "[" * 2900 + "]" * 2900 + ", "),
}


@pytest.mark.parametrize("payload", READ_IN_TWO_WAYS.values(), ids=READ_IN_TWO_WAYS)
def test_a_payload_that_two_readers_might_read_in_two_ways(verify, payload):
    refused(verify, compact(header_of("HS256"), payload, key("HS256")), Malformed)


def test_a_whole_character_in_two_escapes_is_a_character(verify):
    payload = changed_text("ana", "\\ud83c\\udf3f")
    assert verify(compact(header_of("HS256"), payload, key("HS256")), policy())["sub"] == "🌿"


# ---- The header ----------------------------------------------------------------------------------

REFUSED_HEADERS = [
    *[
        ({"alg": value}, WrongAlgorithm)
        for value in (
            LEFT_OUT, None, "", "none", "None", "nOnE", "NONE", "hs256", "es256", "ES256 ", "HS256", "RS256", "EdDSA",
            "PS256", "ES384", "ES256K", "Ed25519", 5, True, ["ES256"], {"ES256": 1},
        )
    ],
    *[({"kid": value}, UnknownKey) for value in (LEFT_OUT, None, "", 5, True, ["the-ES256"], {"a": 1}, "nobody")],
    *[({"kid": value}, UnknownKey) for value in ("../../dev/null", "' OR 1=1 --", "\ud800", "the-ES256\0")],
    *[
        ({"typ": value}, WrongType)
        for value in (LEFT_OUT, None, "", ID_TOKEN, "AT+JWT", "application/at+jwt", "refresh+jwt", 5, [ACCESS_TOKEN])
    ],
    *[({"crit": value}, WrongType) for value in (None, [], "b64", ["b64"], ["exp"], [5], {}, True)],
    ({"b64": False}, WrongType),
    ({"b64": True}, WrongType),
    ({"b64": False, "crit": ["b64"]}, WrongType),
    ({"b64": True, "crit": ["b64"]}, WrongType),
]  # fmt: skip


@pytest.mark.parametrize(("header", "kind"), REFUSED_HEADERS, ids=said)
def test_headers_that_are_refused_though_the_signature_fits(verify, header, kind):
    if "\ud800" in str(header.get("kid")):
        kind = Malformed
    refused(verify, signed("ES256", header=header), kind)


@pytest.mark.parametrize("alg", ALGORITHMS)
@pytest.mark.parametrize("other", ALGORITHMS)
def test_a_key_is_good_for_one_algorithm(verify, alg, other):
    token = signed(alg, header={"alg": other})
    if alg == other:
        assert verify(token, policy())
    else:
        refused(verify, token, WrongAlgorithm)


@pytest.mark.parametrize(
    "header",
    [
        b"", b"[]", b'"at+jwt"', b"5", b"null", b"true", b"{", b"\xff\xfe", b'{"alg": NaN}', b"[" * 2000,
        b'{"alg": "HS256", "kid": "the-ES256", "alg": "ES256", "typ": "at+jwt"}',
        b'{"alg": "ES256", "kid": "the-ES256", "typ": "JWT", "typ": "at+jwt"}',
        b'{"alg": "ES256", "kid": "nobody", "typ": "at+jwt", "kid": "the-ES256"}',
        '{"alg": "ES256", "kid": "the-ES256", "typ": "at+jwt"}'.encode("utf-16"),
    ],
    ids=said,
)  # fmt: skip
def test_a_header_that_is_no_json_object_or_may_be_read_in_two_ways(verify, header):
    refused(verify, compact(header, claims_with(), key("ES256")), Malformed)


# ---- Keys ----------------------------------------------------------------------------------------


def test_a_key_of_another_issuer_is_not_found_even_under_the_same_kid(verify):
    theirs = keys.generate("ES256", "https://elsewhere.example", "the-ES256")
    token = compact(header_of("ES256"), claims_with(), theirs)
    with pytest.raises(TokenRefused, match="signature does not fit"):
        verify(token, policy(theirs))
    foreign = keys.generate("ES256", "https://elsewhere.example", "their-own")
    refused(verify, compact(header_of("ES256", kid="their-own"), claims_with(), foreign), UnknownKey, policy(foreign))


def test_a_key_for_one_service_is_none_for_another(verify):
    own = keys.generate("ES256", ISSUER, "for-statements", audience="statements")
    token = compact(header_of("ES256", kid="for-statements"), claims_with(), own)
    refused(verify, token, UnknownKey, policy(own))
    theirs = compact(header_of("ES256", kid="for-statements"), claims_with(aud="statements"), own)
    assert verify(theirs, policy(own, audience="statements"))


def test_a_key_that_has_expired_is_no_key(verify):
    old = keys.generate("HS256", ISSUER, "old")
    old = keys.Key("old", "HS256", ISSUER, old.verifies, expires_at=NOW + 10)
    token = tokens.issue(keys.Key("old", "HS256", ISSUER, old.verifies, old.verifies), "ana", "accounts", NOW)
    assert verify(token, policy(old), NOW + 9.75)
    refused(verify, token, UnknownKey, policy(old), NOW + 10)


def test_a_token_for_another_service_or_of_another_type_is_refused(verify):
    for_statements = tokens.issue(key("RS256"), "ana", "statements", NOW)
    refused(verify, for_statements, WrongAudience)
    assert verify(for_statements, policy(audience="statements"))
    id_token = tokens.issue(key("RS256"), "ana", "accounts", NOW, typ=ID_TOKEN)
    refused(verify, id_token, WrongType)
    assert verify(id_token, policy(typ=ID_TOKEN))


def test_keys_that_are_not_there_right_now_say_so(verify):
    class Down:
        def find(self, kid, issuer):
            raise KeysUnavailable("down")

    with pytest.raises(KeysUnavailable):
        verify(signed("ES256"), Policy(ISSUER, "accounts", Down()))


def test_what_is_issued_is_json():
    with pytest.raises(ValueError, match="JSON"):
        tokens.issue(key("HS256"), "ana", "accounts", NOW, more=math.nan)
    with pytest.raises(TypeError):
        tokens.issue(key("HS256"), "ana", "accounts", NOW, more=b"bytes")


def test_pyjwt_itself_takes_what_the_production_face_mends():
    lax = {"key": key("HS256").verifies, "algorithms": ["HS256"], "audience": "accounts", "issuer": ISSUER}
    lax |= {"options": {"require": production.REQUIRED}}
    traps = [
        signed("HS256", header={"typ": ID_TOKEN}),
        signed("HS256", claims={"exp": f" {NOW + 900} "}),
        signed("HS256", claims={"nbf": True}),
        compact(header_of("HS256"), changed_text("{", '{"sub": "mallory", '), key("HS256")),
        signed("HS256", claims={"aud": ["accounts"]}) + "=",
    ]
    for token in traps:
        assert jwt.decode(token, **{**lax, "options": lax["options"] | {"verify_exp": False, "verify_iat": False}})
        refused(on_pyjwt, token, TokenRefused)
