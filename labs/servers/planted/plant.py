"""Which flaws a learner's bank has, and the text of its desk or gate with these flaws in it.

A half of the bank, "desk" or "gate", is a module `labs.servers.planted.desk` with the sound class `Desk`, and a
module `desk_flaws` with subclasses of it, each of which overrides one method. What a learner reads is what runs: the
module's text, with the flawed methods in the place of the sound ones.
"""

import ast
import inspect
import io
import linecache
import random
import textwrap
import tokenize
from collections.abc import Iterable
from functools import cache
from importlib import import_module

from labs.bench.state import learner_seed

__all__ = ["FLAWS", "alone", "chosen", "flaws", "place", "places", "planted", "source", "source_with", "with_flaws"]

FLAWS = 5
"""How many each half of a learner's bank has."""


def flaws(half: str) -> dict[str, list[type]]:
    """Every flaw that there is, by the place (the method) where it stands; places in the order of the source."""
    module = import_module(f"labs.servers.planted.{half}_flaws")
    found: dict[str, list[type]] = {}
    for name in module.__all__:
        flaw = getattr(module, name)
        found.setdefault(place(flaw), []).append(flaw)
    return {name: found[name] for name in vars(_sound(half)) if name in found}


def places(half: str) -> list[str]:
    """The methods that may have a flaw, in the order of the source."""
    return list(flaws(half))


def place(flaw: type) -> str:
    """The one method that a flaw overrides."""
    (found,) = [name for name, member in vars(flaw).items() if callable(getattr(member, "__func__", member))]
    return found


def chosen(half: str, seed: str | None = None) -> list[type]:
    """The five flaws of a learner's bank, each at another place, in the order of the source.

    `seed`: the learner's (default: this learner's, `labs.bench.learner_seed()`).
    """
    draw = random.Random(f"{learner_seed() if seed is None else seed}/planted/{half}")
    there = flaws(half)
    taken = draw.sample(list(there), FLAWS)
    return [draw.choice(there[name]) for name in there if name in taken]


def source(half: str, seed: str | None = None) -> str:
    """The text of a learner's desk or gate: what it imports, and the class with its five flaws."""
    return source_with(half, chosen(half, seed))


def source_with(half: str, these: Iterable[type]) -> str:
    """The text of the class with these flaws in it (none: the sound class), without any comment."""
    return _text(half, tuple(these))


@cache
def _text(half: str, these: tuple[type, ...]) -> str:
    text = inspect.getsource(inspect.getmodule(_sound(half)))
    lines, methods = text.splitlines(), _methods(text)
    instead = {place(flaw): flaw for flaw in these}
    for name in sorted(instead, key=lambda one: -methods[one].lineno):  # from the end: numbers before it stay
        node = methods[name]
        first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
        lines[first - 1 : node.end_lineno] = _flawed(instead[name], ast.get_docstring(node))
    return _without_comments("\n".join(lines) + "\n")


ALONE = """

def _alone(cls, **options):
    for name in {others!r}:
        if name in vars(cls):
            delattr(cls, name)


{name}.__init_subclass__ = classmethod(_alone)
"""


def alone(half: str, flaw: type) -> str:
    """The text of the class with this one flaw, whose subclasses override no other place: theirs are dropped there.

    So each mend of a learner's is judged by itself.
    """
    others = [one for one in places(half) if one != place(flaw)]
    return source_with(half, [flaw]) + ALONE.format(others=others, name=half.capitalize())


def planted(half: str, seed: str | None = None) -> type:
    """The class of a learner's bank, made from `source(half, seed)`."""
    return with_flaws(half, chosen(half, seed))


def with_flaws(half: str, these: Iterable[type]) -> type:
    """The class with these flaws, made from its text."""
    text, file = source_with(half, these), f"<fernbank's {half}: {', '.join(one.__name__ for one in these)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)  # a traceback shows its lines
    namespace = {"__name__": f"fernbank.{half}"}
    exec(compile(text, file, "exec", dont_inherit=True), namespace)
    return namespace[half.capitalize()]


def _sound(half: str) -> type:
    return getattr(import_module(f"labs.servers.planted.{half}"), half.capitalize())


def _methods(text: str) -> dict[str, ast.FunctionDef]:
    *_, body = [node.body for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]  # errors stand first
    return {node.name: node for node in body if isinstance(node, ast.FunctionDef)}


def _flawed(flaw: type, says: str) -> list[str]:
    """The lines of a flawed method, with the docstring of the sound one: what it must do has not changed."""
    text = textwrap.dedent(inspect.getsource(flaw))
    node = _methods(text)[place(flaw)]
    lines = text.splitlines()
    first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
    head, body = lines[first - 1 : node.body[0].lineno - 1], lines[node.body[0].lineno - 1 : node.end_lineno]
    while head[-1].lstrip().startswith("#"):
        body.insert(0, head.pop())
    return [*head, f'        """{says}"""', *body]


def _without_comments(text: str) -> str:
    """The text without comments, which would tell a sound line from another."""
    lines = text.splitlines()
    for token in reversed(list(tokenize.generate_tokens(io.StringIO(text).readline))):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column].rstrip()
            if not lines[row - 1]:
                del lines[row - 1]
    return "\n".join(lines) + "\n"
