"""Fernbank in three services, over real HTTP: log-in, renewal, verification, refusal, and what the record says."""

import json

import pytest

from labs.auth import jws, tokens
from labs.auth.keys import KeySet, generate
from labs.auth.refresh import RefreshRefused, RefreshTokens
from labs.auth.rotation import KeyRing
from labs.auth.stores import MemoryStore, StoreDown
from labs.auth.token_errors import KeysUnavailable, TokenRefused
from labs.bench import BenchError, serve
from labs.servers import Books, accounts, customers, identity, services, statements

START = 1_900_000_000.0
APP = "http://app.fernbank.localhost:1234"


class Now:
    """A clock that the test moves."""

    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


@pytest.fixture
def now():
    return Now()


@pytest.fixture
def bank(now):
    with services(books=Books(customers("fern"), clock=now)) as bank:
        yield bank


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def ask(site, token, path, person="ana", method="GET", **options):
    return site.visitor(person).request(method, path, headers=bearer(token), **options)


def claims_of(token):
    return json.loads(jws.read(token).payload)


def said(record):
    return [str(event) for event in record]


# ---- identity --------------------------------------------------------------------------------------


def test_a_login_gives_what_the_standards_say(bank):
    visitor = bank.identity.visitor("ana")
    answer = visitor.login("ana", bank.identity.password_of("ana"))
    given = answer.json()
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.set_cookies == []
    assert set(given) == {"access_token", "token_type", "expires_in", "refresh_token", "id_token"}
    assert (given["token_type"], given["expires_in"]) == ("Bearer", 900)
    access, id_token = claims_of(given["access_token"]), claims_of(given["id_token"])
    assert set(access) == {"iss", "sub", "aud", "iat", "exp", "jti", "client_id"}  # RFC 9068 §2.2, and no roles
    assert (access["iss"], access["sub"], access["aud"]) == (bank.ring.issuer, "ana", "accounts")
    assert (access["iat"], access["exp"], access["client_id"]) == (START, START + 900, "web")
    assert jws.read(given["access_token"]).header["typ"] == "at+jwt"
    assert jws.read(given["id_token"]).header["typ"] == "JWT"
    assert (id_token["aud"], id_token["sub"], id_token["auth_time"]) == ("web", "ana", START)
    assert said(bank.books.record) == ["ana logged in"]


def test_client_and_audience_are_the_ones_asked_for(bank):
    body = {"username": "ana", "password": bank.identity.password_of("ana"), "client": "phone"}
    given = bank.identity.visitor().post("/login", json={**body, "audience": "statements"}).json()
    access = claims_of(given["access_token"])
    assert (access["aud"], access["client_id"]) == ("statements", "phone")
    assert claims_of(given["id_token"])["aud"] == "phone"


@pytest.mark.parametrize("user", ["ana", "nobody"])
def test_a_wrong_password_gives_nothing(bank, user):
    answer = bank.identity.visitor().login(user, bank.identity.password_of("mallory"))
    assert (answer.status, answer.json()) == (401, {"error": "The name or the password is wrong."})
    assert answer.headers["WWW-Authenticate"] == 'Password realm="Fernbank"'
    assert len(bank.books.record) == 0


@pytest.mark.parametrize(
    "change",
    [{"audience": "identity"}, {"audience": ""}, {"audience": ["accounts"]}, {"client": ""}, {"client": 7}],
)
def test_an_odd_login_gives_nothing(bank, change):
    body = {"username": "ana", "password": bank.identity.password_of("ana"), **change}
    answer = bank.identity.visitor().post("/login", json=body)
    assert answer.status == 400
    assert set(answer.json()) == {"error"}
    assert len(bank.books.record) == 0


def test_login_is_a_helper_for_lessons(bank):
    assert claims_of(bank.login("ben", "statements")["access_token"])["aud"] == "statements"
    with pytest.raises(BenchError, match="no customer 'eve'"):
        bank.login("eve")
    with pytest.raises(BenchError, match="Identity answered 400: .*ask for accounts or statements"):
        bank.login("ben", "elsewhere")


