"""The scorer beside a bare protocol and other model servers: one model, one row a request, over HTTP.

Comes in: nothing. Goes out: tables for docs/benchmarks.md. Holds: every answer is checked before
it is timed; what is compared was measured in interleaved pairs.
"""
