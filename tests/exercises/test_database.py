"""The judge's database: what a hand-in's SQL may do in the judge's own process, and what the judge can do to it."""

import pytest

from labs.auth.stores import StoreDown
from labs.exercises.database import JudgeDatabase
from labs.exercises.lab import Together

COUNT_FOR_EVER = "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT "


@pytest.fixture
def db():
    db = JudgeDatabase()
    db.execute("CREATE TABLE t (k TEXT PRIMARY KEY, v REAL)")
    yield db
    db.close()


def test_it_gives_rows_and_how_many_changed(db):
    assert db.execute("INSERT INTO t VALUES (?, ?), ('b', 2)", ["a", 1.5]) == [[], 2]
    assert db.execute("INSERT INTO t VALUES ('a', 3) ON CONFLICT DO NOTHING") == [[], 0]
    assert db.execute("SELECT * FROM t ORDER BY k", []) == [[["a", 1.5], ["b", 2.0]], 0]
    assert db.execute("UPDATE t SET v = ? WHERE k = ? RETURNING v", [None, "a"]) == [[[None]], 1]
    assert db.execute("DELETE FROM t") == [[], 2]


@pytest.mark.parametrize(
    ("sql", "params", "why"),
    [
        ("ATTACH '/tmp/fernbank-attached' AS a", [], "no ATTACH"),
        ("VACUUM INTO '/tmp/fernbank-vacuumed'", [], "no ATTACH"),
        ("PRAGMA journal_mode = off", [], "no PRAGMA"),
        ("BEGIN", [], "a transaction of its own"),
        ("SAVEPOINT a", [], "a transaction of its own"),
        ("SELECT load_extension('a')", [], "a transaction of its own"),
        (COUNT_FOR_EVER + "max(x) FROM c", [], "it took too long"),
        ("CREATE TABLE u AS " + COUNT_FOR_EVER + "hex(zeroblob(4000)) FROM c", [], "too long|full"),
        ("SELECT zeroblob(1000000)", [], "too big"),
        ("SELECT 1; SELECT 2", [], "one statement at a time"),
        ("SELECT ?", [], "0 supplied"),
        ("SELECT ?", [{"a": 1}], "not dict"),
        ("SELECT ?", [b"a"], "not bytes"),
        ("SELECT ?", [2**70], "too large"),
        ("SELECT ?", ["\ud800"], "surrogates"),
        ("SELEC", [], "syntax error"),
        (b"SELECT 1", [], "a statement, which is text"),
        ("SELECT ?", "a", "a list of what its"),
    ],
)
def test_what_it_refuses_it_says(db, sql, params, why):
    with pytest.raises(TypeError, match=why):
        db.execute(sql, params)
    assert db.execute("SELECT count(*) FROM t") == [[[0]], 0]


def test_an_answer_without_end_is_cut(db):
    rows, _ = db.execute(COUNT_FOR_EVER + "x FROM c")
    assert len(rows) == 1_000


def test_any_statement_can_be_held(db):
    with db.hold(skipped=1) as held:
        under_way = Together(lambda: [db.execute("SELECT count(*) FROM t")[0] for _ in range(2)])
        assert held.arrived.wait(10)
        db.execute("INSERT INTO t VALUES ('a', 1)")
        held.release()
        assert under_way.result() == [[[0]], [[1]]]


def test_it_can_be_down(db):
    db.down = True
    with pytest.raises(StoreDown):
        db.execute("SELECT 1")
    db.down = False
    assert db.execute("SELECT 1") == [[[1]], 0]
