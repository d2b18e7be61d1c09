"""Exercises 39.1 and 39.2 of lab 39, Defend the bank: the desk's five flaws are found, and mended.

Which five follows from the learner's seed (`labs.servers.planted`). A flaw is found when a raid costs Ana something
in a bank that has this flaw alone. It is mended when no attack on its place lands any more (`desk_attacks`), and what
its customers need is there (`desk_checks`).
"""

import ast
import inspect
from contextlib import suppress

from labs.servers.planted import alone, chosen, place, places, source, with_flaws

from . import desk_tools
from .desk_attacks import of_place
from .desk_checks import (
    CHECKS,
    basket_and_large_sum,
    forms,
    link_from_elsewhere,
    log_in_and_out,
    other_device_stays,
    within_limits,
)
from .desk_raid import Mounted, carry_out, desk_policy, open_bank, raided
from .ex30 import in_session
from .exercise import BASICS, Exercise
from .process import LearnerError, NotAttempted
from .raids import ORDINALS, ask_for_raids, drawn

# ---- 39.1 ----------------------------------------------------------------------------------------------------

FIND = Exercise(
    "39.1",
    "Raid the desk",
    defines=("DeskRaid",),
    minutes=35,
    difficulty="hard",
    kind="attack",
    imports=BASICS | {"itertools", "urllib.parse"},
    mount=lambda lab: lab.app,
    given=lambda learner: inspect.getsource(desk_tools),
    hints=(
        "Read each method against its docstring, and ask what Mallory could bring along that its author did not think"
        " of: nothing at all, a little more, another name, a later hour. `ana` has a step for every flaw there is.",
        "Most come from lessons 10, 11 and 30 in new clothes. What is hashed can still be counted; what begins or "
        "ends alike is not equal; nothing equals nothing; and who says that a session that has ended is gone?",
        "Raid the served bank by hand first, a line at a time, and look at what `http` and `ana` return. A raid that "
        "lands through another flaw is no evidence: send a wrong token rather than none, use one device rather than "
        "three, until this one flaw alone carries it.",
    ),
)


def robs(lab, where, flaws):
    """Whether the learner's raid on this place costs Ana something in a bank with these flaws, and what it raised."""
    lab.process.load(lab.now)  # so that nothing is kept from the raid before
    raid = lab.make("DeskRaid")
    raided(lab, with_flaws("desk", flaws))

    def carried_out(http, ana, me):
        remotes = lab.remote("http", http, {"call"}), lab.remote("ana", ana, {"call"})
        lab.call(f"{raid}.{where}", *remotes, me)

    try:
        return carry_out(lab, carried_out), None
    except NotAttempted:
        raise
    except LearnerError as error:
        return bool(lab.site.record.lost("ana")), error


ask_for_raids(FIND, "desk", robs)


# ---- 39.2 ----------------------------------------------------------------------------------------------------

MEND = Exercise(
    "39.2",
    "Mend the desk",
    defines=("MyDesk",),
    minutes=25,
    difficulty="hard",
    imports=BASICS | {"itertools", "urllib.parse"},
    mount=lambda lab: lab.app,
    given=lambda learner: source("desk", learner),
    hints=(
        "Start with one: override the method that your raid used, check, and go on. `super()` is the flawed one.",
        "Say what *is* allowed, as one comparison, and refuse the rest: one name, one origin, one token, one clock "
        "for each limit. A list of what is forbidden always misses something.",
        "Where a session ends or changes hands, look at both ends: its record goes, at key(id); a new id is drawn "
        "afresh; and revoke_all looks at every key on the list, whatever has become of the one before.",
    ),
)


def my_desk(lab, text=None):
    """Serve a bank on the learner's MyDesk, made from the class in `text` (default: the one that the page shows)."""
    lab.store.records.clear()
    lab.process.given = source("desk", lab.learner) if text is None else text
    lab.process.load(lab.now)

    def make(policy):
        lab.name = lab.make("MyDesk", lab.remote("store"), policy)
        return lab.name

    open_bank(lab, Mounted(desk_policy(lab), make, lambda name, method, *args: lab.call(f"{name}.{method}", *args)))


def written(lab):
    """The names that the learner's cell defines, in a class or elsewhere."""
    names = set()
    for node in ast.walk(ast.parse(lab.process.source)):
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(getattr(node, "id", None) or node.attr)
    return names


def serves(lab, checks, text=None):
    """Expect that each of these checks holds, each in a bank of its own."""
    for check in checks:
        my_desk(lab, text)
        check(lab)


def resists(lab, where, text=None):
    """Expect that no attack on this place lands, and that customers are served on, one of whom is Mallory."""
    my_desk(lab, text)
    for attack in of_place(where):
        lost = carry_out(lab, attack)
        with suppress(LearnerError):  # what stopped an attack with an error has stopped it
            lab.raise_learner_error()
        happened = f"the bank's record: {lab.site.record.lost('ana')[0] if lost else ''}"
        lab.expect(not lost, f"Ana loses nothing when this happens: {attack.__doc__}", happened, lab.last)
        if lab.random.random() < 0.25:
            served_on(lab, lab.random.choice(["ana", "ben"]))
    served_on(lab, "mallory")


def served_on(lab, name):
    """Expect that a customer logs in and is served, whatever was tried before."""
    answer = in_session(lab, name, page=None).read("/balance")
    what = f"{name.title()} sees the own account, whatever was tried before"
    lab.expect(answer.status == 200, what, lab.answered(answer), answer.exchange)


@MEND.probe("Ana and Ben log in, pay, and log out", kept=True, look_at="what your methods changed beside the flaw")
def daily(lab):
    serves(lab, [log_in_and_out, forms])


@MEND.probe("A basket survives the log-in, and a large sum goes", kept=True, look_at="create(), rotate() and save()")
def basket(lab):
    serves(lab, [basket_and_large_sum])


@MEND.probe("Links, other devices, and long working days", kept=True, look_at="set_cookie(), revoke() and ended()")
def working_day(lab):
    serves(lab, [link_from_elsewhere, other_device_stays, within_limits])


def mended(number):
    """The probe of one of the five flaws: by itself, all else sound."""

    def run(lab):
        flaw = drawn("desk", lab.learner)[number]
        text = alone("desk", flaw)
        lab.process.kill()  # what another probe gave was sound here: nothing of it is left to be copied
        my_desk(lab, text)
        lab.desk.cookie_name()  # makes the desk: an unwritten one says so
        untouched = "no method of yours stands where this flaw is"
        lab.expect(place(flaw) in written(lab), "a method in the place of the flawed one", untouched)
        serves(lab, CHECKS[place(flaw)], text)
        resists(lab, place(flaw), text)

    return run


for _number, _which in enumerate(ORDINALS):
    MEND.probe(f"The {_which} flaw is mended, and its customers are served", points=2, look_at="the method it is in")(
        mended(_number)
    )


@MEND.probe("The whole desk holds, whatever was planted", points=2, look_at="what the probes above say")
def whole(lab):
    my_desk(lab)
    lab.desk.cookie_name()
    left = {place(one) for one in chosen("desk", lab.learner)} - written(lab)
    lab.expect(
        not left, "no attack lands at all", "one still does, where you wrote no method"
    )  # no list of the flaws
    serves(lab, dict.fromkeys(check for checks in CHECKS.values() for check in checks))
    for where in places("desk"):
        resists(lab, where)
