"""Databases, through SQLAlchemy.

Comes in: a query of ports/databases.py. Goes out: its rows as Arrow, a key range at a time.
Holds: one read-only transaction, so that all ranges are of the same moment.
"""
