"""The parts of the attacks on tokens: the search for a secret, the list, the evidence; the flaws beside the rule."""

import hashlib
import hmac
import inspect

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from token_cases import ISSUER, NOW, UNHURRIED, VERIFIERS, compact, key, policy, signature_of, signed, with_signature

from labs.attacks import cracking, forging
from labs.attacks.compact import about
from labs.attacks.token_target import TokenTarget
from labs.auth import algorithms, tokens
from labs.auth.algorithms import ORDER
from labs.auth.token_errors import TokenRefused
from labs.bench import learner_seed
from labs.servers.flaws import ecdsa
from labs.servers.flaws import tokens as flaws
from labs.servers.flaws.token_bank import GATES, guessable, key_folder, new_key, token_bank

# ---- the secret ------------------------------------------------------------------------------------------------

HEADER = {"alg": "HS256"}


def token_with(secret):
    return compact(HEADER, {"sub": "mallory"}, lambda data: hmac.digest(secret, data, "sha256"))


@given(st.binary(max_size=200))
@UNHURRIED
def test_its_hmac_is_the_standard_s(secret):
    assert cracking.crack(token_with(secret), [b"not this one", secret]).tries == 2


@pytest.mark.parametrize("place", [0, 1, 8191, 8192, 8193, 20_000])
def test_it_counts_the_guesses_up_to_the_secret(place):
    candidates = [f"no-{n}".encode() for n in range(place)] + [b"the one"] + [b"after"] * 9
    seen = []
    guessed = cracking.crack(token_with(b"the one"), candidates, seen.append)
    assert (guessed.secret, guessed.tries) == (b"the one", place + 1)
    assert [one.tries for one in seen] == [*range(8192, place + 1, 8192), place + 1][-len(seen) :]
    assert seen[-1] == guessed
    assert guessed.rate > 0


def test_nothing_found_is_none():
    guessed = cracking.crack(token_with(b"another"), (b"%d" % n for n in range(10_000)))
    assert (guessed.secret, guessed.tries) == (None, 10_000)


def test_a_bar_ends_with_a_line_of_its_own(capsys):
    draw = cracking.bar(10_000)
    draw(cracking.Guessed(None, 5_000, 0.5))
    draw(cracking.Guessed(b"fern", 6_000, 0.5))
    out = capsys.readouterr().out
    assert out.split("\r")[1] == "[" + "#" * 20 + "." * 20 + "]     5,000 of 10,000     10,000 guesses/s"
    assert out.endswith("guesses/s found: fern\n")


def test_a_bar_that_found_nothing_ends_too(capsys):
    cracking.bar(100)(cracking.Guessed(None, 100, 1.0))
    assert capsys.readouterr().out.endswith("]       100 of 100        100 guesses/s\n")


def test_the_list_holds_each_word_once_and_no_more_guesses_than_a_lesson_can_wait_for():
    words = cracking.word_list()
    assert len(words) == len(set(words)) > 500
    assert all(word == word.strip() and word.isascii() and word.isprintable() for word in words)
    guesses = list(cracking.guesses(words))
    assert 200_000 < len(guesses) < 500_000
    assert len(set(guesses)) > 0.95 * len(guesses)


@pytest.mark.parametrize("seed", ["fernbank", "another", "", "7"])
def test_every_learner_s_weak_secret_is_found_neither_at_once_nor_never(seed):
    place = list(cracking.guesses(cracking.word_list())).index(guessable(seed).encode())
    assert place > 100_000
    assert guessable() == guessable(learner_seed())


# ---- what an attack gives back -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "attack", "tries"),
    [
        ("believes none", forging.none, 1),
        ("the header chooses", forging.confusion, 1),
        ("kid is a path", forging.kid_traversal, 1),
        ("kid in a query", forging.kid_sql, 1),
        ("follows jku", forging.jku, 1),
        ("trusts its jwk", forging.embedded_jwk, 1),
        ("r and s unasked", forging.zeros, 1),
    ],
)
def test_the_evidence_holds_what_was_sent_and_what_came_back(name, attack, tries):
    alg, gate = GATES[name]
    with token_bank(new_key(alg), gate) as bank:
        attempt = attack(TokenTarget(bank.identity, bank.accounts))
        assert [exchange.path for exchange in attempt.exchanges] == ["/balance", "/transfer"]
        assert attempt.tries == tries
        assert attempt.captured["token"] in attempt.sent[0]
        assert str(attempt.captured["balance"]) in attempt.received[0]
        assert attempt.captured["owner"] == "ana"
        assert about(attempt.captured["token"])[1]["sub"] == "ana"
        lost = [str(event) for event in bank.record.lost("ana")]
        assert lost == ["mallory read ana's balance", "mallory moved 100 of ana's ferns to mallory"]


