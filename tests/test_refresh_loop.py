"""The refresh loop: each rule by hand, and what must hold in whatever order things happen."""

import copy
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.auth.refresh_loop import start, step


def after(*events, state=None):
    """The state after these events, and the actions of the last."""
    state, actions = state or start("t1"), []
    for kind, *rest in events:
        names = {"unauthorized": ["id", "token"], "refreshed": ["token"]}.get(kind, ["id"])
        state, actions = step(state, {"type": kind, **dict(zip(names, rest, strict=False))})
    return state, actions


def late(*ids, token="t1"):
    return [("unauthorized", id, token) for id in ids]


def requests(*ids):
    return [("request", id) for id in ids]


class TestRefresh:
    def test_a_request_goes_out_at_once(self):
        assert after(("request", "a"))[1] == [["send", "a", "t1"]]

    def test_the_first_401_asks_for_a_refresh_and_the_others_wait(self):
        assert after(*requests("a", "b"), *late("a"))[1] == [["refresh"]]
        assert after(*requests("a", "b"), *late("a", "b"))[1] == []

    def test_all_that_waited_goes_out_with_the_new_token(self):
        events = [*requests("a", "b"), *late("a", "b"), ("request", "c"), ("refreshed", "t2")]
        assert after(*events)[1] == [["send", "a", "t2"], ["send", "b", "t2"], ["send", "c", "t2"]]
        assert after(*events, ("request", "d"))[1] == [["send", "d", "t2"]]

    def test_a_401_for_the_token_before_starts_no_second_refresh(self):
        events = [*requests("a", "b"), *late("a"), ("refreshed", "t2")]
        assert after(*events, *late("b"))[1] == [["send", "b", "t2"]]

    def test_a_401_for_an_older_token_waits_while_a_refresh_is_under_way(self):
        events = [*requests("a", "b"), *late("a"), ("refreshed", "t2"), ("request", "c"), *late("c", token="t2")]
        assert after(*events)[1] == [["refresh"]]
        assert after(*events, *late("b"))[1] == []
        assert after(*events, *late("b"), ("refreshed", "t3"))[1] == [["send", "c", "t3"], ["send", "b", "t3"]]

    def test_a_request_is_sent_twice_at_most(self):
        events = [("request", "a"), *late("a"), ("refreshed", "t2")]
        state, actions = after(*events, *late("a", token="t2"))
        assert actions == [["fail", "a"]]
        assert after(("request", "b"), state=state)[1] == [["send", "b", "t2"]]

    def test_who_waited_before_the_first_send_may_be_sent_twice_as_well(self):
        events = [("request", "a"), *late("a"), ("request", "b"), ("refreshed", "t2")]
        assert after(*events, *late("b", token="t2"))[1] == [["refresh"]]

    def test_what_is_over_is_forgotten(self):
        events = [*requests("a", "b"), *late("a"), ("refreshed", "t2"), *late("a", token="t2"), ("answered", "b")]
        assert after(*events)[0]["sent"] == {}


class TestEnd:
    def test_a_refusal_logs_out_and_fails_what_waits(self):
        events = [*requests("a", "b"), *late("a"), ("request", "c"), ("refused",)]
        state, actions = after(*events)
        assert actions == [["fail", "a"], ["fail", "c"], ["logout"]]
        assert after(*late("b"), state=state)[1] == [["fail", "b"]]
        assert after(("request", "d"), state=state)[1] == [["fail", "d"]]

    def test_an_outage_fails_what_waits_and_the_next_401_asks_again(self):
        state, actions = after(*requests("a", "b"), *late("a"), ("unavailable",))
        assert actions == [["fail", "a"]]
        assert after(*late("b"), state=state)[1] == [["refresh"]]

    def test_a_log_out(self):
        state, actions = after(("request", "a"), *late("a"), ("logout",))
        assert actions == [["fail", "a"], ["logout"]]
        assert after(("logout",), state=state)[1] == []

    @pytest.mark.parametrize("end", [("refreshed", "t2"), ("refused",), ("unavailable",)])
    def test_a_refresh_that_ends_after_the_log_out_does_nothing(self, end):
        state, actions = after(("request", "a"), *late("a"), ("logout",), end)
        assert actions == []
        assert state["token"] is None

    def test_a_request_of_before_the_log_in_is_not_sent_as_somebody_else(self):
        assert after(*late("a"), state=start("ben's"))[1] == [["fail", "a"]]


