"""Fernbank on flask.session: as a signed cookie, and in a store through Flask-Session."""

import fakeredis
import flask_session
import pytest

from labs.bench import serve
from labs.servers import customers, flask_bank


def cookie_bank():
    return flask_bank(customers=customers("fern"))


def stored_bank():
    app = cookie_bank()
    app.config.update(SESSION_TYPE="redis", SESSION_REDIS=fakeredis.FakeRedis())
    flask_session.Session(app)
    return app


@pytest.fixture(params=[cookie_bank, stored_bank])
def site(request):
    with serve(request.param()) as site:
        yield site


@pytest.fixture
def ana(site):
    return logged_in(site, "ana")


def logged_in(site, name):
    visitor = site.visitor(name)
    assert visitor.login(name, site.password_of(name)).status == 200
    return visitor


def thief_of(visitor):
    mallory = visitor.site.visitor("mallory")
    mallory.cookies["session"] = visitor.cookies["session"]
    return mallory


def test_customers_are_served(site, ana):
    ben = logged_in(site, "ben")
    assert (ana.get("/balance").json()["owner"], ben.get("/balance").json()["owner"]) == ("ana", "ben")
    assert site.visitor("ben").get("/balance").status == 401
    ana.post("/logout")
    assert ana.get("/balance").status == 401
    assert ben.get("/balance").status == 200
    assert not site.record.lost("ana")


def test_the_basket_survives_the_login_and_is_not_inherited(site):
    ana = site.visitor("ana")
    ana.post("/basket", json={"item": "a card"})
    ana.login("ana", site.password_of("ana"))
    assert ana.get("/basket").json() == {"items": ["a card"]}
    ana.login("ben", site.password_of("ben"))
    assert ana.get("/basket").json() == {"items": []}
    answers = [ana.post("/basket", json={"item": "a safe"}).status for _ in range(21)]
    assert answers == [201] * 20 + [409]


def test_confirming_elevates(site, ana):
    assert ana.post("/transfer", json={"to": "ben", "amount": 1_001}).status == 403
    assert ana.post("/confirm", json={"password": site.password_of("ana")}).status == 200
    assert ana.get("/me").json() == {"user": "ana", "elevated": True}
    assert ana.post("/transfer", json={"to": "ben", "amount": 1_001}).status == 200


def test_it_says_that_it_cannot_log_out_everywhere(ana):
    assert ana.post("/logout/everywhere").status == 501
    assert ana.get("/balance").status == 200


def test_two_logins_are_two_cookies(site, ana):
    assert logged_in(site, "ana").cookies["session"] != ana.cookies["session"]


@pytest.mark.parametrize(("site", "answered"), [(cookie_bank, 200), (stored_bank, 401)], indirect=["site"])
def test_a_copy_of_the_cookie_outlives_the_logout_where_no_record_is(site, ana, answered):
    mallory = thief_of(ana)
    ana.post("/logout")
    assert mallory.get("/balance").status == answered
    assert [str(event) for event in site.record.lost("ana")] == ["mallory read ana's balance"] * (answered == 200)


@pytest.mark.parametrize("site", [stored_bank], indirect=True)
def test_an_id_from_before_the_login_is_worth_nothing_after_it(site):
    ana = site.visitor("ana")
    ana.post("/basket", json={"item": "a card"})
    mallory = thief_of(ana)
    ana.login("ana", site.password_of("ana"))
    assert mallory.get("/balance").status == 401


def test_flask_session_writes_back_what_a_logout_deleted_meanwhile():
    """What lesson 11 shows of Flask-Session: when this fails the library has changed, and the lesson must too."""
    meanwhile = []
    app = stored_bank()
    app.before_request(lambda: meanwhile.pop()() and None if meanwhile else None)
    with serve(app) as site:
        ana = logged_in(site, "ana")
        mallory = thief_of(ana)
        meanwhile.append(lambda: ana.post("/logout"))
        assert ana.get("/balance").status == 200
        assert mallory.get("/balance").status == 200


def test_flask_session_says_500_in_an_outage_and_keeps_ids_as_they_are():
    """Two more things that lesson 11 says of it."""
    app, server = cookie_bank(), fakeredis.FakeServer()
    client = fakeredis.FakeRedis(server=server)
    app.config.update(SESSION_TYPE="redis", SESSION_REDIS=client)
    flask_session.Session(app)
    with serve(app) as site:
        ana = logged_in(site, "ana")
        assert client.keys() == [b"session:" + ana.cookies["session"].encode()]
        server.connected = False
        assert ana.get("/balance").status == 500


def test_a_refusal_has_one_content_type(site):
    answer = site.visitor().get("/logout")
    assert (answer.status, answer.headers.get_all("Content-Type")) == (405, ["application/json"])
    assert answer.headers["Allow"]
