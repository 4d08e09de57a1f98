"""Exact statistics of a table, two columns at a time; what does not fit in memory is streamed."""

# ruff: noqa: S608 - names in composed SQL are quoted by connection.quote

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.adapters.engines.duckdb import profile_numbers as numbers
from tondo.adapters.engines.duckdb import profile_small as small
from tondo.adapters.engines.duckdb import profile_streamed as streamed
from tondo.adapters.engines.duckdb import profile_texts as texts
from tondo.adapters.engines.duckdb import profile_weights as weights
from tondo.adapters.engines.duckdb.connection import quote, relation, to_arrow
from tondo.adapters.engines.figures import entries, list_entries, sizes
from tondo.core.columns import item_type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Reading is parallel inside the engine; a second column keeps it busy while one is sorted.
_AT_ONCE = 2


class Extent(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a column is told, and how much memory its values may take."""

    top: int
    """Most frequent values of numbers and times."""
    labels: int
    """Most frequent values of texts and booleans."""
    buckets: int
    limit_bytes: int
    """What a column may take in memory while it is looked at."""

    @property
    def sorted_bytes(self) -> int:
        """Values that are sorted at once: their copy, their runs and the lengths stand beside."""
        return self.limit_bytes // 4


def profile(
    connection: Any,
    table: Any,
    columns: Mapping[str, str],
    *,
    extent: Extent,
    weight: str | None = None,
) -> dict[str, dict[str, Any]]:
    """Return the entries that `ports/engine.py` promises, by column name."""
    if weight is not None:
        weights.refuse_unfit(connection, relation(connection, table, [weight]), weight)

    together = small.describe(connection, table, columns, extent=extent)

    def one(cursor: Any, name: str) -> dict[str, Any]:
        found = together.get(name) or describe(
            cursor, column_source(cursor, table, name), columns[name], extent
        )
        if weight is not None:
            source = weights.source(cursor, table, name, weight)
            found["weighted"] = weights.describe(cursor, source, columns[name], extent)
        return found

    if together:
        return {name: one(connection, name) for name in columns}
    return side_by_side(connection, columns, one)


def side_by_side(
    connection: Any,
    columns: Mapping[str, str],
    one: Callable[[Any, str], Any],
) -> dict[str, Any]:
    """Return what `one(cursor, name)` says of each column, in their order."""

    def with_cursor(name: str) -> Any:
        # A cursor of its own, since sorting and grouping of several columns run side by side.
        cursor = connection.cursor()
        try:
            return one(cursor, name)
        finally:
            cursor.close()

    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return dict(zip(columns, pool.map(with_cursor, columns), strict=True))


def column_source(connection: Any, table: Any, name: str) -> str:
    """Return SQL text to put after FROM: one column of a table, named `v`."""
    return f"(SELECT {quote(name)} AS v FROM {relation(connection, table, [name])})"


def describe(connection: Any, source: str, column_type: str, extent: Extent) -> dict[str, Any]:
    """Return the entries of the column `v` of `source`."""
    item = item_type(column_type)
    if item is not None:
        return _of_lists(connection, source, item, extent)
    if column_type not in numbers.ORDERED_SQL:
        is_text = column_type == "string"
        return texts.describe(connection, source, is_text=is_text, top=extent.labels)
    value = numbers.ORDERED_SQL[column_type].format("v")
    (rows,) = connection.execute(f"SELECT count(*) FROM {source}").fetchall()[0]
    if rows * numbers.VALUE_BYTES > extent.sorted_bytes:
        return streamed.describe(
            connection,
            source,
            value,
            is_double=column_type == "double",
            extent=extent,
        )
    # Named nowhere here, so that the engine's copy goes before the values are sorted.
    return numbers.describe_column(
        to_arrow(connection, f"SELECT {value} AS v FROM {source}").column(0),
        top=extent.top,
        buckets=extent.buckets,
    )


def _of_lists(connection: Any, source: str, item: str, extent: Extent) -> dict[str, Any]:
    """Count lists, measure their valency, and describe all items as one column."""
    rows, present, empty, least, most, total = connection.execute(
        "SELECT count(*), count(v), count(*) FILTER (len(v) = 0), min(len(v)), max(len(v)),"
        f" coalesce(sum(len(v)), 0)::BIGINT FROM {source}"
    ).fetchall()[0]
    valency = describe(connection, f"(SELECT len(v) AS v FROM {source})", "id", extent)
    items = describe(connection, f"(SELECT unnest(v) AS v FROM {source})", item, extent)
    return list_entries(
        entries(rows, rows - present, 0, []),
        {"empty": empty, "length": sizes(least, most, total, present)},
        histogram=valency["quantile_histogram"],
        items=items,
    )
