"""Outside feature services: one folder a way of asking.

Comes in: keys. Goes out: values of features. Holds: an answer that does not fit is an error.
"""
