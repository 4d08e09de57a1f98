"""The online store in memory, for tests and for scoring without a disk.

Comes in: pairs of bytes. Goes out: the same, in key order.
Holds: the same contract as LMDB, within one process; nothing survives it.
"""
