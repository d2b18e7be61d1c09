"""What the bench says when something cannot be done: one sentence that says what was wrong and what to do."""


class BenchError(Exception):
    """Something on this machine is in the way; the message is a full sentence for the learner."""

    def _render_traceback_(self) -> list[str]:
        # IPython asks an exception for this. A learner needs the sentence, not forty lines of our code.
        return [f"{type(self).__name__}: {self}"]
