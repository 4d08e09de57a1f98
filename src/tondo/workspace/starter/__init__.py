"""A first project from a table: what `tondo init` writes.

Comes in: a file, the label's column, the time's column when there is one.
Goes out: one commented definition file. Holds: each guess is written down with its reason.
"""
