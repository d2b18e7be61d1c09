"""Collecting a lab: from folders, nbgrader's exchange, Moodle's and Canvas's zips; and from whoever means ill."""

import json
import os
import stat
import string
import struct
import tracemalloc
import unicodedata
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from labs.classroom import collect as module
from labs.classroom import handed_in
from labs.classroom.class_folder import ClassFolder
from labs.classroom.cli import main
from labs.classroom.collect import collect
from labs.classroom.errors import ClassroomError
from labs.classroom.roster import Learner
from labs.classroom.submission import LARGEST_NOTEBOOK, find_lab, read
from labs.classroom.whose import claim

LAB = find_lab("19")
ROSTER = [
    Learner("ada", "Ada", "Lovelace", "ada@example.org", "501"),
    Learner("bén", "Bén", "Núñez de la O", "ben@example.org"),
    Learner("li-1", "Na", "Li", "li.one@example.org"),
    Learner("li-2", "Na", "Li", "li.two@example.org", "777"),
]


@pytest.fixture
def klass(tmp_path) -> ClassFolder:
    klass = ClassFolder(tmp_path / "class")
    klass.create()
    return klass


@pytest.fixture
def source(tmp_path) -> Path:
    folder = tmp_path / "came in"
    folder.mkdir()
    return folder


def put(folder: Path, name: str, text: str = "{}", at: int = 0) -> Path:
    """A file, last changed at this many seconds after noon."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()
    os.utime(path, (noon + at, noon + at))
    return path


def zipped(path: Path, *entries, **options) -> Path:
    """A zip of entries: (name, text) or (name, text, (hour, minute))."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text, *when in entries:
            info = zipfile.ZipInfo(name, (2026, 11, 24, *(when[0] if when else (12, 0)), 0))
            info.external_attr = options.get("attributes", 0o100644) << 16
            archive.writestr(info, text, zipfile.ZIP_DEFLATED)
    return path


def there(klass: ClassFolder) -> dict[str, str]:
    """What was collected, by learner."""
    files = (klass.root / "submitted").glob(f"*/lab19/{LAB.file}")
    return {path.parts[-3]: path.read_text() for path in files}


def taken(klass, source, roster=ROSTER, **options) -> tuple[dict[str, str], str]:
    """Collect; what is there, and what was said."""
    found = collect(klass, LAB, source, roster, **options)
    return there(klass), "\n".join(found.notes)


def stamp(klass: ClassFolder, learner: str) -> str:
    return (klass.submitted(learner, "19") / "timestamp.txt").read_text()


# where it comes from ------------------------------------------------------------------------------------


def test_a_folder_with_a_notebook_or_folder_for_each(klass, source):
    put(source, "ada/19_lab_the_session_desk.ipynb", "ada's")
    put(source, "ada/notes.txt")
    put(source, "BÉN_19_lab_the_session_desk.ipynb", "bén's", at=90)
    put(source, "LI.ONE@example.org/work/my lab.ipynb", "li's")
    assert taken(klass, source) == ({"ada": "ada's", "bén": "bén's", "li-1": "li's"}, "")
    assert stamp(klass, "bén") == "2026-11-24 12:01:30.000000 UTC\n"
    assert sorted(path.name for path in klass.submitted("ada", "19").iterdir()) == [LAB.file, "timestamp.txt"]
    assert read(klass.submitted("ada", "19"), "ada", LAB).learner == "ada"


