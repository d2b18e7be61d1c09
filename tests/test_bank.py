"""Fernbank over real HTTP: what customers can do, what is refused, and what the bank's record says of it."""

import io
import threading

import pytest
from argon2 import PasswordHasher

from labs.auth.cookies import SessionCookie
from labs.auth.sessions import Sessions
from labs.auth.stores import MemoryStore, StoreDown
from labs.bench import serve
from labs.servers import bank, customers

PAGE = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}  # as browsers send it


def open_bank(sessions=None, cookie=None, **options):
    return bank(sessions or Sessions(MemoryStore()), cookie, customers=customers("fern"), **options)


@pytest.fixture
def site():
    with serve(open_bank()) as site:
        yield site


def customer(site, name):
    visitor = site.visitor(name)
    assert visitor.login(name, site.password_of(name)).status == 200
    return visitor


def sid(visitor):
    return visitor.cookies["__Host-sid"]


# ---- logging in and out ----------------------------------------------------------------------------


def test_who_logs_in_is_known_and_who_does_not_is_not(site):
    ana, stranger = site.visitor("ana"), site.visitor()
    assert ana.get("/me").status == 401
    answer = ana.login("ana", site.password_of("ana"))
    assert (answer.status, answer.json()) == (200, {"user": "ana"})
    assert ana.get("/me").json() == {"user": "ana", "elevated": False}
    assert ana.get("/").json() == {"bank": "Fernbank", "user": "ana"}
    assert stranger.get("/").json() == {"bank": "Fernbank", "user": None}
    for path in ("/me", "/balance", "/notes"):
        answer = stranger.get(path)
        assert (answer.status, answer.json()) == (401, {"error": "You are not logged in: log in first."})
        assert answer.headers["WWW-Authenticate"] == 'Cookie realm="Fernbank"'
    assert [str(event) for event in site.record] == ["ana logged in"]


@pytest.mark.parametrize("user", ["ana", "ben", "nobody", "ANA", "ana "])
def test_a_wrong_password_says_the_same_to_everybody(site, user):
    visitor = site.visitor()
    answer = visitor.login(user, site.password_of("mallory"))
    assert (answer.status, answer.json()) == (401, {"error": "The name or the password is wrong."})
    assert answer.set_cookies == []
    assert len(site.record) == 0


def test_an_unknown_user_costs_the_hasher_as_much_as_a_known_one():
    class Counting(PasswordHasher):
        verified = 0

        def verify(self, hash, password):
            Counting.verified += 1
            return super().verify(hash, password)

    with serve(open_bank(hasher=Counting(memory_cost=8, time_cost=1, parallelism=1))) as site:
        site.visitor().login("ana", "wrong")
        assert Counting.verified == 1
        site.visitor().login("nobody", "wrong")
        assert Counting.verified == 2


def test_every_login_gives_a_new_id_and_ends_the_old_one(site):
    ana, thief = site.visitor("ana"), site.visitor("mallory")
    ana.post("/basket", json={"item": "mug"})
    anonymous = sid(ana)
    ana.login("ana", site.password_of("ana"))
    first = sid(ana)
    ana.login("ana", site.password_of("ana"))
    assert len({anonymous, first, sid(ana)}) == 3
    for old in (anonymous, first):
        thief.cookies["__Host-sid"] = old
        assert thief.get("/balance").status == 401
    assert ana.get("/balance").status == 200
    assert site.record.lost("ana") == []


def test_a_planted_id_is_not_adopted(site):
    ana, mallory = site.visitor("ana"), site.visitor("mallory")
    ana.cookies["__Host-sid"] = mallory.cookies["__Host-sid"] = "fern-1234"
    ana.login("ana", site.password_of("ana"))
    assert mallory.get("/balance").status == 401


def test_log_out_ends_the_session_and_takes_the_cookie(site):
    ana = customer(site, "ana")
    kept = sid(ana)
    answer = ana.post("/logout")
    assert (answer.status, answer.json()) == (200, {"user": None})
    assert "__Host-sid" not in ana.cookies
    ana.cookies["__Host-sid"] = kept
    assert ana.get("/me").status == 401
    assert [str(event) for event in site.record] == ["ana logged in", "ana logged out"]


def test_log_out_without_a_session_is_no_error_and_no_event(site):
    visitor = site.visitor()
    assert visitor.post("/logout").json() == {"user": None}
    visitor.post("/basket", json={"item": "mug"})
    assert visitor.post("/logout").json() == {"user": None}
    assert visitor.get("/basket").json() == {"items": []}
    assert len(site.record) == 0


