"""The feature language: what an expression means, and that meaning on one row.

Comes in: expression text, stored trees, rows.
Goes out: checked trees, compiled row functions, fitted parameters, exact windows.
Holds: no engine, no IO but the zone files of the tzdata package; no text of a tree is executed.
"""
