"""Numbers, ids, times and lengths of lists: figures of the values in their order.

Three jobs: what needs no order; the most frequent values; ranks, buckets and moments of the
values sorted by column. One task sorts a column's distinct values, on disk where they are many;
it adds them in that order, so the same rows give the same bits again.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tondo.adapters.engines.figures import (
    WEIGHT_PARTS,
    edges_of,
    equal_width,
    plain,
    sizes,
    spread,
)
from tondo.adapters.engines.spark.counted import aggregated, most_frequent
from tondo.core.buckets import QUANTILES_PERCENT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tondo.adapters.engines.spark.counted import Part

_WEIGHT = f"(CAST(parts AS DOUBLE) / {WEIGHT_PARTS}D)"
# So that the sum of any doubles stays below the largest.
_SMALLER = f"{2.0**-64!r}D"
# Squares are taken about a number near the mean; of its digits so many are kept that it is, but
# for one time in millions, the same whatever the order in which the values were added before.
_SHIFT_BITS = 26
_INFINITY = "DOUBLE('Infinity')"


def describe(
    long: Any,
    parts: Sequence[Part],
    *,
    slices: int,
    top: int,
    buckets: int,
    is_double: bool,
    weighted: bool,
) -> list[dict[str, Any]]:
    """Return the entries of each c of a counted frame, from 0 on."""
    sums = _sums(is_double=is_double, weighted=weighted)
    sums["total"] = _total_of_lengths(parts)
    first = aggregated(long, sums)
    known = "v IS NOT NULL AND NOT isnan(v)" if is_double else "v IS NOT NULL"
    finite = f"{known} AND abs(v) < {_INFINITY}" if is_double else known
    frequent = most_frequent(long.where(known), "n", top)
    heavy = most_frequent(long.where(known), "parts", top) if weighted else {}
    plans = {c: _Plan(row, buckets) for c, row in first.items() if row["low"] is not None}
    ordered = _ordered(long.where(finite), plans, buckets, is_double=is_double, weighted=weighted)
    nothing = dict.fromkeys(sums, 0) | {"low": None, "high": None}
    found = []
    for c in range(slices * len(parts)):
        counts = first.get(c, nothing)
        entry = _told(counts, plans.get(c), ordered.get(c, {}), is_double=is_double)
        entry["top"] = [[plain(row["v"]), row["n"]] for row in frequent.get(c, [])]
        if parts[c % len(parts)].role == "length":
            present = counts["rows"] - counts["missing"]
            entry["empty"] = counts["zeros"]
            entry["length"] = sizes(counts["low"], counts["high"], int(counts["total"]), present)
        if weighted:
            entry["weighted"] = _weighed(counts, heavy.get(c, []))
            if is_double:
                entry["weighted"] |= _moments(plans.get(c), ordered.get(c, {}), "heavy")
        found.append(entry)
    return found


def _sums(*, is_double: bool, weighted: bool) -> dict[str, str]:
    """Return the aggregates that need no order."""
    nan = "isnan(v)" if is_double else "false"
    infinite = f"abs(v) = {_INFINITY}" if is_double else "false"
    finite = f"v IS NOT NULL AND NOT {nan} AND NOT {infinite}"
    found = {
        "rows": "sum(n)",
        "missing": "coalesce(sum(n) FILTER (WHERE v IS NULL), 0)",
        "nan": f"coalesce(sum(n) FILTER (WHERE {nan}), 0)",
        "infinite": f"coalesce(sum(n) FILTER (WHERE {infinite}), 0)",
        "distinct": f"count(*) FILTER (WHERE v IS NOT NULL AND NOT {nan})",
        "low": f"min(v) FILTER (WHERE {finite})",
        "high": f"max(v) FILTER (WHERE {finite})",
        "zeros": "coalesce(sum(n) FILTER (WHERE v = 0), 0)",
        "light_mean": f"sum(v * {_SMALLER} * n) FILTER (WHERE {finite})" if is_double else "0.0D",
    }
    if weighted:
        found |= {
            "parts": "sum(parts)",
            "missing_parts": f"coalesce(sum(parts) FILTER (WHERE v IS NULL OR {nan}), 0)",
            "heavy_mean": f"sum(v * {_SMALLER} * {_WEIGHT}) FILTER (WHERE {finite})"
            if is_double
            else "0.0D",
            "weight": f"coalesce(sum({_WEIGHT}) FILTER (WHERE {finite}), 0.0D)",
        }
    return found


def _total_of_lengths(parts: Sequence[Part]) -> str:
    """Return SQL of the items of all lists together; a sum of ids could overflow."""
    lists = [place for place, part in enumerate(parts) if part.role == "length"]
    if not lists:
        return "0L"
    these = ", ".join(map(str, lists))
    return f"coalesce(sum(v * n) FILTER (WHERE c % {len(parts)} IN ({these})), 0)"


class _Plan:
    """What is asked of a column's sorted finite values, once their number and ends are known."""

    def __init__(self, row: Mapping[str, Any], buckets: int) -> None:
        self.low, self.high = row["low"], row["high"]
        self.count = row["rows"] - row["missing"] - row["nan"] - row["infinite"]
        self.edges = edges_of(float(self.low), float(self.high), buckets)
        largest = max(abs(float(self.low)), abs(float(self.high)))
        # A power of two, which is exact, so that squares of large values do not overflow.
        self.scale = 2.0 ** max(math.frexp(largest)[1] - 400, 0)
        self.light = self._shift(row["light_mean"], self.count)
        self.heavy = self._shift(row.get("heavy_mean") or 0.0, row.get("weight") or 0.0)

    def _shift(self, total: float, count: float) -> float:
        """Return a number of few digits near the mean, scaled; `total` is 2^-64 of the sum."""
        low, high = float(self.low) / self.scale, float(self.high) / self.scale
        if low == high or not count:
            return low
        mean = total / count / self.scale * 2.0**64
        step = math.ldexp(1.0, math.frexp(high - low)[1] - _SHIFT_BITS)
        rounded = round(mean / step) * step if step and math.isfinite(mean / step) else low
        return min(max(rounded, low), high)


