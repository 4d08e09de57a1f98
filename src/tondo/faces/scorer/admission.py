"""Admission: a request that would wait for too long is refused at once, and cheaply.

The event loop works in turns: it reads every socket that is readable, then answers. What is
taken up in one turn is therefore what the last of it waits for, and what the next turn's
requests wait for at most. A turn's work is bounded; the rest is told to come again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.errors import PlatformError

if TYPE_CHECKING:
    from tondo.faces.scorer.metrics import RouteMetrics

QUEUE_MS = 10.0
"""Milliseconds of work that one turn may take up; 64 callers of a model of 100 microseconds, each
with a request under way, stay below it."""

_AROUND_NS = 15_000
"""What a request costs besides its handler: reading, parsing, writing."""


class Admission:
    """Counts the work of a turn by what requests have cost of late.

    Above the bound a deployment is still admitted while its own part of the turn is below an
    equal share of it: a flood for one model is refused, a request for another is answered.
    """

    def __init__(self, queue_ms: float = QUEUE_MS) -> None:
        self._most_ns = int(queue_ms * 1e6)
        self._work_ns = 0
        self._parts: dict[RouteMetrics, int] = {}

    def admits(self, metrics: RouteMetrics) -> bool:
        """Return whether a request that is counted in `metrics` may be taken up in this turn."""
        own = self._parts.get(metrics, 0)
        work = self._work_ns
        if work >= self._most_ns and own * (len(self._parts) + (own == 0)) >= self._most_ns:
            return False
        cost = metrics.cost_ns + _AROUND_NS
        self._work_ns = work + cost
        self._parts[metrics] = own + cost
        return True

    def turn(self) -> None:
        """Begin the next turn."""
        self._work_ns = 0
        self._parts.clear()


def overloaded(deployment: str) -> PlatformError:
    """Build the refusal."""
    return PlatformError(
        "TD-SCORER-010",
        f"more requests for '{deployment}' are waiting than can be answered in time",
        expected="fewer requests at once",
        fix="Send it again after a second; add workers where this lasts.",
        deployment=deployment,
    )
