"""Collect a lab: from whatever came in, take each learner's latest notebook, and put it where the grading looks.

A file is written as submitted/<learner>/labNN/<the lab's own name>, with an id from the roster: no name that came in
leads anywhere. What cannot be taken is a sentence, and keeps nothing else from being taken.
"""

import errno
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from .class_folder import ClassFolder, lab_name
from .errors import ClassroomError
from .handed_in import File, Unreadable, opened, read_plain, shown
from .roster import Learner
from .submission import Lab
from .whole import put
from .whose import Claim, Learners, Nobody, claim, moment, unwrapped

TIME = "%Y-%m-%d %H:%M:%S.%f UTC"  # as nbgrader writes it into timestamp.txt
SECRET, LONGEST_SECRET = "submission_secret.txt", 200  # nbgrader's has 128 octets
#: Times in a platform's zip that lie closer together than this are those of the download.
ONE_DOWNLOAD = timedelta(hours=1)
STOPS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}  # what will be so for the next learner, too
ASIDE = {"notebooks", "solutions", "release", "source"}  # what was handed out lies there, not what was done


@dataclass(frozen=True)
class Taken:
    """A notebook that was taken: its path in the source, when it was handed in (UTC); whether Canvas says late."""

    learner: str
    path: str
    time: datetime | None
    late: bool


@dataclass
class Collected:
    """What came of it: who was `taken` from now, is `unchanged`, or `kept` (what is there is newer); whose was
    `unusable`; who is `missing`; and sentences.
    """

    taken: list[Taken] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    unusable: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def collect(
    klass: ClassFolder,
    lab: Lab,
    source: Path,
    roster: list[Learner],
    zone: tzinfo | None = None,
    begin: Callable[[int], Callable[[], None]] = lambda total: lambda: None,
) -> Collected:
    """Take from `source` what the learners handed in for the lab.

    It is a folder (a notebook or folder a learner), nbgrader's exchange, or a zip from Moodle, Canvas or anybody,
    unpacked or not. `zone` is that of the times in a zip (None: this machine's). `begin(total)` is told how many
    learners there are, and gives what is called after each. Raises ClassroomError: the source cannot be read, there
    is no class, the disk is full; what was taken by then is whole, and a second time goes on.
    """
    klass.seed_of("")  # is it a class?
    learners = Learners(roster)
    with opened(_exchange(source), zone) as (files, notes):
        result = Collected(notes=notes)
        by_learner = _sorted_out(_pieces(files, lab, learners, notes), learners, notes)
        tick = begin(len(by_learner))
        for learner, theirs in sorted(by_learner.items()):
            _take(klass, lab, learner, theirs, result)
            tick()
    late = [taken.learner for taken in result.taken if taken.late]
    if late:
        notes.append(f"Canvas says that these are late: {', '.join(late)}.")
    there = set(klass.learners(lab.number))
    result.missing = [learner.id for learner in roster if learner.id not in there]
    return result


def _exchange(source: Path) -> Path:
    """The folder in which nbgrader's exchange keeps what was handed in, if `source` is one, or a course in one."""
    for inbound in (source / "inbound", *sorted(source.glob("*/inbound"))):
        if inbound.is_dir():
            return inbound
    return source


@dataclass(frozen=True)
class _Piece:
    """A file, what its path says, and when it was handed in, where that can be known."""

    file: File
    said: Claim
    time: datetime | None

    @property
    def name(self) -> str:
        return self.said.inside[-1].casefold()

    @property
    def part_of(self) -> tuple[str, str]:
        """What was handed in together: a folder; or the files to which a platform gave one number."""
        return self.said.by, self.said.number or self.said.top


