"""What pairs of columns say of each other: sums of products, and tables of counts.

The rows are read in batches, so memory is bounded by the columns, not the rows.
"""

# ruff: noqa: S608 - names in composed SQL are quoted by connection.quote

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from tondo.adapters.engines.duckdb.connection import quote, relation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# Values of a batch, all columns together: 16 MB, so that sums of products stay in the cache.
_BATCH_VALUES = 1 << 21
# A pair's own mean or spread may lose digits in sums about the column's mean; beyond this share
# the pair is summed again about its own.
_TRUSTED = 1e-4


def crosses(
    connection: Any,
    table: Any,
    columns: Mapping[str, str],
    *,
    label: str | None,
    most_values: int,
) -> dict[str, list[dict[str, Any]]]:
    """Return `numeric` and `categorical` pairs, as `ports/engine.py` promises."""
    numeric = [name for name, type_ in columns.items() if type_ == "double"]
    labels = [name for name, type_ in columns.items() if type_ in {"string", "bool"}]
    if label is not None and label not in labels:
        labels.append(label)
    values = {name: _values_of(connection, table, name, most_values) for name in labels}
    few = {name: found for name, found in values.items() if len(found) <= most_values}
    return {
        "numeric": _numeric(connection, relation(connection, table, numeric), numeric)
        if len(numeric) > 1
        else [],
        "categorical": _categorical(connection, table, few) if len(few) > 1 else [],
    }


