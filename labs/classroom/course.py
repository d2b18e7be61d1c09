"""Where a course's notebooks are, and which of them a name means."""

from dataclasses import dataclass
from pathlib import Path

from .errors import ClassroomError

#: The checkout (or unpacked archive) that this package is part of.
HERE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Course:
    """A folder with `solutions/` (the source), `notebooks/` (made from it) and `work/` (the copies)."""

    root: Path = HERE

    @property
    def solutions(self) -> Path:
        """The folder that authors edit."""
        return self.root / "solutions"

    @property
    def notebooks(self) -> Path:
        """The folder that is generated."""
        return self.root / "notebooks"

    @property
    def work(self) -> Path:
        """The folder of a learner's own copies."""
        return self.root / "work"

    def label(self, path: Path) -> str:
        """`path` as messages show it: seen from the course's folder, with forward slashes."""
        return path.relative_to(self.root).as_posix()


def find(folder: Path, names: tuple[str, ...] = ()) -> list[Path]:
    """The notebooks in `folder` that `names` mean, in order; all of them when there are no names.

    A name is a number ("10"), the file's name with or without .ipynb, or a path to it.
    Raises ClassroomError for a name that means none.
    """
    there = sorted(path for path in folder.glob("*.ipynb") if not path.name.startswith("."))
    if not names:
        return there
    chosen = {path for name in names for path in [_meant(there, name, folder)]}
    return sorted(chosen)


def _meant(there: list[Path], name: str, folder: Path) -> Path:
    stem = Path(name).name.removesuffix(".ipynb")
    for path in there:
        if path.stem == stem or path.stem.partition("_")[0] == stem:
            return path
    listed = ", ".join(path.stem for path in there) or "none yet"
    raise ClassroomError(f"There is no notebook {name!r} in {folder.name}/. There: {listed}.")
