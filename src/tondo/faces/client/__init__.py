"""A thin client of REST, for programs that have the base install only.

Comes in: an operation's name and arguments. Goes out: plain JSON values, or the coded error.
Holds: the table of operations says the addresses; standard library and msgspec are enough.
"""

from __future__ import annotations

from tondo.faces.client.client import Client

__all__ = ["Client"]
