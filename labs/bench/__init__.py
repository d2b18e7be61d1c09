"""The ground floor: serve an app, record the wire, move the clock, and say what this machine offers."""

from .clock import skip
from .errors import BenchError
from .server import Site, serve
from .state import home, learner_seed
from .visitor import Response, Visitor
from .wire import Exchange, WireLog

__all__ = [
    "BenchError",
    "Exchange",
    "Response",
    "Site",
    "Visitor",
    "WireLog",
    "home",
    "learner_seed",
    "serve",
    "skip",
]
