"""Trees to Spark SQL that answers in every bit what `language/interpret.py` answers.

Doubles may hold NaN in place of null while only functions that carry NaN along read them; a
guard turns NaN into null before anything else looks. Timestamps are BIGINT microseconds and
dates BIGINT days inside; ids are BIGINT.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.adapters.engines.spark.lowering_emitter import Emitter
from tondo.adapters.engines.spark.lowering_logic import INFINITE
from tondo.adapters.engines.spark.lowering_table import LOWERINGS
from tondo.core.columns import item_type
from tondo.language.walk import columns_of, expand_fitted

if TYPE_CHECKING:
    from tondo.language.tree import Node

_ROOTS = {
    "double": f"if(abs({{0}}) < {INFINITE}, {{0}}, NULL)",
    "timestamp": "timestamp_micros({0})",
    "date": "date_from_unix_date(CAST({0} AS INT))",
}


def lower(node: Node) -> str:
    """Return the SQL of a checked, view-bound, frozen tree as its type is inside.

    `told` makes of it what leaves the engine.

    >>> from tondo.language.tree import Column
    >>> lower(Column("x", "string"))
    'CAST(`x` AS STRING)'
    """
    tree = expand_fitted(node)
    return Emitter(LOWERINGS, columns=columns_of(tree)).raw(tree)


def told(text: str, type_: str) -> str:
    """Return the SQL of a value as it leaves the engine; a double that is not finite is null.

    `text` is written twice for doubles: give the name of a column.

    >>> told("c", "date"), told("c", "list<bool>")
    ('date_from_unix_date(CAST(c AS INT))', 'c')
    """
    item = item_type(type_)
    if item in _ROOTS:
        return f"transform({text}, item -> {told('item', item)})"
    return _ROOTS.get(type_, "{0}").format(text)