@pytest.mark.parametrize("folders", [True, False])
def test_moodles_zip(klass, tmp_path, folders):
    end = "/" if folders else ""
    path = zipped(
        tmp_path / "moodle.zip",
        (f"Ada Lovelace_101_assignsubmission_file_{end}19_lab.ipynb", "ada's", (9, 30)),
        (f"Núñez de la O Bén_102_assignsubmission_file_{end}x.ipynb", "bén's", (18, 0)),
        (f"Ada Lovelace_101_assignsubmission_onlinetext_{end}onlinetext.html", "hello", (9, 30)),
        (f"Na Li_103_assignsubmission_file_{end}x.ipynb", "whose?", (9, 0)),
        (f"Eve Nobody_104_assignsubmission_file_{end}x.ipynb", "nobody's", (9, 0)),
    )
    found, said = taken(klass, path, zone=ZoneInfo("Europe/Athens"))
    assert found == {"ada": "ada's", "bén": "bén's"}
    assert "may be from li-1 or li-2: it was not taken. Put it into a folder" in said
    assert "Eve Nobody_104_assignsubmission_file_" in said
    assert len(said.splitlines()) == 2
    assert stamp(klass, "ada") == "2026-11-24 07:30:00.000000 UTC\n"  # two hours behind Athens


def test_times_of_a_download_are_none(klass, tmp_path):
    path = zipped(
        tmp_path / "moodle.zip",
        ("Ada Lovelace_1_assignsubmission_file_/x.ipynb", "1", (9, 30)),
        ("Bén Núñez de la O_2_assignsubmission_file/x.ipynb", "2", (9, 31)),
    )
    found, said = taken(klass, path)
    assert set(found) == {"ada", "bén"}
    assert said.startswith("The times in here are those of the download")
    assert not (klass.submitted("ada", "19") / "timestamp.txt").exists()


def test_canvas_zip(klass, tmp_path):
    path = zipped(
        tmp_path / "canvas.zip",
        ("lovelaceada_501_9001_19_lab_the_session_desk-1.ipynb", "ada's"),
        ("núñezdelaobén_LATE_502_9002_x.ipynb", "bén's"),
        ("lina_777_9003_x.ipynb", "li two's"),
        ("lina_778_9004_x.ipynb", "of a namesake"),
        ("nobody_779_text.html", "hello"),
    )
    found, said = taken(klass, path)
    assert found == {"ada": "ada's", "bén": "bén's", "li-2": "li two's"}
    assert "'lina_778_9004_x.ipynb' may be from li-1 or li-2" in said
    assert "as lms_user_id" in said
    assert "'nobody_779_text.html' is from nobody" in said
    assert "Canvas says that these are late: bén." in said
    assert "The times in here are those of the download" in said
    assert not (klass.submitted("ada", "19") / "timestamp.txt").exists()


def test_one_of_a_name_on_the_roster_and_two_in_the_zip(klass, tmp_path):
    path = zipped(
        tmp_path / "moodle.zip",
        ("Ada Lovelace_1_assignsubmission_file_/x.ipynb", "one"),
        ("Ada Lovelace_2_assignsubmission_file_/x.ipynb", "two"),
    )
    found, said = taken(klass, path)
    assert found == {}
    assert "several people, and the roster has one of them, ada" in said


def test_nbgraders_exchange(klass, source):
    inbound = source / "course" / "inbound"
    put(inbound, "ada+lab19+2026-11-24 10:00:00.000000 UTC+abcdefghijkl/19_lab_the_session_desk.ipynb", "first", at=9)
    put(inbound, "ada+lab19+2026-11-24 11:00:00.250000 UTC+abcdefghijkl/19_lab_the_session_desk.ipynb", "second")
    put(inbound, "ada+lab19+2026-11-24 11:00:00.250000 UTC+abcdefghijkl/timestamp.txt", "forged")
    put(inbound, "bén+lab19+2026-11-24 12:00:00 +0200/renamed.ipynb", "bén's")
    put(inbound, "li-1+lab29+2026-11-24 10:00:00 UTC/29_lab_the_token_gate.ipynb", "another lab's")
    put(inbound, "eve+lab19+2026-11-24 10:00:00 UTC/19_lab_the_session_desk.ipynb", "nobody's")
    put(inbound, "li-2+lab19+2026-11-24 10:00:00 +9999/19_lab_the_session_desk.ipynb", "li two's", at=60)
    # An account's name is an id, and no name: this may be anybody's.
    put(inbound, "adalovelace+lab19+2026-11-24 12:00:00 UTC/19_lab_the_session_desk.ipynb", "somebody's")
    for given in (source, source / "course", inbound):
        found, said = taken(klass, given)
        assert found == {"ada": "second", "bén": "bén's", "li-2": "li two's"}
        assert said.splitlines() == [
            "'adalovelace+lab19+2026-11-24 12:00:00 UTC' is from nobody on the roster.",
            "'eve+lab19+2026-11-24 10:00:00 UTC' is from nobody on the roster.",
        ]
    assert stamp(klass, "ada") == "2026-11-24 11:00:00.250000 UTC\n"
    assert stamp(klass, "bén") == "2026-11-24 10:00:00.000000 UTC\n"
    assert stamp(klass, "li-2") == "2026-11-24 12:01:00.000000 UTC\n"  # no moment: the file's own


