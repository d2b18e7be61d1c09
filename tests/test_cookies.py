"""The cookie policy: what is written, what a browser makes of it, and what is read back."""

from itertools import product

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from labs.auth.cookies import SessionCookie
from labs.bench import serve
from labs.bench.jar import CookieJar

ID = "x1-_" * 10 + "abc"
APP, EVIL, MALLORY = (
    "http://app.fernbank.localhost/",
    "http://evil.fernbank.localhost/",
    "http://mallory.localhost/",
)


class TestSet:
    def test_the_policy(self):
        assert SessionCookie().set(ID) == f"__Host-sid={ID}; Path=/; Secure; HttpOnly; SameSite=Lax"

    def test_each_attribute_as_told(self):
        cookie = SessionCookie(
            "sid", secure=False, samesite=None, http_only=False, path="/bank", domain="a.example"
        )
        assert cookie.set(ID) == f"sid={ID}; Path=/bank; Domain=a.example"

    @pytest.mark.parametrize("samesite", ["Strict", "Lax", "None"])
    def test_same_site(self, samesite):
        assert SessionCookie(samesite=samesite).set(ID).endswith(f"; SameSite={samesite}")

    @pytest.mark.parametrize(
        "id",
        [
            "",
            "a b",
            "a;b",
            "a; Domain=example",
            "a\r\nSet-Cookie: b=c",
            'a"b',
            "a,b",
            "a\\b",
            "é",
            "\x7f",
            "a\n",
        ],
    )
    def test_an_id_that_no_cookie_holds(self, id):
        with pytest.raises(ValueError, match="does not fit into a cookie"):
            SessionCookie().set(id)

    def test_the_largest(self):
        """4,096 octets of name and value (RFC 6265bis §5.6): a browser drops what is longer."""
        cookie, jar = SessionCookie(), CookieJar()
        largest = "a" * (4096 - len("__Host-sid"))
        assert jar.store(cookie.set(largest), APP)
        assert cookie.read(jar.header(APP)) == largest
        with pytest.raises(ValueError, match="does not fit"):
            cookie.set(largest + "a")


class TestConstructor:
    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            ({"secure": False}, "needs Secure"),
            ({"path": "/bank"}, "needs Path=/ and no Domain"),
            ({"domain": "fernbank.localhost"}, "needs Path=/ and no Domain"),
            ({"name": "__HOST-sid", "secure": False}, "needs Secure"),
            ({"name": "__host-sid", "path": "/bank"}, "needs Path=/ and no Domain"),
            ({"name": "__Secure-sid", "secure": False}, "needs Secure"),
            ({"name": "__Http-sid", "secure": False}, "needs Secure"),
            ({"name": "__Http-sid", "http_only": False}, "needs HttpOnly"),
            ({"name": "__Host-Http-sid", "http_only": False}, "needs HttpOnly"),
            ({"name": "__Host-Http-sid", "domain": "fernbank.localhost"}, "needs Path=/ and no Domain"),
            ({"name": "sid", "secure": False, "samesite": "None"}, "SameSite=None needs Secure"),
            ({"samesite": "lax"}, "is no SameSite"),
            ({"samesite": "Lax; Domain=x"}, "is no SameSite"),
            ({"name": ""}, "is no cookie name"),
            ({"name": "a=b"}, "is no cookie name"),
            ({"name": "a b"}, "is no cookie name"),
            ({"name": "sid\n"}, "is no cookie name"),
            ({"name": "sid", "path": "bank"}, "is no cookie path"),
            ({"name": "sid", "path": "/; Domain=x"}, "is no cookie path"),
            ({"name": "sid", "path": "/\r\n"}, "is no cookie path"),
            ({"name": "sid", "domain": ""}, "is no cookie domain"),
            ({"name": "sid", "domain": "x; Path=/"}, "is no cookie domain"),
            ({"name": "sid", "domain": "example.com\n"}, "is no cookie domain"),
        ],
    )
    def test_what_no_browser_would_keep_is_refused(self, arguments, reason):
        with pytest.raises(ValueError, match=reason):
            SessionCookie(**arguments)

    def test_it_refuses_just_what_a_browser_refuses(self):
        """Every combination, against the jar, which is held against Chromium."""
        names = ["sid", "__Secure-sid", "__Host-sid", "__hOsT-sid", "__Http-sid", "__Host-Http-sid"]
        domains, flags = [None, "fernbank.localhost"], [True, False]
        combinations = product(names, flags, ["Strict", "Lax", "None", None], flags, ["/", "/bank"], domains)
        for name, secure, samesite, http_only, path, domain in combinations:
            written = f"{name}={ID}; Path={path}"
            written += f"; Domain={domain}" if domain else ""
            written += "; Secure" if secure else ""
            written += "; HttpOnly" if http_only else ""
            written += f"; SameSite={samesite}" if samesite else ""
            kept = CookieJar().store(written, APP)
            try:
                assert SessionCookie(name, secure, samesite, http_only, path, domain).set(ID) == written
            except ValueError:
                assert not kept, written
            else:
                assert kept, written


