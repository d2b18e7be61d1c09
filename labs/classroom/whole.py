"""Write a file whole or not at all: bytes, where labs.bench.state writes text."""

import os
import secrets
from pathlib import Path


def put(path: Path, data: bytes) -> bool:
    """Write `data` to `path`, unless it holds just that; say whether it was written.

    A link at `path` is replaced, never followed. Raises OSError (disk full); the old file is then as it was.
    """
    if holds(path, data):
        return False
    fresh = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with open(fresh, "xb") as file:
            file.write(data)
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    return True


def holds(path: Path, data: bytes) -> bool:
    """Whether there is an ordinary file with just this content."""
    try:
        return not path.is_symlink() and path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False
