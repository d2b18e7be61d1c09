"""What a learner believes before the course: six statements, answered in lesson 00 and asked again at the end."""

import json
from pathlib import Path

from labs.bench import BenchError, home
from labs.bench.state import write_atomic

from .drawing import said, table

STATEMENTS = Path(__file__).resolve().parents[2] / "data" / "beliefs.json"
ANSWERS = ("yes", "no", "unsure")


class CannotBelieve(BenchError):
    """These are no answers to the six statements; the message says what is wanted."""


def believe(*answers: str) -> None:
    """Draw the statements with your answers ("yes", "no" or "unsure", in order), and keep them in home().

    Without answers it only draws the statements. A later call replaces what was kept. Raises CannotBelieve.
    """
    statements = json.loads(STATEMENTS.read_text("utf-8"))
    if not answers:
        numbered = [[str(number), one] for number, one in enumerate(statements, 1)]
        table("Is it so?", ["number", "statement"], numbered).put()
        return
    if len(answers) != len(statements) or any(one not in ANSWERS for one in answers):
        raise CannotBelieve(f"Give {len(statements)} answers, each 'yes', 'no' or 'unsure'.")
    write_atomic(home() / "beliefs.json", json.dumps(dict(zip(statements, answers, strict=True)), indent=1))
    sure = len(answers) - answers.count("unsure")
    said(f"Kept: {len(answers)} answers, {sure} of them sure. Lesson 61 asks again.").put()
