"""Columns as bars: how values spread, two versions over each other, rows of the last commits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.faces.ui.words import count, figure, share
from tondo.stages.data.display import visible
from tondo.stages.data.statistics_display import drawn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.stages.data.statistics import ColumnStatistics

WIDTH, HEIGHT = 200.0, 44.0
_VALUES = 10
"""Of texts and booleans this many of the most frequent are drawn."""
_PARTS = 20
"""Two versions are cut in as many equal parts: each has ten buckets of its own."""
REST = "all other values"
_LEAST = 1.2
"""A bar that stands for anything can be seen."""


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """A rectangle with its tooltip."""

    x: float
    y: float
    width: float
    height: float
    title: str = ""
    kind: str = ""
    """`rest` for all other values together."""


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A column's distribution on `WIDTH` x `HEIGHT`."""

    kind: str
    """`spread` for buckets of numbers and times, `values` for the most frequent values."""
    bars: list[Bar]
    label: str
    """What it says, for those who hear it."""
    quarters: tuple[float, float, float] | None = None
    """Where a quarter, half and three quarters of the values lie."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One bucket or value of both versions; shares of the values that are present."""

    label: str
    before: float
    after: float


class Overlay(msgspec.Struct, frozen=True, kw_only=True):
    """Two versions of a column over each other on `WIDTH` x `HEIGHT`."""

    kind: str
    bars: list[Bar]
    """The later version."""
    outline: str
    """The earlier one as a path of steps."""
    parts: list[Part]
    low: str = ""
    high: str = ""


def picture(column: ColumnStatistics) -> Picture | None:
    """Return a column's distribution, None when it has no values."""
    shown = drawn(column)
    if shown.histogram:
        titles = [_bucket_title(low, high, n, shown.type) for low, high, n in shown.histogram]
        # One value alone is a line in the middle, not a block.
        places = [0, 0, 0, 0, shown.histogram[0][2]] if shown.min == shown.max else None
        counts = places or [n for _, _, n in shown.histogram]
        titles = ["", "", "", "", titles[0]] if places else titles
        bars = _bars(counts, titles, gap=1.0, places=9 if places else 0)
        label = f"from {figure(shown.min, shown.type)} to {figure(shown.max, shown.type)}: "
        told = ", ".join(str(n) for _, _, n in shown.histogram)
        return Picture(
            kind="spread",
            bars=bars,
            label=f"ten equal buckets {label}{told}",
            quarters=_quarters(shown),
        )
    return _values_picture(shown) if shown.top else None


def _values_picture(column: ColumnStatistics) -> Picture:
    top = column.top[:_VALUES]
    rest = column.present - sum(n for _, n in top)
    titles = [f"{visible(str(figure(value))[:60])}: {count(n)}" for value, n in top]
    # The rest is not drawn where it would make the frequent values flat.
    titles += [f"{REST}: {count(rest)}"] if rest else []
    most = max(n for _, n in top)
    counts = [n for _, n in top] + ([min(rest, most)] if rest else [])
    bars = _bars(counts, titles, gap=4.0, places=_VALUES + 1)
    if rest:
        bars[-1] = msgspec.structs.replace(bars[-1], kind="rest")
    return Picture(kind="values", bars=bars, label="most frequent: " + "; ".join(titles))


def _bucket_title(low: float, high: float, n: int, type_: str) -> str:
    return f"{figure(low, type_)} to {figure(high, type_)}: {count(n)}"


def _bars(
    counts: Sequence[float], titles: Sequence[str], *, gap: float, places: int = 0
) -> list[Bar]:
    """Return a bar for each count, the highest full; `places` keeps room for more of them."""
    most = max(counts, default=0) or 1
    step = WIDTH / max(places, len(counts))
    found = []
    for place, (n, title) in enumerate(zip(counts, titles, strict=True)):
        height = max(HEIGHT * n / most, _LEAST) if n else 0.0
        found.append(
            Bar(
                x=round(place * step, 1),
                y=round(HEIGHT - height, 1),
                width=round(step - gap, 1),
                height=round(height, 1),
                title=title,
            )
        )
    return found


def _quarters(column: ColumnStatistics) -> tuple[float, float, float] | None:
    low, high = column.min, column.max
    found = [column.quantiles.get(each) for each in ("0.25", "0.50", "0.75")]
    if low is None or high is None or high <= low or None in found:
        return None
    first, middle, last = (
        round(WIDTH * min(max((each - low) / (high - low), 0), 1), 1)
        for each in found
        if each is not None
    )
    return first, middle, last


def strip(counts: Sequence[int]) -> list[Bar]:
    """Return the rows of the last commits as bars, the newest at the right end."""
    return _bars(counts, [f"{count(n)} rows" for n in counts], gap=2.0, places=24)