ZONES = {"UTC": 12, "": 12, "+0200": 10, "-0330": 15, "EST": 17, "Asia/Tokyo": 3, "nowhere": None, "+9999": None}


@pytest.mark.parametrize(("written", "hour"), ZONES.items())
def test_the_times_of_an_exchange_are_utc(written, hour):
    said = claim((f"ada+lab19+2026-11-24 12:00:00.5 {written}".rstrip() + "+abcdefghijkl", "x.ipynb"), "x")
    assert (said.by, said.who, said.lab) == ("exchange", "ada", "lab19")
    assert (said.time and said.time.hour) == hour


def test_nbgraders_own_collect_and_this_one_agree_on_the_time(klass):
    from nbgrader.coursedir import CourseDirectory

    moment = datetime(2026, 11, 24, 11, 0, 0, 250000)
    target = klass.submitted("ada", "19")
    target.mkdir(parents=True)
    module._stamp(target, moment)
    assert CourseDirectory().get_existing_timestamp(str(target)) == moment
    (target / "timestamp.txt").write_text("2026-11-24 13:00:00.250000 Europe/Athens")
    assert module._handed_in(target) == moment


def test_the_secret_for_nbgraders_feedback_comes_with_the_notebook(klass, source, tmp_path):
    inbound = source / "inbound"
    secret = klass.submitted("ada", "19") / "submission_secret.txt"
    for hour, text in ((10, "first"), (11, "second" * 100)):
        top = f"ada+lab19+2026-11-24 {hour}:00:00 UTC+{hour}"
        put(inbound, f"{top}/19_lab_the_session_desk.ipynb", str(hour))
        put(inbound, f"{top}/submission_secret.txt", text)
    collect(klass, LAB, source, ROSTER)
    assert secret.read_text() == ("second" * 100)[:200]
    put(tmp_path / "later", "ada.ipynb", "by mail", at=90_000)
    put(tmp_path / "later", "bén/submission_secret.txt", "no exchange's", at=90_000)
    put(tmp_path / "later", "bén/x.ipynb", "bén's", at=90_000)
    collect(klass, LAB, tmp_path / "later", ROSTER)
    assert not secret.exists()
    assert klass.learners("19") == ["ada", "bén"]
    assert not (klass.submitted("bén", "19") / secret.name).exists()


def test_what_another_account_put_into_the_exchange(klass, source, monkeypatch):
    for owner in ("ada", "eve"):
        top = f"ada+lab19+2026-11-24 1{len(owner) + (owner == 'eve')}:00:00 UTC+{owner}"
        put(source, f"{top}/19_lab_the_session_desk.ipynb", f"{owner}'s")
    put(source, "bén+lab19+2026-11-24 10:00:00 UTC+eve/19_lab_the_session_desk.ipynb", "eve's")
    monkeypatch.setattr(handed_in, "_owner", lambda entry: entry.name.rpartition("+")[2])
    found, said = taken(klass, source)
    assert found == {"ada": "ada's"}
    assert said.count("but the account eve put it there") == 2
    # Where one account runs everything, it owns everything, and that says nothing.
    monkeypatch.setattr(handed_in, "_owner", lambda entry: "jovyan")
    assert taken(klass, source) == ({"ada": "eve's", "bén": "eve's"}, "")


