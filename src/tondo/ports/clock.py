"""The clock port: the only way to learn what time it is."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Tells the time. `system` follows the machine, `manual` is moved by hand."""

    def now_us(self) -> int:
        """Return microseconds since 1970 UTC."""
        ...
