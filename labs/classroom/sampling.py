"""The command `samples`: a class of nobody, to try the other commands on."""

import click

from .class_folder import lab_name
from .options import class_option, json_option, progress, tell


@click.command()
@click.argument("number", metavar="LAB")
@class_option
@click.option("--learners", type=click.IntRange(1), metavar="N", help="How many. Default: one of each kind.")
@json_option
def samples(number, klass, learners, as_json):
    """Write made-up submissions of a LAB ("19") into a class.

    They are right in several ways, wrong in many, empty, broken and hostile (without doing harm), and the learners'
    names say which. What somebody else has handed in under such a name stays as it is.

    \b
    A class from nothing to its grades:
      python -m labs.classroom samples 19
      python -m labs.classroom grade 19
      python -m labs.classroom feedback 19
      python -m labs.classroom report 19
    """
    from .samples import Material, write_samples
    from .submission import find_lab

    lab = find_lab(number)
    klass.create()
    with progress(f"samples of lab {lab.number}", learners) as tick:
        written, kept = write_samples(klass, Material(lab), learners, tick)
    tell(
        {"lab": lab_name(lab.number), "written": written, "kept": kept},
        [f"Lab {lab.number}: {len(written)} sample{'' if len(written) == 1 else 's'} in {klass.root / 'submitted'}."],
        [f"{name} has handed in something else already: it stays." for name in kept],
        as_json,
    )