class TestClear:
    @pytest.mark.parametrize(
        "cookie",
        [
            SessionCookie(),
            SessionCookie("__Secure-sid", path="/bank", domain="fernbank.localhost"),
            SessionCookie("sid", secure=False, samesite=None, http_only=False),
        ],
        ids=lambda cookie: cookie.name,
    )
    def test_the_browser_forgets_the_id(self, cookie):
        jar = CookieJar()
        assert jar.store(cookie.set(ID), APP)
        assert cookie.read(jar.header(APP + "bank")) == ID
        assert jar.store(cookie.clear(), APP), jar.refusals
        assert jar.header(APP + "bank") is None

    def test_the_policy(self):
        assert SessionCookie().clear() == "__Host-sid=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax"


class TestRead:
    cookie = SessionCookie("sid")

    @pytest.mark.parametrize(
        ("header", "id"),
        [
            ("sid=a", "a"),
            ("theme=dark; sid=a; lang=en", "a"),
            ("theme=dark;sid=a", "a"),
            ("\tsid=a ;lang=en", "a"),
            ("sid=a==", "a=="),
            ("sid=a; sid=b", "a"),
            ("; ;sid=a;", "a"),
            ("bare; sid=a", "a"),
        ],
    )
    def test_well_formed(self, header, id):
        assert self.cookie.read(header) == id

    @pytest.mark.parametrize(
        "header",
        [None, "", ";", "sid", "sid=", "=sid", "SID=a", "xsid=a", "sid2=a", "x=sid=a", "sid =a", "sid= a"]
        + ["sid=a b", 'sid="a"', "sid=a,b", "sid=é", "sid=\x00", "sid=a\n", "sid=" + "a" * 4094],
        ids=lambda header: repr(header)[:20],
    )
    def test_malformed(self, header):
        assert self.cookie.read(header) is None

    def test_the_first_decides_even_when_it_is_malformed(self):
        assert self.cookie.read('sid="a"; sid=b') is None

    @given(st.text() | st.text('sid=; \t,"\\a\n\x00é', max_size=20))
    @example("sid=" + "\ud800")
    def test_it_never_raises(self, header):
        id = self.cookie.read(header)
        assert id is None or self.cookie.set(id)

    def test_what_was_set_is_read(self):
        assert SessionCookie().read(SessionCookie().set(ID).partition(";")[0]) == ID


class TestInAJar:
    """What the policy means for Ana, whose browser holds the cookie, and for Mallory."""

    @pytest.fixture
    def jar(self):
        jar = CookieJar()
        assert jar.store(SessionCookie().set(ID), APP)
        return jar

    def test_it_comes_back(self, jar):
        assert SessionCookie().read(jar.header(APP + "any/where")) == ID

    def test_script_cannot_read_it(self, jar):
        assert jar.script(APP) == ""

    def test_no_other_host_gets_it(self, jar):
        assert jar.header(EVIL) is None
        assert jar.header("http://fernbank.localhost/") is None

    def test_plain_http_does_not_get_it(self):
        jar = CookieJar()
        assert jar.store(SessionCookie().set(ID), "https://bank.example/")
        assert jar.header("https://bank.example/")
        assert jar.header("http://bank.example/") is None

    def test_another_sites_form_does_not_carry_it(self, jar):
        assert jar.header(APP, initiator=MALLORY, method="POST") is None
        assert jar.header(APP, initiator=MALLORY, method="GET", navigation=False) is None
        assert jar.header(APP, initiator=MALLORY, method="GET")

    def test_a_sibling_host_cannot_plant_one(self):
        jar = CookieJar()
        assert not jar.store(f"__Host-sid={ID}; Domain=fernbank.localhost; Path=/; Secure", EVIL)
        assert jar.store(f"__Host-sid={ID}; Path=/; Secure", EVIL)
        assert SessionCookie().read(jar.header(APP)) is None


def test_in_a_real_browser(browser_part):
    """Set, sent back, hidden from script, and forgotten."""
    cookie, got = SessionCookie(), []

    def app(environ, start_response):
        got.append(cookie.read(environ.get("HTTP_COOKIE")))
        answer = {"/in": [("Set-Cookie", cookie.set(ID))], "/out": [("Set-Cookie", cookie.clear())]}
        start_response("200 OK", [("Content-Type", "text/html"), *answer.get(environ["PATH_INFO"], [])])
        return [b"<!doctype html><link rel=icon href=data:><p>here"]

    with serve(app, name="cookie") as site:
        ana = browser_part.person("ana")
        for path in ["/in", "/", "/out", "/"]:
            ana.goto(site.page + path)
            assert ana.evaluate("document.cookie") == ""
        ana.close()
    assert got == [None, ID, ID, None]