def renew(bank, token, person="ana", **more):
    return bank.identity.visitor(person).post("/refresh", json={"refresh_token": token, **more})


def test_a_refresh_token_gives_the_next_ones(bank, now):
    first = bank.login("ana")
    now.now += 800
    answer = renew(bank, first["refresh_token"], audience="statements")
    given = answer.json()
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    assert set(given) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert given["refresh_token"] != first["refresh_token"]
    access = claims_of(given["access_token"])
    assert (access["sub"], access["aud"], access["iat"]) == ("ana", "statements", START + 800)
    assert renew(bank, given["refresh_token"]).status == 200
    assert said(bank.books.record) == ["ana logged in", "ana refreshed", "ana refreshed"]


def test_a_used_refresh_token_ends_its_family_for_thief_and_owner(bank):
    token = bank.login("ana")["refresh_token"]
    stolen = renew(bank, token, person="mallory").json()["refresh_token"]
    for again in (token, stolen):
        answer = renew(bank, again)
        assert answer.status == 400
        assert answer.json()["error"] == "invalid_grant"
        assert answer.json()["error_description"].endswith(".")
        assert answer.headers["Cache-Control"] == "no-store"
    assert said(bank.books.record) == ["ana logged in", "mallory refreshed as ana"]


def test_another_clients_refresh_token_is_refused_unharmed(bank):
    token = bank.login("ana")["refresh_token"]
    assert renew(bank, token, client="phone").json()["error"] == "invalid_grant"
    assert renew(bank, token).status == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"{", 400), (b"{}", 400), (b'{"refresh_token": 7}', 400), (b'{"refresh_token": ""}', 400),
        (b'{"refresh_token": "x", "refresh_token": "y"}', 400), (b" " * 20_000, 413),
        (b'{"refresh_token": "x", "audience": "elsewhere"}', 400),
    ],
)  # fmt: skip
def test_what_is_no_token_request_is_called_so_and_uses_nothing_up(bank, body, status):
    for path in ("/refresh", "/revoke"):
        answer = bank.identity.visitor().post(path, body=body, headers={"Content-Type": "application/json"})
        if path == "/revoke" and b"audience" in body:
            assert answer.status == 200
        else:
            assert (answer.status, answer.json()["error"]) == (status, "invalid_request")
    typed = bank.identity.visitor().post("/refresh", body=b"{}", headers={"Content-Type": "text/plain"})
    assert (typed.status, typed.json()["error"]) == (415, "invalid_request")


def test_a_bad_audience_does_not_cost_the_token(bank):
    token = bank.login("ana")["refresh_token"]
    assert renew(bank, token, audience="elsewhere").status == 400
    assert renew(bank, token).status == 200


def test_an_access_token_is_no_refresh_token_and_the_other_way_round(bank):
    given = bank.login("ana")
    assert renew(bank, given["access_token"]).json()["error"] == "invalid_grant"
    assert ask(bank.accounts, given["refresh_token"], "/me").status == 401
    assert ask(bank.accounts, given["id_token"], "/me").status == 401
    assert renew(bank, given["refresh_token"]).status == 200


def test_revoking_always_says_200_and_ends_the_login(bank):
    token, visitor = bank.login("ana")["refresh_token"], bank.identity.visitor("ana")
    for _ in range(2):
        answer = visitor.post("/revoke", json={"refresh_token": token})
        assert (answer.status, answer.json()) == (200, {})
    assert visitor.post("/revoke", json={"refresh_token": "never was"}).status == 200
    assert renew(bank, token).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
def test_the_public_keys_are_published_and_nothing_else(alg):
    with services(alg, cache=120, books=Books(customers("fern"))) as bank:
        bank.ring.rotate()
        answer = bank.identity.visitor().get("/.well-known/jwks.json")
        assert answer.headers["Cache-Control"] == "public, max-age=120"
        keys = answer.json()["keys"]
        assert [key["kid"] for key in keys] == [key.kid for key in bank.ring.published()]
        assert len(keys) == 2
        for key in keys:
            assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)


