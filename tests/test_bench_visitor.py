"""A visitor: real HTTP with a cookie jar, no header more than needed, and sentences when it cannot."""

import pytest
from flask import Flask, jsonify, redirect, request

from labs.bench import BenchError, serve


@pytest.fixture(scope="module")
def site():
    app = Flask("bank")

    @app.route("/", methods=["GET", "POST", "PUT", "HEAD"])
    def front():
        body = request.get_data(as_text=True)
        return jsonify(method=request.method, cookie=request.headers.get("Cookie"), body=body)

    @app.post("/login")
    def login():
        answer = jsonify(request.get_json())
        answer.set_cookie("sid", "one", httponly=True)
        answer.set_cookie("theme", "dark", path="/elsewhere")
        return answer

    @app.route("/to/<path:target>", methods=["GET", "POST"])
    def to(target):
        return redirect(target.replace("~", "/"), code=int(request.args.get("code", 303)))

    @app.get("/circle")
    def circle():
        return redirect("/circle")

    with serve(app) as site:
        yield site


def test_it_sends_the_headers_that_are_needed(site):
    visitor = site.visitor("ana")
    host = f"app.fernbank.localhost:{site.port}"
    assert visitor.get("/").exchange.request_headers == [("Host", host), ("User-Agent", "fernbank-visitor")]
    visitor.cookies["sid"] = "x"
    assert visitor.post("/", body=b"abc").exchange.request_headers == [
        ("Host", host),
        ("User-Agent", "fernbank-visitor"),
        ("Cookie", "sid=x"),
        ("Content-Length", "3"),
    ]


def test_bodies(site):
    visitor = site.visitor()
    sent = visitor.post("/", json={"a": [1, None]})
    assert sent.json()["body"] == '{"a": [1, null]}'
    assert ("Content-Type", "application/json") in sent.exchange.request_headers
    sent = visitor.post("/", form={"a": "1 &", "b": "ä"})
    assert sent.exchange.request_body == b"a=1+%26&b=%C3%A4"
    assert ("Content-Type", "application/x-www-form-urlencoded") in sent.exchange.request_headers
    assert visitor.request("PUT", "/", body="ü").json()["body"] == "ü"
    assert visitor.post("/", json=False).json()["body"] == "false"
    with pytest.raises(BenchError, match="one body: give one of"):
        visitor.post("/", json={}, body=b"")


def test_given_headers_replace_its_own(site):
    visitor = site.visitor()
    visitor.cookies["sid"] = "x"
    sent = visitor.post("/", json={}, headers={"cookie": "sid=y", "Content-Type": "text/plain", "X-More": 1})
    assert sent.json()["cookie"] == "sid=y"
    names = [name for name, _ in sent.exchange.request_headers]
    assert names == ["Host", "User-Agent", "Content-Length", "cookie", "Content-Type", "X-More"]
    assert visitor.get("/", headers={"Host": "evil.example"}).status == 421


def test_login_and_cookies(site):
    visitor = site.visitor()
    answer = visitor.login("ana", "secret")
    assert answer.json() == {"username": "ana", "password": "secret"}
    assert answer.set_cookies == ["sid=one; HttpOnly; Path=/", "theme=dark; Path=/elsewhere"]
    assert dict(visitor.cookies) == {"sid": "one", "theme": "dark"}
    assert visitor.get("/").json()["cookie"] == "sid=one"
    assert site.visitor().get("/").json()["cookie"] is None


def test_octets_of_cookies_come_back_unchanged(site):
    visitor = site.visitor()
    visitor.cookies.store("a=caf\xc3\xa9", visitor.url_of("/"))  # UTF-8, as http.client hands it on
    visitor.cookies["b"] = "€"
    assert ("Cookie", "a=caf\xc3\xa9; b=\xe2\x82\xac") in visitor.get("/").exchange.request_headers


class TestRedirects:
    def test_are_shown_by_default(self, site):
        answer = site.visitor().get("/to/~")
        assert (answer.status, answer.headers["location"]) == (303, "/")

    @pytest.mark.parametrize(
        ("code", "method"), [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")]
    )
    def test_are_followed_as_browsers_do(self, site, code, method):
        answer = site.visitor().post(f"/to/~?code={code}", json={"a": 1}, follow=True)
        assert answer.json()["method"] == method
        assert bool(answer.json()["body"]) == (method == "POST")
        assert answer.url == f"http://app.fernbank.localhost:{site.port}/"

    @pytest.mark.parametrize(
        "target", ["http:~~evil.example~", "https:~~app.fernbank.localhost~", "http:~~localhost~"]
    )
    def test_to_another_site_are_not_followed(self, site, target):
        assert site.visitor().get(f"/to/{target}", follow=True).status == 303

    def test_in_a_circle_are_said(self, site):
        with pytest.raises(BenchError, match="redirects in a circle"):
            site.visitor().get("/circle", follow=True)


class TestResponse:
    def test_parts(self, site):
        answer = site.visitor().get("/")
        assert answer.headers["CONTENT-type"] == "application/json"
        assert answer.text == answer.body.decode()
        assert answer.exchange is site.log[-1]
        assert repr(answer) == f"<Response 200, {len(answer.body)} bytes from {answer.url}>"

    def test_what_is_no_json_is_said(self, site):
        with pytest.raises(BenchError, match=r"answer to .*/nowhere \(404\) is no JSON; it begins with '<"):
            site.visitor().get("/nowhere").json()

    def test_head(self, site):
        answer = site.visitor().request("HEAD", "/")
        assert (answer.status, answer.body) == (200, b"")


class TestWhatCannotBeSent:
    @pytest.mark.parametrize("path", ["/a b", "/\r\nX: y", "/\0", "/ü"])
    def test_a_path(self, site, path):
        with pytest.raises(BenchError, match="cannot be written as HTTP"):
            site.visitor().get(path)

    @pytest.mark.parametrize("headers", [{"X": "a\r\nY: b"}, {"X\n": "a"}, {"": "a"}, {"ü": "a"}])
    def test_a_header(self, site, headers):
        with pytest.raises(BenchError, match="cannot be written as HTTP"):
            site.visitor().get("/", headers=headers)

    def test_a_method(self, site):
        with pytest.raises(BenchError, match="cannot be written as HTTP"):
            site.visitor().request("GET\r\n", "/")


def test_what_can_be_written_is_sent_however_odd(site):
    assert site.visitor().get("/", headers={"X": "a\0"}).status == 400
    assert site.visitor().request("GET /x", "/").status == 400
    assert site.visitor().get("/", headers={"X Y": "a"}).status == 400


def test_repr(site):
    assert repr(site.visitor("ana")) == f"<Visitor ana at http://app.fernbank.localhost:{site.port}/>"
    assert "without a name" in repr(site.visitor())
