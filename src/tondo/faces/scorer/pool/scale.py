"""How many workers there should be: a decision from how busy each of them was."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

BUSY = 0.75
"""Mean share of the time above which a worker more is wanted: beyond, waiting times double with
every few percent."""
BUSY_FOR_S = 2.0

IDLE = 0.4
"""Mean share that those left would have, below which one can go."""
IDLE_FOR_S = 30.0
"""Load that comes back within half a minute finds its workers there."""


class Scale:
    """Follows the load between two bounds.

    >>> scale = Scale(1, 4)
    >>> [scale.decide(at, [0.9] * scale.count) for at in (0.0, 1.0, 2.0, 3.0, 4.0)]
    [1, 1, 2, 2, 3]
    """

    def __init__(self, least: int, most: int) -> None:
        self.least = least
        self.most = most
        self.count = least
        self._busy_since: float | None = None
        self._idle_since: float | None = None

    def decide(self, now_s: float, shares: Sequence[float]) -> int:
        """Return the wanted number from the share of time that each was busy of late."""
        if not shares:
            return self.count
        total = sum(shares)
        busy = total / len(shares) > BUSY and self.count < self.most
        idle = self.count > self.least and total / (self.count - 1) < IDLE
        self._busy_since = _since(self._busy_since, now_s, holds=busy)
        self._idle_since = _since(self._idle_since, now_s, holds=idle)
        if self._busy_since is not None and now_s - self._busy_since >= BUSY_FOR_S:
            self.count += 1
            self._busy_since = now_s
        elif self._idle_since is not None and now_s - self._idle_since >= IDLE_FOR_S:
            self.count -= 1
            self._idle_since = now_s
        return self.count


def _since(before: float | None, now_s: float, *, holds: bool) -> float | None:
    """Return since when something has held, None when it does not."""
    if not holds:
        return None
    return now_s if before is None else before
