"""The hub of docs/hub on this machine: an instructor and two learners, from the release of a lab to its feedback.

The hub, its proxy and the servers of its users are real processes, and whoever acts here does so over HTTP through
the proxy, as a browser would: the learners through nbgrader's assignment list and JupyterLab's files, the instructor
through nbgrader's formgrader and a kernel in which the course's commands are run.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import requests
import websocket
from mini_course import ROOT
from traitlets.config import PyFileConfigLoader

from labs.classroom import sandbox
from labs.classroom.class_folder import ClassFolder
from labs.classroom.roster import Learner, keep_roster

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="JupyterHub has no Windows")

CONFIG = ROOT / "docs" / "hub" / "jupyterhub_config.py"
COURSE, LAB = "sessions-tokens-or-both", "lab19"
NOTEBOOK = f"{LAB}/19_lab_the_session_desk.ipynb"
SOLVED = json.loads((ROOT / "solutions" / "19_lab_the_session_desk.ipynb").read_text("utf-8"))
[ANSWER] = ["".join(cell["source"]) for cell in SOLVED["cells"] if cell["id"] == "ex-19-1"]
ROSTER = "id,first_name,last_name,email\nana,Ana,Ash,ana@fernbank.example\nben,Ben,Birch,ben@fernbank.example\n"
#: What a learner who has one would do to have a server proxy: it must stay off all the same.
PROXY = r"""
import sys, types
from tornado.web import RequestHandler

class Proxy(RequestHandler):
    def get(self):
        self.finish("proxied")

def load(app):
    app.web_app.add_handlers(".*", [(r".*/proxy/.*", Proxy)])

proxy = types.ModuleType("jupyter_server_proxy")
proxy._jupyter_server_extension_points = lambda: [{"module": "jupyter_server_proxy"}]
proxy._load_jupyter_server_extension = load
sys.modules["jupyter_server_proxy"] = proxy
"""
TURNED_ON = {"ServerApp": {"jpserver_extensions": {"jupyter_server_proxy": True}}}


class User:
    """Somebody at a browser: logs in, starts their server, and uses it through the proxy."""

    def __init__(self, hub: str, name: str, password: str):
        self.hub, self.name, self.base = hub, name, f"{hub}/user/{name}"
        self.browser = requests.Session()
        self.browser.get(f"{hub}/hub/login").raise_for_status()
        form = {"username": name, "password": password, "_xsrf": self.browser.cookies["_xsrf"]}
        self.logged_in = self.browser.post(f"{hub}/hub/login?next=/hub/home", form)

    def start(self) -> "User":
        """Start this user's server, wait until the hub says that it is ready, and open its page."""
        self.browser.get(f"{self.hub}/hub/spawn").raise_for_status()
        said = {}
        with self.browser.get(f"{self.hub}/hub/api/users/{self.name}/server/progress", stream=True) as events:
            for line in events.iter_lines():
                if line.startswith(b"data:"):
                    said = json.loads(line.removeprefix(b"data:"))
                    if said.get("ready") or said.get("failed"):
                        break
        assert said.get("ready"), said
        self.get("lab")
        return self

    def get(self, path: str) -> requests.Response:
        answer = self.browser.get(f"{self.base}/{path}")
        answer.raise_for_status()
        return answer

    def post(self, path: str, body: dict | None = None, method: str = "POST") -> requests.Response:
        answer = self.browser.request(method, f"{self.base}/{path}", json=body, headers={"X-XSRFToken": self._xsrf()})
        answer.raise_for_status()
        return answer

    def run(self, code: str) -> str:
        """Run code in a fresh kernel of this user's server; give what it printed."""
        kernel = self.post("api/kernels", {"path": "/"}).json()["id"]  # as a notebook in the first folder would
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._cookies())
        address = f"{self.base.replace('http', 'ws', 1)}/api/kernels/{kernel}/channels"
        with closing(websocket.create_connection(address, cookie=cookies, timeout=120)) as channels:
            header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "username": "", "session": "s"}
            asked = {"header": header | {"version": "5.3"}, "parent_header": {}, "metadata": {}, "channel": "shell"}
            channels.send(json.dumps(asked | {"content": {"code": code, "silent": False}}))
            printed, ends = "", 0
            while ends < 2:  # the reply, and "idle": by then all that was printed is here
                said = json.loads(channels.recv())
                if said["parent_header"].get("msg_id") != header["msg_id"]:
                    continue
                kind, content = said["msg_type"], said["content"]
                printed += content["text"] if kind == "stream" else ""
                printed += "\n".join(content["traceback"]) if kind == "error" else ""
                ends += kind == "execute_reply" or content.get("execution_state") == "idle"
        self.post(f"api/kernels/{kernel}", method="DELETE")
        return printed

    def classroom(self, *arguments: str) -> dict:
        """Run a command of the course in this user's server; give its JSON."""
        program = f"""
            import subprocess
            done = subprocess.run(["python", "-m", "labs.classroom", *{arguments!r}, "--class", ".", "--json"],
                                  capture_output=True, text=True)
            print(done.stdout if done.returncode == 0 else done.stderr)
        """
        printed = self.run("\n".join(line.removeprefix(" " * 12) for line in program.splitlines()))
        try:
            return json.loads(printed)
        except ValueError:
            raise AssertionError(f"{' '.join(arguments)}: {printed}") from None

    def assignments(self, action: str = "") -> list[dict]:
        """nbgrader's assignment list, after one has clicked there ("fetch", "submit", "fetch_feedback")."""
        if action:
            said = self.post(f"assignments/{action}", {"course_id": COURSE, "assignment_id": LAB}).json()
        else:
            said = self.get(f"assignments?course_id={COURSE}").json()
        assert said["success"], said
        return said["value"]

    def hand_in(self, answer: str) -> None:
        """Fetch the lab, write the answer into it as JupyterLab saves it, and submit it."""
        assert [one["status"] for one in self.assignments("fetch")] == ["fetched"]
        lab = self.get(f"api/contents/{NOTEBOOK}").json()
        [cell] = [cell for cell in lab["content"]["cells"] if cell["id"] == "ex-19-1"]
        cell["source"] = answer
        self.post(f"api/contents/{NOTEBOOK}", {"type": "notebook", "content": lab["content"]}, method="PUT")
        assert [one["status"] for one in self.assignments("submit")] == ["fetched", "submitted"]

    def feedback(self) -> str:
        """Fetch the feedback, and open its page."""
        [handed_in] = [one for one in self.assignments("fetch_feedback") if one["status"] == "submitted"]
        [submission] = handed_in["submissions"]
        assert submission["has_local_feedback"], submission
        return self.get(f"files/{submission['local_feedback_path']}/{Path(NOTEBOOK).stem}.html").text

    def _cookies(self) -> list:
        return [cookie for cookie in self.browser.cookies if f"/user/{self.name}/".startswith(cookie.path)]

    def _xsrf(self) -> str:
        paths = {cookie.path: cookie.value for cookie in self._cookies() if cookie.name == "_xsrf"}
        return paths[max(paths, key=len)]


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    with contextmanager(_sockets)(count) as taken:
        return [one.getsockname()[1] for one in taken]


