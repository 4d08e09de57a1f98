"""A small table: many columns are read by one question, since each takes longer than its answer."""

# ruff: noqa: S608 - names in composed SQL are quoted by connection.quote

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from tondo.adapters.engines.duckdb import profile_numbers as numbers
from tondo.adapters.engines.duckdb.columns_in_memory import of_booleans, of_texts
from tondo.adapters.engines.duckdb.connection import quote, relation

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from tondo.adapters.engines.duckdb.profile import Extent

# Up to so many rows a question takes longer than its answer. Texts that all differ are grouped
# by the engine in less time than they are sorted here from 20,000 rows up.
_ROWS = 1 << 16
_TEXT_ROWS = 1 << 13
# Read at once: values of all columns together, columns, and bytes.
_VALUES = 1 << 19
_COLUMNS = 1 << 10
_BYTES = 1 << 26
_BATCH_ROWS = 1 << 13
_READ_SQL = {**numbers.ORDERED_SQL, "bool": "CAST({0} AS TINYINT)", "string": "{0}"}


def describe(
    connection: Any, table: Any, columns: Mapping[str, str], *, extent: Extent
) -> dict[str, dict[str, Any]]:
    """Return the entries of the columns that are best read together: none of a large table.

    Lists are never among them, nor are long columns of texts, or one of too many bytes.
    """
    source = relation(connection, table, list(columns)[:1] or None)
    (rows,) = connection.execute(f"SELECT count(*) FROM {source}").fetchall()[0]
    if rows > _ROWS or rows * numbers.VALUE_BYTES > extent.limit_bytes:
        return {}
    asked = _readable(columns, rows)
    at_once = max(min(_VALUES // max(rows, 1), _COLUMNS), 1)
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(asked), at_once):
        some = {name: columns[name] for name in asked[start : start + at_once]}
        found |= _described(connection, table, some, extent)
    return found


def _readable(columns: Mapping[str, str], rows: int) -> list[str]:
    """Return the columns that one question can ask for: SQL reads names alike in other cases."""
    types = {type_ for type_ in _READ_SQL if type_ != "string" or rows <= _TEXT_ROWS}
    alike = Counter(name.lower() for name in columns)
    return [name for name, type_ in columns.items() if type_ in types and alike[name.lower()] == 1]


def _described(
    connection: Any, table: Any, columns: Mapping[str, str], extent: Extent
) -> dict[str, dict[str, Any]]:
    """Describe columns together, or in halves where they take more memory than they may."""
    held = _read(connection, table, columns, min(_BYTES, extent.sorted_bytes))
    if held is not None:
        return _of_held(connection, held, columns, extent)
    names = list(columns)
    if len(names) == 1:
        return {}
    found: dict[str, dict[str, Any]] = {}
    for half in (names[: len(names) // 2], names[len(names) // 2 :]):
        found |= _described(connection, table, {each: columns[each] for each in half}, extent)
    return found


def _read(
    connection: Any, table: Any, columns: Mapping[str, str], limit_bytes: int
) -> pa.Table | None:
    """Read columns as far as `limit_bytes`; None where there is more."""
    import pyarrow as pa

    listed = ", ".join(
        f"{_READ_SQL[type_].format(quote(name))} AS {quote(name)}"
        for name, type_ in columns.items()
    )
    source = relation(connection, table, list(columns))
    reader = connection.sql(f"SELECT {listed} FROM {source}").to_arrow_reader(_BATCH_ROWS)
    batches, held_bytes = [], 0
    for batch in reader:
        held_bytes += batch.nbytes
        if held_bytes > limit_bytes:
            return None
        batches.append(batch)
    return pa.Table.from_batches(batches, reader.schema)


def _of_held(
    connection: Any, held: pa.Table, columns: Mapping[str, str], extent: Extent
) -> dict[str, dict[str, Any]]:
    """Describe columns that are in memory; texts share one list of distinct values."""
    named = dict(zip(columns, held.columns, strict=True))
    worded = [name for name, type_ in columns.items() if type_ == "string"]
    chunks = [chunk for name in worded for chunk in named[name].chunks]
    texts = of_texts(connection, chunks) if worded else None
    starts = {name: place * held.num_rows for place, name in enumerate(worded)}

    def one(name: str, column_type: str) -> dict[str, Any]:
        if texts is not None and name in starts:
            return texts.describe(slice(starts[name], starts[name] + held.num_rows), extent)
        if column_type == "bool":
            return of_booleans(named[name]).describe(slice(None), extent)
        return numbers.describe_column(named[name], top=extent.top, buckets=extent.buckets)

    return {name: one(name, type_) for name, type_ in columns.items()}
