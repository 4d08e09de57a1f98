"""The consumer's process: scores beside live traffic what nobody waits for, at low priority.

Comes in: the project's folder. Goes out: answers for a purpose, in the event log.
Holds: it takes the processor only where live traffic leaves it, and may be killed at any instant.
"""
