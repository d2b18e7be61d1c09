"""Key rotation: who is logged out (nobody), what an emergency costs, and what is published when."""

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from token_cases import ISSUER, UNHURRIED

from labs.auth import tokens
from labs.auth.algorithms import ALGORITHMS
from labs.auth.jwks import JwksClient, publish
from labs.auth.keys import KeySet
from labs.auth.rotation import KeyRing
from labs.auth.token_errors import Expired, TokenRefused, UnknownKey
from labs.auth.tokens import Policy

CACHE, LIFETIME, LEEWAY = 300, 900, 30
START = 1_900_000_000


class World:
    """An issuer with a ring, and services that each keep what they fetched for as long as they may."""

    def __init__(self, services: int = 3, cooldown: float = CACHE, alg: str = "EdDSA"):
        self.now = float(START)
        self.ring = KeyRing(ISSUER, alg, cache=CACHE, lifetime=LIFETIME, leeway=LEEWAY, clock=lambda: self.now)
        times = {"lifetime": CACHE, "cooldown": cooldown, "stale_for": 0, "clock": lambda: self.now}
        self.clients = [JwksClient(ISSUER, lambda: publish(self.ring.published()), **times) for _ in range(services)]
        self.services = [Policy(ISSUER, "accounts", client, leeway=LEEWAY) for client in self.clients]

    def issue(self) -> str:
        return tokens.issue(self.ring.signing(), "ana", "accounts", self.now, LIFETIME)

    def accepted(self, token: str, service: int = 0) -> bool:
        try:
            return bool(tokens.verify(token, self.services[service], self.now))
        except TokenRefused:
            return False


def kids(ring):
    return [key.kid for key in ring.published()]


# ---- A planned rotation --------------------------------------------------------------------------


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_one_key_signs_and_is_published(alg):
    ring = KeyRing(ISSUER, alg)
    assert (ring.signing().alg, ring.signing().issuer) == (alg, ISSUER)
    assert kids(ring) == [ring.signing().kid]
    assert ring.signing() is ring.signing()


def test_what_is_published_cannot_sign():
    ring = KeyRing(ISSUER)
    ring.rotate()
    assert [key.signs for key in ring.published()] == [None, None]
    assert ring.signing().signs is not None


def test_a_new_key_is_announced_and_signs_a_cache_later_and_the_old_one_stays_for_its_tokens():
    world = World()
    ring, old = world.ring, world.ring.signing()
    new = ring.rotate()
    assert kids(ring) == [old.kid, new.kid]
    assert ring.signing() is old
    world.now = START + CACHE - 0.25
    assert ring.signing() is old
    world.now = START + CACHE
    assert ring.signing() is new
    world.now = START + CACHE + LIFETIME + LEEWAY - 0.25
    assert kids(ring) == [old.kid, new.kid]
    world.now = START + CACHE + LIFETIME + LEEWAY
    assert kids(ring) == [new.kid]


def test_two_rotations_in_a_row_sign_in_turn():
    world = World()
    ring, first = world.ring, world.ring.signing()
    second = ring.rotate()
    world.now += 100
    third = ring.rotate()
    assert kids(ring) == [first.kid, second.kid, third.kid]
    signing = {}
    for second_of in range(0, 500, 50):
        world.now = START + second_of
        signing[second_of] = ring.signing().kid
    assert [kid for at, kid in signing.items() if at < 300] == [first.kid] * 6
    assert [kid for at, kid in signing.items() if 300 <= at < 400] == [second.kid] * 2
    assert [kid for at, kid in signing.items() if at >= 400] == [third.kid] * 2
    world.now = START + CACHE + LIFETIME + LEEWAY
    assert kids(ring) == [second.kid, third.kid]
    world.now += 100
    assert kids(ring) == [third.kid]


@settings(UNHURRIED, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(["wait", "rotate"]), st.integers(1, 700), st.integers(0, 2)), max_size=25))
def test_no_rotation_logs_anybody_out(steps):
    """Whatever the services have cached, and however often keys are rotated: a token lives as long as it says."""
    world = World()
    living = []
    for step, seconds, service in steps:
        if step == "rotate":
            world.ring.rotate()
        living.append((world.issue(), world.now))
        assert world.accepted(living[-1][0], service)
        world.now += seconds
        for token, born in living:
            # A token says when it ends in whole seconds, and so does every step here.
            assert world.accepted(token, service) == (world.now < born + LIFETIME + LEEWAY)


def test_a_ring_does_not_grow():
    world = World()
    for _ in range(20):
        world.ring.rotate()
        world.now += 2000
    world.ring.rotate()
    assert len(kids(world.ring)) == len(world.ring._turns) == 2


# ---- An emergency --------------------------------------------------------------------------------


