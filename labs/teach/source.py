"""From what a learner gives to check() to the text of the cell that defined it."""

import ast
import inspect
import linecache
import sys
import types

from labs.bench import BenchError


class NoSource(BenchError):
    """What was given to check() leads to no cell; the message says what to give instead."""


def cell_of(things: tuple, call: str) -> str:
    """The source text of the one cell that defined all `things` (functions and classes).

    `call` is how the call should read, such as 'check("10.4", Sessions)', for the sentence. Raises NoSource.
    """
    if not things:
        raise NoSource(f"Give check what you wrote, by its name: {call}.")
    sources = [_cell_of_one(thing, call) for thing in things]
    for thing, source in zip(things, sources, strict=True):
        if source != sources[0]:
            raise NoSource(
                f"{things[0].__name__} and {thing.__name__} come from different cells, or from different runs of one. "
                "Put both in the same cell, run that cell, and check again."
            )
    return sources[0]


def _cell_of_one(thing, call):
    _refuse_what_is_no_definition(thing, call)
    codes = list(_codes(thing))
    if getattr(thing, "__module__", None) != "__main__":
        raise NoSource(f"{thing.__name__} comes from {thing.__module__}, not from a cell of yours. Check what you wrote.")
    for code in codes:
        if lines := linecache.getlines(code.co_filename):
            return "".join(lines)
    if isinstance(thing, type) and (source := _last_cell_with_class(thing.__name__)):
        return source
    raise NoSource(f"The source of {thing.__name__} was not found. Define it in a cell, run the cell, and check again.")


def _refuse_what_is_no_definition(thing, call):
    kind = type(thing).__name__
    if isinstance(thing, str):
        raise NoSource(f"check was given text. Give it the thing itself, without quotes or brackets: {call}.")
    if isinstance(thing, types.MethodType):
        raise NoSource(f"check was given the method {thing.__name__} of one object. Give it the class: {call}.")
    if isinstance(thing, types.BuiltinFunctionType | types.BuiltinMethodType):
        raise NoSource(f"{thing.__name__} is a part of Python. Give check what you wrote yourself: {call}.")
    if isinstance(thing, types.FunctionType) and thing.__name__ == "<lambda>":
        raise NoSource(f"check was given a lambda, which has no name. Write it as a def with its name: {call}.")
    if isinstance(thing, type) and thing.__module__ == "builtins":
        raise NoSource(f"{thing.__name__} is a part of Python. Give check what you wrote yourself: {call}.")
    if not isinstance(thing, type) and not isinstance(inspect.unwrap(thing), types.FunctionType):
        if type(thing).__module__ == "__main__":
            raise NoSource(f"check was given an object made from {kind}. Give it the class itself: {call}.")
        raise NoSource(
            f"check was given {'nothing (None)' if thing is None else f'a value of type {kind}'}, perhaps what a call "
            f"returned. Give it the thing itself, without brackets behind it: {call}."
        )


def _codes(thing):
    """The code objects of a function, or of the functions in a class's own body."""
    members = vars(thing).values() if isinstance(thing, type) else [thing]
    for member in members:
        if isinstance(member, property):
            member = member.fget
        member = inspect.unwrap(getattr(member, "__func__", member)) if callable(
            getattr(member, "__func__", member)) else member
        if isinstance(member, types.FunctionType):
            yield member.__code__


def _last_cell_with_class(name):
    """The last cell in IPython's history that defines class `name`: for a class that holds no function."""
    for cell in reversed(vars(sys.modules["__main__"]).get("In", [])):
        try:
            body = ast.parse(cell).body
        except SyntaxError:  # a cell with magics, or one that failed
            continue
        if any(isinstance(node, ast.ClassDef) and node.name == name for node in body):
            return cell
    return None


def plain(things: tuple, call: str):
    """The one value of plain data that was given as an answer. Raises NoSource."""
    if len(things) != 1:
        raise NoSource(f"This exercise takes one answer: {call}.")
    answer = things[0]
    if callable(answer):
        raise NoSource(f"This exercise asks for data, and got {getattr(answer, '__name__', 'a function')}. {call}.")
    _refuse_what_is_not_plain(answer)
    return answer


def _refuse_what_is_not_plain(value, depth=0):
    if depth > 50:
        raise NoSource("The answer is nested too deeply.")
    if isinstance(value, list | tuple):
        inside = value
    elif type(value) is dict and all(isinstance(key, str) for key in value):
        inside = value.values()
    elif value is None or type(value) in (bool, int, float, str, bytes):
        inside = ()
    else:
        raise NoSource(
            f"An answer is plain data: text, numbers, True, False, None, and lists and dicts (with text as keys) of "
            f"them. Yours holds a {type(value).__name__}."
        )
    for item in inside:
        _refuse_what_is_not_plain(item, depth + 1)
