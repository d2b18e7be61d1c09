"""One contract, held by every store: in memory, SQLite, PostgreSQL, fakeredis and Redis."""

import json
import math
import sqlite3
import subprocess
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import fakeredis
import pytest
import redis
import sqlalchemy as sa
import time_machine

from labs.auth.stores import MemoryStore, RedisStore, SQLStore, StoreDown

MEMORY, SQLITE, FILE, FAKEREDIS = "memory", "SQLite in memory", "SQLite in a file", "fakeredis"
REDIS = pytest.param("Redis", marks=pytest.mark.needs("redis"))
POSTGRES = pytest.param("PostgreSQL", marks=pytest.mark.needs("postgres"))


@pytest.fixture
def make_store(request, tmp_path):
    """Give a function from the name of a kind to a store of it."""
    engines = []

    def sql(url):
        store = SQLStore(url)
        engines.append(store._engine)
        return store

    def make(kind):
        match kind:
            case "memory":
                return MemoryStore()
            case "SQLite in memory":
                return sql("sqlite://")
            case "SQLite in a file":
                return sql(f"sqlite:///{tmp_path}/records.db")
            case "fakeredis":
                return RedisStore(fakeredis.FakeRedis())
            case "Redis":
                return RedisStore(request.getfixturevalue("redis_part").client())
            case "PostgreSQL":
                return sql(request.getfixturevalue("postgres_part").url)

    yield make
    for engine in engines:
        engine.dispose()


@pytest.fixture(params=[MEMORY, SQLITE, FILE, FAKEREDIS, REDIS, POSTGRES])
def store(request, make_store):
    return make_store(request.param)


@pytest.fixture(params=[MEMORY, SQLITE, FILE, POSTGRES])
def swept(request, make_store):
    return make_store(request.param)


@pytest.fixture
def key():
    """A key that no other test uses: servers are shared."""
    return f"test:{uuid.uuid4()}"


