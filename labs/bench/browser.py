"""A real browser for the lessons: Chromium, Chrome or Edge, driven by Playwright from a thread of its own.

Playwright's objects live and die in that thread. What leaves it is plain data, so a notebook, whose kernel
runs an event loop, can use it from any cell.
"""

import atexit
import contextlib
import json
import os
import queue
import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from .errors import BenchError
from .parts import left_out

BROWSER_PATH = "FERNBANK_BROWSER"
PATIENCE = 10_000  # milliseconds for a page or an element to appear

PROGRAMS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
    "microsoft-edge-stable",
    "chrome",
    "msedge",
)
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)
PLAYWRIGHTS_FOLDERS = (
    "~/.cache/ms-playwright",
    "~/Library/Caches/ms-playwright",
    "~/AppData/Local/ms-playwright",
)
PLAYWRIGHTS_PROGRAMS = (
    "chromium-*/*/chrome",
    "chromium-*/*/chrome.exe",
    "chromium-*/*/*.app/Contents/MacOS/*",
)

FLAGS = (
    # Without it, another program's listener on [::1] at the same port would win.
    "--host-resolver-rules=MAP *.localhost 127.0.0.1",
    # A lab's log shows what the pages do, not what a browser does for itself.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--disable-gpu",
)
# Distributions differ on third-party cookies; the course decides. As a profile says it: whether they are allowed.
COOKIE_CONTROLS = {True: 0, False: 1}


class NoBrowser(BenchError):
    """This machine has no browser that the course can drive, or it does not start."""


def find_browser() -> Path | None:
    """Say which browser the course would drive here: the program's path; start nothing."""
    if left_out("browser"):
        return None
    if os.environ.get(BROWSER_PATH):
        return Path(os.environ[BROWSER_PATH]).expanduser()
    on_path = [found for found in map(shutil.which, PROGRAMS) if found]
    own = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    folders = [Path(folder).expanduser() for folder in ([own] if own else PLAYWRIGHTS_FOLDERS)]
    playwrights = [f for top in folders for glob in PLAYWRIGHTS_PROGRAMS for f in sorted(top.glob(glob))]
    candidates = [*map(Path, on_path), *map(Path, PLACES), *playwrights]
    return next((file for file in candidates if os.access(file, os.X_OK)), None)


def new_profile(third_party: bool = True) -> tempfile.TemporaryDirectory:
    """Make a profile with our preferences, and clear away those that killed processes left behind."""
    import psutil

    for left in Path(tempfile.gettempdir()).glob("fernbank-browser-*-*"):
        if not psutil.pid_exists(int(left.name.split("-")[2])):
            shutil.rmtree(left, ignore_errors=True)
    prefix = f"fernbank-browser-{os.getpid()}-"
    profile = tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)
    preferences = Path(profile.name, "Default", "Preferences")
    preferences.parent.mkdir()
    preferences.write_text(json.dumps({"profile": {"cookie_controls_mode": COOKIE_CONTROLS[third_party]}}))
    return profile


def browser(third_party: bool = True) -> "Browser":
    """Give this process's browser, running; the first call starts it. Raises NoBrowser.

    `third_party`: whether a page of one site may have cookies sent to another site at all, as stock Chrome
    allows and others do not; there is one browser of each kind.
    """
    with _lock:
        running = _browsers.get(third_party)
        if running is None or not running.running:
            program = find_browser()
            if program is None:
                raise NoBrowser(NO_BROWSER)
            running = _browsers[third_party] = Browser(program, third_party)
        return running


_lock = threading.Lock()
_browsers: "dict[bool, Browser]" = {}

NO_BROWSER = (
    "This step needs a browser, and the course found no Chromium, Chrome or Edge. Install one, or run `"
    f"{Path(sys.executable).name} -m playwright install chromium`, or set {BROWSER_PATH} to the path of one. "
    "Then run the cell again."
)


