"""What stands in the repository: no machine's paths or addresses, links that lead somewhere, commands that exist."""

import json
import os
import re
import zlib
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
IGNORED = [line.strip("/") for line in (ROOT / ".gitignore").read_text("utf-8").splitlines() if line]


def files() -> list[Path]:
    """The files of the course, as a checkout or an unpacked archive holds them: all but what git ignores."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name != ".git" and not ignored(name)]
        found += [Path(folder, name) for name in names if name != ".git" and not ignored(name)]
    return found


def ignored(name: str) -> bool:
    """Whether .gitignore names a file or folder of this name."""
    return any(fnmatch(name, pattern) for pattern in IGNORED)


def text_of(path: Path) -> str:
    """The text of a file; nothing for one that is not text."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return ""


# Written in pieces, so that this file does not hold what it looks for.
PLACES = {
    "a person's folder": r"/(?:home|Users)/[a-z]\w*/|/ro" + r"ot/|[A-Z]:\\+Users\\+",
    "a package index": r"files\.python" + r"hosted|/sim" + r"ple/|pypi\." + r"org|registry\.npm" + r"js",
    "this checkout": re.escape(str(ROOT)) + r"\b",
}


#: Holds made-up places, to show that they would be found in a notebook.
MADE_UP = {ROOT / "tests" / "test_notebook_rules.py"}


@pytest.mark.parametrize("what", PLACES)
def test_no_file_holds_a_place_of_one_machine(what):
    found = [path for path in files() if path not in MADE_UP and re.search(PLACES[what], text_of(path))]
    assert found == []


def test_the_patterns_find_what_they_look_for():
    assert re.search(PLACES["a person's folder"], "see /ho" + "me/ana/course")
    assert re.search(PLACES["a person's folder"], "see C:\\Us" + "ers\\ana")
    assert re.search(PLACES["a package index"], "https://py" + "pi.org/x")
    assert not re.search(PLACES["a person's folder"], "GET /home HTTP/1.1")


def packed() -> int:
    """The octets that a learner downloads: every file as an archive holds it."""
    return sum(len(zlib.compress(path.read_bytes())) for path in files())


def test_the_download_is_small():
    assert packed() < 5_000_000


DOCUMENTS = ["README.md", "CONTRIBUTING.md"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_of_documents_lead_somewhere(name):
    targets = re.findall(r"\]\(([^)\s]+)\)", (ROOT / name).read_text("utf-8"))
    broken = [to for to in targets if not re.match(r"https?://|#", to) and not (ROOT / to.partition("#")[0]).exists()]
    assert broken == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_name_only_targets_that_make_has(name):
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.search(r"^\.PHONY: (.*)$", makefile, flags=re.M)[1].split())
    named = set(re.findall(r"\bmake ([a-z]+)", "\n".join(commands((ROOT / name).read_text("utf-8")))))
    assert named
    assert named <= targets


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_name_only_files_that_exist(name):
    words = commands((ROOT / name).read_text("utf-8"))
    paths = {word for text in words for word in re.findall(r"(?:labs|tests|docs|data|\.ci)/[\w./-]*\w", text)}
    missing = sorted(path for path in paths if not (ROOT / path).exists())
    assert missing == []


def commands(markdown: str) -> list[str]:
    """What stands in a document as code: blocks, and words between backquotes."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", markdown, flags=re.M | re.S)
    return blocks + re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", markdown, flags=re.M | re.S))


def test_readme_lists_every_notebook_with_its_own_title_and_minutes():
    readme = (ROOT / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| \[(\d\d) (.+?)\]\(notebooks/(\S+?)\) \| (\d+) \|", readme, flags=re.M)
    listed = {file: (f"{number} · {title}", minutes) for number, title, file, minutes in rows}
    said = {}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        first = "".join(json.loads(path.read_text("utf-8"))["cells"][0]["source"])
        title, minutes = re.search(r"^# (.+)$", first, flags=re.M)[1], re.search(r"(\d+) minutes", first)[1]
        said[path.name] = (title, minutes)
    assert listed == said
