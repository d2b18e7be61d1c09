"""What a learner is handed for one lab: the lab without answers, what it runs on, and a seed."""

import io
import json
import os
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from .class_folder import lab_name
from .course import Course
from .errors import ClassroomError
from .submission import Lab

TEMPLATES = Path(__file__).with_name("handed_out")
SEED = "seed.txt"
#: Of the course's folder, besides labs/ and data/: what `make lab` and the other ways to set up need.
SET_UP = (
    "pyproject.toml", "requirements.lock", ".ci/set-up", "environment.yml", "postBuild", "LICENSE", "LICENSE-prose",
)  # fmt: skip
RUN = {".ci/set-up", "postBuild"}
#: Of labs/classroom: the learner's side. A module of the instructor's that is not named here stays here.
CLASSROOM = (
    "__init__.py", "__main__.py", "cli.py", "copies.py", "course.py", "errors.py", "files.py", "lab.py", "jupyter",
    "build.py", "cells.py", "execute.py", "stamp.py", "strip.py", "stub.py",  # `build` says what it does not find
)  # fmt: skip
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip can name


@dataclass(frozen=True)
class Handout:
    """The files of one lab by their path in a learner's folder; only the seed differs from learner to learner."""

    lab: Lab
    common: dict[str, bytes]

    def files(self, seed: str) -> dict[str, bytes]:
        """All files of the learner who has this seed."""
        return self.common | {SEED: _seed_file(seed)}

    def zip(self, seed: str) -> bytes:
        """A zip of these files, in one folder: the same bytes whenever it is made."""
        buffer = io.BytesIO()
        buffer.write(self._common_zip)
        with zipfile.ZipFile(buffer, "a") as archive:
            self._add(archive, SEED, _seed_file(seed))
        return buffer.getvalue()

    @cached_property
    def _common_zip(self) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for path, data in sorted(self.common.items()):
                self._add(archive, path, data)
        return buffer.getvalue()

    def _add(self, archive: zipfile.ZipFile, path: str, data: bytes) -> None:
        entry = zipfile.ZipInfo(f"{lab_name(self.lab.number)}/{path}", EPOCH)
        entry.create_system, entry.external_attr = 3, (0o100755 if path in RUN else 0o100644) << 16
        archive.writestr(entry, data, zipfile.ZIP_DEFLATED, 9)


def handout(course: Course, lab: Lab, release: Path) -> Handout:
    """What is handed out for a lab, whose released notebook is in the folder `release`.

    Raises ClassroomError when a file of the course is missing.
    """
    try:
        files = {path.relative_to(course.root).as_posix(): path.read_bytes() for path in _course_files(course.root)}
        notebook = (release / lab.file).read_bytes()
        words = {"{title}": _title(notebook), "{file}": lab.file, "{number}": lab.number}
        for template in sorted(TEMPLATES.iterdir()):
            text = template.read_text("utf-8")
            for word, meant in words.items():
                text = text.replace(word, meant)
            files[template.name] = text.encode()
    except OSError as error:
        raise ClassroomError(f"{error.filename} cannot be read ({error.strerror}): is the course whole?") from None
    return Handout(lab, files | {f"notebooks/{lab.file}": notebook})


def _course_files(root: Path) -> Iterator[Path]:
    classroom = root / "labs" / "classroom"
    yield from (root / name for name in SET_UP)
    for folder in ("labs", "data"):
        for path in _files_in(root / folder):
            if not path.is_relative_to(classroom) or path.relative_to(classroom).parts[0] in CLASSROOM:
                yield path


def _files_in(folder: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__pycache__")))
        yield from (Path(here, name) for name in sorted(names) if not name.startswith(".") and _is_kept(name))


def _is_kept(name: str) -> bool:
    return not name.endswith((".pyc", ".tmp", "~"))


def _seed_file(seed: str) -> bytes:
    return f"{seed}\n".encode()


def _title(notebook: bytes) -> str:
    first = "".join(json.loads(notebook)["cells"][0]["source"])
    found = re.search(r"^# (.+)$", first, flags=re.M)
    return found[1] if found else "A lab"
