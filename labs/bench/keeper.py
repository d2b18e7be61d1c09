"""Keeps one server running exactly as long as the process that asked for it, even if that is killed.

A script of its own, run by `own_server.py` with its task as JSON. The parent holds the other end of its
stdin: when the parent ends, by whatever means, the system closes that pipe, and the keeper ends the server.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading

KEEP_FOLDER = b"keep"  # the parent's last word when it will start the server again


def main(task: dict) -> None:
    """Run task["command"] in task["folder"] as task["user"] until stdin closes; then send task["signal"].

    What keeper and server print goes where the parent sends it.
    """
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    user = dict(user=task["user"], group=task["user"], extra_groups=[]) if task["user"] else {}
    server = subprocess.Popen(task["command"], cwd=task["folder"], stdin=subprocess.DEVNULL, **user)
    threading.Thread(target=leave_after, args=(server, ending), daemon=True).start()
    farewell = b""
    try:
        farewell = sys.stdin.buffer.read()
    finally:
        ending.set()
        server.send_signal(task["signal"])
        server.wait()
        if farewell != KEEP_FOLDER:
            shutil.rmtree(task["folder"], ignore_errors=True)


def leave_after(server: subprocess.Popen, ending: threading.Event) -> None:
    """Leave when the server ends by itself: the parent sees that and reads the log."""
    server.wait()
    if not ending.is_set():
        os._exit(1)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
