"""nbgrader's formgrader, in a real browser: its autograde button is the course's judge."""

import os
import re
import subprocess
import sys

import pytest
from a_class import FULL, LAB, STUBS, hand_in, rows, scores
from playwright.sync_api import expect, sync_playwright

from conftest import eventually
from labs.bench.browser import find_browser
from labs.classroom import gradebook, sandbox
from labs.classroom.assign import NBGRADER_CONFIG
from labs.classroom.batch import graded_of
from labs.classroom.class_folder import ClassFolder
from labs.classroom.lab import environment

pytestmark = pytest.mark.needs("browser")

PATIENCE = 120_000  # milliseconds until something must have appeared; nothing waits for them to pass
EXTENSIONS = "{'nbgrader.server_extensions.formgrader': True, 'jupyter_server_proxy': False}"
CHEAT = """\
def encode(octets):
    "</pre><script>alert('of the source')</script>"
    return "</pre><script>alert('of the answer')</script>"

def decode(text):
    raise ValueError("</pre><script>alert('of an error')</script>")
"""


@pytest.fixture(scope="module")
def klass(tmp_path_factory):
    """A class with two submissions that nobody has judged yet."""
    klass = ClassFolder(tmp_path_factory.mktemp("formgrader") / "class")
    klass.create()
    trusted = "" if not sandbox.why_not() else "c.Judge.isolated = False\n"
    (klass.root / "nbgrader_config.py").write_text(NBGRADER_CONFIG + trusted)
    gradebook.prepare(klass, LAB, gradebook.release(klass, LAB))
    hand_in(klass, "ana", at="2026-11-24 12:00:00 UTC")
    hand_in(klass, "ben", ex_20_1=CHEAT)
    hand_in(klass, "cleo", STUBS)
    return klass


@pytest.fixture(scope="module")
def address(klass, tmp_path_factory):
    """Where the formgrader of this class answers."""
    place = tmp_path_factory.mktemp("jupyter")
    own = {"JUPYTER_CONFIG_DIR": str(place), "JUPYTER_RUNTIME_DIR": str(place), "HOME": str(place)}
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--ServerApp.port=0",
               f"--ServerApp.jpserver_extensions={EXTENSIONS}", "--IdentityProvider.token=secret"]  # fmt: skip
    log = (place / "log").open("w+")

    def told():
        return re.findall(r'"url": "(.+?)"', "".join(path.read_text() for path in place.glob("jpserver-*.json")))

    server = subprocess.Popen(command, cwd=klass.root, env=os.environ | environment() | own, stderr=log)
    try:
        # Jupyter writes this file when it listens; it is there before its text is.
        assert eventually(lambda: told() or server.poll() is not None)
        yield told()[0]
    finally:
        server.terminate()
        server.wait()
        log.close()


@pytest.fixture
def formgrader(address):
    """Opens a page of the formgrader in a browser, as somebody who has logged in."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(find_browser()))
        page = chromium.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(PATIENCE)
        page.goto(f"{address}login")
        page.get_by_label("Password or token:").fill("secret")
        page.get_by_role("button", name="Log in", exact=True).click()
        page.wait_for_url(lambda url: "login" not in url)

        def opened(path):
            page.goto(f"{address}formgrader/{path}")
            return page

        yield opened
        chromium.close()


def row(page, learner):
    return page.locator("tbody tr").filter(has_text=learner)


def autograde(page, learner) -> None:
    """Press the button, and wait until nbgrader says that it has worked."""
    row(page, learner).locator(".autograde a").click()
    done = page.locator(".modal-dialog:visible")
    expect(done).to_contain_text("Successfully autograded", timeout=PATIENCE)
    done.get_by_role("button", name="OK").click()
    expect(done).to_have_count(0, timeout=PATIENCE)


def test_the_autograde_button_is_the_courses_judge(klass, formgrader):
    page = formgrader("manage_submissions/lab20")
    expect(row(page, "ana")).to_contain_text("needs autograding", timeout=PATIENCE)
    for learner in ("ana", "ben", "cleo"):
        autograde(page, learner)
        expect(row(page, learner)).to_contain_text("graded", timeout=PATIENCE)
    everything = sum(FULL.values())
    expect(row(page, "ana")).to_contain_text(f"{everything} / {everything}")
    expect(row(page, "ben")).to_contain_text(f"{everything - FULL['20.1']} / {everything}")
    expect(row(page, "cleo")).to_contain_text(f"0 / {everything}")
    assert scores(klass)["ben"] == list((FULL | {"20.1": 0}).values())
    report = graded_of(klass, LAB, "ana").reports[0]
    assert (report.seed, report.learner) == (klass.draw_of("ana", "20.1"), klass.seed_of("ana"))


def test_a_grade_by_hand_stays_when_the_button_is_pressed_again(klass, formgrader):
    page = formgrader("manage_submissions/lab20")
    page.on("dialog", lambda dialog: pytest.fail(f"a submission's script ran: {dialog.message}"))
    autograde(page, "ben")
    [(notebook,)] = rows(klass, "select n.id from submitted_notebook n join submitted_assignment s "
                                "on s.id = n.assignment_id where s.student_id = 'ben'")  # fmt: skip
    formgrader(f"submissions/{notebook}")
    verdict = page.locator("pre").filter(has_text=f"20.1 · base64url: 0 of {FULL['20.1']} points, failed")
    expect(verdict).to_contain_text("alert('of an error')", timeout=PATIENCE)
    score = page.locator("#ex-20-1-check")
    expect(score).to_be_editable(timeout=PATIENCE)
    with page.expect_response(lambda response: "/api/grade/" in response.url and response.request.method == "PUT"):
        score.fill("2.5")
        score.blur()
    formgrader("manage_submissions/lab20")
    wanted = f"{sum(FULL.values()) - FULL['20.1'] + 2.5} / {sum(FULL.values())}"
    expect(row(page, "ben")).to_contain_text(wanted, timeout=PATIENCE)
    autograde(page, "ben")
    expect(row(page, "ben")).to_contain_text(wanted, timeout=PATIENCE)
