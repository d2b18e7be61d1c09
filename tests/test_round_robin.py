"""The round robin in front of several banks, over real HTTP."""

import pytest

from labs.auth.sessions import Sessions
from labs.auth.stores import MemoryStore
from labs.bench import serve
from labs.servers import RoundRobin, bank, customers


@pytest.fixture
def sites():
    store = MemoryStore()
    first, second = (bank(Sessions(store), customers=customers("fern")) for _ in range(2))
    with serve(first, name="first") as one, serve(second, name="second") as two:
        yield one, two


@pytest.fixture
def front(sites):
    with serve(RoundRobin(*sites)) as front:
        yield front


def test_each_gets_a_request_in_its_turn(front):
    visitor = front.visitor()
    served_by = [visitor.get("/health").headers["X-Served-By"] for _ in range(5)]
    assert served_by == ["first", "second", "first", "second", "first"]


def test_requests_and_answers_go_through_whole(front, sites):
    ana = front.visitor("ana")
    assert ana.login("ana", front.password_of("ana")).json() == {"user": "ana"}
    ana.post("/notes", form={"text": "grün & gut"})  # the second bank's notes
    ana.get("/health")
    assert ana.get("/notes").json()["notes"][-1] == "grün & gut"
    answer = ana.get("/nowhere?x=%20y")
    assert (answer.status, answer.exchange.path) == (404, "/nowhere?x=%20y")
    assert sites[0].log[-1].path == "/nowhere?x=%20y"
    assert answer.headers.get_all("Server") == ["Fernbank"]


def test_the_servers_behind_it_know_who_it_was(front, sites):
    ana, mallory = front.visitor("ana"), front.visitor("mallory")
    ana.login("ana", front.password_of("ana"))
    mallory.cookies["__Host-sid"] = ana.cookies["__Host-sid"]
    mallory.get("/balance")
    assert [str(event) for event in sites[1].record.lost("ana")] == ["mallory read ana's balance"]


def test_a_server_that_is_gone_is_a_bad_gateway(front, sites):
    sites[1].stop()
    visitor = front.visitor()
    assert [visitor.get("/health").status for _ in range(4)] == [200, 502, 200, 502]