def _pieces(files: list[File], lab: Lab, learners: Learners, notes: list[str]) -> list[_Piece]:
    """The files of this lab, each with what its path says."""
    stem = lab.file.removesuffix(".ipynb")
    said = [(file, claim(file.parts, stem)) for file in unwrapped(files, learners, stem)]
    # Canvas, and Moodle in most versions, write the time of the download into every entry.
    times = [file.time for file, claimed in said if claimed.by == "moodle" and file.time]
    told = {"plain": True, "exchange": True, "moodle": bool(times) and max(times) - min(times) > ONE_DOWNLOAD}
    if any(claimed.by in ("moodle", "canvas") and not told.get(claimed.by) for _, claimed in said):
        notes.append(
            "The times in here are those of the download, so it is not known when something was handed in: let the "
            "platform count late days."
        )
    return [
        _Piece(file, claimed, claimed.time or (file.time if told.get(claimed.by) else None))
        for file, claimed in said
        if claimed.by != "exchange" or claimed.lab == lab_name(lab.number)
    ]


def _sorted_out(pieces: list[_Piece], learners: Learners, notes: list[str]) -> dict[str, list[_Piece]]:
    """The pieces by learner, and only those that are surely theirs. For the others there is a sentence, once."""
    by_learner, nobody = defaultdict(list), {}
    for piece in pieces:
        try:
            by_learner[learners.find(piece.said)].append(piece)
        except Nobody as why:
            nobody.setdefault(piece.said.top, str(why))
    notes += nobody.values()
    accounts = any(piece.said.by == "exchange" and piece.file.owner == piece.said.who for piece in pieces)
    sure = {}
    for learner, theirs in by_learner.items():
        if accounts:
            theirs = _of_the_account(learner, theirs, notes)
        theirs = _of_one_person(learner, theirs, notes)
        if theirs:
            sure[learner] = theirs
    return sure


def _of_the_account(learner: str, pieces: list[_Piece], notes: list[str]) -> list[_Piece]:
    """Without what another account put into the exchange under this learner's name."""
    foreign = [piece for piece in pieces if not _is_own(piece, learner)]
    for top, owner in sorted({(piece.said.top, piece.file.owner) for piece in foreign}):
        notes.append(
            f"{shown(top)} says that it is from {learner}, but the account {owner or 'that owns it'} put it there: "
            f"it was not taken. If it is theirs, put it into a folder {learner}, and collect that."
        )
    return [piece for piece in pieces if _is_own(piece, learner)]


def _is_own(piece: _Piece, learner: str) -> bool:
    return piece.said.by != "exchange" or piece.file.owner == learner


def _of_one_person(learner: str, pieces: list[_Piece], notes: list[str]) -> list[_Piece]:
    """Without those of namesakes: a platform gives each person one number, and the roster has one of the name."""
    numbered = [piece for piece in pieces if piece.said.number]
    if len({(piece.said.by, piece.said.number) for piece in numbered}) <= 1:
        return pieces
    tops = sorted({piece.said.top for piece in numbered})
    notes.append(
        f"{', '.join(map(shown, tops[:5]))}: these are several people, and the roster has one of them, {learner}. "
        f"None was taken: put the right one into a folder {learner}, and collect that."
    )
    return [piece for piece in pieces if not piece.said.number]


def _take(klass: ClassFolder, lab: Lab, learner: str, pieces: list[_Piece], result: Collected) -> None:
    """Put the latest notebook of one learner into submitted/. Raises ClassroomError when the disk is full."""
    target, notes = klass.submitted(learner, lab.number), result.notes
    if any(folder.is_symlink() for folder in (target, target.parent, target.parent.parent)):
        notes.append(f"submitted/{learner} is a link, which is not followed: nothing was taken from {learner}.")
        return
    chosen, data = _latest(lab, learner, pieces, notes)
    try:
        if data is None:
            result.unusable.append(learner)
            _keep_place(target, chosen)
            return
        before = _handed_in(target)
        if chosen.time and before and before > chosen.time and (target / lab.file).exists():
            result.kept.append(learner)
            return
        target.mkdir(parents=True, exist_ok=True)
        changed = put(target / lab.file, data)
        changed |= _stamp(target, chosen.time, unless_unknown=not changed)
        changed |= _keep_secret(target, chosen, pieces)
    except OSError as error:
        reason = f"{error.filename or target} could not be written ({error.strerror or error})"
        if error.errno in STOPS:
            raise ClassroomError(
                f"{reason}. What was taken before is whole, {len(result.taken)} of it new: make room, and run this "
                "again."
            ) from error
        notes.append(f"{learner}: {reason}.")
        return
    if changed:
        result.taken.append(Taken(learner, "/".join(chosen.file.parts), chosen.time, chosen.said.late))
    else:
        result.unchanged.append(learner)


