"""Refresh tokens: one use each, families that end together, and what rivals, thieves and outages find."""

import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import fakeredis
import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, rule
from token_cases import UNHURRIED

from labs.auth.refresh import RefreshRefused, RefreshTokens
from labs.auth.stores import MemoryStore, RedisStore, SQLStore, StoreDown
from labs.auth.token_errors import TokenRefused

LIFETIME = 30 * 86_400


class Clock:
    def __init__(self):
        self.now = 1_900_000_000.0

    def __call__(self):
        return self.now


class WatchedStore(MemoryStore):
    """A store in which a rival comes in between, or which fails, before or after a chosen call."""

    def __init__(self):
        super().__init__()
        self.at, self.action, self.calls = None, None, 0

    def before(self, number, action):
        """Do `action` before the call of this number, counted from now."""
        self.at, self.action, self.calls = number, action, 0

    def _call(self, method, *arguments):
        if self.calls == self.at:
            self.at, action = None, self.action
            action()
        self.calls += 1
        return method(*arguments)

    def get(self, key):
        return self._call(super().get, key)

    def add(self, key, value):
        return self._call(super().add, key, value)

    def replace(self, key, old, new):
        return self._call(super().replace, key, old, new)

    def delete(self, key):
        return self._call(super().delete, key)


def down():
    raise StoreDown("down")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store():
    return WatchedStore()


@pytest.fixture
def refresh(store, clock):
    return RefreshTokens(store, clock=clock)


def refused(refresh, token, client="web", because=None):
    with pytest.raises(RefreshRefused, match=because) as caught:
        refresh.use(token, client)
    assert isinstance(caught.value, TokenRefused)


def works(refresh, token, client="web"):
    try:
        return refresh.use(token, client)[1]
    except RefreshRefused:
        return None


# ---- One use each --------------------------------------------------------------------------------


def test_each_use_gives_the_user_and_the_next_token(refresh):
    token = refresh.issue("ana", "web")
    for _ in range(5):
        user, new = refresh.use(token, "web")
        assert user == "ana"
        assert new != token
        token = new


def test_a_token_is_256_random_bits_and_says_nothing(refresh):
    tokens = {refresh.issue("ana", "web") for _ in range(500)}
    assert len(tokens) == 500
    assert {len(token) for token in tokens} == {43}
    assert not any("ana" in token or "." in token for token in tokens)


def test_at_rest_there_is_only_the_hash(refresh, store):
    token = refresh.issue("ana", "web")
    _, child = refresh.use(token, "web")
    kept = json.dumps(store._texts)
    for one in (token, child):
        assert one not in kept
        assert hashlib.sha256(one.encode()).hexdigest() in kept
        refused(refresh, hashlib.sha256(one.encode()).hexdigest(), because="not one of")
        refused(refresh, f"refresh:{hashlib.sha256(one.encode()).hexdigest()}", because="not one of")
    for key in store._texts:
        refused(refresh, key, because="not one of")


def test_a_used_token_is_refused_and_ends_its_family(refresh):
    token = refresh.issue("ana", "web")
    _, child = refresh.use(token, "web")
    _, grandchild = refresh.use(child, "web")
    refused(refresh, token, because="used before")
    refused(refresh, grandchild, because="ended")
    refused(refresh, child, because="ended")
    refused(refresh, token, because="ended")


@pytest.mark.parametrize("first", ["the thief", "the customer"])
def test_whoever_comes_second_ends_it_for_both(refresh, first):
    copied = refresh.issue("ana", "web")
    _, next_of_the_first = refresh.use(copied, "web")
    refused(refresh, copied, because="used before")
    refused(refresh, next_of_the_first, because="ended")


def test_a_family_that_ends_leaves_the_others_of_its_user(refresh):
    phone, laptop = refresh.issue("ana", "phone"), refresh.issue("ana", "web")
    _, child = refresh.use(laptop, "web")
    refused(refresh, laptop)
    refused(refresh, child)
    assert works(refresh, phone, "phone")


# ---- What must not end a family ------------------------------------------------------------------


