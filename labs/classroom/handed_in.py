"""The files that came in: whatever is in a folder or a zip. Nothing is unpacked; a file is read when asked for.

Names are only looked at, and no file is ever written under a name that came in.
"""

import os
import stat
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from .errors import ClassroomError
from .submission import LARGEST_NOTEBOOK

DEEPEST = 8  # folders within folders
MOST_FILES = 5_000  # of one entry of a folder: a learner may hand in an environment with all its packages
#: What lies about in folders, and what this course makes: never the work itself.
PASSED_OVER = {"__MACOSX", "__pycache__", "node_modules", "kept"}
PLAIN = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


class Unreadable(Exception):
    """The end of a sentence that begins with a file's name: why it cannot be taken."""


@dataclass(frozen=True)
class File:
    """One file: the parts of its path (NFC), when it was last changed (UTC), who owns it, and how it is read.

    `read()` gives at most LARGEST_NOTEBOOK bytes, or raises Unreadable.
    """

    parts: tuple[str, ...]
    time: datetime | None
    read: Callable[[], bytes]
    owner: str = ""

    @property
    def shown(self) -> str:
        """The path, harmless on a terminal."""
        return shown("/".join(self.parts))


def shown(name: str) -> str:
    """A name in quotes, of bounded length, with whatever is no letter, digit or sign escaped."""
    return repr(name if len(name) <= 120 else f"{name[:60]}…{name[-50:]}")


@contextmanager
def opened(source: Path, zone: tzinfo | None) -> Iterator[tuple[list[File], list[str]]]:
    """The files in a folder or zip, which can be read while this is open; and a sentence for each that cannot.

    `zone` is that of the times in a zip (None: this machine's). Raises ClassroomError when the source itself cannot
    be read.
    """
    notes: list[str] = []
    if source.is_dir():
        yield list(_in_folder(source, notes)), notes
        return
    try:
        archive = zipfile.ZipFile(source)
    except OSError as error:
        raise ClassroomError(f"{source} cannot be read ({error.strerror or error}).") from None
    except Exception:  # zipfile raises a dozen kinds for what is no zip
        raise ClassroomError(f"{source} is neither a folder nor a whole zip: download it again.") from None
    with archive:
        yield list(_in_zip(archive, zone, notes)), notes


# A folder --------------------------------------------------------------------------------------------------------


def _in_folder(root: Path, notes: list[str]) -> Iterator[File]:
    try:
        entries = sorted(os.scandir(root), key=lambda entry: entry.name)
    except OSError as error:
        raise ClassroomError(f"{root} cannot be read ({error.strerror}).") from None
    for entry in entries:
        owner = _owner(entry)
        for count, found in enumerate(_walk(entry, (), notes)):
            if count == MOST_FILES:
                notes.append(f"{shown(entry.name)} holds more than {MOST_FILES:,} files: the rest was passed over.")
                break
            parts, path, time = found
            yield File(parts, time, lambda path=path: read_plain(path), owner)


def _walk(entry: os.DirEntry, above: tuple[str, ...], notes: list[str]) -> Iterator[tuple]:
    """The ordinary files at and below an entry; a link is not followed."""
    parts = (*above, unicodedata.normalize("NFC", entry.name))
    if _is_passed_over(entry.name):
        return
    try:
        if entry.is_symlink():
            notes.append(f"{shown('/'.join(parts))} is a link, which is not followed.")
        elif not entry.is_dir(follow_symlinks=False):
            time = datetime.fromtimestamp(entry.stat(follow_symlinks=False).st_mtime, UTC)
            yield parts, Path(entry.path), time.replace(tzinfo=None)
        elif len(parts) > DEEPEST:
            notes.append(f"{shown('/'.join(parts))} lies more than {DEEPEST} folders deep: it was passed over.")
        else:
            with os.scandir(entry) as inside:
                for each in sorted(inside, key=lambda each: each.name):
                    yield from _walk(each, parts, notes)
    except (OSError, ValueError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "its time is none"
        notes.append(f"{shown('/'.join(parts))} cannot be read ({reason}).")


def _owner(entry: os.DirEntry) -> str:
    """The account that owns a folder; "" where there are none, or it has no name."""
    try:
        import pwd

        return pwd.getpwuid(entry.stat(follow_symlinks=False).st_uid).pw_name
    except (ImportError, KeyError, OSError):
        return ""


def read_plain(path: Path, largest: int = LARGEST_NOTEBOOK) -> bytes:
    """An ordinary file's content; a link is not followed, a pipe not waited for. Raises Unreadable."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Unreadable("is no ordinary file")
            return _bounded(file, largest)
    except OSError as error:
        raise Unreadable(f"cannot be read ({error.strerror})") from None


# A zip -----------------------------------------------------------------------------------------------------------


def _in_zip(archive: zipfile.ZipFile, zone: tzinfo | None, notes: list[str]) -> Iterator[File]:
    for info in archive.infolist():
        name = unicodedata.normalize("NFC", _name(info))
        parts = tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))
        if info.is_dir() or not parts or any(map(_is_passed_over, parts)):
            continue
        if name.startswith(("/", "\\")) or ".." in parts or name[1:2] == ":":
            notes.append(f"{shown(name)} is a path that leads out of the zip: it was passed over.")
        elif stat.S_ISLNK(info.external_attr >> 16):
            notes.append(f"{shown(name)} is a link, which is not followed.")
        else:
            yield File(parts, _zip_time(info, zone), lambda info=info: _read_zipped(archive, info))


def _name(info: zipfile.ZipInfo) -> str:
    """The entry's name. Some programs write UTF-8 without saying so, which zipfile then reads as code page 437."""
    name = info.orig_filename
    if not info.flag_bits & 0x800:
        try:
            return name.encode("cp437").decode("utf-8")
        except UnicodeError:
            pass
    return name


def _zip_time(info: zipfile.ZipInfo, zone: tzinfo | None) -> datetime | None:
    try:
        return datetime(*info.date_time, tzinfo=zone).astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        return None


def _read_zipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if info.flag_bits & 0x1:
        raise Unreadable("is encrypted")
    if info.compress_type not in PLAIN:  # others swell by a million at once, before anybody can count
        raise Unreadable("is packed in a way that is not read")
    try:
        with archive.open(info) as file:
            return _bounded(file, LARGEST_NOTEBOOK)
    except Exception as error:  # zipfile and zlib raise a dozen kinds for an entry that is damaged, or made to be
        if isinstance(error, Unreadable):
            raise
        raise Unreadable("is damaged in the zip") from None


def _bounded(file, largest: int) -> bytes:
    data = file.read(largest + 1)
    if len(data) > largest:
        raise Unreadable(f"has more than {largest >> 20} MB")
    return data


def _is_passed_over(name: str) -> bool:
    return (name.startswith(".") and name != "..") or name in PASSED_OVER
