"""Serving: ready at once, replaced by name, on this machine only, silent, and honest about garbage."""

import re
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask, request
from flask.logging import default_handler
from hypothesis import example, given, settings
from hypothesis import strategies as st
from werkzeug.exceptions import HTTPException

from conftest import eventually
from labs.bench import BenchError, serve
from labs.bench.connection import MAX_BODY, Connection


def make_app(name="bank"):
    app = Flask(name)
    app.logger.addHandler(default_handler)  # Flask adds it itself where pytest has not added its own
    app.logger.propagate = False

    @app.get("/")
    def front():
        return f"hello {request.environ['fernbank.person']}"

    @app.post("/echo")
    def echo():
        return request.get_data()

    @app.get("/raises")
    def raises():
        raise RuntimeError("a learner's mistake")

    @app.get("/unwritable")
    def unwritable():
        return "text", {"Set-Cookie": "price=5 €"}

    @app.errorhandler(HTTPException)
    def plain(error):
        return str(error.code), error.code

    return app


@pytest.fixture(scope="module")
def site():
    with serve(make_app(), name="tests of the server") as site:
        yield site


def send(site, data, *, end=True):
    """Send bytes over a bare socket and give all that comes back; `end` says that no more will be sent."""
    with socket.create_connection(("127.0.0.1", site.port)) as client:
        try:
            client.sendall(data)
            if end:
                client.shutdown(socket.SHUT_WR)
        except ConnectionError:
            pass  # it hung up on us; what it said is still there
        return b"".join(iter(lambda: client.recv(65536), b""))


def status(answer):
    return int(re.match(rb"HTTP/1\.1 (\d{3}) ", answer)[1])


def sentence(answer):
    return answer.partition(b"\r\n\r\n")[2].decode()


