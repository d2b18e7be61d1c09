"""What a learner is handed: no answer, a seed of their own, all that `make lab` needs; the same bytes each time."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from mini_course import ROOT
from nbgrader.api import Gradebook
from notebook_rules import solution_lines

from labs.classroom import assign as module
from labs.classroom import handout as of_handout
from labs.classroom.autograde_preprocessor import Judge
from labs.classroom.class_folder import ClassFolder
from labs.classroom.cli import INSTRUCTORS, main
from labs.classroom.course import Course
from labs.classroom.errors import ClassroomError
from labs.classroom.handout import handout
from labs.classroom.roster import Learner, kept_roster, read_roster
from labs.classroom.strip import nbgrader_config
from labs.classroom.submission import find_lab

LABS = sorted(path.name[:2] for path in (ROOT / "solutions").glob("*_lab_*.ipynb"))
ROSTER = "id,first_name,last_name,email,lms_user_id\nada,Ada,Lovelace,ada@example.org,501\nbén,Bén,Núñez,,\n"
NAMES = ["ada", "bén"]


def run(klass: Path, *words: str):
    return CliRunner().invoke(main, ["assign", *words, "--class", str(klass)])


@pytest.fixture(scope="module")
def klass(tmp_path_factory) -> ClassFolder:
    """A class of two, to whom a lab was handed out."""
    folder = tmp_path_factory.mktemp("instructor")
    (folder / "roster.csv").write_text(ROSTER, "utf-8")
    done = run(folder / "class", "19", "--roster", str(folder / "roster.csv"))
    assert done.exit_code == 0, done.output
    assert "Lab 19 for 2 learners, 2 written now" in done.stdout
    return ClassFolder(folder / "class")


def contents(path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# what is in it ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", LABS)
def test_no_solution_is_in_it(number):
    lab = find_lab(number)
    solved = nbformat.read(ROOT / "solutions" / lab.file, 4)
    lines = [line for cell in solved.cells for line in solution_lines(cell)]
    # That the release is what the build makes is seen in test_notebooks.py.
    files = contents(io.BytesIO(handout(Course(ROOT), lab, ROOT / "notebooks").zip("a seed")))
    texts = {name: data.decode("utf-8", "replace") for name, data in files.items()}
    package = {name for name in texts if "/labs/" in name and "/labs/classroom/" not in name}
    # What the lab runs on is the course's own: it has a bank's sessions, and the attacks that a mend must withstand.
    known = "\n".join(texts[name] for name in package)
    telling = [line for line in lines if line not in known]
    assert len(telling) > len(lines) / 2
    assert {line: name for line in telling for name, text in texts.items() if line in text} == {}
    # And nowhere else do three lines follow each other, be each as common as `return record`.
    runs = {"\n".join(lines[at : at + 3]) for at in range(len(lines) - 2)}
    others = {name: "\n".join(map(str.strip, texts[name].splitlines())) for name in texts.keys() - package}
    assert {run: name for run in runs for name, text in others.items() if run in text} == {}


def test_nothing_of_the_instructor_s_is_in_it(klass):
    files = contents(klass.handed_out("19") / "ada.zip")
    secret = json.loads(klass.file.read_text())["secret"].encode()
    for name, data in files.items():
        assert b"BEGIN SOLUTION" not in data or name.startswith("lab19/labs/classroom/"), name
        assert secret not in data
        assert klass.seed_of("bén").encode() not in data
        assert b"lovelace" not in data.lower()
    parts = {Path(name).relative_to("lab19").parts[0] for name in files}
    assert not {"solutions", "tests", "docs", "work", "nbgrader_config.py"} & parts
    there = {Path(name).stem for name in files if name.startswith("lab19/labs/classroom/")}
    assert not {*INSTRUCTORS.values(), "samples", "grading", "class_folder", "collect", "assign"} & there
    assert len([name for name in files if name.endswith(".ipynb")]) == 1


def test_all_of_the_package_that_a_learner_needs_is_in_it(klass):
    files = contents(klass.handed_out("19") / "ada.zip")
    package = [path for path in (ROOT / "labs").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    left = {path.relative_to(ROOT) for path in package} - {Path(name).relative_to("lab19") for name in files}
    assert {path.parts[1] for path in left} == {"classroom"}
    assert "lab19/labs/classroom/jupyter/labconfig/page_config.json" in files  # no news from the network
    assert files["lab19/data/claims.json"] == (ROOT / "data" / "claims.json").read_bytes()
    assert any(name.startswith("lab19/data/vectors/") for name in files)
    assert files["lab19/requirements.lock"] == (ROOT / "requirements.lock").read_bytes()


def test_the_notebook_is_nbgraders_release(klass):
    [given] = (ROOT / "notebooks").glob("19_*.ipynb")
    released = klass.release("19") / given.name
    assert contents(klass.handed_out("19") / "ada.zip")[f"lab19/notebooks/{given.name}"] == released.read_bytes()
    theirs, ours = nbformat.read(released, 4), nbformat.read(given, 4)
    assert [(c.id, c.source, c.metadata) for c in theirs.cells] == [(c.id, c.source, c.metadata) for c in ours.cells]
    assert theirs.metadata.course.version == ours.metadata.course.version  # what `collect` and `grade` look at


@pytest.mark.parametrize("name", NAMES)
def test_the_folder_holds_what_the_zip_holds(klass, name):
    folder, zipped = tree(klass.handed_out("19") / name), contents(klass.handed_out("19") / f"{name}.zip")
    assert {f"lab19/{path}": data for path, data in folder.items()} == zipped
    assert folder["seed.txt"].decode() == klass.seed_of(name) + "\n"
    assert os.access(klass.handed_out("19") / name / ".ci" / "set-up", os.X_OK)


def test_the_same_bytes_twice(klass, tmp_path, monkeypatch):
    lab = find_lab("19")
    first = handout(Course(ROOT), lab, klass.release("19")).zip("a seed")
    copy = tmp_path / "copied elsewhere, at another time"
    for part in ("labs", "data"):
        leave = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / part, copy / part, ignore=leave, copy_function=shutil.copy)
    for part in of_handout.SET_UP:
        (copy / part).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / part, copy / part)
    (copy / "labs" / "__pycache__").mkdir()
    (copy / "labs" / "__pycache__" / "x.pyc").touch()
    (copy / "labs" / ".DS_Store").touch()
    assert handout(Course(copy), lab, klass.release("19")).zip("a seed") == first
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert archive.testzip() is None
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        modes = {info.filename: info.external_attr >> 16 for info in archive.infolist()}
    assert modes.pop("lab19/.ci/set-up") == modes.pop("lab19/postBuild") == 0o100755
    assert set(modes.values()) == {0o100644}


# it works -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def unpacked(klass, tmp_path_factory) -> Path:
    """Ada's zip, unpacked by somebody else's program, with the Python of these tests in the place of its own."""
    folder = tmp_path_factory.mktemp("a learner")
    shutil.unpack_archive(klass.handed_out("19") / "ada.zip", folder)
    course = folder / "lab19"
    (course / ".venv" / "bin").mkdir(parents=True)
    (course / ".venv" / "bin" / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (course / ".venv" / "bin" / "python").chmod(0o755)
    (course / ".venv" / ".ready").write_text(f"{course.resolve()}\n")
    return course


def learner(course: Path, *command: str) -> str:
    """Run a command as a learner does, without this test's seed."""
    variables = {name: value for name, value in os.environ.items() if name != "FERNBANK_SEED"}
    done = subprocess.run(command, cwd=course, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_make_reset_lays_the_lab_out(unpacked):
    assert "work/19_lab_the_session_desk.ipynb is there, fresh" in learner(unpacked, "make", "reset")
    name = "19_lab_the_session_desk.ipynb"
    assert (unpacked / "work" / name).read_bytes() == (unpacked / "notebooks" / name).read_bytes()
    assert "make lab" in learner(unpacked, "make", "-s")


def test_the_commands_of_an_instructor_are_not_there(unpacked):
    said = learner(unpacked, sys.executable, "-m", "labs.classroom", "--help")
    commands = {line.split()[0] for line in said.partition("Commands:")[2].splitlines() if line.strip()}
    assert {"lab", "reset"} <= commands
    assert not set(INSTRUCTORS) & commands


def test_the_solution_passes_there_with_the_seed_that_came_with_it(klass, unpacked):
    [solved] = (ROOT / "solutions").glob("19_*.ipynb")
    [cell] = [cell for cell in nbformat.read(solved, 4).cells if cell.id == "ex-19-1"]
    code = (
        "import labs, sys\nfrom labs.bench import learner_seed\nfrom labs.exercises import judge\n"
        "print(labs.__file__, learner_seed(), judge('19.1', sys.argv[1]).passed, sep='\\n')"
    )
    file, seed, passed = learner(unpacked, sys.executable, "-c", code, cell.source).splitlines()
    assert Path(file).is_relative_to(unpacked)
    assert (seed, passed) == (klass.seed_of("ada"), "True")


def test_the_learner_s_makefile_sets_up_as_the_course_s_does():
    theirs, ours = (path.read_text() for path in (of_handout.TEMPLATES / "Makefile", ROOT / "Makefile"))
    how = theirs[theirs.index("\nifneq ") :]
    assert ours.endswith(how)


def test_the_readme_names_what_is_there(unpacked):
    readme = (unpacked / "README.md").read_text()
    assert readme.startswith("# 19 · Lab: the session desk\n")
    assert "`work/19_lab_the_session_desk.ipynb`" in readme
    for name in ("seed.txt", "LICENSE", "LICENSE-prose", "environment.yml"):
        assert f"`{name}`" in readme
        assert (unpacked / name).exists()
    assert "{" not in readme
    assert 'reset "19"' in (unpacked / "Makefile").read_text()


# the class ----------------------------------------------------------------------------------------------


def test_the_learners_and_the_labs_are_in_the_gradebook(klass):
    with Gradebook(f"sqlite:///{klass.gradebook}") as book:
        students = {s.id: (s.first_name, s.last_name, s.email, s.lms_user_id) for s in book.students}
        assert students == {
            "ada": ("Ada", "Lovelace", "ada@example.org", "501"),
            "bén": ("Bén", "Núñez", None, None),
        }
        assert [assignment.name for assignment in book.assignments] == ["lab19"]
        assert book.find_assignment("lab19").max_score == 49


def test_nbgrader_s_own_commands_find_the_class(klass):
    settings = nbgrader_config(klass.root)  # as they read it
    assert settings.CourseDirectory.root == str(klass.root)
    assert settings.CourseDirectory.course_id == nbgrader_config(ROOT).CourseDirectory.course_id
    assert settings.Autograde.autograde_preprocessors == [Judge]


def test_nobody_else_can_read_the_secret(klass):
    assert klass.file.stat().st_mode & 0o77 == 0
    assert klass.root.stat().st_mode & 0o77 == 0


@pytest.fixture
def copy(klass, tmp_path) -> ClassFolder:
    """The class as it was handed out, to change."""
    shutil.copytree(klass.root, tmp_path / "class")
    return ClassFolder(tmp_path / "class")


def test_a_second_time_changes_nothing(copy):
    def state():
        files = {path: path for path in copy.root.rglob("*") if path.is_file()}
        return {p: (p.stat().st_mtime_ns, hashlib.sha256(p.read_bytes()).digest()) for p in files}

    before = state()
    done = run(copy.root, "lab19", "19", "--json")
    assert [(lab["released"], lab["written"]) for lab in json.loads(done.stdout)["labs"]] == [(False, [])]
    assert state() == before


def test_what_was_broken_off_is_made_whole_and_a_learner_s_work_stays(copy):
    given = copy.handed_out("19")
    (given / "ada.zip").write_bytes((given / "ada.zip").read_bytes()[:1000])
    (given / "bén" / "Makefile").write_text("half")
    (given / "bén" / "labs" / "__init__.py").unlink()
    (given / "bén" / "work").mkdir()
    (given / "bén" / "work" / "19_lab_the_session_desk.ipynb").write_text("my answer")
    done = run(copy.root, "19", "--json")
    assert json.loads(done.stdout)["labs"][0]["written"] == NAMES
    assert contents(given / "ada.zip")
    assert (given / "bén" / "work" / "19_lab_the_session_desk.ipynb").read_text() == "my answer"
    theirs = tree(given / "bén")
    del theirs["work/19_lab_the_session_desk.ipynb"]
    assert {f"lab19/{path}": data for path, data in theirs.items()} == contents(given / "bén.zip")


def test_a_new_roster_adds_takes_nobody_out_and_is_kept(copy, tmp_path):
    roster = tmp_path / "new.csv"
    roster.write_text("id,first_name\nada,Augusta\ngrace,Grace\n")
    seed, before = copy.seed_of("ada"), (copy.handed_out("19") / "ada.zip").read_bytes()
    done = run(copy.root, "19", "--roster", str(roster), "--only-zips")
    assert done.exit_code == 0, done.output
    assert "No longer on the roster: bén. What they handed in stays." in done.stderr
    assert copy.seed_of("ada") == seed
    assert (copy.handed_out("19") / "ada.zip").read_bytes() == before
    assert (copy.handed_out("19") / "grace.zip").exists()
    assert not (copy.handed_out("19") / "grace").exists()
    assert [learner.id for learner in kept_roster(copy)] == ["ada", "grace"]
    with Gradebook(f"sqlite:///{copy.gradebook}") as book:
        assert {s.id: s.first_name for s in book.students} == {"ada": "Augusta", "bén": "Bén", "grace": "Grace"}


def test_without_a_roster_everybody_has_one_seed(copy, tmp_path):
    (copy.root / "roster.csv").unlink()
    done = run(copy.root, "19", "--json")
    assert json.loads(done.stdout)["labs"][0]["written"] == ["everybody"]
    seed = (copy.handed_out("19") / "everybody" / "seed.txt").read_text().strip()
    assert copy.seed_of("ada") == copy.seed_of("whoever hands in") == seed
    # As long as nobody has handed in, that can change; then no more, or answers would be judged by another seed.
    assert run(copy.root, "19", "--roster", str(_roster(tmp_path))).exit_code == 0
    assert copy.seed_of("ada") != seed
    copy.submitted("ada", "19").mkdir(parents=True)
    (copy.root / "roster.csv").unlink()
    refused = run(copy.root, "19")
    assert refused.exit_code == 1
    assert "make another class with --class" in refused.stderr
    assert copy.seed_of("ada") != seed


def _roster(folder: Path) -> Path:
    path = folder / "roster.csv"
    path.write_text(ROSTER, "utf-8")
    return path


# the roster ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"id,email\nada,ada@example.org\n",
        b"\xef\xbb\xbfid;email\r\nada;ada@example.org\r\n",
        b"E-Mail\tEMAIL \t ID\nx\tada@example.org\t ada \n\n",
        b'group,id,email\n"a, b",ada,ada@example.org\n',
        b'\xef\xbb\xbf"First name","Last name","ID number","Email address",Groups\n,,ada,ada@example.org,\n',
    ],
    ids=["plain", "a European Excel's", "tabs", "quoted", "Moodle's list of participants"],
)
def test_rosters_as_programs_write_them(tmp_path, data):
    path = tmp_path / "roster.csv"
    path.write_bytes(data)
    assert read_roster(path) == [Learner("ada", email="ada@example.org")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no column id"),
        ("name\nada\n", "has no column id"),
        ("id\n", "names no learner"),
        ("id\n../ada\n", "line 2: the id '../ada' must begin with a letter or digit"),
        ("id\nada\n..\n", "line 3: the id '..' must begin"),
        ("id\na/b\n", "hold only letters"),
        ("id\nada\nADA\n", "line 3: the id ADA stands in line 2 already"),
        ("id\neverybody\n", "keep for something else"),
        ("id\nnul.txt\n", "keep for something else"),
        ("id\nada.\n", "keep for something else"),
        ("id\n" + "x" * 65, "more than 64 characters"),
        ("id\n\x1b[2J\n", r"'\x1b[2J' must begin"),
        ('id\n"ada', "is not a CSV file"),
        ("id\n" + "\n".join(f"/{n}" for n in range(30)), "And 10 more."),
    ],
)
def test_a_roster_that_cannot_be_used(tmp_path, text, said):
    path = tmp_path / "roster.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(ClassroomError) as refused:
        read_roster(path)
    assert said in refused.value.message
    assert "\x1b" not in refused.value.message


