"""Object stores, through obstore.

Comes in: addresses such as s3://bucket/days/*.csv. Goes out: listings and local copies.
Holds: a copy is of the very object that was listed, or refused.
"""
