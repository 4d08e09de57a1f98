"""Durations as people write them: 15m, 3h, 7d."""

from __future__ import annotations

import re

from tondo.core.errors import DefinitionError

_UNITS_US = {
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}
_PATTERN = re.compile(r"(\d+)\s*(ms|s|m|h|d|w)")


def parse_duration_us(text: str) -> int:
    """Return the microseconds of a duration such as `15m`, `3h`, `28d`.

    >>> parse_duration_us("3h")
    10800000000
    """
    found = _PATTERN.fullmatch(str(text).strip())
    if found is None or int(found[1]) == 0:
        raise DefinitionError(
            "TD-CORE-002",
            f"'{text}' is not a duration",
            expected="a whole number above zero and a unit: ms, s, m, h, d, w",
            fix="Write for example 15m, 3h or 28d.",
            text=str(text),
        )
    return int(found[1]) * _UNITS_US[found[2]]


def format_duration(duration_us: int) -> str:
    """Return the shortest text that `parse_duration_us` reads back.

    >>> format_duration(10_800_000_000)
    '3h'
    """
    for unit in ("w", "d", "h", "m", "s", "ms"):
        if duration_us % _UNITS_US[unit] == 0:
            return f"{duration_us // _UNITS_US[unit]}{unit}"
    return f"{duration_us / 1000:g}ms"
