"""Exercises of lesson 21, Keys: who can mint?."""
