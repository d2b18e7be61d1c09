"""Each notebook that nbval runs meets what it met when it was built: the seed, and a home of its own."""

import os
import tempfile
from pathlib import Path

import pytest
from nbval.plugin import IPyNbCell

from labs.classroom.execute import environment

_scratch: dict[Path, tempfile.TemporaryDirectory] = {}


@pytest.hookimpl(tryfirst=True)  # before nbval starts the notebook's kernel, which inherits these variables
def pytest_runtest_setup(item):
    """Change the environment when the next notebook begins."""
    if isinstance(item, IPyNbCell) and item.path not in _scratch:
        _scratch[item.path] = tempfile.TemporaryDirectory(prefix="fernbank-", ignore_cleanup_errors=True)
        os.environ.update(environment(Path(_scratch[item.path].name)))


def pytest_sessionfinish():
    """Remove the homes."""
    for folder in _scratch.values():
        folder.cleanup()
    _scratch.clear()