def _sockets(count: int) -> Iterator[list[socket.socket]]:
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    yield taken
    for one in taken:
        one.close()


@contextmanager
def running(folder: Path, machine: Sequence[str] = (), **variables: str) -> Iterator[str]:
    """The hub, started in this folder as the guide says, or on this `machine`: its address."""
    port, hub, proxy = free_ports(3)
    started = subprocess.Popen(
        [*machine, sys.executable, "-m", "jupyterhub", "-f", str(CONFIG), f"--JupyterHub.bind_url=http://127.0.0.1:{port}",
         f"--JupyterHub.hub_port={hub}", f"--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{proxy}"],
        cwd=folder, env=os.environ | variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    said = []
    try:
        for line in started.stdout:
            said.append(line)
            if "JupyterHub is now running" in line:
                break
        else:
            raise AssertionError("".join(said))
        with open(folder / "hub.log", "w") as log, subprocess.Popen(["cat"], stdin=started.stdout, stdout=log):
            try:
                yield f"http://127.0.0.1:{port}"
            finally:
                started.terminate()
    finally:
        started.terminate()
        started.wait()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The folder of a hub, with a class of two learners who are to be handed lab 19."""
    folder = tmp_path_factory.mktemp("hub")
    (folder / "roster.csv").write_text(ROSTER)
    subprocess.run(
        [sys.executable, "-m", "labs.classroom", "assign", "19", "--roster", "roster.csv", "--only-zips"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def hub(folder: Path) -> Iterator[str]:
    """A running hub; Ana's Jupyter has a server proxy."""
    settings = folder / "homes" / "ana" / ".jupyter"
    (settings / "jupyter_server_config.d").mkdir(parents=True)
    (settings / "jupyter_server_config.py").write_text(PROXY)
    (settings / "jupyter_server_config.d" / "proxy.json").write_text(json.dumps(TURNED_ON))
    with running(folder, FERNBANK_HUB="trial") as address:
        yield address


@pytest.fixture(scope="module")
def passwords(hub: str, folder: Path) -> dict[str, str]:
    """Of the learners, and of the instructors."""
    return {who: (folder / "hub" / f"password-of-{who}").read_text().strip() for who in ("learners", "instructors")}


@pytest.fixture(scope="module")
def users(hub: str, passwords: dict[str, str]) -> tuple[User, User, User]:
    """An instructor and two learners, whose servers are running."""
    users = [User(hub, "instructor", passwords["instructors"])]
    users += [User(hub, name, passwords["learners"]) for name in ("ana", "ben")]
    with ThreadPoolExecutor() as pool:
        return tuple(pool.map(User.start, users))


def test_a_lab_goes_from_release_to_feedback(users, folder):
    instructor, ana, ben = users
    assert instructor.post(f"formgrader/api/assignment/{LAB}/release").json()["success"]
    ana.hand_in(ANSWER)
    ben.hand_in(ANSWER.replace("; HttpOnly", ""))

    found = instructor.classroom("collect", "19", str(folder / "exchange"))
    assert [one["learner"] for one in found["taken"]] == ["ana", "ben"]
    isolated = ["--not-isolated"] if sandbox.why_not() else []
    graded = instructor.classroom("grade", "19", *isolated)["submissions"]
    points = {one["learner"]: one["points"] for one in graded}
    assert points["ana"] == graded[0]["of"] > points["ben"] > 0
    scores = {one["student"]: one["score"] for one in instructor.get(f"formgrader/api/submissions/{LAB}").json()}
    assert scores == points

    instructor.classroom("feedback", "19")
    assert instructor.post(f"formgrader/api/assignment/{LAB}/release_feedback").json()["success"]
    for learner, first_name in ((ana, "Ana"), (ben, "Ben")):
        page = learner.feedback()
        assert f"{first_name} " in page
        assert re.search(rf"\b{points[learner.name]}\b.{{0,40}}\b{graded[0]['of']}\b", page, flags=re.S)


def test_a_learner_has_the_lessons_and_a_seed_of_their_own(users, folder):
    _, *learners = users
    seeds = [learner.run("from labs.bench.state import learner_seed; print(learner_seed())") for learner in learners]
    klass = ClassFolder(folder / "class")
    assert seeds == [f"{klass.seed_of(learner.name)}\n" for learner in learners]
    assert seeds[0] != seeds[1]
    for learner in learners:
        assert learner.get("").url.endswith("/lab/tree/work/00_start_here.ipynb")
        laid_out = {one["name"] for one in learner.get("api/contents/work").json()["content"]}
        assert laid_out == {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}


def is_refused(intruder: User, victim: User) -> bool:
    """Whether somebody gets neither the page nor the files of another's server."""
    paths = ("lab", "api/contents")
    return all(intruder.browser.get(f"{victim.base}/{path}").status_code in (403, 404) for path in paths)


def test_everybody_has_their_own_server_and_no_other(users, hub):
    instructor, ana, ben = users
    page = instructor.get("formgrader/manage_assignments")
    assert "formgrader" in page.text
    # JupyterLab shows it as a page within its page, and a hub forbids that to all others.
    assert page.headers["Content-Security-Policy"] == "frame-ancestors 'self'"
    assert ana.get("lab").headers["Content-Security-Policy"] == "frame-ancestors 'none'"
    assert ana.browser.get(f"{ana.base}/formgrader/manage_assignments").status_code == 404
    assert is_refused(ana, ben)
    assert is_refused(ben, instructor)


def test_a_server_proxy_stays_off(users):
    _, ana, _ = users
    assert ana.browser.get(f"{ana.base}/proxy/8000/").status_code == 404


def test_nobody_else_comes_in(hub, passwords):
    guessed = passwords | {"nobody": "guessed by somebody"}
    for name, whose in [("ana", "nobody"), ("eve", "learners"), ("instructor", "learners"), ("ana", "instructors")]:
        user = User(hub, name, guessed[whose])
        assert user.logged_in.status_code in (401, 403), (name, whose)
        assert user.browser.get(f"{hub}/hub/api/user").status_code == 403


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ([], "has no learners yet: `classroom assign LAB --roster FILE` names them."),
        (["ana", "Ben", "c+d"], "On a hub, names have small letters and no +; Ben, c+d in the roster differ."),
        (["ana", "instructor"], "instructor cannot be learner and instructor: see FERNBANK_INSTRUCTORS."),
    ],
)
def test_a_class_that_no_hub_can_have(tmp_path, monkeypatch, ids, said):
    klass = ClassFolder(tmp_path / "class")
    klass.create()
    if ids:
        keep_roster(klass, [Learner(id) for id in ids])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as refused:
        PyFileConfigLoader(CONFIG.name, path=str(CONFIG.parent)).load_config()
    assert str(refused.value).endswith(said)
    assert {path.name for path in tmp_path.iterdir()} == {"class"}