@pytest.mark.parametrize("spelling", forging.SPELLINGS)
def test_whoever_bans_one_spelling_takes_every_other(spelling):
    with token_bank(new_key("ES256"), flaws.BansOneSpelling) as bank:
        forging.none(TokenTarget(bank.identity, bank.accounts), (spelling,))
        assert len(bank.record.lost("ana")) == 2


def test_an_attack_on_ben_costs_ben():
    with token_bank(new_key("ES256"), flaws.BelievesNone) as bank:
        forging.none(TokenTarget(bank.identity, bank.accounts, victim="ben"))
        assert len(bank.record.lost("ben")) == 2
        assert bank.record.lost("ana") == []


def test_one_that_fails_captures_nothing():
    with token_bank(new_key("ES256")) as bank:
        attempt = forging.none(TokenTarget(bank.identity, bank.accounts), forging.SPELLINGS)
        assert (attempt.captured, attempt.tries) == ({}, len(forging.SPELLINGS))


def test_who_finds_no_secret_sends_nothing():
    with token_bank(new_key("HS256")) as bank:
        attempt = cracking.weak_secret(TokenTarget(bank.identity, bank.accounts), [b"a", b"b"])
        assert (attempt.exchanges, attempt.captured, attempt.tries) == ([], {"guesses": 2}, 0)
        assert len(bank.accounts.log) == 0


def test_mallory_s_server_is_gone_after_the_attack():
    with token_bank(new_key("ES256"), flaws.FollowsJku) as bank:
        attempt = forging.jku(TokenTarget(bank.identity, bank.accounts))
        address = about(attempt.captured["token"])[0]["jku"]
        with pytest.raises(TokenRefused):
            flaws.FollowsJku(policy())(attempt.captured["token"])
        assert address.startswith("http://127.0.0.1:")


# ---- a flaw, and nothing else ------------------------------------------------------------------------------------


def all_of_them(trusted):
    for name, (alg, gate) in GATES.items():
        if alg != "HS256":  # those with secrets in files and tables know no other algorithm
            yield name, gate(trusted)


FEW = settings(UNHURRIED, max_examples=25)  # the sum by hand takes many milliseconds


@given(st.sampled_from(["ES256", "RS256", "EdDSA"]), st.data())
@FEW
def test_what_has_no_forged_header_every_verifier_judges_as_the_rule_does(alg, data):
    changes = data.draw(st.dictionaries(st.sampled_from(["iss", "aud", "exp", "sub", "typ"]), st.none(), max_size=2))
    token = signed(alg, claims=changes)
    if data.draw(st.booleans()):
        token = with_signature(token, signature_of(token)[:-1] + b"\0")
    trusted = policy()
    for name, verify in all_of_them(trusted):
        verify._clock = lambda: NOW
        assert judged(verify, token) == judged(lambda token: VERIFIERS[0](token, trusted), token), name


def judged(verify, token):
    try:
        return verify(token)
    except TokenRefused:
        return "refused"


def test_the_frame_of_the_flaws_is_the_rule_itself():
    calls = {"jws.read", "jws.verify", "tokens.find_key", "tokens.check", "jws.json_object"}
    source = inspect.getsource(flaws.Verifier)
    assert all(call in source for call in calls)
    ours = inspect.getsource(tokens.verify)
    assert all(call.removeprefix("tokens.") in ours for call in calls)


