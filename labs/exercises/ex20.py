"""Exercises of lesson 20, A JWT by hand."""
