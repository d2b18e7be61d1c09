"""The commands that bring a lab to its learners and back: `assign` and `collect`."""

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import click

from .class_folder import ClassFolder
from .course import Course
from .options import class_option, json_option, progress, tell

A_ROSTER = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("labs", nargs=-1, required=True, metavar="LAB...")
@click.option(
    "--roster",
    type=A_ROSTER,
    help="The learners: CSV with a column id and, as there are, first_name, last_name, email, lms_user_id (Canvas's "
    "number). The class keeps a copy, so it is named once.",
)
@click.option("--only-zips", is_flag=True, help="Write the zips, and no folders beside them: for a large class.")
@class_option
@json_option
@click.pass_obj
def assign(
    course: Course, labs: tuple[str, ...], roster: Path | None, only_zips: bool, klass: ClassFolder, as_json: bool
):
    """Hand labs out: for each learner a folder and a zip, with a seed of their own.

    LAB is a number ("19"). Into the folder of the class go nbgrader's release of the lab (release/), the learners
    (gradebook.db), and what each of them gets (handed_out/labNN/): the lab without answers, the package that it runs
    on, and what `make lab` needs. Without a roster there is one of these, for everybody.

    The first time, this makes the class and its secret, from which all seeds follow (class.json: keep it, and keep it
    to yourself). Running it again changes only what is not up to date, so it goes on where it was stopped.

    \b
      python -m labs.classroom assign 19 29 --roster learners.csv
    """
    from . import assign as work
    from .handout import handout
    from .roster import read_roster
    from .submission import find_lab

    named = {lab.number: lab for lab in (find_lab(name, course) for name in labs)}.values()
    learners, notes = work.prepare(klass, read_roster(roster) if roster else None)
    names, done, lines = work.recipients(learners), [], []
    for lab in named:
        with progress(f"lab {lab.number}", len(names)) as tick:
            released = work.release(course, klass, lab)
            if not done:
                work.enrol(klass, learners)
            given = handout(course, lab, klass.release(lab.number))
            written = work.hand_out(klass, given, names, not only_zips, tick)
        where = klass.handed_out(lab.number)
        whole = {"lab": lab.number, "folder": str(where), "released": released}
        done.append(whole | {"handed_out": len(names), "written": written})
        whom = "everybody" if not learners else "1 learner" if len(names) == 1 else f"{len(names)} learners"
        lines.append(f"Lab {lab.number} for {whom}, {len(written)} written now: {where}")
    tell({"labs": done}, lines, notes, as_json)


@click.command()
@click.argument("lab")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option("--zone", default="", help="The zone of times in a zip, as Europe/Lisbon; else this machine's.")
@click.option("--roster", type=A_ROSTER, help="The learners, for this time: else those that the class keeps.")
@class_option
@json_option
@click.pass_obj
def collect(
    course: Course, lab: str, source: Path, zone: str, roster: Path | None, klass: ClassFolder, as_json: bool
):
    """Collect what was handed in for LAB ("19") from SOURCE, into the class's submitted/.

    \b
    SOURCE is
      the zip that Moodle or Canvas gives for all submissions, or the folder that it was unpacked into;
      nbgrader's exchange, or a course in it;
      a folder (or zip) with a notebook or folder for each learner, called as their id, e-mail or name.

    Whose it is the roster says. Of each learner the latest notebook is taken; what cannot be taken, or may be of two
    people, is a sentence, and keeps nothing else from being taken. Running it again, also on another source, replaces
    only what is older.
    """
    from . import collect as work
    from .roster import kept_roster, read_roster
    from .submission import find_lab

    the = find_lab(lab, course)
    learners = read_roster(roster) if roster else kept_roster(klass)
    with ExitStack() as stack:

        def begin(total: int):
            return stack.enter_context(progress(f"lab {the.number}", total))

        found = work.collect(klass, the, source, learners, _zone(zone), begin)
    taken = [asdict(one) | {"time": one.time and one.time.isoformat() + "Z"} for one in found.taken]
    lines = [
        f"Lab {the.number}: {len(found.taken)} collected now, {len(found.unchanged)} unchanged, "
        f"{len(found.kept)} older than what is there, {len(found.unusable)} unusable."
    ]
    if found.missing:
        named = f"{', '.join(found.missing[:10])}{' …' if len(found.missing) > 10 else ''}"
        lines.append(f"Nothing yet from {len(found.missing)} on the roster: {named}.")
    tell(asdict(found) | {"lab": the.number, "taken": taken}, lines, found.notes, as_json)


def _zone(name: str):
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, LookupError):
        raise click.BadParameter(f"{name} is no time zone: it is written as Europe/Lisbon or UTC.") from None
