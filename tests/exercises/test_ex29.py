"""Lab 29: wrong gates are refused by the probe that should, right ones are accepted however they are built."""

import random
import re
from functools import cache
from pathlib import Path

import nbformat
import pytest
from answers import judged
from gates29 import CHEATS, RIGHT, WRONG

from labs.auth import jws, tokens
from labs.auth.keys import KeySet, from_jwk
from labs.auth.token_errors import TokenError
from labs.exercises import exercise, judge
from labs.exercises.lab import Lab
from labs.exercises.malformed import BROKEN, TEXTS, malformed
from labs.exercises.mint import Issuer
from labs.exercises.process import LearnerError

SOURCE = Path(__file__).parents[2] / "solutions" / "29_lab_the_token_gate.ipynb"
TIERS = ("29.1", "29.2", "29.3", "29.4")
PROBES = {probe.title.partition(" ")[0]: (tier, probe) for tier in TIERS for probe in exercise(tier).probes}


@cache
def solution():
    """The gate of solutions/29, without the markers."""
    cells = nbformat.read(SOURCE, as_version=4).cells
    text = next(cell.source for cell in cells if "BEGIN SOLUTION" in cell.source)
    return re.sub(r"\n *### (BEGIN|END) SOLUTION.*", "", text)


def changed(*pairs):
    """The solution with some things done differently: (this, by that), ..."""
    source = solution()
    for this, that in pairs:
        assert this in source, f"{this!r} does not stand in the solution any more"
        source = source.replace(this, that)
    return source


def failed(report):
    """The numbers of the rules whose probes found something; those that merely wait are not among them."""
    return {one.probe.partition(" ")[0]: one for one in report.verdicts if not one.passed and not one.waits}


@pytest.mark.parametrize(("rule", "pairs"), WRONG.values(), ids=WRONG)
def test_a_wrong_gate_is_refused_by_the_probe_that_should(monkeypatch, rule, pairs):
    tier, probe = PROBES[rule]
    asked = [one for one in exercise(tier).probes if one.legitimate or one is probe]
    monkeypatch.setattr(exercise(tier), "probes", asked)  # the others would find more, and take their time
    report = judged(tier, changed(*pairs))
    found = failed(report)
    assert report.status in ("partly", "failed"), report.message
    assert rule in found, found.keys()
    assert probe.legitimate or found.keys() == {rule}, "this gate serves nobody, so the probe would not count"
    assert all(one.expected and one.happened and one.look_at for one in found.values())


def test_every_probe_refuses_something():
    assert len(WRONG) >= 40
    assert {rule for rule, _ in WRONG.values()} == PROBES.keys()


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("source", [None, *RIGHT.values()], ids=["the solution", *RIGHT])
def test_a_right_gate_is_accepted_however_it_is_built(source, tier):
    report = judged(tier, source or solution())
    wrong = [(one.probe, one.expected, one.happened) for one in report.verdicts if not one.passed]
    assert (report.status, wrong) == ("passed", []), report.message
    assert report.points == report.of == exercise(tier).points


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("source", CHEATS.values(), ids=CHEATS)
def test_whoever_verifies_nothing_earns_nothing(source, tier):
    report = judged(tier, source)
    assert report.points == 0
    assert report.status == "failed"


def test_the_first_tier_asks_nothing_of_verify():
    stub = solution().partition("def verify")[0] + "def verify(token, policy, now):\n    raise NotImplementedError\n"
    assert judge("29.1", stub).passed
    assert judge("29.3", stub).status == "not attempted"


def test_the_call_below_a_verdict_can_be_pasted():
    source = changed(WRONG["an issuer that begins alike"][1][0])
    shown = failed(judge("29.3", source))["26"].exchange
    *setup, call = shown.splitlines()
    wrong, right = {}, {}
    exec("\n".join([source, *setup, f"outcome = {call}"]), wrong)
    assert wrong["outcome"]["sub"]
    exec("\n".join([solution(), *setup]), right)
    with pytest.raises(right["Refused"]):
        exec(call, right)


# ---- the course's own verifier keeps the profile that the page states -----------------------------------------


class OurGate(Lab):
    """A probe's world, in which labs.auth stands in the learner's place."""

    def call_each(self, name, argses):
        return [self._outcome(name, args) for args in argses]

    def call(self, name, *args):
        outcome = self._outcome(name, args)
        if isinstance(outcome, LearnerError):
            raise outcome
        return outcome

    def _outcome(self, name, args):
        try:
            return self._payload(*args) if name == "payload" else self._verify(*args)
        except (TokenError, ValueError) as error:
            return LearnerError(str(error), "Refused", said=str(error))

    def _payload(self, token, jwk):
        return jws.verify(jws.read(token), from_jwk({"kid": "any"} | jwk, "any"))

    def _verify(self, token, policy, now):
        found = []
        for jwk in policy["keys"]:
            try:
                found.append(from_jwk(jwk, policy["issuer"]))
            except ValueError:
                continue  # as labs.auth.jwks does: a bad key among good ones is left out
        ours = tokens.Policy(policy["issuer"], policy["audience"], KeySet(found), policy["typ"], policy["leeway"])
        return tokens.verify(token, ours, now)


@pytest.mark.parametrize("seed", ["one", "two"])
@pytest.mark.parametrize("rule", PROBES)
def test_our_own_gate_keeps_every_rule(rule, seed):
    tier, probe = PROBES[rule]
    lab = OurGate(exercise(tier), None, f"{seed}/{rule}")
    try:
        probe.run(lab)
    finally:
        lab.close()


# ---- the malformed tokens -------------------------------------------------------------------------------------


def test_malformed_tokens_are_thousands_of_all_kinds_and_follow_from_their_seed():
    def drawn():
        return list(malformed(Issuer(random.Random(29), 1.9e9, ("HS256", "EdDSA")), 5_200))

    corpus = drawn()
    assert len({token for _, token in corpus}) == 5_200
    said = " | ".join(what for what, _ in corpus)
    assert [kind for kind in [*TEXTS, *BROKEN] if kind not in said] == []
    assert [name for name in ("alg", "kid", "typ", "crit", "b64") if f"with {name} " not in said] == []
    assert [name for name in ("iss", "aud", "sub", "exp", "iat", "nbf") if f"with {name} " not in said] == []
    assert corpus == drawn()
