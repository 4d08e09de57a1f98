"""Event logs: append-only streams of frames.

Comes in: payloads. Goes out: segments that readers follow by position.
Holds: one folder per store, the same file names in each.
"""
