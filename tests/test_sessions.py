"""Sessions: what ends them, what does not, and what is left when rivals and outages come in the middle."""

import hashlib
import json
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import fakeredis
import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from labs.auth.sessions import Sessions
from labs.auth.stores import MemoryStore, RedisStore, SQLStore, StoreDown

IDLE, ABSOLUTE = 1800, 28800
START = 1_900_000_000


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now

    def skip(self, seconds):
        self.now += seconds


class WatchedStore:
    """A store in memory that can be interrupted, and that can fail, at a chosen call.

    `interrupt(when, method, function, keys)`: run `function` once, "before" or "after" the next call of
    `method` for a key that starts with `keys`: what a rival does while somebody is in the middle of something.
    `fail(number, done)`: the call of that number from now raises StoreDown, `done` or not.
    """

    def __init__(self):
        self.records = MemoryStore()
        self.interrupts = []
        self.fails_in, self.done = None, False
        self.last_call = self.failed_call = None

    def interrupt(self, when, method, function, keys=""):
        self.interrupts.append((when, method, keys, function))

    def fail(self, number, done):
        self.fails_in, self.done = number, done

    def mend(self):
        self.fails_in = None

    def get(self, key):
        return self._call("get", key)

    def add(self, key, value):
        return self._call("add", key, value)

    def replace(self, key, old, new):
        return self._call("replace", key, old, new)

    def delete(self, key):
        return self._call("delete", key)

    def _call(self, method, key, *values):
        self._interrupt("before", method, key)
        self.last_call = method
        if self.fails_in == 0:
            self.failed_call = method
            if self.done:
                getattr(self.records, method)(key, *values)
            raise StoreDown("down")
        result = getattr(self.records, method)(key, *values)
        if self.fails_in is not None:
            self.fails_in -= 1
        self._interrupt("after", method, key)
        return result

    def _interrupt(self, when, method, key):
        for interrupt in self.interrupts:
            if interrupt[:2] == (when, method) and key.startswith(interrupt[2]):
                self.interrupts.remove(interrupt)
                return interrupt[3]()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store():
    return WatchedStore()


@pytest.fixture
def sessions(store, clock):
    return Sessions(store, idle_timeout=IDLE, absolute_timeout=ABSOLUTE, clock=clock)


def key_of(id):
    return "session:" + hashlib.sha256(id.encode()).hexdigest()


def listed(store, user):
    return (store.get("user:" + user) or {"sessions": []})["sessions"]


class TestRecord:
    def test_a_login(self, sessions, clock):
        assert sessions.load(sessions.create("ana", elevated=True)) == {
            "user": "ana",
            "elevated": True,
            "data": {},
            "created_at": START,
            "last_seen": START,
            "expires_at": START + IDLE,
        }

    def test_an_anonymous_session(self, sessions, store):
        session = sessions.load(sessions.create())
        assert (session["user"], session["elevated"]) == (None, False)

    def test_a_load_moves_last_seen_and_nothing_else(self, sessions, clock):
        first = sessions.load(id := sessions.create("ana"))
        clock.skip(100)
        assert sessions.load(id) == {**first, "last_seen": START + 100, "expires_at": START + 100 + IDLE}

    def test_what_load_gives_is_a_copy(self, sessions):
        id = sessions.create("ana")
        sessions.load(id)["user"] = "mallory"
        sessions.load(id)["data"]["basket"] = "full"
        assert sessions.load(id)["user"] == "ana"
        assert sessions.load(id)["data"] == {}

    def test_expires_at_is_the_next_timeout_that_strikes(self, sessions, clock):
        id = sessions.create("ana")
        for _ in range(16):
            clock.skip(IDLE - 60)
            expires_at = sessions.load(id)["expires_at"]
        assert clock.now < expires_at == START + ABSOLUTE

    def test_it_is_kept_as_long_as_it_lives(self, sessions, store, clock):
        """A store that tidies up by `expires_at` takes away what has ended, and nothing that lives."""
        id = sessions.create("ana")
        clock.skip(1000)
        sessions.load(id)
        clock.skip(IDLE - 1)
        assert store.records.sweep(clock()) == 0
        clock.skip(1)
        assert store.records.sweep(clock()) == 1


