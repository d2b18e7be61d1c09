"""The learner's process: reads calls from the judge, runs them, and answers; nothing listens.

Messages are JSON lines on the pipes that were this process's standard input and output. What the judge sends:
    {"do": "load", "id", "source", "allowed", "given", "now"}   run the cell afresh, after what is given
    {"do": "call", "id", "name", "args", "now"}           call a function, or "obj.method" of an object made here
    {"do": "each", "id", "name", "args", "now"}           call a function once for each list of arguments in "args"
    {"do": "make", "id", "name", "args", "as", "now"}     make an object of a class and keep it under a name
    {"answer": n, "value" | "error": ...}                 the answer to a question of ours
What it gets: {"id", "value", "mutated", "printed"} or {"id", "error": {...}}, and questions
    {"ask": n, "id", "object", "method", "args"}          a method of an object of the judge's, such as the store
"""

import ctypes
import io
import itertools
import json
import os
import queue
import random
import signal
import sys
import threading

import alone
import cell
import plain

# What time-machine would load: for a fixture, and to read times from text. Both are half the start of this process.
sys.modules["pytest"] = sys.modules["dateutil"] = None
import time_machine  # noqa: E402

PR_SET_PDEATHSIG = 1  # linux/prctl.h


class StoreDown(Exception):
    """The store did not answer. The one error of the judge's that a hand-in meets."""


class Printed(io.TextIOBase):
    """Standard output of the learner's code: the first 2,000 characters are kept, a flood is dropped."""

    def __init__(self):
        self.text = ""

    def writable(self):
        return True

    def write(self, text):
        self.text += text[: max(0, 2000 - len(self.text))]
        return len(text)

    def take(self):
        text, self.text = self.text, ""
        return text


class Process:
    """The state of this process: the cell's namespace, the objects made from it, the questions under way."""

    def __init__(self, incoming, outgoing):
        self.incoming, self.outgoing = incoming, outgoing
        self.sending = threading.Lock()
        self.questions, self.numbers = {}, itertools.count(1)
        self.namespace, self.objects = {}, {}
        self.printed = sys.stdout = sys.stderr = Printed()
        self.clock = None
        self.current = threading.local()  # .call: the number of the call that this thread runs

    def send(self, message):
        data = plain.line(message)
        with self.sending:
            self.outgoing.write(data)
            self.outgoing.flush()

    def serve(self):
        """Say that this process runs; then read messages until the judge is gone, a thread a call."""
        self.send({"ready": True})
        for text in self.incoming:
            message = json.loads(text)
            if "answer" in message:
                self.questions.pop(message["answer"]).put(message)
            else:
                self.set_clock(message["now"])
                threading.Thread(target=self.answer, args=[message], daemon=True).start()

    def set_clock(self, now):
        """Freeze this process's time.time() and datetime.now() at `now` (epoch seconds)."""
        if self.clock is None:
            self.clock = time_machine.travel(now, tick=False).start()
        else:
            self.clock.move_to(now)

    def answer(self, message):
        """Run one message and send what came of it."""
        self.current.call = message["id"]
        try:
            reply = getattr(self, message["do"])(message)
        except BaseException as error:  # SystemExit too: a hand-in that exits gets a sentence
            reply = {"error": self.told(error)}
        reply |= {"id": message["id"], "printed": self.printed.take()}
        try:
            self.send(reply)
        except plain.NotPlain as error:
            self.send({"id": message["id"], "printed": "", "error": self.told(error)})

    def told(self, error):
        return {"type": type(error).__name__, "message": str(error)[:300], "line": cell.place(error)}

    def load(self, message):
        self.objects = {}
        if message["reseed"] is not None:
            random.seed(message["reseed"])
        self.namespace = cell.run(message["source"], message["allowed"], message["given"])
        return {"value": [name for name in self.namespace if not name.startswith("__")]}

    def make(self, message):
        args, mutated = self.arguments(message)
        self.objects[message["as"]] = self.namespace[message["name"]](*args)
        return {"value": None, "mutated": mutated()}

    def call(self, message):
        args, mutated = self.arguments(message)
        owner, _, method = message["name"].partition(".")
        run = getattr(self.objects[owner], method) if method else self.namespace[owner]
        times = message["times"]
        value = run(*args) if times is None else [run(*args) for _ in range(times)]
        try:
            return {"value": plain.to_wire(value), "mutated": mutated()}
        except (plain.NotPlain, RecursionError) as error:
            raise plain.NotPlain(str(error)) from None

    def each(self, message):
        """A function's outcomes for many lists of arguments: ["value", it] or ["error", what was raised] for each."""
        run, outcomes = self.namespace[message["name"]], []
        for args in message["args"]:
            try:
                outcomes.append(["value", plain.to_wire(run(*plain.from_wire(args)))])
            except BaseException as error:  # SystemExit too, as in answer()
                outcomes.append(["error", self.told(error)])
        return {"value": outcomes}

    def arguments(self, message):
        """The arguments of a call, and a function that says which of them the call has changed."""
        args = [plain.from_wire(arg, lambda name: plain.Remote(name, self.ask)) for arg in message["args"]]

        def mutated():
            return [n for n, arg in enumerate(args) if same(arg) != json.dumps(message["args"][n])]

        return args, mutated

    def ask(self, name, method, args):
        """Call a method of an object of the judge's and wait for its answer. Raises StoreDown, TypeError."""
        call = getattr(self.current, "call", None)
        if call is None:
            raise TypeError(f"use the {name} in the thread that your function was called in")
        number, answer = next(self.numbers), queue.SimpleQueue()
        self.questions[number] = answer
        try:
            wire = plain.to_wire(args)
        except plain.NotPlain as why:
            raise TypeError(f"{name}.{method} takes plain data, and was given {why}") from None
        self.send({"ask": number, "id": call, "object": name, "method": method, "args": wire})
        reply = answer.get()
        if "error" in reply:
            raise (StoreDown if reply["error"] == "StoreDown" else TypeError)(reply["message"])
        return plain.from_wire(reply["value"])


def same(arg):
    """The argument's wire text, for comparing it with what came in; what is no longer plain has been changed."""
    try:
        return json.dumps(plain.to_wire(arg))
    except plain.NotPlain:
        return ""


def limits(seconds=60, gigabytes=2, megabytes=1, files=64):
    """Bound what this process may use, where the system can (POSIX); the judge's deadlines come first."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (megabytes << 20, megabytes << 20))
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (gigabytes << 30, gigabytes << 30))
        # End with the judge, even inside a regular expression, during which Python notices nothing.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main():
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):  # what the learner's code reads or prints past sys.stdout goes nowhere
        os.dup2(nothing, number)
    limits()
    alone.alone()
    Process(incoming, outgoing).serve()
    os._exit(0)


main()