def _batches(connection: Any, text: str, width: int) -> Iterator[Any]:
    rows = max(_BATCH_VALUES // max(width, 1), 1024)
    return iter(connection.sql(text).to_arrow_reader(rows))


def _numeric(connection: Any, source: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """Count, covariance and correlation of each pair, over rows where both are finite."""
    scale, centre = _scales(connection, source, names)
    listed = ", ".join(map(quote, names))
    width = len(names)
    both, sums, squares, products = (np.zeros((width, width)) for _ in range(4))
    for batch in _batches(connection, f"SELECT {listed} FROM {source}", width):
        values = np.empty((batch.num_rows, width))
        for at in range(width):
            # Nulls become NaN.
            values[:, at] = batch.column(at).to_numpy(zero_copy_only=False)
        known = np.isfinite(values)
        complete = bool(known.all())
        shifted = values * scale - centre
        if not complete:
            shifted[~known] = 0
        weights = known.astype(float)
        products += shifted.T @ shifted
        both += weights.T @ weights
        sums += shifted.T @ weights
        squares += np.square(shifted).T @ weights
    return _pairs(connection, source, names, (both, sums, squares, products), scale)


def _scales(connection: Any, source: str, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return a power of two and a mean for each column, so that nothing overflows or cancels."""
    ends = ", ".join(f"max(abs({quote(n)})) FILTER (isfinite({quote(n)}))" for n in names)
    most = connection.execute(f"SELECT {ends} FROM {source}").fetchall()[0]
    exponents = np.frexp(np.array([value or 1.0 for value in most]))[1]
    scale = np.ldexp(1.0, -np.clip(exponents, -1000, 1000))
    means = ", ".join(
        f"avg({quote(n)} * {factor!r}::DOUBLE) FILTER (isfinite({quote(n)}))"
        for n, factor in zip(names, scale.tolist(), strict=True)
    )
    found = connection.execute(f"SELECT {means} FROM {source}").fetchall()[0]
    return scale, np.array([value or 0.0 for value in found])


def _pairs(
    connection: Any,
    source: str,
    names: Sequence[str],
    matrices: tuple[np.ndarray, ...],
    scale: np.ndarray,
) -> list[dict[str, Any]]:
    both, sums, squares, products = matrices
    counts = np.maximum(both, 1)
    shift = sums / counts
    spread = squares / counts - np.square(shift)
    covariance = products / counts - shift * shift.T
    # Values are below 1 after scaling, and the centre is within a rounding of their mean.
    doubtful = (np.square(shift) * _TRUSTED > spread) | (spread < _TRUSTED**5)
    found = []
    for a, b in combinations(range(len(names)), 2):
        n = int(both[a, b])
        moments = (covariance[a, b], spread[a, b], spread[b, a])
        if n and (doubtful[a, b] or doubtful[b, a]):
            moments = _again(connection, source, (names[a], names[b]), (scale[a], scale[b]))
        entry = {"columns": [names[a], names[b]], "count": n}
        found.append(entry | _told(n, moments, scale[a], scale[b]))
    return found


def _told(
    count: int, moments: tuple[float, float, float], scale_a: float, scale_b: float
) -> dict[str, float | None]:
    if count == 0:
        return {"covariance": None, "correlation": None}
    product, square_a, square_b = map(float, moments)
    unscaled = product / float(scale_a) / float(scale_b)
    if square_a <= 0 or square_b <= 0:
        return {"covariance": 0.0, "correlation": None}
    correlation = product / np.sqrt(square_a) / np.sqrt(square_b)
    return {
        "covariance": unscaled if np.isfinite(unscaled) else None,
        "correlation": float(np.clip(correlation, -1, 1)),
    }


def _again(
    connection: Any, source: str, names: tuple[str, str], scales: tuple[float, float]
) -> tuple[float, float, float]:
    """Return covariance and both variances of one pair about its own means, scaled."""
    a, b = (
        f"({quote(name)} * {float(factor)!r}::DOUBLE)"
        for name, factor in zip(names, scales, strict=True)
    )
    rows = f"(SELECT {a} AS a, {b} AS b FROM {source} WHERE isfinite({a}) AND isfinite({b}))"
    mean_a, mean_b, flat_a, flat_b = connection.execute(
        f"SELECT avg(a), avg(b), min(a) = max(a), min(b) = max(b) FROM {rows}"
    ).fetchall()[0]
    if flat_a or flat_b:
        return 0.0, float(not flat_a), float(not flat_b)
    off_a, off_b = f"(a - {mean_a!r}::DOUBLE)", f"(b - {mean_b!r}::DOUBLE)"
    # The means themselves are rounded: what they are off by is taken out again.
    product, square_a, square_b, rest_a, rest_b = connection.execute(
        f"SELECT avg({off_a} * {off_b}), avg({off_a} * {off_a}), avg({off_b} * {off_b}),"
        f" avg({off_a}), avg({off_b}) FROM {rows}"
    ).fetchall()[0]
    return (
        product - rest_a * rest_b,
        square_a - rest_a * rest_a,
        square_b - rest_b * rest_b,
    )


def _values_of(connection: Any, table: Any, name: str, most: int) -> list[Any]:
    """Return the values of a column in order, one more than `most` when there are more."""
    source = relation(connection, table, [name])
    found = connection.execute(
        f"SELECT DISTINCT {quote(name)} AS v FROM {source} WHERE {quote(name)} IS NOT NULL"
        f" LIMIT {most + 1}"
    ).fetchall()
    return sorted(value for (value,) in found if not _is_nan(value))


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and np.isnan(value)


def _categorical(
    connection: Any, table: Any, values: Mapping[str, Sequence[Any]]
) -> list[dict[str, Any]]:
    """Count each pair of values of each pair of columns, over rows where both are there."""
    import pyarrow as pa
    import pyarrow.compute as pc

    pairs = list(combinations(values, 2))
    counts = {(a, b): np.zeros(len(values[a]) * len(values[b]), np.int64) for a, b in pairs}
    listed = ", ".join(map(quote, values))
    source = relation(connection, table, list(values))
    for batch in _batches(connection, f"SELECT {listed} FROM {source}", len(values)):
        codes = {}
        for name, known in values.items():
            column = batch.column(name)
            places = pc.index_in(column, value_set=pa.array(known, column.type))
            codes[name] = places.fill_null(-1).to_numpy().astype(np.int64)
        for a, b in pairs:
            there = (codes[a] >= 0) & (codes[b] >= 0)
            joint = codes[a] * len(values[b]) + codes[b]
            counts[a, b] += np.bincount(joint[there], minlength=len(counts[a, b]))
    return [
        {
            "columns": [a, b],
            "values": [list(values[a]), list(values[b])],
            "counts": counts[a, b].reshape(len(values[a]), len(values[b])).tolist(),
        }
        for a, b in pairs
    ]
