"""REST over the table of operations.

Comes in: HTTP requests with JSON. Goes out: the verbs' own values as JSON, errors in one shape.
Holds: addresses, parameters and OpenAPI are read from the table; nothing is written twice.
"""
