"""Late days: how late a submission was, and what that costs. What it costs is nbgrader's plugin to say."""

import math
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from nbgrader.preprocessors import AssignLatePenalties
from traitlets import Integer

from .handed_in import Unreadable, read_plain
from .whose import moment

DAY = timedelta(days=1).total_seconds()


class LateDays(AssignLatePenalties):
    """nbgrader's settings for late submissions (`c.AssignLatePenalties`, `c.LateSubmissionPlugin`), and one more."""

    days = Integer(0, min=0, help="Days that a learner may be late for nothing, in all labs.").tag(config=True)

    def penalty(self, learner: str, score: float, seconds_late: float) -> float | None:
        """The points that being so late costs, None for nothing."""
        if seconds_late <= 0:
            return None
        self.init_plugin()
        points = self.plugin_inst.late_submission_penalty(learner, score, seconds_late)
        return None if points is None else min(max(points, 0), score)

    def beyond(self, earlier: Iterable[float], seconds: float) -> float:
        """The seconds that are left of `seconds` when the late days are used, the first labs first.

        `earlier` has the seconds by which the learner was late in each lab that was due before this one.
        """
        left = self.days
        for late in earlier:
            left -= min(left, math.ceil(max(0.0, late) / DAY))
        return max(0.0, seconds - left * DAY)


def due(text: str) -> datetime | None:
    """When a lab is due, in UTC as nbgrader keeps it: "2026-12-01 18:00 +0100". None for a text that is no time."""
    return moment(re.sub(r"^(\S+ \d\d:\d\d)(?!:)", r"\1:00", text.strip()))


def handed_in_at(folder: Path) -> datetime | None:
    """When a submission was handed in, as its timestamp.txt says; None when that says nothing."""
    try:
        return moment(read_plain(folder / "timestamp.txt", 200).decode().strip())
    except (Unreadable, ValueError):
        return None
