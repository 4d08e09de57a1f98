"""What is declared of a column that a Python function computes."""

from __future__ import annotations

import msgspec


class FunctionColumn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A column that a Python function computes from other columns of its row."""

    python: str
    """`module:function` of the project's folder; it takes the columns' values, None for null."""
    columns: tuple[str, ...]
    type: str
    """Column type of the answers; None is null."""
    seconds: float = 60.0
    """How long a thousand rows may take."""
