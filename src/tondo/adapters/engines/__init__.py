"""Batch engines, one folder each.

Comes in: language trees, file tables and Arrow tables. Goes out: Arrow tables.
Holds: every engine passes `tests/contract/test_engines.py` and gives the interpreter's answers.
"""
