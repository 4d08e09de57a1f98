"""The wire shapes of scoring: native rows and the Open Inference Protocol V2.

Comes in: request bodies. Goes out: rows for the scoring path, and its answers as JSON.
Holds: no HTTP; both faces of the scorer (fast path and Starlette) use the same functions.
"""
