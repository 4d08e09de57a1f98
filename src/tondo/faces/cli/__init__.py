"""The command line: noun and verb, help without imports, errors without tracebacks.

Comes in: words. Goes out: tables for people, `--json` for programs, an exit code by fault.
Holds: everyday verbs are written by hand, the others come from the table of operations.
"""
