"""LightGBM: gradient boosted trees, kept in the library's own text form.

Comes in: a matrix and a label. Goes out: one native form for the runtime `lightgbm`.
Holds: needs the extra `lightgbm`; importing this folder does not load the library.
"""
