"""The embedded batch engine on DuckDB.

Comes in: language trees, file tables and Arrow tables. Goes out: Arrow tables.
Holds: works offline, times are UTC, rows keep their order, user SQL reaches no file or network.
"""
