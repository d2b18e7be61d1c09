"""Keys over HTTP: what is published, and a client that asks seldom, survives outages, and reads any odd answer."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import hypothesis.strategies as st
import pytest
from flask import Flask, Response, redirect
from hypothesis import given
from token_cases import ISSUER, UNHURRIED, key

from labs.auth import jwks
from labs.auth.jwks import JwksClient, fetch_from, publish
from labs.auth.keys import Key, generate
from labs.auth.token_errors import KeysUnavailable, UnknownKey
from labs.bench import serve

ONE, TWO = generate("ES256", ISSUER, "one"), generate("ES256", ISSUER, "two")


class Issuer:
    """Somebody who publishes keys, at a time of ours: what `fetch` returns or raises is `answer`."""

    def __init__(self, *keys: Key):
        self.now = 1_900_000_000.0
        self.answer = publish(keys)
        self.asked = 0

    def fetch(self):
        self.asked += 1
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer() if callable(self.answer) else self.answer

    def client(self, **times):
        return JwksClient(ISSUER, self.fetch, clock=lambda: self.now, **times)


def found(client, kid) -> str:
    """What the client answers: the kid of the key, or the name of the error."""
    try:
        return client.find(kid, ISSUER).kid
    except (UnknownKey, KeysUnavailable) as error:
        return type(error).__name__


# ---- Publishing ----------------------------------------------------------------------------------


def test_what_is_published_is_public():
    published = publish([key("RS256"), key("ES256"), key("EdDSA")])
    assert [jwk["alg"] for jwk in published["keys"]] == ["RS256", "ES256", "EdDSA"]
    assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & {name for jwk in published["keys"] for name in jwk}
    assert json.loads(json.dumps(published)) == published
    assert publish([]) == {"keys": []}


def test_a_secret_is_never_published():
    with pytest.raises(ValueError, match="no public half"):
        publish([key("ES256"), key("HS256")])


# ---- When it asks --------------------------------------------------------------------------------


def test_a_client_asks_when_it_is_first_needed_and_then_not_for_its_lifetime():
    issuer = Issuer(ONE, TWO)
    client = issuer.client()
    assert (issuer.asked, client.fetches) == (0, 0)
    for _ in range(1000):
        assert client.find("one", ISSUER) == ONE.public()
        assert client.find("two", ISSUER) == TWO.public()
    issuer.now += 299.75
    assert found(client, "one") == "one"
    assert (issuer.asked, client.fetches) == (1, 1)
    issuer.now += 0.25
    assert found(client, "one") == "one"
    assert (issuer.asked, client.fetches) == (2, 2)


def test_a_key_that_is_no_longer_published_is_gone_after_the_lifetime_at_the_latest():
    issuer = Issuer(ONE, TWO)
    client = issuer.client()
    assert found(client, "one") == "one"
    issuer.answer = publish([TWO])
    issuer.now += 299.75
    assert found(client, "one") == "one"
    issuer.now += 0.25
    assert found(client, "one") == "UnknownKey"
    assert found(client, "two") == "two"


def test_a_flood_of_unknown_kids_is_no_flood_of_fetches():
    issuer = Issuer(ONE)
    client = issuer.client()
    assert found(client, "one") == "one"
    for number in range(1000):  # in about a minute
        issuer.now += 0.0625
        assert found(client, f"made-up-{number}") == "UnknownKey"
        assert found(client, "one") == "one"
    assert client.fetches == issuer.asked == 1 + 2


def test_a_new_key_is_found_once_the_cooldown_is_over():
    issuer = Issuer(ONE)
    client = issuer.client()
    assert found(client, "one") == "one"
    issuer.answer = publish([ONE, TWO])
    issuer.now += 29.75
    assert found(client, "two") == "UnknownKey"
    issuer.now += 0.25
    assert found(client, "two") == "two"
    assert client.fetches == 2


def test_another_issuer_is_never_asked_for():
    issuer = Issuer(ONE)
    client = issuer.client()
    for other in (f"{ISSUER}/", "", "https://elsewhere.example"):
        with pytest.raises(UnknownKey):
            client.find("one", other)
    assert client.fetches == 0


def test_a_cooldown_longer_than_the_lifetime_is_refused():
    with pytest.raises(ValueError, match="cooldown"):
        Issuer().client(lifetime=10, cooldown=11)


# ---- Outages -------------------------------------------------------------------------------------


def test_in_an_outage_what_is_known_goes_on_for_a_while():
    issuer = Issuer(ONE)
    client = issuer.client(lifetime=300, stale_for=3600)
    assert found(client, "one") == "one"
    issuer.answer = OSError("down")
    issuer.now += 300 + 3599.75
    assert found(client, "one") == "one"
    issuer.now += 0.25
    assert found(client, "one") == "KeysUnavailable"
    issuer.answer = publish([ONE])
    issuer.now += 30
    assert found(client, "one") == "one"


def test_in_an_outage_the_issuer_is_asked_once_a_cooldown():
    issuer = Issuer(ONE)
    issuer.answer = OSError("down")
    client = issuer.client()
    for _ in range(600):  # in about a minute
        assert found(client, "one") == "KeysUnavailable"
        issuer.now += 0.1
    assert client.fetches == issuer.asked == 2


def test_nothing_is_said_about_a_key_when_the_issuer_could_not_be_asked():
    issuer = Issuer(ONE)
    client = issuer.client()
    assert found(client, "one") == "one"
    assert found(client, "two") == "UnknownKey"
    issuer.answer = OSError("down")
    issuer.now += 30
    assert found(client, "two") == "KeysUnavailable"
    assert found(client, "one") == "one"
    issuer.now += 29
    assert found(client, "two") == "KeysUnavailable"
    issuer.answer = publish([ONE])
    issuer.now += 1
    assert found(client, "two") == "UnknownKey"


def test_a_clock_that_is_set_back_does_not_keep_keys_for_ever():
    issuer = Issuer(ONE)
    client = issuer.client()
    assert found(client, "one") == "one"
    issuer.answer = publish([TWO])
    issuer.now -= 9 * 3600
    assert found(client, "one") == "UnknownKey"
    assert found(client, "two") == "two"


# ---- Odd answers ---------------------------------------------------------------------------------

BAD_JWKS = [None, 5, "a key", [], {}, {"kty": "EC"}, {"kid": "one"}, {**publish([ONE])["keys"][0], "x": "AA"}]
BAD_JWKS += [{**publish([ONE])["keys"][0], "use": "enc"}, {**publish([ONE])["keys"][0], "key_ops": 5}]


def test_bad_keys_among_good_ones_are_left_out():
    issuer = Issuer()
    issuer.answer = {"keys": [*BAD_JWKS, *publish([ONE, TWO])["keys"], *BAD_JWKS], "more": 5}
    client = issuer.client()
    assert (found(client, "one"), found(client, "two"), client.fetches) == ("one", "two", 1)


def test_a_secret_that_is_published_is_none():
    issuer = Issuer()
    issuer.answer = {"keys": [{"kty": "oct", "alg": "HS256", "kid": "one", "k": "A" * 43}]}
    assert found(issuer.client(), "one") == "UnknownKey"


def test_of_two_keys_with_one_kid_the_first_counts():
    other = generate("ES256", ISSUER, "one")
    issuer = Issuer(ONE, other)
    assert issuer.client().find("one", ISSUER) == ONE.public()


def test_an_empty_set_is_an_answer():
    issuer = Issuer(ONE)
    client = issuer.client()
    assert found(client, "one") == "one"
    issuer.answer = {"keys": []}
    issuer.now += 300
    assert found(client, "one") == "UnknownKey"


ODD = [
    None, 5, "text", [], {}, {"keys": None}, {"keys": {}}, {"keys": "one"}, {"key": []}, {"keys": [{}] * 101},
    {"keys": publish([ONE] * 101)["keys"]}, ValueError("not JSON"), RecursionError("deep"), KeyError("keys"),
    TimeoutError("slow"), MemoryError(), lambda: 1 / 0,
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:30].partition(" at 0x")[0])
def test_an_odd_answer_is_no_answer(odd):
    issuer = Issuer(ONE)
    client = issuer.client()
    good, issuer.answer = issuer.answer, odd
    assert found(client, "one") == "KeysUnavailable"
    issuer.answer = good
    issuer.now += 30
    assert found(client, "one") == "one"
    issuer.answer = odd
    issuer.now += 300
    assert found(client, "one") == "one"  # what was known goes on
    assert client.fetches == 3


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=9) | st.sampled_from(publish([ONE, TWO])["keys"] + BAD_JWKS),
    lambda inside: st.lists(inside) | st.dictionaries(st.sampled_from(["keys", "kid", "kty", "alg", "x"]), inside),
)


@UNHURRIED
@given(JSON | st.lists(JSON).map(lambda keys: {"keys": keys}), st.text())
def test_any_answer_and_any_kid(answer, kid):
    issuer = Issuer()
    issuer.answer = answer
    client = issuer.client()
    assert found(client, kid) in ("UnknownKey", "KeysUnavailable", kid)
    assert found(client, "one") in ("UnknownKey", "KeysUnavailable", "one")


# ---- Threads -------------------------------------------------------------------------------------


class Queue:
    """A lock that calls `all_here` when `many` have come for it."""

    def __init__(self, many, all_here):
        self.lock, self.coming, self.came = threading.Lock(), threading.Lock(), 0
        self.many, self.all_here, self.release = many, all_here, self.lock.release

    def acquire(self, blocking=True):
        with self.coming:
            self.came += 1
            if self.came == self.many:
                self.all_here()
        return self.lock.acquire(blocking)


def test_of_many_who_need_the_keys_one_fetches_and_all_get_them():
    issuer, may_answer = Issuer(ONE), threading.Event()
    client = issuer.client(cooldown=0)  # only that somebody else has just fetched keeps them from it
    client._lock = Queue(10, may_answer.set)

    def answer():
        may_answer.wait()
        return publish([ONE])

    issuer.answer = answer
    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(lambda _: found(client, "one"), range(10))) == {"one"}
    assert client.fetches == issuer.asked == 1


class Impatient:
    """A lock that says so where somebody would wait."""

    def __init__(self):
        self.lock = threading.Lock()
        self.release = self.lock.release

    def acquire(self, blocking=True):
        got = self.lock.acquire(blocking=False)
        assert got or not blocking, "waits for the one who fetches"
        return got


def test_whoever_knows_the_key_does_not_wait_for_the_one_who_fetches():
    issuer, meanwhile = Issuer(ONE), []
    client = issuer.client()
    client._lock = Impatient()

    def answer():
        meanwhile.append(found(client, "one"))
        return publish([ONE])

    assert found(client, "one") == "one"
    issuer.answer = answer
    issuer.now += 300
    assert found(client, "one") == "one"
    assert meanwhile == ["one"]
    assert client.fetches == issuer.asked == 2


# ---- Over HTTP -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site():
    app = Flask("issuer")
    deep = "[" * 30_000
    bodies = {
        "good": json.dumps(publish([ONE])),
        "large": json.dumps({"keys": [], "more": "x" * (jwks.LARGEST - 24)}),
        "huge": json.dumps({"keys": [], "more": "x" * jwks.LARGEST}),
        "text": "<h1>Hello</h1>",
        "empty": "",
        "latin": b'{"keys": ["\xe9"]}',
        "deep": deep,
    }
    assert len(bodies["large"]) == jwks.LARGEST
    app.add_url_rule("/<name>", "body", lambda name: Response(bodies[name]))
    app.add_url_rule("/moved", "moved", lambda: redirect("/good"))
    app.add_url_rule("/error", "error", lambda: ("broken", 500))
    with serve(app, name="issuer of keys") as site:
        yield site


def test_keys_over_http(site):
    fetch = fetch_from(f"{site.url}/good")
    assert fetch() == publish([ONE])
    assert JwksClient(ISSUER, fetch).find("one", ISSUER) == ONE.public()
    assert fetch_from(f"{site.url}/large")()["keys"] == []


@pytest.mark.parametrize("name", ["moved", "error", "huge", "text", "empty", "latin", "deep"])
def test_other_answers_over_http_raise_what_is_said(site, name):
    fetch = fetch_from(f"{site.url}/{name}")
    with pytest.raises((OSError, ValueError)):
        fetch()
    with pytest.raises(KeysUnavailable):
        JwksClient(ISSUER, fetch).find("one", ISSUER)


def test_an_issuer_that_is_gone():
    with serve(Flask("gone"), name="gone") as gone:
        fetch = fetch_from(f"{gone.url}/good")
    with pytest.raises(OSError, match="refused"):
        fetch()


def test_a_proxy_of_the_environment_is_not_asked(site, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert fetch_from(f"{site.url}/good")() == publish([ONE])


def test_a_drip_ends_when_the_time_is_over():
    class Drip:
        parts = 0

        def read1(self, most):
            self.parts += 1
            return b" "

    drip = Drip()
    with pytest.raises(TimeoutError):
        jwks._body(drip, deadline=float("-inf"))
    assert drip.parts == 1


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "http://keys.example/jwks", "http://127.0.0.1.example/", "http://localhost.example/",
     "ftp://127.0.0.1/", "data:,{}", "keys.json", "", "http:///jwks", "http://192.168.0.1/"],
)  # fmt: skip
def test_keys_that_anybody_on_the_way_could_replace_are_not_fetched(url):
    with pytest.raises(ValueError, match="over https"):
        fetch_from(url)


def test_addresses_that_nobody_sits_in_between():
    for url in ("https://keys.example/jwks", "http://[::1]:80/", "http://127.1.2.3/", "http://id.localhost:1/"):
        assert callable(fetch_from(url))
