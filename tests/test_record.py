"""The record says who did what, in sentences, and what an owner lost; under threads it loses nothing itself."""

import threading

import pytest

from labs.servers import Event, Record
from labs.servers.record import KEPT


def event(person="ana", user="ana", action="read balance", owner="ana", **detail):
    return Event(1_900_000_000.0, person, user, action, owner, detail)


@pytest.mark.parametrize(
    ("happened", "sentence"),
    [
        (event(person="mallory"), "mallory read ana's balance"),
        (event(), "ana read their own balance"),
        (event(person="mallory", action="read notes"), "mallory read ana's notes"),
        (event("mallory", action="moved money", to="ben", amount=70), "mallory moved 70 of ana's ferns to ben"),
        (event(action="moved money", to="ben", amount=1), "ana moved 1 of their own ferns to ben"),
        (event(person="mallory", action="wrote note"), "mallory wrote a note among ana's notes"),
        (event(action="logged in"), "ana logged in"),
        (event(person="mallory", action="logged in"), "mallory logged in as ana"),
        (event(person="someone", action="logged out everywhere"), "someone logged out everywhere as ana"),
        (event(action="confirmed"), "ana confirmed"),
    ],
)
def test_an_event_is_a_sentence(happened, sentence):
    assert str(happened) == sentence


def test_lost_is_what_another_person_read_or_moved_and_what_went_to_mallory():
    record = Record()
    stolen = [
        event(action="moved money", to="mallory", amount=7),  # by their own browser: a page of Mallory's did it
        event(person="mallory"),
        event(person="mallory", action="read notes"),
        event(person="someone", action="moved money", to="mallory", amount=5),
    ]
    harmless = [
        event(),
        event(action="moved money", to="ben", amount=5),
        event(person="mallory", action="logged in"),
        event(person="mallory", action="wrote note"),
        event(person="mallory", user="mallory", owner="mallory"),
        event(person="mallory", user="ben", owner="ben"),
    ]
    for one in [harmless[0], *stolen[:2], *harmless[1:3], stolen[2], *harmless[3:], stolen[3]]:
        record.add(one)
    assert record.lost("ana") == stolen
    assert record.lost("ben") == [harmless[-1]]
    assert record.lost("mallory") == []


def test_a_record_reads_as_a_list():
    record = Record()
    events = [event(action=action) for action in ("logged in", "read balance", "logged out")]
    for one in events:
        record.add(one)
    assert len(record) == 3
    assert list(record) == events
    assert record[0] is events[0]
    assert record[-2:] == events[-2:]
    assert events[1] in record
    assert str(record) == "ana logged in\nana read their own balance\nana logged out"
    assert repr(record) == "<Record of 3 events>"
    record.clear()
    assert len(record) == 0
    assert str(record) == "nothing happened yet"


def test_a_record_can_be_read_while_others_write():
    record = Record()

    def write():
        for _ in range(2_000):
            record.add(event())

    writers = [threading.Thread(target=write) for _ in range(4)]
    for one in writers:
        one.start()
    while any(one.is_alive() for one in writers):
        assert len(list(record)) <= 8_000  # a deque that grows while it is read raises RuntimeError
    assert len(record) == 8_000


def test_a_record_keeps_the_latest_and_no_more():
    record = Record()
    for number in range(KEPT + 2):
        record.add(event(number=number))
    assert len(record) == KEPT
    assert record[0].detail == {"number": 2}
