"""Exercises of lesson 22, Access and refresh."""
