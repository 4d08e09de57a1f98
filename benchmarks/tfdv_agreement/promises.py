"""What both sides promise of ranks and counts, asked of the raw values.

TFDV reads medians, quantiles and the counts of its buckets from a sketch whose ranks are right to
1 % of the values; a quantile is any value that has the rank. Ours are exact, which is asked too.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SKETCHED = 0.01
"""The share of the values by which a rank of the sketch may be wrong: epsilon in quantiles_util."""
CLOSE = 1e-9
SINGLE_PRECISION = 2.0**-23
"""What 32 bits keep of a number; `avg_length` is one."""

Bucket = tuple[float, float, float]


def has_rank(value: float, share: float, values: Sequence[float], *, slack: float = 0.0) -> bool:
    """Say whether a value is the quantile: no more than the share is below it, no less up to it.

    >>> [has_rank(each, 0.5, [1, 2, 3, 4]) for each in (1, 2, 2.5, 3, 4)]
    [False, True, True, True, False]
    """
    wanted, allowed = share * len(values), slack * len(values) + CLOSE
    below, up_to = bisect_left(values, value), bisect_right(values, value)
    return below <= wanted + allowed and up_to >= wanted - allowed


def have_ranks(bounds: Sequence[float], values: Sequence[float], *, slack: float = 0.0) -> bool:
    """Say whether the bounds part the values, from end to end, into buckets of equal count."""
    parts = len(bounds) - 1
    if parts < 1 or (bounds[0], bounds[-1]) != (values[0], values[-1]):
        return False
    return all(
        has_rank(bound, place / parts, values, slack=slack) for place, bound in enumerate(bounds)
    )


def counts_hold(buckets: Sequence[Bucket], values: Sequence[float], *, slack: float = 0.0) -> bool:
    """Say whether so many values lie up to the end of each bucket, however ends are counted.

    An end is computed, so a value that is within a rounding of it may lie on either side.
    """
    allowed, below = slack * len(values) + CLOSE, 0.0
    for _, high, count in buckets:
        below += count
        step = CLOSE * max(abs(high), 1)
        least, most = bisect_left(values, high - step), bisect_right(values, high + step)
        if not least - allowed <= below <= most + allowed:
            return False
    return True


def same_bounds(ours: Sequence[Bucket], theirs: Sequence[Bucket]) -> bool:
    return len(ours) == len(theirs) and all(
        math.isclose(one, other, rel_tol=CLOSE, abs_tol=CLOSE)
        for mine, bucket in zip(ours, theirs, strict=True)
        for one, other in zip(mine[:2], bucket[:2], strict=True)
    )
