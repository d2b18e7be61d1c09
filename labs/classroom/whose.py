"""Whose file is it? What a path says about that in an exchange, Moodle's or Canvas's zip, or a plain folder; and the
roster's answer. Names alone decide nothing when they fit two people.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from .handed_in import File, shown
from .roster import LONGEST_ID, Learner, why_no_id

MOODLE = re.compile(r"(?P<who>.+)_(?P<number>\d+)_assignsubmission_[a-z]+(?:_(?P<file>.*))?", re.DOTALL)
CANVAS = re.compile(
    r"(?P<who>.+?)(?P<late>_LATE)?_(?P<number>\d+)_(?:\d+_(?P<file>.+)|(?P<text>text|link)\.html)", re.DOTALL
)
MOMENT = r"(?P<when>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?) ?(?P<zone>[+-]\d{4}|[A-Za-z][A-Za-z_/]*)?"
EXCHANGE = re.compile(rf"(?P<who>.+)\+(?P<lab>[^+]+)\+(?P<moment>{MOMENT})(?:\+[\w=-]{{1,24}})?", re.DOTALL)


@dataclass(frozen=True)
class Claim:
    """What a path says: `who` handed in (a text), the `number` that a platform gave them, and where the file lay.

    `by` is "exchange", "moodle", "canvas" or "plain"; `inside` the path within what was handed in; `top` the entry
    of the folder or zip that says all this; `time` when it was handed in, if the path says so (UTC).
    """

    by: str
    who: str
    top: str
    inside: tuple[str, ...]
    number: str = ""
    lab: str = ""
    late: bool = False
    time: datetime | None = None


def claim(parts: tuple[str, ...], stem: str) -> Claim:
    """What a path says. `stem` is the lab's own name (its notebook without the ending): it names nobody."""
    top, rest = parts[0], parts[1:]
    if rest and (found := EXCHANGE.fullmatch(top)):
        return Claim("exchange", found["who"], top, rest, lab=found["lab"], time=moment(found["moment"]))
    if found := MOODLE.fullmatch(top):
        return Claim("moodle", found["who"], top, rest or (found["file"] or "",), number=found["number"])
    if not rest and (found := CANVAS.fullmatch(top)):
        inside = (found["file"] or f"{found['text']}.html",)
        return Claim("canvas", found["who"], top, inside, number=found["number"], late=bool(found["late"]))
    if rest:
        return Claim("plain", top, top, rest)
    return Claim("plain", _without(top.rpartition(".")[0] or top, stem), top, (top,))


def _without(name: str, stem: str) -> str:
    """The name of a file without the lab's own: "ada_19_lab_the_session_desk" is Ada's."""
    for joined in (f"_{stem}", f"-{stem}", f" {stem}", f".{stem}"):
        name = name.removesuffix(joined)
    return name


def moment(text: str) -> datetime | None:
    """The time (UTC) that nbgrader writes into names and timestamp.txt: "2026-11-24 12:00:00.5 Europe/Lisbon".

    None where it is none, or its zone is none. Without a zone it is UTC, as nbgrader has it.
    """
    found = re.fullmatch(MOMENT, text, re.ASCII)
    if not found:
        return None
    zone = found["zone"] or "UTC"
    try:
        if zone[0] in "+-":
            offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:]))
            place = timezone(-offset if zone[0] == "-" else offset)
        else:
            place = ZoneInfo(zone)
        return datetime.fromisoformat(found["when"]).replace(tzinfo=place).astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, LookupError, OSError):
        return None


class Nobody(Exception):
    """A sentence: why it cannot be said whose it is."""


class Learners:
    """The learners of a class, found by what a path says."""

    def __init__(self, roster: Iterable[Learner]):
        self._ids: dict[str, str] = {}
        self._numbers: dict[str, set[str]] = defaultdict(set)
        self._emails: dict[str, set[str]] = defaultdict(set)
        self._names: dict[str, set[str]] = defaultdict(set)
        for learner in roster:
            self._ids[learner.id.casefold()] = learner.id
            self._numbers[learner.lms_user_id].add(learner.id)
            self._emails[learner.email.casefold()].add(learner.id)
            for name in (learner.first_name + learner.last_name, learner.last_name + learner.first_name):
                self._names[_letters(name)].add(learner.id)
        for told in (self._numbers, self._emails, self._names):
            told.pop("", None)

    def __bool__(self) -> bool:
        return bool(self._ids)

    def find(self, said: Claim) -> str:
        """The id of the learner who is meant. Raises Nobody."""
        if not self:
            return _made_up(said)
        who = said.who
        if said.by == "canvas" and said.number in self._numbers:
            return self._one(self._numbers[said.number], said)
        if said.by in ("plain", "exchange") and (found := self._ids.get(who.casefold())):
            return found
        if said.by == "plain" and (found := self._emails.get(who.casefold())):
            return self._one(found, said)
        if said.by != "exchange" and (found := self._names.get(_letters(who))):
            return self._one(found, said)
        raise Nobody(f"{shown(said.top)} is from nobody on the roster.{_advice(said)}")

    def _one(self, found: set[str], said: Claim) -> str:
        if len(found) == 1:
            return next(iter(found))
        raise Nobody(f"{shown(said.top)} may be from {' or '.join(sorted(found))}: it was not taken.{_advice(said)}")


def _advice(said: Claim) -> str:
    if said.by == "canvas":
        return f" Give the roster Canvas's number, {said.number:.20}, as lms_user_id, or collect it from a folder."
    if said.by == "exchange":
        return ""
    return " Put it into a folder that is called as the learner's id, and collect that."


def _letters(name: str) -> str:
    """A name as platforms may write it: without case, spaces and signs. "De la Cruz, Ana" -> "delacruzana"."""
    plain = unicodedata.normalize("NFC", name.casefold())
    return "".join(sign for sign in plain if sign.isalnum() or unicodedata.category(sign).startswith("M"))


def _made_up(said: Claim) -> str:
    """An id from the path itself, where there is no roster."""
    who = said.who
    if said.by in ("moodle", "canvas") or why_no_id(who):
        words = re.sub(r"[^\w.@+=]+", "-", who).strip("-.@+=_")
        who = "-".join(filter(None, [words[: LONGEST_ID - 21], said.number[:20]]))
    if why := why_no_id(who):
        raise Nobody(f"{shown(said.top)} names nobody: {shown(who)} {why}.")
    return who


def unwrapped(files: list[File], learners: Learners, stem: str) -> list[File]:
    """The files without a folder around them all, if what is in it says who they are, and it does not."""
    tops = {file.parts[0] for file in files}
    if len(tops) != 1 or any(len(file.parts) < 2 for file in files) or _means(files[0].parts, learners, stem):
        return files
    if not any(_means(file.parts[1:], learners, stem) for file in files):
        return files
    return [File(file.parts[1:], file.time, file.read, file.owner) for file in files]


def _means(parts: tuple[str, ...], learners: Learners, stem: str) -> bool:
    said = claim(parts, stem)
    if said.by != "plain" or not learners:
        return said.by != "plain"
    try:
        return bool(learners.find(said))
    except Nobody:
        return False
