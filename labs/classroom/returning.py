"""The commands `feedback` and `report`: what learners get back, and what their instructor reads and uploads."""

import click

from .class_folder import ClassFolder, lab_name
from .errors import ClassroomError
from .grading import Graded
from .options import class_option, json_option, progress, tell
from .submission import Lab, find_lab


@click.command()
@click.argument("number", metavar="LAB")
@class_option
@click.option("--learner", "chosen", multiple=True, metavar="NAME", help="Only this one's page. May be repeated.")
@click.option("--lessons", metavar="ADDRESS", default="", help="Where learners find the lessons: a folder's address.")
@json_option
def feedback(number, klass, chosen, lessons, as_json):
    """Write a page for each learner whose LAB ("19") is graded.

    The pages are feedback/<learner>/labNN/*.html, one file each that needs nothing else, and where nbgrader looks for
    them: `nbgrader release_feedback` hands them out. They say what held, what did not, and where to read on; what a
    person wrote into the gradebook, points and comments, is on them. What is up to date is not written again.

    A page names the draw that it is about, so that its learner can see it again. Grade a second hand-in with
    `grade --attempt 2`, which draws anew.

    On a hub, lessons become links with --lessons https://HUB/hub/user-redirect/lab/tree/notebooks
    """
    from .feedback import write_feedback
    from .marks import read_book

    if lessons and not lessons.startswith(("https://", "http://")):
        raise ClassroomError(f"--lessons {lessons!r} is no address: it begins with https:// or http://.")
    lab = find_lab(number)
    everybody, damaged = graded_ones(klass, lab)
    unknown = sorted(set(chosen) - set(everybody) - set(damaged))
    if unknown:
        raise ClassroomError(f"{', '.join(map(repr, unknown))}: no grade of lab {lab.number} is there for this name.")
    wanted = sorted(set(chosen) & set(everybody)) if chosen else list(everybody)
    if not wanted and not damaged:
        raise ClassroomError(f"Lab {lab.number} is not graded yet in {klass.root}: `classroom grade` does it.")
    book, written = read_book(klass, lab), []
    with progress(f"feedback for lab {lab.number}", len(wanted)) as tick:
        for learner in wanted:
            if write_feedback(klass, lab, learner, everybody[learner], book, lessons):
                written.append(learner)
            tick()
    pages = f"{len(wanted)} page{'' if len(wanted) == 1 else 's'}"
    tell(
        {"lab": lab_name(lab.number), "written": written, "up_to_date": sorted(set(wanted) - set(written))},
        [f"Lab {lab.number}: {pages} in {klass.root / 'feedback'}, {len(written)} of them new or changed."],
        damaged.values(),
        as_json,
    )
    if damaged:
        raise SystemExit(1)


def graded_ones(klass: ClassFolder, lab: Lab) -> tuple[dict[str, Graded], dict[str, str]]:
    """What was found in each submission of a lab, by learner; and a sentence for each report that is damaged."""
    found, damaged = {}, {}
    for path in sorted(klass.graded("x", lab.number).parent.glob("*.json")):
        learner = path.name.removesuffix(".json")
        try:
            found[learner] = Graded.from_json(path.read_text("utf-8"))
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            damaged[learner] = f"{path!s} is damaged: grade {learner!r} again."
    return found, damaged
