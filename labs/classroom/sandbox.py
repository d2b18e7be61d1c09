"""Around the process that runs a learner's code: bubblewrap, so that it sees no network, no files, and nobody else.

What the process may use of itself (time, memory, no other process) it is bound to before the code is read
(`labs/exercises/learner`); here is what it may see.
"""

import functools
import shutil
import subprocess
import sys
from pathlib import Path

from labs.exercises.process import LEARNER

SCRATCH = "/scratch"
SCRATCH_BYTES = 16 << 20  # of files, which end with the process
#: Where a system keeps what any program needs to start; nothing of a user is in there.
SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/alternatives")
NOBODY = "65534"


def bubblewrap(command: list[str]) -> list[str]:
    """The command, run by nobody in a world of its own: a read-only Python, and an empty folder. It needs `bwrap`.

    See bwrap(1). Whatever is not named here, such as the course's own files and the judge's, is not there.
    """
    seen = [*SYSTEM, *_python(), str(LEARNER)]
    return [
        "bwrap", "--unshare-all", "--unshare-user", "--disable-userns", "--uid", NOBODY, "--gid", NOBODY,
        "--cap-drop", "ALL", "--new-session", "--die-with-parent", "--clearenv", "--hostname", "fernbank",
        "--proc", "/proc", "--dev", "/dev", "--size", str(SCRATCH_BYTES), "--tmpfs", SCRATCH,
        "--setenv", "TMPDIR", SCRATCH,
        *(word for path in seen for word in ("--ro-bind-try", path, path)),
        "--chdir", SCRATCH, "--", *command,
    ]  # fmt: skip


def _python() -> list[str]:
    """The folders of the Python that runs this: of its environment, and of the installation that it is made from."""
    executable = Path(sys.executable).resolve().parents[1]
    return sorted({sys.prefix, sys.base_prefix, sys.exec_prefix, str(executable)})


@functools.cache
def why_not() -> str:
    """Why code cannot be isolated on this machine, as a sentence; "" when it can. It is tried once."""
    if sys.platform != "linux":
        return "Submissions can only be isolated on Linux, by bubblewrap; Windows has it in WSL."
    if shutil.which("bwrap") is None:
        return "Submissions are isolated by bubblewrap, which is not here (Debian, Ubuntu: apt install bubblewrap)."
    tried = subprocess.run(bubblewrap([sys.executable, "-I", "-c", ""]), capture_output=True, text=True)
    if tried.returncode == 0:
        return ""
    said = tried.stderr.strip().splitlines()
    return (
        f"bubblewrap cannot isolate here: {said[-1] if said else 'it ended without a word'}. Some containers and "
        "hardened systems forbid user namespaces: allow them, or grade on another machine."
    )
