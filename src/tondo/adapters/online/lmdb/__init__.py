"""The online store in LMDB: many reading processes beside one writer at a time.

Comes in: pairs of bytes. Goes out: the same, in key order, by memory map.
Holds: the only import of lmdb; a kill at any instant leaves the last whole batch.
"""
