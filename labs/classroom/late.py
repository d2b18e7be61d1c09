"""Late days: how late a submission was, and what that costs. What it costs is nbgrader's plugin to say."""

import math
import os
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from nbgrader.preprocessors import AssignLatePenalties
from nbgrader.utils import parse_utc
from traitlets import Integer

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


def moment(text: str) -> datetime | None:
    """The moment that `text` names, in UTC as nbgrader keeps it (a time without a zone is UTC); None for none."""
    # nbgrader would take the +0100 of "12:00 +0100" for a hundred seconds, but not that of "12:00+0100".
    text = re.sub(r"\s+(?=[+-]\d\d:?\d\d$)", "", text.strip())
    try:
        return parse_utc(text) if text else None
    except (ValueError, OverflowError, TypeError, AttributeError):
        return None


def handed_in_at(folder: Path) -> datetime | None:
    """When a submission was handed in, as its timestamp.txt says; None when that says nothing."""
    try:
        # A learner may have put anything there: no link is followed, and no pipe is waited for.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        with open(os.open(folder / "timestamp.txt", flags), "rb") as file:
            return moment(file.read(100).decode())
    except (OSError, ValueError):
        return None
