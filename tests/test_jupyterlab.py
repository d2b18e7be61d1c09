"""JupyterLab itself, in a real browser: a learner opens lessons, runs them, and solves an exercise by typing."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from mini_course import ROOT
from playwright.sync_api import Page, expect, sync_playwright

from labs.bench.browser import find_browser

pytestmark = pytest.mark.needs("browser")

ADDRESS = re.compile(r"(http://\S+?/lab/tree/work/)00_start_here\.ipynb(\?token=\w+)")
PATIENCE = 120_000  # milliseconds until something must have appeared; nothing waits for them to pass
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
WRONG = 'def greet(cookies):\nreturn "Hello, stranger.", {"name": "wren"}'
RIGHT = 'def greet(cookies):\nif "name" in cookies:\nreturn f"Hi {html.escape(cookies[\'name\'])}", {}'
THEMES = ("JupyterLab Light", "JupyterLab Dark")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with a space in its name, with the learner's notebooks in it."""
    root = tmp_path_factory.mktemp("lab") / "the course"
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    return root


@pytest.fixture(scope="module")
def settings(folder) -> Path:
    """JupyterLab's settings: all cells in the page at once, so that a test can look at each."""
    place = folder.parent / "settings"
    choose(place, "notebook-extension/tracker", {"windowingMode": "none"})
    return place


def choose(settings: Path, plugin: str, values: dict) -> None:
    file = settings / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(values))


@pytest.fixture(scope="module")
def address(folder, settings):
    """Gives the address of a notebook in a running `make lab`."""
    own = {
        "HOME": str(folder.parent),
        "PYTHONPATH": str(ROOT),
        "CI": "true",
        "FERNBANK_HOME": str(folder.parent / "state"),
        "FERNBANK_SEED": "fernbank",
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "JUPYTER_CONFIG_DIR": str(folder.parent / "config"),
    }
    (folder.parent / "config").mkdir()
    # So that a test can give JupyterLab's own commands, and is told when each has ended.
    exposed = {"LabApp": {"expose_app_in_browser": True}}
    (folder.parent / "config" / "jupyter_lab_config.json").write_text(json.dumps(exposed))
    command = [sys.executable, "-m", "labs.classroom", "--course", str(folder), "lab"]
    server = subprocess.Popen(
        command, env=os.environ | own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    printed = ""
    while not (found := ADDRESS.search(printed)) and (line := server.stdout.readline()):
        printed += line
    assert found, printed
    yield lambda name: f"{found[1]}{name}{found[2]}&reset"  # no tabs of an earlier test
    server.terminate()
    server.wait()


@pytest.fixture
def page(address):
    """A browser's page; what its console calls an error fails the test."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(find_browser()), args=QUIET)
        page = chromium.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(PATIENCE)
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        yield page
        chromium.close()
    assert errors == []


def open_notebook(page: Page, url: str) -> None:
    """Open a notebook and wait until its kernel is ready."""
    page.goto(url)
    expect(page.locator(".jp-Notebook .jp-Cell").first).to_be_visible(timeout=PATIENCE)
    idle(page)


def idle(page: Page) -> None:
    """Wait until the notebook has a kernel, and the kernel nothing to do."""
    session = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session"
    page.wait_for_function(f"() => {session}?.kernel?.status === 'idle'")


def command(page: Page, name: str, arguments: dict | None = None) -> None:
    """Give one of JupyterLab's commands, as its menus do, and wait until it has ended."""
    run = "([name, arguments]) => window.jupyterapp.commands.execute(name, arguments).then(() => 'done', String)"
    done = page.evaluate(run, [name, arguments or {}])
    assert done == "done", done
    dialogs = page.locator(".jp-Dialog").all_inner_texts()
    assert dialogs == []


def run_all(page: Page) -> None:
    """Run all cells, to the last."""
    command(page, "notebook:run-all-cells")
    last = page.locator(".jp-CodeCell").last.locator(".jp-InputPrompt")
    expect(last).to_have_text(re.compile(r"\[\d+\]:"), timeout=PATIENCE)


def saved(page: Page, file: Path):
    """The notebook's cells as JupyterLab saves them."""
    command(page, "docmanager:save")
    return nbformat.read(file, as_version=4).cells


def axe(page: Page) -> None:
    """Hold all that show and check drew against axe-core, the colours' contrast included."""
    # JupyterLab's body has no height, and axe passes over the colours of what lies outside of it.
    page.add_style_tag(content="html, body { height: 200000px; overflow: visible }")
    found = Axe().run(page, context={"include": [[".jp-OutputArea .fern"]]})
    assert found.violations_count == 0, found.generate_report()
    assert "color-contrast" in [rule["id"] for rule in found.response["passes"]]


@pytest.mark.parametrize("name", ["00_start_here.ipynb", "10_sessions_from_scratch.ipynb", "20_a_jwt_by_hand.ipynb"])
def test_a_lesson_runs_and_reads_well_in_both_themes(page, address, folder, name):
    open_notebook(page, address(name))
    run_all(page)
    cells = [cell for cell in saved(page, folder / "work" / name) if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    assert [out for cell in cells for out in cell.outputs if out.output_type == "error"] == []
    assert page.locator(".fern").count() > 5
    for theme in THEMES:
        choose_theme(page, theme)
        axe(page)


def choose_theme(page: Page, theme: str) -> None:
    """Change the theme as the menu Settings > Theme does, and wait until the page has it."""
    command(page, "apputils:change-theme", {"theme": theme})
    expect(page.locator("body")).to_have_attribute("data-jp-theme-name", theme)
    light = "true" if theme == "JupyterLab Light" else "false"
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", light)
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)  # it covers the page while a theme is loaded


def test_a_learner_solves_an_exercise_by_typing(page, address):
    open_notebook(page, address("00_start_here.ipynb"))
    run_all(page)
    texts = page.locator(".jp-CodeCell").all_inner_texts()
    number = next(number for number, text in enumerate(texts) if "NotImplementedError" in text)
    stub = page.locator(".jp-CodeCell").nth(number)
    result = page.locator(".jp-CodeCell", has_text='check("00.1"').last
    expect(result.locator(".jp-OutputArea")).to_contain_text("not attempted yet")
    answer(page, stub, WRONG)
    check(result)
    expect(result.locator(".jp-OutputArea")).to_contain_text("happened", timeout=PATIENCE)
    axe(page)
    answer(page, stub, "import html\n" + RIGHT)
    check(result)
    expect(result.locator(".jp-OutputArea")).to_contain_text("3 of 3 points", timeout=PATIENCE)


def answer(page: Page, cell, text: str) -> None:
    """Type an answer into a cell in place of what is there, and run it."""
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.type(text)  # JupyterLab indents after a colon
    if text.endswith("{}"):
        page.keyboard.press("Enter")
        page.keyboard.press("Shift+Tab")
        page.keyboard.type('return "Hello, stranger", {"name": "wren"}')
    page.keyboard.press("Control+Enter")
    expect(cell.locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]:"))
    idle(page)


def check(cell) -> None:
    """Run a check cell."""
    cell.locator(".cm-content").click()
    cell.page.keyboard.press("Control+Enter")
