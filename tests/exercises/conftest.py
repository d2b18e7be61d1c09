"""Exercises are judged with the same seeds in every run of the tests: what turns red is what was changed."""

import hashlib
import sys
from itertools import count
from types import SimpleNamespace

import pytest

import labs.exercises  # noqa: F401  so that its judge is there

JUDGE = sys.modules["labs.exercises.judge"]  # the module; labs.exercises has a function of this name


@pytest.fixture(autouse=True)
def seeds(request, monkeypatch):
    """Each check of a test draws its seed from the test's name. The judge's own tests keep the judge's."""
    if request.path.name == "test_judge.py":
        return
    numbers = count()

    def seed(octets: int) -> str:
        return hashlib.sha256(f"{request.node.name} {next(numbers)}".encode()).hexdigest()[: 2 * octets]

    monkeypatch.setattr(JUDGE, "secrets", SimpleNamespace(token_hex=seed))
