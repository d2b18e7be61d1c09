"""Exercises of lab 29, The token gate: one cell, judged in tiers."""
