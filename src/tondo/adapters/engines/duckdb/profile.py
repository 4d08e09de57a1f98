"""Exact statistics of a table, two columns at a time, which must fit in memory."""

# ruff: noqa: S608 - names in composed SQL are quoted by connection.quote

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from tondo.adapters.engines.duckdb.connection import quote, relation, to_arrow
from tondo.core.columns import item_type

if TYPE_CHECKING:
    from collections.abc import Mapping

# Reading is parallel inside the engine; a second column keeps it busy while one is sorted.
_AT_ONCE = 2
QUANTILES_PERCENT = (1, 5, 10, 20, 25, 30, 40, 50, 60, 70, 75, 80, 90, 95, 99)
_NUMPY_SQL = {
    "double": "CAST({0} AS DOUBLE)",
    "id": "CAST({0} AS BIGINT)",
    "timestamp": "epoch_us({0})",
    "date": "CAST({0} - DATE '1970-01-01' AS BIGINT)",
}


def profile(
    connection: Any,
    table: Any,
    columns: Mapping[str, str],
    *,
    top: int,
    labels: int,
    buckets: int,
) -> dict[str, dict[str, Any]]:
    """Return the entries that `ports/engine.py` promises, by column name."""

    def one(name: str) -> dict[str, Any]:
        # A cursor of its own, since sorting and grouping of several columns run side by side.
        cursor = connection.cursor()
        try:
            source = relation(cursor, table, [name])
            if columns[name] in _NUMPY_SQL:
                return _of_ordered(
                    cursor, source, name, column_type=columns[name], top=top, buckets=buckets
                )
            if item_type(columns[name]) is not None:
                return _of_lists(cursor, source, name)
            return _of_labels(cursor, source, name, column_type=columns[name], top=labels)
        finally:
            cursor.close()

    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return dict(zip(columns, pool.map(one, columns), strict=True))


def _of_ordered(
    connection: Any, source: str, name: str, *, column_type: str, top: int, buckets: int
) -> dict[str, Any]:
    """Numbers, ids and times: one sort gives every figure, whatever the order of the rows."""
    value = _NUMPY_SQL[column_type].format(quote(name))
    column = to_arrow(connection, f"SELECT {value} AS v FROM {source}").column(0)
    # NaN sorts to the end; dropping it by position costs nothing.
    present = np.sort(column.drop_null().to_numpy())
    nan = int(np.isnan(present).sum()) if column_type == "double" else 0
    values = present[: len(present) - nan]
    finite = _finite(values) if column_type == "double" else values
    found = {
        "rows": len(column),
        "missing": column.null_count,
        "nan": nan,
        "infinite": len(values) - len(finite),
        **_frequencies(values, top),
        **_spread(finite, buckets),
    }
    if column_type == "double":
        found |= _moments(finite)
    return found


def _finite(values: np.ndarray) -> np.ndarray:
    """Cut the infinities off both ends of sorted values."""
    start = np.searchsorted(values, -np.inf, side="right")
    stop = np.searchsorted(values, np.inf, side="left")
    return values[start:stop]


def _frequencies(values: np.ndarray, top: int) -> dict[str, Any]:
    """Distinct values and the most frequent ones, from the runs of equal neighbours."""
    if len(values) == 0:
        return {"distinct": 0, "top": []}
    starts = np.concatenate(([0], np.flatnonzero(values[1:] != values[:-1]) + 1))
    counts = np.diff(starts, append=len(values))
    # Runs stand in the order of the values, so a stable pick among the largest counts keeps
    # ties in that order; when all counts are equal only the first `top` are looked at.
    least = np.partition(counts, -top)[-top] if len(counts) > top else 1
    above = np.flatnonzero(counts > least)
    level = np.flatnonzero(counts == least)[: max(top - len(above), 0)]
    chosen = np.concatenate((above[np.argsort(-counts[above], kind="stable")], level))[:top]
    pairs = [[_plain(values[starts[each]]), int(counts[each])] for each in chosen]
    return {"distinct": len(starts), "top": pairs}


def _plain(value: Any) -> float | int | str:
    """Return a JSON value; an infinity, which has none, becomes the text `inf` or `-inf`."""
    number = value.item()
    return number if np.isfinite(value) else str(number)


