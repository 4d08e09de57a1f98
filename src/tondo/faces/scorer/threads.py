"""The threads that answer slow and large requests, and what may wait for them."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tondo.faces.scorer.metrics import RouteMetrics

WAIT_MS = 100.0
"""What may wait for a thread, in milliseconds of work: who asks for much waits for longer than who
asks for one row of a quick model, and is still told soon that it will not do."""

_FIRST_GUESS_NS = 5_000_000


class Threads:
    """A few threads with a bounded queue, measured in the time that it takes to work it off.

    However slow a model is, one request a thread may be under way and one may wait.
    """

    def __init__(self, number: int, *, wait_ms: float = WAIT_MS) -> None:
        self._number = number
        self._most_ns = int(wait_ms * 1e6) * number
        self._pool = ThreadPoolExecutor(number, thread_name_prefix="aside")
        self._costs: dict[RouteMetrics, int] = {}
        self._waiting = 0
        self._waiting_ns = 0

    @property
    def waiting(self) -> int:
        """Requests that were taken up and not answered yet."""
        return self._waiting

    def admits(self, metrics: RouteMetrics) -> bool:
        """Return whether a request counted in `metrics` would be answered in time."""
        if self._waiting < 2 * self._number:
            return True
        return self._waiting_ns + self._costs.get(metrics, _FIRST_GUESS_NS) <= self._most_ns

    async def run(self, metrics: RouteMetrics, work: Callable[[bytes], Any], body: bytes) -> Any:
        """Return what `work` returns, whose last item are its nanoseconds."""
        cost = self._costs.get(metrics, _FIRST_GUESS_NS)
        self._waiting += 1
        self._waiting_ns += cost
        try:
            outcome = await asyncio.get_running_loop().run_in_executor(self._pool, work, body)
        finally:
            self._waiting -= 1
            self._waiting_ns -= cost
        self._costs[metrics] = cost + ((outcome[-1] - cost) >> 2)
        return outcome

    def stop(self) -> None:
        """End the threads; what they are at is finished."""
        self._pool.shutdown(cancel_futures=True)
