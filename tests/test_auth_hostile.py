"""Whatever is sent as a token, a verifier accepts it or refuses it with a reason, and raises nothing else."""

import hashlib
import hmac
import json

import hypothesis.strategies as st
import pytest
from cryptography.hazmat.primitives.asymmetric import padding, utils
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from token_cases import (
    ISSUER,
    NOW,
    UNHURRIED,
    VERIFIERS,
    claims_with,
    compact,
    header_of,
    key,
    on_pyjwt,
    policy,
    readable,
    said,
    signature_of,
    signed,
    with_signature,
)

from labs.auth import base64url, jws, keys
from labs.auth.algorithms import ALGORITHMS, ORDER
from labs.auth.keys import Key
from labs.auth.token_errors import BadSignature, Malformed, TokenRefused, WrongAlgorithm

HEADER, PAYLOAD, SIGNATURE = HONEST = signed("HS256").split(".")
LONGER = signed("HS256", claims={"more": "x" * 5900})


@pytest.fixture(params=VERIFIERS, ids=said)
def verify(request):
    return request.param


def verdict(verify, token, accepts=None, now=NOW):
    """The claims, or None when it is refused; anything else that is raised comes through."""
    try:
        return verify(token, accepts or policy(), now)
    except TokenRefused:
        return None


# ---- The form ------------------------------------------------------------------------------------

NO_TOKENS = {
    "nothing": "",
    "one part": HEADER,
    "two parts": f"{HEADER}.{PAYLOAD}",
    "four parts": f"{HEADER}.{PAYLOAD}.{SIGNATURE}.",
    "five parts": f"{HEADER}.{PAYLOAD}.{SIGNATURE}.{SIGNATURE}.{SIGNATURE}",
    "five parts, as a JWE has them": f"{HEADER}..{PAYLOAD}.{PAYLOAD}.{SIGNATURE}",
    "dots": "..",
    "no header": f".{PAYLOAD}.{SIGNATURE}",
    "padding": f"{HEADER}.{PAYLOAD}.{SIGNATURE}=",
    "padding of the header": f"{HEADER}=.{PAYLOAD}.{SIGNATURE}",
    "padding of the payload": f"{HEADER}.{PAYLOAD}==.{SIGNATURE}",
    "a space before": f" {HEADER}.{PAYLOAD}.{SIGNATURE}",
    "a line end": f"{HEADER}.{PAYLOAD}.{SIGNATURE}\n",
    "a line end inside": f"{HEADER}.\n{PAYLOAD}.{SIGNATURE}",
    "a zero": f"{HEADER}.{PAYLOAD}.{SIGNATURE}\0",
    "its scheme": f"Bearer {HEADER}.{PAYLOAD}.{SIGNATURE}",
    "quotes": f'"{HEADER}.{PAYLOAD}.{SIGNATURE}"',
    "plus and slash": f"{HEADER}.{PAYLOAD}.+/{SIGNATURE[2:]}",
    "a question mark inside": f"{HEADER}.{PAYLOAD[:4]}?{PAYLOAD[4:]}.{SIGNATURE}",
    "full-width letters": f"{HEADER}.{PAYLOAD}.\uff21{SIGNATURE[1:]}",
    "half a character": f"{HEADER}.{PAYLOAD}.\ud800",
    "half a character for a header": f"\udfff.{PAYLOAD}.{SIGNATURE}",
    "a length that base64url never has": f"{HEADER}.{PAYLOAD}.{SIGNATURE}AA",
    "JSON": json.dumps({"protected": HEADER, "payload": PAYLOAD, "signature": SIGNATURE}),
    "bytes": ".".join(HONEST).encode(),
    "None": None,
    "a number": 5,
    "a list": list(HONEST),
}


@pytest.mark.parametrize("token", NO_TOKENS.values(), ids=NO_TOKENS)
def test_what_is_no_token_of_three_parts_in_base64url_is_malformed(verify, token):
    with pytest.raises(Malformed):
        verify(token, policy(), NOW)


