"""Feature services over HTTP, by the standard library alone.

Comes in: keys. Goes out: values of features. Holds: an answer that does not fit is an error.
"""
