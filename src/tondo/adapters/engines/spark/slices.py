"""Statistics of many slices at once: a row is told once for each slice that it is in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.adapters.engines.figures import plain
from tondo.adapters.engines.spark.counted import SLICE, rows_of
from tondo.adapters.engines.spark.profile import describe
from tondo.adapters.engines.spark.tables import kind_of, quote, value_sql
from tondo.core.columns import item_type
from tondo.language.rows import compile_rows
from tondo.language.tree import Column
from tondo.language.walk import nodes_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tondo.adapters.engines.spark.profile import Extent
    from tondo.language.tree import Node


class _Group(msgspec.Struct, frozen=True, kw_only=True):
    """Slices by one of `by`, or by one predicate, and their rows."""

    names: list[list[list[Any]]]
    """Of each slice, what its rows share: [name, value] pairs."""
    rows: Any
    """A frame with the number of the slice within the group in SLICE."""


def profile_slices(
    frame: Any,
    columns: Mapping[str, str],
    *,
    by: Sequence[Mapping[str, str]],
    where: Mapping[str, Node],
    least_rows: int,
    most: int,
    extent: Extent,
) -> list[dict[str, Any]]:
    """Return `slice` and `columns` of each slice, as `ports/engine.py` promises."""
    groups = [_by_values(frame, keys, least_rows, most) for keys in by]
    groups += [_by_predicate(frame, name, tree, least_rows) for name, tree in where.items()]
    names = [name for group in groups for name in group.names]
    if not names:
        return []
    sliced, before = None, 0
    for group in groups:
        if group.names:
            listed = map(quote, columns)
            rows = group.rows.selectExpr(*listed, f"{SLICE} + {before} AS {SLICE}")
            sliced = rows if sliced is None else sliced.unionAll(rows)
            before += len(group.names)
    found = describe(sliced, columns, extent=extent, slices=len(names))
    return [{"slice": name, "columns": entry} for name, entry in zip(names, found, strict=True)]


def _by_values(frame: Any, keys: Mapping[str, str], least_rows: int, most: int) -> _Group:
    """Return the `most` largest slices by the values of the key columns, ties by value."""
    from pyspark.sql import functions

    places = [f"tondo_key_{at}" for at in range(len(keys))]
    listed = [f"{_key(*each)} AS {place}" for each, place in zip(keys.items(), places, strict=True)]
    counts = frame.selectExpr(*listed).groupBy(*places).agg(functions.expr("count(*)").alias("n"))
    order = [functions.desc("n"), *(functions.asc_nulls_last(place) for place in places)]
    largest = counts.where(f"n >= {least_rows}").orderBy(*order).limit(most)
    chosen = rows_of(largest)
    names = [
        [
            [name, _json(row[place], type_)]
            for (name, type_), place in zip(keys.items(), places, strict=True)
        ]
        for row in chosen
    ]
    if not names:
        return _Group(names=[], rows=None)
    known = functions.broadcast(_numbered(frame.sparkSession, chosen, keys, places))
    same = [
        functions.expr(_key(*each)).eqNullSafe(functions.col(place))
        for each, place in zip(keys.items(), places, strict=True)
    ]
    condition = same[0]
    for each in same[1:]:
        condition &= each
    return _Group(names=names, rows=frame.join(known, condition))


def _key(name: str, column_type: str) -> str:
    """Return SQL of a key: NaN is read as missing, times are microseconds."""
    value = value_sql(quote(name), column_type)
    return f"nanvl({value}, CAST(NULL AS DOUBLE))" if column_type == "double" else value


def _json(value: Any, column_type: str) -> Any:
    if value is None or column_type == "string":
        return value
    return value == "true" if column_type == "bool" else plain(value)


def _numbered(
    session: Any, chosen: Sequence[Mapping[str, Any]], keys: Mapping[str, str], places: list[str]
) -> Any:
    """Return the chosen keys as a frame with their numbers in SLICE."""
    import pyarrow as pa

    types = {"number": pa.float64(), "whole": pa.int64(), "text": pa.string()}
    columns = {
        place: pa.array([row[place] for row in chosen], types[kind_of(type_)])
        for place, type_ in zip(places, keys.values(), strict=True)
    }
    return session.createDataFrame(
        pa.table({**columns, SLICE: pa.array(range(len(chosen)), pa.int32())})
    )


class _Predicate:
    """A checked tree as a function of the values of its columns; compiled where it is called."""

    def __init__(self, tree: Node, names: Sequence[str]) -> None:
        self._tree = tree
        self._names = names
        self._compiled: Any = None

    def __call__(self, *values: Any) -> bool:
        if self._compiled is None:
            self._compiled = compile_rows({"member": self._tree})
        row = dict(zip(self._names, values, strict=True))
        return self._compiled(row)[0] is True


def _by_predicate(frame: Any, name: str, tree: Node, least_rows: int) -> _Group:
    """Return the slice of the rows of which the checked tree is true.

    Spark's Python workers compile it for rows, as online: one meaning, without a second lowering.
    """
    from pyspark.sql import functions

    types = {each.name: each.type for each in nodes_of(tree) if isinstance(each, Column)}
    asked = functions.udf(_Predicate(tree, list(types)), "boolean", useArrow=False)
    given = [functions.expr(_row_value(quote(each), type_)) for each, type_ in types.items()]
    rows = frame.where(asked(*given)).selectExpr("*", f"0 AS {SLICE}")
    enough = rows.limit(least_rows).count() >= least_rows
    return _Group(names=[[[name, True]]] if enough else [], rows=rows)


def _row_value(text: str, column_type: str) -> str:
    """Return SQL of a value as rows have it: times are microseconds, dates days."""
    item = item_type(column_type)
    if item is not None:
        return f"transform({text}, item -> {_row_value('item', item)})"
    return value_sql(text, column_type) if kind_of(column_type) == "whole" else text
