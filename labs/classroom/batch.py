"""Many submissions, judged side by side by Dask: on the cores of this machine, or on a cluster of many.

What was found stands in reports/, a file a learner, as soon as it is there. Whoever starts again goes on from these.
"""

import json
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from itertools import islice

from filelock import FileLock, Timeout

from labs import __version__
from labs.bench.errors import BenchError
from labs.bench.state import write_atomic

from . import sandbox
from .class_folder import ClassFolder
from .course import HERE
from .errors import ClassroomError
from .grading import Graded, grade
from .submission import Lab, Submission, read

LONGEST_NAME = 200  # octets of a learner's name: it becomes the name of a file, with an ending
START_SECONDS = 120  # of the workers: a busy machine needs many


@dataclass(frozen=True)
class Wish:
    """What is to be judged: all exercises or `only` these; `again`, what was judged already, too.

    `attempt` is the number of the hand-in, from which the draw follows. `isolated`: in a sandbox, or not at all.
    """

    only: frozenset[str] = frozenset()
    again: bool = False
    attempt: int = 1
    isolated: bool = True


@dataclass(frozen=True)
class Seeds:
    """The seeds of one learner, as grade() asks a class for them: no worker is told the secret they follow from."""

    own: str
    draws: dict[str, str]

    def seed_of(self, learner: str) -> str:
        """The learner's seed."""
        return self.own

    def draw_of(self, learner: str, exercise: str, attempt: int) -> str:
        """The seed of the judge's draw."""
        return self.draws[exercise]


# What there is to do ----------------------------------------


def graded_of(klass: ClassFolder, lab: Lab, learner: str) -> Graded | None:
    """What was found in this learner's submission at some time; None for nothing, or nothing that can be read."""
    try:
        return Graded.from_json(klass.graded(learner, lab.number).read_text("utf-8"))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def still_holds(graded: Graded | None, submission: Submission, wish: Wish) -> bool:
    """Whether what was found is about this submission, and about nothing that is otherwise now."""
    return graded is not None and (
        (graded.digest, graded.attempt, graded.version) == (submission.digest, wish.attempt, __version__)
        and (graded.isolated or not wish.isolated)
    )


@contextmanager
def alone(klass: ClassFolder, lab: Lab) -> Iterator[None]:
    """Let nobody else grade this lab at the same time. Raises ClassroomError when somebody does."""
    folder = klass.graded("x", lab.number).parent
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise ClassroomError(f"Another command is grading lab {lab.number} in {klass.root} right now.") from None
    except OSError as error:
        raise ClassroomError(f"Nothing can be written into {folder} ({error.strerror}).") from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def renewing(klass: ClassFolder, lab: Lab, wish: Wish) -> Iterator[Callable[[str], bool]]:
    """Around a batch that judges again what was judged already; tells of a learner whether that is still to be done.

    A file in reports/ says that such a batch is at work. It stays when the batch is killed, and the same wish then
    goes on where it was; unless the judge was mended in between.
    """
    if not wish.only and not wish.again:
        yield lambda learner: False
        return
    file = klass.graded("x", lab.number).with_name(".again")
    asked = json.dumps([sorted(wish.only), wish.again, wish.attempt, wish.isolated, fingerprint()])
    try:
        if not file.exists() or file.read_text("utf-8") != asked:
            write_atomic(file, asked)
    except (OSError, BenchError) as error:
        raise ClassroomError(f"{file} could not be written ({_reason(error)}); nothing was judged.") from error
    began = file.stat().st_mtime_ns
    try:
        yield lambda learner: klass.graded(learner, lab.number).stat().st_mtime_ns < began
    finally:
        file.unlink(missing_ok=True)


@cache
def fingerprint() -> str:
    """A digest of everything that a verdict follows from."""
    digest = sha256()
    for room in ("attacks", "auth", "bench", "exercises", "servers"):
        for path in sorted((HERE / "labs" / room).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def names(klass: ClassFolder, lab: Lab) -> tuple[list[str], dict[str, str]]:
    """Who handed the lab in; and who cannot be graded for their folder's name, with a sentence each."""
    good, bad = [], {}
    for name in klass.learners(lab.number):
        try:
            too_long = len(name.encode()) > LONGEST_NAME
        except UnicodeEncodeError:
            bad[name] = "The name of the folder in submitted/ is not UTF-8: rename it."
            continue
        if too_long:
            bad[name] = f"The name of the folder in submitted/ has more than {LONGEST_NAME} octets: rename it."
        else:
            good.append(name)
    return good, bad


def waiting(
    klass: ClassFolder, lab: Lab, learners: Iterable[str], wish: Wish, again: Callable[[str], bool]
) -> Iterator[str]:
    """Those of the learners whose submission is still to be judged. Notes of the others are brought up to date."""
    for learner in learners:
        submission, graded = _read(klass, lab, learner), graded_of(klass, lab, learner)
        if not still_holds(graded, submission, wish) or again(learner):
            yield learner
        elif graded.notes != submission.notes:
            keep(klass, replace(graded, notes=list(submission.notes)))


def keep(klass: ClassFolder, graded: Graded) -> None:
    """Write what was found into reports/. Raises ClassroomError (disk full); the old file is then as it was."""
    path = klass.graded(graded.learner, graded.lab)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, graded.as_json() + "\n")
    except (OSError, BenchError) as error:
        raise ClassroomError(
            f"{path} could not be written ({_reason(error)}). What was judged before is kept: make room, and start "
            "again."
        ) from error


def _reason(error: Exception) -> str:
    system = error.__cause__ if isinstance(error, BenchError) else error
    return str(getattr(system, "strerror", None) or system)


