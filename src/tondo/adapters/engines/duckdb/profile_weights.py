"""Statistics in which each row counts as much as its weight says."""

# ruff: noqa: S608 - names in composed SQL are quoted by connection.quote

from __future__ import annotations

import math
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from tondo.adapters.engines.duckdb.connection import quote, relation
from tondo.adapters.engines.duckdb.profile_numbers import ORDERED_SQL
from tondo.adapters.engines.figures import MOST_WEIGHT, WEIGHT_PARTS, plain, unfit_weight
from tondo.core.columns import item_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tondo.adapters.engines.duckdb.profile import Extent

_BATCH_ROWS = 1 << 18


def source(connection: Any, table: Any, name: str, weight: str) -> str:
    """Return SQL text to put after FROM: the column `v` and its weight `w`, 1 where missing."""
    columns = list(dict.fromkeys([name, weight]))
    known = f"CAST({quote(weight)} AS DOUBLE)"
    return (
        f"(SELECT {quote(name)} AS v, CASE WHEN {known} IS NULL OR isnan({known}) THEN 1.0::DOUBLE"
        f" ELSE {known} END AS w FROM {relation(connection, table, columns)})"
    )


def refuse_unfit(connection: Any, weights: str, name: str) -> None:
    """Raise TD-STATS-004 for a weight below 0, or too large to be added exactly."""
    known = f"CAST({quote(name)} AS DOUBLE)"
    found = connection.execute(
        f"SELECT {known} FROM {weights} WHERE NOT isnan({known})"
        f" AND ({known} < 0 OR {known} > {MOST_WEIGHT}) LIMIT 1"
    ).fetchall()
    for (value,) in found:
        raise unfit_weight(value, name)


def describe(connection: Any, weighed: str, column_type: str, extent: Extent) -> dict[str, Any]:
    """Return the weighted entries of the column `v` with weights `w` of `weighed`."""
    item = item_type(column_type)
    value = ORDERED_SQL.get(column_type, "{0}").format("v")
    if item is not None:
        # The language has no equality of lists: only their presence is weighed.
        value = "CASE WHEN v IS NULL THEN NULL ELSE true END"
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE weighed AS "
        f"SELECT {value} AS v, sum((w * {WEIGHT_PARTS}::DOUBLE)::HUGEINT) AS parts"
        f" FROM {weighed} GROUP BY 1"
    )
    is_double = column_type == "double"
    absent = "v IS NULL OR isnan(v)" if is_double else "v IS NULL"
    rows, missing = connection.execute(
        "SELECT coalesce(sum(parts), 0)::VARCHAR,"
        f" coalesce(sum(parts) FILTER ({absent}), 0)::VARCHAR FROM weighed"
    ).fetchall()[0]
    found: dict[str, Any] = {
        "rows": int(rows) / WEIGHT_PARTS,
        "missing": int(missing) / WEIGHT_PARTS,
    }
    if item is None:
        most = extent.top if column_type in ORDERED_SQL else extent.labels
        pairs = connection.execute(
            f"SELECT v, parts::VARCHAR FROM weighed WHERE NOT ({absent})"
            " ORDER BY parts DESC, v LIMIT ?",
            [most],
        ).fetchall()
        found["top"] = [[_json(value), int(parts) / WEIGHT_PARTS] for value, parts in pairs]
    if is_double:
        found |= _moments(connection)
    connection.execute("DROP TABLE weighed")
    return found


def _json(value: Any) -> Any:
    return value if isinstance(value, bool | str) else plain(value)


def _moments(connection: Any) -> dict[str, float | None]:
    """Mean and population standard deviation of the finite values, each of its weight."""

    def summed(of: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> float:
        # Added without rounding, so that the size of the batches does not matter.
        batches = (of(values, weights).tolist() for values, weights in _finite(connection))
        return math.fsum(chain.from_iterable(batches))

    total = summed(lambda _, w: w)
    if total == 0:
        return {"mean": None, "sd": None}
    largest = max(float(np.abs(values).max()) for values, _ in _finite(connection))
    # Scaled by a power of two, which is exact, so that squares of large values do not overflow.
    scale = 2.0 ** max(math.frexp(largest)[1] - 400, 0)
    mean = summed(lambda v, w: v / scale * w) / total
    squares = summed(lambda v, w: np.square(v / scale - mean) * w)
    return {"mean": mean * scale, "sd": math.sqrt(squares / total) * scale}


def _finite(connection: Any) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield batches of distinct finite values and their weights."""
    reader = connection.sql(
        f"SELECT v, parts::DOUBLE / {WEIGHT_PARTS} AS w FROM weighed WHERE isfinite(v)"
    ).to_arrow_reader(_BATCH_ROWS)
    for batch in reader:
        yield batch.column(0).to_numpy(), batch.column(1).to_numpy()
