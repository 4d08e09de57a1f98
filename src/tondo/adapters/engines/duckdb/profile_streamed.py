"""Numbers and times that do not fit in memory: sorted and grouped by the engine, which spills.

The figures, to the last bit, are those of `profile_numbers.describe`.
"""

# ruff: noqa: S608 - composed SQL holds names of our own and expressions quoted before

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tondo.adapters.engines.duckdb.profile_numbers import (
    BLOCK,
    edges_of,
    equal_width,
    moments,
    places,
    plain,
    spread,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_BATCH_ROWS = 16 * BLOCK


def describe(
    connection: Any, source: str, value: str, *, is_double: bool, top: int, buckets: int
) -> dict[str, Any]:
    """Return the entries of the values of the SQL expression `value` over `source`."""
    number = f"(SELECT {value} AS v FROM {source})"
    nan = "isnan(v)" if is_double else "false"
    infinite = "isinf(v)" if is_double else "false"
    rows, present, nans, infinities = connection.execute(
        f"SELECT count(*), count(v), count(*) FILTER ({nan}), count(*) FILTER ({infinite})"
        f" FROM {number}"
    ).fetchall()[0]
    found = {"rows": rows, "missing": rows - present, "nan": nans, "infinite": infinities}
    found |= _frequencies(connection, f"{number} WHERE v IS NOT NULL AND NOT {nan}", top)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE ordered AS SELECT v FROM {number}"
        f" WHERE v IS NOT NULL AND NOT {nan} AND NOT {infinite} ORDER BY v"
    )
    try:
        return found | _of_ordered(
            connection, present - nans - infinities, is_double=is_double, buckets=buckets
        )
    finally:
        connection.execute("DROP TABLE ordered")


def _frequencies(connection: Any, values: str, top: int) -> dict[str, Any]:
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE grouped AS SELECT v, count(*) AS n FROM {values} GROUP BY v"
    )
    (distinct,) = connection.execute("SELECT count(*) FROM grouped").fetchall()[0]
    pairs = connection.execute(
        "SELECT v, n FROM grouped ORDER BY n DESC, v LIMIT ?", [top]
    ).fetchall()
    connection.execute("DROP TABLE grouped")
    return {"distinct": distinct, "top": [[plain(value), count] for value, count in pairs]}


def _of_ordered(connection: Any, count: int, *, is_double: bool, buckets: int) -> dict[str, Any]:
    """Return what the table `ordered` of `count` finite values tells."""
    zero = {"zeros": 0, "mean": None, "sd": None} if is_double else {}
    if count == 0:
        return spread({}, 0, None, None, histogram=[]) | zero
    wanted = places(count)
    listed = ", ".join(map(str, {0, count - 1, *wanted.values()}))
    found = dict(
        connection.execute(f"SELECT rowid, v FROM ordered WHERE rowid IN ({listed})").fetchall()
    )
    low, high = found[0], found[count - 1]
    edges = edges_of(float(low), float(high), buckets)
    inner = np.zeros(len(edges) - 2, np.int64)
    zeros = 0
    for block in _blocks(connection):
        inner += np.searchsorted(block, edges[1:-1], side="left")
        zeros += int(np.count_nonzero(block == 0))
    entries = spread(
        {percent: found[place] for percent, place in wanted.items()},
        count,
        low,
        high,
        histogram=equal_width(edges, inner, count),
    )
    if is_double:
        ends = (low, high)
        entries |= {"zeros": zeros, **moments(lambda: _blocks(connection), count, ends)}
    return entries


def _blocks(connection: Any) -> Iterator[np.ndarray]:
    """Yield the ordered values in the very blocks that a column in memory is cut into."""
    left = np.empty(0)
    for batch in connection.sql("SELECT v FROM ordered").to_arrow_reader(_BATCH_ROWS):
        values = batch.column(0).to_numpy(zero_copy_only=False)
        values = np.concatenate((left, values)) if len(left) else values
        whole = len(values) // BLOCK * BLOCK
        for start in range(0, whole, BLOCK):
            yield values[start : start + BLOCK]
        left = values[whole:]
    if len(left):
        yield left
