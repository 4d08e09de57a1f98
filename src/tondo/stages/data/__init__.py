"""Data: sources, snapshots, derived data sets, statistics, schema, anomalies.

Comes in: files, SQL over snapshots, definitions as plain dictionaries.
Goes out: commits of immutable snapshots, exact statistics, schemas and anomalies with patches.
Holds: equal content has equal digests; a snapshot never changes; no half-written state is seen.
"""
