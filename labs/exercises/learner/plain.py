"""Plain data on the wire between the judge and the learner's process: JSON, and bytes as base64.

Plain is: None, bool, int, float, str, bytes, list, tuple (arrives as a list) and dict with text keys.
Both sides import this file and nothing else of each other.
"""

import base64
import json

LIMIT = 1_000_000  # characters a message may have


class NotPlain(Exception):
    """A value that is no plain data; the message says what it was."""


class Remote:
    """An object of the judge's, used from the learner's process: each method call is a message there and back."""

    def __init__(self, name, ask):
        self._name, self._ask = name, ask

    def __getattr__(self, method):
        if method.startswith("_"):
            raise AttributeError(method)
        return lambda *args: self._ask(self._name, method, list(args))

    def __call__(self, *args, **kwargs):
        return self._ask(self._name, "call", [list(args), kwargs])

    def __repr__(self):
        return f"<{self._name} of the judge>"


def to_wire(value, depth=0):
    """The JSON form of a plain value. Raises NotPlain."""
    if depth > 100:
        raise NotPlain("data nested more than 100 deep")
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) in (bytes, bytearray):
        return {"$bytes": base64.b64encode(value).decode()}
    if type(value) in (list, tuple):
        return [to_wire(item, depth + 1) for item in value]
    if type(value) is dict:
        for key in value:
            if type(key) is not str:
                raise NotPlain(f"a dict with the key {key!r:.40}, which is not text")
        items = {key: to_wire(item, depth + 1) for key, item in value.items()}
        return {"$dict": items} if any(key.startswith("$") for key in value) else items
    if isinstance(value, Remote):
        return {"$remote": value._name}
    raise NotPlain(f"an object of type {type(value).__name__}")


def from_wire(value, remote=None):
    """The value that to_wire() was given; `remote(name)` makes the stand-in for an object of the judge's."""
    if isinstance(value, list):
        return [from_wire(item, remote) for item in value]
    if not isinstance(value, dict):
        return value
    if "$bytes" in value:
        return base64.b64decode(value["$bytes"])
    if "$remote" in value and remote is not None:
        return remote(value["$remote"])
    return {key: from_wire(item, remote) for key, item in value.get("$dict", value).items()}


def line(message):
    """One message as a line of bytes. Raises NotPlain when it is too long."""
    text = json.dumps(message)  # ASCII only: a lone surrogate in a learner's text does no harm
    if len(text) > LIMIT:
        raise NotPlain(f"more than {LIMIT:,} characters of data")
    return text.encode() + b"\n"