class TestId:
    def test_it_is_256_random_bits(self, sessions, monkeypatch):
        asked = []
        monkeypatch.setattr("secrets.token_urlsafe", lambda size: asked.append(size) or "A" * 43)
        assert sessions.create() == "A" * 43
        assert asked == [32]

    def test_it_is_never_the_same(self, sessions):
        assert len({sessions.create() for _ in range(1000)}) == 1000

    def test_the_store_never_sees_it(self, sessions, store, clock):
        ids = [sessions.create("ana")]
        ids.append(sessions.rotate(ids[0], "ana"))
        sessions.save(ids[1], {"basket": ["fern"]})
        dump = json.dumps(store.records._texts)
        assert hashlib.sha256(ids[1].encode()).hexdigest() in dump
        assert all(id not in dump for id in ids)

    def test_what_the_store_holds_is_no_id(self, sessions, store):
        id = sessions.create("ana")
        for text in [key_of(id), key_of(id).removeprefix("session:"), "user:ana"]:
            assert sessions.load(text) is None

    def test_a_planted_id_is_not_adopted(self, sessions, store):
        planted = "A" * 43
        assert sessions.load(planted) is None
        assert sessions.save(planted, {}) is False
        assert sessions.rotate(planted, "ana") != planted
        assert sessions.load(planted) is None

    @pytest.mark.parametrize(
        "id",
        [None, "", "x", "A" * 42, "A" * 44, "A" * 100_000, "A" * 42 + "é", "A" * 42 + "\n", "A" * 43 + "\n"]
        + ["A" * 42 + "=", "A" * 42 + "\ud800", "٣" * 43, b"A" * 43, 7, 1.5, True, ["A"], {"A": 1}, object()],
        ids=lambda id: repr(id)[:20],
    )
    def test_malformed(self, sessions, store, id):
        assert sessions.load(id) is None
        assert sessions.save(id, {}) is False
        assert sessions.revoke(id) is False
        assert store.last_call is None, "the store is not even asked"
        assert sessions.load(sessions.rotate(id, "ana"))["user"] == "ana"

    def test_taken_as_after_a_lost_answer(self, sessions, store, monkeypatch):
        store.interrupt("before", "add", lambda: store.records.add(key_of("A" * 43), {"somebody": "else"}))
        ids = iter(["A" * 43, "B" * 43])
        monkeypatch.setattr("secrets.token_urlsafe", lambda size: next(ids))
        assert sessions.create("ana") == "B" * 43
        assert listed(store, "ana") == [key_of("B" * 43)]


class TestTimeouts:
    @pytest.mark.parametrize(("silence", "live"), [(IDLE - 1, True), (IDLE, False), (IDLE + 1, False)])
    def test_idle(self, sessions, clock, silence, live):
        id = sessions.create("ana")
        clock.skip(600)
        sessions.load(id)
        clock.skip(silence)
        assert (sessions.load(id) is not None) is live

    @pytest.mark.parametrize(
        ("last", "live"), [(ABSOLUTE - 1, True), (ABSOLUTE, False), (ABSOLUTE + 1, False)]
    )
    def test_absolute_however_busy(self, sessions, clock, last, live):
        id = sessions.create("ana")
        while clock.now + IDLE / 2 < START + ABSOLUTE:
            clock.skip(IDLE / 3)
            assert sessions.load(id)
        clock.now = START + last
        assert (sessions.load(id) is not None) is live

    def test_every_load_counts(self, sessions, clock):
        id = sessions.create("ana")
        for _ in range(100):
            clock.skip(1)
            sessions.load(id)
        clock.skip(IDLE - 1)
        assert sessions.load(id)

    def test_a_save_is_no_sign_of_life(self, sessions, clock):
        id = sessions.create("ana")
        clock.skip(IDLE - 1)
        sessions.save(id, {"n": 1})
        clock.skip(1)
        assert sessions.load(id) is None

    @pytest.mark.parametrize("method", ["load", "save", "revoke", "rotate", "revoke_all"])
    def test_what_has_ended_is_deleted_and_counts_for_nothing(self, sessions, store, clock, method):
        id = sessions.create("ana")
        sessions.save(id, {"basket": ["fern"]})
        clock.skip(IDLE)
        match method:
            case "load":
                assert sessions.load(id) is None
            case "save":
                assert sessions.save(id, {}) is False
            case "revoke":
                assert sessions.revoke(id) is False
            case "rotate":
                session = sessions.load(sessions.rotate(id, "ana", elevated=True))
                assert (session["data"], session["created_at"]) == ({}, clock.now)
            case "revoke_all":
                assert sessions.revoke_all("ana") == 0
        assert store.get(key_of(id)) is None

    def test_a_clock_that_is_behind_takes_nothing_back(self, sessions, store, clock):
        id = sessions.create("ana")
        clock.skip(100)
        sessions.load(id)
        clock.skip(-50)
        assert sessions.load(id)["last_seen"] == START + 100

    def test_what_ended_here_stays_ended_where_the_clock_is_behind(self, sessions, clock):
        id = sessions.create("ana")
        clock.skip(IDLE)
        assert sessions.load(id) is None
        clock.skip(-1)
        assert sessions.load(id) is None

    def test_the_limits_are_the_sites_and_not_the_records(self, store, clock, sessions):
        id = sessions.create("ana")
        clock.skip(100)
        assert Sessions(store, idle_timeout=100, clock=clock).load(id) is None
        other = sessions.create("ana")
        clock.skip(100)
        assert Sessions(store, absolute_timeout=100, clock=clock).load(other) is None

    def test_the_defaults(self, store, clock):
        id = Sessions(store, clock=clock).create("ana")
        clock.skip(1799)
        assert Sessions(store, clock=clock).load(id)["expires_at"] == clock.now + 1800
        clock.now = START + 28799
        assert Sessions(store, idle_timeout=10**6, clock=clock).load(id)
        clock.skip(1)
        assert Sessions(store, idle_timeout=10**6, clock=clock).load(id) is None


