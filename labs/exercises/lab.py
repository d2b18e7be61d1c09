"""What a probe works with: a fresh Fernbank that was handed the learner's mechanism, its customers, and time."""

import random
import threading
from collections.abc import Callable

from labs.auth.passwords import hasher
from labs.bench import serve
from labs.servers import bank, customers

from .learner.plain import Remote
from .process import LearnerError, Process
from .store import METHODS, JudgeStore

FAST = hasher(fast=True)  # minimal argon2 parameters: a lab logs in many times (the lessons say so)


class ProbeFailed(Exception):
    """What was expected did not hold. `exchange` is the raw HTTP that shows it, or ""."""

    def __init__(self, expected: str, happened: str, exchange: str = ""):
        super().__init__(f"expected {expected}; {happened}")
        self.expected, self.happened, self.exchange = expected, happened, exchange


class Refused(Exception):
    """The bank said no to a customer (401 or 403). `response` is what it answered."""

    def __init__(self, response):
        super().__init__(f"{response.exchange.method} {response.exchange.path} answered {response.status}")
        self.response = response


class Customer:
    """Somebody with a browser at the bank. Every method raises Refused when the bank says no."""

    def __init__(self, lab: "Lab", name: str, person: str | None = None):
        self.lab, self.name = lab, name
        self.visitor = lab.site.visitor(person or name)

    @property
    def cookies(self):
        """The cookie jar of this browser: read an id from it, or plant one."""
        return self.visitor.cookies

    def send(self, method: str, path: str, **options):
        """The bank's Response, whatever its status. Raises LearnerError when the mechanism failed."""
        response = self.visitor.request(method, path, **options)
        self.lab.last = response.exchange
        self.lab.raise_learner_error()
        return response

    def ask(self, method: str, path: str, **options):
        """The bank's JSON answer (dict). Raises Refused on 401 and 403, ProbeFailed on any other error."""
        response = self.send(method, path, **options)
        if response.status in (401, 403):
            raise Refused(response)
        if response.status >= 400:
            raise ProbeFailed("an answer", self.lab.answered(response), self.lab.shown(response.exchange))
        return response.json()

    def login(self, password: str | None = None):
        """Log in with this customer's password; returns self."""
        password = self.lab.site.password_of(self.name) if password is None else password
        self.ask("POST", "/login", json={"username": self.name, "password": password})
        return self

    def confirm(self):
        """Give the password again: the session becomes an elevated one."""
        return self.ask("POST", "/confirm", json={"password": self.lab.site.password_of(self.name)})

    def logout(self):
        """Log this browser out."""
        return self.ask("POST", "/logout", json={})

    def logout_everywhere(self):
        """Log out on every device."""
        return self.ask("POST", "/logout/everywhere", json={})

    def balance(self) -> int:
        """The balance of the account that this browser is logged in to."""
        return self.ask("GET", "/balance")["balance"]

    def owner(self) -> str:
        """Whose account this browser sees."""
        return self.ask("GET", "/balance")["owner"]

    def notes(self) -> list[str]:
        """The private notes that this browser can read."""
        return self.ask("GET", "/notes")["notes"]

    def transfer(self, to: str, amount: int):
        """Move money."""
        return self.ask("POST", "/transfer", json={"to": to, "amount": amount})

    def put_in_basket(self, item: str):
        """Put something into the basket, which works without logging in."""
        return self.ask("POST", "/basket", json={"item": item})

    def basket(self) -> list[str]:
        """What is in the basket."""
        return self.ask("GET", "/basket")["items"]