def _spread(finite: np.ndarray, buckets: int) -> dict[str, Any]:
    """Least, greatest, quantiles and the equal-width histogram of sorted finite values."""
    if len(finite) == 0:
        return {"min": None, "max": None, "quantiles": {}, "histogram": []}
    places = {percent: -(-percent * len(finite) // 100) - 1 for percent in QUANTILES_PERCENT}
    quantiles = {f"{percent / 100:.2f}": finite[at].item() for percent, at in places.items()}
    return {
        "min": finite[0].item(),
        "max": finite[-1].item(),
        "quantiles": quantiles,
        "histogram": _histogram(finite, buckets),
    }


def _histogram(finite: np.ndarray, buckets: int) -> list[list[float | int]]:
    """Return [low, high, count] a bucket; the high end belongs to the last bucket only."""
    low, high = float(finite[0]), float(finite[-1])
    if low == high:
        return [[low, high, len(finite)]]
    # Halves first: the width of a range wider than the largest double would overflow.
    edges = 2 * np.linspace(low / 2, high / 2, buckets + 1)
    inner = np.searchsorted(finite, edges[1:-1], side="left")
    counts = np.diff(np.concatenate(([0], inner, [len(finite)])))
    return [[float(edges[at]), float(edges[at + 1]), int(count)] for at, count in enumerate(counts)]


def _moments(finite: np.ndarray) -> dict[str, Any]:
    """Zeros, mean and population standard deviation; two passes, pairwise sums."""
    zeros = int(np.count_nonzero(finite == 0))
    if len(finite) == 0:
        return {"zeros": 0, "mean": None, "sd": None}
    # Scaled by a power of two, which is exact, so that squares of large values do not overflow.
    scale = 2.0 ** max(int(np.frexp(np.abs(finite[[0, -1]]).max())[1]) - 400, 0)
    scaled = finite / scale if scale > 1 else finite
    mean = scaled.mean()
    sd = np.sqrt(np.square(scaled - mean).mean())
    return {"zeros": zeros, "mean": float(mean * scale), "sd": float(sd * scale)}


def _of_labels(
    connection: Any, source: str, name: str, *, column_type: str, top: int
) -> dict[str, Any]:
    """Text and booleans: group once, read the groups twice."""
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE grouped AS "
        f"SELECT {quote(name)} AS value, count(*) AS n FROM {source} GROUP BY value"
    )
    rows, missing, distinct = connection.execute(
        "SELECT coalesce(sum(n), 0)::BIGINT, coalesce(sum(n) FILTER (value IS NULL), 0)::BIGINT,"
        " count(value) FROM grouped"
    ).fetchone()
    pairs = connection.execute(
        "SELECT value, n FROM grouped WHERE value IS NOT NULL ORDER BY n DESC, value LIMIT ?",
        [top],
    ).fetchall()
    found: dict[str, Any] = {
        "rows": rows,
        "missing": missing,
        "nan": 0,
        "infinite": 0,
        "distinct": distinct,
        "top": [list(pair) for pair in pairs],
    }
    if column_type == "string":
        found |= _lengths(connection, "grouped", "length(value)", weight="n")
    connection.execute("DROP TABLE grouped")
    return found


def _of_lists(connection: Any, source: str, name: str) -> dict[str, Any]:
    """Count missing and empty lists, and measure the others."""
    rows, present = connection.execute(
        f"SELECT count(*), count({quote(name)}) FROM {source}"
    ).fetchone()
    found = {
        "rows": rows,
        "missing": rows - present,
        "nan": 0,
        "infinite": 0,
        "distinct": None,
        "top": [],
    }
    return found | _lengths(connection, source, f"len({quote(name)})", weight="1")


def _lengths(connection: Any, source: str, length: str, *, weight: str) -> dict[str, Any]:
    least, most, total, present, empty = connection.execute(
        f"SELECT min({length}), max({length}), sum({length} * {weight})::DOUBLE,"
        f" sum({weight}) FILTER ({length} IS NOT NULL)::DOUBLE,"
        f" coalesce(sum({weight}) FILTER ({length} = 0), 0)::BIGINT FROM {source}"
    ).fetchone()
    mean = total / present if present else None
    return {"empty": empty, "length": {"min": least, "max": most, "mean": mean}}
