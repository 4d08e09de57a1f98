"""What every room may use: errors, ids, canonical JSON, column types, intervals.

Comes in: nothing but the standard library, msgspec and blake3.
Goes out: small frozen values and pure functions.
Holds: no IO, no clock, no HTTP.
"""
