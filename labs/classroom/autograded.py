"""The notebook that nbgrader's own pages show: the lab as released, with a learner's cells and the verdicts."""

import copy
import json

from nbformat import NotebookNode

from labs.exercises import Report

from .cells import exercise_cell
from .grading import Graded
from .submission import Submission

LONGEST = 20_000  # characters of what is said about one exercise
MARKS = {True: "✓", False: "✗"}


def notebook(release: NotebookNode, submission: Submission, graded: Graded) -> str:
    """The text of this notebook's file. Nothing of the submission but its solution cells is in it."""
    shown = copy.deepcopy(release)
    said = {f"{exercise_cell(report.exercise)}-check": report for report in graded.reports}
    notes = list(graded.notes)
    for cell in shown.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if cell.cell_type != "code":
            continue
        cell.update(outputs=[], execution_count=None)
        if name in submission.cells:
            cell.source = submission.cells[name]
        elif name in said:
            cell.outputs = [_output("\n".join([*notes, verdict(said[name])]))]
            notes.clear()  # they stand above the first
    return json.dumps(shown, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def verdict(report: Report) -> str:
    """A report as plain text, like the page that a learner's check shows."""
    lines = [f"{report.exercise} · {report.title}: {report.points} of {report.of} points, {report.status}"]
    if report.message:
        lines.append(f"  {report.message}")
    for one in report.verdicts:
        lines.append(f"  {MARKS[one.passed]} {one.probe} ({one.points})")
        if not one.passed:
            lines += [f"      expected  {one.expected}", f"      happened  {one.happened}"]
            lines += [f"      look at   {one.look_at}"] if one.look_at else []
    text = "\n".join(lines)
    return text if len(text) <= LONGEST else text[:LONGEST] + " …"


def _output(text: str) -> NotebookNode:
    return NotebookNode(output_type="stream", name="stdout", text=text + "\n")