@pytest.mark.parametrize(
    "token",
    [None, 5, b"bytes", "", "x", "A" * 43, "A" * 44, "A" * 10**6, "é" * 43, "\ud800" * 43, ["a"], "A" * 42 + "\n"],
    ids=lambda token: ascii(token)[:20],
)
def test_what_is_no_token_of_ours_is_refused_and_changes_nothing(refresh, store, token):
    good = refresh.issue("ana", "web")
    before = dict(store._texts)
    refused(refresh, token, because="not one of")
    assert not refresh.revoke(token)
    assert store._texts == before
    assert works(refresh, good)


@pytest.mark.parametrize("client", ["phone", "", "WEB", "web ", None, 5, ["web"]])
def test_another_client_is_refused_and_changes_nothing(refresh, store, client):
    used = refresh.issue("ana", "web")
    _, token = refresh.use(used, "web")
    before = dict(store._texts)
    for one in (token, used):
        refused(refresh, one, client, because="not one of")
    assert store._texts == before
    assert works(refresh, token)


# ---- When it ends --------------------------------------------------------------------------------


def test_a_family_ends_a_lifetime_after_its_log_in_however_busy(refresh, clock):
    token, began = refresh.issue("ana", "web"), clock.now
    while clock.now + 86_400 < began + LIFETIME:
        clock.now += 86_400
        _, token = refresh.use(token, "web")
    clock.now = began + LIFETIME - 0.25
    _, token = refresh.use(token, "web")
    clock.now = began + LIFETIME
    refused(refresh, token, because="expired")


def test_an_expired_token_that_was_used_is_a_copy_all_the_same(refresh, clock):
    token = refresh.issue("ana", "web")
    _, child = refresh.use(token, "web")
    clock.now += LIFETIME
    refused(refresh, child, because="expired")
    refused(refresh, token, because="used before")
    refused(refresh, child, because="ended")


def test_a_used_token_stays_known_as_long_as_its_family(refresh, clock, store):
    token = refresh.issue("ana", "web")
    child = works(refresh, token)
    store.sweep(clock.now + LIFETIME - 0.25)
    refused(refresh, token, because="used before")
    refused(refresh, child, because="ended")


def test_when_all_has_ended_the_store_may_forget_everything(refresh, clock, store):
    works(refresh, refresh.issue("ana", "web"))
    refresh.issue("ben", "web")
    store.sweep(clock.now + LIFETIME)
    assert store._texts == {}


def test_another_lifetime(store, clock):
    refresh = RefreshTokens(store, lifetime=60, clock=clock)
    token = refresh.issue("ana", "web")
    clock.now += 60
    refused(refresh, token, because="expired")


# ---- Revocation ----------------------------------------------------------------------------------


def test_log_out_ends_the_family_with_any_of_its_tokens(refresh):
    for used in (True, False):
        token = refresh.issue("ana", "web")
        child = works(refresh, token)
        assert refresh.revoke(token if used else child)
        refused(refresh, child, because="ended")
        assert not refresh.revoke(token)
        assert not refresh.revoke(child)


def test_what_has_expired_is_no_longer_there_to_revoke(refresh, clock):
    token = refresh.issue("ana", "web")
    clock.now += LIFETIME
    assert not refresh.revoke(token)
    assert refresh.revoke_all("ana") == 0


def test_log_out_everywhere_counts_what_was_live(refresh, clock):
    gone = refresh.issue("ana", "web")
    clock.now += LIFETIME / 2
    devices = [works(refresh, refresh.issue("ana", f"device {n}"), f"device {n}") for n in range(3)]
    bens = refresh.issue("ben", "web")
    refresh.revoke(refresh.issue("ana", "web"))
    clock.now += LIFETIME / 2
    assert refresh.revoke_all("ana") == 3
    for number, token in enumerate(devices):
        refused(refresh, token, f"device {number}", because="ended")
    refused(refresh, gone)
    assert works(refresh, bens)
    assert refresh.revoke_all("ana") == refresh.revoke_all("nobody") == 0
    assert works(refresh, refresh.issue("ana", "web"))


