"""The clock of the machine."""

from __future__ import annotations

import threading
import time


class SystemClock:
    """Follows the machine's clock, and stands still where that one is set back.

    >>> clock = SystemClock()
    >>> clock.now_us() <= clock.now_us()
    True
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last_us = 0

    def now_us(self) -> int:
        """Return microseconds since 1970 UTC; never less than the answer before."""
        with self._lock:
            self._last_us = max(self._last_us, time.time_ns() // 1000)
            return self._last_us
