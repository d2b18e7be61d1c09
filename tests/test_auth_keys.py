"""Keys: one algorithm each, two halves that belong together, and what is read from and written to a JWK."""

import contextlib

import hypothesis.strategies as st
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given, settings
from token_cases import ISSUER, UNHURRIED, key

from labs.auth import algorithms, base64url
from labs.auth.algorithms import ALGORITHMS
from labs.auth.keys import Key, KeySet, from_jwk, generate, jwk_of
from labs.auth.token_errors import UnknownKey

PUBLIC = ("RS256", "ES256", "EdDSA")
SECRET = base64url.encode(bytes(range(32)))
OCT = {"kty": "oct", "k": SECRET, "alg": "HS256", "kid": "a key"}


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_key_signs_what_it_verifies_and_nothing_else(alg):
    signature = algorithms.sign(alg, key(alg).signs, b"a message")
    assert algorithms.verify(alg, key(alg).verifies, signature, b"a message")
    assert not algorithms.verify(alg, key(alg).verifies, signature, b"a massage")
    assert not algorithms.verify(alg, generate(alg, ISSUER).verifies, signature, b"a message")


def test_only_four_algorithms_have_a_name():
    for alg in ("none", "HS512", "PS256", ""):
        with pytest.raises(ValueError, match="none of the algorithms"):
            generate(alg, ISSUER)
        with pytest.raises(ValueError, match="none of the algorithms"):
            algorithms.sign(alg, b"", b"")
        with pytest.raises(ValueError, match="none of the algorithms"):
            algorithms.verify(alg, b"", b"", b"")


@pytest.mark.parametrize("alg", ALGORITHMS)
@pytest.mark.parametrize("other", ALGORITHMS)
def test_material_of_one_algorithm_is_none_for_another(alg, other):
    if alg != other:
        with pytest.raises(ValueError, match="does not go with"):
            Key("a key", alg, ISSUER, verifies=key(other).verifies)


@pytest.mark.parametrize("alg", ALGORITHMS)
@pytest.mark.parametrize("other", ALGORITHMS)
def test_two_halves_belong_together(alg, other):
    with pytest.raises(ValueError, match="two halves"):
        Key("a key", alg, ISSUER, verifies=key(alg).verifies, signs=generate(other, ISSUER).signs)


def test_keys_that_are_too_weak():
    with pytest.raises(ValueError, match="32 bytes"):
        Key("a key", "HS256", ISSUER, verifies=bytes(31))
    with pytest.raises(ValueError, match="2,048 bits"):
        Key("a key", "RS256", ISSUER, verifies=rsa.generate_private_key(65537, 1024).public_key())
    with pytest.raises(ValueError, match="P-256"):
        Key("a key", "ES256", ISSUER, verifies=ec.generate_private_key(ec.SECP384R1()).public_key())


Y8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
P = 2**255 - 19
SMALL = [(y | sign << 255).to_bytes(32, "little") for y in (0, 1, P - 1, P, P + 1, Y8, P - Y8) for sign in (0, 1)]


@pytest.mark.parametrize("place", range(len(SMALL)))
def test_an_ed25519_key_for_which_everybody_can_sign(place):
    public = ed25519.Ed25519PublicKey.from_public_bytes(SMALL[place])
    attempts = ((point + bytes(32), b"message %d" % number) for number in range(64) for point in SMALL)
    assert any(algorithms.verify("EdDSA", public, *attempt) for attempt in attempts)  # with no private key at all
    with pytest.raises(ValueError, match="everybody can sign"):
        Key("a key", "EdDSA", ISSUER, verifies=public)
    with pytest.raises(ValueError, match="everybody can sign"):
        from_jwk(ED | {"x": base64url.encode(SMALL[place])}, ISSUER)


@pytest.mark.parametrize("alg", PUBLIC)
def test_the_public_half_cannot_sign(alg):
    assert key(alg).public().signs is None
    assert key(alg).public().verifies == key(alg).verifies


def test_hs256_has_no_public_half():
    for read in (Key.public, jwk_of):
        with pytest.raises(ValueError, match="no public half"):
            read(key("HS256"))


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_key_does_not_say_its_secret(alg):
    said = f"{key(alg)} {key(alg)!r} {[key(alg)]}"
    assert said.count(f"<Key the-{alg} of {ISSUER}: {alg}, signs>") == 3
    assert "object at" not in said
    assert "b'" not in said


def test_two_issuers_may_use_one_kid_and_one_issuer_may_not_use_it_twice():
    mine, theirs = generate("ES256", ISSUER, "one"), generate("ES256", "https://elsewhere.example", "one")
    both = KeySet([mine, theirs])
    assert both.find("one", ISSUER) is mine
    assert both.find("one", "https://elsewhere.example") is theirs
    assert (len(both), list(both)) == (2, [mine, theirs])
    with pytest.raises(UnknownKey):
        both.find("two", ISSUER)
    with pytest.raises(ValueError, match="each its own"):
        KeySet([mine, generate("RS256", ISSUER, "one")])


# ---- JSON Web Keys -------------------------------------------------------------------------------


