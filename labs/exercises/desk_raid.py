"""Lab 39's desk as a raid meets it: a bank that runs on a planted desk, and Ana, whose browser does what she does."""

import re
from types import SimpleNamespace

from labs.attacks.victim import EVIL, FORM, PLAIN, Page, Victim
from labs.bench import learner_seed
from labs.servers import bank, customers
from labs.servers.flaws.doors import any_type, method_override, payment_link

from .lab import FAST, Lab

__all__ = ["Ana", "Mounted", "carry_out", "desk_policy", "open_bank", "raided", "rehearsal"]

LIBRARY = "what Ana left behind: first she logs out there, or everywhere, or leaves for long enough"
SHORTEST = {False: 1, True: 10}  # hours that Ana is away, by whether her page stays busy: then a session is over


class Mounted:
    """What a bank is handed: a planted desk, as sessions, as cookie policy and as guard.

    `make(policy)` makes the desk when the first request comes: its policy names the address that the bank got.
    Its methods are called as `ask(desk, name, *args)`.
    """

    def __init__(self, policy, make, ask):
        self.policy, self._make, self._ask, self._desk = policy, make, ask, None
        self.site = None

    def __getattr__(self, method):
        if method.startswith("_"):
            raise AttributeError(method)
        return lambda *args: self._call(method, *args)

    def _call(self, method, *args):
        if self._desk is None:
            self._desk = self._make({**self.policy, "origin": self.site().page})
        return self._ask(self._desk, method, *args)

    def set(self, id):
        return self._call("set_cookie", id)

    def clear(self):
        return self._call("clear_cookie")

    def read(self, header):
        return self._call("read_cookie", header)

    def token(self, id, headers):
        return self._call("token", id)

    def cookie(self, token):
        return None


def desk_policy(lab) -> dict:
    """A policy of this lab's own, without the address."""
    return {
        "cookie": lab.random.choice(["fern", "visit", "counter", "leaf"]),
        "secret": f"{lab.random.getrandbits(256):064x}",
        "idle_timeout": 60 * lab.random.randrange(25, 50),
        "absolute_timeout": 3600 * lab.random.randrange(6, 10),
    }


def open_bank(lab, mounted: Mounted) -> None:
    """Serve a bank on this desk as `lab.site`, in the place of the one before.

    It has three doors beside its forms: GET /pay, ?_method=, and JSON that calls itself text/plain.
    """
    lab.desk = mounted
    app = bank(mounted, mounted, csrf=mounted, customers=customers(lab.seed), hasher=FAST, clock=lambda: lab.now)
    lab.app = lab.guard(any_type(method_override(payment_link(app))))
    mounted.site = lambda: lab.site
    lab.fresh_site()


def raided(lab, desk: type) -> None:
    """Serve a bank on a planted desk of the judge's own."""

    def make(policy):
        return desk(lab.store, policy, lambda: lab.now)

    lab.store.records.clear()
    open_bank(lab, Mounted(desk_policy(lab), make, lambda it, method, *args: getattr(it, method)(*args)))


def carry_out(lab, raid) -> bool:
    """Carry out `raid(http, ana, me)` against `lab.site`. Whether Ana lost anything."""
    raid(*means(lab))
    return bool(lab.site.record.lost("ana"))


def means(lab) -> tuple:
    """What a raid is given: http, ana and me."""
    ana = Ana(lab)
    return ana.http, ana, {"username": "mallory", "password": lab.site.password_of("mallory"), "bank": lab.site.page}


def rehearsal(desk: type) -> tuple:
    """A bank on this desk (a class), to raid by hand: its site, and what a raid is given: http, ana and me."""
    lab = Lab(SimpleNamespace(mount=lambda lab: lab.app), None, learner_seed())
    raided(lab, desk)
    return lab.site, *means(lab)


