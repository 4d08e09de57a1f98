"""Online stores: sorted bytes to bytes, read per request.

Comes in: keys and values made by `scoring/online.py`. Goes out: the same bytes, consistently.
Holds: one folder per library; each `store.py` passes `tests/contract/test_online_stores.py`.
"""
