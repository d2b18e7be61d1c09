"""`make lab` opens JupyterLab on the first lesson: without a screen, with the port taken, with old settings."""

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from mini_course import ROOT

from labs.bench import serve
from labs.classroom import lab
from labs.classroom.course import Course
from labs.servers.flaws.pages import LocalStorage, online, raw

#: Where jupyter-server-proxy, and what is built on it, would have the server on a port; and a small one like it.
PROXIES = ("/proxy/{}/online", "/proxy/absolute/{}/online", "/proxy/127.0.0.1:{}/online")
PROXY = r"""
import urllib.request
from tornado.web import RequestHandler

class Proxy(RequestHandler):
    def get(self, port):
        self.finish(urllib.request.urlopen(f"http://127.0.0.1:{port}/online").read())

def _jupyter_server_extension_points():
    return [{"module": "jupyter_server_proxy"}]

def _load_jupyter_server_extension(app):
    app.web_app.add_handlers(".*", [(r".*/proxy/\D*(?:127.0.0.1:)?(\d+)/.*", Proxy)])
"""
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


@contextmanager
def opened(course: Course, variables: dict[str, str]) -> Iterator[tuple[str, str]]:
    """`make lab` in a process of its own: the address of its Jupyter server, and the token."""
    server = subprocess.Popen(
        [sys.executable, "-m", "labs.classroom", "--course", str(course.root), "lab"],
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        printed = ""
        while not (found := ADDRESS.search(printed)) and (line := server.stdout.readline()):
            printed += line
        assert found, printed
        url, token = found.group().split("?token=")
        yield url.partition("/lab/")[0], token
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()


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
        with opened(course, plain | {"HOME": str(home), "JUPYTER_PATH": str(home / "another")}) as (base, token):
            assert not base.endswith(":8888")
            page = get(f"{base}/lab/tree/work/00_start_here.ipynb", token)
            assert "@jupyterlab/apputils-extension:announcements" in page.partition("disabledExtensions")[2][:200]
            kernels = json.loads(get(f"{base}/api/kernelspecs", token))["kernelspecs"]
            assert kernels["python3"]["spec"]["display_name"] != "Another Python"
            started = json.loads(get(f"{base}/api/contents/work/00_start_here.ipynb?content=0", token))
            assert started["writable"]
    assert tree(course.root) - before == {"work", "work/00_start_here.ipynb"}
    assert not (settings / "lab" / "user-settings").exists()  # the learner's theme is the learner's


@pytest.fixture
def proxied(tmp_path) -> dict[str, str]:
    """The variables of somebody who has a server proxy in their Jupyter, and has turned it on."""
    (tmp_path / "jupyter_server_proxy.py").write_text(PROXY)
    config = tmp_path / "config" / "jupyter_server_config.json"
    config.parent.mkdir()
    config.write_text(json.dumps({"ServerApp": {"jpserver_extensions": {"jupyter_server_proxy": True}}}))
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    own = {"HOME": str(tmp_path), "FERNBANK_HOME": str(tmp_path), "PYTHONPATH": path}
    return os.environ | own | {"JUPYTER_CONFIG_PATH": str(config.parent), "JUPYTER_CONFIG_DIR": str(config.parent)}


def test_no_page_of_a_lesson_is_reachable_through_jupyter_s_origin(course, proxied):
    def status(base: str, path: str, token: str = "", **headers: str) -> int:
        caller = http.client.HTTPConnection(base.removeprefix("http://"))
        with closing(caller):
            caller.request("GET", path, headers={"Authorization": f"token {token}", **headers})
            return caller.getresponse().status

    with serve(online(LocalStorage(), board=raw)) as site, opened(course, proxied) as (base, token):
        assert status(site.url, "/online") == status(base, "/api/status", token) == 200
        before = len(site.log)
        for path in PROXIES:
            assert status(base, path.format(site.port), token) == 404
        # Nor by the name that the page has in a browser: Jupyter answers that itself.
        assert status(base, "/online", token, Host=f"app.fernbank.localhost:{site.port}") != 200
        assert len(site.log) == before


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


def test_what_was_handed_out_opens_on_its_only_lab(tmp_path):
    course = Course(tmp_path)
    course.work.mkdir()
    (course.work / "19_lab_the_session_desk.ipynb").touch()
    assert lab.page(course) == "lab/tree/work/19_lab_the_session_desk.ipynb"
    (course.work / "29_lab_the_token_gate.ipynb").touch()
    assert lab.page(course) == "lab/tree/work"
