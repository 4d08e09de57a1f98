"""What every engine tells of a column once it has counted: the entries of `ports/engine.py`.

Where two engines would each do the arithmetic, they could round apart; so it is done here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tondo.core.buckets import QUANTILES_PERCENT, equal_count, equal_edges
from tondo.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SHARES = {percent: f"{percent / 100:.2f}" for percent in QUANTILES_PERCENT}
WEIGHT_PARTS = 1 << 60
"""Weights are added as whole multiples of this part: such sums are exact in every order. A weight
from 2^-8 up is such a multiple itself; smaller ones are rounded by 2^-61 at most."""
MOST_WEIGHT = 1 << 36
"""So that the sum over 2^30 rows of the greatest weight stays below 2^127 parts."""


def plain(value: Any) -> float | int | str:
    """Return a JSON value; an infinity, which has none, becomes the text `inf` or `-inf`."""
    number = value.item() if hasattr(value, "item") else value
    return number if math.isfinite(number) else str(number)


def places(count: int) -> dict[int, int]:
    """Return where each quantile (in percent) of `count` sorted values stands.

    >>> places(4)[50], places(4)[75], places(4)[80]
    (1, 2, 3)
    """
    return {percent: -(-percent * count // 100) - 1 for percent in QUANTILES_PERCENT}


def spread(
    at: Mapping[int, float | int],
    count: int,
    low: float | None,
    high: float | None,
    *,
    histogram: list[list[float | int]],
) -> dict[str, Any]:
    """Return the entries that tell how `count` finite values are spread."""
    return {
        "min": low,
        "max": high,
        "quantiles": {_SHARES[percent]: value for percent, value in at.items()},
        "histogram": histogram,
        "quantile_histogram": equal_count(at, count, low, high),
    }


def edges_of(low: float, high: float, buckets: int) -> np.ndarray:
    """Return the bounds of buckets of equal width as an array (`core/buckets.py`)."""
    return np.array(equal_edges(low, high, buckets))


def equal_width(edges: np.ndarray, inner: np.ndarray, count: int) -> list[list[float | int]]:
    """Return [low, high, count] a bucket; the high end belongs to the last bucket only.

    `inner`: how many values lie below each inner edge.
    """
    bounds, below = edges.tolist(), [0, *inner.tolist(), count]
    return [
        [bounds[at], bounds[at + 1], below[at + 1] - below[at]] for at in range(len(bounds) - 1)
    ]


def entries(rows: int, missing: int, distinct: int, top: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Return what is told of every column without an order."""
    return {
        "rows": rows,
        "missing": missing,
        "nan": 0,
        "infinite": 0,
        "distinct": distinct,
        "top": top,
    }


def sizes(least: int | None, most: int | None, total: int, present: int) -> dict[str, Any]:
    """Return the entries of lengths: of `present` values, `total` together."""
    mean = total / present if present else None
    return {"min": least, "max": most, "mean": mean, "total": total}


def list_entries(
    counted: dict[str, Any],
    measured: dict[str, Any],
    *,
    histogram: list[list[int]],
    items: dict[str, Any],
) -> dict[str, Any]:
    """Return the entries of a column of lists; lists have no distinct values of their own."""
    length = measured["length"] | {"histogram": histogram}
    return counted | measured | {"distinct": None, "length": length, "items": items}


def unfit_weight(value: float, column: str) -> DataError:
    """Return TD-STATS-004: a weight below 0, or too large to be added exactly."""
    return DataError(
        "TD-STATS-004",
        f"{value!r} in column '{column}' is not a weight",
        expected=f"weights from 0 to {MOST_WEIGHT:,}; a missing one counts 1",
        fix="Correct the weights, or divide all of them by a constant.",
        column=column,
    )
