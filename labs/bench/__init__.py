"""The ground floor: serve an app, record the wire, move the clock, and say what this machine offers."""

from .browser import NoBrowser, browser
from .clock import skip
from .errors import BenchError
from .offers import Offer, offers
from .parts import postgres_part, redis_part
from .server import Site, serve
from .state import home, learner_seed
from .visitor import Response, Visitor
from .wire import Exchange, WireLog

__all__ = [
    "BenchError",
    "Exchange",
    "NoBrowser",
    "Offer",
    "Response",
    "Site",
    "Visitor",
    "WireLog",
    "browser",
    "home",
    "learner_seed",
    "offers",
    "postgres_part",
    "redis_part",
    "serve",
    "skip",
]
