"""The Makefile and .ci/ work where people run them: paths with spaces, no git, no uv, a Python that does not do.

Packages are not fetched here: programs of a few lines stand in for uv and Python, and write down what they are told.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = ["Makefile", "pyproject.toml", "requirements.lock", ".ci/set-up", ".ci/run"]
TOOLS = ["sh", "bash", "make", "sed", "cat", "dirname", "pwd", "rm", "grep", "mktemp", "env", "mkdir", "cp", "chmod"]

PYTHON = """\
#!/bin/sh
# Says which version it is; in a virtual environment it also writes down what it is told to run.
case "$*" in
    *ensurepip*) exit {ensurepip} ;;
    *"(3, 15)"*) exit {outside_lock} ;;
    *"(3, 11)"*) exit {too_old} ;;
    *python_version*) echo {version} ;;
    *tests/left_out.py) echo "$WITHOUT" ;;
    "-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python && echo "$PWD/.venv" >.venv/bin/activate
        echo "made by venv" >>"$LOG" ;;
    "-m pip --version") ;;
    *) echo "python $*" >>"$LOG"
        echo "${{WITHOUT-}} | $FERNBANK_SEED | $FERNBANK_HOME" >>"$LOG.environment"
        case "$*" in *"$FAILS"*) exit 1 ;; esac
        case "$*" in *"pip install"*uv) cp "$UV" .venv/bin/uv ;; esac ;;
esac
"""

UV = """\
#!/bin/sh
# Makes an environment of stand-ins, and writes down what it is told to install.
case "$1" in
    --version) ;;
    venv) mkdir -p .venv/bin && cp "$STANDS_IN" .venv/bin/python && echo "$(pwd -P)/.venv" >.venv/bin/activate
        printf '#!/bin/sh\\nexec .venv/bin/python lint-imports\\n' >.venv/bin/lint-imports
        chmod +x .venv/bin/lint-imports
        echo "made by uv" >>"$LOG" ;;
    *) echo "uv $*" >>"$LOG"; case "$*" in *"$FAILS"*) exit 1 ;; esac ;;
esac
"""

INSTALLED = [
    "uv pip install --python .venv/bin/python --require-hashes -r requirements.lock",
    "uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .",
]


class Machine:
    """A folder of the course on a machine that has these programs and no others."""

    def __init__(self, folder: Path, uv: bool = True, **python):
        self.course = folder / "a folder" / "the course"
        self.programs = folder / "programs"
        self.log = folder / "log"
        self.programs.mkdir(parents=True)
        for name in FILES:
            (self.course / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, self.course / name)
        for name in TOOLS:
            if found := shutil.which(name):
                (self.programs / name).symlink_to(found)
        self.stands_in = self.program("python3", PYTHON.format(**FITS | python))
        self.uv = folder / "uv"
        self.uv.write_text(UV)
        self.uv.chmod(0o755)
        if uv:
            self.program("uv", UV)

    def program(self, name: str, text: str) -> Path:
        path = self.programs / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def make(self, *arguments: str, fails: str = "nothing", **variables: str) -> subprocess.CompletedProcess:
        return self.run("make", *arguments, fails=fails, **variables)

    def run(self, *command: str, fails: str = "nothing", **variables: str) -> subprocess.CompletedProcess:
        own = {
            "PATH": str(self.programs),
            "LOG": str(self.log),
            "UV": str(self.uv),
            "STANDS_IN": str(self.stands_in),
            "FAILS": fails,
            "TMPDIR": str(self.log.parent),
        }
        program = [self.programs / command[0], *command[1:]]
        return subprocess.run(program, cwd=self.course, env=own | variables, capture_output=True, text=True)

    def said(self) -> list[str]:
        """What the programs were told since the last time."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return lines


FITS = {"version": "3.12.4", "too_old": 0, "outside_lock": 0, "ensurepip": 0}
TOO_OLD = {"version": "3.9.6", "too_old": 1, "outside_lock": 1}
TOO_NEW = {"version": "3.15.0", "outside_lock": 1}


def test_make_lab_sets_up_once_and_then_starts(tmp_path):
    machine = Machine(tmp_path)
    first = machine.make("lab")
    assert first.returncode == 0, first.stderr
    assert machine.said() == ["made by uv", *INSTALLED, "python -m labs.classroom lab"]
    machine.make("lab")
    assert machine.said() == ["python -m labs.classroom lab"]


