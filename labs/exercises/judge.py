"""The one judge: runs an exercise's probes against what was handed in, and says what it found."""

import secrets
import time

from labs.auth.stores import StoreDown
from labs.bench import BenchError, learner_seed

from .exercise import Exercise, Probe, exercise
from .lab import Lab, ProbeFailed, Refused
from .learner import cell
from .process import TOTAL_SECONDS, LearnerError, NotAttempted, NotStarted, Process, Within
from .report import Report, Verdict

UNSERVED = "it held, but it counts only once the customers of this exercise are served"
UNPROVEN = "it held, but it counts only once the first probe of this exercise does"
UNCHANGED = "it held, as it did before: it counts once one of the others holds, too"


def judge(
    id: str,
    source: str | None = None,
    answer=None,
    seed: str | None = None,
    learner: str | None = None,
    within: Within = list,
    seconds: float = TOTAL_SECONDS,
) -> Report:
    """Judge a hand-in for exercise `id`.

    `source` is the text of the cell for a mechanism or an attack, `answer` the plain data for an answer; a cell that
    defines a function which returns the answer is as good. `seed` (text) replays an earlier report; without it the
    probes draw afresh. `learner` is the seed of the learner whose work it is (default: this learner's, on which hangs
    what some exercises give). `within` puts a sandbox around the command of the learner's process, whose calls may
    take `seconds` together. Raises UnknownExercise; the hand-in itself never makes this raise. Where its process
    does not start, the report's status is "not judged".
    """
    the, began = exercise(id), time.perf_counter()
    report = Report(the.id, the.title, seed or secrets.token_hex(4), of=the.points, learner=_learner(learner))
    if the.kind == "answer" and source is None:
        _run_probes(the, None, answer, report)
    elif message := _unusable(the, source):
        report.status, report.message = "unusable", message
    else:
        given = the.given(report.learner) if the.given else ""
        try:
            with Process(source, the.imports, given=given, within=within, seconds=seconds) as process:
                _run_probes(the, process, None, report)
                report.printed = process.printed
        except NotStarted as why:
            report.status, report.message, report.verdicts = "not judged", str(why), []
    report.seconds = time.perf_counter() - began
    return report


def _learner(seed: str | None) -> str:
    try:
        return learner_seed() if seed is None else seed
    except BenchError:  # nothing can be kept on this machine: most exercises need no seed
        return ""


def _unusable(the: Exercise, source: str) -> str:
    """Why the cell's text cannot be run at all, as a sentence; "" when it can."""
    try:
        imported = cell.imports(source)
    except SyntaxError as error:
        return f"The cell is not valid Python: {error.msg} at line {error.lineno}."
    except (ValueError, RecursionError, MemoryError):
        return "The cell is not valid Python."
    for name in imported:
        if not cell.allows(name, the.imports):
            return cell.refusal(name, the.imports).capitalize() + "."
    return ""


def _run_probes(the, process, answer, report):
    if process is not None and not _loads(the, process, report):
        return
    if process is not None and the.kind == "answer":
        answer = _answer(the, process, report)
    stubs = []
    if the.kind != "answer" or answer is not None:
        for number, probe in enumerate(the.probes):
            seed = f"{report.seed}/{the.id}/{number}"
            verdict, stub = _verdict(the, probe, process, answer, seed, report.learner)
            report.verdicts.append(verdict)
            stubs.append(stub)
    if all(stubs):
        report.status, report.verdicts = "unusable" if report.message else "not attempted", []
        return
    _count(the, report)


def _loads(the, process, report):
    """Run the cell once and see that it defines what the exercise wants; else say so in the report."""
    try:
        names = process.load(now=1_900_000_000.0)
    except NotAttempted:
        report.status = "not attempted"
        return False
    except LearnerError as error:
        report.status, report.message = "unusable", _sentence(error)
        return False
    missing = [name for name in the.defines if name not in names]
    if missing:
        report.status = "unusable"
        report.message = f"The cell does not define {' and '.join(missing)}: that is what exercise {the.id} hands in."
    return not missing


def _sentence(error):
    text = str(error)
    return text[0].upper() + text[1:] + ("" if text.endswith("?") else ".")


def _answer(the, process, report):
    """The answer that the cell's function returns; None when it gives none, and then the report may say why."""
    try:
        return process.call(the.defines[0], [], now=1_900_000_000.0)
    except NotAttempted:
        return None
    except LearnerError as error:
        report.message = _sentence(error)
        return None


def _verdict(the: Exercise, probe: Probe, process, answer, seed, learner):
    """Run one probe in a world of its own. Returns its Verdict, and whether it met a stub."""
    verdict = Verdict(probe.title, probe.points, passed=False, expected=probe.title, look_at=probe.look_at)
    began, lab, stub = time.perf_counter(), None, False
    try:
        lab = Lab(the, process, seed, answer, learner)
        probe.run(lab)
        verdict.passed = True
    except ProbeFailed as failed:
        verdict.expected, verdict.happened, verdict.exchange = failed.expected, failed.happened, failed.exchange
    except Refused as refused:
        verdict.happened = lab.answered(refused.response)
        verdict.exchange = lab.shown(refused.response.exchange)
    except StoreDown:
        verdict.happened = "your code asked the store while it was down, and passed the error on"
    except NotAttempted as error:
        verdict.happened, stub = str(error), True
    except NotStarted:
        raise
    except LearnerError as error:
        # What broke is not what the probe asks about: its own look_at would send the learner to the wrong place.
        verdict.happened = str(error)
        verdict.look_at = f"line {error.line} of your cell" if error.line else "the function that is named here"
    except Exception as error:  # a probe that stumbles over an odd value must not cost the other probes
        verdict.happened = f"the probe could not use what your code gave it ({type(error).__name__}: {error})"
    finally:
        if lab is not None:
            lab.close()
    verdict.seconds = time.perf_counter() - began
    return verdict, stub


def _count(the, report):
    """Add up the points. Attack probes count only when every customer of the exercise is served; what was kept, only
    beside something else.
    """
    served = all(
        verdict.passed for probe, verdict in zip(the.probes, report.verdicts, strict=True) if probe.legitimate
    )
    for probe, verdict in zip(the.probes, report.verdicts, strict=True):
        if verdict.passed and not probe.legitimate and not served:
            attack = the.kind == "attack"
            verdict.passed, verdict.waits, verdict.happened = False, True, UNPROVEN if attack else UNSERVED
            verdict.look_at = "the first probe" if attack else "the probes of customers"
    done = any(verdict.passed for probe, verdict in zip(the.probes, report.verdicts, strict=True) if not probe.kept)
    for probe, verdict in zip(the.probes, report.verdicts, strict=True):
        if verdict.passed and probe.kept and not done:
            verdict.passed, verdict.waits, verdict.happened = False, True, UNCHANGED
            verdict.look_at = "the other probes"
    report.points = sum(verdict.points for verdict in report.verdicts if verdict.passed)
    passed = [verdict.passed for verdict in report.verdicts]
    report.status = "passed" if all(passed) else "partly" if any(passed) else "failed"