def overlay(before: ColumnStatistics, after: ColumnStatistics) -> Overlay | None:
    """Return two versions on common buckets, or on their common most frequent values.

    Mass is spread evenly within a bucket, as distances.py does. None when they share no scale.
    """
    first, second = drawn(before), drawn(after)
    if first.histogram and second.histogram and _scale(first) == _scale(second):
        low = min(first.histogram[0][0], second.histogram[0][0])
        high = max(first.histogram[-1][1], second.histogram[-1][1])
        if not math.isfinite(high - low):
            return None
        parts = _common_parts(first, second, low, high)
        ends = figure(low, second.type), figure(high, second.type)
        return _overlay("spread", parts, gap=0.0, ends=ends)
    if first.top and second.top and not first.histogram and not second.histogram:
        return _overlay("values", _common_values(first, second), gap=2.0, ends=("", ""))
    return None


def _scale(column: ColumnStatistics) -> str:
    return "number" if column.type in {"double", "id"} else column.type


def _common_parts(
    first: ColumnStatistics, second: ColumnStatistics, low: float, high: float
) -> list[Part]:
    step = (high - low) / _PARTS
    if not step:
        return [Part(label=figure(low, second.type), before=1.0, after=1.0)]
    cuts = [low + step * place for place in range(_PARTS)] + [high]
    sides = [_spread(each.histogram, low, step) for each in (first, second)]
    return [
        Part(
            label=f"{figure(cuts[place], second.type)} to {figure(cuts[place + 1], second.type)}",
            before=sides[0][place],
            after=sides[1][place],
        )
        for place in range(_PARTS)
    ]


def _spread(buckets: Sequence[tuple[float, float, int]], low: float, step: float) -> list[float]:
    """Return the share of all values in each part."""
    masses = [0.0] * _PARTS
    total = sum(n for _, _, n in buckets) or 1
    for start, stop, n in buckets:
        first = min(max(int((start - low) / step), 0), _PARTS - 1)
        if stop <= start:
            masses[first] += n / total
            continue
        for place in range(first, _PARTS):
            left, right = low + step * place, low + step * (place + 1)
            inside = min(stop, right) - max(start, left)
            if place == _PARTS - 1:
                inside = stop - max(start, left)
            if inside <= 0:
                # Rounded, a bucket may seem to begin in the part that ends where it begins.
                continue
            masses[place] += n / total * inside / (stop - start)
    return masses


def _common_values(first: ColumnStatistics, second: ColumnStatistics) -> list[Part]:
    """Return the most frequent values of either side, and the rest where there is any."""
    sides: list[dict[Any, float]] = [
        {str(value): n / (each.present or 1) for value, n in each.top} for each in (first, second)
    ]
    before, after = sides
    labels = sorted(
        dict.fromkeys([*after, *before]),
        key=lambda each: -max(before.get(each, 0), after.get(each, 0)),
    )[:_VALUES]
    parts = [
        Part(label=each, before=before.get(each, 0), after=after.get(each, 0)) for each in labels
    ]
    rest = [
        max(0.0, 1 - sum(each))
        for each in zip(*((part.before, part.after) for part in parts), strict=True)
    ]
    if max(rest, default=0) > 1e-9:
        parts.append(Part(label=REST, before=rest[0], after=rest[1]))
    return parts


def _overlay(kind: str, parts: list[Part], *, gap: float, ends: tuple[str, str]) -> Overlay:
    known = [each for each in parts if each.label != REST]
    most = max((max(each.before, each.after) for each in known), default=0) or 1
    step = WIDTH / len(parts)
    bars, path = [], [f"M0 {HEIGHT:g}"]
    for place, each in enumerate(parts):
        # All other values are cut at the most frequent one, or they would make it flat.
        height, outlined = (HEIGHT * min(n / most, 1) for n in (each.after, each.before))
        left, right = round(place * step + gap / 2, 1), round((place + 1) * step - gap / 2, 1)
        told = f"{visible(each.label[:60])}: {share(each.before)} before, {share(each.after)} after"
        bars.append(
            Bar(
                x=left,
                y=round(HEIGHT - height, 1),
                width=round(right - left, 1),
                height=round(height, 1),
                title=told,
                kind="rest" if each.label == REST else "",
            )
        )
        y = round(HEIGHT - outlined, 1)
        if gap:
            path.append(f"M{left} {HEIGHT:g}V{y}H{right}V{HEIGHT:g}")
        else:
            path.append(f"V{y}H{right}")
    path.append("" if gap else f"V{HEIGHT:g}")
    return Overlay(
        kind=kind, bars=bars, outline="".join(path), parts=parts, low=ends[0], high=ends[1]
    )