def test_a_payload_that_is_sent_elsewhere_is_not_looked_for(verify):
    with pytest.raises(BadSignature):
        verify(f"{HEADER}..{SIGNATURE}", policy(), NOW)


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_bits_that_are_left_over_have_to_be_zero(verify, alg):
    token = signed(alg)
    body, last = token[:-1], token[-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    accepted = [one for one in alphabet if verdict(verify, body + one)]
    assert accepted == [last]


def test_no_text_is_longer_than_a_header_may_be(verify):
    assert 8100 < len(LONGER) <= jws.LONGEST
    assert verify(LONGER, policy(), NOW)
    too_long = signed("HS256", claims={"more": "x" * 6000})
    assert len(too_long) > jws.LONGEST
    for token in (too_long, "x" * 1_000_000, "." * 1_000_000, f"{HEADER}.{'A' * 1_000_000}.{SIGNATURE}"):
        with pytest.raises(Malformed):
            verify(token, policy(), NOW)


@pytest.mark.parametrize("deep", [1_000, 3_000, 10_000, 1_000_000])
def test_nesting_is_refused_however_deep(verify, deep):
    nested = b'{"a":' * deep + b"1" + b"}" * deep
    for token in (compact(nested, b"{}", key("HS256")), compact(header_of("HS256"), nested, key("HS256"))):
        with pytest.raises(Malformed):
            verify(token, policy(), NOW)


# ---- Signatures ----------------------------------------------------------------------------------


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_every_byte_of_a_signature_counts(verify, alg):
    token = signed(alg)
    signature = signature_of(token)
    for place in range(len(signature)):
        changed = bytearray(signature)
        changed[place] ^= 0x40
        with pytest.raises(BadSignature):
            verify(with_signature(token, bytes(changed)), policy(), NOW)


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_signatures_of_other_lengths(verify, alg):
    token = signed(alg)
    good = signature_of(token)
    for wrong in (b"", b"\0", good[:-1], good[1:], good + b"\0", b"\0" + good, good * 2, bytes(64), b"x" * 999):
        with pytest.raises(BadSignature):
            verify(with_signature(token, wrong), policy(), NOW)


def numbers_of(token: str) -> tuple[int, int]:
    """r and s of an ES256 signature."""
    return tuple(int.from_bytes(half, "big") for half in (signature_of(token)[:32], signature_of(token)[32:]))


def pair(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def test_es256_numbers_out_of_range(verify):
    """r = s = 0 signed everything in Java (CVE-2022-21449)."""
    token = signed("ES256")
    r, s = numbers_of(token)
    wrong = [(0, 0), (0, s), (r, 0), (ORDER, s), (r, ORDER), (ORDER, ORDER), (1, 0), (0, 1), (1, 1), (r, 2**256 - 1)]
    wrong += [(r + ORDER, s)] if r + ORDER < 2**256 else []
    for numbers in wrong:
        with pytest.raises(BadSignature):
            verify(with_signature(token, pair(*numbers)), policy(), NOW)


def test_es256_in_der_is_none(verify):
    token = signed("ES256")
    with pytest.raises(BadSignature):
        verify(with_signature(token, utils.encode_dss_signature(*numbers_of(token))), policy(), NOW)


def test_of_an_es256_signature_there_are_two_so_a_tokens_text_is_not_its_name(verify):
    token = signed("ES256")
    r, s = numbers_of(token)
    twin = with_signature(token, pair(r, ORDER - s))
    assert twin != token
    assert verify(twin, policy(), NOW) == verify(token, policy(), NOW)


def test_of_an_eddsa_signature_there_is_one(verify):
    token = signed("EdDSA")
    order = 2**252 + 27742317777372353535851937790883648493  # RFC 8032 §5.1.7: s has to be smaller
    s = int.from_bytes(signature_of(token)[32:], "little") + order
    with pytest.raises(BadSignature):
        verify(with_signature(token, signature_of(token)[:32] + s.to_bytes(32, "little")), policy(), NOW)


PSS = padding.PSS(padding.MGF1(SHA256()), padding.PSS.DIGEST_LENGTH)
OTHER_RSA = {"PS256": (PSS, SHA256()), "RS384": (padding.PKCS1v15(), SHA384())}


@pytest.mark.parametrize("alg", OTHER_RSA)
def test_another_rsa_signature_with_the_same_key(verify, alg):
    def sign(data):
        return key("RS256").signs.sign(data, *OTHER_RSA[alg])

    with pytest.raises(WrongAlgorithm):
        verify(compact(header_of("RS256", alg=alg), claims_with(), sign), policy(), NOW)
    with pytest.raises(BadSignature):
        verify(compact(header_of("RS256"), claims_with(), sign), policy(), NOW)


def test_no_signature_at_all(verify):
    for alg in ("none", "None", "nOnE", "NONE", ""):
        with pytest.raises(WrongAlgorithm):
            verify(compact(header_of("RS256", alg=alg), claims_with(sub="ben"), lambda data: b""), policy(), NOW)


# ---- A public key for a secret -------------------------------------------------------------------


def texts_of(public: Key) -> dict[str, bytes]:
    """A public key in all the forms in which Mallory may have it."""
    spki, pem = PublicFormat.SubjectPublicKeyInfo, Encoding.PEM
    forms = {
        "PEM": public.verifies.public_bytes(pem, spki),
        "DER": public.verifies.public_bytes(Encoding.DER, spki),
        "SSH": public.verifies.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
        "JWK": json.dumps(keys.jwk_of(public)).encode(),
        "JWK, one member": next(iter(keys.jwk_of(public).values())).encode(),
    }
    forms["PEM without its last line end"] = forms["PEM"].strip()
    forms["PEM without its first and last line"] = b"".join(forms["PEM"].splitlines()[1:-1])
    forms["PEM with Windows' line ends"] = forms["PEM"].replace(b"\n", b"\r\n")
    if public.alg == "RS256":
        forms["PKCS 1"] = public.verifies.public_bytes(pem, PublicFormat.PKCS1)
        forms["n"] = public.verifies.public_numbers().n.to_bytes(256, "big")
    return forms


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
def test_a_public_key_is_never_used_as_a_secret(verify, alg):
    for secret in texts_of(key(alg)).values():

        def mac(data, secret=secret):
            return hmac.digest(secret, data, hashlib.sha256)

        for name in ("HS256", "hs256", "none"):
            with pytest.raises(WrongAlgorithm):
                verify(compact(header_of(alg, alg=name), claims_with(sub="ben"), mac), policy(), NOW)
        with pytest.raises(BadSignature):
            verify(compact(header_of(alg), claims_with(sub="ben"), mac), policy(), NOW)


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
@pytest.mark.parametrize("form", ["PEM", "SSH", "JWK", "PEM without its last line end"])
def test_a_public_text_cannot_even_be_configured_as_a_secret(alg, form):
    with pytest.raises(ValueError, match="no secret"):
        Key("a key", "HS256", ISSUER, verifies=texts_of(key(alg))[form])


# ---- Anything at all -----------------------------------------------------------------------------

RAW_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.sampled_from([NOW, NOW + 900, ISSUER, "accounts", "at+jwt", "HS256", "the-HS256", 10**400, "none", ["b64"]]),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=8,
)
MEMBERS = ["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "iss", "sub", "aud", "exp", "iat", "nbf", "jti", "roles"]
CHANGES = st.dictionaries(st.sampled_from(MEMBERS) | st.text(max_size=5), RAW_JSON, max_size=3)


@UNHURRIED
@given(st.text() | st.text("AZaz09-_.=", max_size=60) | st.binary() | RAW_JSON)
def test_any_object(token):
    assert verdict(readable, token) is None
    assert verdict(on_pyjwt, token) is None


@settings(UNHURRIED, max_examples=300)
@given(header=CHANGES, claims=CHANGES, alg=st.sampled_from(ALGORITHMS))
def test_any_header_and_any_claims_that_the_issuer_signed(header, claims, alg):
    token = signed(alg, header, claims)
    one, other = verdict(readable, token), verdict(on_pyjwt, token)
    fractions = any(isinstance(claims.get(name), float) for name in ("exp", "iat", "nbf"))  # PyJWT cuts them
    assert one == other or fractions
    if one is not None:
        assert one == claims_with(**claims)
        assert one["aud"] == "accounts" or "accounts" in one["aud"]


@UNHURRIED
@given(st.binary(max_size=200), st.binary(max_size=200), st.sampled_from(ALGORITHMS))
def test_any_bytes_that_the_issuer_signed(header, payload, alg):
    assert verdict(readable, compact(header, payload, key(alg))) is None
    as_payload = compact(header_of(alg), payload, key(alg))
    assert verdict(readable, as_payload) is None
    assert verdict(on_pyjwt, as_payload) is None


@settings(UNHURRIED, max_examples=300)
@given(st.data(), st.sampled_from(ALGORITHMS))
def test_an_honest_token_with_any_small_change(data, alg):
    token = signed(alg)
    place = data.draw(st.integers(0, len(token)))
    put = data.draw(st.text(st.sampled_from("AQgw_-.= \n?é\0") | st.characters(exclude_categories=()), max_size=3))
    taken = data.draw(st.integers(0, 3))
    changed = token[:place] + put + token[place + taken :]
    if changed != token:
        assert verdict(readable, changed) is None
        assert verdict(on_pyjwt, changed) is None


@UNHURRIED
@given(
    lived=st.integers(-100, 1000),
    leeway=st.floats(0, 100),
    since=st.floats(-200, 1200),
    nbf=st.none() | st.integers(-100, 100),
)
def test_any_time(lived, leeway, since, nbf):
    """The rule in other words, and PyJWT's clock, agree with the verifier at any fraction of a second."""
    times = {"exp": NOW + lived} | ({} if nbf is None else {"nbf": NOW + nbf})
    token, now = signed("HS256", claims=times), NOW + since
    good = now < NOW + lived + leeway and now >= max(NOW, NOW + (nbf or 0)) - leeway
    assert (verdict(readable, token, policy(leeway=leeway), now) is not None) == good


@UNHURRIED
@given(st.binary(max_size=100))
def test_base64url_has_one_text_for_each_string_of_bytes(data):
    text = base64url.encode(data)
    assert base64url.decode(text) == data
    assert not set(text) & set("+/=")


@UNHURRIED
@given(st.text("AQgwZz09-_", max_size=20) | st.text(max_size=20))
def test_base64url_reads_only_what_it_writes(text):
    try:
        data = base64url.decode(text)
    except Malformed:
        return
    assert base64url.encode(data) == text
