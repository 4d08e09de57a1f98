"""Statistics on Spark: one machine in local mode, a cluster, or Spark Connect.

Comes in: file tables and Arrow tables. Goes out: plain JSON values, Arrow tables.
Holds: the numbers of the DuckDB engine; values stay in Spark, only what is told reaches the driver.
"""
