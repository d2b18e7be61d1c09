"""A server program that runs for this process alone: started, killed, started again, and gone with it."""

import atexit
import contextlib
import json
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from . import keeper
from .errors import BenchError

PATIENCE = 60  # seconds for a server to become ready


class OwnServer:
    """A server of ours. Raises BenchError from `start` when it does not become ready.

    `command` runs in `folder`, which is deleted at the end, as the numeric `user` (0: as ourselves); `ready`
    says whether it answers; `kill` is the signal that ends it at once.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        command: list[str],
        ready: Callable[[], bool],
        kill: signal.Signals = signal.SIGKILL,
        user: int = 0,
    ) -> None:
        self.name = name
        self.folder = folder
        self._log = folder / "log"
        self._ready = ready
        self._task = json.dumps({"command": command, "folder": str(folder), "signal": kill, "user": user})
        self._keeper: subprocess.Popen | None = None

    @property
    def running(self) -> bool:
        """Whether the server has been started and has not ended."""
        return self._keeper is not None and self._keeper.poll() is None

    def start(self) -> None:
        """Start it and wait until it answers; what it had written is there again."""
        if self.running:
            return
        with open(self._log, "wb") as log:
            self._keeper = subprocess.Popen(
                [sys.executable, "-I", "-S", keeper.__file__, self._task],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                # Ctrl-C in a terminal and "interrupt" in a notebook go to all of our session.
                start_new_session=True,
            )
        try:
            self._wait()
        except BaseException:  # Ctrl-C, too, leaves nothing running
            self.stop()
            raise
        atexit.register(self.close)

    def stop(self) -> None:
        """End it at once, as if it had been killed, and keep its files for the next start."""
        self._end(keeper.KEEP_FOLDER)

    def close(self) -> None:
        """End it for good and delete its files."""
        self._end(b"")
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.close)

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self._ready():
            if not self.running or time.monotonic() > deadline:
                raise BenchError(f"{self.name} did not start. The last it said: {self._last_words()}")
            time.sleep(0.005)

    def _end(self, farewell: bytes) -> None:
        if self._keeper is not None:
            self._keeper.communicate(farewell)
            self._keeper = None

    def _last_words(self) -> str:
        words = self._log.read_text("utf-8", "replace").strip()
        return words.rpartition("\n")[2] or "nothing."


class GivenServer:
    """A server whose address somebody gave us: it is not ours to stop."""

    running = True

    def __init__(self, variable: str) -> None:
        self.variable = variable

    def start(self) -> None:
        """It runs already."""

    def stop(self) -> None:
        """Raise BenchError."""
        raise BenchError(
            f"The server named by {self.variable} was not started by the course, so the course does not stop "
            f"it. Unset {self.variable} and restart the kernel to see this step."
        )

    def close(self) -> None:
        """Leave it running."""


@contextlib.contextmanager
def new_folder() -> Iterator[Path]:
    """Make an empty folder that nobody else can read; delete it again when what is done with it fails."""
    folder = Path(tempfile.mkdtemp(prefix="fernbank-", dir="/tmp"))  # a short path, and no space in it
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def free_port() -> int:
    """Give a TCP port of 127.0.0.1 that nobody uses at this moment.

    It lies below those that systems give to outgoing connections, so that no client takes it while the server
    is away.
    """
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
