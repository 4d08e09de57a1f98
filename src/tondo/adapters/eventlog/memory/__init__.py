"""The event log in memory, for tests and notebooks.

Comes in: payloads. Goes out: the same streams, segments and positions as on files.
Holds: the same contract suite; nothing survives the process.
"""