def _read(klass: ClassFolder, lab: Lab, learner: str) -> Submission:
    return read(klass.submitted(learner, lab.number), learner, lab)


# Doing it ----------------------------------------


def judge_one(submission: Submission, lab: Lab, seeds: Seeds, wish: Wish, only: frozenset[str]) -> Graded | str:
    """On a worker: judge a submission. Gives a sentence where this machine cannot do it as it is wished."""
    if wish.isolated and (why := sandbox.why_not()):
        return why
    within = sandbox.bubblewrap if wish.isolated else list
    return grade(submission, lab, seeds, within, only=only, attempt=wish.attempt, isolated=wish.isolated)


def merged(before: Graded | None, fresh: Graded) -> Graded:
    """What was found before, with the exercises that were judged afresh in the place of theirs."""
    if before is None:
        return fresh
    judged = {report.exercise: report for report in fresh.reports}
    reports = [judged.get(report.exercise, report) for report in before.reports]
    return replace(fresh, reports=reports, seconds=sum(report.seconds for report in reports))


def judge_all(
    client, klass: ClassFolder, lab: Lab, learners: Iterable[str], wish: Wish, use: Callable = judge_one
) -> Iterator[tuple[str, Graded | str]]:
    """Judge these learners' submissions with a Dask client; give each as soon as it is kept in reports/.

    Only a few are under way at a time, so the memory that is used does not grow with the class. When a worker is
    lost, Dask gives its submissions to others. One whose workers are lost again and again is judged once more,
    alone, since it may have been in bad company; then it is given with a sentence instead.
    Raises ClassroomError when nothing more can be judged or kept.
    """
    from distributed import KilledWorker, as_completed

    waiting, under_way, completed, lost = iter(learners), {}, as_completed(), []

    def send(room: int) -> None:
        for learner in islice(waiting, max(0, room)):
            task = _Task(klass, lab, learner, wish)
            future = task.send(client, use)
            under_way[future] = task
            completed.add(future)

    send(_places(client))
    for future in completed:
        task = under_way.pop(future)
        if isinstance(future.exception(), KilledWorker):
            lost.append(task)
        else:
            yield task.learner, task.result(future)
        future.release()
        send(_places(client) - len(under_way))
    for task in lost:
        yield task.learner, task.result(task.send(client, use))


def _places(client) -> int:
    """How many submissions may be under way: for each worker the one that it judges, and the next."""
    return 2 * sum(client.nthreads().values()) + 2


class _Task:
    """One submission on its way to a worker and back."""

    def __init__(self, klass: ClassFolder, lab: Lab, learner: str, wish: Wish):
        self.learner, self._klass, self._lab, self._wish = learner, klass, lab, wish
        self._submission, before = _read(klass, lab, learner), graded_of(klass, lab, learner)
        self._before = before if wish.only and still_holds(before, self._submission, wish) else None

    def send(self, client, use: Callable):
        """Give it to a worker; returns Dask's future."""
        draws = {id: self._klass.draw_of(self.learner, id, self._wish.attempt) for id in self._lab.exercises}
        seeds = Seeds(self._klass.seed_of(self.learner), draws)
        only = self._wish.only if self._before else frozenset()
        return client.submit(use, self._submission, self._lab, seeds, self._wish, only, pure=False)

    def result(self, future) -> Graded | str:
        """What was found, kept in reports/ by now; or a sentence. Raises ClassroomError as judge_all()."""
        from distributed import KilledWorker

        try:
            found = future.result()
        except KilledWorker as lost:
            return f"It was not judged: each of the {lost.allowed_failures + 1} workers that tried was lost."
        except ClassroomError as error:
            return f"It was not judged. {error.message}"
        except Exception as error:  # a defect of the course: it must not cost the other learners their grades
            return f"It was not judged: the judge itself stopped with {type(error).__name__}: {error!s:.200}"
        if isinstance(found, str):  # true of every submission, so there is no point in going on
            raise ClassroomError(f"{found} With --not-isolated, grade submissions of people whom you trust.")
        if found.version != __version__:
            raise ClassroomError(
                f"A worker has version {found.version} of the course, and this is {__version__}: give all machines "
                "the same."
            )
        found = merged(self._before, found)
        keep(self._klass, found)
        return found


@contextmanager
def workers(count: int, scheduler: str | None = None) -> Iterator:
    """A Dask client with `count` workers of its own on this machine, or of the cluster at an address (tls://...).

    Raises ClassroomError when no worker comes.
    """
    import dask
    from distributed import Client, LocalCluster

    if scheduler:
        with _client(Client, scheduler) as client:
            yield client
        return
    # No pages of Dask's, where nobody is asked who they are; and no worker that looks at itself every 10 ms.
    settings = {"distributed.scheduler.http.routes": [], "distributed.worker.http.routes": [],
                "distributed.worker.profile.enabled": False}  # fmt: skip
    # A worker judges one submission at a time. Its wire is encrypted with keys of this batch: a port of this machine
    # is open to everybody on it, and whoever may speak to a scheduler runs code.
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=count, threads_per_worker=1, processes=True, security=True, memory_limit=0,
            scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"}, silence_logs=logging.CRITICAL,
        ) as cluster,
        _client(Client, cluster) as client,
    ):  # fmt: skip
        yield client


@contextmanager
def _client(connect, to) -> Iterator:
    try:
        client = connect(to, timeout=START_SECONDS)
        client.wait_for_workers(1, timeout=START_SECONDS)
    except (OSError, TimeoutError, ValueError) as error:
        raise ClassroomError(f"No Dask worker could be reached ({error}): is the address right?") from error
    with client:
        yield client
