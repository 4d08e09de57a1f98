"""The clock that is moved by hand, for tests and for a year driven in minutes."""

from __future__ import annotations

import threading

from tondo.core.errors import ConflictError
from tondo.core.instants import format_instant


class ManualClock:
    """Stands still until it is moved, and never moves backwards.

    >>> clock = ManualClock(1_364_774_400_000_000)
    >>> clock.advance_us(1_500_000)
    1364774401500000
    >>> clock.now_us()
    1364774401500000
    """

    def __init__(self, start_us: int) -> None:
        self._lock = threading.Lock()
        self._now_us = start_us

    def now_us(self) -> int:
        """Return microseconds since 1970 UTC."""
        return self._now_us

    def set_us(self, instant_us: int) -> int:
        """Move to `instant_us` and return it; an earlier instant raises TD-CLOCK-001."""
        with self._lock:
            if instant_us < self._now_us:
                raise ConflictError(
                    "TD-CLOCK-001",
                    f"the clock stands at {format_instant(self._now_us)} and was set to "
                    f"{format_instant(instant_us)}",
                    expected="an instant that is not earlier",
                    fix="Start a new clock to tell another story.",
                    now_us=self._now_us,
                    instant_us=instant_us,
                )
            self._now_us = instant_us
            return self._now_us

    def advance_us(self, duration_us: int) -> int:
        """Move on by `duration_us` (not negative, else TD-CLOCK-001) and return the instant."""
        return self.set_us(self._now_us + duration_us)