@pytest.mark.parametrize("changed", ["requirements.lock", "pyproject.toml"])
def test_set_up_is_renewed_when_packages_change(tmp_path, changed):
    machine = Machine(tmp_path)
    machine.make("lab")
    machine.said()
    ready = (machine.course / ".venv" / ".ready").stat().st_mtime
    os.utime(machine.course / changed, (ready + 5, ready + 5))
    machine.make("lab")
    assert machine.said() == [*INSTALLED, "python -m labs.classroom lab"]


def test_a_folder_that_was_moved_is_set_up_again(tmp_path):
    machine = Machine(tmp_path)
    machine.make("lab")
    machine.said()
    machine.course = machine.course.rename(machine.course.with_name("elsewhere"))
    machine.make("lab")
    assert machine.said() == ["made by uv", *INSTALLED, "python -m labs.classroom lab"]


def test_without_uv_it_is_fetched_with_pip_into_the_environment(tmp_path):
    machine = Machine(tmp_path, uv=False)
    assert machine.make("lab").returncode == 0
    assert machine.said() == [
        "made by venv",
        "python -m pip install --quiet --disable-pip-version-check uv",
        *INSTALLED,
        "python -m labs.classroom lab",
    ]


def test_a_set_up_that_failed_says_so_and_begins_again(tmp_path):
    machine = Machine(tmp_path)
    failed = machine.make("lab", fails="--require-hashes")
    assert failed.returncode != 0
    assert "The first set-up needs a network; run make again." in failed.stderr
    machine.said()
    assert machine.make("lab").returncode == 0
    assert machine.said()[-1] == "python -m labs.classroom lab"


def test_an_old_python_is_told_what_to_do(tmp_path):
    answer = Machine(tmp_path, **TOO_OLD).make("lab")
    assert answer.returncode != 0
    assert "The course needs Python 3.11 or newer; python3 on this machine is 3.9.6." in answer.stderr
    assert "make lab PYTHON=python3.13" in answer.stderr


def test_a_machine_without_python_is_told_what_to_do(tmp_path):
    machine = Machine(tmp_path)
    (machine.programs / "python3").unlink()
    assert "needs Python 3.11 or newer; python3 on this machine is not there." in machine.make("lab").stderr


def test_debians_python_without_venv_is_told_what_to_do(tmp_path):
    answer = Machine(tmp_path, uv=False, ensurepip=1).make("lab")
    assert answer.returncode != 0
    assert "sudo apt install python3-venv" in answer.stderr


def test_debians_python_without_venv_does_with_uv(tmp_path):
    assert Machine(tmp_path, uv=True, ensurepip=1).make("lab").returncode == 0


def test_the_first_python_that_does_is_taken(tmp_path):
    machine = Machine(tmp_path, uv=False, **TOO_OLD)
    machine.program("python3.12", PYTHON.format(**FITS))
    assert "with Python 3.12.4" in machine.make("lab").stderr


def test_a_python_of_the_lock_is_taken_before_a_newer_one(tmp_path):
    machine = Machine(tmp_path, uv=False, **TOO_NEW)
    alone = machine.make("lab")
    assert "Python 3.15.0 is newer than the locked packages" in alone.stderr
    shutil.rmtree(machine.course / ".venv")
    machine.program("python3.13", PYTHON.format(**FITS | {"version": "3.13.9"}))
    both = machine.make("lab")
    assert "newer" not in both.stderr
    assert "with Python 3.13.9" in both.stderr


def test_a_python_can_be_chosen(tmp_path):
    machine = Machine(tmp_path)
    chosen = machine.program("my python", PYTHON.format(**FITS | {"version": "3.11.2"}))
    assert "with Python 3.11.2" in machine.make("lab", f"PYTHON={chosen}").stderr
    shutil.rmtree(machine.course / ".venv")
    assert "nothing on this machine is not there" in machine.make("lab", "PYTHON=nothing").stderr


CHECKS = [
    "python -m ruff check .",
    "python lint-imports",
    "python -m labs.classroom build --check",
    "python -m pytest tests -n 3 --dist worksteal",
    "python -m pytest --nbval --nbval-sanitize-with tests/nbval_sanitize.cfg -n 2 --dist loadscope "
    "notebooks solutions",
]


def test_make_test_checks_everything_in_a_home_of_its_own(tmp_path):
    machine = Machine(tmp_path)
    answer = machine.make("test", "WITHOUT=redis,browser")
    assert answer.returncode == 0, answer.stderr
    assert machine.said()[3:] == CHECKS
    environments = set(machine.log.with_name("log.environment").read_text().splitlines())
    [(without, seed, home)] = [line.split(" | ") for line in environments]
    assert (without, seed) == ("redis,browser", "fernbank")
    assert Path(home).is_relative_to(tmp_path)
    assert not Path(home).parent.exists()