# ---- accounts and statements -----------------------------------------------------------------------


def test_everybody_sees_their_own(bank):
    for name in ("ana", "ben", "mallory"):
        known, token = customers("fern")[name], bank.login(name)["access_token"]
        other = bank.login(name, "statements")["access_token"]
        assert ask(bank.accounts, token, "/me", name).json() == {"user": name}
        assert ask(bank.accounts, token, "/balance", name).json() == {"owner": name, "balance": known.balance}
        assert ask(bank.statements, other, "/notes", name).json() == {"owner": name, "notes": list(known.notes)}
        assert ask(bank.statements, other, "/statements", name).json() == {"owner": name, "movements": []}
        assert said(bank.books.record)[-3:] == [
            f"{name} read their own balance",
            f"{name} read their own notes",
            f"{name} read their own statements",
        ]
        assert bank.books.record.lost(name) == []


def test_money_moves_and_is_on_record_and_on_the_statement(bank, now):
    token, other = bank.login("ana")["access_token"], bank.login("ana", "statements")["access_token"]
    had = customers("fern")["ana"].balance
    answer = ask(bank.accounts, token, "/transfer", method="POST", json={"to": "ben", "amount": 120})
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    assert answer.json() == {"from": "ana", "to": "ben", "amount": 120, "balance": had - 120}
    assert bank.books.record[-1].detail == {"to": "ben", "amount": 120}
    (row,) = ask(bank.statements, other, "/statements").json()["movements"]
    assert row == {"at": START, "from": "ana", "to": "ben", "amount": 120}


def test_the_record_names_who_really_sent_the_token(bank):
    token, other = bank.login("ana")["access_token"], bank.login("ana", "statements")["access_token"]
    ask(bank.accounts, token, "/balance", "mallory")
    ask(bank.accounts, token, "/transfer", "mallory", method="POST", json={"to": "mallory", "amount": 5})
    ask(bank.statements, other, "/statements", "mallory")
    ask(bank.statements, other, "/notes", "mallory")
    assert said(bank.books.record.lost("ana")) == [
        "mallory read ana's balance",
        "mallory moved 5 of ana's ferns to mallory",
        "mallory read ana's statements",
        "mallory read ana's notes",
    ]
    assert {event.user for event in bank.books.record.lost("ana")} == {"ana"}


def test_head_reads_nothing_and_is_no_event(bank):
    token, before = bank.login("ana")["access_token"], len(bank.books.record)
    assert ask(bank.accounts, token, "/balance", method="HEAD").status == 200
    assert len(bank.books.record) == before


def minted(bank, **changes):
    """A token as identity would sign it, with whatever claims the test wants."""
    given = {"user": "ana", "audience": "accounts", "now": bank.books.clock(), **changes}
    return tokens.issue(bank.ring.signing(), **given)


@pytest.mark.parametrize("roles", [None, [], "teller", "storyteller", ["customer"], {"teller": True}, True, 7])
def test_nobody_but_a_teller_moves_other_peoples_money(bank, roles):
    token = minted(bank, user="mallory", roles=roles)
    body = {"from": "ana", "to": "mallory", "amount": 5}
    answer = ask(bank.accounts, token, "/transfer", "mallory", method="POST", json=body)
    assert answer.status == 403
    assert answer.headers["WWW-Authenticate"].startswith('Bearer error="insufficient_scope"')
    assert bank.books.ledger.movements("ana") == []


def test_a_teller_moves_anybodys_money_and_the_record_says_whose(bank):
    token = minted(bank, user="mallory", roles=["teller"])
    body = {"from": "ana", "to": "ben", "amount": 5}
    answer = ask(bank.accounts, token, "/transfer", "mallory", method="POST", json=body)
    assert answer.json() == {"from": "ana", "to": "ben", "amount": 5, "balance": customers("fern")["ana"].balance - 5}
    event = bank.books.record[-1]
    assert (event.person, event.user, event.owner) == ("mallory", "mallory", "ana")
    for change in ({"from": "eve"}, {"to": "ana"}, {"amount": 10**6}, {"from": 1}):
        answer = ask(bank.accounts, token, "/transfer", method="POST", json={**body, **change})
        assert answer.status == (409 if "amount" in change else 400), change


