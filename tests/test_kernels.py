"""Lessons in real kernels: two at once, the same one twice, run again in disorder, restarted."""

import asyncio
import json
import shutil
import socket

import nbformat
import pytest
from mini_course import ROOT
from nbclient import NotebookClient
from traitlets.config import Config

QUIET = Config({"KernelManager": {"transport_encryption": "auto"}})  # else each kernel warns on the terminal
LESSON = "00_start_here.ipynb"


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    """A solved lesson in a folder with a space in its name, and a state folder of its own."""
    monkeypatch.setenv("FERNBANK_HOME", str(tmp_path / "the state"))
    file = tmp_path / "my course" / LESSON
    file.parent.mkdir()
    shutil.copy(ROOT / "solutions" / LESSON, file)
    return file


def kernel_for(file) -> NotebookClient:
    where = {"metadata": {"path": str(file.parent)}}
    return NotebookClient(nbformat.read(file, as_version=4), timeout=300, resources=where, config=QUIET)


def attempts(home) -> int:
    """How often 00.1 was checked, by the learner's progress."""
    return json.loads((home / "progress.json").read_text())["exercises"]["00.1"]["attempts"]


def run(client, cells=None) -> None:
    """Execute cells (by number; default: all) in the client's kernel; an error in one raises."""
    for number, cell in enumerate(client.nb.cells) if cells is None else cells:
        if cell.cell_type == "code":
            client.execute_cell(cell, number)


def printed(client, expression: str) -> str:
    """What the kernel prints for an expression."""
    cell = nbformat.v4.new_code_cell(f"print({expression})")
    client.nb.cells.append(cell)
    client.execute_cell(cell, len(client.nb.cells) - 1)
    return cell.outputs[0].text.strip()


def listens(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def test_the_same_lesson_in_two_kernels_at_once_loses_no_progress(lesson, tmp_path):
    async def both():
        await asyncio.gather(*(kernel_for(lesson).async_execute() for _ in range(2)))

    asyncio.run(both())
    assert attempts(tmp_path / "the state") == 2


def test_a_lesson_runs_again_in_disorder_and_leaves_no_stale_server(lesson, tmp_path):
    client = kernel_for(lesson)
    with client.setup_kernel():
        run(client)
        first = int(printed(client, "site.port"))
        assert listens(first)
        numbered = list(enumerate(client.nb.cells))
        served = [one for one in numbered if "serve(" in one[1].source]
        run(client, reversed(served))  # the second server's cell, then the first's
        run(client, numbered[len(numbered) // 2 :])
        run(client, numbered)
        again = int(printed(client, "site.port"))
        assert listens(again)
        assert not listens(first)
    assert not listens(again)
    assert attempts(tmp_path / "the state") == 2


def test_a_restarted_kernel_begins_anew_and_remembers_progress(lesson, tmp_path):
    ports = []
    for _ in range(2):
        client = kernel_for(lesson)
        with client.setup_kernel():
            run(client)
            ports.append(int(printed(client, "site.port")))
        assert not listens(ports[-1])
    assert attempts(tmp_path / "the state") == 2
