"""A JupyterHub on one machine: this course, nbgrader's exchange, the learners of a class and their instructors.

    jupyterhub -f docs/hub/jupyterhub_config.py

It keeps what it makes in the folder where it is started, where it also finds the class (`classroom assign` makes it).

- Started by root, it serves a class. Who logs in has an account on this machine, and each learner's server runs
  under theirs: nobody reads another's work, or the class.
- Started by anybody else, it is for trying out. All servers run under that one account, so nothing keeps its users
  apart; their passwords are drawn once, and printed.
"""

import os
import secrets
import sys
from pathlib import Path

from labs.bench.state import write_atomic
from labs.classroom.class_folder import ClassFolder
from labs.classroom.roster import kept_roster

c = get_config()  # noqa: F821  (traitlets puts it here)

SETTINGS = Path(__file__).resolve().parent
HERE = Path.cwd()
CLASS = ClassFolder(Path(os.environ.get("FERNBANK_CLASS", "class")).absolute())
INSTRUCTORS = set(os.environ.get("FERNBANK_INSTRUCTORS", "instructor").split(","))
FOR_A_CLASS = os.geteuid() == 0 and os.environ.get("FERNBANK_HUB") != "trial"


def learners() -> set[str]:
    """The names of the class's learners. Stops the hub, with a sentence, when it cannot have them."""
    names = {learner.id for learner in kept_roster(CLASS)}
    if not names:
        raise SystemExit(f"{CLASS.root} has no learners yet: `classroom assign LAB --roster FILE` names them.")
    # A hub makes names lower case, and nbgrader's exchange separates what it knows of a submission by a +.
    if odd := sorted(name for name in names if name != name.lower() or "+" in name):
        raise SystemExit(f"On a hub, names have small letters and no +; {', '.join(odd)} in the roster differ.")
    if both := sorted(names & INSTRUCTORS):
        raise SystemExit(f"{', '.join(both)} cannot be learner and instructor: see FERNBANK_INSTRUCTORS.")
    return names


def folder(name: str, mode: int) -> Path:
    """A folder of the hub's own. Whatever the umask, it has this mode."""
    made = HERE / name
    made.mkdir(exist_ok=True)
    made.chmod(mode)
    return made


def program(name: str) -> str:
    """A program of the environment that the hub runs in, whatever PATH says."""
    return str(Path(sys.executable).with_name(name))


def password(name: str, octets: int) -> str:
    """The password that was drawn for these users; drawn now, the first time."""
    file = STATE / f"password-of-{name}"
    if not file.exists():
        write_atomic(file, secrets.token_urlsafe(octets) + "\n")
        file.chmod(0o600)
    return file.read_text("utf-8").strip()


LEARNERS = learners()
STATE = folder("hub", 0o700)
# As nbgrader wants it, and nobody takes away what is another's. What it makes in there keeps learners apart.
EXCHANGE = folder("exchange", 0o1777)

# The hub and its proxy ----------------------------------------------------------------------------------------------

c.JupyterHub.bind_url = "http://127.0.0.1:8000"  # others reach a web server with TLS that stands before it
c.JupyterHub.db_url = f"sqlite:///{STATE / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(STATE / "cookie_secret")
# Its own 20 seconds are less than grading takes from the formgrader, or a server to start where many do.
c.ConfigurableHTTPProxy.command = [program("configurable-http-proxy"), "--proxy-timeout=3600000"]  # an hour
c.ConfigurableHTTPProxy.pid_file = str(STATE / "proxy.pid")
c.JupyterHub.concurrent_spawn_limit = 4 * (os.cpu_count() or 1)  # a server needs a core for two seconds to start
c.Spawner.start_timeout = c.Spawner.http_timeout = 120

# Who ----------------------------------------------------------------------------------------------------------------

c.Authenticator.allowed_users = LEARNERS | INSTRUCTORS
if FOR_A_CLASS:
    c.JupyterHub.authenticator_class = "pam"
    c.JupyterHub.spawner_class = "jupyterhub.spawner.LocalProcessSpawner"
    c.PAMAuthenticator.open_sessions = False
    c.JupyterHub.cleanup_servers = False  # a hub that is started again, for a new roster, disturbs nobody's work
else:
    c.JupyterHub.authenticator_class = "shared-password"
    c.JupyterHub.spawner_class = "simple"
    c.SimpleLocalProcessSpawner.home_dir_template = str(folder("homes", 0o700) / "{username}")
    c.Authenticator.admin_users = INSTRUCTORS  # the users whom the second password is for
    c.SharedPasswordAuthenticator.user_password = password("learners", 9)
    c.SharedPasswordAuthenticator.admin_password = password("instructors", 24)
    print("A hub for trying out: it does not keep its users apart.", file=sys.stderr)
    for who in ("learners", "instructors"):
        print(f"The password of the {who} stands in {STATE / f'password-of-{who}'}.", file=sys.stderr)

# What they get ------------------------------------------------------------------------------------------------------


def settings(spawner) -> str:
    """Where this user's server finds its settings, and nbgrader its own."""
    role = "instructors" if spawner.user.name in INSTRUCTORS else "learners"
    return os.pathsep.join([str(SETTINGS / role), str(SETTINGS / "everybody")])


def seed(spawner) -> str:
    """The seed that all of this learner's lessons and labs follow from; an instructor's is no learner's."""
    return CLASS.seed_of(spawner.user.name)


def prepare(spawner) -> None:
    """A learner begins at the first lesson, an instructor in the class, with nbgrader's formgrader."""
    if spawner.user.name in INSTRUCTORS:
        spawner.notebook_dir = str(CLASS.root)
    else:
        spawner.default_url = "/lab/tree/work/00_start_here.ipynb"


c.Spawner.cmd = [program("jupyterhub-singleuser")]
c.Spawner.args = [
    # It would put a lesson's vulnerable pages into Jupyter's own origin. Said here, it is the last word.
    "--ServerApp.jpserver_extensions=jupyter_server_proxy=False",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
]
if not FOR_A_CLASS and os.geteuid() == 0:
    c.Spawner.args += ["--allow-root"]
c.Spawner.environment = {
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
    "JUPYTER_CONFIG_PATH": settings,
    "FERNBANK_SEED": seed,
    "FERNBANK_CLASS": str(CLASS.root),
    "FERNBANK_EXCHANGE": str(EXCHANGE),
}
c.Spawner.pre_spawn_hook = prepare
