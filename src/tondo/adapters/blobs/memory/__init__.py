"""Blobs in memory, the twin of the stores that keep.

Comes in: nothing. Goes out: `blobs.MemoryBlobs`.
Holds: passes the same contract suite; gone when the process ends.
"""