def test_log_out_everywhere_ends_all_of_hers_and_none_of_his(site):
    phone, laptop, ben = customer(site, "ana"), customer(site, "ana"), customer(site, "ben")
    answer = phone.post("/logout/everywhere")
    assert (answer.status, answer.json()) == (200, {"user": None, "ended": 2})
    assert [one.get("/me").status for one in (phone, laptop, ben)] == [401, 401, 200]
    assert site.visitor().post("/logout/everywhere").status == 401
    assert str(site.record[-1]) == "ana logged out everywhere"


def test_an_id_in_the_address_or_in_a_header_is_no_id(site):
    id = sid(customer(site, "ana"))
    mallory = site.visitor("mallory")
    for path in (f"/balance?__Host-sid={id}", f"/balance;__Host-sid={id}", f"/balance?sid={id}"):
        assert mallory.get(path).status in (401, 404)
    assert mallory.get("/balance", headers={"Authorization": f"Bearer {id}"}).status == 401


# ---- money, notes, basket --------------------------------------------------------------------------


def test_everybody_sees_their_own(site):
    for name in ("ana", "ben", "mallory"):
        visitor, known = customer(site, name), customers("fern")[name]
        assert visitor.get("/balance").json() == {"owner": name, "balance": known.balance}
        assert visitor.get("/notes").json() == {"owner": name, "notes": list(known.notes)}
    assert [str(event) for event in site.record][:3] == [
        "ana logged in",
        "ana read their own balance",
        "ana read their own notes",
    ]
    assert site.customers == customers("fern")


def test_money_moves_and_is_on_record(site):
    ana, ben = customer(site, "ana"), customer(site, "ben")
    had = customers("fern")
    answer = ana.post("/transfer", json={"to": "ben", "amount": 120})
    assert answer.status == 200
    assert answer.json() == {"from": "ana", "to": "ben", "amount": 120, "balance": had["ana"].balance - 120}
    assert ana.get("/balance").json()["balance"] == had["ana"].balance - 120
    assert ben.get("/balance").json()["balance"] == had["ben"].balance + 120
    event = site.record[2]
    assert (event.person, event.user, event.action, event.owner) == ("ana", "ana", "moved money", "ana")
    assert event.detail == {"to": "ben", "amount": 120}


def test_the_record_names_who_really_did_it(site):
    ana, mallory = customer(site, "ana"), site.visitor("mallory")
    mallory.cookies["__Host-sid"] = sid(ana)
    mallory.get("/balance", headers={"X-Forwarded-For": "ana", "fernbank.person": "ana"})
    mallory.post("/transfer", json={"to": "mallory", "amount": 5})
    mallory.get("/notes")
    assert [str(event) for event in site.record.lost("ana")] == [
        "mallory read ana's balance",
        "mallory moved 5 of ana's ferns to mallory",
        "mallory read ana's notes",
    ]


def test_head_reads_nothing_and_is_no_event(site):
    ana = customer(site, "ana")
    site.record.clear()
    for path in ("/balance", "/notes", "/"):
        answer = ana.request("HEAD", path)
        assert (answer.status, answer.body) == (200, b"")
    assert len(site.record) == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"to": "mallory", "amount": 5_000_000_000}, 400),
        ({"to": "mallory", "amount": 0}, 400),
        ({"to": "mallory", "amount": -5}, 400),
        ({"to": "mallory", "amount": 1.0}, 400),
        ({"to": "mallory", "amount": True}, 400),
        ({"to": "mallory", "amount": "5"}, 400),
        ({"to": "mallory", "amount": None}, 400),
        ({"to": "mallory", "amount": [5]}, 400),
        ({"to": "mallory", "amount": float("nan")}, 400),
        ({"to": "mallory", "amount": float("inf")}, 400),
        ({"to": "mallory", "amount": 10**400}, 400),
        ({"to": "mallory"}, 400),
        ({"amount": 5}, 400),
        ({"to": "ana", "amount": 5}, 400),
        ({"to": "eve", "amount": 5}, 400),
        ({"to": ["mallory"], "amount": 5}, 400),
        ({"to": "mallory\n", "amount": 5}, 400),
        ({"to": "mallory", "amount": 1_001}, 403),
    ],
)
def test_what_is_no_transfer_moves_nothing(site, body, status):
    ana = customer(site, "ana")
    answer = ana.post("/transfer", json=body)
    assert answer.status == status
    assert answer.json()["error"].endswith((".", "!"))
    assert ana.get("/balance").json()["balance"] == customers("fern")["ana"].balance
    assert ana.get("/me").status == 200
    assert not any(event.action == "moved money" for event in site.record)