def test_a_folder_around_them_all_is_looked_into(klass, tmp_path):
    path = zipped(tmp_path / "all.zip", ("week 3/ada/x.ipynb", "ada's"), ("week 3/bén.ipynb", "bén's"))
    assert taken(klass, path) == ({"ada": "ada's", "bén": "bén's"}, "")
    one = zipped(tmp_path / "one.zip", ("ada/19_lab.ipynb", "only ada's"))
    assert taken(klass, one)[0]["ada"] == "only ada's"


def test_an_unpacked_zip_is_read_as_the_zip(klass, source):
    put(source, "Ada Lovelace_101_assignsubmission_file_/x.ipynb", "ada's")
    put(source, "lina_777_9003_x.ipynb", "li two's")
    found, said = taken(klass, source)
    assert found == {"ada": "ada's", "li-2": "li two's"}
    assert not (klass.submitted("ada", "19") / "timestamp.txt").exists()
    assert "those of the download" in said


def test_without_a_roster_the_name_is_the_id(klass, tmp_path):
    path = zipped(
        tmp_path / "moodle.zip",
        ("Ada O'Neil Lovelace_101_assignsubmission_file_/x.ipynb", "1"),
        ("lina_777_9003_x.ipynb", "2"),
        ("grace/x.ipynb", "3"),
        ("???_5_assignsubmission_file_/x.ipynb", "4"),
        ("everybody/x.ipynb", "5"),
    )
    found, said = taken(klass, path, roster=[])
    assert found == {"Ada-O-Neil-Lovelace-101": "1", "lina-777": "2", "grace": "3", "5": "4"}
    assert "'everybody/" not in said
    assert "'everybody' names nobody" in said


# which of several ---------------------------------------------------------------------------------------


def test_the_latest_is_taken_and_stays(klass, source):
    put(source, "ada/19_lab_the_session_desk.ipynb", "old", at=1)
    put(source, "ada/other.txt", at=9)
    put(source, "ADA@example.org/19_lab_the_session_desk.ipynb", "new", at=2)
    found, said = taken(klass, source)
    assert found == {"ada": "new"}
    assert said == "ada handed in 2 notebooks: 'ADA@example.org/19_lab_the_session_desk.ipynb' was taken."
    older = put(source.parent / "older", "ada.ipynb", "old", at=0).parent
    assert collect(klass, LAB, older, ROSTER).kept == ["ada"]
    assert there(klass) == {"ada": "new"}
    newer = put(source.parent / "newer", "ada.ipynb", "newest", at=3).parent
    assert collect(klass, LAB, newer, ROSTER).kept == []
    assert there(klass) == {"ada": "newest"}
    again = collect(klass, LAB, newer, ROSTER)
    assert (again.taken, again.unchanged) == ([], ["ada"])


def test_a_time_that_is_known_stays_with_its_notebook(klass, source, tmp_path):
    put(source, "ada.ipynb", "ada's")
    collect(klass, LAB, source, ROSTER)
    before = stamp(klass, "ada")
    same = zipped(tmp_path / "canvas.zip", ("lovelaceada_501_1_x.ipynb", "ada's"))
    assert collect(klass, LAB, same, ROSTER).unchanged == ["ada"]
    assert stamp(klass, "ada") == before
    other = zipped(tmp_path / "canvas.zip", ("lovelaceada_501_1_x.ipynb", "ada's, mended"))
    assert collect(klass, LAB, other, ROSTER).unchanged == []
    assert not (klass.submitted("ada", "19") / "timestamp.txt").exists()


