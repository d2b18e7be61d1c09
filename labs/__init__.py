"""The course's own package: every notebook imports from here."""

__version__ = "1.0.0"
