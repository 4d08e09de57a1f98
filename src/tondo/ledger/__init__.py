"""What is known and how it came about: records, edges, pointers, events, executions.

Comes in: frozen values with their parents. Goes out: `Ledger` and the values of `values.py`.
Holds: what was committed survives a kill; a record never changes; only pointers move.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.ledger.values import Edge, Event, Lineage, Move, Pointer, Record

if TYPE_CHECKING:
    from tondo.ledger.ledger import Ledger

__all__ = ["Edge", "Event", "Ledger", "Lineage", "Move", "Pointer", "Record"]


def __getattr__(name: str) -> Any:
    """Import the ledger, and with it SQLAlchemy, when it is first asked for."""
    if name == "Ledger":
        from tondo.ledger.ledger import Ledger

        return Ledger
    raise AttributeError(name)
