"""What the instructor's commands have in common: the class that they work on, `--json`, and a progress bar."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from .class_folder import ClassFolder


def _class_folder(context: click.Context, option: click.Parameter, folder: Path) -> ClassFolder:
    return ClassFolder(folder.absolute())


#: Gives the command `klass`, a ClassFolder.
class_option = click.option(
    "--class",
    "klass",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("class"),
    show_default=True,
    callback=_class_folder,
    help="The folder of the class.",
)
#: Gives the command `as_json`, a bool.
json_option = click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON, for a script.")


def tell(done: dict, lines: Iterable[str], notes: Iterable[str], as_json: bool) -> None:
    """Print what was done: for a person `lines`, and the `notes` on standard error; for a script both as JSON."""
    notes = list(notes)
    if as_json:
        click.echo(json.dumps(done | {"notes": notes}, indent=2))
        return
    for line in lines:
        click.echo(line)
    for note in notes:
        click.echo(note, err=True)


@contextmanager
def progress(what: str, total: int | None) -> Iterator:
    """A bar on standard error while a command is at work; gives the function that moves it on by one."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(what, total=total)
        yield lambda: shown.advance(task)