def test_a_transfer_needs_the_money(site):
    mallory = customer(site, "mallory")
    has = customers("fern")["mallory"].balance
    assert mallory.post("/transfer", json={"to": "ben", "amount": has + 1}).status == 409
    assert mallory.post("/transfer", json={"to": "ben", "amount": has}).json()["balance"] == 0


def test_a_large_transfer_needs_the_password_once_more(site):
    ana = customer(site, "ana")
    before = sid(ana)
    large = {"to": "ben", "amount": 1_001}
    assert ana.post("/transfer", json={"to": "ben", "amount": 0 + 300}).status == 200
    assert ana.post("/transfer", json=large).status == 403
    assert ana.post("/confirm", json={"password": site.password_of("ben")}).status == 403
    assert ana.get("/me").json() == {"user": "ana", "elevated": False}
    answer = ana.post("/confirm", json={"password": site.password_of("ana")})
    assert (answer.status, answer.json()) == (200, {"user": "ana", "elevated": True})
    assert sid(ana) != before
    assert ana.get("/me").json()["elevated"] is True
    assert ana.post("/transfer", json=large).status == 200
    ana.cookies["__Host-sid"] = before
    assert ana.get("/me").status == 401
    assert site.visitor().post("/confirm", json={"password": site.password_of("ana")}).status == 401
    actions = [event.action for event in site.record]
    assert actions == ["logged in", "moved money", "confirmed", "moved money"]


def test_a_note_is_kept_for_its_owner(site):
    ana, ben = customer(site, "ana"), customer(site, "ben")
    answer = ana.post("/notes", json={"text": "two\nlines ☘ <b>"})
    assert (answer.status, answer.json()) == (201, {"owner": "ana", "note": "two\nlines ☘ <b>"})
    assert ana.get("/notes").json()["notes"][-1] == "two\nlines ☘ <b>"
    assert len(ben.get("/notes").json()["notes"]) == 3
    assert "ana wrote a note among their own notes" in map(str, site.record)


def test_the_basket_needs_no_login_and_survives_it(site):
    ana = site.visitor("ana")
    assert ana.get("/basket").json() == {"items": []}
    assert "__Host-sid" not in ana.cookies
    answer = ana.post("/basket", json={"item": "coin album"})
    assert (answer.status, answer.json()) == (201, {"items": ["coin album"]})
    id = sid(ana)
    ana.post("/basket", json={"item": "mug"})
    assert sid(ana) == id
    assert ana.get("/me").status == 401
    ana.login("ana", site.password_of("ana"))
    assert ana.get("/basket").json() == {"items": ["coin album", "mug"]}
    ana.post("/confirm", json={"password": site.password_of("ana")})
    assert ana.get("/basket").json() == {"items": ["coin album", "mug"]}


def test_a_basket_that_is_full_takes_no_more(site):
    visitor = site.visitor()
    assert [visitor.post("/basket", json={"item": "mug"}).status for _ in range(21)] == [201] * 20 + [409]
    assert len(visitor.get("/basket").json()["items"]) == 20


