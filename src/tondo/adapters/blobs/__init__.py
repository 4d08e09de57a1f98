"""Where immutable bytes are kept, named by their digest.

Comes in: bytes and local files. Goes out: `ObstoreBlobs` (folder) and `MemoryBlobs` (its twin).
Holds: an acknowledged object is whole and durable; a damaged one is never handed out.
"""
