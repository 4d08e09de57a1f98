"""Sketches by Apache DataSketches.

In: batches of a column's values, or kept bytes. Out: estimates with their bounds, and bytes.
Holds: KLL for quantiles, HLL for distinct values, frequent items after Misra and Gries.
"""
