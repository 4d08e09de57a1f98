"""Scorers over HTTP, by the standard library alone.

Comes in: bodies. Goes out: status and bodies. Holds: one connection, one request after the other.
"""
