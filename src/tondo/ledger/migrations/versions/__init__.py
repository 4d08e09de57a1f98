"""One migration a file, in the order of their numbers.

Comes in: the version before. Goes out: the version that names the file.
Holds: a released migration is never changed.
"""
