"""`python -m labs.classroom`: see cli.py."""

from .cli import main

main(prog_name="python -m labs.classroom")
