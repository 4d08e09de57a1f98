"""Launchers: start a scorer as a process of its own.

Comes in: arguments and limits. Goes out: a process with an address.
Holds: no process outlives the one that started it.
"""