class TestSave:
    def test_it_replaces_the_data_and_nothing_else(self, sessions):
        before = sessions.load(id := sessions.create("ana", elevated=True))
        assert sessions.save(id, {"basket": ["fern"]}) is True
        assert sessions.load(id) == {**before, "data": {"basket": ["fern"]}}
        assert sessions.save(id, {"n": 1}) is True
        assert sessions.load(id)["data"] == {"n": 1}

    def test_an_ended_session(self, sessions):
        id = sessions.create("ana")
        sessions.revoke(id)
        assert sessions.save(id, {"n": 1}) is False

    def test_what_is_not_json(self, sessions):
        id = sessions.create("ana")
        with pytest.raises(TypeError):
            sessions.save(id, {"n": {1}})
        assert sessions.load(id)["data"] == {}


class TestRotate:
    def test_login_from_anonymous(self, sessions, clock):
        old = sessions.create()
        sessions.save(old, {"basket": ["fern"]})
        clock.skip(100)
        new = sessions.rotate(old, "ana")
        assert new != old
        assert sessions.load(old) is None
        assert sessions.load(new) == {
            "user": "ana",
            "elevated": False,
            "data": {"basket": ["fern"]},
            "created_at": START + 100,
            "last_seen": START + 100,
            "expires_at": START + 100 + IDLE,
        }

    def test_another_users_data_stays_behind(self, sessions):
        old = sessions.create("ben")
        sessions.save(old, {"basket": ["fern"]})
        new = sessions.rotate(old, "ana")
        assert sessions.load(old) is None
        assert (sessions.load(new)["user"], sessions.load(new)["data"]) == ("ana", {})

    @pytest.mark.parametrize("old", [None, "A" * 43, "nonsense"])
    def test_without_an_old_session(self, sessions, clock, old):
        session = sessions.load(sessions.rotate(old, "ana", elevated=True))
        assert (session["user"], session["elevated"], session["data"]) == ("ana", True, {})
        assert session["created_at"] == clock.now

    def test_a_new_login_starts_a_new_absolute_timeout(self, sessions, clock):
        old = sessions.create("ana")
        clock.skip(100)
        assert sessions.load(sessions.rotate(old, "ana"))["created_at"] == START + 100

    def test_an_elevation_inherits_the_absolute_timeout(self, sessions, clock):
        old = sessions.create("ana")
        sessions.save(old, {"basket": ["fern"]})
        clock.skip(100)
        session = sessions.load(sessions.rotate(old, "ana", elevated=True))
        assert (session["elevated"], session["data"]) == (True, {"basket": ["fern"]})
        assert (session["created_at"], session["last_seen"]) == (START, START + 100)

    def test_confirming_now_and_then_does_not_stretch_a_session(self, sessions, clock):
        id = sessions.create("ana")
        while clock.now + IDLE - 1 < START + ABSOLUTE:
            clock.skip(IDLE - 1)
            id = sessions.rotate(id, "ana", elevated=True)
        clock.now = START + ABSOLUTE
        assert sessions.load(id) is None

    @pytest.mark.parametrize("other", [None, "ben"])
    def test_an_elevation_inherits_from_nobody_else(self, sessions, clock, other):
        old = sessions.create(other)
        clock.skip(100)
        assert sessions.load(sessions.rotate(old, "ana", elevated=True))["created_at"] == START + 100

    def test_elevation_ends_with_the_next_login(self, sessions):
        elevated = sessions.rotate(None, "ana", elevated=True)
        assert sessions.load(sessions.rotate(elevated, "ana"))["elevated"] is False


