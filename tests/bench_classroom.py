"""The figures of `make bench` that are about grading: this course's batch beside nbgrader's own, on the same work.

`python tests/bench_classroom.py 2000` grades so many submissions of lab 19 once, and prints time and peak memory.
"""

import itertools
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

from labs.classroom import batch, gradebook
from labs.classroom.class_folder import ClassFolder
from labs.classroom.submission import find_lab

ROOT = Path(__file__).resolve().parents[1]
LAB = find_lab("19")
CORES = 2
OF_A_BATCH = 20


def classroom_figures():
    """Yield (what, figure with unit, limit with unit, whether it holds)."""
    with tempfile.TemporaryDirectory() as folder:
        klass = new_class(Path(folder, "class"), OF_A_BATCH)
        nbgraders = timed(lambda: nbgraders_own(klass))
        ours = timed(lambda: grade(klass, CORES))
        share = ours / nbgraders
        per_minute = OF_A_BATCH / ours * 60
        what = f"{OF_A_BATCH} submissions of lab 19, graded ({per_minute:.0f} a minute)"
        yield what, f"{ours:.1f} s", "20 s", ours < 20
        what = f"against nbgrader's own batch ({OF_A_BATCH / nbgraders * 60:.0f} a minute)"
        yield what, f"{share:.2f} x", "0.25 x", share < 0.25
        one, two = (judging(klass, workers) for workers in (1, CORES))
        yield f"judging them with {CORES} workers against one", f"{two / one:.2f} x", "0.59 x", two / one < 0.59


def new_class(folder: Path, number: int) -> ClassFolder:
    """A class of so many: of five, four hand in the solution, and one the lab as it was released."""
    klass = ClassFolder(folder)
    klass.create()
    shutil.copy(ROOT / "nbgrader_config.py", klass.root)
    gradebook.prepare(klass, LAB, gradebook.release(klass, LAB))
    for learner, kind in zip(range(number), itertools.cycle(["solutions"] * 4 + ["notebooks"])):
        handed_in = klass.submitted(f"learner{learner:04}", LAB.number)
        handed_in.mkdir(parents=True)
        shutil.copy(ROOT / kind / LAB.file, handed_in)
    return klass


def timed(action) -> float:
    """Seconds that `action()` takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def command(klass: ClassFolder, workers: int) -> list[str]:
    """The command that grades the class."""
    options = ["--class", str(klass.root), "--workers", str(workers), "--json", "--again"]
    return [sys.executable, "-m", "labs.classroom", "grade", LAB.number, *options]


def grade(klass: ClassFolder, workers: int) -> None:
    """The whole command, from its start to the gradebook."""
    done = subprocess.run(command(klass, workers), cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    points = [one["points"] for one in json.loads(done.stdout)["submissions"]]
    assert points.count(0) == len(points) // 5, points


def judging(klass: ClassFolder, workers: int) -> float:
    """Seconds to judge all of them, without the start of the workers."""
    wish, learners = batch.Wish(), klass.learners(LAB.number)
    with batch.workers(workers) as client:
        list(batch.judge_all(client, klass, LAB, learners[: 2 * workers], wish))  # imports, in each
        return timed(lambda: list(batch.judge_all(client, klass, LAB, learners, wish)))


def nbgraders_own(klass: ClassFolder) -> None:
    """nbgrader's batch, which runs each notebook in a kernel; its grades are not looked at."""
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
    own = {"PATH": path, "PYTHONPATH": str(ROOT), "JUPYTER_CONFIG_DIR": str(klass.root)}
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "autograde", f"lab{LAB.number}"],
        cwd=klass.root, env=os.environ | own, capture_output=True, text=True,
    )  # fmt: skip
    there = list(klass.root.glob("autograded/*/*/*.ipynb"))
    assert len(there) == len(klass.learners(LAB.number)), done.stderr[-2000:]
    shutil.rmtree(klass.root / "autograded")


def many(number: int) -> None:
    """Grade so many with the command, and print how long it took and the most memory that its processes had."""
    with tempfile.TemporaryDirectory() as folder:
        klass, peaks = new_class(Path(folder, "class"), number), {}
        began = time.perf_counter()
        with subprocess.Popen(command(klass, CORES), cwd=ROOT, stdout=subprocess.DEVNULL) as process:
            judge = psutil.Process(process.pid)
            while process.poll() is None:
                # Its children are the workers; theirs, which run learners' code, have a limit of their own.
                for one in [judge, *judge.children()]:
                    with suppress(psutil.Error):  # it has ended
                        peaks[one.pid] = max(peaks.get(one.pid, 0), one.memory_info().rss)
                time.sleep(0.2)
        seconds = time.perf_counter() - began
        assert process.returncode == 0
    largest = sorted((peak / 2**20 for peak in peaks.values()), reverse=True)[: CORES + 1]
    rate = number / seconds * 60
    print(f"{number} submissions of lab 19 with {CORES} workers: {seconds / 60:.1f} min, {rate:.0f} a minute")
    print(f"peak memory: {', '.join(f'{peak:.0f} MB' for peak in largest)}, together {sum(largest):.0f} MB")


if __name__ == "__main__":
    many(int(sys.argv[1]))
