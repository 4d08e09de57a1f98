"""How older ledgers become present ones.

Comes in: a connection inside a transaction. Goes out: the same ledger at the newest version.
Holds: a migration is one file in `versions/`, is never changed once released, loses nothing.
"""
