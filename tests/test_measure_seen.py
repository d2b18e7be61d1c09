"""seen(): measured where there is a browser, read where there is none, and never one for the other."""

import json
import re
from pathlib import Path

import pytest

from labs.bench import BenchError, NoBrowser
from labs.measure import seen as module
from labs.measure.seen import seen, stored


class Running:
    version = "1.2.3"


@pytest.fixture
def store(tmp_path, monkeypatch):
    file = tmp_path / "browser.json"
    file.write_text(json.dumps({"known": {"taken": "taken on a Tuesday", "data": [1, 2]}}))
    monkeypatch.setattr(module, "STORE", file)
    monkeypatch.delenv(module.TAKE, raising=False)
    return file


def no_browser():
    raise NoBrowser("none")


def test_with_a_browser_it_measures(store, monkeypatch):
    monkeypatch.setattr(module, "browser", Running)
    found = seen("known", lambda: {"a": (1, 2)})
    assert (found.data, found.live) == ({"a": [1, 2]}, True)
    assert found.how == "measured just now, in Chromium 1.2.3"
    assert json.loads(store.read_text())["known"]["data"] == [1, 2]


def test_without_one_it_reads_and_says_so(store, monkeypatch):
    monkeypatch.setattr(module, "browser", no_browser)
    found = seen("known", lambda: pytest.fail("nothing to measure with"))
    assert (found.data, found.live) == ([1, 2], False)
    assert found.how == "read from data/browser.json, not measured here: taken on a Tuesday"


def test_neither_is_a_sentence(store, monkeypatch):
    monkeypatch.setattr(module, "browser", no_browser)
    with pytest.raises(BenchError, match="No measurement 'unknown' is stored"):
        seen("unknown", dict)
    store.write_text("[")
    with pytest.raises(BenchError, match="cannot be read"):
        stored("known")


def test_what_fails_in_the_browser_is_not_hidden_by_what_is_stored(store, monkeypatch):
    monkeypatch.setattr(module, "browser", Running)

    def fails():
        raise BenchError("the page did not come")

    with pytest.raises(BenchError, match="did not come"):
        seen("known", fails)


def test_it_can_be_taken_anew(store, monkeypatch):
    monkeypatch.setattr(module, "browser", Running)
    monkeypatch.setenv(module.TAKE, "1")
    seen("other", lambda: 3)
    seen("known", lambda: {"b": 1, "a": 2})
    assert list(stored("known").data) == ["b", "a"]
    assert list(json.loads(store.read_text())) == ["known", "other"]
    assert stored("other").data == 3
    assert "Chromium 1.2.3, driven by Playwright" in stored("other").how


def test_what_is_stored_is_what_lesson_33_asks_for():
    [lesson] = (Path(module.__file__).parents[2] / "solutions").glob("33_*.ipynb")
    cells = json.loads(lesson.read_text("utf-8"))["cells"]
    code = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    entries = json.loads(module.STORE.read_text("utf-8"))
    assert set(entries) == set(re.findall(r'\b(?:seen|stored)\("(\w+)"', code))
    assert list(entries) == sorted(entries)
    for entry in entries.values():
        assert re.match(r"taken on \d{4}-\d\d-\d\d in Chromium [\d.]+, driven by Playwright", entry["taken"])
