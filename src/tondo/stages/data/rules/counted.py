"""Counts that rules judge: of rows, or of weights where the statistics have them.

As in TFDV, weighted statistics take the place of the others in every check of presence, of a
domain and of how many rows there are; distinct values, items and ranges have no weight.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tondo.stages.data.statistics import ColumnStatistics, Statistics, Value


class Counted(NamedTuple):
    """How much of a column there is; `float` and of weights, or `int` and of rows."""

    rows: float
    present: float
    top: tuple[tuple[Value, float], ...]
    tail: float
    """Of values that are not among `top`."""
    by: str
    """What sentences add: nothing, or `by weight`."""


def counted(found: ColumnStatistics) -> Counted:
    """Return the counts of a column, its weights where it has them.

    >>> from tondo.stages.data.statistics import ColumnStatistics, Weighted
    >>> weights = Weighted(rows=10.0, missing=2.5)
    >>> counted(ColumnStatistics(type="double", rows=4, missing=1, weighted=weights)).present
    7.5
    """
    weights = found.weighted
    if weights is None:
        return Counted(found.rows, found.present, found.top, found.tail, "")
    present = weights.rows - weights.missing
    # Added up in another order, the weights of all values may be a rounding away from the whole.
    tail = present - math.fsum(weight for _, weight in weights.top) if found.tail else 0.0
    return Counted(weights.rows, present, weights.top, max(tail, 0.0), " by weight")


def rows_of(statistics: Statistics) -> float:
    """Return how many rows a batch counts for: the sum of the weights where there are any."""
    for column in statistics.columns.values():
        if column.weighted is not None:
            return column.weighted.rows
    return statistics.rows


def said(count: float) -> str:
    """Return a count as sentences write it.

    >>> said(1200), said(1200.5), said(3.0)
    ('1,200', '1,200.5', '3')
    """
    return f"{count:,}" if isinstance(count, int) else f"{count:,.10g}"