def _latest(lab: Lab, learner: str, pieces: list[_Piece], notes: list[str]) -> tuple[_Piece, bytes | None]:
    """The notebook that was handed in last, of those that can be read, and its content; or any file, and None."""
    together = defaultdict(list)
    for piece in pieces:
        if piece.name.endswith(".ipynb"):
            together[piece.part_of].append(piece)
    latest_first = sorted(together.values(), key=lambda those: max(map(_when, those)), reverse=True)
    notebooks = [
        piece for those in latest_first for piece in sorted(those, key=lambda piece: _rank(piece, lab), reverse=True)
    ]
    for piece in notebooks:
        try:
            data = piece.file.read()
        except Unreadable as why:
            notes.append(f"{learner}: {piece.file.shown} {why}: it was not taken.")
            continue
        # Whoever hands in again through an exchange means the last; who hands in two files at once may not.
        rivals = [other for other in notebooks if piece.said.by != "exchange" or other.part_of == piece.part_of]
        rivals = [other for other in rivals if _rank(other, lab)[:2] == _rank(piece, lab)[:2]]
        if len(rivals) > 1:
            notes.append(f"{learner} handed in {len(rivals)} notebooks: {piece.file.shown} was taken.")
        return piece, data
    if not notebooks:
        names = ", ".join(piece.file.shown for piece in pieces[:3])
        zipped = any(piece.name.endswith(".zip") for piece in pieces)
        more = " A zip within is not opened: unpack it into a folder, and collect that." if zipped else ""
        notes.append(f"{learner} handed in no notebook, but {names}.{more}")
    return (notebooks or pieces)[0], None


def _when(piece: _Piece) -> datetime:
    return piece.time or datetime.min


def _rank(piece: _Piece, lab: Lab) -> tuple:
    """What makes one notebook of several the one that is meant: its name, where it lay, and then its time."""
    named = piece.name.startswith(lab.file.removesuffix(".ipynb").casefold())
    aside = bool(ASIDE & set(piece.said.inside[:-1]))
    return named, not aside, _when(piece), piece.file.parts


def _keep_place(target: Path, piece: _Piece) -> None:
    """Something was handed in that cannot be used: unless there is something, an empty place, which is graded so."""
    if not target.exists():
        target.mkdir(parents=True)
        _stamp(target, piece.time)


def _stamp(target: Path, time: datetime | None, unless_unknown: bool = False) -> bool:
    """Write down when it was handed in; say whether that is new. An unknown time leaves no old one behind."""
    file = target / "timestamp.txt"
    if time is not None:
        return put(file, f"{time.strftime(TIME)}\n".encode())
    if unless_unknown or not (file.exists() or file.is_symlink()):
        return False
    file.unlink()
    return True


def _keep_secret(target: Path, chosen: _Piece, pieces: list[_Piece]) -> bool:
    """Keep the secret that nbgrader put beside the notebook, by which its release_feedback finds the learner.

    Say whether it is new. What was handed in without one leaves no old one behind.
    """
    file = target / SECRET
    for piece in pieces:
        if piece.said.by == "exchange" and piece.part_of == chosen.part_of and piece.name == SECRET:
            with suppress(Unreadable):
                return put(file, piece.file.read()[:LONGEST_SECRET])
    if file.exists() or file.is_symlink():
        file.unlink()
        return True
    return False


def _handed_in(target: Path) -> datetime | None:
    """When it was handed in, as this course or nbgrader wrote it down; None when it cannot be read."""
    try:
        return moment(read_plain(target / "timestamp.txt", 200).decode().strip())
    except (Unreadable, ValueError):
        return None
