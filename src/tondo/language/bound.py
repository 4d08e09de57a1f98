"""Kernels with their constants bound once, for rows: zone tables found, patterns compiled."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

from tondo.language.functions import FUNCTIONS
from tondo.language.functions.shaping import position_in
from tondo.language.functions.text import matcher, substr
from tondo.language.functions.times import (
    CLOCK_PARTS,
    DAY_PARTS,
    EARLIEST_US,
    LATEST_US,
    UNITS_US,
)
from tondo.language.functions.zones import zone
from tondo.language.values import DAY_US

Bound = tuple[Callable[..., Any], tuple[int, ...]]
"""A kernel and the places of the arguments that it still takes."""


def bind(name: str, constants: Sequence[Any]) -> Bound:
    """Return the kernel of `name` with what can be bound; None in `constants` is no constant.

    >>> kernel, places = bind("bucketize", [None, 0.0, 15.0])
    >>> kernel(20.0), places
    (2.0, (0,))
    """
    binder = _BINDERS.get(name)
    found = binder(name, constants) if binder else None
    return found or (FUNCTIONS[name].kernel, tuple(range(len(constants))))


def _zoned(name: str, constants: Sequence[Any]) -> Bound | None:
    if len(constants) < 2:
        return None
    table = zone(constants[1])
    starts, offsets = table.starts_us, table.offsets_us
    of_clock, of_day = CLOCK_PARTS.get(name), DAY_PARTS.get(name)

    def clock(instant: int) -> float | None:
        if not EARLIEST_US <= instant <= LATEST_US:
            return None
        index = bisect_right(starts, instant) - 1
        return float(of_clock(instant + offsets[index if index > 0 else 0]))  # type: ignore[misc]

    def day(instant: int) -> float | None:
        if not EARLIEST_US <= instant <= LATEST_US:
            return None
        index = bisect_right(starts, instant) - 1
        local = instant + offsets[index if index > 0 else 0]
        return float(of_day(local // DAY_US))  # type: ignore[misc]

    return (clock if of_clock else day), (0,)


def _clock_hour(name: str, constants: Sequence[Any]) -> Bound | None:
    """Return the most used part with its arithmetic written out."""
    table = zone(constants[1])
    starts, offsets = table.starts_us, table.offsets_us
    unit = UNITS_US["hour"]

    def kernel(instant: int) -> float | None:
        if not EARLIEST_US <= instant <= LATEST_US:
            return None
        index = bisect_right(starts, instant) - 1
        return float((instant + offsets[index if index > 0 else 0]) // unit % 24)

    return kernel, (0,)


def _bounds(name: str, constants: Sequence[Any]) -> Bound:
    bounds = list(constants[1:])
    return (lambda x: float(bisect_right(bounds, x))), (0,)


def _member(name: str, constants: Sequence[Any]) -> Bound | None:
    if None in constants[1:]:
        return None
    items = frozenset(constants[1:])
    return (lambda x: None if x is None else x in items), (0,)


def _place(name: str, constants: Sequence[Any]) -> Bound:
    values = constants[1:]
    places = {each: position_in(each, *values) for each in values}
    return (lambda x: places.get(x, 0.0)), (0,)


def _pattern(name: str, constants: Sequence[Any]) -> Bound | None:
    return None if constants[1] is None else (matcher(constants[1]), (0,))


def _slice(name: str, constants: Sequence[Any]) -> Bound | None:
    start, *length = constants[1:]
    if start is None or None in length or start < 1:
        return None
    first = int(start) - 1
    stop = first + len(substr("x" * 4096, 1.0, *length))
    if length and length[0] < 4096:
        return (lambda text: text[first:stop]), (0,)
    return None


_BINDERS: dict[str, Callable[[str, Sequence[Any]], Bound | None]] = {
    **dict.fromkeys([*DAY_PARTS, "minute", "second"], _zoned),
    "hour": _clock_hour,
    "bucketize": _bounds,
    "in": _member,
    "position_in": _place,
    "like": _pattern,
    "substr": _slice,
}
