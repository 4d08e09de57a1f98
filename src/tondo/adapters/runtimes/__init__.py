"""Runtimes: what turns feature vectors into scores.

Comes in: a package's model files. Goes out: scores of one row or of a table, the same bits.
Holds: no training code is imported; a missing library is named with its extra.
"""