class Lab:
    """One probe's world, drawn from `seed` (text): `random`, `now` (epoch seconds), `store`, and a bank on demand.

    `learner` is the seed of whose work is judged.
    """

    def __init__(self, exercise, process: Process | None, seed: str, answer=None, learner: str = ""):
        self.exercise, self.process, self.seed, self.answer = exercise, process, seed, answer
        self.learner = learner
        self.random = random.Random(seed)
        self.start = self.now = float(1_900_000_000 + self.random.randrange(10_000_000))
        self.store = JudgeStore()
        self.last = None
        self._site = None
        self._learner_error = None
        if process is not None:
            process.remotes = {"store": (self.store, METHODS)}
            process.load(self.now)

    def close(self) -> None:
        """Stop the bank, if the probe used one."""
        if self._site is not None:
            self._site.stop()

    # ---- the learner's code ------------------------------------------------------------------------------------

    def call(self, name: str, *args):
        """What the learner's function, or "object.method", returns. Raises LearnerError, StoreDown."""
        return self.process.call(name, list(args), self.now)

    def call_many(self, name: str, times: int, *args) -> list:
        """What the learner's function returns when it is called `times` times in a row, in one message."""
        return self.process.call(name, list(args), self.now, times)

    def call_each(self, name: str, argses: list[list]) -> list:
        """What the function returns for each list of arguments, in one message; where it raised, the LearnerError.

        For inputs by the thousand: keep a message under a million characters. A changed argument goes unnoticed.
        """
        return self.process.each(name, argses, self.now)

    def restart(self, reseed: int | None = None) -> None:
        """Run the cell in a new process, as a restarted server is; `reseed` seeds Python's `random` first."""
        self.process.kill()
        self.process.load(self.now, reseed)

    def make(self, name: str, *args) -> str:
        """An object of the learner's class; its methods are called as call(f"{it}.method", ...)."""
        return self.process.make(name, list(args), self.now)

    def remote(self, name: str, thing=None, methods=frozenset()):
        """An argument that is an object of the judge's: "store", or `thing` with these methods ({"call"}: itself)."""
        if thing is not None:
            self.process.remotes[name] = (thing, methods)
        return Remote(name, None)

    def http(self, person: str = "mallory"):
        """An argument for an attack: `http(method, path, headers, body)`, which sends to the site as `person`.

        It returns {"status": int, "headers": [[name, value], ...], "body": text}; no cookie is added or kept.
        """

        def send(method, path, headers=None, body=None):
            if type(headers or {}) is not dict or type(body or "") not in (str, bytes):
                raise TypeError("http() takes headers in a dict, and a body that is text, as in 'item=umbrella'")
            visitor = self.site.visitor(person)
            response = visitor.request(method, path, headers=headers, body=body)
            self.last = response.exchange
            pairs = [[name, value] for name, value in response.headers.items()]
            return {"status": response.status, "headers": pairs, "body": response.text}

        return self.remote("http", send, {"call"})

    # ---- the bank ----------------------------------------------------------------------------------------------

    @property
    def site(self):
        """The served app of the exercise's mount(), with the learner's mechanism in it."""
        if self._site is None:
            self._site = serve(self.exercise.mount(self), name=f"judge of {self.seed}")
        return self._site

    def fresh_site(self):
        """Mount the exercise once more, and serve that in the place of what was served before."""
        self._site = None
        return self.site

    def bank(self, sessions, cookie=None):
        """A Fernbank of this lab's own customers and clock, for an exercise's mount()."""
        return self.guard(bank(sessions, cookie, customers=customers(self.seed), hasher=FAST, clock=lambda: self.now))

    def guard(self, app):
        """Have what the mechanism raises inside this app raised by the probe that caused it; returns the app."""
        app.on_mechanism_error = self._keep_learner_error
        return app

    def visit(self, visitor, path: str):
        """GET a page as `visitor` (labs.bench.Visitor) and return the Response; it must be a page."""
        response = visitor.get(path)
        self.last = response.exchange
        self.raise_learner_error()
        self.expect(response.status == 200, "a page", self.answered(response), self.last)
        return response

    def visitor(self, name: str, person: str | None = None) -> Customer:
        """A browser of customer `name`, not logged in; `person` is who sits at it (default: the customer)."""
        return Customer(self, name, person)

    def login(self, name: str, person: str | None = None) -> Customer:
        """A browser of customer `name`, logged in."""
        return self.visitor(name, person).login()

    def together(self, action: Callable) -> "Together":
        """Run `action` in a thread, so that it is under way while the probe goes on."""
        return Together(action)

    def until_held(self, held, action: "Together") -> None:
        """Wait until `action` has arrived at the held write; when it ended without one, nothing is held any more."""
        while not held.arrived.wait(0.005):
            if action.done.is_set():
                return held.release()

    def raise_learner_error(self) -> None:
        """Raise what the mechanism raised inside the bank since the last call, if it did."""
        error, self._learner_error = self._learner_error, None
        if error is not None:
            raise error

    def _keep_learner_error(self, error):
        if not isinstance(error, LearnerError):
            error = LearnerError(f"your code gave the server something that it cannot use: {error}")
        self._learner_error = error

    # ---- time --------------------------------------------------------------------------------------------------

    def skip(self, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Time passes for the bank and for the learner's code alike."""
        self.now += hours * 3600 + minutes * 60 + seconds

    @property
    def elapsed(self) -> float:
        """Seconds since the probe began."""
        return self.now - self.start

    def when(self) -> str:
        """The time since the probe began, for a sentence: "at 8 h 12 min "; "" at the very beginning."""
        hours, rest = divmod(round(self.elapsed), 3600)
        minutes, seconds = divmod(rest, 60)
        parts = [(hours, "h"), (minutes, "min"), (seconds, "s")]
        said = " ".join(f"{number} {unit}" for number, unit in parts if number)
        return f"at {said} " if said else ""

    # ---- what a probe says -------------------------------------------------------------------------------------

    def expect(self, holds: bool, expected: str, happened: str, exchange=None) -> None:
        """Raise ProbeFailed unless `holds`."""
        if not holds:
            raise ProbeFailed(expected, happened, self.shown(exchange))

    def refused(self, action: Callable, because: str) -> None:
        """Expect that the bank says no to `action()`; `because` is the rule, as a sentence."""
        try:
            action()
        except Refused:
            return
        raise ProbeFailed(because, self.still(), self.shown(self.last))

    def safe(self, owner: str, because: str) -> None:
        """Expect that nobody but `owner` has read the owner's secrets or moved the owner's money."""
        lost = self.site.record.lost(owner)
        self.expect(not lost, because, f"the bank's record: {lost[0] if lost else ''}", self.last)

    def answered(self, response) -> str:
        """What happened, as a sentence: "at 12 min GET /balance answered 401"."""
        return f"{self.when()}{response.exchange.method} {response.exchange.path} answered {response.status}"

    def still(self) -> str:
        """The same for the last exchange, which should not have been answered as it was."""
        return f"{self.when()}{self.last.method} {self.last.path} still answered {self.last.status}"

    def shown(self, exchange) -> str:
        """The raw HTTP of an exchange as text, for the report."""
        return f"{exchange.request_text}\n\n{exchange.response_text}"[:3000] if exchange else ""


class Together:
    """An action under way in a thread; result() waits for it, and returns or raises what it did."""

    def __init__(self, action):
        self._outcome = None
        self.done = threading.Event()
        self._thread = threading.Thread(target=self._run, args=[action], daemon=True)
        self._thread.start()

    def _run(self, action):
        try:
            self._outcome = (action(), None)
        except Exception as error:
            self._outcome = (None, error)
        self.done.set()

    def result(self):
        """What the action returned; raises what it raised."""
        self.done.wait()
        value, error = self._outcome
        if error is not None:
            raise error
        return value
