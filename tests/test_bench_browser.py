"""The real browser: people apart, plain data out, inside an event loop, and sentences when it cannot."""

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from flask import Flask, request

from labs import bench
from labs.bench import BenchError, NoBrowser, serve
from labs.bench.browser import Browser, find_browser, new_profile
from labs.bench.own_server import free_port

PAGE = """<!doctype html><title>bank</title><h1>Hello {person}</h1>
<form method="post" action="/login"><input name="user"><button>Log in</button></form>"""


@pytest.fixture(scope="module")
def site():
    app = Flask("bank")

    @app.get("/")
    def front():
        answer = app.make_response(PAGE.format(person=request.environ["fernbank.person"]))
        answer.headers["Set-Cookie"] = "__Host-sid=1; Secure; HttpOnly; Path=/; SameSite=Strict"
        return answer

    @app.post("/login")
    def login():
        return "", 303, {"Location": f"/welcome/{request.form['user']}"}

    @app.get("/welcome/<user>")
    def welcome(user):
        return f"<p>Welcome {user}</p>"

    with serve(app) as site:
        yield site


@pytest.fixture
def ana(browser_part):
    person = browser_part.person("ana")
    yield person
    person.close()


class TestPerson:
    def test_a_page(self, ana, site):
        assert ana.goto(site.page) == 200
        assert ana.url == site.page + "/"
        assert ana.text("h1") == "Hello ana"
        assert ana.text() == "Hello ana\nLog in"
        assert ana.goto(site.page + "/nowhere") == 404

    def test_a_form(self, ana, site):
        ana.goto(site.page)
        ana.fill("[name=user]", "ana")
        ana.click("button")
        ana.wait_for_url("**/welcome/*")
        assert ana.text() == "Welcome ana"
        assert [(exchange.method, exchange.status) for exchange in site.log.by("ana")[-2:]] == [
            ("POST", 303),
            ("GET", 200),
        ]

    def test_what_comes_out_is_plain_data(self, ana, site):
        ana.goto(site.page)
        assert ana.evaluate("({a: [1, 'b', null], b: isSecureContext})") == {"a": [1, "b", None], "b": True}
        assert ana.evaluate("document.cookie") == ""
        (cookie,) = ana.cookies()
        assert type(cookie) is dict
        assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("__Host-sid", True, "Strict")
        assert ana.screenshot().startswith(b"\x89PNG")

    def test_cookies_can_be_forgotten(self, ana, site):
        ana.goto(site.page)
        assert len(ana.cookies()) == 1
        ana.forget()
        assert ana.cookies() == []
        assert ana.text("h1") == "Hello ana"

    def test_people_do_not_share_cookies(self, ana, browser_part, site):
        ana.goto(site.page)
        ben = browser_part.person("ben")
        assert ben.cookies() == []
        ben.goto(site.page)
        assert ben.text("h1") == "Hello ben"
        ben.close()
        assert len(ana.cookies()) == 1

    def test_the_same_name_starts_afresh(self, ana, browser_part, site):
        ana.goto(site.page)
        again = browser_part.person("ana")
        assert again.cookies() == []

    def test_third_party_cookies_are_allowed(self, ana, site):
        """Distributions differ, so the course decides: SameSite=None goes along on another site's request."""
        ana.goto(site.page)
        ana.evaluate("document.cookie = 'third=1; SameSite=None; Secure'")
        ana.goto(f"http://mallory.localhost:{site.port}/")
        options = "{mode: 'no-cors', credentials: 'include'}"
        ana.evaluate(f"fetch('{site.page}/welcome/x', {options}).then(() => null)")
        [asked] = [one for one in site.log if one.path == "/welcome/x"]
        assert ("Cookie", "third=1") in asked.request_headers

    @pytest.mark.needs("browser")
    def test_third_party_cookies_are_blocked_where_that_is_asked_for(self, site):
        strict = bench.browser(third_party=False)
        ben = strict.person("ben")
        ben.goto(site.page)
        ben.evaluate("document.cookie = 'third=1; SameSite=None; Secure'")
        ben.goto(f"http://mallory.localhost:{site.port}/")
        options = "{mode: 'no-cors', credentials: 'include'}"
        ben.evaluate(f"fetch('{site.page}/welcome/y', {options}).then(() => null)")
        [asked] = [one for one in site.log if one.path == "/welcome/y"]  # the page's icon may be asked for later
        assert "Cookie" not in dict(asked.request_headers)
        strict.close()

    def test_its_version(self, browser_part):
        assert browser_part.version.split(".")[0].isdigit()

    @pytest.mark.parametrize("name", ["", "ana and ben", "x" * 41, "a\r\nb"])
    def test_a_name_that_is_none(self, browser_part, name):
        with pytest.raises(BenchError, match="A person's name is letters"):
            browser_part.person(name)


