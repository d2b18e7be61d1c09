"""What a notebook shows: requests and responses, the report of a check, hints, and how far a learner is."""

from labs.teach.beliefs import believe
from labs.teach.checking import CheckFailed, CheckStopped, check
from labs.teach.claims import claim
from labs.teach.hinting import hint
from labs.teach.overview import progress
from labs.teach.predicting import commit, compare
from labs.teach.showing import show

__all__ = [
    "CheckFailed", "CheckStopped", "believe", "check", "claim", "commit", "compare", "hint", "progress", "show",
]  # fmt: skip
