"""What the tests of teach share: cells as IPython defines them, a small exercise, and a real kernel."""

import linecache
import os
from contextlib import contextmanager

from jupyter_client.manager import KernelManager

from labs.exercises import Exercise
from labs.exercises.exercise import _registry

RIGHT = "def double(n):\n    return 2 * n\n"
WRONG = "def double(n):\n    return n\n"
STUB = "def double(n):\n    raise NotImplementedError('Exercise 98.1: twice n')\n"


def cell(source: str, **names) -> dict:
    """Run `source` the way IPython runs a cell: its text stays in linecache. Returns the namespace."""
    file = f"<cell {abs(hash(source))}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    namespace = {"__name__": "__main__", **names}
    exec(compile(source, file, "exec"), namespace)
    return namespace


@contextmanager
def declared(id: str = "98.1", kind: str = "mechanism", **how):
    """An exercise that exists inside the with block only: double(n), or the answer 42."""
    how = {"defines": () if kind == "answer" else ("double",), "hints": ("Add.", "n + n"), **how}
    the = Exercise(id, "Twice as much", kind=kind, **how)

    @the.customer("A number is doubled", look_at="the number")
    def number(lab):
        n = lab.random.randrange(1, 1000)
        got = lab.answer if kind == "answer" else lab.call("double", n)
        wanted = 42 if kind == "answer" else 2 * n
        lab.expect(got == wanted, f"{wanted} for {n}", f"it was {got}")

    @the.probe("Nothing twice is nothing", points=2)
    def nothing(lab):
        lab.expect(kind == "answer" or lab.call("double", 0) == 0, "0", "something else")

    try:
        yield the
    finally:
        del _registry[id]


class Kernel:
    """A real IPython kernel, as JupyterLab starts one."""

    def __init__(self, **environment):
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(env={**os.environ, **environment})
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def begin(self, code: str) -> str:
        """Start a cell; returns the id of its request."""
        return self.client.execute(code)

    def outputs(self, request: str):
        """The outputs of a cell, as they come, until it has ended."""
        while True:
            message = self.client.get_iopub_msg(timeout=60)
            if message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["header"]["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return
            if kind in ("stream", "display_data", "execute_result", "error"):
                yield content

    def run(self, code: str) -> list[dict]:
        """The outputs of a cell."""
        return list(self.outputs(self.begin(code)))

    def close(self):
        """End the kernel."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
