"""The phone at the real services: ten 401s and one refresh, outages, log-out, and what is in its file."""

import base64
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import eventually
from labs.auth.stores import StoreDown
from labs.auth.vault import CannotOpen, Vault
from labs.bench import BenchError, skip
from labs.servers.phone import LoggedOut, Phone
from labs.servers.services import services


@pytest.fixture
def fernbank():
    with services() as running:
        yield running


@pytest.fixture
def file(tmp_path):
    return tmp_path / "ana.token"


@pytest.fixture
def switched_on(fernbank, file):
    """Ana's phone, each time anew: what it has in memory is gone, what is in its file is there."""
    return lambda: Phone(fernbank.identity, fernbank.accounts, Vault(file, "heather"), "ana")


@pytest.fixture
def phone(switched_on, fernbank):
    phone = switched_on()
    phone.login("ana", fernbank.identity.password_of("ana"))
    return phone


def asked(site, path):
    """How often this address was asked for."""
    return [one.path for one in site.log].count(path)


def at_once(number, action):
    """Run an action in so many threads that begin together; gives what each returned, or the exception."""
    barrier = threading.Barrier(number)

    def one(_):
        barrier.wait()
        try:
            return action()
        except Exception as error:
            return error

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


def hold(fernbank, until):
    """Let identity's answers to /refresh wait for an event."""

    class Slow:
        def __init__(self, app):
            self.app = app

        def __call__(self, environ, start):
            if environ["PATH_INFO"] == "/refresh":
                until.wait()
            return self.app(environ, start)

    app = fernbank.identity.app
    app.wsgi_app = Slow(app.wsgi_app)


class TestLogin:
    def test_a_balance(self, phone, fernbank):
        assert phone.get("/balance").json()["owner"] == "ana"
        assert [str(one) for one in fernbank.books.record] == ["ana logged in", "ana read their own balance"]

    def test_a_transfer(self, phone):
        assert phone.post("/transfer", {"to": "ben", "amount": 5}).status == 200

    def test_a_wrong_password(self, switched_on):
        phone = switched_on()
        with pytest.raises(LoggedOut, match="401"):
            phone.login("ana", "wrong")
        assert not phone.logged_in

    def test_nobody_is_logged_in_at_first(self, switched_on, fernbank):
        with pytest.raises(LoggedOut):
            switched_on().get("/balance")
        assert len(fernbank.accounts.log) == 0

    def test_a_second_log_in_takes_the_place_of_the_first(self, phone, fernbank):
        phone.login("ben", fernbank.identity.password_of("ben"))
        assert phone.get("/balance").json()["owner"] == "ben"


class TestRefresh:
    def test_ten_concurrent_401s_make_one_refresh(self, phone, fernbank):
        skip(minutes=16)
        assert [answer.status for answer in at_once(10, lambda: phone.get("/balance"))] == [200] * 10
        assert asked(fernbank.identity, "/refresh") == 1

    def test_and_so_they_do_a_quarter_of_an_hour_later(self, phone, fernbank):
        for n in range(1, 4):
            skip(minutes=16)
            assert [answer.status for answer in at_once(10, lambda: phone.get("/balance"))] == [200] * 10
            assert asked(fernbank.identity, "/refresh") == n

    def test_all_ten_are_401s_while_the_refresh_takes_its_time(self, phone, fernbank):
        skip(minutes=16)
        until = threading.Event()
        hold(fernbank, until)

        with ThreadPoolExecutor(1) as pool:
            answers = pool.submit(at_once, 10, lambda: phone.get("/balance"))
            met = eventually(lambda: [one.status for one in fernbank.accounts.log].count(401) == 10)
            until.set()
        assert met
        assert [answer.status for answer in answers.result()] == [200] * 10
        assert [one.status for one in fernbank.accounts.log] == [401] * 10 + [200] * 10
        assert asked(fernbank.identity, "/refresh") == 1

    def test_a_refused_refresh_logs_out(self, phone, fernbank, file):
        fernbank.refresh.revoke_all("ana")
        skip(minutes=16)
        outcomes = at_once(10, lambda: phone.get("/balance"))
        assert {type(one) for one in outcomes} == {LoggedOut}
        assert asked(fernbank.identity, "/refresh") == 1
        assert not phone.logged_in
        assert not file.exists()

    def test_where_a_fresh_token_does_not_help_there_is_no_loop(self, phone, fernbank):
        def nobody(environ, start):
            start("401 Unauthorized", [("Content-Type", "text/plain")])
            return [b"no"]

        fernbank.accounts.app.wsgi_app = nobody
        assert phone.get("/balance").status == 401
        assert asked(fernbank.accounts, "/balance") == 2
        assert asked(fernbank.identity, "/refresh") == 1
        assert phone.logged_in

    def test_an_outage_of_identity_logs_nobody_out(self, phone, fernbank, file):
        phone.get("/balance")  # so that accounts knows the keys
        skip(minutes=16)
        fernbank.identity.stop()
        assert {answer.status for answer in at_once(5, lambda: phone.get("/balance"))} == {401}
        assert phone.logged_in
        assert file.exists()

    def test_a_store_that_is_down_logs_nobody_out(self, phone, fernbank, monkeypatch):
        def down(*_):
            raise StoreDown("down")

        skip(minutes=16)
        with monkeypatch.context() as patch:
            patch.setattr(fernbank.refresh, "use", down)
            assert phone.get("/balance").status == 401
        assert phone.get("/balance").status == 200

    def test_a_file_that_cannot_be_written_lets_nobody_wait(self, phone, fernbank, monkeypatch):
        def full(*_):
            raise OSError("no space left")

        skip(minutes=16)
        monkeypatch.setattr(phone._vault, "keep", full)
        outcomes = at_once(5, lambda: phone.get("/balance"))
        assert [type(one) for one in outcomes].count(OSError) >= 1

    def test_accounts_is_down(self, phone, fernbank):
        fernbank.accounts.stop()
        with pytest.raises(BenchError):
            phone.get("/balance")
        assert phone._state["sent"] == {}
        assert phone._mail == {}


