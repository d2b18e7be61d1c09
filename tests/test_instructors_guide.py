"""The instructor's guide says what is so: exercises, minutes, commands, links, and what a cluster is told."""

import json
import re
import shlex
import tomllib
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
import yaml
from mini_course import ROOT
from traitlets.config import Config

from labs.classroom.class_folder import ClassFolder
from labs.classroom.cli import main
from labs.classroom.roster import Learner, keep_roster
from labs.exercises import all_exercises

DOCS = ROOT / "docs"
PAGES = [DOCS / "instructors.md", DOCS / "lawful-use.md", DOCS / "hub" / "README.md"]
GUIDE = PAGES[0].read_text("utf-8")
LESSON = re.compile(r"\b\d\d\b")


def rows(heading: str, columns: int) -> list[list[str]]:
    """The cells of the tables under a heading that have this many columns, without their first two lines."""
    [section] = re.findall(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", GUIDE, flags=re.M | re.S)
    table = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    lines = [[cell.strip() for cell in cells] for cells in table]
    return [cells for cells in lines if len(cells) == columns and not set(cells[0]) <= {"-"}][1:]


def minutes_of_lessons() -> dict[str, int]:
    found = {}
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        first = "".join(json.loads(path.read_text("utf-8"))["cells"][0]["source"])
        found[path.name[:2]] = int(re.search(r"(\d+) minutes", first)[1])
    return found


# What it teaches ----------------------------------------------------------------------------------------------------


def test_the_table_has_every_exercise_with_its_points_and_minutes():
    listed = [(exercise.lstrip("● "), int(points), int(minutes))
              for exercise, _, points, minutes, _ in rows("What it teaches, and where it is tested", 5)]  # fmt: skip
    assert listed == [(f"{one.id} {one.title}", one.points, one.minutes) for one in all_exercises()]


def test_the_graded_labs_are_marked():
    marked = {cells[0][2:4] for cells in rows("What it teaches, and where it is tested", 5) if cells[0][0] == "●"}
    assert marked == {lesson for lesson in minutes_of_lessons() if lesson[1] == "9"}


def requirements(text: str) -> set[str]:
    """The requirements that a cell names, as 3.3.1 or as 3.3.1 – 3.3.4."""
    found = set(re.findall(r"\d+\.\d+\.\d+", text))
    for chapter, first, last in re.findall(r"(\d+\.\d+)\.(\d+) – \1\.(\d+)", text):
        found |= {f"{chapter}.{number}" for number in range(int(first), int(last) + 1)}
    return found


def test_every_requirement_is_explained_and_none_is_explained_in_vain():
    table = "What it teaches, and where it is tested"
    named = set().union(*(requirements(cells[4]) for cells in rows(table, 5)))
    explained = set().union(*(requirements(cells[0]) for cells in rows(table, 2)))
    assert explained == named


# Plans --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("plan", "columns"), [("One day", 3), ("Six weeks", 4), ("Twelve weeks", 4)])
def test_a_plan_adds_up(plan, columns):
    minutes, planned = minutes_of_lessons(), []
    for cells in rows(plan, columns):
        lessons = LESSON.findall(cells[1])
        planned += lessons
        assert sum(minutes[lesson] for lesson in lessons) == int(cells[2]), cells
        if columns == 4:
            labs = [lesson for lesson in lessons if lesson[1] == "9"]
            assert LESSON.findall(cells[3]) == labs
    assert planned == (sorted(minutes) if columns == 4 else sorted(set(planned)))
    if plan == "One day":
        assert sum(minutes[lesson] for lesson in planned) <= 6 * 60


# Commands and links -------------------------------------------------------------------------------------------------


def commands_of_the_course(page: Path) -> list[list[str]]:
    """What is said to be typed after `python -m labs.classroom`, in blocks and between backquotes."""
    text = page.read_text("utf-8")
    return [shlex.split(line) for line in re.findall(r"python -m labs\.classroom ([^`\n]+)", text)]


@pytest.mark.parametrize("page", [PAGES[0], PAGES[2]], ids=lambda page: page.parent.name)
def test_the_commands_exist_as_they_are_written(page):
    found = commands_of_the_course(page)
    assert len(found) >= 5
    for name, *arguments in found:
        command = main.get_command(click.Context(main), name)
        assert command is not None, name
        options = {option for parameter in command.params for option in parameter.opts}
        said = {word.partition("=")[0] for word in arguments if word.startswith("--")}
        assert said <= options, (name, said - options)


def test_the_options_that_are_named_exist():
    context = click.Context(main)
    names = ("assign", "collect", "grade", "feedback", "report")
    options = {opt for name in names for param in main.get_command(context, name).params for opt in param.opts}
    said = set(re.findall(r"`(?:[a-z]+ (?:\d\d )?)?(--[a-z-]+)", GUIDE))
    assert said - {"--help"} <= options
    assert {"--due", "--late-days", "--only", "--learner", "--attempt", "--column"} <= said


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if target.startswith("https://"):
            continue
        file, _, heading = target.partition("#")
        to = (page.parent / file).resolve() if file else page
        assert to.exists(), target
        titles = re.findall(r"^#+ (.+)$", to.read_text("utf-8"), flags=re.M) if heading else []
        anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
        assert not heading or heading in anchors, target


def test_the_guide_is_found():
    for name in ("README.md", "CONTRIBUTING.md"):
        assert "(docs/instructors.md)" in (ROOT / name).read_text("utf-8")
    assert "(docs/lawful-use.md)" in (ROOT / "README.md").read_text("utf-8")


# A cluster ----------------------------------------------------------------------------------------------------------

VALUES = yaml.safe_load((DOCS / "hub" / "values.yaml").read_text("utf-8"))
DOCKERFILE = (DOCS / "hub" / "Dockerfile").read_text("utf-8")


def test_the_hub_of_a_cluster_gives_the_seeds_of_the_class(tmp_path, monkeypatch):
    klass = ClassFolder(tmp_path)
    klass.create()
    keep_roster(klass, [Learner("ana"), Learner("bén")])
    text = VALUES["hub"]["extraConfig"]["course"]
    assert '"/srv/class"' in text
    assert VALUES["hub"]["extraVolumeMounts"][0]["mountPath"] == "/srv/class"
    names = {"c": Config()}
    exec(text.replace('"/srv/class"', repr(str(tmp_path))), names)
    [given] = names["c"].KubeSpawner.environment.to_dict()["update"].values()
    for name in ("ana", "bén"):
        assert given(SimpleNamespace(user=SimpleNamespace(name=name))) == klass.seed_of(name)
    assert names["c"].Authenticator.allowed_users == {"ana", "bén"}


def test_every_hub_keeps_the_server_proxy_off():
    off = "--ServerApp.jpserver_extensions=jupyter_server_proxy=False"
    assert off in VALUES["hub"]["extraConfig"]["course"]
    assert off in (DOCS / "hub" / "jupyterhub_config.py").read_text("utf-8")


def test_the_image_is_built_from_what_is_there():
    for sources in re.findall(r"^COPY (.+) \S+$", DOCKERFILE, flags=re.M):
        assert all((ROOT / source).exists() for source in sources.split())
    settings = re.search(r"JUPYTER_CONFIG_PATH=(\S+)", DOCKERFILE)[1].split(":")
    for folder in settings:
        assert (ROOT / folder.removeprefix("/opt/course/")).is_dir()
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert VALUES["singleuser"]["image"]["tag"] == version
    python = re.search(r"^FROM python:(\d\.\d+)-", DOCKERFILE, flags=re.M)[1]
    assert f"python={python}" in (ROOT / "environment.yml").read_text("utf-8")


def test_no_image_holds_a_class_or_somebody_s_work():
    ignored = (DOCS / "hub" / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    assert {"class*", "work", ".venv", ".git", "hub", "exchange"} <= set(ignored)