def test_the_name_and_the_place_say_which_is_meant(klass, source):
    put(source, "ada/work/19_lab_the_session_desk.ipynb", "done", at=1)
    put(source, "ada/notebooks/19_lab_the_session_desk.ipynb", "handed out", at=5)
    put(source, "ada/work/kept/19_lab_the_session_desk-1.ipynb", "set aside", at=6)
    put(source, "ada/.ipynb_checkpoints/19_lab_the_session_desk.ipynb", "half done", at=7)
    put(source, "ada/scratch.ipynb", "something else", at=8)
    assert taken(klass, source) == ({"ada": "done"}, "")


def test_a_later_hand_in_counts_even_by_another_name(klass, source):
    put(source, "ada+lab19+2026-11-24 10:00:00 UTC+a/19_lab_the_session_desk.ipynb", "first")
    put(source, "ada+lab19+2026-11-24 11:00:00 UTC+b/final.ipynb", "second")
    assert taken(klass, source) == ({"ada": "second"}, "")


def test_what_cannot_be_used_gets_a_place_and_replaces_nothing(klass, source):
    put(source, "ada/answers.zip")
    put(source, "bén/19_lab_the_session_desk.ipynb", "good", at=1)
    found = collect(klass, LAB, source, ROSTER)
    assert found.unusable == ["ada"]
    assert found.missing == ["li-1", "li-2"]
    assert "ada handed in no notebook, but 'ada/answers.zip'. A zip within is not opened" in found.notes[0]
    assert klass.learners("19") == ["ada", "bén"]
    assert read(klass.submitted("ada", "19"), "ada", LAB).notes[0].startswith("There is no notebook")
    (source / "bén" / LAB.file).write_bytes(b"x" * (LARGEST_NOTEBOOK + 1))
    again, said = taken(klass, source)
    assert again == {"bén": "good"}
    assert "bén: 'bén/19_lab_the_session_desk.ipynb' has more than 10 MB" in said


def test_an_older_one_stands_in_for_one_that_cannot_be_read(klass, source):
    huge = put(source, "ada/19_lab_the_session_desk-2.ipynb", at=2)
    with open(huge, "r+b") as file:
        file.truncate(LARGEST_NOTEBOOK + 1)
    put(source, "ada/19_lab_the_session_desk.ipynb", "good", at=-9)
    found, said = taken(klass, source)
    assert found == {"ada": "good"}
    assert "has more than 10 MB" in said


# whoever means ill --------------------------------------------------------------------------------------


def outside(klass: ClassFolder, tmp_path: Path) -> set[str]:
    """All files but those of submitted/ and of the source."""
    mine = {klass.root / "submitted", tmp_path / "came in"}
    return {str(path) for path in tmp_path.rglob("*") if not mine & {path, *path.parents}}


def test_hostile_names_in_a_zip_lead_nowhere(klass, tmp_path):
    path = zipped(
        tmp_path / "x.zip",
        ("../../../evil.ipynb", "1"),
        ("ada/../../evil.ipynb", "2"),
        ("/etc/evil.ipynb", "3"),
        ("C:\\evil.ipynb", "4"),
        ("..\\..\\evil.ipynb", "5"),
        ("ada/..", "6"),
        ("bén/\x1b[2Jx\u202e.ipynb", "bén's"),
        ("\x1b]0;owned\x07/x.ipynb", "7"),
        ("con/x.ipynb", "8"),
    )
    before = outside(klass, tmp_path)
    found, said = taken(klass, path)
    assert found == {"bén": "bén's"}
    assert said.count("leads out of the zip") == 6
    assert not {"\x1b", "\x07", "\u202e"} & set(said)
    assert said.count("is from nobody on the roster") == 2
    assert outside(klass, tmp_path) == before


HOSTILE = ["..", ".", "a/b", "", "con", "nul.txt", "x" * 65, "a\n", "-rf", ".hidden", "every body"]


