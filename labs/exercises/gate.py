"""How probes ask a learner's token gate: cases by the thousand, and what is said when one is judged wrong."""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from labs.auth.keys import Key

from .lab import Lab, ProbeFailed
from .mint import GONE, Issuer, damaged, jwk
from .process import LearnerError, NotAttempted

CHUNK = 300_000  # characters of arguments in one message: a slow gate on a busy machine has seconds for each
HUGE = 900_000  # characters of one huge argument: a message takes a million
REFUSED = object()  # what a case expects that must be refused


class Case(NamedTuple):
    """What a token is, as a noun with its article, and what the gate must say: a value, or REFUSED."""

    what: str
    args: list
    wanted: Any = REFUSED


def ask(lab: Lab, name: str, cases: Iterable[Case]) -> None:
    """Have the gate's function `name` judge all cases; raise ProbeFailed at the first one that it judges wrong."""
    for chunk in _chunks(cases):
        for case, given in zip(chunk, lab.call_each(name, [case.args for case in chunk]), strict=True):
            hold(name, case, given)


def ask_singly(lab: Lab, name: str, cases: Iterable[Case]) -> None:
    """The same, a message a case: that is slower, and sees a gate that changes its arguments."""
    for case in cases:
        try:
            given = lab.call(name, *case.args)
        except LearnerError as error:
            given = error
        hold(name, case, given)


def _chunks(cases):
    chunk, size = [], 0
    for case in cases:
        more = len(json.dumps(case.args, default=repr)) * 1.02 + 50  # the wire's form is hardly longer
        if chunk and size + more > CHUNK:
            yield chunk
            chunk, size = [], 0
        chunk.append(case)
        size += more
    if chunk:
        yield chunk


def hold(name: str, case: Case, given: Any) -> None:
    """Raise ProbeFailed unless the gate's outcome is what the case wants; NotAttempted for a stub."""
    if isinstance(given, NotAttempted):
        raise given
    refused = isinstance(given, LearnerError) and given.type == "Refused"
    if case.wanted is REFUSED:
        if refused and given.said.strip():
            return
        happened = "it was refused without a reason: give Refused a sentence" if refused else _outcome(name, given)
        raise ProbeFailed(
            f"{case.what} is refused: {name}() raises Refused, with a reason", happened, call(name, case)
        )
    if not isinstance(given, Exception) and type(given) is type(case.wanted) and given == case.wanted:
        return
    gives = "what was signed" if name == "payload" else "the claims"
    happened = f"it was refused: {given.said}" if refused else _outcome(name, given)
    raise ProbeFailed(f"{case.what} is good: {name}() returns {gives}", happened, call(name, case))


def _outcome(name: str, given: Any) -> str:
    return str(given) if isinstance(given, Exception) else f"{name}() returned {given!r:.200}"


def call(name: str, case: Case) -> str:
    """The call, to be pasted into a cell; what is very long is cut."""
    names = ("token", "jwk") if name == "payload" else ("token", "policy", "now")
    lines = [f"{argument} = {value!r}" for argument, value in zip(names, case.args, strict=True)]
    lines = [line if len(line) <= 2000 else f"{line[:300]} ... ({len(line):,} characters)" for line in lines]
    return "\n".join([*lines, f"{name}({', '.join(names)})"])


def gate(lab: Lab, *algs: str) -> Issuer:
    """An issuer at a moment that is not the one of the learner's clock."""
    now = (
        lab.now
        + lab.random.choice([-1, 1]) * lab.random.randrange(10**5, 10**7)
        + lab.random.choice([0.0, 0.25, 0.5])
    )
    return Issuer(lab.random, now, algs or ("HS256", "ES256", "EdDSA"))


def verifying(issuer: Issuer, what: str, token: Any, wanted: Any = REFUSED, now: float | None = None) -> Case:
    """A case for verify()."""
    return Case(what, [token, issuer.policy, issuer.now if now is None else now], wanted)


def good(issuer: Issuer, what: str, alg: str | None = None, now: float | None = None, **claims: Any) -> list[Case]:
    """Cases of a token with these claims that must get in, and of another with a bit changed, which must not."""
    alg, said = alg or issuer.random.choice(list(issuer.keys)), issuer.claims(**claims)
    other = spoilt(issuer, what, issuer.token(alg, issuer.claims(**claims)))
    return [verifying(issuer, what, issuer.token(alg, said), said, now), verifying(issuer, *other, now=now)]


def spoilt(drawn: Any, what: str, token: str) -> tuple[str, str]:
    """A token with a bit of its signature changed, and what it is; `drawn` has the `random`.

    Among the customers there is one for each: a gate that lets everybody in serves nobody. Give it a token of its
    own, or a gate that has seen the honest one knows this one by it.
    """
    return f"{what.rstrip(',')}, with one bit of its signature changed,", damaged(token, drawn.random)


def mixed(lab: Lab, cases: list[Case]) -> list[Case]:
    """The cases in another order: where a token stands says nothing about it."""
    return lab.random.sample(cases, len(cases))


def bad(issuer: Issuer, what: str, /, header: dict | None = None, **claims: Any) -> Case:
    """A case of a token that is signed well, with these changes, and must be refused."""
    return verifying(issuer, what, issuer.token(claims=issuer.claims(**claims), **(header or {})))


def said(name: str, value: Any) -> str:
    """How a member is named in a sentence."""
    return f"without {name}" if value is GONE else f"with {name} {value!r:.60}"


def signed_by(what: str, token: Any, key: Key | dict, wanted: Any = REFUSED) -> Case:
    """A case for payload()."""
    return Case(what, [token, key if isinstance(key, dict) else jwk(key)], wanted)
