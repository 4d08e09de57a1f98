"""Statistics of many slices at once: each column is read once, whatever the slices are."""

# ruff: noqa: S608 - names in composed SQL are quoted by connection.quote

from __future__ import annotations

import contextlib
import gc
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tondo.adapters.engines.duckdb.columns_in_memory import load
from tondo.adapters.engines.duckdb.connection import (
    quote,
    quote_text,
    relation,
    to_arrow,
    with_shared_lists,
)
from tondo.adapters.engines.duckdb.lowering import lower
from tondo.adapters.engines.duckdb.profile import (
    column_source,
    describe,
    side_by_side,
)
from tondo.adapters.engines.duckdb.profile_numbers import ORDERED_SQL, VALUE_BYTES
from tondo.adapters.engines.figures import plain
from tondo.language.walk import columns_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tondo.adapters.engines.duckdb.profile import Extent
    from tondo.language.tree import Node


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """One slice: what its rows share, and the SQL condition that holds for them alone."""

    columns: tuple[str, ...]
    """Or the name of a predicate."""
    values: tuple[Any, ...]
    condition: str

    @property
    def name(self) -> list[list[Any]]:
        """Columns and values, as JSON has them."""
        shown = (plain(each) if isinstance(each, float) else each for each in self.values)
        return [list(pair) for pair in zip(self.columns, shown, strict=True)]


def profile_slices(
    connection: Any,
    table: Any,
    columns: Mapping[str, str],
    *,
    by: Sequence[Mapping[str, str]],
    where: Mapping[str, Node],
    least_rows: int,
    most: int,
    extent: Extent,
) -> list[dict[str, Any]]:
    """Return `slice` and `columns` of each slice, as `ports/engine.py` promises."""
    read = {name for keys in by for name in keys}
    read |= {name for tree in where.values() for name in columns_of(tree)}
    source = relation(connection, table, sorted(read | {next(iter(columns))}))
    (rows,) = connection.execute(f"SELECT count(*) FROM {source}").fetchall()[0]
    groups = [_by_values(connection, source, keys, least_rows, most) for keys in by]
    predicates = _by_predicates(connection, source, where, least_rows)
    slices = [each for group in groups for each in group] + predicates
    if rows * VALUE_BYTES > extent.limit_bytes:
        found = _streamed(connection, table, columns, slices, extent=extent)
    else:
        members = [
            each
            for keys, group in zip(by, groups, strict=True)
            for each in _rows_by_values(connection, source, keys, group)
        ]
        members += [_rows_by_predicate(connection, source, each) for each in predicates]
        found = _in_memory(connection, table, columns, members, extent=extent)
    return [
        {"slice": each.name, "columns": {name: found[name][at] for name in columns}}
        for at, each in enumerate(slices)
    ]


def _in_memory(
    connection: Any,
    table: Any,
    columns: Mapping[str, str],
    members: Sequence[np.ndarray],
    *,
    extent: Extent,
) -> dict[str, list[dict[str, Any]]]:
    """Describe the rows at these places, for each column."""

    def one(cursor: Any, name: str) -> list[dict[str, Any]]:
        column = load(cursor, column_source(cursor, table, name), columns[name])
        return [column.describe(rows, extent) for rows in members]

    with _no_collecting():
        return side_by_side(connection, columns, one)


