"""Scoring: the sealed package, the one scoring path, the serving plan, what is logged.

Comes in: rows, a plan, packages, an online store. Goes out: answers and frames for the log.
Holds: imports core, language and ports only; runtimes and stores are handed in.
"""
