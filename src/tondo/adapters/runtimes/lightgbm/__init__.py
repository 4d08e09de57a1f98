"""The runtime for LightGBM's own model text, by its C library.

Comes in: one model file. Goes out: scores.
Holds: the lightgbm Python package is never imported; the text is checked before C reads it.
"""
