"""What the attacks of lesson 32 give back, and what they are made of."""

import pytest

from labs.attacks import claims, composition
from labs.attacks.claims_target import ClaimsTarget
from labs.attacks.compact import about
from labs.auth.algorithms import ORDER
from labs.bench import BenchError, skip
from labs.servers.flaws.claims_bank import CLAIM_GATES, claims_bank
from labs.servers.flaws.nested import encryption_key
from labs.servers.flaws.token_bank import new_key

KEY, ENCRYPTION = new_key("ES256"), encryption_key()


def opened(name):
    return claims_bank(KEY, *CLAIM_GATES[name], encryption=ENCRYPTION)


@pytest.fixture(autouse=True)
def _time_comes_back():
    yield
    skip.reset()


@pytest.mark.parametrize(
    ("name", "attack", "tries"),
    [
        ("any audience", claims.cross_service, 1),
        ("any type", claims.id_token, 1),
        ("a long leeway", claims.expired, 1),
        ("no end is fine", claims.endless, 1),
        ("a list of texts, = is skipped", claims.respelt, 1),
        ("a list of texts", claims.twin, 1),
        ("verified only if signed", composition.encrypted_claims, 1),
        ("verified only if signed, plain", composition.encrypted_plain, 1),
    ],
)
@pytest.mark.parametrize("victim", ["ana", "ben"])
def test_the_evidence_holds_what_was_sent_and_what_came_back(name, attack, tries, victim):
    with opened(name) as bank:
        attempt = attack(ClaimsTarget(bank.identity, bank.accounts, victim))
        assert [exchange.path for exchange in attempt.exchanges] == ["/balance", "/transfer"]
        assert attempt.tries == tries
        assert attempt.captured["token"] in attempt.sent[0]
        assert attempt.captured["owner"] == victim
        lost = [str(event) for event in bank.record.lost(victim)]
        assert lost == [f"mallory read {victim}'s balance", f"mallory moved 100 of {victim}'s ferns to mallory"]
        assert bank.record.lost("ben" if victim == "ana" else "ana") == []


def test_one_that_fails_captures_nothing():
    with opened("the course's own") as bank:
        attempt = claims.respelt(ClaimsTarget(bank.identity, bank.accounts))
        assert (attempt.captured, attempt.tries) == ({}, 2)
        assert {exchange.status for exchange in attempt.exchanges} == {401}


def test_bloom_is_handed_what_the_victim_asked_for():
    with opened("the course's own") as bank:
        target = ClaimsTarget(bank.identity, bank.accounts)
        header, said = about(target.sent_to_bloom(audience="statements"))
        assert (header["typ"], said["aud"], said["sub"]) == ("at+jwt", "statements", "ana")
        header, said = about(target.sent_to_bloom("id_token", client="accounts"))
        assert (header["typ"], said["aud"], said["sub"]) == ("JWT", "accounts", "ana")
        assert "exp" not in about(target.sent_to_bloom(path="/standing-order"))[1]
        with pytest.raises(BenchError, match="Ana could not log in: 400"):
            target.sent_to_bloom(audience="nobody")
        with pytest.raises(BenchError, match="Ana could not end her token: 401"):
            target.victim_ends("a.b.c")


def test_encryption_takes_no_secret():
    with opened("encrypted, signed inside") as bank:
        published = ClaimsTarget(bank.identity, bank.accounts).encryption_key()
        assert set(published) == {"kty", "n", "e", "kid", "use", "alg"}


def test_it_knows_how_many_numbers_s_there_are():
    assert claims.ORDER == ORDER
