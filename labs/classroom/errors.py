"""What the classroom says when something cannot be done."""

import click


class ClassroomError(click.ClickException):
    """A full sentence: what was wrong, what to do. The command line prints it and exits with code 1."""
