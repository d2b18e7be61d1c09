"""The three guards against forged requests: what each takes, and that nothing makes them raise."""

import itertools

import pytest
from hypothesis import given as draws
from hypothesis import settings
from hypothesis import strategies as st

from labs.auth.csrf import BoundDoubleSubmit, FetchMetadata, SynchronizerTokens, allow
from labs.auth.stores import MemoryStore, StoreDown

KEY = bytes(range(32))
ID, OTHER = "A" * 43, "B" * 43


def request(fields=None, headers=None, changes=True, method="POST"):
    return {"method": method, "changes": changes, "headers": headers or {}, "fields": fields or {}}


def sent(guard, token, id=ID, **more):
    """A form with this token in its field, and the guard's cookie with its twin, if it has one."""
    cookie = guard.cookie(token)
    headers = {"Cookie": f"theme=dark; {cookie.partition(';')[0]}"} if cookie else {}
    return guard.allows(request({"csrf": token}, headers, **more), id)


GUARDS = {
    "synchronizer": lambda: SynchronizerTokens(MemoryStore()),
    "double submit": lambda: BoundDoubleSubmit(KEY),
}


@pytest.fixture(params=GUARDS)
def guard(request):
    return GUARDS[request.param]()


class TestTokens:
    def test_a_token_serves_its_session_and_no_other(self, guard):
        token = guard.token(ID, {})
        assert len(token) >= 22
        assert ID not in token
        assert sent(guard, token)
        assert not sent(guard, token, id=OTHER)
        assert not sent(guard, token, id=None)
        assert not sent(guard, guard.token(OTHER, {}))

    def test_it_comes_in_the_field_or_in_the_header_however_that_is_written(self, guard):
        token = guard.token(ID, {})
        cookie = {"cookie": (guard.cookie(token) or "").partition(";")[0]}
        for name in ("X-CSRF-Token", "X-Csrf-Token", "x-csrf-token"):
            assert guard.allows(request(headers={**cookie, name: token}), ID)
        assert not guard.allows(request({"csrf": token}, {**cookie, "X-CSRF-Token": "x"}), ID)
        assert not guard.allows(request(headers=cookie), ID)

    def test_what_changes_nothing_needs_none_and_what_does_always(self, guard):
        assert guard.allows(request(changes=False, method="GET"), None)
        assert not guard.allows(request(changes=True, method="GET"), ID)

    @pytest.mark.parametrize("near", [lambda t: t[:-1], lambda t: t + "=", lambda t: "é" + t, lambda t: t.swapcase()])
    def test_what_resembles_it_is_none(self, guard, near):
        assert not sent(guard, near(guard.token(ID, {})))

    @pytest.mark.parametrize("odd", ["", None, 0, True, [], {}, ["x"], "\ud800", ".", "a.b"])
    def test_what_is_no_token_is_refused(self, guard, odd):
        guard.token(ID, {})
        text = odd if isinstance(odd, str) else ""
        assert not guard.allows(request({"csrf": odd}, {"Cookie": f"__Host-csrf={text}"}), ID)
        assert not guard.allows(request({"csrf": odd}), ID)

    @settings(max_examples=100, deadline=None)
    @draws(field=st.none() | st.text() | st.integers() | st.lists(st.text()), cookie=st.text(), id=st.text())
    def test_nothing_makes_it_raise_or_agree(self, field, cookie, id):
        for make in GUARDS.values():
            guard = make()
            assert guard.allows(request({"csrf": field}, {"Cookie": f"__Host-csrf={cookie}"}), id) is False


class TestSynchronizer:
    def test_two_tabs_share_a_token_also_when_both_are_the_first(self):
        store = MemoryStore()
        one, two = SynchronizerTokens(store), SynchronizerTokens(store)
        add, first = store.add, []

        def add_late(key, value):  # the other tab comes in between
            store.add = add
            first.append(two.token(ID, {}))
            return add(key, value)

        store.add = add_late
        assert one.token(ID, {}) == first[0] == two.token(ID, {})

    def test_no_token_was_made_so_none_is_accepted(self):
        guard = SynchronizerTokens(MemoryStore())
        assert not guard.allows(request(), ID)
        assert not guard.allows(request({"csrf": "None"}), ID)

    def test_the_store_holds_no_id_and_may_tidy_up(self):
        store = MemoryStore()
        SynchronizerTokens(store, lifetime=100, clock=lambda: 1000.0).token(ID, {})
        assert ID not in repr(store._texts)
        assert (store.sweep(1099.0), store.sweep(1100.0)) == (0, 1)

    def test_an_outage_comes_through(self):
        class Down:
            def get(self, key):
                raise StoreDown("down")

        guard = SynchronizerTokens(Down())
        with pytest.raises(StoreDown):
            guard.token(ID, {})
        with pytest.raises(StoreDown):
            guard.allows(request({"csrf": "x"}), ID)
        assert guard.allows(request(changes=False), ID)