@pytest.mark.parametrize("who", HOSTILE)
def test_no_hostile_name_becomes_an_id(klass, tmp_path, who):
    path = zipped(tmp_path / "x.zip", (f"{who}_1_assignsubmission_file_/x.ipynb", "1"), (f"{who}/x.ipynb", "2"))
    before = outside(klass, tmp_path)
    taken(klass, path, roster=[])
    assert outside(klass, tmp_path) == before
    submitted = klass.root / "submitted"
    for folder in submitted.glob("*"):
        assert folder.resolve().parent == submitted.resolve()
        assert set(folder.name) <= {"-", "_"} | set(string.ascii_letters + string.digits)


def test_links_pipes_and_folders_in_a_folder(klass, source, tmp_path):
    secret = put(tmp_path, "secret.ipynb", "the instructor's")
    (source / "ada").mkdir()
    (source / "ada" / LAB.file).symlink_to(secret)
    (source / "bén").symlink_to(tmp_path)
    (source / "li-1").mkdir()
    os.mkfifo(source / "li-1" / LAB.file)  # whoever opened it would wait for ever
    (source / "li-2" / LAB.file).mkdir(parents=True)
    found, said = taken(klass, source)
    assert found == {}
    assert f"'ada/{LAB.file}' is a link, which is not followed." in said
    assert "'bén' is a link, which is not followed." in said
    assert f"li-1: 'li-1/{LAB.file}' is no ordinary file: it was not taken." in said


def test_a_link_that_is_put_there_after_the_look(source, tmp_path):
    secret = put(tmp_path, "secret.ipynb", "the instructor's")
    mine = put(source, "ada.ipynb")
    with handed_in.opened(source, None) as (files, _):
        mine.unlink()
        mine.symlink_to(secret)
        with pytest.raises(handed_in.Unreadable, match="cannot be read"):
            files[0].read()


def test_a_link_in_a_zip(klass, tmp_path):
    path = zipped(tmp_path / "x.zip", ("ada/x.ipynb", "/etc/passwd"), attributes=stat.S_IFLNK | 0o777)
    assert taken(klass, path) == ({}, "'ada/x.ipynb' is a link, which is not followed.")


def test_links_in_submitted_are_not_written_through(klass, source, tmp_path):
    put(source, "ada.ipynb", "ada's")
    put(source, "bén.ipynb", "bén's")
    elsewhere = put(tmp_path, "elsewhere/file", "bén's")  # the same text: to the look of it nothing is to be done
    klass.submitted("ada", "19").parent.mkdir(parents=True)
    klass.submitted("ada", "19").symlink_to(elsewhere.parent)
    klass.submitted("bén", "19").mkdir(parents=True)
    (klass.submitted("bén", "19") / LAB.file).symlink_to(elsewhere)
    found, said = taken(klass, source)
    assert "submitted/ada is a link" in said
    assert found == {"bén": "bén's"}
    assert [path.name for path in elsewhere.parent.iterdir()] == ["file"]
    assert not (klass.submitted("bén", "19") / LAB.file).is_symlink()
    elsewhere.write_text("changed later")
    assert there(klass) == {"bén": "bén's"}


def test_a_zip_bomb_is_read_no_further_than_a_notebook_may_be_long(klass, tmp_path):
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("ada/x.ipynb", "w", force_zip64=True) as file:
            for _ in range(60):
                file.write(bytes(1 << 20))
        archive.writestr("bén/x.ipynb", "bén's")
    tracemalloc.start()
    try:
        found, said = taken(klass, bomb)
        assert tracemalloc.get_traced_memory()[1] < 40 << 20  # octets at the highest; unpacked it has 60 million
    finally:
        tracemalloc.stop()
    assert found == {"bén": "bén's"}
    assert said == "ada: 'ada/x.ipynb' has more than 10 MB: it was not taken."


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_swells_all_at_once_is_not_unpacked(klass, tmp_path, kind):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ada/x.ipynb", "ada's", kind)
    assert taken(klass, path)[1] == "ada: 'ada/x.ipynb' is packed in a way that is not read: it was not taken."


