"""Figures with their conditions: timing, bytes on the wire, and what the course itself costs."""