@contextlib.contextmanager
def _no_collecting() -> Iterator[None]:
    """Let the collector of circles rest: hundreds of thousands of frequent values hold none.

    Looking through them while they grow costs a sixth of the whole.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _streamed(
    connection: Any,
    table: Any,
    columns: Mapping[str, str],
    slices: Sequence[Slice],
    *,
    extent: Extent,
) -> dict[str, list[dict[str, Any]]]:
    """Filter and describe slice after slice: a scan for each, and bounded memory."""

    def one(cursor: Any, name: str) -> list[dict[str, Any]]:
        source = relation(cursor, table)
        filtered = [
            f"(SELECT {quote(name)} AS v FROM {source} WHERE {each.condition})" for each in slices
        ]
        return [
            describe(cursor, with_shared_lists(cursor, each), columns[name], extent)
            for each in filtered
        ]

    return side_by_side(connection, columns, one)


def _by_values(
    connection: Any, source: str, keys: Mapping[str, str], least_rows: int, most: int
) -> list[Slice]:
    """Return the `most` largest slices by the values of the key columns, ties by value."""
    listed, places = _key_list(keys), ", ".join(f"k{at}" for at in range(len(keys)))
    order = ", ".join(f"k{at} NULLS LAST" for at in range(len(keys)))
    found = connection.execute(
        f"SELECT {places} FROM (SELECT {listed} FROM {source}) GROUP BY ALL"
        f" HAVING count(*) >= {least_rows} ORDER BY count(*) DESC, {order} LIMIT {most}"
    ).fetchall()
    return [
        Slice(
            columns=tuple(keys),
            values=values,
            condition=" AND ".join(
                f"{_key(name, type_)} IS NOT DISTINCT FROM {_literal(value)}"
                for (name, type_), value in zip(keys.items(), values, strict=True)
            ),
        )
        for values in found
    ]


def _key_list(keys: Mapping[str, str]) -> str:
    return ", ".join(
        f"{_key(name, type_)} AS k{at}" for at, (name, type_) in enumerate(keys.items())
    )


def _key(name: str, column_type: str) -> str:
    """Return SQL of a key: NaN is read as missing, times are microseconds."""
    value = ORDERED_SQL.get(column_type, "{0}").format(quote(name))
    if column_type == "double":
        return f"CASE WHEN isnan({quote(name)}) THEN NULL ELSE {value} END"
    return value


def _literal(value: Any) -> str:
    """Return a key's value as SQL."""
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return quote_text(value)
    return f"'{value!r}'::DOUBLE" if isinstance(value, float) else str(value).lower()


def _by_predicates(
    connection: Any, source: str, where: Mapping[str, Node], least_rows: int
) -> list[Slice]:
    """Return a slice for each predicate that is true of at least `least_rows` rows."""
    slices = [
        Slice(columns=(name,), values=(True,), condition=f"coalesce({lower(tree)}, false)")
        for name, tree in where.items()
    ]
    if not slices:
        return []
    counts = ", ".join(f"count(*) FILTER ({each.condition})" for each in slices)
    text = with_shared_lists(connection, f"SELECT {counts} FROM {source}")
    found = connection.execute(text).fetchall()[0]
    return [each for each, rows in zip(slices, found, strict=True) if rows >= least_rows]


def _rows_by_values(
    connection: Any, source: str, keys: Mapping[str, str], group: Sequence[Slice]
) -> list[np.ndarray]:
    """Return the places of the rows of each slice, in one pass over the keys."""
    if not group:
        return []
    import pyarrow as pa

    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE keyed AS SELECT {_key_list(keys)} FROM {source}"
    )
    key_types = to_arrow(connection, "SELECT * FROM keyed LIMIT 0").schema
    chosen = {
        field.name: pa.array([each.values[at] for each in group], field.type)
        for at, field in enumerate(key_types)
    }
    connection.register("chosen", pa.table({"slice": np.arange(len(group)), **chosen}))
    same = " AND ".join(f"k.{name} IS NOT DISTINCT FROM c.{name}" for name in chosen)
    found = to_arrow(
        connection,
        f"SELECT slice, k.rowid AS place FROM keyed k JOIN chosen c ON {same}",
    )
    (rows,) = connection.execute("SELECT count(*) FROM keyed").fetchall()[0]
    connection.unregister("chosen")
    connection.execute("DROP TABLE keyed")
    # Whatever the order of the join: a row's number first, then rows by slice in their order.
    numbers = np.full(rows, -1, np.min_scalar_type(-len(group)))
    numbers[found["place"].to_numpy()] = found["slice"].to_numpy()
    order = np.argsort(numbers, kind="stable")
    stops = np.searchsorted(numbers[order], np.arange(len(group)))
    return np.split(order, stops)[1:]


def _rows_by_predicate(connection: Any, source: str, each: Slice) -> np.ndarray:
    """Return for each row whether it is in the slice."""
    text = with_shared_lists(connection, f"SELECT {each.condition} AS member FROM {source}")
    members: np.ndarray = to_arrow(connection, text)["member"].to_numpy()
    return members
