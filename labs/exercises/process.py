"""The judge's end of the learner's process: start it, call into it with a deadline, answer its questions, end it."""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

from labs.auth.stores import StoreDown

from .learner import plain

LEARNER = Path(__file__).parent / "learner"
START_SECONDS = 60.0  # until Python runs there: no matter of the learner's code, and slow on a busy machine
CALL_SECONDS = 4.0  # one call into the learner's code
TOTAL_SECONDS = 30.0  # all calls of one check together
#: Of the judge's environment, what Python needs to start on some systems: the rest is none of the learner's business.
PASSED_ON = ("LD_LIBRARY_PATH", "PATH", "SYSTEMROOT", "TEMP", "TMPDIR")
Within = Callable[[list[str]], list[str]]


class LearnerError(Exception):
    """The learner's code raised, hung, ended its process or returned what is not plain data. A full sentence.

    `type`, `line` and `said`: the class, the line of the cell, and the own message of what it raised, if it did.
    """

    def __init__(self, sentence: str, type: str = "", line: int | None = None, said: str = ""):
        super().__init__(sentence)
        self.type, self.line, self.said = type, line, said


class NotStarted(Exception):
    """The process for the learner's code did not start: that says nothing about the code. A full sentence."""


class NotAttempted(LearnerError):
    """The stub is still there: it raised NotImplementedError."""


