"""Blobs through obstore, the only folder that imports it.

Comes in: a root folder. Goes out: `blobs.ObstoreBlobs`.
Holds: written under a temporary name, flushed, renamed, and only then acknowledged.
"""
