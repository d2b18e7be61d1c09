"""The mechanisms in their final form, with the reason and the source beside every security decision."""
