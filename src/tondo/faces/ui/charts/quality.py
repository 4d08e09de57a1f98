"""Live AUC by month, beside the first model left alone, with intervals and promotions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.instants import from_micros
from tondo.faces.ui.charts.scale import Scale, Tick, nice_range, ticks
from tondo.faces.ui.words import decimal, month

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.workspace.pages import MonthPoint, Promotion

TOP = 44.0
BOTTOM = 40.0
LEFT = 46.0
RIGHT = 16.0
# Two flags nearer than this, in pixels, would write over each other.
FLAG_WIDTH = 34.0
TIP_WIDTH = 224.0
TIP_HEIGHT = 66.0


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """One month: both figures with their intervals, and the strip that answers to the pointer."""

    x: float
    left: float
    width: float
    label: str
    version: int
    y: float | None
    low: float | None
    high: float | None
    static_y: float | None
    is_open: bool
    """Its figures are so far: the month runs, or outcomes still come."""
    tip: list[str]
    tip_x: float
    tip_y: float
    tip_width: float


class Flag(msgspec.Struct, frozen=True, kw_only=True):
    """A promotion: a thin line at its day with the version's name."""

    x: float
    label: str
    version: int
    named: bool
    title: str


class QualityChart(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the template draws."""

    width: float
    height: float
    top: float
    floor: float
    left: float
    right: float
    grid: list[Tick]
    months: list[Tick]
    marks: list[Mark]
    flags: list[Flag]
    live_line: str
    open_line: str
    """From the last closed month on through those that still run."""
    live_band: str
    static_line: str
    static_band: str


def quality_chart(
    points: Sequence[MonthPoint],
    promotions: Sequence[Promotion],
    *,
    width: float,
    height: float,
) -> QualityChart | None:
    """Return the chart, or None before the first month with outcomes."""
    values = [value for each in points for value in _values(each)]
    if not values:
        return None
    low, high, step = nice_range(values, most=5)
    down = Scale(low, high, height - BOTTOM, TOP)
    across = Scale(0.0, float(len(points)), LEFT, width - RIGHT)
    return QualityChart(
        width=width,
        height=height,
        top=TOP,
        floor=height - BOTTOM,
        left=LEFT,
        right=width - RIGHT,
        grid=ticks(down, step, label=".2f"),
        months=_labels(points, across),
        marks=[_mark(each, at, across, down) for at, each in enumerate(points)],
        flags=_flags(promotions, points, across),
        live_line=_line(
            [(at, None if each.is_open else each.auc) for at, each in enumerate(points)],
            across,
            down,
        ),
        open_line=_open_line(points, across, down),
        live_band=_band(
            [(at, each.low, each.high) for at, each in enumerate(points)], across, down
        ),
        static_line=_line([(at, each.static_auc) for at, each in enumerate(points)], across, down),
        static_band=_band(
            [(at, each.static_low, each.static_high) for at, each in enumerate(points)],
            across,
            down,
        ),
    )


def _labels(points: Sequence[MonthPoint], across: Scale) -> list[Tick]:
    """Return a label for each month, the year with the first and with each January."""
    found = []
    for at, each in enumerate(points):
        is_new = at == 0 or points[at - 1].month[:4] != each.month[:4]
        has_years = points[0].month[:4] != points[-1].month[:4]
        year = f" {each.month[:4]}" if is_new and has_years else ""
        found.append(Tick(across(at + 0.5), month(each.month) + year))
    return found


def _open_line(points: Sequence[MonthPoint], across: Scale, down: Scale) -> str:
    """Return the line through open months; it begins at the month before the first of them."""
    places = [at for at, each in enumerate(points) if each.is_open]
    first = max(places[0] - 1, 0) if places else len(points)
    return _line([(at, points[at].auc) for at in range(first, len(points))], across, down)


def _values(point: MonthPoint) -> list[float]:
    """Return the figures of a month that must fit on the canvas."""
    found = (point.auc, point.low, point.high, point.static_auc, point.static_low)
    return [each for each in (*found, point.static_high) if each is not None]


def _mark(point: MonthPoint, at: int, across: Scale, down: Scale) -> Mark:
    x = across(at + 0.5)
    left, right = across(at), across(at + 1)
    return Mark(
        x=x,
        left=left,
        width=round(right - left, 1),
        label=month(point.month, long=True) + (", so far" if point.is_open else ""),
        version=point.version,
        is_open=point.is_open,
        y=_place(point.auc, down),
        low=_place(point.low, down),
        high=_place(point.high, down),
        static_y=_place(point.static_auc, down),
        tip=_tip(point),
        tip_x=round(min(max(x - TIP_WIDTH / 2, LEFT), across.stop - TIP_WIDTH), 1),
        tip_y=_tip_y(point, down),
        tip_width=TIP_WIDTH,
    )


def _tip_y(point: MonthPoint, down: Scale) -> float:
    """Return where the words go: on the half of the canvas that the month's figures leave free."""
    places = [down(value) for value in _values(point)]
    middle = (down.start + down.stop) / 2
    if places and sum(places) / len(places) < middle:
        return round(down.start - TIP_HEIGHT - 6, 1)
    return round(down.stop + 6, 1)


def _tip(point: MonthPoint) -> list[str]:
    lines = [f"version {point.version}: {_with_interval(point.auc, point.low, point.high)}"]
    if point.static_auc is not None:
        text = _with_interval(point.static_auc, point.static_low, point.static_high)
        lines.append(f"left alone: {text}")
    return lines


def _with_interval(value: float | None, low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return decimal(value)
    return f"{decimal(value)} ({decimal(low)} to {decimal(high)})"


def _flags(
    promotions: Sequence[Promotion], points: Sequence[MonthPoint], across: Scale
) -> list[Flag]:
    found: list[Flag] = []
    places = {each.month: at for at, each in enumerate(points)}
    named_until = float("-inf")
    for each in sorted(promotions, key=lambda one: one.at_us):
        at = from_micros(each.at_us)
        place = places.get(f"{at:%Y-%m}")
        if place is None:
            continue
        # Months differ by three days at most: 31 is near enough for a place on the canvas.
        x = across(place + (at.day - 1) / 31)
        named = x - named_until >= FLAG_WIDTH
        named_until = x if named else named_until
        title = f"version {each.version} came live on {at.day} {at:%B %Y}"
        label = f"v{each.version}"
        found.append(Flag(x=x, label=label, version=each.version, named=named, title=title))
    return found


def _place(value: float | None, down: Scale) -> float | None:
    return None if value is None else down(value)


def _line(pairs: Sequence[tuple[int, float | None]], across: Scale, down: Scale) -> str:
    """Return an SVG path through the months that have a figure, broken where one has none."""
    path, joined = "", False
    for at, value in pairs:
        if value is not None:
            path += f"{'L' if joined else 'M'}{across(at + 0.5)} {down(value)}"
        joined = value is not None
    return path


def _band(
    triples: Sequence[tuple[int, float | None, float | None]], across: Scale, down: Scale
) -> str:
    """Return closed paths around the intervals, one for each run of months that have them."""
    path = ""
    above: list[str] = []
    below: list[str] = []
    for at, low, high in [*triples, (0, None, None)]:
        if low is not None and high is not None:
            x = across(at + 0.5)
            above.append(f"{x} {down(high)}")
            below.insert(0, f"{x} {down(low)}")
        elif above:
            path += "M" + "L".join([*above, *below]) + "Z"
            above, below = [], []
    return path
