"""The deny-list: verify first, by issuer and jti, until exp + leeway, closed when the store is down."""

import json

import pytest

from labs.auth import jws, tokens
from labs.auth.denylist import DenyList, Revoked
from labs.auth.keys import KeySet, generate
from labs.auth.stores import MemoryStore, StoreDown
from labs.auth.token_errors import BadSignature, Expired, TokenRefused, WrongClaim

NOW = 1_900_000_000
KEY = generate("ES256", "http://id.example")
POLICY = tokens.Policy(KEY.issuer, "accounts", KeySet([KEY.public()]), leeway=30)


class Desk:
    """A list, its store, and a clock."""

    def __init__(self, verify=None):
        self.now, self.store = NOW, MemoryStore()
        self.list = DenyList(verify or self.verify, self.store, leeway=30)

    def verify(self, token):
        return tokens.verify(token, POLICY, self.now)


def token(**claims):
    return tokens.issue(KEY, "ana", "accounts", NOW, **claims)


def test_what_is_ended_is_refused_and_nothing_else():
    desk, first, second = Desk(), token(), token()
    assert desk.list(first)["sub"] == "ana"
    desk.list.end(first)
    with pytest.raises(Revoked):
        desk.list(first)
    assert desk.list(second)["sub"] == "ana"
    assert issubclass(Revoked, TokenRefused)


def test_another_text_of_the_same_token_is_ended_too():
    desk, one = Desk(), token()
    desk.list.end(one)
    claims = json.loads(jws.read(one).payload)
    again = jws.sign(json.dumps(claims, indent=1).encode(), KEY, tokens.ACCESS_TOKEN)
    assert again != one
    with pytest.raises(Revoked):
        desk.list(again)


def test_what_is_not_good_is_not_put_on_the_list():
    desk, one = Desk(), token()
    head, payload, _ = one.split(".")
    for forged in (f"{head}.{payload}.{'A' * 86}", "", "a.b.c"):
        with pytest.raises(TokenRefused):
            desk.list.end(forged)
    assert desk.list(one)
    with pytest.raises(BadSignature):
        desk.list.end(f"{head}.{payload}.{'A' * 86}")


def test_the_entry_stays_until_the_verifier_refuses_by_itself():
    desk, one = Desk(), token(lifetime=100)
    desk.list.end(one)
    desk.store.sweep(NOW + 129.5)
    desk.now = NOW + 129.5  # over, and inside the leeway
    with pytest.raises(Revoked):
        desk.list(one)
    desk.now = NOW + 130
    assert desk.store.sweep(desk.now) == 1
    with pytest.raises(Expired):
        desk.list(one)


def test_the_same_jti_of_two_issuers_is_two_tokens():
    claims = {"a": {"iss": "a", "jti": "1", "exp": NOW}, "b": {"iss": "b", "jti": "1", "exp": NOW}}
    desk = Desk(claims.__getitem__)
    desk.list.end("a")
    assert desk.list("b") == claims["b"]
    with pytest.raises(Revoked):
        desk.list("a")


def test_two_names_do_not_run_into_one():
    claims = {"x": {"iss": "a", "jti": "bc", "exp": NOW}, "y": {"iss": "ab", "jti": "c", "exp": NOW}}
    desk = Desk(claims.__getitem__)
    desk.list.end("x")
    assert desk.list("y") == claims["y"]


@pytest.mark.parametrize("jti", ["", None, 5])
def test_what_has_no_name_is_refused(jti):
    claims = {"iss": "a", "exp": NOW} if jti is None else {"iss": "a", "exp": NOW, "jti": jti}
    with pytest.raises(WrongClaim):
        Desk(lambda token: claims).list("x")


def test_when_the_store_is_down_nobody_gets_in():
    class Down(MemoryStore):
        def get(self, key):
            raise StoreDown

    desk = Desk()
    closed = DenyList(desk.verify, Down(), leeway=30)
    for call in (closed, closed.end):
        with pytest.raises(StoreDown):
            call(token())
    with pytest.raises(TokenRefused):  # what is bad is bad, store or no store
        closed("a.b.c")


def test_no_part_of_a_token_is_in_the_store():
    class Seen(MemoryStore):
        written = []

        def add(self, key, value):
            self.written.append(f"{key} {value}")
            return super().add(key, value)

    desk, one = Desk(), token()
    DenyList(desk.verify, Seen(), leeway=30).end(one)
    [written] = Seen.written
    claims = json.loads(jws.read(one).payload)
    assert not [part for part in (*one.split("."), claims["jti"], "ana") if part in written]