def test_damaged_and_encrypted_entries_stop_nothing(klass, tmp_path):
    texts = {"ada": "ada's" * 50, "bén": "bén's", "li-1": "li's", "li-2": "good"}
    path = zipped(tmp_path / "x.zip", *((f"{learner}/x.ipynb", text) for learner, text in texts.items()))
    data = bytearray(path.read_bytes())
    first = data.index(b"x.ipynb") + len(b"x.ipynb")
    data[first : first + 4] = b"\xff\xff\xff\xff"  # the content of Ada's
    second = data.rindex(b"PK\x01\x02", 0, data.index(b"b\xc3\xa9n", data.index(b"PK\x01\x02")))
    data[second + 8] |= 1  # Bén's is said to be encrypted
    third = data.index(b"li-1")
    data[third : third + 4] = b"li-9"  # the header and the list of contents differ
    path.write_bytes(data)
    found, said = taken(klass, path)
    assert found == {"li-2": "good"}
    assert "ada: 'ada/x.ipynb' is damaged in the zip" in said
    assert "bén: 'bén/x.ipynb' is encrypted" in said
    assert "li-1: 'li-1/x.ipynb' is damaged in the zip" in said


def test_one_name_twice_in_a_zip(klass, tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = zipped(tmp_path / "x.zip", ("ada/x.ipynb", "old", (9, 0)), ("ada/x.ipynb", "new", (10, 0)))
    assert taken(klass, path) == ({"ada": "new"}, "ada handed in 2 notebooks: 'ada/x.ipynb' was taken.")


def test_names_are_one_however_a_system_writes_them(klass, source, tmp_path):
    apart = unicodedata.normalize("NFD", "bén")
    put(source, f"{apart}/x.ipynb", "bén's")
    assert taken(klass, source) == ({"bén": "bén's"}, "")
    path = zipped(tmp_path / "x.zip", (f"{apart}/x.ipynb", "of a zip"))
    assert taken(klass, path)[0] == {"bén": "of a zip"}
    apart = unicodedata.normalize("NFD", "Bén Núñez de la O")
    path = zipped(tmp_path / "x.zip", (f"{apart}_1_assignsubmission_file_/x.ipynb", "2"))
    assert taken(klass, path)[0] == {"bén": "2"}


def test_utf_8_that_a_zip_does_not_declare(klass, tmp_path):
    path = zipped(tmp_path / "x.zip", ("bén.ipynb", "bén's"))
    data = bytearray(path.read_bytes())
    for start, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        where = data.index(start) + at
        data[where : where + 2] = struct.pack("<H", 0)
    path.write_bytes(data)
    assert taken(klass, path)[0] == {"bén": "bén's"}


def test_a_name_that_is_no_text(klass, source):
    put(source, "ada.ipynb", "ada's")
    try:
        os.mkdir(os.fsencode(source) + b"/\xff\xfe")
    except OSError:
        pytest.skip("this system has only names that are text")
    (source / os.fsdecode(b"\xff\xfe") / "x.ipynb").write_text("nobody's")
    put(source, "ada/work/x.ipynb", "", at=-1)
    done = CliRunner().invoke(main, ["collect", "19", str(source), "--class", str(klass.root), "--json"])
    assert done.exit_code == 0, done.output
    assert there(klass) == {"ada": "ada's"}
    assert "names nobody" in json.loads(done.stdout)["notes"][0]


def test_a_learner_who_hands_in_too_much(klass, source, monkeypatch):
    monkeypatch.setattr(handed_in, "MOST_FILES", 3)
    for number in range(9):
        put(source, f"ada/{number}.ipynb", str(number), at=number)
    put(source, "bén/" + "x/" * 12 + "deep.ipynb", "deep")
    put(source, "bén/x.ipynb", "bén's")
    found, said = taken(klass, source)
    assert found == {"ada": "2", "bén": "bén's"}
    assert "'ada' holds more than 3 files" in said
    assert "more than 8 folders deep" in said


# when it cannot be done ---------------------------------------------------------------------------------


def test_what_is_no_zip_and_no_class(klass, tmp_path):
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04 half a zip")
    with pytest.raises(ClassroomError, match="neither a folder nor a whole zip: download it again"):
        collect(klass, LAB, tmp_path / "x.zip", ROSTER)
    with pytest.raises(ClassroomError, match="is not a class yet"):
        collect(ClassFolder(tmp_path / "none"), LAB, tmp_path, ROSTER)


def test_a_full_disk_stops_it_and_the_next_time_goes_on(klass, source, monkeypatch):
    put(source, "ada.ipynb", "ada's")
    put(source, "bén.ipynb", "bén's")
    replace, moved = os.replace, []

    def full(old, new):
        moved.append(new)
        if len(moved) > 2:  # Ada's notebook and its time
            raise OSError(28, "No space left on device")
        replace(old, new)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(ClassroomError, match="No space left on device.* is whole, 1 of it new: make room"):
            collect(klass, LAB, source, ROSTER)
    assert there(klass) == {"ada": "ada's"}
    assert [path.name for path in klass.submitted("bén", "19").iterdir()] == []
    again = collect(klass, LAB, source, ROSTER)
    assert ([one.learner for one in again.taken], again.unchanged) == (["bén"], ["ada"])


def test_one_who_cannot_be_written_stops_nobody_else(klass, source):
    put(source, "ada.ipynb", "ada's")
    put(source, "bén.ipynb", "bén's")
    (klass.submitted("ada", "19") / LAB.file).mkdir(parents=True)
    found = collect(klass, LAB, source, ROSTER)
    assert [one.learner for one in found.taken] == ["bén"]
    [note] = found.notes
    assert note.startswith("ada: ")
    assert "could not be written" in note


# the command --------------------------------------------------------------------------------------------


@pytest.fixture
def command(klass, tmp_path):
    (tmp_path / "roster.csv").write_text("id,first_name,last_name\nada,Ada,Lovelace\ngrace,Grace,Hopper\n")

    def run(source: Path, *more: str):
        options = ["--class", str(klass.root), "--roster", str(tmp_path / "roster.csv"), *more]
        return CliRunner().invoke(main, ["collect", "19", str(source), *options])

    return run


def test_the_command_says_what_it_did(klass, source, command):
    put(source, "ada.ipynb", "ada's")
    put(source, "stranger.ipynb")
    done = command(source)
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "Lab 19: 1 collected now, 0 unchanged, 0 older than what is there, 0 unusable.",
        "Nothing yet from 1 on the roster: grace.",
    ]
    assert "'stranger.ipynb' is from nobody on the roster" in done.stderr
    told = json.loads(command(source, "--json").stdout)
    assert told["unchanged"] == ["ada"]
    assert told["missing"] == ["grace"]
    put(source, "ada.ipynb", "ada's, mended", at=1)
    [one] = json.loads(command(source, "--json").stdout)["taken"]
    assert one == {"learner": "ada", "path": "ada.ipynb", "time": "2026-11-24T12:00:01Z", "late": False}


def test_the_command_refuses_a_zone_that_is_none(source, command):
    done = command(source, "--zone", "Lisbon")
    assert done.exit_code == 2
    assert "Lisbon is no time zone" in done.stderr
    assert command(source, "--zone", "../../etc/passwd").exit_code == 2


def test_a_zip_of_hundreds(klass, tmp_path):
    entries = [(f"Learner Number{n}_{n}_assignsubmission_file_/x.ipynb", "{}", (9 + n % 9, 0)) for n in range(300)]
    roster = [Learner(f"n{n}", "Learner", f"Number{n}") for n in range(300)]
    path = zipped(tmp_path / "x.zip", *entries)
    seen = SimpleNamespace(total=0, ticks=0)

    def begin(total):
        seen.total = total
        return lambda: setattr(seen, "ticks", seen.ticks + 1)

    found = collect(klass, LAB, path, roster, begin=begin)
    assert len(found.taken) == seen.total == seen.ticks == 300
    assert found.notes == found.missing == []
