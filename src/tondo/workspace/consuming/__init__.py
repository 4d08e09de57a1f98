"""Consumers of a workspace: shadows, replays, streams and batches put together from its parts.

Comes in: the parts, deployments and versions by name. Goes out: answers for a purpose, and reports.
Holds: a consumer runs once at a time, and what it writes says how far it is.
"""