class Ana:
    """Ana as Mallory can count on her: `ana(step, device, ...)`, plain data in and out.

    Steps that a bank in order survives: she never hands over an id that should still be worth something.
    """

    def __init__(self, lab):
        self._lab, self._browsers, self._past = lab, {}, {}

    def __call__(self, step, device="laptop", **details):
        steps = {name.replace("_", " "): getattr(self, "_step_" + name) for name in STEPS}
        if step not in steps:
            raise ValueError(f"Ana knows no step {step!r:.40}: {', '.join(steps)}")
        return steps[step](str(device), **details)

    def http(self, method, path, headers=None, body=None):
        """Mallory's own request: any header, no browser."""
        response = self._lab.site.visitor("mallory").request(method, path, headers=headers, body=body)
        self._lab.last = response.exchange
        pairs = [[name, value] for name, value in response.headers.items()]
        return {"status": response.status, "headers": pairs, "body": response.text}

    # ---- what Ana does -----------------------------------------------------------------------------------------

    def _step_log_in(self, device):
        self._browser(device).log_in()
        self._past.pop(device, None)
        return {"at": self._lab.now}

    def _step_log_out(self, device):
        before = self._cookies(device)
        if self._browser(device).log_out().status == 303:
            self._past[device] = before

    def _step_log_out_everywhere(self, device):
        before = {name: self._cookies(name) for name in self._browsers}
        if self._browser(device).submit("/me", "/logout/everywhere").status == 303:
            self._past |= before

    def _step_write_a_note(self, device):
        self._browser(device).submit("/notes", "/notes", text="a secret of Ana's")

    def _step_sit_down(self, device, cookies):
        """She uses a browser in which Mallory has left cookies of the bank, and logs out whoever is logged in."""
        self._browsers.pop(device, None)
        for name, value in dict(cookies).items():
            self._jar(device).store(f"{name}={value}; Path=/; Secure; HttpOnly", self._lab.site.page + "/")
        if self._browser(device).read("/me").status == 200:
            self._browser(device).log_out()

    def _step_leave(self, device, hours, busy=False):
        """She goes away without logging out; where the page is busy, it asks the bank for something now and then."""
        if not SHORTEST[bool(busy)] <= hours <= 48:
            raise ValueError(f"Ana is away for {SHORTEST[bool(busy)]} to 48 hours when her page is busy={bool(busy)}")
        end = self._lab.now + 3600 * hours
        while busy and self._lab.now + 1200 < end:
            self._lab.skip(minutes=20)
            self._browser(device).read("/")
        self._lab.now = end
        self._past[device] = self._cookies(device)

    # ---- what Mallory has of it --------------------------------------------------------------------------------

    def _step_left_behind(self, device):
        """The cookies in a browser that Ana has done with."""
        if device not in self._past:
            raise ValueError(f"nobody gets at {device} yet, or at {LIBRARY}")
        return self._past[device]

    def _step_visit(self, device, page):
        """She follows a link to a page of Mallory's."""
        self._browser(device).open(a_page(page))

    def _step_run_a_script(self, device):
        """Mallory's script in the bank's page reads document.cookie; it may send nothing to the bank."""
        return self._jar(device).script(self._lab.site.page + "/")

    def _step_leak(self, device):
        """A copy of the store, as a backup holds it."""
        return {key: self._lab.store.get(key) for key in self._lab.store.records}

    def _browser(self, device):
        if device not in self._browsers:
            self._browsers[device] = Victim(self._lab.site, "ana", self._lab.site.visitor("ana"))
        return self._browsers[device]

    def _jar(self, device):
        return self._browser(device)._visitor.cookies

    def _cookies(self, device):
        return self._browser(device).copied()


STEPS = [name.removeprefix("_step_") for name in vars(Ana) if name.startswith("_step_")]


def a_page(told) -> Page:
    """A page of Mallory's from plain data. Raises ValueError for one that she could not have."""
    page = Page(**{**told, "cookies": tuple(told.get("cookies", ()))})
    text = [page.host, page.path, page.method, page.enctype, *page.cookies, *page.fields, *page.fields.values()]
    if not all(type(one) is str for one in text):
        raise ValueError("a page is made of text: fields and cookies too")
    own = page.host == EVIL or not f".{page.host}".endswith(".fernbank.localhost")
    if not own or not re.fullmatch(r"[a-z0-9.-]+\.localhost", page.host):
        raise ValueError(f"Mallory has no host {page.host!r:.60}: {EVIL}, or any name that ends in .localhost")
    if page.method not in ("GET", "POST") or page.enctype not in (FORM, PLAIN):
        raise ValueError(f"a form is sent by GET or POST, as {FORM} or {PLAIN}")
    if page.path and not re.fullmatch(r"/[!-~]*", page.path):
        raise ValueError("path is an address at the bank, such as /transfer")
    return page