def test_two_tabs_at_once_lose_nothing_of_the_basket():
    loaded = threading.Barrier(2)

    class Slow(Sessions):
        """Both tabs have loaded before either saves, unless the bank lets one in at a time."""

        def save(self, id, data):
            try:
                loaded.wait(timeout=0.2)
            except threading.BrokenBarrierError:
                loaded.reset()
            return super().save(id, data)

    with serve(open_bank(Slow(MemoryStore()))) as site:
        tab = site.visitor()
        tab.post("/basket", json={"item": "first"})
        threads = [
            threading.Thread(target=tab.post, args=("/basket",), kwargs={"json": {"item": f"tab {n}"}})
            for n in range(2)
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert sorted(tab.get("/basket").json()["items"]) == ["first", "tab 0", "tab 1"]


def test_a_session_that_ends_while_its_basket_is_filled_leaves_nothing_of_it_behind():
    class Ending(Sessions):
        def save(self, id, data):
            if data["basket"] == ["secret present", "mug"]:
                self.revoke(id)
            return super().save(id, data)

    with serve(open_bank(Ending(MemoryStore()))) as site:
        ana = customer(site, "ana")
        ana.post("/basket", json={"item": "secret present"})
        assert ana.post("/basket", json={"item": "mug"}).json() == {"items": ["mug"]}
        assert ana.get("/basket").json() == {"items": ["mug"]}
        assert ana.get("/me").status == 401


# ---- bodies and headers ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", "application/json", 400),
        (b"", None, 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'"ana"', "application/json", 400),
        (b"null", "application/json", 400),
        (b"{}", "application/json", 400),
        (b"\xff\xfe{}", "application/json", 400),
        (b"[" * 16_000, "application/json", 400),
        (b'{"username": "ana", "password": 7}', "application/json", 400),
        (b'{"username": "ana", "password": ""}', "application/json", 400),
        (b'{"username": "\\ud800", "password": "x"}', "application/json", 400),
        (b'{"username": "ana", "password": "\\ud800"}', "application/json", 400),
        (b'{"username": "ana\\u0000", "password": "x"}', "application/json", 400),
        (b'{"username": "ana", "username": "ben", "password": "x"}', "application/json", 400),
        (b'{"username": "ana", "password": "' + b"x" * 257 + b'"}', "application/json", 400),
        (b'{"username": "ana", "password": "x"}', "text/plain", 415),
        (b'{"username": "ana", "password": "x"}', None, 415),
        (b'{"username": "ana", "password": "x"}', "application/x-www-form-urlencoded", 400),
        (b"username=ana&username=ben&password=x", "application/x-www-form-urlencoded", 400),
        (b"username=%ff&password=x", "application/x-www-form-urlencoded", 400),
        (b"username=ana&password=\xe9", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"x%d=1" % n for n in range(60)), "application/x-www-form-urlencoded", 400),
        (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x", 415),
        (b" " * (16 * 1024 + 1), "application/json", 413),
        (b" " * (300 * 1024), "application/json", 413),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_with_a_sentence(site, body, content_type, status):
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = site.visitor().post("/login", body=body, headers=headers)
    assert answer.status == status
    assert answer.json()["error"].endswith(".")
    assert len(site.record) == 0


def test_a_program_may_post_a_form(site):
    ana = site.visitor("ana")
    answer = ana.post("/login", form={"username": "ana", "password": site.password_of("ana")})
    assert (answer.status, answer.json()) == (200, {"user": "ana"})
    assert ana.post("/transfer", form={"to": "ben", "amount": "12"}).json()["amount"] == 12
    for amount in ("12.5", "-1", "+1", " 1", "1_0", "٣", "9" * 5_000, ""):
        assert ana.post("/transfer", form={"to": "ben", "amount": amount}).status == 400
    assert ana.post("/notes", form={"text": "a\r\nb"}).json()["note"] == "a\nb"


def test_a_body_that_breaks_off_is_refused_and_no_failure():
    class Broken(io.RawIOBase):
        def readinto(self, _):
            raise OSError("the client has gone")

        def readable(self):
            return True

    client = open_bank().test_client()
    environ = {"wsgi.input": Broken(), "CONTENT_LENGTH": "10", "CONTENT_TYPE": "application/json"}
    answer = client.post("/login", environ_overrides=environ)
    assert (answer.status_code, answer.json) == (400, {"error": "The body broke off, or is malformed."})


def test_everything_that_is_private_stays_out_of_caches(site):
    ana = customer(site, "ana")
    for path in ("/", "/me", "/balance", "/notes", "/basket", "/nothing"):
        for headers in (None, PAGE):
            assert ana.get(path, headers=headers).headers["Cache-Control"] == "no-store"
    answer = ana.post("/notes", form={"text": "x"}, headers=PAGE)
    assert (answer.status, answer.headers["Cache-Control"]) == (303, "no-store")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/../etc/passwd", 404),
        ("GET", "/static/x", 404),
        ("GET", "/balance/", 404),
        ("GET", "/balance/ana", 404),
        ("POST", "/balance", 405),
        ("GET", "/transfer", 405),
        ("DELETE", "/notes", 405),
        ("GET", "/logout", 405),
        ("TRACE", "/me", 405),
        ("BREW", "/me", 405),
    ],
)
def test_an_address_or_method_that_is_not_there(site, method, path, status):
    answer = customer(site, "ana").request(method, path)
    assert answer.status == status
    assert answer.json()["error"].endswith(".")
    assert ("Allow" in answer.headers) == (status == 405)


