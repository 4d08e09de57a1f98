"""Scorers that are asked as callers ask them: one folder a protocol.

Comes in: an address. Goes out: answers. Holds: what is no whole answer is an error.
"""