class Process:
    """A process that runs one cell's source, after the text `given`, whose names the cell has.

    `remotes` (dict of name -> (object, method names)) are the judge's objects that the learner's side may call.
    `within` puts a sandbox around the command that starts the process; `seconds` is for all calls together.
    Every method may raise LearnerError, and load() NotStarted. The process is started again by the next load() after
    it had to be killed.
    """

    def __init__(
        self,
        source: str,
        allowed=frozenset(),
        remotes: dict | None = None,
        given: str = "",
        within: Within = list,
        seconds: float = TOTAL_SECONDS,
    ):
        self.source, self.allowed, self.remotes, self.given = source, sorted(allowed), remotes or {}, given
        self.printed = ""
        self.total = self.left = min(seconds, TOTAL_SECONDS)
        self._within = within
        self._numbers = count(1)
        self._popen = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def load(self, now: float, reseed: int | None = None) -> list[str]:
        """Run the cell afresh at time `now` (epoch seconds) and return the names that it defines.

        `reseed` seeds Python's `random` first: what still repeats then was predictable.
        """
        if self._popen is None:
            self._start()
        cell = {"source": self.source, "allowed": self.allowed, "given": self.given, "reseed": reseed}
        return self._exchange("cell", {"do": "load", **cell}, now)

    def make(self, name: str, args: list, now: float) -> str:
        """Make an object of the cell's class `name` and return the name it is kept under, for call("x.method")."""
        kept = f"{name}{next(self._numbers)}"
        self._exchange(name, {"do": "make", "name": name, "args": args, "as": kept}, now)
        return kept

    def call(self, name: str, args: list, now: float, times: int | None = None):
        """The plain value that function `name`, or "object.method", returns for `args` at time `now`.

        With `times` it is called so often in a row, and the list of what it returned comes back.
        Raises StoreDown when the learner's code let the judge's StoreDown through.
        """
        return self._exchange(name, {"do": "call", "name": name, "args": args, "times": times}, now)

    def each(self, name: str, argses: list[list], now: float) -> list:
        """What function `name` returns for each list of arguments; where it raised, the exception, not raised."""
        outcomes = self._exchange(name, {"do": "each", "name": name, "args": argses}, now)
        return [value if kind == "value" else self._told(name, value) for kind, value in outcomes]

    def kill(self) -> None:
        """End the process, whatever it is doing."""
        popen, self._popen = self._popen, None
        if popen is not None:
            popen.kill()
            popen.wait()
            popen.stdin.close()

    def _start(self):
        self._popen = subprocess.Popen(
            self._within([sys.executable, "-I", "-X", "utf8", str(LEARNER)]),
            env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in the notebook reaches the judge, which ends this process itself
        )
        self._calls: dict[int, queue.SimpleQueue] = {}
        self._sending = threading.Lock()
        ready = queue.SimpleQueue()
        threading.Thread(target=self._read, args=[self._popen, self._calls, ready], daemon=True).start()
        try:
            runs = ready.get(timeout=START_SECONDS)
        except queue.Empty:
            runs = False
        if not runs:
            self.kill()
            raise NotStarted("The process for your code did not start: this machine is very busy. Check again.")

    def _read(self, popen, calls, ready):
        """Hand each message to the call that it belongs to; None when the process is gone or floods the wire."""
        ready.put(bool(popen.stdout.readline(plain.LIMIT)))  # the first line says that it runs
        while text := popen.stdout.readline(plain.LIMIT + 2):
            try:
                message = json.loads(text)
                calls[message["id"]].put(message)
            except (ValueError, LookupError, TypeError, RecursionError):
                break  # not ours: the learner's code wrote to the wire itself, or past the cap
        popen.kill()
        for waiting in list(calls.values()):
            waiting.put(None)
        popen.stdout.close()

    def _exchange(self, name, message, now):
        short = name.split(".")[-1] if "." in name else name
        if self._popen is None:
            raise LearnerError(f"your {short} could not be called: the process that runs your code had to be ended")
        number = next(self._numbers)
        mine = self._calls[number] = queue.SimpleQueue()
        began = time.monotonic()
        end = began + min(CALL_SECONDS, self.left)
        try:
            self._send({**message, "args": plain.to_wire(message.get("args", [])), "id": number, "now": now})
            reply = self._answer_until(mine, short, end)
        finally:
            self._calls.pop(number, None)
            self.left -= time.monotonic() - began
        self.printed = (self.printed + reply.get("printed", ""))[:2000]
        return self._result(short, reply, message)

    def _send(self, message):
        try:
            with self._sending:
                self._popen.stdin.write(plain.line(message))
                self._popen.stdin.flush()
        except (OSError, ValueError, AttributeError):
            pass  # the process is gone: _read() says so to whoever waits

    def _answer_until(self, mine, name, end):
        """Serve the questions of one call until its result is there, or its time is over."""
        while True:
            try:
                message = mine.get(timeout=max(0, end - time.monotonic()))
            except queue.Empty:
                self.kill()
                if self.left <= CALL_SECONDS:
                    sentence = f"your code took more than {self.total:.3g} seconds in all"
                else:
                    sentence = f"your {name} did not come back within {CALL_SECONDS:g} seconds"
                raise LearnerError(f"{sentence}: is there a loop that never ends?", "Timeout") from None
            if message is None:
                self.kill()
                raise LearnerError(f"your {name} ended the process that it runs in, or broke its wire", "Exit")
            if "ask" not in message:
                return message
            self._send({"answer": message["ask"], **self._ask(message)})

    def _ask(self, message):
        """The answer to a question of the learner's code: a method of one of the judge's objects."""
        try:
            owner, methods = self.remotes[message["object"]]
            method = message["method"]
            if method not in methods:
                has = ", ".join(sorted(methods))
                raise TypeError(f"{message['object']} has no {method}(): it has {has}")
            args, kwargs = plain.from_wire(message["args"]), {}
            if method == "call":
                args, kwargs = args
            value = (owner if method == "call" else getattr(owner, method))(*args, **kwargs)
            return {"value": plain.to_wire(value)}
        except StoreDown as error:
            return {"error": "StoreDown", "message": str(error)}
        except Exception as error:  # a wrong use of the judge's object is the learner's mistake, told as a TypeError
            return {"error": "TypeError", "message": str(error)[:300]}

    def _result(self, name, reply, message):
        if "error" in reply:
            raise self._told(name, reply["error"])
        if reply.get("mutated"):
            number = reply["mutated"][0] + 1
            raise LearnerError(f"your {name} changed its argument number {number}: work on a copy", "Mutation")
        return plain.from_wire(reply["value"])

    def _told(self, name, error):
        """What the learner's code raised, as an exception with a sentence."""
        kind, text, line = error["type"], error["message"], error["line"]
        if kind == "StoreDown":
            return StoreDown(text)
        if kind == "NotImplementedError":
            return NotAttempted(f"{name} is not written yet", kind, line)
        if kind == "NotPlain":
            return LearnerError(f"your {name} returned {text}: it should return plain data", kind, line)
        if kind == "SystemExit":
            return LearnerError(f"your {name} called exit", kind, line)
        if kind == "Forbidden":
            return LearnerError(text, kind, line)
        where = f" at line {line}: `{self._line(line)}`" if line else ""
        missing = " (a cell stands alone: import or define the name in it)" if kind == "NameError" else ""
        return LearnerError(f"your {name} raised {kind}: {text}{missing}{where}", kind, line, text)

    def _line(self, number):
        lines = self.source.splitlines()
        return lines[number - 1].strip()[:80] if 0 < number <= len(lines) else ""