def listens(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


class TestServe:
    def test_it_answers_at_once(self):
        with serve(make_app()) as site:
            assert site.visitor().get("/").status == 200
            assert site.url == f"http://127.0.0.1:{site.port}"
            assert site.page == f"http://app.fernbank.localhost:{site.port}"

    def test_the_name_is_the_apps(self):
        with serve(make_app("desk")) as site:
            assert site.name == "desk"
        with serve(lambda environ, start: None, name="given") as site:
            assert site.name == "given"
        with serve(lambda environ, start: None) as site:
            assert site.name == "function"

    def test_any_wsgi_app_will_do(self):
        def app(environ, start_response):
            start_response("202 Fine", [("Content-Type", "text/plain")])
            return [b"one ", b"two"]

        with serve(app) as site:
            answer = site.visitor().get("/")
            assert (answer.status, answer.text) == (202, "one two")
            assert answer.exchange.response_body == b"4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n"

    def test_the_same_name_replaces(self):
        first = serve(make_app())
        second = serve(make_app())
        assert not listens(first.port)
        assert second.visitor().get("/").status == 200
        first.stop()
        assert second.visitor().get("/").status == 200
        second.stop()

    def test_another_name_does_not(self):
        with serve(make_app(), name="one") as one, serve(make_app(), name="two") as two:
            assert listens(one.port)
            assert listens(two.port)

    def test_stop_frees_the_port_and_may_be_repeated(self):
        site = serve(make_app())
        site.stop()
        site.stop()
        assert not listens(site.port)
        with serve(make_app(), port=site.port) as again:
            assert again.port == site.port
        with pytest.raises(BenchError, match="stopped.*did not answer GET /"):
            site.visitor().get("/")

    def test_many_at_once(self):
        inside = threading.Barrier(8, timeout=30)

        def app(environ, start_response):
            inside.wait()  # passes only when all eight requests are being served
            start_response("200 OK", [("Content-Length", "0")])
            return []

        with serve(app, name="barrier") as site:
            with ThreadPoolExecutor(8) as threads:
                answers = list(threads.map(lambda _: site.visitor().get("/").status, range(8)))
            assert answers == [200] * 8

    def test_a_taken_port_is_said(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(BenchError, match=rf"Port {port} cannot be used .*Leave out port="):
                serve(make_app(), port=port)

    @pytest.mark.parametrize("port", [-1, 65536])
    def test_an_impossible_port_is_said(self, port):
        with pytest.raises(BenchError, match=f"Port {port} cannot be used"):
            serve(make_app(), port=port)

    def test_what_is_no_app_is_said(self):
        with pytest.raises(BenchError, match=r"takes a WSGI app.*was given 'bank'"):
            serve("bank")

    def test_it_listens_on_this_machine_only(self, site):
        addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
        for address in addresses - {"127.0.0.1"}:
            with socket.socket() as client:
                assert client.connect_ex((address, site.port)) != 0

    def test_record_customers_and_passwords_are_the_apps(self):
        app = make_app()
        with serve(app) as site:
            assert site.record is None
            assert site.customers is None
            with pytest.raises(BenchError, match="has no customer 'ana'"):
                site.password_of("ana")
            app.record = ["an event"]
            app.customers = {"ana": type("Customer", (), {"password": "secret"})}
            assert site.record == ["an event"]
            assert site.password_of("ana") == "secret"
            with pytest.raises(BenchError, match="no customer 'eve'; its customers: ana"):
                site.password_of("eve")

    def test_repr(self, monkeypatch):
        with serve(make_app()) as site:
            assert repr(site) == f"<Site bank at {site.page}>"
            monkeypatch.setenv("JUPYTERHUB_API_URL", "http://hub")
            assert "not on your machine" in repr(site)
        assert repr(site) == "<Site bank, stopped>"


class TestEnd:
    """A site ends with the process that serves it, however that ends."""

    SCRIPT = """
import sys, time
from labs.bench import serve
site = serve(lambda environ, start_response: time.sleep(3600), name="sleeper")
print(site.port, flush=True)
"""

    def run(self, ending):
        program = [sys.executable, "-c", self.SCRIPT + ending]
        process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return process, int(process.stdout.readline())

    def test_at_the_end_of_the_program_even_with_a_request_under_way(self):
        process, port = self.run("""
import threading
from concurrent.futures import ThreadPoolExecutor
threading.Thread(target=site.visitor().get, args=("/",), daemon=True).start()
while not site.log: time.sleep(0.001)
""")
        assert process.wait() == 0
        assert process.stderr.read() == ""
        assert not listens(port)

    def test_at_ctrl_c(self):
        process, port = self.run("time.sleep(3600)")
        process.send_signal(signal.SIGINT)
        assert process.wait() != 0
        assert not listens(port)

    def test_ctrl_c_in_a_cell_leaves_the_kernel_usable(self):
        process, _ = self.run("""
import os, signal, threading
def interrupt():
    while not site.log: time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
try:
    site.visitor().get("/")
except KeyboardInterrupt:
    site.stop()
    print(threading.active_count(), site)
""")
        out, err = process.communicate()
        # The request that hangs in the app is all that is left.
        assert (out, err) == ("2 <Site sleeper, stopped>\n", "")


class TestSilence:
    def test_nothing_is_printed_and_errors_are_kept(self, site, capfd):
        site.errors.clear()
        assert site.visitor().get("/").status == 200
        assert site.visitor().get("/missing").status == 404
        assert status(send(site, b"garbage\r\n\r\n")) == 400
        assert site.visitor().get("/raises").status == 500
        assert capfd.readouterr() == ("", "")
        assert "a learner's mistake" in site.errors[0]

    def test_a_plain_wsgi_app_that_raises(self, capfd):
        def app(environ, start_response):
            raise RuntimeError("a plain mistake")

        with serve(app) as site:
            assert site.visitor().get("/").status == 500
            assert eventually(lambda: site.errors)  # werkzeug notes it after it has answered
            assert "a plain mistake" in site.errors[0]
        assert capfd.readouterr() == ("", "")

    def test_an_answer_that_no_header_can_carry(self, site, capfd):
        answer = site.visitor().get("/unwritable")
        assert (answer.status, answer.text) == (
            500,
            "The app's answer cannot be written as HTTP: see the site's .errors.\n",
        )
        assert "UnicodeEncodeError" in site.errors[-1]
        assert capfd.readouterr() == ("", "")

    def test_a_client_that_leaves_early(self, site, capfd):
        site.errors.clear()
        with socket.create_connection(("127.0.0.1", site.port)) as client:
            client.sendall(b"GET / HTTP/1.1\r\n")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # reset, not close
        assert site.visitor().get("/").status == 200
        assert capfd.readouterr() == ("", "")
        assert not site.errors

    def test_the_server_header_is_fixed(self, site):
        assert site.visitor().get("/").headers.get_all("Server") == ["Fernbank"]


class TestHost:
    @pytest.mark.parametrize(
        "host",
        [
            "127.0.0.1",
            "127.0.0.1:PORT",
            "localhost",
            "localhost:PORT",
            "app.fernbank.localhost:PORT",
            "evil.fernbank.localhost",
            "a.b.fernbank.localhost:PORT",
            "APP.Fernbank.LOCALHOST:PORT",
            "mallory.localhost:PORT",
        ],
    )
    def test_ours(self, site, host):
        host = host.replace("PORT", str(site.port)).encode()
        assert status(send(site, b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")) == 200

    @pytest.mark.parametrize(
        "host",
        [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example:PORT",
            "fernbank.localhost.evil.example",
            "evil-fernbank.localhost",
            "xmallory.localhost",
            "192.168.0.1:PORT",
            "[::1]:PORT",
            "localhost:1",
            "localhost:PORT:PORT",
            "user@localhost:PORT",
            "localhost, evil.example",
            "app.fernbank.localhost.",
            "",
        ],
    )
    def test_foreign(self, site, host):
        host = host.replace("PORT", str(site.port)).encode()
        answer = send(site, b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
        assert status(answer) == 421
        assert sentence(answer) == f"This site is {site.page} and answers for no other host.\n"

    def test_none_or_two(self, site):
        assert status(send(site, b"GET / HTTP/1.1\r\n\r\n")) == 400
        assert status(send(site, b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n")) == 400

    def test_in_the_request_line(self, site):
        start = f"GET http://127.0.0.1:{site.port}/ HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        assert status(send(site, start)) == 200
        assert status(send(site, start.replace(b"//127.0.0.1", b"//evil.example"))) == 421
        assert status(send(site, start.replace(b"localhost", b"evil.example"))) == 421


HEAD = b"POST /echo HTTP/1.1\r\nHost: localhost\r\n"

GARBAGE = {
    "an empty line": (b"\r\n", 400),
    "only letters": (b"hello\r\n\r\n", 400),
    "HTTP/0.9": (b"GET /\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "HTTP of the future": (b"GET / HTTP/3.7\r\nHost: localhost\r\n\r\n", 400),
    "https": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "a space in the path": (b"GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "NUL in the path": (b"GET /\0 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "a path without a slash": (b"GET secret HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "a method with brackets": (b"G[E]T / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "an unknown method": (b"BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
    "a URL that is none": (b"GET http://[/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 421),
    "a path that looks like a host": (b"GET //[/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    "percent signs that mean nothing": (b"GET /%zz%ff%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    "octets in the path": (b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    "a header without a colon": (HEAD + b"nonsense\r\n\r\n", 400),
    "a header that begins with a space": (b"GET / HTTP/1.1\r\n Host: localhost\r\n\r\n", 400),
    "a bare CR in a header": (HEAD + b"X: a\rHost: evil.example\r\n\r\n", 400),
    "NUL in a header": (HEAD + b"Cookie: a=\0\r\n\r\n", 400),
    "a hundred and one headers": (HEAD + b"X: y\r\n" * 101 + b"\r\n", 431),
    "a header of 70,000 octets": (HEAD + b"X: " + b"y" * 70_000 + b"\r\n\r\n", 431),
    "a path of 70,000 octets": (b"GET /" + b"y" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
    "a length below zero": (HEAD + b"Content-Length: -1\r\n\r\n", 400),
    "a length with a plus": (HEAD + b"Content-Length: +1\r\n\r\nx", 400),
    "a length in Arabic digits": (HEAD + "Content-Length: ١\r\n\r\nx".encode(), 400),
    "a length that is no number": (HEAD + b"Content-Length: many\r\n\r\n", 400),
    "two lengths": (HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", 400),
    "a length of a thousand digits": (HEAD + b"Content-Length: " + b"9" * 1000 + b"\r\n\r\n", 400),
    "a body too large": (HEAD + b"Content-Length: %d\r\n\r\n" % (MAX_BODY + 1) + b"x" * (MAX_BODY + 1), 413),
    "a body that is said to be too large": (HEAD + b"Content-Length: 999999999999\r\n\r\n", 413),
    "a body cut short": (HEAD + b"Content-Length: 9\r\n\r\nabc", 400),
    "a body in chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", 411),
    "chunks and a length": (HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\nx", 411),
}


HEADERS = st.sampled_from([b"Host", b"Content-Length", b"Cookie", b"Expect"])
LINES = (
    st.sampled_from([b"GET / HTTP/1.1", b"POST /echo HTTP/1.1", b"Host: localhost", b"", b":", b" "])
    | st.tuples(HEADERS, st.binary(max_size=20)).map(b": ".join)
    | st.binary(max_size=30)
)


class TestGarbage:
    @pytest.mark.parametrize("label", GARBAGE)
    def test_gets_a_4xx(self, site, label):
        data, expected = GARBAGE[label]
        site.errors.clear()
        assert status(send(site, data)) == expected
        assert site.log[-1].status == expected
        assert not site.errors

    def test_without_waiting_for_the_end(self, site):
        """A client that keeps its side open gets the same answer: no request is read to the end of time."""
        assert status(send(site, b"GET /\r\n", end=False)) == 400
        assert status(send(site, b"\x16\x03\x01", end=False)) == 400
        assert status(send(site, HEAD + b"Content-Length: 1\r\n\r\nx", end=False)) == 200

    @pytest.mark.parametrize("data", [b"GET / HT", HEAD, HEAD + b"Content-Length: 9\r\n\r\nabc"])
    def test_silence_inside_a_request_gets_408(self, site, monkeypatch, data):
        monkeypatch.setattr(Connection, "timeout", 0.05)
        assert status(send(site, data, end=False)) == 408

    def test_silence_instead_of_a_request_gets_nothing(self, site, monkeypatch):
        monkeypatch.setattr(Connection, "timeout", 0.05)
        before = len(site.log)
        assert send(site, b"", end=False) == b""
        assert len(site.log) == before

    def test_head_has_no_body(self, site):
        answer = send(site, b"HEAD / HTTP/1.1\r\nHost: evil.example\r\n\r\n")
        assert status(answer) == 421
        assert sentence(answer) == ""

    def test_a_large_body_is_taken(self, site):
        answer = site.visitor().post("/echo", body=b"x" * MAX_BODY)
        assert answer.body == b"x" * MAX_BODY

    def test_a_client_that_is_still_sending_gets_its_answer(self, site):
        assert site.visitor().post("/echo", body=b"x" * 8 * MAX_BODY).status == 413

    def test_a_form_in_parts_is_taken(self, site):
        """Its parts have headers of their own, which are none of the request's."""
        body = b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--\r\n"
        start = HEAD + b"Content-Type: multipart/form-data; boundary=x\r\n"
        start += b"Content-Length: %d\r\n\r\n" % len(body)
        assert send(site, start + body).endswith(b"\r\n\r\n" + body)

    def test_continue_is_said_once(self, site):
        answer = send(site, HEAD + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\nx")
        assert answer.count(b"100 Continue") == 1
        assert answer.endswith(b"\r\n\r\nx")
        assert site.log[-1].status == 200

    @settings(deadline=None, max_examples=150)
    @given(st.binary(max_size=200) | st.lists(LINES, max_size=8).map(b"\r\n".join))
    @example(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    def test_any_octets_get_an_answer_below_500(self, site, data):
        site.errors.clear()
        answer = send(site, data)
        assert answer == b"" if data == b"" else status(answer) < 500
        assert not site.errors


class TestPerson:
    def test_a_visitor_is_known_by_its_connection(self, site):
        assert site.visitor("ana").get("/").text == "hello ana"
        assert site.log[-1].person == "ana"
        assert site.visitor().get("/").text == "hello someone"
        assert site.log[-1].person is None

    def test_a_known_visitor_cannot_call_itself_another(self, site):
        answer = site.visitor("mallory").get("/", headers={"User-Agent": "fernbank-browser/ana"})
        assert answer.text == "hello mallory"

    def test_the_benchs_browser_is_known_by_its_name(self, site):
        request = b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: fernbank-browser/ben\r\n\r\n"
        assert sentence(send(site, request)) == "hello ben"
        assert sentence(send(site, request.replace(b"ben", b"ben, really"))) == "hello someone"

    def test_ports_are_forgotten(self, site):
        site.visitor("ana").get("/")
        site.people[1] = "left over"
        assert site.people == {1: "left over"}
        site.people.clear()
        with pytest.raises(BenchError):
            site.visitor("ana").get("/", headers={"X": "nothing is sent\r\n"})
        # A name that stayed would be the next visitor's on this port.
        assert eventually(lambda: not site.people)