def test_each_flaw_is_marked_with_its_source():
    marked = [
        flaws.BelievesNone, flaws.BansOneSpelling, flaws.HeaderChooses, flaws.WeakKey, flaws.KidIsPath,
        flaws.KidInQuery, flaws.FollowsJku, flaws.TrustsItsJwk, flaws.ToyEcdsa,
    ]  # fmt: skip
    for one in marked:
        assert inspect.getsource(one).count("VULNERABLE: ") == 1, one
    mended = [flaws.Verifier, flaws.KidIsName, flaws.KidInTable, flaws.CarefulEcdsa]
    assert not any("VULNERABLE" in inspect.getsource(one) for one in mended)


KIDS = ["a", "..", "", ".", "/dev/zero", "\0", "x" * 5000, "'", "\ud800", 5, None, ["a"], True]
JKUS = [5, None, "", "file:///etc/hostname", "http://mallory.example/", "http://127.0.0.1:1/", []]
JWKS = [5, None, "", {}, [], {"kid": "m"}, {"kid": "m", "kty": "oct", "k": "AA", "alg": "HS256"}]


@pytest.mark.parametrize("kid", KIDS)
@pytest.mark.parametrize("name", ["kid is a path", "kid is a name", "kid in a query", "kid as a parameter"])
def test_no_kid_makes_a_look_up_raise_anything_else(name, kid):
    trusted = policy()
    _, gate = GATES[name]
    secrets = tokens.Policy(ISSUER, "accounts", type(trusted.keys)([key("HS256")]))
    token = compact({"alg": "HS256", "kid": kid}, {"sub": "ana"}, lambda data: bytes(32))
    with pytest.raises(TokenRefused):
        gate(secrets)(token)


@pytest.mark.parametrize("jku", JKUS)
def test_no_jku_makes_it_raise_anything_else_or_leave_this_machine(jku):
    token = compact({"alg": "ES256", "kid": "m", "jku": jku}, {"sub": "ana"}, lambda data: bytes(64))
    with pytest.raises(TokenRefused):
        flaws.FollowsJku(policy())(token)


@pytest.mark.parametrize("jwk", JWKS)
def test_no_jwk_makes_it_raise_anything_else(jwk):
    token = compact({"alg": "ES256", "kid": "m", "jwk": jwk}, {"sub": "ana"}, lambda data: bytes(64))
    with pytest.raises(TokenRefused):
        flaws.TrustsItsJwk(policy())(token)


def test_the_folder_of_secrets_goes_with_its_policy():
    trusted = tokens.Policy(ISSUER, "accounts", type(policy().keys)([key("HS256")]))
    folder = key_folder(trusted)
    assert (folder / key("HS256").kid).read_bytes() == key("HS256").verifies
    del trusted
    assert not folder.exists()


# ---- the sum -----------------------------------------------------------------------------------------------------


def is_good(signature, data):
    numbers = key("ES256").verifies.public_numbers()
    point = (numbers.x, numbers.y)
    return [judge(signature, data, point) for judge in (ecdsa.is_signature, ecdsa.is_signature_in_range)]


@given(st.binary(max_size=50), st.integers(0, 511))
@FEW
def test_the_toy_agrees_with_the_library_but_for_zeros(data, bit):
    signature = algorithms.sign("ES256", key("ES256").signs, data)
    assert is_good(signature, data) == [True, True]
    assert is_good(signature, data + b"x") == [False, False]
    changed = bytearray(signature)
    changed[bit // 8] ^= 1 << bit % 8
    assert is_good(bytes(changed), data) == [False, False]
    assert not algorithms.verify("ES256", key("ES256").verifies, bytes(changed), data)


def test_zeros_are_a_signature_of_everything_for_who_does_not_ask():
    for data in (b"", b"anything", hashlib.sha256(b"x").digest()):
        assert is_good(bytes(64), data) == [True, False]
        order = ORDER.to_bytes(32, "big")
        assert is_good(order + order, data)[1] is False


def test_a_forged_token_changes_the_subject_and_what_was_asked_for():
    from labs.attacks.compact import forged, unsigned

    token = signed("ES256", claims={"roles": ["customer"], "name": "Zoë"})
    header, claims = about(token)
    assert about(forged(token, "ana", unsigned, alg="none")) == (header | {"alg": "none"}, claims | {"sub": "ana"})
