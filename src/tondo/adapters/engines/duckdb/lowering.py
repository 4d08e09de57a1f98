"""Trees to DuckDB SQL that answers in every bit what `language/interpret.py` answers.

Doubles may hold NaN in place of null while only functions that carry NaN along read them; a
guard turns NaN into null before anything else looks. Timestamps are BIGINT microseconds and
dates BIGINT days inside; ids are BIGINT.
"""

from __future__ import annotations

from tondo.adapters.engines.duckdb.lowering_emitter import Emitter, double_sql
from tondo.adapters.engines.duckdb.lowering_table import LOWERINGS
from tondo.core.columns import item_type
from tondo.language.tree import Literal, Node
from tondo.language.walk import columns_of, expand_fitted
from tondo.language.windows import LARGEST

ROOTS = {
    "double": "CASE WHEN isfinite({0}) THEN {0} END",
    "timestamp": "make_timestamptz({0})",
    "date": "CAST(DATE '1970-01-01' + CAST({0} AS INTEGER) AS DATE)",
}


def lower(node: Node) -> str:
    """Return the SQL of a checked, view-bound, frozen tree; a double that is not finite is null.

    >>> from tondo.language.tree import Column
    >>> lower(Column("x", "string"))
    'CAST("x" AS VARCHAR)'
    """
    tree = expand_fitted(node)
    emitter = Emitter(LOWERINGS, columns=columns_of(tree))
    text = emitter.plain(tree)
    item = item_type(node.type)
    if item in ROOTS:
        return emitter.mapped(text, ROOTS[item].format)
    if node.type == "double" and not isinstance(node, Literal):
        return emitter.shared(text, ROOTS["double"].format)
    return ROOTS.get(node.type, "{0}").format(text) if node.type != "double" else text


def quantised_sql(argument_sql: str, scale_bits: int = 20) -> str:
    """Return HUGEINT units of 2**-scale_bits, half away from zero, of a lowered double.

    Null stays null. Values that `unquantisable_sql` finds must be refused before: they give
    null here.
    """
    scale = double_sql(2.0**scale_bits)
    return Emitter(LOWERINGS).shared(
        argument_sql,
        lambda x: (
            f"CASE WHEN abs({x}) <= {double_sql(LARGEST)}"
            f" THEN CAST(round({x} * {scale}) AS HUGEINT) END"
        ),
    )


def unquantisable_sql(argument_sql: str, largest: float = LARGEST) -> str:
    """Return the SQL of whether a value is too large for an exact sum; false for null."""
    return f"coalesce(abs({argument_sql}) > {double_sql(largest)}, FALSE)"
