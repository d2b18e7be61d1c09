"""What an attack on sessions gives back: raw exchanges of the attacker and her victim, plain data, and a count."""

import json

import pytest

from labs.attacks import csrf, prediction, replay, tossing
from labs.attacks.attempt import Attempt, Target
from labs.attacks.victim import EVIL, MALLORY, BrowserVictim, Page, Victim, hidden_fields
from labs.auth.cookies import SessionCookie
from labs.auth.sessions import Sessions
from labs.auth.stores import MemoryStore
from labs.bench import BenchError, serve
from labs.servers import bank, flask_bank
from labs.servers.flaws.sessions import CounterIds, SeededIds


def attempt(app, attack):
    with serve(app) as site:
        return attack(Target(site)), site


def test_evidence_is_what_mallory_and_the_victims_browser_sent():
    given, site = attempt(bank(CounterIds(MemoryStore())), prediction.between)
    assert {exchange.person for exchange in given.exchanges} == {"ana", "mallory"}
    assert given.sent[-1].startswith("GET /balance HTTP/1.1\r\n")
    assert given.received[-1].startswith("HTTP/1.1 200 OK\r\n")
    assert len(given.sent) == len(given.received) == len(given.exchanges)
    assert given.captured["owner"] == "ana"
    assert given.captured["balance"] == site.customers["ana"].balance
    json.dumps(given.captured)


def test_what_others_do_meanwhile_is_no_evidence():
    with serve(flask_bank()) as site:
        Victim(site, "ben").log_in()
        given = replay.after_logout(Target(site))
        assert [exchange.person for exchange in given.exchanges] == ["mallory"]


@pytest.mark.parametrize("customers_between", [0, 1, 17])
def test_guesses_are_counted_one_by_one(customers_between):
    with serve(bank(CounterIds(MemoryStore()))) as site:
        target = Target(site)
        log_in = target.victim.log_in

        def after_others():
            for _ in range(customers_between):
                Victim(site, "ben").log_in()
            return log_in()

        target.victim.log_in = after_others
        # The ids in between are others': those open accounts, too, so Ben is met first.
        given = prediction.between(target)
        assert given.tries == 1
        assert given.captured["owner"] == ("ben" if customers_between else "ana")


def test_guesses_in_vain_end_and_say_so():
    given, _ = attempt(bank(Sessions(MemoryStore())), lambda target: prediction.between(target, most=7))
    assert (given.tries, given.captured) == (7, {})


@pytest.mark.parametrize("pid", [0, 4242])
def test_the_seed_is_found_at_home(pid):
    given, site = attempt(bank(SeededIds(MemoryStore(), pid=pid)), prediction.seeded)
    assert given.captured["seeds"] == pid + 1
    assert given.tries == 1
    assert [str(event) for event in site.record.lost("ana")] == ["mallory read ana's balance"]


def test_an_attack_begins_with_mallorys_own_account_or_says_that_it_cannot():
    app = bank(Sessions(MemoryStore()))
    app.books.hashes["mallory"] = app.books.hashes["ana"]
    with serve(app) as site, pytest.raises(BenchError, match="could not log in to her own account: 401"):
        Target(site).mallory(logged_in=True)


def test_an_attempt_without_evidence_is_an_attempt():
    assert (Attempt().sent, Attempt().received, Attempt().captured, Attempt().tries) == ([], [], {}, 0)


def test_a_page_escapes_what_it_holds():
    page = Page(MALLORY, "/a?b=1&c=2", {'"><b>': "<i>'&"})
    assert "<b>" not in page.html("http://bank")
    assert 'action="http://bank/a?b=1&amp;c=2"' in page.html("http://bank")
    assert hidden_fields(page.html("http://bank")) == page.fields


def test_a_page_that_only_sets_a_cookie_sends_nothing():
    with serve(bank(Sessions(MemoryStore()), SessionCookie("sid"))) as site:
        ana = Victim(site, "ana")
        ana.open(Page(EVIL, cookies=("sid=x; Domain=fernbank.localhost", "__Host-sid=y; Secure; Path=/; Domain=a")))
        assert len(site.log) == 0
        assert ana.copied() == {"sid": "x"}


def test_the_note_is_anas_and_goes_into_mallorys_book():
    with serve(bank(Sessions(MemoryStore()), SessionCookie("sid"))) as site:
        given = tossing.session(Target(site))
        assert given.captured == {"notes": [tossing.NOTE]}
        assert [str(event) for event in site.record.lost("ana")] == ["ana wrote a note among mallory's notes"]


def test_a_real_browser_leaves_its_evidence_too(browser_part):
    person = browser_part.person("ana")
    with serve(bank(Sessions(MemoryStore()), SessionCookie(samesite="None"))) as site:
        given = csrf.form(Target(site, BrowserVictim(site, person)))
        assert any(sent.startswith("POST /transfer ") for sent in given.sent)
        assert len(site.record.lost("ana")) == 1
    person.close()
