"""Who may import whom: import-linter holds the house's contract (`[tool.importlinter]` in pyproject.toml)."""

import ast
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LABS = ROOT / "labs"

#: The rooms that each room may import besides itself.
MAY_IMPORT = {
    "bench": set(),
    "auth": {"bench"},
    "servers": {"auth", "bench"},
    "attacks": {"bench"},
    "exercises": {"servers", "attacks", "auth", "bench"},
    "measure": {"auth", "servers", "bench"},
    "decide": {"measure", "bench"},
    "teach": {"exercises", "bench"},
    "classroom": {"exercises", "bench"},
}
ROOMS = sorted(folder.parent.name for folder in LABS.glob("*/__init__.py"))
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]


def lint(course: Path) -> subprocess.CompletedProcess:
    """Run import-linter on the labs/ of `course`."""
    linter = "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache'])"
    return subprocess.run([sys.executable, "-c", linter], cwd=course, capture_output=True, text=True)


def copy_of_the_house(folder: Path) -> Path:
    course = folder / "the course"
    shutil.copytree(LABS, course / "labs", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", course)
    return course


def test_every_room_has_a_contract_that_forbids_all_but_what_it_may_import():
    forbidden = {
        contract["source_modules"][0]: {name for name in contract["forbidden_modules"] if name.startswith("labs.")}
        for contract in CONTRACTS
    }
    assert forbidden == {
        f"labs.{room}": {f"labs.{other}" for other in ROOMS if other != room and other not in MAY_IMPORT[room]}
        for room in ROOMS
    }


def test_auth_knows_neither_flask_nor_jupyter():
    [auth] = [contract for contract in CONTRACTS if contract["source_modules"] == ["labs.auth"]]
    assert {"flask", "werkzeug", "IPython", "jupyter_client", "jupyterlab"} <= set(auth["forbidden_modules"])


def test_the_contract_is_kept_and_nobody_can_break_it_unseen(tmp_path):
    course = copy_of_the_house(tmp_path)
    kept = lint(course)
    assert kept.returncode == 0, kept.stdout
    assert f"Contracts: {len(ROOMS)} kept, 0 broken." in kept.stdout
    for room in ROOMS:
        forbidden = min(set(ROOMS) - {room} - MAY_IMPORT[room])
        (course / "labs" / room / "intruder.py").write_text(f"def visit():\n    import labs.{forbidden}\n")
    broken = lint(course)
    assert broken.returncode != 0
    assert f"Contracts: 0 kept, {len(ROOMS)} broken." in broken.stdout


def test_nobody_imports_the_classroom():
    assert [room for room, others in MAY_IMPORT.items() if "classroom" in others] == []


def test_every_module_says_what_it_is_for():
    modules = [*LABS.rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    silent = [path for path in modules if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert silent == []
