"""What sources are read from: databases and object stores.

Comes in: addresses with no secret in them. Goes out: Arrow tables, listings and local copies.
Holds: nothing is written there; a secret comes from the environment and is never told.
"""
