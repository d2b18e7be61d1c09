"""`make lab` opens JupyterLab on the first lesson: without a screen, with the port taken, with old settings."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from mini_course import ROOT

from labs.classroom import lab
from labs.classroom.course import Course

ADDRESS = re.compile(r"http://\S+/lab/tree/work/00_start_here\.ipynb\?token=[0-9a-f]{48}")


@pytest.fixture
def course(tmp_path) -> Course:
    course = Course(tmp_path / "the course")
    course.notebooks.mkdir(parents=True)
    shutil.copy(ROOT / "notebooks" / "00_start_here.ipynb", course.notebooks)
    return course


def get(url: str, token: str = "") -> str:
    request = urllib.request.Request(url, headers={"Authorization": f"token {token}"} if token else {})
    with urllib.request.urlopen(request) as answer:
        return answer.read().decode()


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_the_page_is_up_and_its_address_printed(course, tmp_path):
    home = tmp_path / "home"
    settings = home / ".jupyter"
    settings.mkdir(parents=True)
    # A password of the learner's own would otherwise keep Jupyter from printing an address with a token.
    (settings / "jupyter_server_config.json").write_text(
        json.dumps({"PasswordIdentityProvider": {"hashed_password": "argon2:unusable"}, "ServerApp": {"port": 8888}})
    )
    kernel = home / "another" / "kernels" / "python3"  # the learner's JUPYTER_PATH leads to it
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text(json.dumps({"argv": ["/nowhere/python"], "display_name": "Another Python"}))
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "DISPLAY", "WAYLAND"))}
    before = tree(course.root)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Whoever has the port, JupyterLab finds it taken.
        if taken.connect_ex(("127.0.0.1", 8888)) != 0:
            taken.bind(("127.0.0.1", 8888))
            taken.listen()
        server = subprocess.Popen(
            [sys.executable, "-m", "labs.classroom", "--course", str(course.root), "lab"],
            env=plain | {"HOME": str(home), "JUPYTER_PATH": str(home / "another")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            printed = ""
            while not ADDRESS.search(printed) and (line := server.stdout.readline()):
                printed += line
            assert ADDRESS.search(printed), printed
            url, token = ADDRESS.search(printed).group().split("?token=")
            base = url.partition("/lab/")[0]
            assert not base.endswith(":8888")
            page = get(url, token)
            assert "@jupyterlab/apputils-extension:announcements" in page.partition("disabledExtensions")[2][:200]
            kernels = json.loads(get(f"{base}/api/kernelspecs", token))["kernelspecs"]
            assert kernels["python3"]["spec"]["display_name"] != "Another Python"
            started = json.loads(get(f"{base}/api/contents/work/00_start_here.ipynb?content=0", token))
            assert started["writable"]
        finally:
            server.terminate()
            server.wait()
            server.stdout.close()
    assert tree(course.root) - before == {"work", "work/00_start_here.ipynb"}
    assert not (settings / "lab" / "user-settings").exists()  # the learner's theme is the learner's


@pytest.mark.parametrize(
    ("platform", "variables", "seen"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("linux", {"DISPLAY": ":0", "CI": "true"}, False),
        ("darwin", {}, True),
        ("win32", {}, True),
    ],
)
def test_a_browser_is_only_opened_where_somebody_sees_it(monkeypatch, course, platform, variables, seen):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "CI"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert ("--no-browser" not in lab.arguments(course)) is seen


@pytest.mark.parametrize(("user", "allowed"), [(0, True), (1000, False)])
def test_root_is_allowed_when_it_is_root(monkeypatch, course, user, allowed):
    monkeypatch.setattr(os, "geteuid", lambda: user, raising=False)
    assert ("--allow-root" in lab.arguments(course)) is allowed


def test_no_news_from_the_network(course):
    assert "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate" in lab.arguments(course)
    disabled = json.loads((lab.SETTINGS / "labconfig" / "page_config.json").read_text())["disabledExtensions"]
    assert disabled["@jupyterlab/apputils-extension:announcements"] is True


def test_a_course_without_the_first_lesson_opens_on_the_folder(tmp_path):
    assert lab.page(Course(tmp_path)) == "lab/tree/work"