def _ordered(
    finite: Any, plans: Mapping[int, _Plan], buckets: int, *, is_double: bool, weighted: bool
) -> dict[int, dict[str, Any]]:
    """Sort each column's values; return ranks, counts by edge, and sums about the shifts."""
    if not plans:
        return {}
    from pyspark.sql import functions

    known = functions.broadcast(_table(finite.sparkSession, plans))
    running = "sum(n) OVER (PARTITION BY c ORDER BY v ROWS UNBOUNDED PRECEDING) AS upto"
    carried = ["parts"] if weighted else []
    ranked = finite.selectExpr("c", "v", "n", *carried, running).join(known, "c")
    scaled = "v / scale" if is_double else "0.0D"
    rows = ranked.selectExpr("*", f"{scaled} AS x")
    after, before = "(100 * upto) div total", "(100 * (upto - n)) div total"
    sums = {
        # A value stands at every whole percent that is reached at it and not before.
        "percents": f"collect_list(CASE WHEN {after} > {before} THEN"
        f" named_struct('after', {after}, 'v', v) END)",
    }
    for place in range(1, buckets):
        sums[f"from_{place}"] = (
            f"sum(CASE WHEN CAST(v AS DOUBLE) >= get(edges, {place}) THEN n ELSE 0 END)"
        )
    if is_double:
        sums |= _about("n", "light")
    if is_double and weighted:
        sums |= _about(_WEIGHT, "heavy")
    return aggregated(rows, sums)


def _about(weight: str, shift: str) -> dict[str, str]:
    off = f"(x - {shift})"
    return {
        f"{shift}_count": f"sum({weight})",
        f"{shift}_sum": f"sum({weight} * {off})",
        f"{shift}_squares": f"sum({weight} * {off} * {off})",
    }


def _table(session: Any, plans: Mapping[int, _Plan]) -> Any:
    """Return the plans as a frame: a few numbers a column."""
    import pyarrow as pa

    rows = list(plans.values())
    # Both ends are left out by `>=` and by the numbers of the places.
    edges = [each.edges[:-1].tolist() for each in rows]
    table = {
        "c": pa.array(list(plans), pa.int32()),
        "total": pa.array([each.count for each in rows], pa.int64()),
        "edges": pa.array(edges, pa.list_(pa.float64())),
        **{
            name: pa.array([getattr(each, name) for each in rows], pa.float64())
            for name in ("scale", "light", "heavy")
        },
    }
    return session.createDataFrame(pa.table(table))


def _told(
    counts: Mapping[str, Any],
    plan: _Plan | None,
    ordered: Mapping[str, Any],
    *,
    is_double: bool,
) -> dict[str, Any]:
    """Return the entries of one column but for the most frequent values."""
    shared = ("rows", "missing", "nan", "infinite", "distinct")
    found = {name: counts[name] for name in shared}
    if plan is None:
        found |= spread({}, 0, None, None, histogram=[])
    else:
        inner = range(1, len(plan.edges) - 1)
        below = np.array([plan.count - ordered[f"from_{place}"] for place in inner], np.int64)
        found |= spread(
            _quantiles(ordered["percents"]),
            plan.count,
            plan.low,
            plan.high,
            histogram=equal_width(plan.edges, below, plan.count),
        )
    if is_double:
        found |= {"zeros": counts["zeros"], **_moments(plan, ordered, "light")}
    return found


def _quantiles(percents: Sequence[Mapping[str, Any]]) -> dict[int, float | int]:
    """Return the value at each percent: the least one at which it is reached."""
    reached = sorted((row["after"], row["v"]) for row in percents)
    return {
        percent: next(value for after, value in reached if after >= percent)
        for percent in QUANTILES_PERCENT
    }


def _moments(plan: _Plan | None, ordered: Mapping[str, Any], shift: str) -> dict[str, float | None]:
    """Mean and population standard deviation from sums about a number near the mean."""
    count = ordered.get(f"{shift}_count")
    if plan is None or not count:
        return {"mean": None, "sd": None}
    off = ordered[f"{shift}_sum"] / count
    variance = max(ordered[f"{shift}_squares"] / count - off * off, 0.0)
    mean = (getattr(plan, shift) + off) * plan.scale
    return {"mean": mean, "sd": math.sqrt(variance) * plan.scale}


def _weighed(counts: Mapping[str, Any], heavy: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "rows": int(counts["parts"]) / WEIGHT_PARTS,
        "missing": int(counts["missing_parts"]) / WEIGHT_PARTS,
        "top": [[plain(row["v"]), int(row["parts"]) / WEIGHT_PARTS] for row in heavy],
    }
