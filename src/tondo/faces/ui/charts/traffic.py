"""Predictions per day, stacked by version."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import msgspec

from tondo.faces.ui.charts.scale import Scale, Tick, round_step
from tondo.faces.ui.words import short_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tondo.workspace.pages import TrafficPoint

TOP = 14.0
BOTTOM = 30.0
LEFT = 46.0
RIGHT = 16.0
# A bar thinner than this, in pixels, is no longer seen: days are then put together to weeks.
THINNEST = 2.2
# A bar wider than this no longer reads as a day; and few days stand at the right of two weeks.
WIDEST = 26.0
FEWEST_DAYS = 14
# A label nearer than this to the right end would run off the canvas.
LABEL_WIDTH = 24.0
# And two labels nearer than this to each other would touch.
LABEL_ROOM = 34.0
# Up to here weeks are labelled, beyond it months.
LABELLED_WEEKS = 45


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One version's part of one period."""

    x: float
    y: float
    width: float
    height: float
    version: int


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """A day or a week: its bars, and the words for the pointer."""

    x: float
    width: float
    bars: list[Bar]
    title: str


class TrafficChart(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the template draws."""

    width: float
    height: float
    top: float
    floor: float
    left: float
    right: float
    grid: list[Tick]
    labels: list[Tick]
    periods: list[Period]
    versions: list[int]
    unit: str
    """`day` or `week`: what one bar stands for."""


def traffic_chart(
    points: Sequence[TrafficPoint], *, width: float, height: float
) -> TrafficChart | None:
    """Return the chart, or None while nothing was asked."""
    if not points:
        return None
    days = [date.fromisoformat(each.day) for each in points]
    last = max(days)
    first = min(*days, last - timedelta(days=FEWEST_DAYS - 1))
    span = (last - first).days + 1
    length = 1 if (width - LEFT - RIGHT) / span >= THINNEST else 7
    counts = _by_period(points, first, length)
    tallest = max(sum(each.values()) for each in counts.values())
    step = round_step(tallest, 3)
    high = step * -(-tallest // step)
    down = Scale(0.0, float(high), height - BOTTOM, TOP)
    across = Scale(0.0, float(-(-span // length)), LEFT, width - RIGHT)
    return TrafficChart(
        width=width,
        height=height,
        top=TOP,
        floor=height - BOTTOM,
        left=LEFT,
        right=width - RIGHT,
        grid=[
            Tick(down(each * step), short_count(round(each * step))) for each in _whole(high / step)
        ],
        labels=_labels(first, last, across, length),
        periods=[
            _period(at, parts, first, length, across=across, down=down)
            for at, parts in sorted(counts.items())
        ],
        versions=sorted({each.version for each in points}),
        unit="day" if length == 1 else "week",
    )


def _whole(count: float) -> Iterable[int]:
    return range(round(count) + 1)


def _by_period(
    points: Sequence[TrafficPoint], first: date, length: int
) -> dict[int, dict[int, int]]:
    """Return predictions by period and version."""
    counts: dict[int, dict[int, int]] = {}
    for each in points:
        at = (date.fromisoformat(each.day) - first).days // length
        parts = counts.setdefault(at, {})
        parts[each.version] = parts.get(each.version, 0) + each.predictions
    return counts


def _period(
    at: int,
    parts: dict[int, int],
    first: date,
    length: int,
    *,
    across: Scale,
    down: Scale,
) -> Period:
    left, right = across(at), across(at + 1)
    gap = 1.0 if right - left > 4 else 0.4
    width = round(min(max(right - left - gap, 0.6), WIDEST), 1)
    bars, below = [], 0
    for version, predictions in sorted(parts.items()):
        top, floor = down(below + predictions), down(below)
        bars.append(
            Bar(
                x=round((left + right - width) / 2, 1),
                y=top,
                width=width,
                height=round(floor - top, 1),
                version=version,
            )
        )
        below += predictions
    start = first + timedelta(days=at * length)
    when = f"{start.day} {start:%B %Y}"
    shown = ", ".join(f"version {version}: {parts[version]:,}" for version in sorted(parts))
    said = when if length == 1 else f"week from {when}"
    return Period(x=left, width=round(right - left, 1), bars=bars, title=f"{said}: {shown}")


def _labels(first: date, last: date, across: Scale, length: int) -> list[Tick]:
    """Return a label at each first of a month, or each week when the span is short."""
    if (last - first).days < LABELLED_WEEKS:
        weeks = range(0, (last - first).days + 1, 7)
        days = [first + timedelta(days=each) for each in weeks]
        return [
            Tick(across((each - first).days / length), f"{each.day} {each:%b}") for each in days
        ]
    # The month under way at the left end begins before it.
    firsts = [first.replace(day=1)]
    while firsts[-1] <= last:
        firsts.append(_next_month(firsts[-1]))
    places = [across(max((each - first).days, 0) / length) for each in firsts]
    if places[1] - places[0] < LABEL_ROOM and firsts[0] < first:
        del firsts[0], places[0]
    return [
        Tick(x, f"{each:%b}")
        for each, x in zip(firsts, places, strict=True)
        if each <= last and x <= across.stop - LABEL_WIDTH
    ]


def _next_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)