def test_a_users_list_does_not_grow(refresh, store, clock):
    for _ in range(50):
        refresh.revoke(refresh.issue("ana", "web"))
    assert len(store.get("families:ana")["families"]) == 1


# ---- Rivals --------------------------------------------------------------------------------------

CALLS = range(4)  # of the store, in one use, and in one log-in


def test_how_often_the_store_is_called(refresh, store):
    token = refresh.issue("ana", "web")
    assert store.calls == len(CALLS)
    store.calls = 0
    assert works(refresh, token)
    assert store.calls == len(CALLS)


@pytest.mark.parametrize("number", CALLS)
def test_of_two_who_use_a_token_at_once_one_wins(refresh, store, number):
    token, won = refresh.issue("ana", "web"), []
    store.before(number, lambda: won.append(works(refresh, token)))
    won.append(works(refresh, token))
    assert len(won) == 2
    child = [one for one in won if one]
    assert len(child) == 1
    refused(refresh, child[0])  # the second use ended the family


@pytest.mark.parametrize("number", CALLS)
@pytest.mark.parametrize("how", ["revoke", "revoke_all"])
def test_a_log_out_in_the_middle_leaves_nothing_that_works(refresh, store, number, how):
    token, ended = refresh.issue("ana", "web"), []
    act = {"revoke": lambda: refresh.revoke(token), "revoke_all": lambda: refresh.revoke_all("ana")}[how]
    store.before(number, lambda: ended.append(act()))
    child = works(refresh, token)
    assert ended in ([True], [1])
    assert child is None or number > 1  # then it was known to be live already
    for one in (child, token):
        refused(refresh, one)


@pytest.mark.parametrize("number", range(5))
def test_a_log_in_in_the_middle_of_a_log_out_is_ended_too_or_counts_as_later(refresh, store, number):
    old, new = refresh.issue("ana", "web"), []
    store.before(number, lambda: new.append(refresh.issue("ana", "phone")))
    ended = refresh.revoke_all("ana")
    refused(refresh, old)
    if new and ended == 2:
        refused(refresh, new[0], "phone")
    elif new:
        assert works(refresh, new[0], "phone")
        assert refresh.revoke_all("ana") == 1


@pytest.mark.parametrize("number", CALLS)
def test_a_log_out_everywhere_in_the_middle_of_a_log_in(refresh, store, number):
    done = []
    store.before(number, lambda: done.append(refresh.revoke_all("ana")))
    token = refresh.issue("ana", "web")
    if done == [1]:
        refused(refresh, token)
    else:
        assert done == [0]
        assert refresh.revoke_all("ana") == 1


@pytest.mark.parametrize("number", CALLS)
def test_two_log_ins_at_once_are_both_listed(refresh, store, number):
    refresh.issue("ana", "web")
    store.before(number, lambda: refresh.issue("ana", "phone"))
    refresh.issue("ana", "tablet")
    assert refresh.revoke_all("ana") == 3


def test_a_list_is_kept_as_long_as_its_longest_family(store, clock):
    for lifetime in (60, 600, 60):
        RefreshTokens(store, lifetime=lifetime, clock=clock).issue("ana", "web")
    store.sweep(clock.now + 599)
    assert RefreshTokens(store, clock=clock).revoke_all("ana") == 1


@pytest.fixture(params=["memory", "SQLite", "fakeredis"])
def any_store(request, tmp_path):
    match request.param:
        case "memory":
            yield MemoryStore()
        case "SQLite":
            store = SQLStore(f"sqlite:///{tmp_path}/refresh.db")
            yield store
            store._engine.dispose()
        case "fakeredis":
            yield RedisStore(fakeredis.FakeRedis())


def test_eight_at_once_on_every_store(any_store):
    refresh = RefreshTokens(any_store)
    for _ in range(3):
        token, together = refresh.issue("ana", "web"), threading.Barrier(8)

        def use(_, token=token, together=together):
            together.wait()
            return works(refresh, token)

        with ThreadPoolExecutor(8) as pool:
            children = [child for child in pool.map(use, range(8)) if child]
        assert len(children) == 1
        assert works(refresh, children[0]) is None  # the second use ended the family