@pytest.mark.parametrize("number", range(len(CHECKS)))
def test_a_check_that_fails_turns_make_test_red(tmp_path, number):
    machine = Machine(tmp_path)
    failing = CHECKS[number].removeprefix("python ")
    assert machine.make("test", fails=failing).returncode != 0
    assert machine.said()[3:] == CHECKS[: number + 1]


def test_reset_asks_for_a_lesson(tmp_path):
    machine = Machine(tmp_path)
    assert "make reset L=10" in machine.make("reset").stdout
    machine.said()
    machine.make("reset", "L=10")
    assert machine.said() == ["python -m labs.classroom reset 10"]


def test_make_alone_lists_every_target():
    text = (ROOT / "Makefile").read_text()
    [phony] = re.findall(r"^\.PHONY: (help .*)$", text, flags=re.M)
    listed = subprocess.run(["make", "-s"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(phony.split()) - {"help"} == set(re.findall(r"^make (\w+)", listed, flags=re.M))


def test_the_makefile_uses_nothing_newer_than_make_3_81():
    # macOS still ships make 3.81, which reads these as something else, or not at all.
    newer = r"\.ONESHELL|\.RECIPEPREFIX|\.SHELLSTATUS|&:|!=|::=|\$\(file |\$\(let |\$\(intcmp |^export [A-Z_]+ :="
    assert re.findall(newer, (ROOT / "Makefile").read_text(), flags=re.M) == []


@pytest.mark.parametrize("script", [".ci/set-up", "postBuild"])
def test_scripts_are_plain_sh(script):
    # dash, Debian's sh, knows nothing that is bash's own.
    shell = shutil.which("dash") or "sh"
    subprocess.run([shell, "-n", ROOT / script], check=True)
    assert (ROOT / script).read_text().startswith("#!/bin/sh\n")


APT = """\
#!/bin/sh
echo "apt-get $*" >>"$LOG"
case "$*" in
    *update*) if [ -e "$LOG.locked" ]; then
        rm "$LOG.locked"; echo "E: Could not get lock /var/lib/apt/lists/lock" >&2; exit 100; fi ;;
    *install*) if [ -n "$BROKEN" ]; then echo "E: Unable to locate package chromium" >&2; exit 100; fi ;;
esac
"""


def ci_machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path)
    machine.program("apt-get", APT)
    machine.program("redis-server", "#!/bin/sh\n")
    machine.program("sleep", "#!/bin/sh\n")
    return machine


def test_ci_installs_what_is_missing_and_checks_everything(tmp_path):
    machine = ci_machine(tmp_path)
    answer = machine.run("bash", str(machine.course / ".ci/run"), CI="false")
    assert answer.returncode == 0, answer.stderr
    update, install, *rest = machine.said()
    assert update.endswith(" update")
    assert " chromium" in install
    assert " redis-server" not in install
    assert rest[3:] == CHECKS


def test_ci_waits_for_apts_own_lock(tmp_path):
    machine = ci_machine(tmp_path)
    machine.log.with_name("log.locked").touch()
    answer = machine.run("bash", str(machine.course / ".ci/run"))
    assert answer.returncode == 0, answer.stderr
    assert "apt is at work elsewhere" in answer.stderr
    assert [line.split()[-1] for line in machine.said()[:2]] == ["update", "update"]


def test_ci_stops_when_a_package_cannot_be_had(tmp_path):
    machine = ci_machine(tmp_path)
    answer = machine.run("bash", str(machine.course / ".ci/run"), BROKEN="yes")
    assert answer.returncode != 0
    assert "Unable to locate package chromium" in answer.stderr
    assert len(machine.said()) == 2


def test_the_course_works_from_an_archive_in_a_folder_with_a_space(tmp_path):
    course = tmp_path / "an archive" / "unpacked here"
    course.parent.mkdir()
    left = (".git", ".venv", "work", "class", "__pycache__", ".*_cache", ".hypothesis", "*.egg-info")
    shutil.copytree(ROOT, course, ignore=shutil.ignore_patterns(*left))
    # This test's own Python, as set-up would have left it.
    programs = course / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (programs / "python").chmod(0o755)
    (course / ".venv" / ".ready").write_text(f"{course.resolve()}\n")
    answer = subprocess.run(["make", "reset", "L=00"], cwd=course, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    lesson = "00_start_here.ipynb"
    assert (course / "work" / lesson).read_bytes() == (course / "notebooks" / lesson).read_bytes()
