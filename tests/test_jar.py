"""The cookie jar, where no browser is asked: time, https, addresses, and reading and writing by name.

What a browser keeps and sends is held against a real one in `test_jar_browser.py`.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.bench import skip
from labs.bench.jar import CookieJar, cookie_date

APP = "http://app.fernbank.localhost:8000/"
EVIL = "http://evil.fernbank.localhost:8000/"
MALLORY = "http://mallory.localhost:8000/"
PLAIN, SECURE = "http://app.bank.example/", "https://app.bank.example/"


@pytest.fixture
def jar():
    return CookieJar()


class TestTime:
    def test_max_age_ends_by_the_skipped_clock(self, jar):
        jar.store("a=1; Max-Age=60", APP)
        jar.store("b=1", APP)
        skip(seconds=58)
        assert jar.header(APP) == "a=1; b=1"
        skip(seconds=2)
        assert jar.header(APP) == "b=1"
        assert dict(jar) == {"b": "1"}

    def test_expires_ends_by_the_skipped_clock(self, jar):
        jar.store("a=1; Expires=Fri, 01 Jan 2027 00:00:00 GMT", APP)
        skip(days=366 * 9)
        assert jar.header(APP) is None

    def test_a_new_value_without_same_site_goes_along_on_a_foreign_post_for_two_minutes(self, jar):
        def sent():
            return jar.header(APP, initiator=MALLORY, method="POST")

        jar.store("a=1", APP)
        jar.store("lax=1; SameSite=Lax", APP)
        skip(seconds=118)
        assert sent() == "a=1"
        jar.store("a=1", APP)  # the same value does not restart it
        skip(seconds=3)
        assert sent() is None
        jar.store("a=2", APP)
        assert sent() == "a=2"

    @pytest.mark.parametrize(
        ("text", "seconds"),
        [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784111777),
            ("Sunday, 06-Nov-94 08:49:37 GMT", 784111777),
            ("Sun Nov  6 08:49:37 1994", 784111777),
            ("08:49:37 1994 nov 6 +0900", 784111777),
            ("1 Jan 70 0:0:0", 0),
            ("1 Jan 69 0:0:0", 3124224000),
            ("6 Nov 1994", None),
            ("6 Nov 1994 08:49", None),
            ("6 Nov 1994 08:60:00", None),
            ("31 Nov 1994 08:49:37", None),
            ("", None),
        ],
    )
    def test_dates(self, text, seconds):
        assert cookie_date(text) == seconds


class TestPlainHttp:
    """Away from this machine, http is not secure: RFC 6265bis §5.7."""

    def test_secure_cookies_are_neither_set_nor_sent(self, jar):
        assert jar.store("a=1; Secure", SECURE)
        assert not jar.store("b=1; Secure", PLAIN)
        assert jar.header(SECURE) == "a=1"
        assert jar.header(PLAIN) is None

    def test_secure_cookies_are_left_alone(self, jar):
        jar.store("a=1; Secure; Path=/login", SECURE)
        assert not jar.store("a=2; Path=/login", PLAIN)
        assert not jar.store("a=2; Path=/login/en", PLAIN)
        assert not jar.store("a=2; Path=/login; Domain=bank.example", PLAIN)
        assert jar.store("a=2; Path=/", PLAIN)
        assert jar.store("a=2; Path=/login", SECURE)

    def test_another_scheme_is_another_site(self, jar):
        jar.store("a=1; SameSite=Strict", SECURE)
        assert jar.header(SECURE, initiator=SECURE) == "a=1"
        assert jar.header(SECURE, initiator=PLAIN) is None


PIECES = ["a", "=", ";", " ", "\t", "__Host-", "Secure", "Path", "/", "Domain", ".", "SameSite", "Max-Age"]
PIECES += ["Expires", "None", "1", "-", ":", "jan", "localhost", "\0"]


class TestRefusals:
    def test_say_what_and_why(self, jar):
        assert jar.store("__Host-a=1", APP) is False
        assert jar.store("a=1; Domain=localhost", APP) is False
        assert jar.refusals == [
            ("__Host-a=1", "the prefix __Host- needs Secure"),
            ("a=1; Domain=localhost", "Domain=localhost is a public suffix: everybody's hosts are below it"),
        ]

    @given(st.text(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
    def test_nothing_breaks_it(self, text):
        jar = CookieJar()
        assert jar.store(text, APP) in (True, False)
        assert jar.header(APP) is None or isinstance(jar.header(APP), str)
        assert isinstance(jar.script(APP), str)


class TestByName:
    def test_planting(self, jar):
        jar["sid"] = "chosen"
        assert jar["sid"] == "chosen"
        assert jar.header(APP) == "sid=chosen"
        assert jar.header(EVIL) is None
        assert [(c.host_only, c.path, c.secure, c.http_only, c.same_site) for c in jar.records()] == [
            (True, "/", False, False, "")
        ]

    def test_planting_again_replaces(self, jar):
        jar.store("sid=server; HttpOnly", APP)
        jar["sid"] = "mine"
        assert jar.header(APP) == "sid=mine"

    def test_it_reads_like_a_dict(self, jar):
        jar.store("sid=1; Path=/deep", APP)
        jar.store("sid=2", APP)
        jar.store("theme=dark", APP)
        assert jar["sid"] == "1"  # the longer path would be sent first
        assert list(jar) == ["sid", "theme"]
        assert len(jar) == 2
        assert "sid" in jar
        assert jar.get("none") is None
        del jar["sid"]
        assert dict(jar) == {"theme": "dark"}
        with pytest.raises(KeyError):
            jar["sid"]
        with pytest.raises(KeyError):
            del jar["sid"]
        jar.clear()
        assert repr(jar) == "<CookieJar: empty>"

    def test_swap_of_two_jars(self, jar):
        other = CookieJar()
        jar["sid"] = other["sid"] = "fern-1234"
        assert jar.header(APP) == other.header(APP) == "sid=fern-1234"