class TestRevoke:
    def test_one(self, sessions):
        phone, laptop = sessions.create("ana"), sessions.create("ana")
        assert sessions.revoke(phone) is True
        assert sessions.load(phone) is None
        assert sessions.load(laptop)
        assert sessions.revoke(phone) is False

    def test_all_of_a_user(self, sessions):
        anas = [
            sessions.create("ana"),
            sessions.rotate(sessions.create(), "ana"),
            sessions.create("ana", True),
        ]
        others = [sessions.create("ben"), sessions.create()]
        assert sessions.revoke_all("ana") == 3
        assert [sessions.load(id) for id in anas] == [None] * 3
        assert all(sessions.load(id) for id in others)
        assert sessions.revoke_all("ana") == 0

    def test_a_user_who_never_came(self, sessions):
        assert sessions.revoke_all("nobody") == 0

    def test_only_live_ones_are_counted(self, sessions, clock):
        sessions.create("ana")
        sessions.revoke(sessions.create("ana"))
        clock.skip(IDLE - 1)
        fresh = sessions.create("ana")
        clock.skip(1)
        assert sessions.revoke_all("ana") == 1
        assert sessions.load(fresh) is None

    def test_a_login_afterwards(self, sessions):
        sessions.create("ana")
        sessions.revoke_all("ana")
        id = sessions.create("ana")
        assert sessions.load(id)
        assert sessions.revoke_all("ana") == 1
        assert sessions.load(id) is None


class TestList:
    """The list of a user's sessions, which revoke_all goes by, holds every live one and does not grow."""

    def test_it_does_not_grow_by_logging_in_and_out(self, sessions, store):
        for _ in range(20):
            sessions.revoke(sessions.create("ana"))
        assert len(listed(store, "ana")) == 1

    def test_it_does_not_grow_by_rotating(self, sessions, store):
        id = sessions.create("ana")
        for _ in range(20):
            id = sessions.rotate(id, "ana")
        assert len(listed(store, "ana")) <= 2
        assert key_of(id) in listed(store, "ana")

    def test_it_does_not_grow_by_forgetting_to_log_out(self, sessions, store, clock):
        for _ in range(20):
            old = sessions.create("ana")
            clock.skip(IDLE)
        new = sessions.create("ana")
        assert listed(store, "ana") == [key_of(new)]
        assert store.get(key_of(old)) is None

    def test_a_live_session_stays_on_it(self, sessions, store, clock):
        phone = sessions.create("ana")
        clock.skip(IDLE - 1)
        sessions.create("ana")
        assert key_of(phone) in listed(store, "ana")

    def test_nobody_else_is_on_it(self, sessions, store):
        sessions.create()
        ben = sessions.create("ben")
        ana = sessions.rotate(ben, "ana")
        assert listed(store, "ana") == [key_of(ana)]
        assert sessions.revoke_all("ben") == 0
        assert sessions.load(ana)