def test_ones_own_name_as_from_needs_no_role(bank):
    token = bank.login("ana")["access_token"]
    body = {"from": "ana", "to": "ben", "amount": 5}
    assert ask(bank.accounts, token, "/transfer", method="POST", json=body).status == 200


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Basic YW5hOmE=", "Bearer a b", "Bearer  ", "Bearer a,b", "Bearer =", "Token x",
     "Bearer x\t", "Bearer \xe9", "x", "Bearer x, Bearer y"],
)  # fmt: skip
def test_no_credentials_get_a_challenge_that_names_no_error(bank, header):
    for site, path in [(bank.accounts, "/me"), (bank.accounts, "/balance"), (bank.statements, "/notes")]:
        headers = {} if header is None else {"Authorization": header}
        answer = site.visitor().get(path, headers=headers)
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert len(bank.books.record) == 0


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
def test_the_scheme_is_read_in_any_case(bank, scheme):
    token = bank.login("ana")["access_token"]
    headers = {"Authorization": f"{scheme} {token}"}
    assert bank.accounts.visitor("ana").get("/me", headers=headers).status == 200


def test_a_token_anywhere_else_is_none(bank):
    token = bank.login("ana")["access_token"]
    visitor = bank.accounts.visitor("mallory")
    for path in (f"/balance?access_token={token}", f"/balance?token={token}"):
        assert visitor.get(path).status == 401
    visitor.cookies["access_token"] = token
    assert visitor.get("/balance").status == 401


def refused_with(answer):
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer error="invalid_token", error_description="')
    assert challenge.endswith('"')
    assert answer.status == 401
    return answer.json()["error"]


def test_a_token_that_is_not_good_is_refused_with_its_reason(bank, now):
    other = generate("ES256", bank.ring.issuer, kid=bank.ring.signing().kid)
    good = bank.login("ana")["access_token"]
    cases = {
        "This token is for another service.": minted(bank, audience="statements"),
        "The signature does not fit.": tokens.issue(other, "ana", "accounts", now()),
        "No key with this kid is published.": tokens.issue(
            generate("ES256", bank.ring.issuer), "ana", "accounts", now()
        ),
        "This is not a token of the type at+jwt.": minted(bank, typ="JWT"),
        "The token is about nobody who banks here.": minted(bank, user="eve"),
        "The token has expired.": minted(bank, now=now() - 930),
        "A signed token has three parts, and this one has 1.": good.replace(".", ""),
    }
    for reason, token in cases.items():
        assert refused_with(ask(bank.accounts, token, "/balance")) == reason
    assert said(bank.books.record) == ["ana logged in"]


def test_a_token_ends_at_exp_and_leeway(bank, now):
    token = bank.login("ana")["access_token"]
    now.now += 929
    assert ask(bank.accounts, token, "/me").status == 200
    now.now += 1
    assert refused_with(ask(bank.accounts, token, "/me")) == "The token has expired."


# ---- who verifies, and with what -------------------------------------------------------------------


@pytest.mark.parametrize("alg", ["HS256", "RS256", "ES256", "EdDSA"])
def test_each_service_verifies_alone(alg, now):
    with services(alg, books=Books(customers("fern"), clock=now)) as bank:
        token, other = bank.login("ana")["access_token"], bank.login("ana", "statements")["access_token"]
        assert ask(bank.accounts, token, "/me").status == 200
        assert ask(bank.statements, other, "/notes").status == 200
        asked = len(bank.identity.log)
        for _ in range(5):
            assert ask(bank.accounts, token, "/me").status == 200
        assert len(bank.identity.log) == asked
        fetches = [exchange for exchange in bank.identity.log if exchange.path == "/.well-known/jwks.json"]
        assert len(fetches) == (0 if alg == "HS256" else 2)
        bank.identity.stop()
        assert ask(bank.accounts, token, "/me").status == 200
        assert ask(bank.statements, other, "/notes").status == 200
        assert ask(bank.statements, token, "/notes").status == 401


