"""The command line: `python -m labs.classroom build | lab | reset`, and the commands of an instructor."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .course import HERE, Course, find
from .errors import ClassroomError

#: An instructor's commands, each with the module that holds it under the command's own name. What a learner is
#: handed has not these modules, and so not these commands.
INSTRUCTORS = {
    "assign": "assigning",
    "collect": "assigning",
    "grade": "grade_command",
    "feedback": "returning",
    "report": "returning",
    "samples": "sampling",
}


class Commands(click.Group):
    """The commands of this module, and those of INSTRUCTORS that are there: imported when they are asked for."""

    def list_commands(self, context: click.Context) -> list[str]:
        """The names of all of them."""
        return super().list_commands(context) + [name for name in INSTRUCTORS if _is_there(name)]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """The command of this name, or None."""
        if not _is_there(name):
            return super().get_command(context, name)
        return getattr(import_module(f".{INSTRUCTORS[name]}", __package__), name)


def _is_there(name: str) -> bool:
    return name in INSTRUCTORS and find_spec(f"{__package__}.{INSTRUCTORS[name]}") is not None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--course",
    "root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=HERE,
    help="The course's folder, with solutions/ and notebooks/. Default: the one this command belongs to.",
)
@click.pass_context
def main(context: click.Context, root: Path):
    """Build the course's notebooks, and open them in JupyterLab; hand labs out to a class, and grade them."""
    context.obj = Course(root.resolve())


@main.command()
@click.argument("names", nargs=-1)
@click.option("--check", is_flag=True, help="Write nothing; say what is not up to date; exit 1 if anything.")
@click.option("--again", is_flag=True, help="Run also what is up to date: after a change in labs/, say.")
@click.pass_obj
def build(course: Course, names: tuple[str, ...], check: bool, again: bool):
    """Run solutions/, and make notebooks/ from it.

    NAMES are numbers ("10") or file names; without any, all notebooks are meant. What is up to date is not
    run again, and a second build changes no byte.

    \b
    How to change a lesson
      1. Edit solutions/10_*.ipynb in JupyterLab and save it. Or edit it as text:
           jupytext --to py:percent -o lesson.py solutions/10_*.ipynb
           ... edit lesson.py ...
           jupytext --to ipynb --update -o solutions/10_*.ipynb lesson.py
      2. python -m labs.classroom build 10
      3. pytest --nbval --nbval-sanitize-with tests/nbval_sanitize.cfg {notebooks,solutions}/10_*.ipynb

    \b
    An exercise is two cells, and needs no metadata by hand:
      def new_id():
          ### BEGIN SOLUTION an id that nobody guesses
          return secrets.token_urlsafe(32)
          ### END SOLUTION
    and after it
      check("10.1", new_id)

    A learner gets `raise NotImplementedError("Exercise 10.1: an id that nobody guesses")` in their place;
    they stand inside a def. Cells get readable ids; one that you gave yourself stays. A cell whose output is
    a measurement gets the tag nbval-ignore-output, and the cell after it prints what can be compared.
    """
    from .build import Builder  # nbclient, nbgrader and the exercises take a second to import

    if check and again:
        raise click.UsageError("--check runs nothing, so it does not go with --again.")
    paths = find(course.solutions, names)
    builder = Builder(course, _declared_points())
    failures = _check(builder, paths, all_of_them=not names) if check else _build(builder, paths, again)
    if failures:
        for sentence in failures:
            click.echo(sentence, err=True)
        raise SystemExit(1)
    if check:
        click.echo(f"{_count(paths)}: solutions/ and notebooks/ are up to date.")


@main.command()
@click.pass_obj
def lab(course: Course):
    """Copy notebooks/ into work/, and open JupyterLab there.

    A copy that is there already is never overwritten.
    """
    from .copies import hand_out
    from .lab import start

    for sentence in hand_out(course):
        click.echo(sentence)
    start(course)


@main.command()
@click.argument("name")
@click.pass_obj
def reset(course: Course, name: str):
    """Put a fresh copy of notebook NAME ("10") into work/, and keep the old one in work/kept/."""
    from .copies import renew

    click.echo(renew(course, name))


def _declared_points() -> dict[str, int]:
    from labs.exercises import all_exercises

    return {exercise.id: exercise.points for exercise in all_exercises()}


def _check(builder, paths: list[Path], all_of_them: bool) -> list[str]:
    found = builder.orphans() if all_of_them else []
    for path in paths:
        try:
            found += builder.problems(path)
        except ClassroomError as error:
            found.append(error.message)
    return found


def _build(builder, paths: list[Path], again: bool) -> list[str]:
    """Build each; one that fails does not keep the others from being built."""
    failures, written = [], []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # On standard error, where a bar does not mix with what a script reads from this command.
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        notebooks = progress.add_task("notebooks", total=len(paths))
        for path in paths:
            cells = progress.add_task(f"cells of {path.stem}", total=None)
            try:
                written += builder.build(path, again, tick=lambda task=cells: progress.advance(task))
            except ClassroomError as error:
                failures.append(error.message)
            progress.remove_task(cells)
            progress.advance(notebooks)
    for label in written:
        click.echo(f"built {label}")
    click.echo(f"{_count(paths)}: {len(written)} written, {len(failures)} failed.")
    return failures


def _count(paths: list[Path]) -> str:
    return "1 notebook" if len(paths) == 1 else f"{len(paths)} notebooks"