class TestRaces:
    """A rival acts in the middle of a call; the same order every time."""

    @pytest.mark.parametrize("end", ["revoke", "revoke_all", "rotate"])
    def test_a_load_never_brings_a_session_back(self, sessions, store, end):
        id = sessions.create("ana")
        argument = {"revoke": (id,), "revoke_all": ("ana",), "rotate": (id, "ana")}[end]
        store.interrupt("before", "replace", lambda: getattr(sessions, end)(*argument), key_of(id))
        assert sessions.load(id) is None
        assert sessions.load(id) is None
        assert store.get(key_of(id)) is None

    def test_a_save_never_brings_a_session_back(self, sessions, store):
        id = sessions.create("ana")
        store.interrupt("before", "replace", lambda: sessions.revoke(id))
        assert sessions.save(id, {"n": 1}) is False
        assert sessions.load(id) is None

    def test_two_loads_at_once(self, sessions, store, clock):
        id = sessions.create("ana")
        store.interrupt("before", "replace", lambda: (clock.skip(100), sessions.load(id)))
        assert sessions.load(id)["last_seen"] == START + 100
        assert sessions.load(id)["last_seen"] == START + 100

    def test_a_save_in_the_middle_of_a_load(self, sessions, store):
        id = sessions.create("ana")
        store.interrupt("before", "replace", lambda: sessions.save(id, {"n": 1}))
        assert sessions.load(id)["data"] == {"n": 1}
        assert sessions.load(id)["data"] == {"n": 1}

    def test_a_load_in_the_middle_of_a_save(self, sessions, store, clock):
        id = sessions.create("ana")
        store.interrupt("before", "replace", lambda: (clock.skip(100), sessions.load(id)))
        assert sessions.save(id, {"n": 1}) is True
        assert store.get(key_of(id))["last_seen"] == START + 100
        assert store.get(key_of(id))["data"] == {"n": 1}

    def test_two_saves_at_once(self, sessions, store):
        id = sessions.create("ana")
        store.interrupt("before", "replace", lambda: sessions.save(id, {"first": 1}))
        assert sessions.save(id, {"second": 2}) is True
        assert sessions.load(id)["data"] == {"second": 2}

    @pytest.mark.parametrize("user", [None, "ana"])
    def test_two_rotate_the_same_id(self, sessions, store, user):
        old = sessions.create(user)
        sessions.save(old, {"basket": ["fern"]})
        rival = []
        store.interrupt("before", "delete", lambda: rival.append(sessions.rotate(old, "ana")), key_of(old))
        loser = sessions.rotate(old, "ana")
        assert sessions.load(rival[0])["data"] == {"basket": ["fern"]}
        assert sessions.load(loser)["data"] == {}, "the basket exists once"
        assert sessions.load(old) is None
        assert sessions.revoke_all("ana") == 2

    @pytest.mark.parametrize("end", ["revoke", "revoke_all"])
    def test_a_log_out_in_the_middle_of_a_rotation(self, sessions, store, end):
        old = sessions.create("ana")
        sessions.save(old, {"basket": ["fern"]})
        argument = {"revoke": old, "revoke_all": "ana"}[end]
        store.interrupt("before", "add", lambda: getattr(sessions, end)(argument))
        new = sessions.rotate(old, "ana")
        assert sessions.load(old) is None
        assert sessions.load(new)["data"] == {}, "as if the log-out had come first"
        assert sessions.revoke_all("ana") == 1

    def test_a_log_out_everywhere_late_in_a_rotation(self, sessions, store):
        old = sessions.create("ana")
        store.interrupt("before", "delete", lambda: sessions.revoke_all("ana"), key_of(old))
        new = sessions.rotate(old, "ana")
        assert (sessions.load(old), sessions.load(new)) == (None, None), "as if the log-out had come last"

    @pytest.mark.parametrize(
        ("when", "method", "keys"),
        [
            ("before", "get", "user:"),
            ("after", "get", "user:"),
            ("before", "delete", "session:"),
            ("after", "delete", "session:"),
            ("before", "replace", "user:"),
            ("after", "replace", "user:"),
        ],
    )
    def test_a_login_in_the_middle_of_revoke_all(self, sessions, store, when, method, keys):
        old, new = sessions.create("ana"), []
        store.interrupt(when, method, lambda: new.append(sessions.rotate(None, "ana")), keys)
        ended = sessions.revoke_all("ana")
        assert sessions.load(old) is None
        survived = sessions.load(new[0]) is not None
        assert ended == 2 - survived
        assert survived == (when == "after" and method == "replace"), "it is ended, or came after"
        assert sessions.revoke_all("ana") == survived, "whoever survives is listed"
        assert sessions.load(new[0]) is None

    @pytest.mark.parametrize(
        ("when", "method", "keys"),
        [
            ("before", "add", "session:"),
            ("after", "add", "session:"),
            ("after", "get", "user:"),
            ("before", "replace", "user:"),
            ("after", "replace", "user:"),
        ],
    )
    def test_revoke_all_in_the_middle_of_a_login(self, sessions, store, when, method, keys):
        old = sessions.create("ana")
        store.interrupt(when, method, lambda: sessions.revoke_all("ana"), keys)
        new = sessions.rotate(None, "ana")
        assert sessions.load(old) is None
        survived = sessions.load(new) is not None
        assert survived == (method != "replace" or when == "before"), "it came after, or is ended"
        assert sessions.revoke_all("ana") == survived, "whoever survives is listed"
        assert sessions.load(new) is None

    @pytest.mark.parametrize(("method", "before"), [("add", 0), ("replace", 1)])
    def test_two_logins_at_once_are_both_listed(self, sessions, store, method, before):
        for _ in range(before):
            sessions.create("ana")
        rival = []
        store.interrupt("before", method, lambda: rival.append(sessions.create("ana")), "user:")
        id = sessions.create("ana")
        assert {key_of(id), key_of(rival[0])} <= set(listed(store, "ana"))
        assert sessions.revoke_all("ana") == before + 2

    @pytest.mark.parametrize("by", ["load", "save", "create", "rotate", "revoke_all"])
    def test_a_slow_reader_does_not_end_a_session_in_use(self, sessions, store, clock, by):
        """It read the record and slept, the session was used: it must not judge by what it read."""
        phone = sessions.create("ana")

        def used_while_it_slept():
            clock.skip(IDLE - 1)
            assert sessions.load(phone)
            clock.skip(IDLE - 1)

        store.interrupt("after", "get", used_while_it_slept, key_of(phone))
        match by:
            case "load":
                assert sessions.load(phone)
            case "save":
                assert sessions.save(phone, {"n": 1})
            case "create":
                sessions.create("ana")
                assert sessions.load(phone)
            case "rotate":
                assert sessions.load(sessions.rotate(phone, "ana"))
            case "revoke_all":
                assert sessions.revoke_all("ana") == 1

    def test_a_store_that_never_swaps_is_said_and_does_not_hang(self, sessions, store, monkeypatch):
        id = sessions.create("ana")
        monkeypatch.setattr(store, "replace", lambda key, old, new: False)
        for call in [
            lambda: sessions.load(id),
            lambda: sessions.save(id, {}),
            lambda: sessions.rotate(id, "ana"),
            lambda: sessions.revoke_all("ana"),
        ]:
            with pytest.raises(StoreDown, match="replace"):
                call()
        monkeypatch.setattr(store, "add", lambda key, value: False)
        with pytest.raises(StoreDown, match="add"):
            sessions.create()