def test_a_roster_that_is_not_utf_8(tmp_path):
    path = tmp_path / "roster.csv"
    path.write_bytes("id\nbén\n".encode("latin-1"))
    with pytest.raises(ClassroomError, match="not UTF-8: save it again as"):
        read_roster(path)


def test_a_roster_that_cannot_be_used_changes_nothing(copy, tmp_path):
    before = tree(copy.root)
    path = tmp_path / "roster.csv"
    path.write_text("id\n../../evil\n")
    refused = run(copy.root, "19", "--roster", str(path))
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert tree(copy.root) == before


# when it cannot be done ---------------------------------------------------------------------------------


def test_a_lab_that_is_not_there_makes_no_class(tmp_path):
    refused = run(tmp_path / "class", "19", "77")
    assert refused.exit_code == 1
    assert "There is no notebook '77'" in refused.stderr
    assert not (tmp_path / "class").exists()


def test_a_full_disk_leaves_whole_zips_and_goes_on_the_next_time(copy, monkeypatch):
    shutil.rmtree(copy.handed_out("19"))
    replace, moved = os.replace, []

    def full(old, new):
        if Path(new).suffix == ".zip":
            moved.append(new)
        if len(moved) == 2:
            raise OSError(28, "No space left on device", str(new))
        replace(old, new)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        refused = run(copy.root, "19")
    assert refused.exit_code == 1
    assert "No space left on device" in refused.stderr
    assert sorted(path.name for path in copy.handed_out("19").iterdir()) == ["ada", "ada.zip"]
    assert contents(copy.handed_out("19") / "ada.zip")
    assert json.loads(run(copy.root, "19", "--json").stdout)["labs"][0]["written"] == ["bén"]