class TestWhatCannotBeDone:
    def test_is_said_in_a_sentence(self, ana, site):
        ana.goto(site.page)
        with pytest.raises(BenchError, match="The browser could not do that: .*nonsense"):
            ana.evaluate("nonsense()")
        with pytest.raises(BenchError, match="The browser could not do that: .*ERR_CONNECTION_REFUSED"):
            ana.goto(f"http://app.fernbank.localhost:{free_port()}/")
        assert ana.browser.person("ana").goto(site.page) == 200

    def test_a_closed_window(self, browser_part):
        person = browser_part.person("ben")
        person.close()
        person.close()
        with pytest.raises(BenchError, match=r"window of ben is closed. Open one with browser\(\)\.person"):
            person.text()

    def test_an_element_that_does_not_come(self, ana, monkeypatch, site):
        ana.goto(site.page)
        ana.browser.call(lambda: ana.browser.page("ana").set_default_timeout(50))
        with pytest.raises(BenchError, match="The browser could not do that: .*Timeout 50ms"):
            ana.click("#nothing")


class TestThread:
    def test_inside_a_running_event_loop(self, ana, site):
        async def cell():
            await asyncio.sleep(0)
            return ana.goto(site.page), ana.text("h1")

        assert asyncio.run(cell()) == (200, "Hello ana")

    def test_from_any_thread(self, ana, site):
        ana.goto(site.page)
        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(ana.evaluate, ["1 + 1"] * 20)) == [2] * 20

    def test_one_for_a_process(self, browser_part):
        assert bench.browser() is browser_part
        assert repr(browser_part) == f"<Browser {browser_part.program}>"


class TestNone:
    def test_without(self, monkeypatch):
        monkeypatch.setenv("WITHOUT", "browser")
        assert find_browser() is None
        code = "from labs.bench import browser; browser()"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert "NoBrowser: This step needs a browser, and the course found no Chromium" in done.stderr
        assert "playwright install chromium" in done.stderr

    def test_found_nowhere(self, monkeypatch, tmp_path):
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setattr(sys.modules["labs.bench.browser"], "PLACES", ())
        monkeypatch.delenv("WITHOUT", raising=False)
        monkeypatch.delenv("FERNBANK_BROWSER", raising=False)
        monkeypatch.delenv("PLAYWRIGHT_BROWSERS_PATH", raising=False)
        assert find_browser() is None
        own = tmp_path / ".cache" / "ms-playwright" / "chromium-1234" / "chrome-linux64" / "chrome"
        own.parent.mkdir(parents=True)
        own.touch(mode=0o755)
        assert find_browser() == own
        (tmp_path / "google-chrome").touch(mode=0o755)
        assert find_browser() == tmp_path / "google-chrome"
        monkeypatch.setenv("FERNBANK_BROWSER", "/given/browser")
        assert find_browser() == Path("/given/browser")

    @pytest.mark.parametrize("program", ["/bin/false", "/no/such/browser"])
    def test_one_that_does_not_start(self, program):
        with pytest.raises(NoBrowser, match=f"The browser {program} does not start .*WITHOUT=browser"):
            Browser(Path(program))


SCRIPT = """
import os, signal, sys
from labs.bench import browser
ana = browser().person("ana")
ana.goto("about:blank")
print(browser()._profile.name, flush=True)
sys.stdin.read()
"""

CRASH = """
import psutil
for process in psutil.Process().children(recursive=True):
    if "--remote-debugging-pipe" in process.cmdline():
        process.kill()
        break
while ana.browser.running: pass
print(browser().person("ana").goto("about:blank"))
"""

INTERRUPT = """
signal.signal(signal.SIGINT, lambda *_: None)
os.killpg(0, signal.SIGINT)
print(ana.evaluate("1 + 1"))
"""


def run(ending):
    """Give a process of a session of its own that has a browser, its profile, and its other processes."""
    program = [sys.executable, "-c", SCRIPT + ending]
    process = subprocess.Popen(program, stdin=-1, stdout=-1, stderr=-1, text=True, start_new_session=True)
    profile = Path(process.stdout.readline().strip())
    return process, profile, psutil.Process(process.pid).children(recursive=True)


@pytest.mark.needs("browser")
class TestEnd:
    def test_it_ends_with_the_process(self):
        process, profile, others = run("")
        assert others
        assert profile.exists()
        assert process.communicate() == ("", "")
        assert psutil.wait_procs(others, timeout=30)[1] == []
        assert not profile.exists()

    def test_it_ends_when_the_process_is_killed(self):
        process, profile, others = run("os.kill(os.getpid(), signal.SIGKILL)")
        process.communicate()
        alive = psutil.wait_procs(others, timeout=30)[1]
        assert [other for other in alive if other.status() != psutil.STATUS_ZOMBIE] == []
        assert profile.exists()
        new_profile().cleanup()
        assert not profile.exists()

    def test_an_interrupt_is_not_for_the_browser(self):
        process, _, _ = run(INTERRUPT)
        assert process.communicate() == ("2\n", "")

    def test_a_crashed_one_is_replaced(self):
        process, _, _ = run(CRASH)
        out, err = process.communicate()
        assert (out, err) == ("None\n", "")