class TestOutages:
    """The store fails at one call of each operation, the call done or not: what is left?"""

    OPERATIONS = {
        "load": lambda sessions, id: sessions.load(id),
        "save": lambda sessions, id: sessions.save(id, {"basket": ["moss"]}),
        "rotate": lambda sessions, id: sessions.rotate(id, "ana"),
        "elevate": lambda sessions, id: sessions.rotate(id, "ana", elevated=True),
        "login": lambda sessions, id: sessions.rotate(None, "ana"),
        "create": lambda sessions, id: sessions.create("ana"),
        "revoke": lambda sessions, id: sessions.revoke(id),
        "revoke_all": lambda sessions, id: sessions.revoke_all("ana"),
    }

    def outages(self, operation, done):
        """Give (sessions, store, laptop, phone) after an outage at each call that the operation makes."""
        for number in range(100):
            store, clock = WatchedStore(), Clock()
            sessions = Sessions(store, idle_timeout=IDLE, absolute_timeout=ABSOLUTE, clock=clock)
            laptop, phone = sessions.create("ana"), sessions.create("ana")
            sessions.save(laptop, {"basket": ["fern"]})
            store.fail(number, done)
            try:
                self.OPERATIONS[operation](sessions, laptop)
            except StoreDown:
                store.mend()
                yield sessions, store, laptop, phone
            else:
                assert number > 1
                return
        pytest.fail("an operation of a hundred calls")

    @pytest.mark.parametrize("done", [False, True], ids=["not done", "answer lost"])
    @pytest.mark.parametrize("operation", ["load", "save", "rotate", "elevate", "login", "create", "revoke"])
    def test_nobody_is_logged_out(self, operation, done):
        for sessions, store, laptop, phone in self.outages(operation, done):
            assert sessions.load(phone)
            if store.failed_call == "delete" and done:
                continue  # the old session was ended, as asked, and only the answer got lost
            basket = sessions.load(laptop)["data"]["basket"]
            assert basket in (["fern"], ["moss"])
            assert (basket == ["moss"]) == (operation == "save" and store.failed_call == "replace" and done)

    @pytest.mark.parametrize("done", [False, True], ids=["not done", "answer lost"])
    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_revoke_all_afterwards_ends_whatever_was_handed_out(self, operation, done):
        for sessions, store, laptop, phone in self.outages(operation, done):
            sessions.revoke_all("ana")
            assert (sessions.load(laptop), sessions.load(phone)) == (None, None)
            assert listed(store, "ana") == []

    @pytest.mark.parametrize("done", [False, True], ids=["not done", "answer lost"])
    @pytest.mark.parametrize("operation", ["rotate", "login"])
    def test_a_second_try_works(self, operation, done):
        for sessions, _, laptop, phone in self.outages(operation, done):
            new = self.OPERATIONS[operation](sessions, laptop)
            assert sessions.load(new)["user"] == "ana"
            assert sessions.load(phone)
            sessions.revoke_all("ana")
            assert sessions.load(new) is None

    def test_an_outage_is_raised_as_it_is(self, sessions, store):
        error = StoreDown("The cable is out.")

        def down():
            raise error

        store.interrupt("before", "get", down)
        with pytest.raises(StoreDown) as said:
            sessions.load("A" * 43)
        assert said.value is error


