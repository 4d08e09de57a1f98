"""The rules that compare statistics with a schema, one a file.

Comes in: statistics and schema of a column or of the batch. Goes out: anomalies with patches.
Holds: a threshold met exactly passes; applying every patch leaves no anomaly.
"""
