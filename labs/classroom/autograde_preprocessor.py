"""nbgrader's "autograde", in the formgrader and on its command line: the course's judge in the place of its own.

The class's nbgrader_config.py names it. nbgrader itself would run the whole notebook, in a process that can give
itself any score; here the judge takes the solution cells from submitted/, as `classroom grade` does.
"""

from pathlib import Path

from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool
from traitlets.config import Config

from . import batch, gradebook, sandbox
from .class_folder import ClassFolder
from .errors import ClassroomError
from .files import parse
from .grading import grade
from .record import record
from .submission import find_lab, read


class Judge(NbGraderPreprocessor):
    """Judges one submission, and gives the notebook to show. It needs no other step before or after it."""

    isolated = Bool(True, help="Whether submissions run in a sandbox: if not, trust them.").tag(config=True)

    def preprocess(self, nb, resources):
        """Judge what the learner handed in; reports/ and the gradebook have it then. Raises ClassroomError."""
        about = resources["nbgrader"]
        klass = ClassFolder(Path(self.parent.parent.coursedir.root))  # of the exporter, of the converter
        text = judge_again(klass, about["assignment"], about["student"], self.isolated)
        return parse(text), resources


def use_judge(config: Config) -> None:
    """Let nbgrader's autograde be the judge, in a class's nbgrader_config.py."""
    config.Autograde.sanitize_preprocessors = []
    config.Autograde.autograde_preprocessors = [Judge]


def judge_again(klass: ClassFolder, assignment: str, learner: str, isolated: bool = True) -> str:
    """Judge one submission in this process, record it, and give the text of its notebook in autograded/.

    Raises ClassroomError: no sandbox, no such lab, a gradebook that is locked.
    """
    lab = find_lab(assignment)
    if isolated and (why := sandbox.why_not()):
        raise ClassroomError(f"{why} With c.Judge.isolated = False, grade submissions of people whom you trust.")
    before = batch.graded_of(klass, lab, learner)
    with batch.alone(klass, lab):
        found = grade(
            read(klass.submitted(learner, lab.number), learner, lab),
            lab,
            klass,
            sandbox.bubblewrap if isolated else list,
            attempt=before.attempt if before else 1,
            isolated=isolated,
        )
        batch.keep(klass, found)
        gradebook.prepare(klass, lab, gradebook.release(klass, lab))
        record(klass, lab, [learner])
    return (klass.autograded(learner, lab.number) / lab.file).read_text("utf-8")
