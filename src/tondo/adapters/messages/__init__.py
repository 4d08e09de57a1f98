"""Messages of other tools.

Comes in: bytes. Goes out: plain documents, and back.
Holds: what a document means is decided in stages/data/exchange.
"""
