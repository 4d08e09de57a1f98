"""Engines in plain Python: the interpreter, and the functions that answer rows when serving.

Comes in: language trees, file tables and Arrow tables. Goes out: Arrow tables.
Holds: no engine beneath them; what they answer is what the language says, row by row.
"""
