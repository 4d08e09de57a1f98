"""Columns of one kind as one long frame of (c, v, n): the value v of column c occurs n times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.adapters.engines.spark.tables import kind_of, quote, value_sql
from tondo.core.columns import item_type

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NUMBER, WHOLE, TEXT = "number", "whole", "text"
SLICE, WEIGHT = "tondo_slice", "tondo_weight"
"""Names beside those of the user's columns."""
# A weight in parts of 2^-60, as two whole numbers that a double gives without rounding: a
# decimal made of a double would go through its shortest text.
_HIGH = "floor(w * 67108864.0D)"
PARTS_SQL = (
    f"CAST({_HIGH} AS DECIMAL(20, 0)) * 17179869184BD"
    f" + CAST(rint((w * 67108864.0D - {_HIGH}) * 17179869184.0D) AS DECIMAL(12, 0))"
)


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What one column gives to the long frame of its kind."""

    name: str
    role: str
    """`value`, or of a list: `length` or `items`."""
    type: str
    """Of the values: a column type without list."""


def parts_of(columns: Mapping[str, str]) -> dict[str, list[Part]]:
    """Return the parts of each kind; their places are the numbers `c`, items last."""
    found: dict[str, list[Part]] = {NUMBER: [], WHOLE: [], TEXT: []}
    items: list[Part] = []
    for name, type_ in columns.items():
        item = item_type(type_)
        if item is None:
            found[kind_of(type_)].append(Part(name=name, role="value", type=type_))
        else:
            found[WHOLE].append(Part(name=name, role="length", type="id"))
            items.append(Part(name=name, role="items", type=item))
    for part in items:
        found[kind_of(part.type)].append(part)
    return found


def counted(frame: Any, parts: Sequence[Part], *, sliced: bool, weighted: bool) -> Any:
    """Count each value of each part: (c, v, n), with `parts` when rows are weighted.

    In a sliced frame the column SLICE numbers the slice of a row, and c is that number times
    len(parts) + place; in a weighted one WEIGHT is the row's weight.
    """
    base = f"{SLICE} * {len(parts)} + " if sliced else ""
    kept = [SLICE] * sliced + [WEIGHT] * weighted
    last = [f"{WEIGHT} AS w"] * weighted
    single = [part for part in parts if part.role != "items"]
    frames = []
    if single:
        listed = ", ".join(map(_value, single))
        exploded = frame.selectExpr(*kept, f"posexplode(array({listed})) AS (p, v)")
        frames.append(exploded.selectExpr(f"{base}p AS c", "v", *last))
    for place, part in enumerate(parts):
        if part.role == "items":
            items = frame.selectExpr(*kept, f"explode({quote(part.name)}) AS item")
            value = value_sql("item", part.type)
            frames.append(items.selectExpr(f"{base}{place} AS c", f"{value} AS v", *last))
    long = frames[0]
    for each in frames[1:]:
        long = long.unionAll(each)
    return _grouped(long, weighted=weighted)


def _value(part: Part) -> str:
    if part.role == "length":
        return f"CAST(array_size({quote(part.name)}) AS BIGINT)"
    return value_sql(quote(part.name), part.type)


def _grouped(long: Any, *, weighted: bool) -> Any:
    from pyspark.sql import functions

    sums = [functions.expr("count(*)").alias("n")]
    if weighted:
        sums.append(functions.expr(f"sum({PARTS_SQL})").alias("parts"))
    return long.groupBy("c", "v").agg(*sums)


def rows_of(frame: Any) -> list[dict[str, Any]]:
    """Bring a small frame to the driver."""
    found: list[dict[str, Any]] = frame.toArrow().to_pylist()
    return found


def aggregated(frame: Any, sums: Mapping[str, str]) -> dict[int, dict[str, Any]]:
    """Return aggregates, as SQL by name, of each c."""
    from pyspark.sql import functions

    listed = [functions.expr(text).alias(name) for name, text in sums.items()]
    return {row["c"]: row for row in rows_of(frame.groupBy("c").agg(*listed))}


def most_frequent(frame: Any, by: str, most: int) -> dict[int, list[dict[str, Any]]]:
    """Return of each c the `most` rows with the greatest `by`, ties by value."""
    found: dict[int, list[dict[str, Any]]] = {}
    if most == 0:
        return found
    place = f"row_number() OVER (PARTITION BY c ORDER BY {by} DESC, v) AS place"
    for row in rows_of(frame.selectExpr("c", "v", by, place).where(f"place <= {most}")):
        found.setdefault(row["c"], []).append(row)
    for rows in found.values():
        rows.sort(key=lambda row: row["place"])
    return found
