"""What tondo needs from the world, as protocols.

Comes in: nothing. Goes out: one protocol a file, implemented in `adapters/`.
Holds: no implementation, no IO, no third-party library at run time.
"""
