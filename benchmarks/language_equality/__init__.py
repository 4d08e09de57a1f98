"""Grown expressions on hard rows, answered by every engine and judged by the interpreter.

Comes in: a seed. Goes out: how many pairs agree, what is undecided, what was covered.
Holds: engines are found, not listed; a mismatch is told whole.
"""
