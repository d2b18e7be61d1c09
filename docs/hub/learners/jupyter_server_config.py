"""Runs in a learner's server before it starts: lays out the lessons in work/, in the learner's home."""

from dataclasses import dataclass
from pathlib import Path

from labs.classroom.copies import hand_out
from labs.classroom.course import Course


@dataclass(frozen=True)
class Home(Course):
    """The learner's home, with the lessons of the course that is installed here."""

    @property
    def notebooks(self) -> Path:
        """The course's lessons."""
        return Course().notebooks


hand_out(Home(Path.home()))

c = get_config()  # noqa: F821  (traitlets puts it here)

# A class shares this machine: what nobody uses for an hour ends, and is started again by opening it.
c.MappingKernelManager.cull_idle_timeout = 3600
c.ServerApp.shutdown_no_activity_timeout = 3600