REAL = [
    pytest.param("SQLite in memory"),
    pytest.param("SQLite in a file"),
    pytest.param("fakeredis"),
    pytest.param("Redis", marks=pytest.mark.needs("redis")),
    pytest.param("PostgreSQL", marks=pytest.mark.needs("postgres")),
]


@pytest.mark.parametrize("kind", [pytest.param("memory"), *REAL])
class TestOnEveryStore:
    @pytest.fixture
    def shared(self, kind, request, tmp_path):
        match kind:
            case "memory":
                yield MemoryStore()
            case "fakeredis":
                yield RedisStore(fakeredis.FakeRedis())
            case "Redis":
                yield RedisStore(request.getfixturevalue("redis_part").client())
            case _:
                url = {
                    "SQLite in memory": lambda: "sqlite://",
                    "SQLite in a file": lambda: f"sqlite:///{tmp_path}/sessions.db",
                    "PostgreSQL": lambda: request.getfixturevalue("postgres_part").url,
                }[kind]()
                yield (store := SQLStore(url))
                store._engine.dispose()

    @pytest.fixture
    def user(self):
        return f"ana-{uuid.uuid4()}"

    def test_a_day(self, shared, user, clock):
        clock.now = START
        sessions = Sessions(shared, clock=clock)
        anonymous = sessions.create()
        assert sessions.save(anonymous, {"basket": ["fern", "🌿"]})
        laptop, phone = sessions.rotate(anonymous, user), sessions.rotate(None, user)
        clock.skip(1000.5)
        assert sessions.load(laptop)["data"] == {"basket": ["fern", "🌿"]}
        elevated = sessions.rotate(laptop, user, elevated=True)
        clock.skip(1000)
        assert sessions.load(phone) is None
        assert sessions.load(elevated)["created_at"] == START
        assert sessions.revoke(elevated) is True
        last = sessions.rotate(phone, user)
        assert sessions.revoke_all(user) == 1
        assert [sessions.load(id) for id in (anonymous, laptop, phone, elevated, last)] == [None] * 5

    def test_eight_at_once(self, shared, user):
        """Log-ins with one old session: all are in and listed, and the basket exists once."""
        sessions = Sessions(shared)
        old = sessions.create()
        sessions.save(old, {"basket": ["fern"]})
        start = threading.Barrier(8)

        def login(number):
            start.wait()
            sessions.load(old)
            return sessions.rotate(old, user)

        with ThreadPoolExecutor(8) as pool:
            ids = list(pool.map(login, range(8)))
        assert sessions.load(old) is None
        baskets = [sessions.load(id)["data"] for id in ids]
        assert sorted(map(len, baskets)) == [0] * 7 + [1]
        assert sessions.revoke_all(user) == 8
        assert [sessions.load(id) for id in ids] == [None] * 8

    def test_logging_in_and_out_everywhere_at_once(self, shared, user):
        """Whatever the order was: one more revoke_all, and nobody is left."""
        sessions = Sessions(shared)
        start = threading.Barrier(4)

        def rival(number):
            start.wait()
            if number == 0:
                return [sessions.revoke_all(user) for _ in range(5)] and []
            return [sessions.rotate(None, user) for _ in range(5)]

        with ThreadPoolExecutor(4) as pool:
            ids = sum(pool.map(rival, range(4)), [])
        left = [id for id in ids if sessions.load(id)]
        assert sessions.revoke_all(user) == len(left)
        assert [sessions.load(id) for id in ids] == [None] * 15