def test_where_a_secret_is_shared_whoever_verifies_can_mint():
    with services("HS256", books=Books(customers("fern"))) as bank:
        token = bank.login("mallory", "statements")["access_token"]
        key = bank.keys["statements"].find(jws.read(token).header["kid"], bank.ring.issuer)
        forged = tokens.issue(key, "mallory", "accounts", bank.books.clock(), roles=["teller"])
        body = {"from": "ana", "to": "mallory", "amount": 100}
        assert ask(bank.accounts, forged, "/transfer", "mallory", method="POST", json=body).status == 200
        assert said(bank.books.record.lost("ana")) == ["mallory moved 100 of ana's ferns to mallory"]


def test_with_public_keys_whoever_verifies_cannot_mint(bank):
    token = bank.login("mallory", "statements")["access_token"]
    ask(bank.statements, token, "/notes", "mallory")
    key = bank.keys["statements"].find(jws.read(token).header["kid"], bank.ring.issuer)
    with pytest.raises(ValueError, match="can check signatures and not make them"):
        tokens.issue(key, "mallory", "accounts", bank.books.clock(), roles=["teller"])


def test_without_any_keys_it_is_503_and_nobody_is_refused(bank):
    token = bank.login("ana")["access_token"]
    bank.identity.stop()
    answer = ask(bank.accounts, token, "/me")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert "WWW-Authenticate" not in answer.headers
    assert answer.json()["error"].endswith(".")


def test_a_rotation_with_overlap_refuses_nobody(bank, now):
    old = bank.login("ana")["access_token"]
    assert ask(bank.accounts, old, "/me").status == 200
    bank.ring.rotate()
    now.now += bank.ring.cache
    new = bank.login("ana")["access_token"]
    assert jws.read(old).header["kid"] != jws.read(new).header["kid"]
    assert [ask(bank.accounts, token, "/me").status for token in (old, new)] == [200, 200]
    assert bank.keys["accounts"].fetches == 2


def test_a_flood_of_unknown_kids_fetches_a_bounded_number_of_times(bank, now):
    good = bank.login("ana")["access_token"]
    assert ask(bank.accounts, good, "/me").status == 200
    for n in range(100):
        forged = tokens.issue(generate("EdDSA", bank.ring.issuer, kid=f"k{n}"), "ana", "accounts", now())
        assert ask(bank.accounts, forged, "/me", "mallory").status == 401
    assert bank.keys["accounts"].fetches == 1  # all within the cooldown of the first


def test_the_store_of_refresh_tokens_is_down_and_tokens_verify(now):
    class Down(MemoryStore):
        down = False

        def get(self, key):
            if self.down:
                raise StoreDown("gone")
            return super().get(key)

    store = Down()
    with services(store=store, books=Books(customers("fern"), clock=now)) as bank:
        given, visitor = bank.login("ana"), bank.identity.visitor("ana")
        store.down = True
        for answer in [
            visitor.login("ana", bank.identity.password_of("ana")),
            renew(bank, given["refresh_token"]),
            visitor.post("/revoke", json={"refresh_token": given["refresh_token"]}),
        ]:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
            assert "You are not logged out" in answer.json()["error"]
        assert ask(bank.accounts, given["access_token"], "/me").status == 200
        store.down = False
        assert renew(bank, given["refresh_token"]).status == 200


def test_services_that_are_started_again_replace_the_first():
    first = services(books=Books(customers("fern")))
    with services(books=Books(customers("fern"))) as second:
        with pytest.raises(BenchError, match="did not answer"):
            first.login("ana")
        assert second.login("ana")
    with pytest.raises(BenchError, match="did not answer"):
        second.login("ana")