def test_an_event_that_there_is_not_is_an_error():
    with pytest.raises(KeyError):
        step(start("t1"), {"type": "request"})


class World:
    """A client run by step(), with a server whose tokens end at will, and answers that come in any order."""

    def __init__(self, seed):
        self.random, self.state, self.valid, self.numbers = random.Random(seed), start("t0"), "t0", 0
        self.flying, self.refreshing, self.open, self.ended, self.sends = [], 0, set(), [], {}
        self.refreshes = self.expiries = 0

    def happens(self, **event):
        before = copy.deepcopy((self.state, event))
        state, actions = step(self.state, event)
        assert (self.state, event) == before
        self.state = state
        for action in actions:
            self.do(*action)

    def do(self, what, id=None, token=None):
        if what == "refresh":
            assert not self.refreshing
            self.refreshing, self.refreshes = True, self.refreshes + 1
        elif what == "send":
            assert id in self.open
            self.sends[id] = self.sends.get(id, 0) + 1
            self.flying.append((id, token))
        elif what == "fail":
            self.open.remove(id)
            self.ended.append(id)

    def one_step(self, choice):
        if choice == "request":
            id = f"r{len(self.open) + len(self.ended)}"
            self.open.add(id)
            self.happens(type="request", id=id)
        elif choice == "answer" and self.flying:
            id, token = self.flying.pop(self.random.randrange(len(self.flying)))
            if token == self.valid:
                self.open.remove(id)
                self.ended.append(id)
                self.happens(type="answered", id=id)
            else:
                self.happens(type="unauthorized", id=id, token=token)
        elif choice == "expiry" and self.state["token"] == self.valid:
            self.valid, self.expiries = None, self.expiries + 1
        elif choice in ("refreshed", "refused", "unavailable") and self.refreshing:
            self.refreshing = False
            if choice == "refreshed":
                self.numbers += 1
                self.valid = f"t{self.numbers}"
            self.happens(type=choice, **({"token": self.valid} if choice == "refreshed" else {}))

    def settle(self, end):
        while self.flying or self.refreshing:
            self.one_step("answer")
            self.one_step(end)


CHOICES = ["request", "answer", "expiry", "refreshed", "unavailable"]


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**9), st.lists(st.sampled_from(CHOICES), max_size=120))
def test_in_whatever_order(seed, choices):
    world = World(seed)
    for choice in choices:
        world.one_step(choice)
    world.settle("refreshed")
    assert world.open == set()
    assert len(world.ended) == len(set(world.ended))
    assert max(world.sends.values(), default=0) <= 2
    assert world.state["waiting"] == []
    assert world.state["sent"] == {}


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**9), st.lists(st.sampled_from(["request", "answer", "expiry", "refreshed"]), max_size=120))
def test_never_more_refreshes_than_tokens_that_ended(seed, choices):
    world = World(seed)
    for choice in choices:
        world.one_step(choice)
    world.settle("refreshed")
    assert world.refreshes <= world.expiries


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**9), st.lists(st.sampled_from([*CHOICES, "refused"]), max_size=80))
def test_after_a_refusal_nothing_is_sent(seed, choices):
    world = World(seed)
    for choice in choices:
        world.one_step(choice)
    world.settle("refused")
    sent = dict(world.sends)
    if world.state["token"] is None:
        world.one_step("request")
        assert world.sends == sent
    assert world.open == set()