# As root, with accounts ---------------------------------------------------------------------------------------------

PASSWORD = "of this account"
#: As the system keeps it.
SHADOW = (
    "$6$fernbankhub$n9pgEvFXZBKYNaaO1KOPsiL8qONp/tbo8vI"
    "PSQfCZEjSO/.eMWaA.j1BDrjyzMyI5JQiuhu/zMgcaAkBDvBgL/"
)
ACCOUNTS = {"instructor": 64001, "ana": 64002, "ben": 64003}
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc")


def machine_with_accounts(folder: Path, etc: Path) -> list[str]:
    """What puts a command onto a machine that is this one, but for its accounts; `folder` is its /srv."""
    made = {"passwd": "", "group": "", "shadow": ""}
    for name, number in ACCOUNTS.items():
        home = folder / "home" / name
        home.mkdir(parents=True)
        home.chmod(0o700)
        os.chown(home, number, number)
        made["passwd"] += f"{name}:x:{number}:{number}::/srv/home/{name}:/bin/sh\n"
        made["group"] += f"{name}:x:{number}:\n"
        made["shadow"] += f"{name}:{SHADOW}:20000:0:99999:7:::\n"
    seen = ["--bind", str(folder), "/srv"]
    for file, lines in made.items():
        (etc / file).write_text(Path("/etc", file).read_text() + lines)
        seen += ["--ro-bind", str(etc / file), f"/etc/{file}"]
    pythons = {sys.prefix, sys.base_prefix, str(Path(sys.executable).resolve().parents[1]), str(ROOT)}
    # The folders above these may be root's alone: here anybody may pass through.
    above = {str(folder) for path in pythons for folder in Path(path).parents}
    shown = [word for path in sorted(above - {"/"}) for word in ("--perms", "0755", "--dir", path)]
    shown += [word for path in [*SYSTEM, *sorted(pythons)] for word in ("--ro-bind-try", path, path)]
    return ["bwrap", "--cap-add", "ALL", "--die-with-parent", "--unshare-pid", "--proc", "/proc", "--dev", "/dev",
            "--tmpfs", "/tmp", *shown, *seen, "--chdir", "/srv", "--"]  # fmt: skip


