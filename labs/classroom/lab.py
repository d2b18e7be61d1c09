"""Open JupyterLab on a learner's own copies, on any machine: as root, without a screen, without a network."""

import json
import os
import secrets
import sys
import threading
import time
from pathlib import Path

import click

from .course import Course, find

FIRST = "work/00_start_here.ipynb"
#: Jupyter reads this folder too: it turns off the news, which JupyterLab would fetch from the network, and
#: nbgrader's panels, which are an instructor's and double the time of a start.
SETTINGS = Path(__file__).with_name("jupyter")


def arguments(course: Course) -> list[str]:
    """What JupyterLab is told on its command line."""
    told = [
        f"--ServerApp.root_dir={course.root}",
        f"--LabApp.default_url=/{page(course)}",
        # It would put a lesson's vulnerable pages into Jupyter's own origin. Said here, it is the last word.
        "--ServerApp.jpserver_extensions=jupyter_server_proxy=False",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--ServerApp.log_level=ERROR",
        "--LabApp.log_level=ERROR",
        "--KernelManager.transport_encryption=auto",  # else every kernel warns on the terminal
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        told.append("--allow-root")
    if not has_screen():
        told.append("--no-browser")
    return told


def has_screen() -> bool:
    """Whether a browser that is started here would be seen by somebody."""
    if os.environ.get("CI"):
        return False
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True


def environment() -> dict[str, str]:
    """The variables with which JupyterLab and its kernels find this Python before any other."""
    data = [str(Path(sys.prefix, "share", "jupyter")), os.environ.get("JUPYTER_PATH", "")]
    config = [os.environ.get("JUPYTER_CONFIG_PATH", ""), str(SETTINGS)]
    programs = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    return {
        "JUPYTER_PATH": os.pathsep.join(filter(None, data)),
        "JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, config)),
        "PATH": os.pathsep.join(filter(None, programs)),
    }


def start(course: Course) -> None:
    """Run JupyterLab in this process until it is stopped, and print the address of the page when it is up."""
    os.environ.update(environment())
    # jsonschema would use it for addresses with foreign letters, which Jupyter never asks it to check; importing
    # it takes longer than the rest of Jupyter's start (1.4 s of 2.8 s seen).
    sys.modules.setdefault("rfc3987_syntax", None)
    from jupyterlab.labapp import LabApp

    # A token of our own, so that there is an address to print even for somebody who gave Jupyter a password.
    token = secrets.token_hex(24)
    threading.Thread(target=_print_address, args=(page(course), token), daemon=True).start()
    LabApp.launch_instance([*arguments(course), f"--IdentityProvider.token={token}"])


def page(course: Course) -> str:
    """The part of the address that is the first lesson; the only one that was handed out; or the folder."""
    if (course.root / FIRST).exists():
        return f"lab/tree/{FIRST}"
    there = find(course.work)
    return f"lab/tree/work/{there[0].name}" if len(there) == 1 else "lab/tree/work"


def _print_address(page: str, token: str) -> None:
    from jupyter_core.paths import jupyter_runtime_dir

    # Jupyter writes this file when it listens; the port in it is the one that was free.
    file = Path(jupyter_runtime_dir(), f"jpserver-{os.getpid()}.json")
    while True:
        try:
            url = json.loads(file.read_text())["url"]
            break
        except (OSError, ValueError):
            time.sleep(0.05)
    click.echo(
        f"JupyterLab is open. Its address is\n\n    {url}{page}?token={token}\n\nPress Ctrl-C twice to stop it."
    )
