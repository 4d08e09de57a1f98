"""Sketches, one folder a library.

In: batches of a column's values. Out: quantiles, frequent values and distinct counts with bounds.
Holds: two sketches of parts of a stream merge into one of the whole, in bounded memory.
"""
