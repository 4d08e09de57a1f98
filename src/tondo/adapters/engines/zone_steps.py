"""Rising steps cut into slots, so that an engine finds an offset of a zone without a join."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache

import msgspec

FAR = 2**62
"""Stands behind the last step, later than every instant of the calendar."""


class Steps(msgspec.Struct, frozen=True):
    """A step function's rising steps, and the steps before each slot of equal width."""

    steps: tuple[int, ...]
    width: int
    before: tuple[int, ...]
    """Number of steps at or before the start of each slot."""
    most: int
    """The most steps that lie within one slot."""


@lru_cache(maxsize=64)
def slotted(steps: tuple[int, ...]) -> Steps:
    """Return the steps in slots as wide as possible with at most two steps in one.

    >>> slotted((0, 10)).before
    (1,)
    """
    bits = 50
    while True:
        bits -= 1
        width = 1 << bits
        slots = (steps[-1] - steps[0]) // width + 1
        before = [bisect_right(steps, steps[0] + width * slot) for slot in range(slots)]
        after = [*before[1:], len(steps)]
        most = max(stop - start for start, stop in zip(before, after, strict=True))
        if most <= 2:
            return Steps(steps, width, tuple(before), most)
