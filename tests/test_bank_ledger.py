"""The ledger: money is neither made nor lost, whatever is asked and by however many at once."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.servers import customers
from labs.servers.ledger import NOTES_KEPT, Ledger, NotEnough, TooManyNotes

NAMES = ["ana", "ben", "mallory"]


def ledger() -> Ledger:
    return Ledger(customers("fern").values())


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(-10, 6_000))))
def test_whatever_is_moved_the_sum_stays_and_nobody_owes(moves):
    book = ledger()
    before = sum(map(book.balance, NAMES))
    for giver, taker, amount in moves:
        had = book.balance(giver)
        try:
            assert book.move(giver, taker, amount, at=0.0) == book.balance(giver) == had - amount
        except NotEnough:
            assert had < amount
            assert book.balance(giver) == had
        except ValueError:
            assert amount < 1 or giver == taker
            assert book.balance(giver) == had
    assert sum(map(book.balance, NAMES)) == before
    assert min(map(book.balance, NAMES)) >= 0


def test_of_two_transfers_at_once_only_what_is_there_goes():
    book = ledger()
    together = threading.Barrier(8)

    def empty():
        together.wait()
        for _ in range(1_000):
            try:
                book.move("ana", "ben", 7, at=0.0)
            except NotEnough:
                return

    threads = [threading.Thread(target=empty) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    had = customers("fern")
    assert book.balance("ana") == had["ana"].balance % 7
    assert book.balance("ben") == had["ben"].balance + had["ana"].balance // 7 * 7


def test_a_stranger_has_no_account():
    book = ledger()
    with pytest.raises(KeyError):
        book.move("ana", "eve", 1, at=0.0)
    assert book.balance("ana") == customers("fern")["ana"].balance
    assert book.movements("ana") == []
    assert "eve" not in book
    assert "ana" in book


def test_movements_are_those_of_the_owner_latest_first():
    book = ledger()
    for at, (giver, taker) in enumerate([("ana", "ben"), ("ben", "mallory"), ("mallory", "ana")]):
        book.move(giver, taker, at + 1, at=float(at))
    assert [(one.giver, one.taker, one.amount, one.at) for one in book.movements("ana")] == [
        ("mallory", "ana", 3, 2.0),
        ("ana", "ben", 1, 0.0),
    ]
    assert [one.amount for one in book.movements("ana", latest=1)] == [3]


def test_notes_are_the_owners_and_a_copy():
    book = ledger()
    book.write_note("ana", "buy milk")
    assert book.notes("ana") == [*customers("fern")["ana"].notes, "buy milk"]
    assert book.notes("ben") == list(customers("fern")["ben"].notes)
    book.notes("ben").clear()
    assert book.notes("ben") == list(customers("fern")["ben"].notes)


def test_a_full_book_takes_no_more():
    book = ledger()
    for _ in range(NOTES_KEPT - 3):
        book.write_note("ana", "again")
    with pytest.raises(TooManyNotes):
        book.write_note("ana", "one too many")
    assert len(book.notes("ana")) == NOTES_KEPT
