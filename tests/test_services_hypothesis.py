"""Whatever arrives at any address of the services, over real HTTP: an honest answer below 500, and no harm done."""

import json

import pytest
from anything_over_http import (
    NAMES,
    accepts,
    bodies_with,
    lines,
    methods,
    request,
    rules_of,
    targets_of,
    types,
    values,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.auth import algorithms, base64url, jws, tokens
from labs.servers import Books, customers, services

AT_LENGTH = settings(max_examples=120, deadline=None)
BRIEFLY = settings(max_examples=40, deadline=None)


@pytest.fixture(scope="module")
def bank():
    with services("EdDSA", books=Books(customers("fern"))) as bank, bank.open_spa() as bank.spa:
        bank.tokens = {name: bank.login("ana", name)["access_token"] for name in ("accounts", "statements")}
        yield bank


def sites(bank):
    return [bank.identity, bank.accounts, bank.statements, bank.spa]


def money(bank):
    return sum(map(bank.books.ledger.balance, NAMES))


def assert_honest(bank, site, answer, before):
    """Nothing failed, an error has its sentence, and no money was made or lost."""
    assert not site.errors, site.errors
    assert 200 <= answer.status < 500, answer.body
    if answer.status >= 400 and answer.headers["Content-Type"] == "application/json" and answer.body:
        said = json.loads(answer.body)
        assert said.get("error_description", said["error"]).endswith(".")
    assert money(bank) == before


bodies = bodies_with(["username", "password", "client", "audience", "refresh_token", "to", "from", "amount"])
segments = st.one_of(
    st.binary(max_size=30).map(base64url.encode),
    values.map(lambda value: base64url.encode(json.dumps(value).encode())),
    st.sampled_from(["", "e30", "=", "W10", "_" * 3_000, base64url.encode(b"[" * 6_000)]),
)
forged = st.lists(segments, min_size=0, max_size=6).map(".".join)
claimed = st.dictionaries(st.sampled_from(["iss", "sub", "aud", "exp", "iat", "nbf", "roles"]), values, max_size=7)
headed = st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "jku"]), values, max_size=5)


@settings(max_examples=200, deadline=None)
@given(
    data=st.data(), method=methods, kind=types, accept=accepts, body=bodies, origin=lines,
    authorization=lines | lines.map(lambda raw: b"Bearer " + raw) | forged.map(lambda one: b"Bearer " + one.encode()),
)  # fmt: skip
def test_any_request_at_all(bank, data, method, kind, accept, body, origin, authorization):
    site = data.draw(st.sampled_from(sites(bank)))
    target = data.draw(targets_of(sorted({path for path, _ in rules_of(site.app)})))
    headers = [(b"Content-Type", kind), (b"Accept", accept), (b"Authorization", authorization), (b"Origin", origin)]
    before, known = money(bank), len(bank.books.record)
    assert_honest(bank, site, request(site, method, target, headers, body), before)
    assert len(bank.books.record) == known


@pytest.mark.parametrize("path", ["/login", "/refresh", "/revoke", "/transfer"])
@settings(max_examples=80, deadline=None)
@given(body=bodies, form=st.booleans())
def test_any_body_at_every_address_that_takes_one(bank, path, body, form):
    site = bank.accounts if path == "/transfer" else bank.identity
    kind = b"application/x-www-form-urlencoded" if form else b"application/json"
    headers = [(b"Content-Type", kind), (b"Authorization", b"Bearer " + bank.tokens["accounts"].encode())]
    answer = request(site, b"POST", path.encode(), headers, body)
    assert_honest(bank, site, answer, money(bank))


@pytest.mark.parametrize("place", ["accounts", "statements"])
@AT_LENGTH
@given(token=forged)
def test_no_malformed_token_is_anybody(bank, place, token):
    site = getattr(bank, place)
    before, known = money(bank), len(bank.books.record)
    for path, method in rules_of(site.app):
        headers = [(b"Authorization", b"Bearer " + token.encode())]
        answer = request(site, method.encode(), path.encode(), headers)
        assert_honest(bank, site, answer, before)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert len(bank.books.record) == known


@AT_LENGTH
@given(claims=claimed, header=headed, keep=st.booleans())
def test_a_signed_token_with_any_claims_and_any_header_is_answered(bank, claims, header, keep):
    """Signed with the right key, so that what is asked after the signature is reached as well."""
    key, now = bank.ring.signing(), int(bank.books.clock())
    honest = {"iss": key.issuer, "sub": "ana", "aud": "accounts", "iat": now, "exp": now + 60}
    token = signed((honest if keep else {}) | claims, {"alg": key.alg, "kid": key.kid, "typ": "at+jwt"} | header, key)
    answer = request(bank.accounts, b"GET", b"/balance", [(b"Authorization", b"Bearer " + token)])
    assert_honest(bank, bank.accounts, answer, money(bank))
    if answer.status == 200:
        assert keep
        assert json.loads(answer.body)["owner"] == claims.get("sub", "ana")


def signed(claims, header, key):
    parts = b".".join(base64url.encode(json.dumps(one).encode()).encode() for one in (header, claims))
    return parts + b"." + base64url.encode(algorithms.sign(key.alg, key.signs, parts)).encode()


@settings(max_examples=60, deadline=None)
@given(
    transfer=st.fixed_dictionaries(
        {"to": st.sampled_from(NAMES) | values, "amount": st.integers(-5, 3_000) | values},
        optional={"from": st.sampled_from(NAMES) | values},
    ),
    roles=st.just(["teller"]) | values,
)
def test_any_transfer_moves_what_it_says_or_nothing(bank, transfer, roles):
    had = {name: bank.books.ledger.balance(name) for name in NAMES}
    token = tokens.issue(bank.ring.signing(), "ana", "accounts", bank.books.clock(), roles=json_safe(roles))
    if len(token) > jws.LONGEST:
        return
    headers = [(b"Authorization", b"Bearer " + token.encode()), (b"Content-Type", b"application/json")]
    answer = request(bank.accounts, b"POST", b"/transfer", headers, json.dumps(transfer).encode())
    assert_honest(bank, bank.accounts, answer, sum(had.values()))
    if answer.status == 200:
        giver, taker, amount = transfer.get("from", "ana"), transfer["to"], transfer["amount"]
        assert giver == "ana" or "teller" in roles
        assert giver != taker
        assert bank.books.ledger.balance(giver) == had[giver] - amount
        assert bank.books.ledger.balance(taker) == had[taker] + amount
        bank.books.ledger.move(taker, giver, amount, at=0.0)  # back, so that there is something to move next time
    else:
        assert {name: bank.books.ledger.balance(name) for name in NAMES} == had


def json_safe(value):
    """The value with NaN and the like as text: identity would never sign those."""
    return json.loads(json.dumps(value), parse_constant=str)


@BRIEFLY
@given(token=st.text(st.characters(), max_size=60))
def test_a_made_up_refresh_token_is_no_grant_and_harms_nobody(bank, token):
    known = len(bank.books.record)
    for path, status in [("/refresh", 400), ("/revoke", 200)]:
        body = json.dumps({"refresh_token": token}).encode()
        answer = request(bank.identity, b"POST", path.encode(), [(b"Content-Type", b"application/json")], body)
        assert_honest(bank, bank.identity, answer, money(bank))
        assert answer.status in (400, status)
    assert len(bank.books.record) == known


def test_after_all_that_they_still_serve(bank):
    token = bank.login("ben")["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert bank.accounts.visitor("ben").get("/balance", headers=headers).json()["owner"] == "ben"
