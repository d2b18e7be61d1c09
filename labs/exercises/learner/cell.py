"""One exercise cell, run in a namespace of its own with the imports that the exercise allows."""

import ast
import builtins
import traceback

FILE = "your cell"


class Forbidden(ImportError):
    """An import that the exercise does not allow."""


def allows(name, allowed):
    """Whether module `name`, or a package that holds it, is in `allowed`."""
    return any(name == one or name.startswith(one + ".") for one in allowed)


def run(source, allowed, given=""):
    """Execute the cell's source (text) and return its namespace (dict). Raises what the cell raises.

    `given` (text) is executed before it in the same namespace. It is the judge's, and may import what it likes.
    """

    def guarded(name, globals=None, locals=None, fromlist=(), level=0):
        # Only the cell's own code meets this function: the modules that it imports have Python's own.
        if not allows(name, allowed):
            raise Forbidden(refusal(name, allowed))
        return builtins.__import__(name, globals, locals, fromlist, level)

    namespace = {"__name__": "__main__"}
    exec(compile(given, "what is given", "exec", dont_inherit=True), namespace)
    namespace["__builtins__"] = {**vars(builtins), "__import__": guarded}
    exec(compile(source, FILE, "exec", dont_inherit=True), namespace)
    return namespace


def refusal(name, allowed):
    """The sentence for an import that is not allowed."""
    return f"this exercise may not import {name}: it may import {', '.join(sorted(allowed)) or 'nothing'}"


def imports(source):
    """The modules that the cell's text imports (list of str). Raises SyntaxError."""
    found = []
    for node in ast.walk(ast.parse(source, FILE)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append("." * node.level + (node.module or ""))
    return found


def place(error):
    """The line number of the learner's cell in which `error` was raised, or None."""
    numbers = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == FILE]
    return numbers[-1] if numbers else None
