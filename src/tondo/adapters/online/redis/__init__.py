"""The online store in Redis: many hosts read and write one store.

Comes in: pairs of bytes. Goes out: the same, in key order, each call one consistent view.
Holds: the only import of redis; a password never leaves `address.py`.
"""