def test_a_day_on_every_store(any_store):
    refresh = RefreshTokens(any_store)
    token, phone = refresh.issue("ana", "web"), refresh.issue("ana", "phone")
    used = token
    for _ in range(3):
        token = works(refresh, token)
    assert works(refresh, phone, "web") is None
    assert works(refresh, used) is None
    assert works(refresh, token) is None
    assert refresh.revoke_all("ana") == 1
    assert works(refresh, phone, "phone") is None


# ---- Outages -------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", CALLS)
def test_an_outage_is_no_refusal_and_costs_nobody_their_token(refresh, store, number):
    token = refresh.issue("ana", "web")
    store.before(number, down)
    with pytest.raises(StoreDown):
        refresh.use(token, "web")
    assert works(refresh, token)


@pytest.mark.parametrize("number", range(6))
def test_an_outage_in_the_middle_of_a_log_out_everywhere_can_be_repeated(refresh, store, number):
    tokens = [refresh.issue("ana", "web") for _ in range(2)]
    store.before(number, down)
    with pytest.raises(StoreDown):
        refresh.revoke_all("ana")
    refresh.revoke_all("ana")
    for token in tokens:
        refused(refresh, token)


def test_a_store_that_refuses_every_write_is_down():
    class Stuck(MemoryStore):
        def add(self, key, value):
            return False

    with pytest.raises(StoreDown, match="thousand"):
        RefreshTokens(Stuck()).issue("ana", "web")


# ---- Anything in any order -----------------------------------------------------------------------


class AnyOrder(RuleBasedStateMachine):
    """Two users and two clients, any tokens in any order, against the rules in their plainest form."""

    tokens = Bundle("tokens")

    def __init__(self):
        super().__init__()
        self.clock = Clock()
        self.refresh = RefreshTokens(MemoryStore(), lifetime=100, clock=self.clock)
        self.families = []  # {"user", "client", "ends", "live", "latest"}
        self.family_of = {}

    def is_live(self, family):
        return family["live"] and self.clock.now < family["ends"]

    @rule(target=tokens, user=st.sampled_from("ab"), client=st.sampled_from("xy"))
    def log_in(self, user, client):
        token = self.refresh.issue(user, client)
        family = {"user": user, "client": client, "ends": self.clock.now + 100, "live": True, "latest": token}
        self.families.append(family)
        self.family_of[token] = family
        return token

    @rule(target=tokens, token=tokens, client=st.sampled_from("xy"))
    def use(self, token, client):
        family = self.family_of[token]
        good = self.is_live(family) and client == family["client"] and token == family["latest"]
        if good:
            user, family["latest"] = self.refresh.use(token, client)
            assert user == family["user"]
            self.family_of[family["latest"]] = family
            return family["latest"]
        refused(self.refresh, token, client)
        if client == family["client"] and token != family["latest"]:
            family["live"] = False
        return token

    @rule(token=tokens)
    def log_out(self, token):
        family = self.family_of[token]
        assert self.refresh.revoke(token) == self.is_live(family)
        family["live"] = False

    @rule(user=st.sampled_from("ab"))
    def log_out_everywhere(self, user):
        theirs = [family for family in self.families if family["user"] == user]
        assert self.refresh.revoke_all(user) == sum(map(self.is_live, theirs))
        for family in theirs:
            family["live"] = False

    @rule(seconds=st.integers(0, 60))
    def wait(self, seconds):
        self.clock.now += seconds


AnyOrder.TestCase.settings = settings(UNHURRIED, max_examples=60, stateful_step_count=30)
TestAnyOrder = AnyOrder.TestCase


@UNHURRIED
@given(st.text() | st.none() | st.binary() | st.integers(), st.text() | st.none() | st.integers())
def test_any_token_and_any_client(token, client):
    refused(RefreshTokens(MemoryStore()), token, client)
