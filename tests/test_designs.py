"""Eight designs of one service, and attacks that follow one choice each: which works where, performed over HTTP."""

import itertools
import json

import pytest

from labs.auth import base64url
from labs.bench import serve, skip
from labs.servers.designs import COOKIE, design

ALL = list(itertools.product(["opaque", "jwt"], ["cookie", "header"], ["record", "none"]))


class Bench:
    """One design, with Ana logged in at her browser."""

    def __init__(self, format, transport, state):
        self.transport = transport
        self.site = serve(design(format, transport, state))
        self.ana, self.mallory = self.site.visitor("ana"), self.site.visitor("mallory")
        self.token = self.log_in(self.ana, "ana")

    def log_in(self, visitor, user):
        answer = visitor.login(user, self.site.password_of(user))
        return visitor.cookies[COOKIE.name] if self.transport == "cookie" else answer.json()["token"]

    def carrying(self, token):
        """The headers with which a program brings a credential."""
        return {"Cookie": f"{COOKIE.name}={token}"} if self.transport == "cookie" else self.bearer(token)

    @staticmethod
    def bearer(token):
        return {"Authorization": f"Bearer {token}"}

    def tries(self, token, path="/balance"):
        return self.mallory.get(path, headers=self.carrying(token)).status


@pytest.fixture(params=ALL, ids="+".join)
def where(request):
    bench = Bench(*request.param)
    yield bench, *request.param
    bench.site.stop()


def test_ana_is_served(where):
    bench, *_ = where
    assert bench.ana.get("/balance", headers=bench.carrying(bench.token)).json()["owner"] == "ana"
    assert bench.site.record.lost("ana") == []


def test_a_foreign_form_works_where_the_browser_brings_the_credential(where):
    bench, _, transport, _ = where
    # A form brings the cookies of its target, and no header that a script would have to set.
    answer = bench.ana.post("/transfer", form={"to": "mallory", "amount": "5"})
    assert answer.status == (200 if transport == "cookie" else 401)


def test_a_script_reads_what_it_must_send(where):
    bench, _, transport, _ = where
    [cookie] = bench.ana.cookies.records() or [None]
    assert (cookie is None) == (transport == "header")
    assert cookie is None or cookie.http_only


def test_a_copy_outlives_the_log_out_where_there_is_no_record(where):
    bench, _, _, state = where
    bench.ana.post("/logout", headers=bench.carrying(bench.token))
    assert bench.tries(bench.token) == (401 if state == "record" else 200)
    assert bool(bench.site.record.lost("ana")) == (state == "none")


def test_none_outlives_its_time(where):
    bench, *_ = where
    skip(minutes=15)
    assert bench.tries(bench.token) == 401


def test_a_role_that_was_taken_works_on_where_there_is_no_record(where):
    bench, _, _, state = where
    bench.site.app.roles["ana"] = ["teller"]
    token = bench.log_in(bench.ana, "ana")
    order = {"from": "ben", "to": "mallory", "amount": 1}
    assert bench.ana.post("/transfer", json=order, headers=bench.carrying(token)).status == 200
    bench.site.app.roles.clear()
    answer = bench.ana.post("/transfer", json=order, headers=bench.carrying(token))
    assert answer.status == (403 if state == "record" else 200)


def test_only_a_jwt_can_be_read_without_a_key(where):
    bench, format, *_ = where
    found = []
    for part in bench.token.split("."):
        for decoded in (base64url.decode, bytes.fromhex):
            try:
                found.append(decoded(part))
            except Exception:
                continue
    assert any(b'"ana"' in one for one in found) == (format == "jwt")


def test_one_changed_character_is_refused(where):
    bench, *_ = where
    at = len(bench.token) // 2
    other = "a" if bench.token[at] != "a" else "b"
    assert bench.tries(bench.token[:at] + other + bench.token[at + 1 :]) == 401


def test_the_other_transport_is_not_taken(where):
    bench, _, transport, _ = where
    other = bench.bearer(bench.token) if transport == "cookie" else {"Cookie": f"{COOKIE.name}={bench.token}"}
    assert bench.mallory.get("/balance", headers=other).status == 401


@pytest.mark.parametrize("token", ["", "x", "a" * 5000, "é", "eyJ.eyJ.x", "00" * 40, json.dumps({"sub": "ana"})])
def test_no_nonsense_is_an_error_of_the_server(where, token):
    bench, *_ = where
    assert bench.tries(token) == 401
    assert bench.mallory.post("/logout", headers=bench.carrying(token)).status == 200