class TestDoubleSubmit:
    def test_the_two_halves_must_be_equal_and_the_first_cookie_counts(self):
        guard = BoundDoubleSubmit(KEY)
        one, two = guard.token(ID, {}), guard.token(ID, {})
        assert one != two
        assert not guard.allows(request({"csrf": one}, {"Cookie": f"__Host-csrf={two}"}), ID)
        assert not guard.allows(request({"csrf": one}, {"Cookie": f"__Host-csrf={two}; __Host-csrf={one}"}), ID)
        assert not guard.allows(request({"csrf": one}), ID)

    def test_a_cookie_in_good_order_is_kept_so_that_two_tabs_share_it(self):
        guard = BoundDoubleSubmit(KEY)
        one = guard.token(ID, {})
        cookie = {"Cookie": f"__Host-csrf={one}"}
        assert guard.token(ID, cookie) == one
        assert guard.token(OTHER, cookie) != one
        assert guard.token(ID, {"Cookie": "__Host-csrf=tossed"}) != "tossed"

    def test_characters_cannot_be_moved_between_the_id_and_the_rest(self):
        guard = BoundDoubleSubmit(KEY)
        token = guard.token("abc", {})
        assert not sent(guard, "c" + token, id="ab")
        assert not sent(guard, token[1:], id="abc" + token[0])

    def test_another_key_is_another_bank_and_a_short_one_is_refused(self):
        assert not sent(BoundDoubleSubmit(b"x" * 32), BoundDoubleSubmit(KEY).token(ID, {}))
        with pytest.raises(ValueError, match="32 bytes"):
            BoundDoubleSubmit(b"x" * 31)


OWN, SIBLING, MALLORY = "https://bank.example", "https://help.bank.example", "https://mallory.example"
SITES = (None, "same-origin", "same-site", "cross-site", "none", "new-word")
ORIGINS = (None, OWN, SIBLING, MALLORY, "null", OWN + ".mallory.example", "")


@pytest.mark.parametrize(("site", "origin"), list(itertools.product(SITES, ORIGINS)))
@pytest.mark.parametrize("absent", [True, False])
def test_what_changes_something_follows_the_table(site, origin, absent):
    config = {"origins": [OWN], "siblings": [SIBLING], "absent": absent}
    named = {"Sec-Fetch-Site": site, "Origin": origin, "Host": "mallory.example"}
    headers = {name: value for name, value in named.items() if value is not None}
    trusted = origin in (OWN, SIBLING)
    expected = {
        None: absent if origin is None else trusted,
        "same-origin": True,
        "same-site": trusted,
    }.get(site, False)
    for method in ("POST", "PUT", "PATCH", "DELETE", "PROPFIND", "TRACE", "get"):
        assert allow(method, headers, {**config, "changes": False}) is expected
    for method in ("GET", "HEAD"):
        assert allow(method, headers, {**config, "changes": True}) is expected
    lower = {name.lower(): value for name, value in headers.items()}
    assert allow("POST", lower, {**config, "changes": False}) is expected


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("mode", ["navigate", "cors", "no-cors", None])
@pytest.mark.parametrize("dest", ["document", "image"])
def test_what_reads_is_answered_at_home_and_where_a_link_leads(site, mode, dest):
    headers = {name: value for name, value in
               {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}.items() if value}  # fmt: skip
    config = {"origins": [OWN], "siblings": [], "absent": False, "changes": False}
    expected = site in (None, "same-origin", "none") or (mode, dest) == ("navigate", "document")
    for method in ("GET", "HEAD", "OPTIONS"):
        assert allow(method, headers, config) is expected


def test_a_policy_has_no_token_and_learns_its_address_late():
    origins = []
    guard = FetchMetadata(origins)
    assert guard.token(ID, {}) is None
    assert not guard.allows(request(headers={"Origin": OWN}), ID)
    origins.append(OWN)
    assert guard.allows(request(headers={"Origin": OWN}), ID)
    assert not guard.allows(request(), ID)
