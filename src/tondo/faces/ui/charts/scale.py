"""Linear scales with ticks at round numbers."""

from __future__ import annotations

import math

import msgspec


class Tick(msgspec.Struct, frozen=True):
    """A place on an axis with its label."""

    at: float
    label: str


class Scale(msgspec.Struct, frozen=True):
    """Maps values from `low`..`high` to pixels from `start` to `stop`.

    >>> Scale(0.6, 0.8, 300.0, 20.0)(0.7)
    160.0
    """

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        """Return the pixel of `value`, to a tenth."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.stop - self.start), 1)


def round_step(span: float, most: int) -> float:
    """Return the smallest of 1, 2, 5 times a power of ten that cuts `span` in at most `most`.

    >>> round_step(0.13, 5), round_step(1700, 4)
    (0.05, 500.0)
    """
    if span <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(span / most))
    for factor in (1.0, 2.0, 5.0, 10.0):
        if span / (power * factor) <= most + 1e-9:
            return round(power * factor, 12)
    return power * 10


def nice_range(values: list[float], *, most: int) -> tuple[float, float, float]:
    """Return (low, high, step) around `values`, both ends on a tick.

    >>> nice_range([0.66, 0.78], most=4)
    (0.65, 0.8, 0.05)
    """
    low, high = min(values), max(values)
    span = max(high - low, abs(high) * 1e-3)
    # Below the rounding of a step there is nothing to tell apart.
    step = round_step(span if span > 1e-9 else 1.0, most)
    first, last = math.floor(low / step), math.ceil(high / step)
    last = max(last, first + 1)
    return round(first * step, 9), round(last * step, 9), step


def ticks(scale: Scale, step: float, *, label: str) -> list[Tick]:
    """Return a tick at each `step`; `label` is a format such as `.2f`."""
    count = round((scale.high - scale.low) / step)
    found = [scale.low + step * each for each in range(count + 1)]
    return [Tick(scale(each), format(each, label)) for each in found]