# ---- a verifier that is handed in -------------------------------------------------------------------


def served_with(verify, make=accounts):
    app = make(Books(customers("fern")), verify)
    app.told = []
    app.on_mechanism_error = app.told.append
    return serve(app, name="handed in")


def raising(error):
    def verify(token):
        raise error

    return verify


PATHS = [(accounts, "/balance"), (statements, "/notes")]


@pytest.mark.parametrize(("make", "path"), PATHS)
def test_a_verifier_may_be_anything_that_takes_a_token(make, path):
    seen = []

    def verify(token):
        seen.append(token)
        return {"sub": "ben"}

    with served_with(verify, make) as site:
        assert ask(site, "a.b~c+/-_==", path, "ben").json()["owner"] == "ben"
        assert seen == ["a.b~c+/-_=="]


@pytest.mark.parametrize(("make", "path"), PATHS)
@pytest.mark.parametrize(
    ("error", "status"), [(TokenRefused("No."), 401), (KeysUnavailable("Not now."), 503), (StoreDown("gone"), 503)]
)
def test_what_it_may_raise_is_an_answer(make, path, error, status):
    with served_with(raising(error), make) as site:
        answer = ask(site, "x", path)
        assert answer.status == status
        assert ("Retry-After" in answer.headers) == (status == 503)
        assert site.app.told == []
        assert len(site.record) == 0


@pytest.mark.parametrize(("make", "path"), PATHS)
@pytest.mark.parametrize("error", [ValueError("oh"), KeyError("sub"), RecursionError(), AssertionError("\ud800")])
def test_anything_else_it_raises_is_told_and_is_a_500(make, path, error):
    with served_with(raising(error), make) as site:
        answer = ask(site, "x", path)
        assert answer.status == 500
        assert answer.json()["error"].startswith("The bank's token verifier failed: ")
        assert site.app.told == [error]
        assert not site.errors


@pytest.mark.parametrize("given", [None, True, "ana", ["ana"], {}, {"sub": None}, {"sub": 7}, {"sub": ["ana"]}])
def test_claims_that_are_none_are_told_and_are_a_500(given):
    with served_with(lambda token: given) as site:
        assert ask(site, "x", "/balance").status == 500
        assert str(site.app.told[0]).startswith("verify() gave ")
        assert not site.errors
        assert len(site.record) == 0


@pytest.mark.parametrize(
    "reason", ['two\r\nX-Evil: "1"', "§ 3 \\ \u2603 \ud800", "", "x" * 100_000, "\x00\x1b[31m", 'a", error="x']
)
def test_a_reason_cannot_write_a_header(reason):
    with served_with(raising(TokenRefused(reason))) as site:
        answer = ask(site, "x", "/balance")
        assert answer.status == 401
        assert answer.json() == {"error": reason}
        assert "X-Evil" not in answer.headers
        challenge = answer.headers["WWW-Authenticate"]
        assert len(challenge) < 300
        assert challenge.count('"') == 4
        assert challenge.isascii()
        assert not site.errors


# ---- refresh tokens that are handed in ---------------------------------------------------------------


class Handed:
    """Refresh tokens of which one method does what the test says."""

    def __init__(self, method, does):
        self._real, self._method, self._does = RefreshTokens(MemoryStore()), method, does

    def __getattr__(self, name):
        return self._does if name == self._method else getattr(self._real, name)


def gives(value):
    return lambda *_: value


def raises(error):
    def fail(*_):
        raise error

    return fail


