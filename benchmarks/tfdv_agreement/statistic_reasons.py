"""When statistics differ for a known reason, a predicate each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from benchmarks.tfdv_agreement.facts import finite, infinities
from benchmarks.tfdv_agreement.promises import (
    CLOSE,
    SINGLE_PRECISION,
    SKETCHED,
    counts_hold,
    has_rank,
    have_ranks,
    same_bounds,
)
from benchmarks.tfdv_agreement.values import items_of

if TYPE_CHECKING:
    from benchmarks.tfdv_agreement.compare import Difference
    from benchmarks.tfdv_agreement.facts import Column, Facts


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


def length_in_bytes(found: Difference, facts: Facts) -> bool:
    """They count bytes, of which an accented letter has several; ours are characters."""
    column = facts.column(found.column)
    if found.kind != "statistics" or found.what != "avg_length" or found.ours is None:
        return False
    values = items_of(column)
    several = any(not each.isascii() for each in values)
    return several and _is_mean(found.theirs, [len(each.encode()) for each in values])


def null_items_are_empty(found: Difference, facts: Facts) -> bool:
    """They take nulls in lists for empty texts, also where all items are null; also in bytes."""
    column = facts.column(found.column)
    if found.kind != "statistics" or found.what != "avg_length" or not column["list"]:
        return False
    items = [item for row in column["values"] if row is not None for item in row]
    return None in items and _is_mean(found.theirs, [len((each or "").encode()) for each in items])


def _is_mean(theirs: float, lengths: list[int]) -> bool:
    return math.isclose(theirs, sum(lengths) / len(lengths), rel_tol=SINGLE_PRECISION)


def infinity_spoils(found: Difference, facts: Facts) -> bool:
    """Ours are of the finite values; theirs take infinities into moments, ends and ranks."""
    column = facts.column(found.column)
    if found.kind != "statistics" or column is None or not infinities(column):
        return False
    if found.what in {"min", "max"}:
        return _infinite_end(found, column)
    if found.what in {"median", "quantiles"}:
        return _infinite_ranks(found, column)
    if found.what == "standard":
        return _infinite_buckets(found, column)
    spoilt = found.what == "mean" and not math.isfinite(float(found.theirs))
    return spoilt or (found.what == "std_dev" and found.theirs in {0.0, "nan", "inf"})


def _infinite_end(found: Difference, column: Column) -> bool:
    end = -math.inf if found.what == "min" else math.inf
    seen = infinities(column) if not finite(column) else {end} & infinities(column)
    return float(found.theirs) in seen


def _infinite_ranks(found: Difference, column: Column) -> bool:
    """Both have the ranks that they promise, ours among the finite values, theirs among all."""
    every, few = _with_infinities(column), finite(column)
    if found.what == "median":
        ours = found.ours is None if not few else has_rank(found.ours, 0.5, few)
        return ours and has_rank(float(found.theirs), 0.5, every, slack=SKETCHED)
    ours = found.ours == [] if not few else have_ranks(found.ours, few)
    return ours and have_ranks([float(each) for each in found.theirs], every, slack=SKETCHED)


def _infinite_buckets(found: Difference, column: Column) -> bool:
    """Theirs has buckets for infinities besides; all of them hold the values that they should."""
    values, buckets = finite(column), [tuple(map(float, each)) for each in found.theirs["buckets"]]
    solid = [each for each in buckets if math.isfinite(each[0]) and math.isfinite(each[1])]
    every = _with_infinities(column)
    beyond = sum(count for _, _, count in buckets) - sum(count for _, _, count in solid)
    held = abs(beyond - (len(every) - len(values))) <= SKETCHED * len(every) + CLOSE
    same = same_bounds(found.ours, solid) and counts_hold(found.ours, values)
    slack = SKETCHED * len(every) / max(len(values), 1)
    return held and same and counts_hold(solid, values, slack=slack)


def _with_infinities(column: Column) -> list[float]:
    values = [float(each) for each in items_of(column)]
    return sorted(each for each in values if not math.isnan(each))