class TestLogout:
    def test_the_bank_ends_the_log_in(self, phone, fernbank, file):
        kept = Vault(file, "heather").token()
        phone.logout()
        with pytest.raises(LoggedOut):
            phone.get("/balance")
        answer = fernbank.identity.visitor("mallory").post(
            "/refresh", json={"refresh_token": kept, "client": "phone"}
        )
        assert (answer.status, answer.json()["error"]) == (400, "invalid_grant")
        assert not file.exists()

    def test_during_a_refresh(self, phone, fernbank, file):
        skip(minutes=16)
        until = threading.Event()
        hold(fernbank, until)
        with ThreadPoolExecutor(2) as pool:
            balance = pool.submit(phone.get, "/balance")
            met = eventually(lambda: asked(fernbank.identity, "/refresh") == 1)
            out = pool.submit(phone.logout)
            until.set()
            assert met
            out.result()
            assert balance.exception() is None or isinstance(balance.exception(), LoggedOut)
        assert not phone.logged_in
        assert not file.exists()
        assert fernbank.refresh.revoke_all("ana") == 0  # no family is left alive

    def test_before_a_refresh_begins(self, phone, fernbank):
        skip(minutes=16)
        with ThreadPoolExecutor(1) as pool:
            with phone._turn:  # as a log-out holds it
                balance = pool.submit(phone.get, "/balance")
                assert eventually(lambda: phone._state["refreshing"])
                phone._happens({"type": "logout"})
            assert isinstance(balance.exception(), LoggedOut)
        assert asked(fernbank.identity, "/refresh") == 0

    def test_twice(self, phone):
        phone.logout()
        phone.logout()
        assert not phone.logged_in


class TestRestart:
    def test_it_goes_on(self, phone, switched_on):
        phone = switched_on()
        assert phone.resume() is True
        assert phone.get("/balance").json()["owner"] == "ana"

    def test_again_and_again(self, phone, switched_on):
        for _ in range(3):
            assert switched_on().resume() is True

    def test_without_a_token(self, switched_on):
        assert switched_on().resume() is False

    def test_after_the_bank_has_ended_it(self, phone, switched_on, fernbank, file):
        fernbank.refresh.revoke_all("ana")
        assert switched_on().resume() is False
        assert not file.exists()

    def test_in_an_outage(self, phone, switched_on, fernbank, file):
        fernbank.identity.stop()
        with pytest.raises(BenchError):
            switched_on().resume()
        assert file.exists()

    def test_with_another_passphrase(self, phone, fernbank, file):
        with pytest.raises(CannotOpen):
            Phone(fernbank.identity, fernbank.accounts, Vault(file, "moss"), "ana").resume()


def test_its_tokens_cannot_be_read_in_its_files(phone, fernbank, file):
    phone.get("/balance")
    skip(minutes=16)
    phone.get("/balance")
    secrets = {Vault(file, "heather").token(), phone._state["token"]}
    secrets |= {one.request_text.partition("Bearer ")[2].partition("\r")[0] for one in fernbank.accounts.log}
    files = [path.read_bytes() for path in file.parent.rglob("*") if path.is_file()]
    assert len(files) == 1
    assert len(secrets) == 3  # a refresh token and two access tokens
    for secret in secrets:
        for form in (secret.encode(), base64.b64encode(secret.encode()), secret[-20:].encode()):
            assert not any(form in data for data in files)