def test_json_goes_to_programs_and_pages_to_browsers(site):
    visitor = site.visitor()
    for accept in (
        None,
        "*/*",
        "application/json",
        "application/json, text/html",
        "nonsense",
        "image/png",
        "",
    ):
        headers = {} if accept is None else {"Accept": accept}
        assert visitor.get("/", headers=headers).headers["Content-Type"] == "application/json", accept
    for accept in (PAGE["Accept"], "text/html", "application/json;q=0.5, text/html"):
        answer = visitor.get("/", headers={"Accept": accept})
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "Welcome to Fernbank" in answer.text


def test_health_asks_no_session(site):
    assert site.visitor().get("/health").json() == {"status": "ok"}


# ---- what the bank is handed -----------------------------------------------------------------------


def test_the_cookie_policy_is_handed_in():
    plain = SessionCookie(name="sid", secure=False, samesite=None, http_only=False)
    with serve(open_bank(cookie=plain)) as site:
        ana = site.visitor("ana")
        answer = ana.login("ana", site.password_of("ana"))
        assert answer.set_cookies == [f"sid={ana.cookies['sid']}; Path=/"]
        assert ana.get("/me").status == 200
        assert ana.post("/logout").set_cookies == ["sid=; Max-Age=0; Path=/"]


def test_the_clock_is_handed_in():
    with serve(open_bank(clock=lambda: 1_900_000_000.5)) as site:
        customer(site, "ana")
        assert site.record[0].at == 1_900_000_000.5


def test_two_banks_share_nothing():
    one, two = open_bank(), open_bank()
    one.ledger.move("ana", "ben", 10, at=0.0)
    assert two.ledger.balance("ana") == customers("fern")["ana"].balance
    assert one.record is not two.record


def test_without_more_it_is_the_learners_bank(monkeypatch):
    monkeypatch.setenv("FERNBANK_SEED", "fern")
    app = bank(Sessions(MemoryStore()))
    assert app.customers == customers("fern")
    assert app.name == "Fernbank"
    assert app.hasher.memory_cost == 8


class Anything:
    """A mechanism in which one method gives or raises what the test says."""

    def __init__(self, method, gives):
        self.real = Sessions(MemoryStore())
        self.method, self.gives = method, gives

    def __getattr__(self, name):
        if name != self.method:
            return getattr(self.real, name)

        def give(*_):
            if isinstance(self.gives, BaseException):
                raise self.gives
            return self.gives

        return give


class AnyCookie(Anything):
    def __init__(self, method, gives):
        super().__init__(method, gives)
        self.real = SessionCookie()


def walk(visitor, password):
    """Use every method of the mechanism once; give the answers."""
    return [
        visitor.post("/basket", json={"item": "mug"}),
        visitor.login("ana", password),
        visitor.post("/basket", json={"item": "bag"}),
        visitor.get("/balance"),
        visitor.post("/confirm", json={"password": password}),
        visitor.post("/logout"),
        visitor.login("ana", password),
        visitor.post("/logout/everywhere"),
    ]


METHODS = ["create", "load", "save", "rotate", "revoke", "revoke_all"]


@pytest.mark.parametrize("method", METHODS)
def test_an_outage_is_503_with_the_cookie_untouched(method):
    with serve(open_bank(Anything(method, StoreDown("gone")))) as site:
        answers = walk(site.visitor("ana"), site.password_of("ana"))
        down = [answer for answer in answers if answer.status == 503]
        assert down
        assert not any(answer.status >= 500 for answer in answers if answer not in down)
        for answer in down:
            assert answer.headers["Retry-After"] == "5"
            assert answer.set_cookies == []
            assert "You are not logged out" in answer.json()["error"]
        assert site.visitor().get("/health").status == 200
        assert site.visitor().get("/login").status == 200