def test_only_the_store_that_is_used_loads_its_library():
    code = (
        "import sys; from labs.auth.sessions import Sessions; from labs.auth.stores import MemoryStore;"
        "assert not {'sqlalchemy', 'redis'} & set(sys.modules);"
        "from labs.auth.stores import SQLStore; assert 'redis' not in sys.modules;"
        "from labs.auth.stores import RedisStore, StoreDown"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(ImportError, match="NoStore"):
        from labs.auth.stores import NoStore  # noqa: F401


class TestContract:
    def test_what_was_added_is_there(self, store, key):
        assert store.get(key) is None
        assert store.add(key, {"n": 1}) is True
        assert store.get(key) == {"n": 1}

    def test_add_keeps_what_is_there(self, store, key):
        store.add(key, {"n": 1})
        assert store.add(key, {"n": 2}) is False
        assert store.get(key) == {"n": 1}

    def test_replace_swaps_what_has_not_changed(self, store, key):
        store.add(key, {"n": 1})
        assert store.replace(key, {"n": 1}, {"n": 2}) is True
        assert store.get(key) == {"n": 2}

    def test_replace_refuses_what_has_changed(self, store, key):
        store.add(key, {"n": 1})
        assert store.replace(key, {"n": 0}, {"n": 2}) is False
        assert store.get(key) == {"n": 1}

    def test_replace_never_brings_a_record_back(self, store, key):
        store.add(key, {"n": 1})
        store.delete(key)
        assert store.replace(key, {"n": 1}, {"n": 2}) is False
        assert store.get(key) is None

    def test_replace_by_the_same_value_succeeds(self, store, key):
        store.add(key, {"n": 1})
        assert store.replace(key, {"n": 1}, {"n": 1}) is True
        assert store.get(key) == {"n": 1}

    def test_replace_compares_values_and_not_the_order_of_keys(self, store, key):
        store.add(key, {"a": 1, "b": {"c": 2, "d": 3}})
        assert store.replace(key, {"b": {"d": 3, "c": 2}, "a": 1}, {"n": 2}) is True

    def test_delete_says_whether_there_was_a_record(self, store, key):
        store.add(key, {"n": 1})
        assert store.delete(key) is True
        assert store.get(key) is None
        assert store.delete(key) is False

    def test_a_deleted_key_can_be_added_again(self, store, key):
        store.add(key, {"n": 1})
        store.delete(key)
        assert store.add(key, {"n": 2}) is True
        assert store.get(key) == {"n": 2}

    def test_keys_do_not_meet(self, store, key):
        store.add(key, {"n": 1})
        store.add(key + "%", {"n": 2})
        store.delete(key)
        assert store.get(key + "%") == {"n": 2}

    def test_a_record_is_nobody_elses_object(self, store, key):
        given = {"basket": ["oak"]}
        store.add(key, given)
        given["basket"].append("fern")
        store.get(key)["basket"].append("moss")
        assert store.get(key) == {"basket": ["oak"]}
        new = {"basket": []}
        store.replace(key, {"basket": ["oak"]}, new)
        new["basket"].append("fern")
        assert store.get(key) == {"basket": []}

    @pytest.mark.parametrize("expires_at", [0, 1, 1e12])
    def test_the_record_decides_when_it_ends(self, store, key, expires_at):
        record = {"n": 1, "expires_at": expires_at}
        assert store.add(key, record)
        assert store.get(key) == record
        assert store.replace(key, record, {**record, "n": 2})
        assert store.get(key) == {"n": 2, "expires_at": expires_at}

    @pytest.mark.parametrize(
        "value",
        [
            {},
            {"times": [0.1, 1795503655.6871006, 1e300, -0.0, 2**70, True, None]},
            {"text": 'quote " backslash \\ newline \n é 🌿 nul \x00 half \ud800'},
            {"deep": [{"er": [[], {}]}]},
            {2: "two", 10: "ten"},
            {"pair": (1, 2)},
        ],
        ids=["empty", "numbers", "text", "nested", "number keys", "tuple"],
    )
    def test_a_value_is_kept_as_json_has_it(self, store, key, value):
        assert store.add(key, value)
        got = store.get(key)
        assert got == json.loads(json.dumps(value))
        assert store.replace(key, got, {**got, "n": 1}), "what was read can be swapped"
        assert store.replace(key, {**got, "n": 1}, value)
        assert store.replace(key, value, {}), "and so can what was given"

    @pytest.mark.parametrize(("value", "error"), [({"n": math.nan}, ValueError), ({"s": {1}}, TypeError)])
    def test_what_is_not_json_is_refused(self, store, key, value, error):
        with pytest.raises(error):
            store.add(key, value)
        store.add(key, {"n": 1})
        with pytest.raises(error):
            store.replace(key, {"n": 1}, value)
        assert store.get(key) == {"n": 1}


class TestRivals:
    """Many threads at once: of each contest exactly one wins."""

    @pytest.fixture
    def at_once(self):
        """Run a function in eight threads that start together; give what each returned."""

        def run(function):
            start = threading.Barrier(8)

            def rival(number):
                start.wait()
                return function(number)

            with ThreadPoolExecutor(8) as pool:
                return list(pool.map(rival, range(8)))

        return run

    def test_one_adds(self, store, key, at_once):
        won = at_once(lambda number: store.add(key, {"by": number}))
        assert won.count(True) == 1
        assert store.get(key) == {"by": won.index(True)}

    def test_one_deletes(self, store, key, at_once):
        store.add(key, {})
        assert sorted(at_once(lambda number: store.delete(key))) == [False] * 7 + [True]

    def test_one_replaces(self, store, key, at_once):
        store.add(key, {})
        won = at_once(lambda number: store.replace(key, {}, {"by": number}))
        assert won.count(True) == 1
        assert store.get(key) == {"by": won.index(True)}

    def test_no_count_is_lost(self, store, key, at_once):
        store.add(key, {"n": 0})

        def count(number):
            for _ in range(5):
                while not store.replace(key, old := store.get(key), {"n": old["n"] + 1}):
                    pass

        at_once(count)
        assert store.get(key) == {"n": 40}


def test_a_swap_in_memory_lets_no_rival_in_between(key):
    """A rival deletes between the comparison and the write: it has to wait, or the record would come back."""
    store, rival_moved = MemoryStore(), threading.Event()

    class Lock:
        lock = threading.Lock()

        def __enter__(self):
            if not self.lock.acquire(blocking=False):
                rival_moved.set()  # it waits
                self.lock.acquire()

        def __exit__(self, *_):
            self.lock.release()

    def delete():
        store.delete(key)
        rival_moved.set()  # it got through

    rival = threading.Thread(target=delete)

    class Texts(dict):
        def get(self, key):
            text = super().get(key)
            rival.start()
            rival_moved.wait()
            return text

    store.add(key, {"n": 1})
    store._lock, store._texts = Lock(), Texts(store._texts)
    assert store.replace(key, {"n": 1}, {"n": 2}) is True
    rival.join()
    assert dict(store._texts) == {}


@pytest.mark.parametrize("kind", [FILE, REDIS, POSTGRES])
class TestShared:
    """Two app servers, one store."""

    def test_what_one_writes_the_other_sees(self, make_store, kind, key):
        one, other = make_store(kind), make_store(kind)
        assert one.add(key, {"n": 1})
        assert other.get(key) == {"n": 1}
        assert not other.add(key, {"n": 2})
        assert other.replace(key, {"n": 1}, {"n": 2})
        assert not one.replace(key, {"n": 1}, {"n": 3})
        assert one.delete(key)
        assert not other.replace(key, {"n": 2}, {"n": 3})

    def test_a_restart_keeps_the_records(self, make_store, kind, key):
        make_store(kind).add(key, {"n": 1})
        assert make_store(kind).get(key) == {"n": 1}


@pytest.mark.parametrize("kind", [FILE, POSTGRES])
def test_two_servers_may_make_the_table_at_the_same_moment(make_store, kind, monkeypatch, key):
    first = make_store(kind)
    create_all = sa.MetaData.create_all

    def just_before(metadata, engine, **options):
        monkeypatch.setattr(sa.MetaData, "create_all", create_all)
        # As if the other server's table appeared after we had looked for one.
        create_all(metadata, engine, checkfirst=False)

    monkeypatch.setattr(sa.MetaData, "create_all", just_before)
    second = make_store(kind)
    first.add(key, {"n": 1})
    assert second.get(key) == {"n": 1}


class TestSweep:
    def test_it_removes_what_has_ended_and_nothing_else(self, swept, key):
        swept.sweep(1000)
        for name, value in {"a": 999, "b": 1000, "c": 1000.5, "d": None}.items():
            swept.add(key + name, {} if value is None else {"expires_at": value})
        assert swept.sweep(1000) == 2
        assert [swept.get(key + name) for name in "abcd"] == [None, None, {"expires_at": 1000.5}, {}]
        swept.delete(key + "c")

    def test_it_goes_by_the_record_as_it_is_now(self, swept, key):
        swept.sweep(1000)
        swept.add(key, {"expires_at": 900})
        swept.replace(key, {"expires_at": 900}, {"expires_at": 1100})
        assert swept.sweep(1000) == 0
        swept.replace(key, {"expires_at": 1100}, {})
        assert swept.sweep(2000) == 0
        assert swept.get(key) == {}


@pytest.mark.parametrize("kind", [FAKEREDIS, REDIS])
class TestRedisForgets:
    """Redis tidies up by itself, a minute after the record has ended; by its own clock, from a lifetime."""

    @time_machine.travel(1_900_000_000, tick=False)
    def test_a_record_that_ends(self, make_store, kind, key):
        store = make_store(kind)
        store.add(key, {"expires_at": 1_900_000_100})
        assert 159_000 < store._redis.pttl(key) <= 160_000
        store.replace(key, {"expires_at": 1_900_000_100}, {"expires_at": 1_900_000_500.5})
        assert 560_000 < store._redis.pttl(key) <= 561_000
        store.replace(key, {"expires_at": 1_900_000_500.5}, {})
        assert store._redis.pttl(key) == -1

    def test_a_record_that_does_not(self, make_store, kind, key):
        store = make_store(kind)
        store.add(key, {})
        assert store._redis.pttl(key) == -1

    def test_a_client_that_decodes(self, make_store, kind, key, request):
        if kind == "Redis":
            client = request.getfixturevalue("redis_part").client(decode_responses=True)
        else:
            client = fakeredis.FakeRedis(decode_responses=True)
        store = RedisStore(client)
        assert store.add(key, {"n": 1})
        assert store.replace(key, {"n": 1}, {"n": 2})
        assert store.get(key) == {"n": 2}


CALLS = {
    "get": lambda store, key: store.get(key),
    "add": lambda store, key: store.add(key, {}),
    "replace": lambda store, key: store.replace(key, {"n": 1}, {"n": 2}),
    "delete": lambda store, key: store.delete(key),
}


class TestOutage:
    """The server goes and comes back: StoreDown meanwhile, then the same store goes on."""

    @pytest.fixture(params=[FAKEREDIS, REDIS, POSTGRES])
    def server(self, request, make_store):
        """Give (store, stop, start)."""
        if request.param == FAKEREDIS:
            fake = fakeredis.FakeServer()
            store = RedisStore(fakeredis.FakeRedis(server=fake))
            yield store, lambda: setattr(fake, "connected", False), lambda: setattr(fake, "connected", True)
            return
        part = request.getfixturevalue({"Redis": "redis_part", "PostgreSQL": "postgres_part"}[request.param])
        yield make_store(request.param), part.stop, part.start
        part.start()

    def test_it_is_said_and_it_passes(self, server, key):
        store, stop, start = server
        store.add(key, {"n": 1})
        stop()
        for call in CALLS.values():
            with pytest.raises(StoreDown, match="did not answer"):
                call(store, key)
        start()
        assert store.get(key) == {"n": 1}
        assert store.replace(key, {"n": 1}, {"n": 2})

    @pytest.mark.parametrize("call", CALLS)
    def test_each_call_may_be_the_first_after_it(self, server, key, call):
        store, stop, start = server
        store.add(key, {"n": 1})
        stop()
        start()
        CALLS[call](store, key)
        assert store.get(key) == {"get": {"n": 1}, "add": {"n": 1}, "replace": {"n": 2}, "delete": None}[call]

    def test_no_server_at_the_start(self):
        with pytest.raises(StoreDown):
            SQLStore("postgresql+psycopg://nobody@127.0.0.1:1/none")

    def test_redis_gone_in_the_middle_of_a_swap(self, redis_part, key, monkeypatch):
        """It is an outage: redis-py says WatchError, as if a rival had won."""
        store = RedisStore(redis_part.client())
        store.add(key, {"n": 1})
        multi = redis.client.Pipeline.multi

        def gone(pipe):
            redis_part.stop()
            multi(pipe)

        monkeypatch.setattr(redis.client.Pipeline, "multi", gone)
        try:
            with pytest.raises(StoreDown):
                store.replace(key, {"n": 1}, {"n": 2})
        finally:
            redis_part.start()
        assert store.get(key) == {"n": 1}

    def test_a_locked_sqlite(self, tmp_path, key):
        path = tmp_path / "records.db"
        store = SQLStore(f"sqlite:///{path}?timeout=0")
        store.add(key, {"n": 1})
        rival = sqlite3.connect(path)
        rival.execute("BEGIN EXCLUSIVE")
        for call in CALLS.values():
            with pytest.raises(StoreDown) as said:
                call(store, key)
            assert key not in str(said.value.__cause__), "the error's text shows no record"
        rival.rollback()
        rival.close()
        assert store.get(key) == {"n": 1}
        store._engine.dispose()

    def test_a_sqlite_in_a_folder_that_is_not_there(self, tmp_path):
        with pytest.raises(StoreDown):
            SQLStore(f"sqlite:///{tmp_path}/nowhere/records.db")

    def test_a_redis_without_memory(self, redis_part, key):
        store = RedisStore(redis_part.client())
        redis_part.client().config_set("maxmemory", 1)
        try:
            with pytest.raises(StoreDown):
                store.add(key, {})
        finally:
            redis_part.client().config_set("maxmemory", 0)

    def test_a_redis_that_became_a_replica(self, redis_part, key):
        store = RedisStore(redis_part.client())
        redis_part.client().replicaof("127.0.0.1", 1)
        try:
            with pytest.raises(StoreDown):
                store.add(key, {})
        finally:
            redis_part.client().replicaof("no", "one")


class TestMistakes:
    """A mistake of ours is no outage: it is raised as it is."""

    @pytest.mark.parametrize("kind", [FAKEREDIS, REDIS])
    def test_a_key_that_holds_something_else(self, make_store, kind, key):
        store = make_store(kind)
        store._redis.lpush(key, "x")
        with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
            store.get(key)

    @pytest.mark.parametrize(
        ("kind", "no_key", "error"),
        [
            (SQLITE, ["a list"], sa.exc.ProgrammingError),
            (FILE, ["a list"], sa.exc.ProgrammingError),
            pytest.param(*POSTGRES.values, "nul \x00", sa.exc.DataError, marks=POSTGRES.marks),
        ],
    )
    def test_what_cannot_be_a_key(self, make_store, kind, no_key, error):
        with pytest.raises(error):
            make_store(kind).get(no_key)