def test_an_emergency_logs_out_whom_the_key_had_signed_for_after_the_cache():
    world = World(services=1, cooldown=30)
    customers = [world.issue() for _ in range(20)]
    assert all(world.accepted(token) for token in customers)
    world.now += 100
    stolen = world.ring.signing()
    world.ring.remove(stolen.kid)
    assert stolen.kid not in kids(world.ring)
    assert world.ring.signing().kid in kids(world.ring)
    world.now = START + CACHE - 0.25
    assert sum(world.accepted(token) for token in customers) == 20  # still cached
    world.now = START + CACHE
    assert sum(world.accepted(token) for token in customers) == 0


def test_after_an_emergency_the_new_key_signs_at_once():
    world = World(services=1, cooldown=30)
    assert world.accepted(world.issue())
    world.now += 31
    world.ring.remove(world.ring.signing().kid)
    assert world.accepted(world.issue())  # the service has not seen its key, and asks
    world.ring.remove(world.ring.signing().kid)
    again = world.issue()
    assert not world.accepted(again)  # it has just asked
    world.now += 30
    assert world.accepted(again)


def test_the_removed_key_of_a_thief_opens_nothing_any_more():
    world = World(services=1, cooldown=30)
    stolen = world.ring.signing()
    world.ring.remove(stolen.kid)
    forged = tokens.issue(stolen, "ben", "accounts", world.now)
    with pytest.raises(UnknownKey):
        tokens.verify(forged, world.services[0], world.now)


def test_removing_an_announced_key_leaves_the_old_one_signing():
    world = World()
    ring, old = world.ring, world.ring.signing()
    ring.remove(ring.rotate().kid)
    world.now += 10_000
    assert ring.signing() is old
    assert kids(ring) == [old.kid]


def test_removing_an_announced_key_between_two():
    world = World()
    ring, first = world.ring, world.ring.signing()
    second = ring.rotate()
    world.now += 100
    third = ring.rotate()
    ring.remove(second.kid)
    world.now = START + CACHE + 99
    assert ring.signing() is first
    world.now = START + CACHE + 100
    assert ring.signing() is third
    world.now += LIFETIME + LEEWAY - 0.25
    assert kids(ring) == [first.kid, third.kid]
    world.now += 0.25
    assert kids(ring) == [third.kid]


def test_removing_the_key_that_signs_while_another_is_announced():
    world = World()
    ring, first = world.ring, world.ring.signing()
    announced = ring.rotate()
    ring.remove(first.kid)
    at_once = ring.signing()
    assert at_once.kid not in (first.kid, announced.kid)
    assert kids(ring) == [at_once.kid, announced.kid]
    world.now += CACHE
    assert ring.signing() is announced
    world.now += LIFETIME + LEEWAY
    assert kids(ring) == [announced.kid]


def test_removing_a_key_that_has_stopped_signing():
    world = World()
    ring, old = world.ring, world.ring.signing()
    new = ring.rotate()
    world.now += CACHE
    ring.remove(old.kid)
    for _ in range(2):
        assert ring.signing() is new
        assert kids(ring) == [new.kid]
        world.now += 10_000


def test_only_a_published_key_can_be_removed():
    world = World()
    old = world.ring.signing()
    world.ring.rotate()
    for kid in ("nobody", "", None):
        with pytest.raises(ValueError, match="publishes no key"):
            world.ring.remove(kid)
    world.now += CACHE + LIFETIME + LEEWAY
    with pytest.raises(ValueError, match="publishes no key"):
        world.ring.remove(old.kid)


OPERATION = st.tuples(st.sampled_from(["wait", "back", "rotate", "remove"]), st.integers(0, 1500))


@settings(UNHURRIED, max_examples=100)
@given(st.lists(OPERATION, max_size=30))
def test_whatever_happens_the_key_that_signs_is_published_and_a_removed_one_is_not(operations):
    world, removed = World(services=0), set()
    for operation, number in operations:
        if operation in ("wait", "back"):
            world.now += number if operation == "wait" else -number
        elif operation == "rotate":
            world.ring.rotate()
        else:
            gone = kids(world.ring)[number % len(kids(world.ring))]
            world.ring.remove(gone)
            removed.add(gone)
        assert world.ring.signing().kid in kids(world.ring)
        assert not removed & set(kids(world.ring))
        assert len(set(kids(world.ring))) == len(kids(world.ring))


def test_an_hs256_ring_is_shared_and_not_published():
    ring = KeyRing(ISSUER, "HS256")
    shared = Policy(ISSUER, "accounts", KeySet(ring.published()))
    assert tokens.verify(tokens.issue(ring.signing(), "ana", "accounts", START), shared, START)
    with pytest.raises(Expired):
        tokens.verify(tokens.issue(ring.signing(), "ana", "accounts", START), shared, START + LIFETIME + LEEWAY)
    with pytest.raises(ValueError, match="no public half"):
        publish(ring.published())