def test_a_locked_gradebook_is_a_sentence(copy, monkeypatch):
    from labs.classroom import gradebook

    def locked(klass):
        raise ClassroomError("The gradebook could not be written (another command is writing to it).")

    monkeypatch.setattr(gradebook, "opened", locked)
    before = tree(copy.root)
    refused = run(copy.root, "19")
    assert (refused.exit_code, refused.stderr.splitlines()[-1]) == (
        1,
        "Error: The gradebook could not be written (another command is writing to it).",
    )
    assert tree(copy.root) == before


def test_a_release_that_nbgrader_refuses_leaves_the_old_one(copy, tmp_path):
    course = Course(tmp_path / "a changed course")
    course.solutions.mkdir(parents=True)
    lab = find_lab("19")
    solved = json.loads((ROOT / "solutions" / lab.file).read_text("utf-8"))
    solved["cells"][3]["source"] = "### BEGIN SOLUTION\nwithout an end"
    solved["cells"][3]["cell_type"] = "code"
    (course.solutions / lab.file).write_text(json.dumps(solved))
    before = (copy.release("19") / lab.file).read_bytes()
    for _ in range(2):
        with pytest.raises(ClassroomError, match="nbgrader made no release of lab19: "):
            module.release(course, copy, lab)
    assert (copy.release("19") / lab.file).read_bytes() == before
    assert module.release(Course(ROOT), copy, lab)
    assert (copy.release("19") / lab.file).read_bytes() == before


def test_a_secret_that_is_damaged_is_not_made_anew(copy):
    copy.file.write_text("{")
    refused = run(copy.root, "19")
    assert "restore it from a copy" in refused.stderr
    assert copy.file.read_text() == "{"