@pytest.mark.parametrize(
    ("method", "does", "status"),
    [
        ("issue", gives(None), 500), ("issue", gives(b"x"), 500), ("issue", raises(KeyError("x")), 500),
        ("use", gives(None), 500), ("use", gives(("ana",)), 500), ("use", gives(["ana", 7]), 500),
        ("use", gives("ab"), 500), ("use", raises(ValueError("x")), 500), ("use", raises(RefreshRefused("No.")), 400),
        ("use", gives(["ana", "next"]), 200), ("revoke", raises(OSError("x")), 500), ("revoke", gives(None), 200),
        ("issue", raises(StoreDown("x")), 503), ("use", raises(StoreDown("x")), 503),
        ("revoke", raises(StoreDown("x")), 503),
    ],
)  # fmt: skip
def test_refresh_tokens_with_a_bug_are_told(method, does, status):
    books = Books(customers("fern"))
    app = identity(books, KeyRing("http://id"), Handed(method, does))
    told = []
    app.on_mechanism_error = told.append
    with serve(app, name="handed in") as site:
        visitor = site.visitor("ana")
        answer = {
            "issue": lambda: visitor.login("ana", site.password_of("ana")),
            "use": lambda: visitor.post("/refresh", json={"refresh_token": "x"}),
            "revoke": lambda: visitor.post("/revoke", json={"refresh_token": "x"}),
        }[method]()
        assert answer.status == status
        assert len(told) == (status == 500)
        assert not site.errors
        assert len(books.record) == (1 if (method, status) == ("use", 200) else 0)


def test_a_key_ring_with_a_bug_is_told():
    class Broken(KeyRing):
        def signing(self):
            raise ValueError("no key")

    app = identity(Books(customers("fern")), Broken("http://id"), RefreshTokens(MemoryStore()))
    with serve(app, name="handed in") as site:
        answer = site.visitor().login("ana", site.password_of("ana"))
        assert (answer.status, answer.json()) == (500, {"error": "The bank's key ring failed: ValueError: no key"})
        assert not site.errors


# ---- pages of other origins --------------------------------------------------------------------------


def preflight(site, path, origin, method="GET"):
    headers = {"Origin": origin, "Access-Control-Request-Method": method}
    return site.visitor().request("OPTIONS", path, headers=headers)


def allowed(answer):
    return {name: value for name, value in answer.headers.items() if name.startswith("Access-Control-")}


def test_a_listed_origin_may_call_and_read(bank):
    bank.origins.add(APP)
    answer = preflight(bank.accounts, "/transfer", APP, "POST")
    assert answer.status == 200
    assert allowed(answer)["Access-Control-Allow-Origin"] == APP
    assert "POST" in allowed(answer)["Access-Control-Allow-Methods"].split(", ")
    assert allowed(answer)["Access-Control-Allow-Headers"] == "Authorization, Content-Type"
    for site, path in [(bank.accounts, "/me"), (bank.identity, "/.well-known/jwks.json"), (bank.statements, "/x")]:
        answer = site.visitor().get(path, headers={"Origin": APP})
        assert answer.headers["Access-Control-Allow-Origin"] == APP
        assert answer.headers["Vary"] == "Origin"
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    ["http://mallory.localhost:1234", APP.upper(), f"{APP}/", f"{APP}.evil.example", "null", "*", "", f"{APP}5",
     APP.replace("http", "https"), "http://fernbank.localhost:1234", "http://evil.app.fernbank.localhost:1234"],
)  # fmt: skip
def test_another_origin_is_given_nothing(bank, origin):
    bank.origins.add(APP)
    for answer in (
        preflight(bank.accounts, "/transfer", origin, "POST"),
        bank.accounts.visitor().get("/me", headers={"Origin": origin}),
    ):
        assert allowed(answer) == {}
        assert answer.headers["Vary"] == "Origin"


def test_without_origins_nothing_is_said_of_them(bank):
    answer = bank.accounts.visitor().get("/me", headers={"Origin": APP})
    assert allowed(answer) == {}
    assert "Vary" not in answer.headers


def test_a_key_set_can_stand_in_for_the_client():
    key = generate("EdDSA", "http://id")
    policy = tokens.Policy("http://id", "accounts", KeySet([key]))
    with served_with(lambda token: tokens.verify(token, policy, START)) as site:
        assert ask(site, tokens.issue(key, "ana", "accounts", START), "/me").json() == {"user": "ana"}