@pytest.mark.needs("sandbox")
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may act for other accounts")
def test_a_hub_of_root_keeps_its_users_apart(folder, tmp_path):
    srv = tmp_path / "srv"
    shutil.copytree(folder / "class", srv / "class")
    for path in [srv / "class", *(srv / "class").rglob("*")]:
        os.chown(path, ACCOUNTS["instructor"], ACCOUNTS["instructor"])
    with running(srv, machine_with_accounts(srv, tmp_path)) as hub:
        assert User(hub, "ana", "of another account").logged_in.status_code == 403
        with ThreadPoolExecutor() as pool:
            instructor, ana, ben = pool.map(lambda name: User(hub, name, PASSWORD).start(), ACCOUNTS)
        assert instructor.post(f"formgrader/api/assignment/{LAB}/release").json()["success"]
        ana.hand_in(ANSWER)
        assert ana.run("import getpass; print(getpass.getuser())") == "ana\n"
        assert is_refused(instructor, ana)
        # Ben sees neither her work nor the class, and what he hands in for her is not taken.
        secrets = ["/srv/home/ana", "/srv/class", "/srv/hub", f"/srv/exchange/{COURSE}/inbound"]
        for path in secrets:
            assert "PermissionError" in ben.run(f"import os; os.listdir({path!r})")
        inbound = f"/srv/exchange/{COURSE}/inbound/ana+{LAB}+2099-01-01 00:00:00.000000 UTC+x"
        ben.run(f"import os; os.mkdir({inbound!r}); open({inbound!r} + '/19_lab_the_session_desk.ipynb', 'w')")
        found = instructor.classroom("collect", "19", "/srv/exchange")
        assert [(one["learner"], one["time"][:2]) for one in found["taken"]] == [("ana", "20")]
        assert "but the account ben put it there" in "".join(found["notes"])
        assert "2099" not in found["taken"][0]["time"]
