"""Who is in a class: a CSV file that an instructor exports or writes, and the copy of it that the class keeps."""

import csv
import io
import re
import unicodedata
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from labs.bench.errors import BenchError
from labs.bench.state import write_atomic

from .class_folder import EVERYBODY, ClassFolder
from .errors import ClassroomError

LARGEST_ROSTER = 10 << 20  # bytes
LONGEST_ID = 64  # characters: it becomes the name of a folder, and part of the names of files
#: An id names folders on every system and stands in addresses of nbgrader's pages: letters of any script, and these.
ID = re.compile(r"\w[\w.@+=-]*")
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?|" + EVERYBODY, re.IGNORECASE)


@dataclass(frozen=True)
class Learner:
    """One learner, with the columns that nbgrader's gradebook has. `lms_user_id` is the number that Canvas gives."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_user_id: str = ""


COLUMNS = [field.name for field in fields(Learner)]
ALSO = {"id_number": "id", "email_address": "email", "surname": "last_name"}  # in Moodle


def why_no_id(id: str) -> str:
    """Why this text (NFC) cannot be a learner's id, as the end of a sentence; "" when it can."""
    if not ID.fullmatch(id):
        return "must begin with a letter or digit, and hold only letters, digits and . _ - @ + ="
    if len(id) > LONGEST_ID or len(id.encode()) > 3 * LONGEST_ID:
        return f"has more than {LONGEST_ID} characters"
    if RESERVED.fullmatch(id) or id.endswith("."):
        return "is a name that some systems, or this course, keep for something else"
    return ""


def read_roster(path: Path) -> list[Learner]:
    """The learners in a CSV file with a column `id` and, as there are, first_name, last_name, email, lms_user_id.

    UTF-8, with or without a mark; commas, semicolons or tabs; "First name" is first_name, too. Other columns are
    passed over. Raises ClassroomError, which names every line that is wrong.
    """
    rows = csv.DictReader(io.StringIO(text := _text(path), newline=""), delimiter=_delimiter(text), strict=True)
    learners, wrong, seen = [], [], {}
    try:
        names = [re.sub(r"[\s-]+", "_", name.strip().casefold()) for name in rows.fieldnames or ()]
        names = [ALSO[name] if name in ALSO and ALSO[name] not in names else name for name in names]
        if names.count("id") != 1:
            raise ClassroomError(
                f"{path} has no column id: its first line must name the columns, such as {','.join(COLUMNS)}."
            )
        rows.fieldnames = names
        for row in rows:
            learner = Learner(**{name: _tidy(row.get(name)) for name in COLUMNS})
            if why := why_no_id(learner.id):
                wrong.append(f"line {rows.line_num}: the id {learner.id!r:.80} {why}")
            elif first := seen.get(learner.id.casefold()):
                wrong.append(f"line {rows.line_num}: the id {learner.id} stands in line {first} already")
            seen.setdefault(learner.id.casefold(), rows.line_num)
            learners.append(learner)
    except csv.Error as error:
        raise ClassroomError(f"{path} is not a CSV file: line {rows.line_num}: {error}.") from None
    if wrong:
        more = f" And {len(wrong) - 20} more." if len(wrong) > 20 else ""
        raise ClassroomError(f"{path} cannot be used. {'; '.join(wrong[:20])}.{more}")
    if not learners:
        raise ClassroomError(f"{path} names no learner.")
    return learners


def kept_roster(klass: ClassFolder) -> list[Learner]:
    """The learners of the class, as `assign --roster` last heard of them; none where it never did."""
    return read_roster(_file(klass)) if _file(klass).exists() else []


def keep_roster(klass: ClassFolder, learners: list[Learner]) -> None:
    """Keep the roster in the class. Raises ClassroomError (disk full); the old one is then as it was."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    rows.writerows(astuple(learner) for learner in learners)
    try:
        write_atomic(_file(klass), text.getvalue())
    except BenchError as error:
        raise ClassroomError(f"The roster could not be kept in {klass.root} ({error.__cause__}).") from error


def _file(klass: ClassFolder) -> Path:
    return klass.root / "roster.csv"


def _text(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST_ROSTER + 1)
        if len(data) > LARGEST_ROSTER:
            raise ClassroomError(f"{path} has more than {LARGEST_ROSTER >> 20} MB: that is no roster.")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise ClassroomError(f"The roster {path} cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise ClassroomError(f"{path} is not UTF-8: save it again as “CSV UTF-8”.") from None


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _tidy(value) -> str:
    return " ".join(unicodedata.normalize("NFC", value).split()) if isinstance(value, str) else ""