@pytest.mark.parametrize("alg", PUBLIC)
def test_a_jwk_holds_the_public_half_and_is_read_again(alg):
    jwk = jwk_of(key(alg))
    members = {"RS256": {"n", "e"}, "ES256": {"crv", "x", "y"}, "EdDSA": {"crv", "x"}}[alg]
    assert set(jwk) == {"kty", "kid", "alg", "use"} | members
    again = from_jwk(jwk, ISSUER, audience="accounts", expires_at=5)
    assert again.verifies == key(alg).verifies
    assert (again.kid, again.alg, again.issuer, again.signs) == (f"the-{alg}", alg, ISSUER, None)
    assert (again.audience, again.expires_at) == ("accounts", 5)


def test_coordinates_with_leading_zeros_keep_their_length():
    """One point of 256 has a short x; as a number alone it would lose a byte (RFC 7518 §6.2.1.2)."""
    numbers = (ec.derive_private_key(d, ec.SECP256R1()) for d in range(1, 2000))
    private = next(one for one in numbers if one.public_key().public_numbers().x.bit_length() <= 248)
    jwk = jwk_of(Key("short", "ES256", ISSUER, private.public_key(), private))
    assert len(jwk["x"]) == len(jwk["y"]) == 43
    assert from_jwk(jwk, ISSUER).verifies == private.public_key()


def test_a_secret_in_a_jwk():
    assert from_jwk(OCT, ISSUER).verifies == bytes(range(32))


P256 = jwk_of(generate("ES256", ISSUER, "a key"))
RSA = jwk_of(generate("RS256", ISSUER, "a key"))
ED = jwk_of(generate("EdDSA", ISSUER, "a key"))
WRONG = [
    *[(OCT, {"kid": value}) for value in (None, 5, ["a key"])],
    *[(P256, {"alg": value}) for value in (None, "none", "HS256", "RS256", "ES384", "ECDH-ES", 5, ["ES256"])],
    *[(RSA, {"alg": value}) for value in (None, "HS256", "PS256", "RS512", "RSA-OAEP")],
    *[(P256, {"use": value}) for value in ("enc", None, 5, ["sig"], "SIG")],
    *[(P256, {"key_ops": value}) for value in ("verify", None, 5, [], ["sign"], ["sign, verify"], {"verify": 1})],
    *[(P256, {"crv": value}) for value in (None, "P-384", "secp256k1", "Ed25519", 5)],
    *[(P256, {"kty": value}) for value in (None, "OKP", "RSA", "oct", "ec", 5)],
    *[(P256, {"x": value}) for value in (None, 5, "", "AA", SECRET, P256["x"] + "=", "AA" + P256["x"], "?" * 43)],
    *[(ED, {"x": value}) for value in (None, 5, "", "AA", ED["x"] + "AA", ["x"])],
    *[(RSA, {"n": value}) for value in (None, 5, "", "AA", RSA["n"][:200], [RSA["n"]], "é")],
    *[(RSA, {"e": value}) for value in (None, 65537, "", "AA", "AQ", "Ag", "BA")],
    *[(OCT, {"k": value}) for value in (None, 5, "", SECRET[:40], SECRET + "=", list(SECRET))],
]


@pytest.mark.parametrize("place", range(len(WRONG)), ids=lambda place: f"{place}-{next(iter(WRONG[place][1]))}")
def test_a_jwk_that_is_wrong_says_so(place):
    jwk, change = WRONG[place]
    assert from_jwk(jwk, ISSUER)
    with pytest.raises(ValueError, match="JWK|for checking signatures|at least"):
        from_jwk(jwk | change, ISSUER)


@pytest.mark.parametrize("jwk", [OCT, P256, RSA, ED], ids=["oct", "EC", "RSA", "OKP"])
def test_a_jwk_that_lacks_a_member(jwk):
    for name in set(jwk) - {"use"}:
        with pytest.raises(ValueError, match="JWK"):
            from_jwk({other: jwk[other] for other in jwk if other != name}, ISSUER)


@pytest.mark.parametrize("name", ["x", "y"])
def test_a_coordinate_has_its_32_bytes_and_no_others(name):
    longer = base64url.encode(b"\0" + base64url.decode(P256[name]))  # the same number
    with pytest.raises(ValueError, match="32 bytes"):
        from_jwk(P256 | {name: longer}, ISSUER)


def test_what_is_no_object_is_no_jwk():
    for jwk in (None, [], "a key", 5, [OCT]):
        with pytest.raises(ValueError, match="JSON object"):
            from_jwk(jwk, ISSUER)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=50),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=3), inside, max_size=3),
    max_leaves=5,
)


MEMBERS = ["kty", "kid", "alg", "use", "key_ops", "crv", "x", "y", "n", "e", "k"]


@settings(UNHURRIED, max_examples=300)
@given(jwk=st.sampled_from([OCT, P256, RSA, ED]), change=st.dictionaries(st.sampled_from(MEMBERS), JSON))
def test_any_jwk_is_read_or_refused(jwk, change):
    with contextlib.suppress(ValueError):
        assert from_jwk(jwk | change, ISSUER).alg == jwk["alg"]