class Model(RuleBasedStateMachine):
    """Sessions against a dict: calls in any order, time that passes, an outage at any call."""

    ids = Bundle("ids")
    users = st.sampled_from(["ana", "ben"])
    outage = st.none() | st.tuples(st.integers(0, 12), st.booleans())

    def __init__(self):
        super().__init__()
        self.clock, self.store = Clock(), WatchedStore()
        self.sessions = Sessions(self.store, idle_timeout=30, absolute_timeout=100, clock=self.clock)
        self.live = {}  # id -> what its session should be

    def end_what_has_timed_out(self):
        now = self.clock.now
        self.live = {
            id: s for id, s in self.live.items() if now - s["last_seen"] < 30 and now - s["created_at"] < 100
        }

    def call(self, outage, function, *arguments):
        """Give (whether it was served, its answer)."""
        if outage:
            self.store.fail(*outage)
        try:
            return True, function(*arguments)
        except StoreDown:
            return False, None
        finally:
            self.store.mend()

    def expect(self, id, user, elevated, data, created_at):
        self.live[id] = {
            "user": user,
            "elevated": elevated,
            "data": data,
            "created_at": created_at,
            "last_seen": self.clock.now,
        }

    def answer_lost(self, outage, method):
        return outage is not None and outage[1] and self.store.failed_call == method

    @rule(target=ids, user=st.none() | users, elevated=st.booleans(), outage=outage)
    def create(self, user, elevated, outage):
        served, id = self.call(outage, self.sessions.create, user, elevated)
        if served:
            self.expect(id, user, elevated, {}, self.clock.now)
        return id

    @rule(id=ids, outage=outage)
    def load(self, id, outage):
        served, session = self.call(outage, self.sessions.load, id)
        if served:
            assert (session is not None) == (id in self.live)
        if id in self.live and (served or self.answer_lost(outage, "replace")):
            self.live[id]["last_seen"] = self.clock.now
        if session:
            self.is_as_expected(id, session)

    @rule(id=ids, n=st.integers(0, 3), outage=outage)
    def save(self, id, n, outage):
        served, kept = self.call(outage, self.sessions.save, id, {"n": n})
        if served:
            assert kept == (id in self.live)
        if id in self.live and (served or self.answer_lost(outage, "replace")):
            self.live[id]["data"] = {"n": n}

    @rule(target=ids, id=ids, user=users, elevated=st.booleans(), outage=outage)
    def rotate(self, id, user, elevated, outage):
        served, new = self.call(outage, self.sessions.rotate, id, user, elevated)
        if served:
            old = self.live.pop(id, None)
            mine = old is not None and old["user"] in (None, user)
            inherits = mine and elevated and old["user"] == user
            created_at = old["created_at"] if inherits else self.clock.now
            self.expect(new, user, elevated, old["data"] if mine else {}, created_at)
        elif self.answer_lost(outage, "delete"):
            self.live.pop(id, None)
        return new

    @rule(id=consumes(ids), outage=outage)
    def revoke(self, id, outage):
        served, ended = self.call(outage, self.sessions.revoke, id)
        if served:
            assert ended == (id in self.live)
        if served or self.answer_lost(outage, "delete"):
            self.live.pop(id, None)

    @rule(user=users, outage=outage)
    def revoke_all(self, user, outage):
        served, ended = self.call(outage, self.sessions.revoke_all, user)
        mine = [id for id, session in self.live.items() if session["user"] == user]
        if served:
            # Rotations and log-ins that an outage cut short may have left sessions whose id nobody has.
            assert ended >= len(mine)
        else:
            self.sessions.revoke_all(user)
        for id in mine:
            del self.live[id]
        assert self.sessions.revoke_all(user) == 0

    @rule(seconds=st.sampled_from([1, 10, 29, 30, 40]))
    def time_passes(self, seconds):
        self.clock.skip(seconds)
        self.end_what_has_timed_out()

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def sweep(self, data):
        self.store.records.sweep(self.clock.now)

    @invariant()
    def who_should_be_in_is_in(self):
        for id in self.live:
            self.is_as_expected(id, self.store.records.get(key_of(id)))

    @invariant()
    def who_is_in_is_listed(self):
        for id, session in self.live.items():
            if session["user"]:
                assert key_of(id) in listed(self.store.records, session["user"])

    def is_as_expected(self, id, session):
        expected = self.live[id]
        expires_at = min(expected["last_seen"] + 30, expected["created_at"] + 100)
        assert session == {**expected, "expires_at": expires_at}

    def teardown(self):
        for user in ("ana", "ben"):
            self.sessions.revoke_all(user)
            assert listed(self.store.records, user) == []
        for id, session in self.live.items():
            assert (self.sessions.load(id) is None) == (session["user"] is not None)


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
