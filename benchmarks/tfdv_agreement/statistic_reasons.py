"""When statistics differ for a known reason, a predicate each."""

from __future__ import annotations

import math
import struct
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from benchmarks.tfdv_agreement.facts import CLOSE, finite, infinities
from benchmarks.tfdv_agreement.values import items_of

if TYPE_CHECKING:
    from benchmarks.tfdv_agreement.compare import Difference
    from benchmarks.tfdv_agreement.facts import Column, Facts

SLACK = 0.01
"""Their sketch promises counts to 1 % of the values."""


def null_items_fail(found: Difference, facts: Facts) -> bool:
    """A null in a list of texts can break their count of lengths."""
    columns = [
        column
        for table in ("table", "previous", "serving")
        for column in facts.case.get(table, {}).get("columns", {}).values()
    ]
    nulls = any(
        None in (row or [])
        for column in columns
        if column["list"] and column["type"] == "BYTES"
        for row in column["values"]
    )
    return found.kind == "failed" and found.theirs.startswith("AttributeError") and nulls


def of_nothing(found: Difference, facts: Facts) -> bool:
    """The statistics of no values are 0 there, and are none here."""
    column = facts.column(found.column)
    if found.kind != "statistics" or column is None or found.ours is not None:
        return False
    finite_ones = [] if column["type"] == "BYTES" else finite(column)
    return found.theirs == 0 and not (
        items_of(column) if column["type"] == "BYTES" else finite_ones
    )


def length_in_bytes(found: Difference, facts: Facts) -> bool:
    """They count bytes, count null items as empty, and keep 32 bits."""
    column = facts.column(found.column)
    if found.kind != "statistics" or found.what != "avg_length" or found.ours is None:
        return False
    lists = [each if column["list"] else [each] for each in column["values"] if each is not None]
    values = [item or "" for each in lists for item in each]
    mean = sum(len(each.encode()) for each in values) / len(values)
    (kept,) = struct.unpack("f", struct.pack("f", mean))
    return math.isclose(kept, found.theirs, rel_tol=2**-23)


def infinity_spoils(found: Difference, facts: Facts) -> bool:
    """Ours are of the finite values; theirs take infinities into moments and ends."""
    column = facts.column(found.column)
    if found.kind != "statistics" or column is None or not infinities(column):
        return False
    if found.what in {"min", "max"}:
        end = -math.inf if found.what == "min" else math.inf
        seen = infinities(column) if not finite(column) else {end} & infinities(column)
        return float(found.theirs) in seen
    spoilt = found.what == "mean" and not math.isfinite(float(found.theirs))
    return spoilt or (found.what == "std_dev" and found.theirs in {0.0, "nan", "inf"})


def upper_median(found: Difference, facts: Facts) -> bool:
    """Of an even number theirs is the upper middle value, ours the lower; ours of finite values."""
    if found.kind != "statistics" or found.what != "median":
        return False
    column = facts.column(found.column)
    ordered = [float(each) for each in items_of(column)]
    ordered = sorted(each for each in ordered if not math.isnan(each))
    values = finite(column)
    if not ordered or float(found.theirs) != ordered[len(ordered) // 2]:
        return False
    return found.ours == (values[(len(values) - 1) // 2] if values else None)


def sketched_counts(found: Difference, facts: Facts) -> bool:
    """Their cumulative counts at each bound are those of the values, within 1 % of these."""
    if found.kind != "statistics" or found.what != "standard" or found.theirs is None:
        return False
    column = facts.column(found.column)
    values = finite(column)
    buckets = [tuple(map(float, each)) for each in found.theirs["buckets"]]
    solid = [each for each in buckets if math.isfinite(each[0]) and math.isfinite(each[1])]
    infinite = sum(count for low, high, count in buckets if not math.isfinite(high - low))
    return _loose(column, infinite) and _near(values, solid, found.ours)


def _loose(column: Column, infinite: float) -> bool:
    if column["type"] == "INT":
        return infinite == 0
    seen = sum(math.isinf(float(each)) for each in items_of(column))
    return abs(seen - infinite) <= max(1.0, SLACK * seen)


def _near(
    values: list[float], theirs: list[tuple[float, ...]], ours: list[tuple[float, ...]]
) -> bool:
    slack, below = SLACK * len(values) + CLOSE, 0.0
    if not values or not theirs:
        return not values
    bounds = [(each[0], each[1]) for each in ours]
    same = len(bounds) == len(theirs) and all(
        math.isclose(one, other, rel_tol=CLOSE, abs_tol=CLOSE)
        for mine, bucket in zip(bounds, theirs, strict=True)
        for one, other in zip(mine, bucket[:2], strict=True)
    )
    for _, high, count in theirs:
        below += count
        step = CLOSE * max(abs(high), 1)
        least, most = bisect_left(values, high - step), bisect_right(values, high + step)
        if not least - slack <= below <= most + slack:
            return False
    return same
