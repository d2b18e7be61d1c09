"""The session store is killed and brought back: 503 meanwhile, nobody is logged out, and the bank goes on."""

import threading

import pytest

from labs.auth.sessions import Sessions
from labs.auth.stores import RedisStore, SQLStore
from labs.bench import serve
from labs.servers import bank, customers


@pytest.fixture(
    params=[
        pytest.param("redis", marks=pytest.mark.needs("redis")),
        pytest.param("postgres", marks=pytest.mark.needs("postgres")),
    ]
)
def part_and_store(request):
    """A real server, and a store on it."""
    part = request.getfixturevalue(f"{request.param}_part")
    yield part, RedisStore(part.client()) if request.param == "redis" else SQLStore(part.url)
    part.start()


@pytest.fixture
def part(part_and_store):
    return part_and_store[0]


@pytest.fixture
def site(part_and_store):
    with serve(bank(Sessions(part_and_store[1]), customers=customers("fern"))) as site:
        yield site


def logged_in(site, name):
    visitor = site.visitor(name)
    visitor.post("/basket", json={"item": "umbrella"})
    assert visitor.login(name, site.password_of(name)).status == 200
    return visitor


def test_an_outage_logs_nobody_out(site, part):
    ana, ben, new = logged_in(site, "ana"), logged_in(site, "ben"), site.visitor("ana")
    had = {visitor: visitor.cookies["__Host-sid"] for visitor in (ana, ben)}
    part.stop()
    answers = [ana.get("/balance"), ana.get("/"), ana.post("/transfer", json={"to": "ben", "amount": 5})]
    answers += [ben.post("/basket", json={"item": "mug"}), ben.post("/logout"), ben.post("/logout/everywhere")]
    answers += [ben.post("/confirm", json={"password": site.password_of("ben")})]
    answers += [new.login("ana", site.password_of("ana")), new.post("/basket", json={"item": "mug"})]
    for answer in answers:
        assert answer.status == 503, answer.exchange.path
        assert answer.headers["Retry-After"] == "5"
        assert answer.set_cookies == []
    assert site.visitor().get("/").status == 200  # who has no cookie needs no store
    assert site.visitor().get("/health").status == 200
    part.start()
    for visitor, sid in had.items():
        assert visitor.cookies["__Host-sid"] == sid
        assert visitor.get("/me").status == 200
        assert visitor.get("/basket").json() == {"items": ["umbrella"]}
    assert ana.get("/balance").json()["balance"] == customers("fern")["ana"].balance
    assert new.login("ana", site.password_of("ana")).status == 200
    assert ben.post("/logout").status == 200
    assert ben.get("/me").status == 401
    assert not site.errors


def test_customers_who_keep_clicking_see_200_or_503_and_at_last_200(site, part):
    people = [logged_in(site, name) for name in ("ana", "ben", "mallory")]
    seen = {visitor: [] for visitor in people}
    down, up, over = threading.Event(), threading.Event(), threading.Event()

    def click(visitor):
        while not over.is_set():
            seen[visitor].append(visitor.get("/me").status)
            if seen[visitor][-1] == 503 and all(503 in statuses for statuses in seen.values()):
                down.set()
            if up.is_set() and all(statuses[-1] == 200 for statuses in seen.values()):
                over.set()

    threads = [threading.Thread(target=click, args=(visitor,), daemon=True) for visitor in people]
    for one in threads:
        one.start()
    part.stop()
    assert down.wait(timeout=30)
    part.start()
    up.set()
    assert over.wait(timeout=30)
    for one in threads:
        one.join()
    assert {status for statuses in seen.values() for status in statuses} == {200, 503}
    assert not site.errors


@pytest.mark.needs("redis")
def test_two_banks_on_one_redis_know_the_same_customers(redis_part):
    stores = [RedisStore(redis_part.client()) for _ in range(2)]
    first, second = (bank(Sessions(store), customers=customers("fern")) for store in stores)
    with serve(first, name="first") as one, serve(second, name="second") as two:
        ana, elsewhere = logged_in(one, "ana"), two.visitor("ana")
        elsewhere.cookies["__Host-sid"] = ana.cookies["__Host-sid"]
        assert elsewhere.get("/me").json()["user"] == "ana"
        assert elsewhere.post("/logout").status == 200
        assert ana.get("/me").status == 401
