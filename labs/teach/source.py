"""From what a learner gives to check() to the text of the cell that defined it, or to plain data."""

import ast
import inspect
import linecache
import sys
from collections.abc import Iterator
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType

from labs.bench import BenchError


class NoSource(BenchError):
    """What was given to check() cannot be judged; the message says what to give instead."""


def cell_of(things: tuple, call: str) -> str:
    """The source text of the one cell that defined all `things` (functions and classes).

    `call` is how the call should read, such as 'check("10.4", Sessions)', for the sentences. Raises NoSource.
    """
    if not things:
        raise NoSource(f"Give check what you wrote, by its name: {call}.")
    sources = [_cell_of_one(thing, call) for thing in things]
    for thing, source in zip(things, sources, strict=True):
        if source != sources[0]:
            raise NoSource(
                f"{things[0].__name__} and {thing.__name__} come from different cells, or from different "
                "versions of one. Put both into the same cell, run it, and check again."
            )
    return sources[0]


def _cell_of_one(thing, call: str) -> str:
    if wrong := _no_definition(thing):
        raise NoSource(f"{wrong}: {call}.")
    if thing.__module__ != "__main__":
        raise NoSource(
            f"{thing.__name__} comes from {thing.__module__}, not from a cell of this notebook. Give check "
            f"what you wrote yourself: {call}."
        )
    for code in _codes(thing):
        if lines := linecache.getlines(code.co_filename):
            return "".join(lines)
    if isinstance(thing, type) and (source := _last_cell_with_class(thing.__name__)):
        return source
    raise NoSource(
        f"The cell that defines {thing.__name__} was not found. Define it in a cell without % magics, run "
        "that cell, and check again."
    )


def _no_definition(thing) -> str:
    """What is wrong with `thing` and what to give instead, or "" when it is a function or a class."""
    kind = type(thing)
    if isinstance(thing, MethodType):
        return f"check was given {thing.__name__}, a method of one object. Give it the whole class"
    if isinstance(thing, BuiltinFunctionType) or (isinstance(thing, type) and thing.__module__ == "builtins"):
        return f"{thing.__name__} is a part of Python. Give check what you wrote yourself"
    if isinstance(thing, FunctionType) and thing.__name__ == "<lambda>":
        return "check was given a lambda, which has no name. Write it as a def, and give check its name"
    if isinstance(thing, type) or isinstance(inspect.unwrap(thing), FunctionType):
        return ""
    if kind.__module__ == "__main__":
        return f"check was given an object made from {kind.__name__}. Give it the class itself"
    if isinstance(thing, str):
        return "check was given text. Give it the thing itself, without quotes or brackets"
    what = "None" if thing is None else f"a value of type {kind.__name__}"
    return f"check was given {what}. Give it the thing itself, without brackets behind its name"


def _codes(thing) -> Iterator[CodeType]:
    """The code objects of a function, or of the functions that a class's own body defines."""
    if isinstance(thing, FunctionType) or not isinstance(thing, type):
        yield inspect.unwrap(thing).__code__
        return
    for member in vars(thing).values():
        member = getattr(member, "fget", None) or getattr(member, "__func__", member)
        member = inspect.unwrap(member) if callable(member) else member
        if isinstance(member, FunctionType) and member.__qualname__.startswith(f"{thing.__qualname__}."):
            yield member.__code__


def _last_cell_with_class(name: str) -> str | None:
    """The last cell in IPython's history that defines class `name`: for a class that holds no function."""
    for cell in reversed(vars(sys.modules["__main__"]).get("In", [])):
        try:
            body = ast.parse(cell).body
        except SyntaxError:  # a cell that failed
            continue
        if any(isinstance(node, ast.ClassDef) and node.name == name for node in body):
            return cell
    return None


def plain(things: tuple, call: str):
    """The one value of plain data that was given as an answer. Raises NoSource."""
    if len(things) != 1:
        raise NoSource(f"This exercise takes one answer: {call}.")
    if callable(things[0]):
        name = getattr(things[0], "__name__", "something that can be called")
        raise NoSource(f"This exercise asks for data, and was given {name}. Give check the value: {call}.")
    _refuse_what_is_not_plain(things[0])
    return things[0]


def _refuse_what_is_not_plain(value, depth: int = 0) -> None:
    inside = []
    if type(value) in (list, tuple):
        inside = value
    elif type(value) is dict:
        inside = [*value.keys(), *value.values()]
    elif value is not None and type(value) not in (bool, int, float, str, bytes):
        raise NoSource(
            "An answer is plain data: text, bytes, numbers, True, False, None, and lists and dicts of them. "
            f"Yours holds a {type(value).__name__}."
        )
    if depth > 50:
        raise NoSource("This answer is nested more than 50 deep.")
    for item in inside:
        _refuse_what_is_not_plain(item, depth + 1)
