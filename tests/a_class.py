"""A class of lesson 20's exercises, which are judged in a tenth of a second each, for the tests of grading."""

import json
import shutil
import sqlite3
from pathlib import Path

from labs.classroom.batch import keep
from labs.classroom.class_folder import ClassFolder
from labs.classroom.grading import Graded
from labs.classroom.submission import find_lab, read
from labs.exercises import Report, exercise

ROOT = Path(__file__).resolve().parents[1]
LAB = find_lab("20")
FULL = {id: exercise(id).points for id in LAB.exercises}
NONE = dict.fromkeys(FULL, 0)
SOLVED, STUBS = ROOT / "solutions" / LAB.file, ROOT / "notebooks" / LAB.file


def hand_in(klass: ClassFolder, learner: str, notebook: Path = SOLVED, at: str = "", **cells: str) -> None:
    """Hand a notebook in, with other `cells` (ex_20_1="…"), `at` a time."""
    folder = klass.submitted(learner, LAB.number)
    folder.mkdir(parents=True, exist_ok=True)
    content = json.loads(notebook.read_text("utf-8"))
    for cell in content["cells"]:
        cell["source"] = cells.get(cell["id"].replace("-", "_"), cell["source"])
    (folder / LAB.file).write_text(json.dumps(content), "utf-8")
    if at:
        (folder / "timestamp.txt").write_text(at)


def found(klass: ClassFolder, learner: str, points: dict[str, int], **about) -> Graded:
    """Put into reports/ that a learner's submission has earned these points; nobody judges it."""
    submission = read(klass.submitted(learner, LAB.number), learner, LAB)
    reports = [Report(id, f"exercise {id}", "seed", "failed", earned, FULL[id]) for id, earned in points.items()]
    graded = Graded(learner, LAB.number, submission.digest, notes=submission.notes, reports=reports, **about)
    keep(klass, graded)
    return graded


def rows(klass: ClassFolder, query: str, *values) -> list[tuple]:
    """What is in the gradebook."""
    with sqlite3.connect(klass.gradebook) as database:
        return database.execute(query, values).fetchall()


GRADES = """
    select s.student_id, c.name, g.auto_score, g.manual_score, g.extra_credit, g.needs_manual_grade
    from grade g join base_cell c on c.id = g.cell_id join submitted_notebook n on n.id = g.notebook_id
    join submitted_assignment s on s.id = n.assignment_id order by 1, 2"""
COMMENTS = """
    select s.student_id, c.name, m.auto_comment, m.manual_comment
    from comment m join base_cell c on c.id = m.cell_id join submitted_notebook n on n.id = m.notebook_id
    join submitted_assignment s on s.id = n.assignment_id order by 1, 2"""
SUBMISSIONS = """
    select s.student_id, a.name, s.timestamp, s.extension, n.late_submission_penalty from submitted_assignment s
    join assignment a on a.id = s.assignment_id join submitted_notebook n on n.assignment_id = s.id order by 1, 2"""


def in_gradebook(klass: ClassFolder) -> list[list[tuple]]:
    """Everything that the gradebook says about submissions, without the ids, which are drawn."""
    return [rows(klass, query) for query in (GRADES, COMMENTS, SUBMISSIONS)]


def scores(klass: ClassFolder) -> dict[str, list[float]]:
    """What each learner has in the gradebook from the judge, exercise by exercise."""
    by_learner = {}
    for learner, _, auto, *_ in rows(klass, GRADES):
        by_learner.setdefault(learner, []).append(auto)
    return by_learner


def copy_of(klass: ClassFolder, folder: Path) -> ClassFolder:
    """The same class, with the same secret, somewhere else."""
    return ClassFolder(Path(shutil.copytree(klass.root, folder)))
