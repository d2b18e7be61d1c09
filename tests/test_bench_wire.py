"""The wire log: byte for byte what was received and sent, there before the client has it, and bounded."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask, request

from conftest import eventually
from labs.bench import Exchange, serve
from labs.bench.wire import MAX_BYTES, MAX_EXCHANGES, WireLog


@pytest.fixture(scope="module")
def site():
    app = Flask("wire")

    @app.route("/", methods=["GET", "POST"])
    def front():
        return "ünïcode", {"X-Odd-CASE": "  as is ", "Set-Cookie": "a=1"}

    @app.post("/echo")
    def echo():
        return request.get_data()

    @app.get("/stream")
    def stream():
        return iter(["one", "two"])

    @app.get("/told")
    def told():
        request.environ["fernbank.told"].append("mallory read ana's balance")
        return ""

    @app.get("/large")
    def large():
        return "x" * (MAX_BYTES + 1)

    with serve(app) as site:
        yield site


REQUESTS = {
    "plain": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "headers as they are written": b"GET / HTTP/1.0\r\nhOsT:localhost\r\nA:  b \r\nA: c\r\nEmpty:\r\n\r\n",
    "bare line feeds": b"GET /?q=%20 HTTP/1.1\nHost: localhost\n\n",
    "a body": b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\n\xff\0\r\n\r\n",
    "a body that nobody reads": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc",
    "more than a request": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET /more HTTP/1.1\r\n\r\n",
    "an answer in chunks": b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "continue": b"POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
    "refused": b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "garbage": b"\xf0\x9f\x8d\xaa\r\n\r\n",
}


@pytest.mark.parametrize("data", REQUESTS.values(), ids=REQUESTS)
def test_the_log_has_exactly_what_was_on_the_wire(site, data):
    with socket.create_connection(("127.0.0.1", site.port)) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert site.log[-1].request == data
    assert site.log[-1].response == answer
    assert not site.log[-1].truncated


def test_whoever_has_an_answer_finds_it_in_the_log(site):
    def ask(n):
        answer = site.visitor(f"v{n}").post("/echo", body=str(n))
        return answer.exchange.person, answer.exchange.request_body, answer.exchange.response_body

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, range(100)))
    assert answers == [(f"v{n}", str(n).encode(), str(n).encode()) for n in range(100)]


def test_one_that_is_under_way_is_there_without_an_answer(site):
    before = len(site.log)
    with socket.create_connection(("127.0.0.1", site.port)) as client:
        client.sendall(b"GET / HT")
        assert eventually(lambda: len(site.log) > before)
        assert site.log[-1].request == b"GET / HT"
        assert site.log[-1].status is None
        assert "None" in repr(site.log[-1])


def test_the_app_can_tell_what_happened(site):
    exchange = site.visitor().get("/told").exchange
    assert exchange.told == ["mallory read ana's balance"]
    assert site.visitor().get("/").exchange.told == []


def test_long_ones_are_cut_and_say_so(site):
    large = site.visitor().get("/large").exchange
    assert large.truncated
    assert len(large.response) == MAX_BYTES
    sent = site.visitor().post("/echo", body=b"y" * MAX_BYTES).exchange
    assert sent.truncated
    assert len(sent.request) == MAX_BYTES
    assert sent.status == 200


class TestLog:
    @pytest.fixture
    def log(self):
        log = WireLog()
        for person in ["ana", "mallory", "ana"]:
            log.begin(client_port=7, person=person)
        return log

    def test_it_is_a_sequence(self, log):
        assert len(log) == 3
        assert [exchange.n for exchange in log] == [1, 2, 3]
        assert log[0].n == 1
        assert log[-1].n == 3
        assert [exchange.n for exchange in log[1:]] == [2, 3]
        assert repr(log) == "<WireLog: 3 exchanges>"

    def test_by_person(self, log):
        assert [exchange.n for exchange in log.by("ana")] == [1, 3]
        assert log.by("ben") == []

    def test_the_count_goes_on_after_clear(self, log):
        log.clear()
        assert len(log) == 0
        assert log.begin(7, None).n == 4

    def test_the_latest_from_a_port(self, log):
        log.begin(client_port=8, person=None)
        assert log.latest_from(7).n == 3
        assert log.latest_from(9) is None

    def test_it_keeps_the_newest(self):
        log = WireLog()
        for _ in range(MAX_EXCHANGES + 5):
            log.begin(7, None)
        assert len(log) == MAX_EXCHANGES
        assert log[0].n == 6


class TestExchange:
    EXCHANGE = Exchange(
        3,
        0.0,
        "ana",
        request=b"POST /a?b=c HTTP/1.1\r\nHost: x\r\ncookie: a=1; b=2\r\nCookie: c\r\n\r\n{}\r\n\r\n",
        response=b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nSet-Cookie: a=:\r\n\r\n\xff",
    )

    def test_parts(self):
        exchange = self.EXCHANGE
        assert (exchange.method, exchange.path, exchange.status) == ("POST", "/a?b=c", 204)
        assert exchange.request_headers == [("Host", "x"), ("cookie", "a=1; b=2"), ("Cookie", "c")]
        assert exchange.response_headers == [("Set-Cookie", "a=:")]
        assert exchange.request_body == b"{}\r\n\r\n"
        assert exchange.response_body == b"\xff"
        assert exchange.request_text.endswith("{}\r\n\r\n")
        assert exchange.response_text.endswith("\\xff")
        assert repr(exchange) == "<Exchange 3: POST /a?b=c -> 204 by ana>"

    @pytest.mark.parametrize("data", [b"", b"\r\n", b"GET", b"GET /\r\n\r\n", b"\n\n", b"\xff", b"HTTP/1.1"])
    def test_of_garbage(self, data):
        exchange = Exchange(1, 0.0, request=data, response=data)
        assert (exchange.method, exchange.path, exchange.status) == ("", "", None)
        assert exchange.request_headers == exchange.response_headers == []
        assert isinstance(exchange.request_body, bytes)
        assert isinstance(exchange.request_text, str)
        assert "Exchange 1" in repr(exchange)
