"""Buckets of a histogram: their bounds, and which quantiles are told; for exact and sketched alike.

Where two places would each do this arithmetic, they could round apart; so it is done here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

QUANTILES_PERCENT = (1, 5, 10, 20, 25, 30, 40, 50, 60, 70, 75, 80, 90, 95, 99)


def equal_edges(low: float, high: float, buckets: int) -> list[float]:
    """Return the bounds of buckets of equal width; one bucket when there is one value.

    >>> equal_edges(0.0, 1.0, 4)
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    if low == high:
        return [float(low), float(high)]
    # Halves first: the width of a range wider than the largest double would overflow.
    half, step = low / 2, (high / 2 - low / 2) / buckets
    return [2 * (at * step + half) for at in range(buckets)] + [float(high)]


def equal_count(
    at: Mapping[int, float | int], count: int, low: float | None, high: float | None
) -> list[list[float | int]]:
    """Return buckets [low, high, count] between the deciles, of counts that differ by one at most.

    Fewer than ten when there are fewer values. Values equal to a decile may lie on both sides.

    >>> equal_count({10 * each: each for each in range(1, 10)}, 10, 1, 10)[:2]
    [[1, 1, 1], [1, 2, 1]]
    """
    if count == 0 or low is None or high is None:
        return []
    bounds = [low, *(at[percent] for percent in range(10, 100, 10)), high]
    stops = [-(-percent * count // 100) for percent in range(0, 101, 10)]
    return [
        [bounds[each], bounds[each + 1], stops[each + 1] - stops[each]]
        for each in range(10)
        if stops[each + 1] > stops[each]
    ]