class Browser:
    """A running browser. Each person in it has cookies, storage and a window of their own."""

    def __init__(self, program: Path, third_party: bool = True) -> None:
        self.program = program
        self.closed = False
        self._people: dict[str, Any] = {}
        self._profile = new_profile(third_party)
        self._work: queue.SimpleQueue = queue.SimpleQueue()
        # Not an executor: its threads end before atexit begins, and nobody could close the browser.
        threading.Thread(target=self._run, name="browser", daemon=True).start()
        try:
            self.call(self._launch)
        except BaseException:
            self._work.put(None)
            self._profile.cleanup()
            raise
        atexit.register(self.close)

    @property
    def version(self) -> str:
        """The browser's version, such as "150.0.7871.46"."""
        return self.call(lambda: self._persistent.browser.version)

    @property
    def running(self) -> bool:
        """Whether it can be used: neither closed nor crashed."""
        if self.closed:
            return False
        try:
            # Any question that goes to the browser and back: Playwright hears of a crash only then.
            self.call(lambda: self._persistent.cookies())
        except BenchError:
            return False
        return True

    def person(self, name: str) -> "Person":
        """Give one person a fresh window, without cookies; an earlier one of that name closes."""
        if not re.fullmatch(r"[\w-]{1,40}", name):
            raise BenchError(f"A person's name is letters, digits, _ and -, and {name!r} is not.")
        self.call(self._open, name)
        return Person(self, name)

    def close(self) -> None:
        """Close all windows and the browser."""
        if not self.closed:
            self.closed = True
            atexit.unregister(self.close)
            self.call(self._quit)
            self._work.put(None)
            self._profile.cleanup()

    def call(self, work: Callable, *arguments: Any) -> Any:
        """Run `work` in the browser's thread and give its result. Raises BenchError when Playwright does."""
        answer: Future = Future()
        self._work.put((answer, work, arguments))
        return answer.result()

    def __repr__(self) -> str:
        return f"<Browser {self.program}{', closed' if self.closed else ''}>"

    # Only in the browser's thread -----------------------------------------------------------------

    def page(self, name: str) -> Any:
        """Give a person's Playwright page."""
        if name not in self._people:
            raise BenchError(f"The window of {name} is closed. Open one with browser().person({name!r}).")
        return self._people[name].pages[0]

    def shut(self, name: str) -> None:
        """Close a person's window, if it is open."""
        if name in self._people:
            self._people.pop(name).close()

    def _run(self) -> None:
        for answer, work, arguments in iter(self._work.get, None):
            try:
                answer.set_result(_said(work, *arguments))
            except BaseException as error:
                answer.set_exception(error)

    def _launch(self) -> None:
        from playwright.sync_api import Error, sync_playwright

        self._playwright = sync_playwright().start()
        try:
            # Only a persistent context reads a profile's preferences; people's own contexts inherit them.
            self._persistent = self._playwright.chromium.launch_persistent_context(
                self._profile.name,
                executable_path=str(self.program),
                headless=True,
                args=list(FLAGS),
                # "Interrupt" goes to the kernel's whole process group, and is not meant for the browser.
                handle_sigint=False,
            )
        except Error as error:
            self._playwright.stop()
            raise NoBrowser(
                f"The browser {self.program} does not start ({first_line(error)}). Set {BROWSER_PATH} to the "
                "path of another Chromium, Chrome or Edge, or set WITHOUT=browser to go on without."
            ) from None

    def _open(self, name: str) -> None:
        self.shut(name)
        # The site reads who it is from this name; on a page no script can change it.
        context = self._persistent.browser.new_context(user_agent=f"fernbank-browser/{name}")
        context.set_default_timeout(PATIENCE)
        context.new_page()
        self._people[name] = context

    def _quit(self) -> None:
        from playwright.sync_api import Error

        with contextlib.suppress(Error):  # it may have crashed, or somebody ended it
            self._persistent.close()
        self._playwright.stop()


class Person:
    """One person at the browser. Every method waits up to 10 s, and raises BenchError if that was in vain."""

    def __init__(self, browser: Browser, name: str) -> None:
        self.browser = browser
        self.name = name

    def goto(self, url: str) -> int | None:
        """Open an address as if it had been typed; give the status of the answer."""
        return self._on_page(lambda page: _status(page.goto(url)))

    @property
    def url(self) -> str:
        """The address that the window shows."""
        return self._on_page(lambda page: page.url)

    def fill(self, selector: str, text: str) -> None:
        """Type into the field that a CSS selector names."""
        self._on_page(lambda page: page.fill(selector, text))

    def click(self, selector: str) -> None:
        """Click what a CSS selector names."""
        self._on_page(lambda page: page.click(selector))

    def text(self, selector: str = "body") -> str:
        """Give the text that a person sees there."""
        return self._on_page(lambda page: page.inner_text(selector))

    def evaluate(self, script: str) -> Any:
        """Run JavaScript in the page and give its result as plain data."""
        return self._on_page(lambda page: page.evaluate(script))

    def cookies(self) -> list[dict[str, Any]]:
        """Give all cookies of this person as data (a SameSite that was not said appears as Lax)."""
        return self._on_page(lambda page: [dict(cookie) for cookie in page.context.cookies()])

    def forget(self) -> None:
        """Forget all cookies; what pages have stored otherwise stays. Far quicker than a fresh window."""
        self._on_page(lambda page: page.context.clear_cookies())

    def screenshot(self) -> bytes:
        """Give a picture of the window as PNG."""
        return self._on_page(lambda page: page.screenshot())

    def wait_for_url(self, url: str) -> None:
        """Wait until the window shows this address; ** stands for anything."""
        self._on_page(lambda page: page.wait_for_url(url))

    def wait_until(self, script: str) -> None:
        """Wait until a JavaScript expression is true in the page, whichever page that is by then."""
        self._on_page(lambda page: page.wait_for_function(script))

    def close(self) -> None:
        """Close this person's window and forget its cookies."""
        self.browser.call(self.browser.shut, self.name)

    def __repr__(self) -> str:
        return f"<Person {self.name} at {self.browser.program.name}>"

    def _on_page(self, work: Callable[[Any], Any]) -> Any:
        return self.browser.call(lambda: work(self.browser.page(self.name)))


def first_line(error: Exception) -> str:
    """Give the part of Playwright's message that is for people."""
    return str(error).strip().split("\n")[0]


def _status(response: Any) -> int | None:
    return response and response.status


def _said(work: Callable, *arguments: Any) -> Any:
    from playwright.sync_api import Error

    try:
        return work(*arguments)
    except Error as error:
        raise BenchError(f"The browser could not do that: {first_line(error)}") from None
