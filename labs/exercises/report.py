"""What a check found, as data: the page, the terminal and the grader all render this."""

import json
from dataclasses import asdict, dataclass, field

from labs import __version__


@dataclass
class Verdict:
    """One probe's outcome. `exchange` is the raw HTTP that shows it ("" when none does); `seconds` is wall time.

    `waits`: it held by itself, and counts only once the exercise's customers are served; `passed` is False then.
    """

    probe: str
    points: int
    passed: bool
    expected: str = ""
    happened: str = ""
    look_at: str = ""
    exchange: str = ""
    seconds: float = 0.0
    waits: bool = False


@dataclass
class Report:
    """The outcome of one check.

    `status` is "passed", "partly", "failed", "not attempted" (the stub is still there), "unusable" (the hand-in could
    not be run at all: `message` says why) or "not judged" (this machine could not run any). `points` of `of` were
    earned. `seed` (str) replays it, for the learner whose seed is `learner`.
    """

    exercise: str
    title: str
    seed: str
    status: str = "failed"
    points: int = 0
    of: int = 0
    verdicts: list[Verdict] = field(default_factory=list)
    printed: str = ""
    message: str = ""
    seconds: float = 0.0
    version: str = __version__
    learner: str = ""

    @property
    def passed(self) -> bool:
        """Whether every probe passed."""
        return self.status == "passed"

    def as_json(self) -> str:
        """This report as JSON text; from_json() is its inverse."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Report":
        """The report that as_json() wrote."""
        data = json.loads(text)
        return cls(**data | {"verdicts": [Verdict(**one) for one in data["verdicts"]]})
