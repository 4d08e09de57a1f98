"""The way of the data, one folder a stage; a stage imports only stages before it.

Comes in: what it needs (ledger, blobs, engine, clock) by keyword. Goes out: frozen values.
Holds: no adapter, no workflow, no HTTP.
"""
