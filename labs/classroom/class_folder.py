"""An instructor's class: where its files are (nbgrader's layout, so that its tools work here too), and its secret."""

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from labs import __version__
from labs.bench.errors import BenchError
from labs.bench.state import write_atomic

from .errors import ClassroomError

#: Stands for all learners where a lab is handed out without a roster, with one seed.
EVERYBODY = "everybody"
_SEEDS = {True: "one seed for everybody (no roster)", False: "a seed for each learner (by a roster)"}


def lab_name(number: str) -> str:
    """What nbgrader calls the assignment of lab `number` ("19"): "lab19"."""
    return f"lab{number}"


@dataclass(frozen=True)
class ClassFolder:
    """The folder of one class. Every seed follows from its secret, so whoever has that can replay every verdict."""

    root: Path

    @property
    def file(self) -> Path:
        """What the class knows about itself; nobody else may read it."""
        return self.root / "class.json"

    @property
    def gradebook(self) -> Path:
        """nbgrader's database."""
        return self.root / "gradebook.db"

    def release(self, lab: str) -> Path:
        """The lab as it is handed out, without answers."""
        return self.root / "release" / lab_name(lab)

    def handed_out(self, lab: str) -> Path:
        """A folder and a zip for each learner."""
        return self.root / "handed_out" / lab_name(lab)

    def submitted(self, learner: str, lab: str) -> Path:
        """What a learner handed in."""
        return self.root / "submitted" / learner / lab_name(lab)

    def graded(self, learner: str, lab: str) -> Path:
        """What the judge found in it."""
        return self.root / "reports" / lab_name(lab) / f"{learner}.json"

    def autograded(self, learner: str, lab: str) -> Path:
        """The notebook that nbgrader's feedback and formgrader show."""
        return self.root / "autograded" / learner / lab_name(lab)

    def feedback(self, learner: str, lab: str) -> Path:
        """What the learner gets back."""
        return self.root / "feedback" / learner / lab_name(lab)

    @property
    def report(self) -> Path:
        """What the instructor reads and uploads."""
        return self.root / "report"

    def learners(self, lab: str) -> list[str]:
        """Who handed the lab in, by name."""
        there = (self.root / "submitted").glob(f"*/{lab_name(lab)}")
        return sorted(path.parent.name for path in there if path.is_dir() and not path.is_symlink())

    def seed_of(self, learner: str) -> str:
        """The learner's seed: FERNBANK_SEED of what they work on. Raises ClassroomError without a class."""
        return self._drawn(EVERYBODY if self._kept().get("one_seed") else learner)

    def draw_of(self, learner: str, exercise: str, attempt: int = 1) -> str:
        """The seed from which the judge draws for one exercise of one attempt. Raises as seed_of does."""
        return self._drawn(learner, exercise, str(attempt))

    def create(self) -> bool:
        """Make the folder and its secret, unless they are there; say whether they were made.

        Raises ClassroomError when it cannot be written.
        """
        if self.file.exists():
            return False
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)  # names and grades, too
            self._write({"secret": secrets.token_hex(32), "version": __version__})
        except (OSError, BenchError) as error:
            raise ClassroomError(f"The class could not be made in {self.root} ({error}).") from error
        return True

    def share_seed(self, shared: bool) -> None:
        """Say whether everybody works with one seed (no roster), or each with their own.

        Raises ClassroomError when it was otherwise and something was handed in: its answers hang on its seed.
        """
        kept = self._kept()
        if bool(kept.get("one_seed")) == shared:
            return
        if any((self.root / "submitted").glob("*/*")):
            raise ClassroomError(
                f"Something was handed in that was made with {_SEEDS[not shared]}, and it would now be judged with "
                f"{_SEEDS[shared]}: make another class with --class."
            )
        try:
            self._write(kept | {"one_seed": shared})
        except (OSError, BenchError) as error:
            raise ClassroomError(f"{self.file} could not be written ({error}); it is as it was.") from error

    def _drawn(self, *about: str) -> str:
        message = json.dumps(about).encode()  # unlike joined text, ("a", "b") and ("a/b",) stay apart
        return hmac.new(self._secret(), message, hashlib.sha256).hexdigest()[:16]

    def _write(self, kept: dict) -> None:
        usual = os.umask(0o077)  # not for one moment may others read it
        try:
            write_atomic(self.file, json.dumps(kept) + "\n")
        finally:
            os.umask(usual)

    def _secret(self) -> bytes:
        return bytes.fromhex(self._kept()["secret"])

    def _kept(self) -> dict:
        try:
            kept = json.loads(self.file.read_text("utf-8"))
            bytes.fromhex(kept["secret"])
            return kept
        except FileNotFoundError:
            raise ClassroomError(
                f"{self.root} is not a class yet: `classroom assign` makes it, or name another with --class."
            ) from None
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise ClassroomError(
                f"{self.file} cannot be read ({type(error).__name__}). Every grade follows from its secret: restore "
                "it from a copy."
            ) from None
