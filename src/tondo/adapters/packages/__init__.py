"""Where sealed packages are fetched from: one folder a way.

Comes in: an address. Goes out: the file's bytes, at most so many.
Holds: nothing is believed of what was fetched; the package's own checks come after.
"""
