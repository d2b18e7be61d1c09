"""Mallory's own web site: pages for her victims, and whatever those bring to her."""

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote

from labs.bench import Exchange, Site, serve

from .browsing import Person

__all__ = ["MalloryS"]
