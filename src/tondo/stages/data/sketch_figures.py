"""From a column's sketch to statistics: estimates, and the bounds that go with them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tondo.core.buckets import QUANTILES_PERCENT, equal_count, equal_edges
from tondo.stages.data.statistics import SHOWN_VALUES, ColumnStatistics, Lengths

if TYPE_CHECKING:
    from tondo.ports.sketches import Sketches, ValueSketch
    from tondo.stages.data.sketch_columns import ColumnSketch
    from tondo.stages.data.statistics import Value

_BUCKETS = 10
_LABELS = 1000
"""Most frequent values of texts and booleans, as in exact statistics."""


class ColumnBounds(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far the figures of one column may be off; what is not among `approximate` is exact."""

    approximate: tuple[str, ...] = ()
    """Names of the fields of ColumnStatistics that are estimates; `items.` stands before those of
    a list's items."""
    distinct: tuple[int, int] | None = None
    """At least and at most, three standard errors away."""
    top: tuple[tuple[int, int], ...] = ()
    """At least and at most, of each of `top`; the statistics tell the least."""
    other: int = 0
    """A value that is not among `top` occurs at most so often."""
    rank_error: float = 0.0
    """A quantile's true rank is within this share of its own, in 99 of 100 cases."""
    bucket_error: int = 0
    """A histogram's bucket is off by at most so many values, in 98 of 100 cases."""
    items: ColumnBounds | None = None


class _Spread(NamedTuple):
    quantiles: dict[str, float | int]
    histogram: tuple[tuple[float, float, int], ...]
    quantile_histogram: tuple[tuple[float | int, float | int, int], ...]


def figures(column: ColumnSketch, sketches: Sketches) -> tuple[ColumnStatistics, ColumnBounds]:
    """Return a column's statistics and their bounds (TD-SKETCH-001 for damaged bytes)."""
    if column.items is not None:
        return _of_lists(column, *figures(column.items, sketches))
    kept = sketches.read(column.values)
    empty_counts = int(column.empty > 0)
    about, low, high = (each + empty_counts for each in kept.distinct())
    present = column.rows - column.missing - column.nan
    frequent, other = kept.frequent()
    top = _top(frequent, column)
    bounds = ColumnBounds(
        distinct=(low, min(high, present)),
        top=tuple((least, min(most + column.dropped, present)) for _, least, most in top),
        other=max([other + column.dropped, *_left_out(frequent, top, column.dropped)]),
        rank_error=kept.rank_error,
        bucket_error=math.ceil(2 * kept.rank_error * column.finite),
    )
    spread = _spread(kept, column)
    found = ColumnStatistics(
        type=column.type,
        rows=column.rows,
        missing=column.missing,
        nan=column.nan,
        infinite=column.infinite,
        distinct=min(about, present),
        top=tuple((value, least) for value, least, _ in top),
        **_exact(column),
        quantiles=spread.quantiles,
        histogram=spread.histogram,
        quantile_histogram=spread.quantile_histogram,
    )
    return found, msgspec.structs.replace(bounds, approximate=_approximate(bounds))


def _of_lists(
    column: ColumnSketch, items: ColumnStatistics, bounds: ColumnBounds
) -> tuple[ColumnStatistics, ColumnBounds]:
    found = ColumnStatistics(
        type=column.type,
        rows=column.rows,
        missing=column.missing,
        empty=column.empty,
        length=_lengths(column),
        items=items,
    )
    named = tuple(f"items.{name}" for name in bounds.approximate)
    return found, ColumnBounds(approximate=named, items=bounds)


def _exact(column: ColumnSketch) -> dict[str, Any]:
    if column.type == "string":
        return {"empty": column.empty, "length": _lengths(column)}
    if column.type == "bool":
        return {}
    found: dict[str, object] = {"min": column.min, "max": column.max}
    if column.type == "double":
        some = column.finite > 0
        found |= {"zeros": column.zeros, "mean": column.mean if some else None}
        found["sd"] = column.sd if some else None
    return found


def _lengths(column: ColumnSketch) -> Lengths:
    if column.lengths is None:
        return Lengths(min=None, max=None, mean=None, total=0)
    least, most, total = column.lengths
    return Lengths(min=least, max=most, mean=total / (column.rows - column.missing), total=total)


def _top(
    frequent: list[tuple[str, int, int]], column: ColumnSketch
) -> list[tuple[Value, int, int]]:
    """Return the values that are known to occur most, ties by value."""
    words = column.type in {"string", "bool"}
    known = [(_value(text, column.type), low, high) for text, low, high in frequent]
    # Infinities are told as text, which has no order among numbers.
    ranked = sorted(known, key=lambda each: (-each[1], float(each[0]) if not words else each[0]))
    return ranked[: _LABELS if words else SHOWN_VALUES]


def _value(text: str, type_: str) -> Value:
    if type_ == "string":
        return text
    if type_ == "bool":
        return text == "true"
    if type_ == "double":
        return float(text) if math.isfinite(float(text)) else text
    return int(text)


def _left_out(
    frequent: list[tuple[str, int, int]], top: list[tuple[Value, int, int]], dropped: int
) -> list[int]:
    """Return how often kept values that are not shown may occur."""
    shown = len(top)
    return sorted((high + dropped for _, _, high in frequent), reverse=True)[shown:]


def _spread(kept: ValueSketch, column: ColumnSketch) -> _Spread:
    low, high, count = column.min, column.max, column.finite
    if low is None or high is None:
        return _Spread({}, (), ())
    whole = column.type != "double"
    told = kept.quantiles([each / 100 for each in QUANTILES_PERCENT])
    # A whole number beyond 2**53 comes back as the nearest double, perhaps beyond an end.
    fitting = [min(max(round(each) if whole else each, low), high) for each in told]
    at = dict(zip(QUANTILES_PERCENT, fitting, strict=True))
    quantiles = {f"{percent / 100:.2f}": value for percent, value in at.items()}
    deciles = tuple((each[0], each[1], int(each[2])) for each in equal_count(at, count, low, high))
    return _Spread(quantiles, _equal_width(kept, low, high, count), deciles)


def _equal_width(
    kept: ValueSketch, low: float, high: float, count: int
) -> tuple[tuple[float, float, int], ...]:
    edges = equal_edges(low, high, _BUCKETS)
    below = [0, *(round(each * count) for each in kept.shares_below(edges[1:-1])), count]
    return tuple(
        (edges[each], edges[each + 1], below[each + 1] - below[each])
        for each in range(len(edges) - 1)
    )


def _approximate(bounds: ColumnBounds) -> tuple[str, ...]:
    found = []
    if bounds.distinct is not None and bounds.distinct[0] < bounds.distinct[1]:
        found.append("distinct")
    if any(low < high for low, high in bounds.top) or (not bounds.top and bounds.other):
        found.append("top")
    if bounds.rank_error:
        found += ["quantiles", "histogram", "quantile_histogram"]
    return tuple(found)