@pytest.mark.parametrize(
    ("method", "gives"),
    [(method, ValueError("oh dear")) for method in METHODS]
    + [
        ("create", None),
        ("create", ""),
        ("create", b"bytes"),
        ("load", True),
        ("load", "ana"),
        ("load", {}),
        ("load", {"user": 7}),
        ("load", {"user": "ana", "elevated": 1}),
        ("load", {"user": "ana", "data": []}),
        ("load", {"user": "ana", "data": {"basket": "mug"}}),
        ("load", {"user": "ana", "data": {"basket": [1]}}),
        ("save", None),
        ("rotate", None),
        ("rotate", 12),
        ("rotate", ["id"]),
        ("revoke_all", None),
        ("revoke_all", True),
    ],
)
def test_a_mechanism_with_a_bug_is_told_and_the_bank_answers_500(method, gives):
    app = open_bank(Anything(method, gives))
    told = []
    app.on_mechanism_error = told.append
    with serve(app) as site:
        answers = walk(site.visitor("ana"), site.password_of("ana"))
        failed = [answer for answer in answers if answer.status == 500]
        assert failed
        assert len(told) == len(failed)
        assert all(answer.set_cookies == [] for answer in failed)
        assert not site.errors  # said, not spilled
    if isinstance(gives, Exception):
        assert told[0] is gives
        assert failed[0].json() == {"error": "The bank's session mechanism failed: ValueError: oh dear"}
    else:
        assert isinstance(told[0], TypeError)
        assert str(told[0]).startswith(f"{method}() gave ")
        assert "; the bank needs " in str(told[0])


@pytest.mark.parametrize(
    ("method", "gives"),
    [
        ("read", KeyError("sid")),
        ("read", b"id"),
        ("set", None),
        ("set", "sid=1\r\nX-Evil: 1"),
        ("set", "sid=\u2603"),
        ("set", ""),
        ("clear", ["sid"]),
    ],
)
def test_a_cookie_policy_with_a_bug_is_told_too(method, gives):
    app = open_bank(cookie=AnyCookie(method, gives))
    told = []
    app.on_mechanism_error = told.append
    with serve(app) as site:
        answers = walk(site.visitor("ana"), site.password_of("ana"))
        assert 500 in {answer.status for answer in answers}
        assert told
        assert not any("X-Evil" in answer.headers for answer in answers)
        assert not site.errors


def test_without_a_hook_a_bug_is_an_answer_all_the_same(site):
    site.app.desk._sessions = Anything("load", RuntimeError("boom"))
    visitor = site.visitor()
    visitor.cookies["__Host-sid"] = "x"
    assert visitor.get("/me").json() == {"error": "The bank's session mechanism failed: RuntimeError: boom"}
    page = visitor.get("/me", headers=PAGE)
    assert page.status == 500
    assert "RuntimeError: boom" in page.text


def test_a_mechanism_without_elevation_or_data_will_do():
    class Least:
        """What a lesson has after its first hour: ids and users."""

        def __init__(self):
            self.users = {}

        def load(self, id):
            return {"user": self.users[id]} if id in self.users else None

        def rotate(self, id, user, elevated=False):
            self.users.pop(id, None)
            self.users[f"id-{user}"] = user
            return f"id-{user}"

        def revoke(self, id):
            return self.users.pop(id, None) is not None

    with serve(open_bank(Least())) as site:
        ana = customer(site, "ana")
        assert ana.get("/me").json() == {"user": "ana", "elevated": False}
        assert ana.get("/basket").json() == {"items": []}
        assert ana.post("/logout").status == 200
        assert ana.get("/me").status == 401


def test_a_user_whom_the_bank_does_not_know_is_a_stranger():
    with serve(open_bank(Anything("load", {"user": "eve", "elevated": True}))) as site:
        visitor = site.visitor()
        visitor.cookies["__Host-sid"] = "x"
        assert visitor.get("/balance").status == 401
        assert visitor.get("/").json()["user"] is None


def test_a_forged_record_cannot_write_into_a_page():
    with serve(
        open_bank(Anything("load", {"user": None, "data": {"basket": ["<script>alert(1)</script>"]}}))
    ) as site:
        visitor = site.visitor()
        visitor.cookies["__Host-sid"] = "x"
        page = visitor.get("/basket", headers=PAGE)
        assert "&lt;script&gt;" in page.text
        assert "<script>" not in page.text


def test_answers_are_plain_and_small_on_the_wire(site):
    raw = customer(site, "ana").get("/balance").exchange.response
    head, body = raw.split(b"\r\n\r\n")
    assert body == b'{"owner": "ana", "balance": 1820}\n'
    names = {line.split(b":")[0] for line in head.split(b"\r\n")[1:]}
    assert names <= {b"Server", b"Date", b"Content-Type", b"Content-Length", b"Cache-Control", b"Connection"}
