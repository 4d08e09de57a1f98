"""Trees to Spark SQL that answers in every bit what `language/interpret.py` answers.

Doubles may hold NaN in place of null while only functions that carry NaN along read them; a
guard turns NaN into null before anything else looks. Timestamps are BIGINT microseconds and
dates BIGINT days inside; ids are BIGINT.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.adapters.engines.spark.lowering_emitter import Emitter, called, chosen, double_sql
from tondo.adapters.engines.spark.lowering_logic import INFINITE
from tondo.adapters.engines.spark.lowering_numbers import round_whole, trunc_whole
from tondo.adapters.engines.spark.lowering_table import LOWERINGS
from tondo.core.columns import item_type
from tondo.language.walk import columns_of, expand_fitted
from tondo.language.windows import LARGEST

if TYPE_CHECKING:
    from tondo.language.tree import Node

if TYPE_CHECKING:
    from collections.abc import Collection

_HALF = 2.0**60
"""Splits the units of an exact sum, 2**100 of them or more, into two BIGINTs."""
_FINITE = f"if(abs({{0}}) < {INFINITE}, {{0}}, NULL)"
_ROOTS = {
    "timestamp": "timestamp_micros({0})",
    "date": "date_from_unix_date(CAST({0} AS INT))",
}


def lower(node: Node, *, inner: Collection[str] = ()) -> str:
    """Return the SQL of a checked, view-bound, frozen tree as its type is inside.

    `settled` and `told` make of it what leaves the engine. Columns of `inner` are as inside too.

    >>> from tondo.language.tree import Column
    >>> lower(Column("x", "string"))
    'CAST(`x` AS STRING)'
    """
    tree = expand_fitted(node)
    return Emitter(LOWERINGS, columns=columns_of(tree), inner=inner).plain(tree)


def settled(text: str, type_: str) -> str:
    """Return the SQL of a final value inside: a double that is not finite is null.

    `text` is written twice for doubles: give the name of a column.

    >>> settled("c", "bool")
    'c'
    """
    if item_type(type_) == "double":
        return f"transform({text}, item -> {_FINITE.format('item')})"
    return _FINITE.format(text) if type_ == "double" else text


def told(text: str, type_: str) -> str:
    """Return the SQL of a settled value as it leaves the engine, times as times.

    >>> told("c", "date"), told("c", "list<bool>")
    ('date_from_unix_date(CAST(c AS INT))', 'c')
    """
    item = item_type(type_)
    if item in _ROOTS:
        return f"transform({text}, item -> {_ROOTS[item].format('item')})"
    return _ROOTS.get(type_, "{0}").format(text)


def quantised_sql(column: str, scale_bits: int) -> str:
    """Return DECIMAL(38, 0) units of 2**-scale_bits, half away from zero, of a settled double.

    In two whole numbers, each exact: Spark makes a decimal of a double's shortest text. Null
    stays null, and what is too large for an exact sum must be refused before.
    """
    units = round_whole(called("*", column, double_sql(2.0**scale_bits)))
    high = trunc_whole(called("/", units, double_sql(_HALF)))
    low = called("-", units, called("*", high, double_sql(_HALF)))
    wide = "CAST(CAST({0} AS BIGINT) AS DECIMAL(38, 0))"
    near = called("<=", called("abs", column), double_sql(LARGEST))
    exact = called("+", called("*", wide.format(high), f"{int(_HALF)}BD"), wide.format(low))
    return chosen(near, exact, "NULL")
