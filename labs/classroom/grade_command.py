"""The command `grade`: judge what a class handed in, and record it."""

import os
import time

import click

from .class_folder import lab_name
from .errors import ClassroomError
from .options import class_option, json_option, progress, tell


@click.command()
@click.argument("number", metavar="LAB")
@class_option
@click.option("--learner", "chosen", multiple=True, metavar="NAME", help="Grade only this one. May be repeated.")
@click.option("--only", multiple=True, metavar="NN.k", help="Judge this exercise again. May be repeated.")
@click.option("--again", is_flag=True, help="Judge again what was judged already.")
@click.option("--attempt", type=click.IntRange(1), default=1, help="The number of the hand-in: each is drawn anew.")
@click.option("--workers", type=click.IntRange(1), default=os.cpu_count() or 1, help="Default: as many as cores.")
@click.option("--scheduler", metavar="ADDRESS", help="Use the workers of this Dask scheduler, tls://HOST:PORT.")
@click.option("--not-isolated", is_flag=True, help="Run submissions without a sandbox: of people whom you trust.")
@click.option("--due", metavar="WHEN", help="When the lab is due: 2026-12-01 18:00 +0100. Kept in the gradebook.")
@click.option("--late-days", type=click.IntRange(0), metavar="N", help="Days late for nothing, in all labs together.")
@json_option
def grade(number, klass, chosen, only, again, attempt, workers, scheduler, not_isolated, due, late_days, as_json):
    """Judge what was handed in for a LAB ("19"), and put it into the gradebook.

    What each learner's code did stands in reports/ as soon as it is known. If the command is stopped, however, start
    it again: it goes on from there. A submission that did not change is not judged again.

    What a person wrote into the gradebook stays: a manual grade, a comment, extra credit, an extension.

    \b
    What a late hand-in costs is for the class's nbgrader_config.py to say; nothing, if it does not:
      c.LateSubmissionPlugin.penalty_method = "zero"
      c.LateDays.days = 3

    \b
    Many machines, each with the course and Dask's own certificates (distributed.dask.org, TLS):
      dask scheduler
      dask worker tls://HOST:8786 --nthreads 1 --nworkers 8
      python -m labs.classroom grade 19 --scheduler tls://HOST:8786
    """
    # Here, since it takes a second, for which no other command has to wait.
    from . import batch, gradebook, late, sandbox
    from .record import record
    from .submission import find_lab

    lab = find_lab(number)
    klass.seed_of("")  # says so if there is no class
    wish = batch.Wish(_exercises(only, lab), again, attempt, not not_isolated)
    if wish.isolated and not scheduler and (why := sandbox.why_not()):
        raise ClassroomError(f"{why} With --not-isolated, grade submissions of people whom you trust.")
    when = None if due is None else late.due(due)
    if due is not None and when is None:
        raise ClassroomError(f"--due {due!r} is no time: write 2026-12-01 18:00, in UTC, or with +0100 after it.")
    learners, lost = batch.names(klass, lab)
    learners = _chosen(chosen, learners, lab)
    began = time.perf_counter()
    with batch.alone(klass, lab):
        gradebook.prepare(klass, lab, gradebook.release(klass, lab), when)
        with batch.renewing(klass, lab, wish) as again:
            waiting = list(batch.waiting(klass, lab, learners, wish, again))
            if waiting:
                with (
                    progress(f"judging lab {lab.number}", len(waiting)) as tick,
                    batch.workers(min(workers, len(waiting)), scheduler) as client,
                ):
                    for learner, found in batch.judge_all(client, klass, lab, waiting, wish):
                        lost |= {learner: found} if isinstance(found, str) else {}
                        tick()
        with progress("writing the gradebook", len(learners)) as tick:
            record(klass, lab, learners, late_days, tick)
    everything = [graded for name in learners if name not in lost and (graded := batch.graded_of(klass, lab, name))]
    _tell(lab, everything, set(waiting), lost, time.perf_counter() - began, as_json)
    if lost:
        raise SystemExit(1)


def _exercises(only: tuple[str, ...], lab) -> frozenset[str]:
    for id in only:
        if id not in lab.exercises:
            raise ClassroomError(f"Lab {lab.number} has no exercise {id!r}. It has {', '.join(lab.exercises)}.")
    return frozenset(only)


def _chosen(chosen: tuple[str, ...], learners: list[str], lab) -> list[str]:
    for name in chosen:
        if name not in learners:
            raise ClassroomError(f"{printable(name)} has handed in nothing for lab {lab.number}.")
    if not learners:
        raise ClassroomError(f"Nobody has handed in lab {lab.number} yet: `classroom collect` fetches it.")
    return sorted(set(chosen)) or learners


def printable(text: str) -> str:
    """A text that came from a learner, as a terminal may be given it."""
    return text if text.isprintable() else ascii(text)


def _tell(lab, everything, waiting, lost, seconds, as_json) -> None:
    submissions, lines, judged = [], [], waiting - set(lost)
    for graded in everything:
        exercises = {one.exercise: {"status": one.status, "points": one.points} for one in graded.reports}
        about = {"learner": graded.learner, "points": graded.points, "of": graded.of, "notes": graded.notes}
        now = {"judged_now": graded.learner in judged, "isolated": graded.isolated, "exercises": exercises}
        submissions.append(about | now)
        if graded.learner in judged:
            lines.append(f"{printable(graded.learner)}: {graded.points} of {graded.of} points")
            lines += [f"  {printable(note)}" for note in graded.notes]
    lines.append(
        f"Lab {lab.number}: {len(judged)} judged in {seconds:.0f} s, {len(everything) - len(judged)} were judged "
        f"before, {len(lost)} could not be."
    )
    if not all(graded.isolated for graded in everything):
        lines.append("Not all of them ran in a sandbox.")
    done = {"lab": lab_name(lab.number), "seconds": round(seconds, 3), "submissions": submissions}
    tell(done, lines, [f"{printable(name)}: {why}" for name, why in lost.items()], as_json)
