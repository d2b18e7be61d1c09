"""Fernbank's desk and its gate as short classes, and flaws to plant in them: lab 39."""

from labs.servers.planted.plant import FLAWS, chosen, flaws, places, planted, source, source_with, with_flaws

__all__ = ["FLAWS", "chosen", "flaws", "places", "planted", "source", "source_with", "with_flaws"]
