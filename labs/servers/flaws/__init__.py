"""Vulnerable mechanisms, each beside the fixed one that it differs from by the flaw alone."""
