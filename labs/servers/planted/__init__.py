"""Fernbank's desk and its gate as short classes, and flaws to plant in them: lab 39."""

from labs.servers.planted.plant import (
    FLAWS,
    alone,
    chosen,
    flaws,
    place,
    places,
    planted,
    source,
    source_with,
    with_flaws,
)

__all__ = ["FLAWS", "alone", "chosen", "flaws", "place", "places", "planted", "source", "source_with", "with_flaws"]
