"""Statistics as a DatasetFeatureStatisticsList of tensorflow-metadata.

NaN is a value that is present there and missing here, so `num_non_missing` counts it and `num_nan`
says how many. Infinite values are a bucket with an infinite end, and an infinite least or greatest.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tondo.core.columns import BOOL, DOUBLE, STRING, item_type
from tondo.stages.data.constraints import value_type
from tondo.stages.data.exchange.converted import Converted, of_columns
from tondo.stages.data.exchange.statistics_differences import statistics_differences
from tondo.stages.data.exchange.tensorflow_feature_statistics import (
    OWN_TYPE,
    natural_type,
    read_statistics,
)
from tondo.stages.data.exchange.tensorflow_weights import weighted_common, weighted_values
from tondo.stages.data.inference import values_of
from tondo.stages.data.statistics import SHOWN_VALUES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tondo.stages.data.statistics import ColumnStatistics, Statistics, Value

Document = dict[str, Any]
_BUCKETS = 10


def to_tensorflow_statistics(statistics: Statistics) -> Converted[Document]:
    """Return the document of a statistics message with one dataset."""
    dataset: Document = {
        "num_examples": statistics.rows,
        "features": [_feature(name, each) for name, each in statistics.columns.items()],
    }
    weights = [each.weighted.rows for each in statistics.columns.values() if each.weighted]
    if weights:
        dataset["weighted_num_examples"] = weights[0]
    document = {"datasets": [dataset]}
    again = read_statistics(document).value
    nan = [name for name, each in statistics.columns.items() if each.weighted and each.nan]
    said = (f"by weight NaN is missing: {of_columns('weighted', nan)}",) if nan else ()
    return Converted(document, statistics_differences(statistics, again) + said)


def _feature(name: str, column: ColumnStatistics) -> Document:
    values = value_type(column.type)
    kind = {STRING: "STRING", DOUBLE: "FLOAT"}.get(values, "INT")
    stats = _string_stats(column) if values == STRING else _num_stats(column)
    field = "string_stats" if values == STRING else "num_stats"
    if column.weighted is not None:
        stats |= weighted_values(column.weighted, column.type)
    written: Document = {"path": {"step": [name]}, "type": kind, field: stats}
    if natural_type(kind, stats["common_stats"]) != column.type:
        written["custom_stats"] = [{"name": OWN_TYPE, "str": column.type}]
    return written


def _common(column: ColumnStatistics) -> Document:
    there = column.rows - column.missing
    found: Document = {"num_non_missing": there, "num_missing": column.missing}
    length = column.length
    if item_type(column.type) is None:
        if there:
            found |= {"min_num_values": 1, "max_num_values": 1, "avg_num_values": 1.0}
        found["tot_num_values"] = there
    elif length is not None and length.max is not None:
        found |= {"min_num_values": length.min, "max_num_values": length.max}
        found |= {"avg_num_values": length.mean or 0.0, "tot_num_values": length.total or 0}
        if length.histogram:
            found["num_values_histogram"] = _histogram("QUANTILES", length.histogram)
    if column.weighted is not None:
        found["weighted_common_stats"] = weighted_common(column.weighted, column.type)
    return found


def _string_stats(column: ColumnStatistics) -> Document:
    values = values_of(column)
    written: Document = {"common_stats": _common(column), "top_values": _top(values.top)}
    if values.distinct is not None:
        written["unique"] = values.distinct
    if values.length is not None and values.length.mean is not None:
        written["avg_length"] = values.length.mean
    written["rank_histogram"] = {
        "buckets": [
            {"low_rank": rank, "high_rank": rank, "label": str(value), "sample_count": count}
            for rank, (value, count) in enumerate(values.top)
        ]
    }
    return written


def _top(values: Iterable[tuple[Value, float]]) -> list[Document]:
    shown = list(values)[:SHOWN_VALUES]
    return [{"value": str(value), "frequency": count} for value, count in shown]


def _num_stats(column: ColumnStatistics) -> Document:
    values = values_of(column)
    written: Document = {"common_stats": _common(column)}
    if values.type == BOOL:
        return written | _of_booleans(values)
    # A number that is not set reads as 0 there, so what is not known is NaN.
    moments = {"mean": values.mean, "std_dev": values.sd, "median": values.quantiles.get("0.50")}
    if values.min is not None:
        written |= {name: "NaN" if each is None else each for name, each in moments.items()}
    zeros = sum(count for value, count in values.top if value == 0) if not values.tail else None
    if values.zeros is not None or zeros is not None:
        written["num_zeros"] = zeros if values.zeros is None else values.zeros
    below, above = _infinite_ends(values)
    ends = (("min", -math.inf if below else values.min), ("max", math.inf if above else values.max))
    written |= {end: _real(value) for end, value in ends if value is not None}
    written["histograms"] = _histograms(values, above=above)
    return written


def _infinite_ends(values: ColumnStatistics) -> tuple[bool, bool]:
    """Say whether there are infinities below and above; both where only their count is known."""
    if not values.infinite:
        return False, False
    counts = {str(value): count for value, count in values.top}
    below, above = counts.get("-inf", 0), counts.get("inf", 0)
    known = below + above == values.infinite
    return (below > 0 or not known, above > 0 or not known)


def _histograms(values: ColumnStatistics, *, above: bool) -> list[Document]:
    buckets: list[tuple[float, float, int]] = list(values.histogram)
    if values.infinite and above:
        buckets.append((math.inf, math.inf, values.infinite))
    elif values.infinite:
        buckets.insert(0, (-math.inf, -math.inf, values.infinite))
    written = [_histogram("STANDARD", buckets, nan=values.nan)]
    if values.quantile_histogram:
        written.append(_histogram("QUANTILES", values.quantile_histogram, nan=values.nan))
    return written


def _histogram(kind: str, buckets: Iterable[tuple[float, float, int]], *, nan: int = 0) -> Document:
    return {
        "type": kind,
        "num_nan": nan,
        "buckets": [
            {"low_value": _real(low), "high_value": _real(high), "sample_count": count}
            for low, high, count in buckets
        ],
    }


def _of_booleans(values: ColumnStatistics) -> Document:
    """Return truth values as the numbers 0 and 1."""
    counts = {bool(value): count for value, count in values.top}
    false, true = counts.get(False, 0), counts.get(True, 0)
    if not false + true or values.tail:
        return {}
    share = true / (false + true)
    edges = [each / _BUCKETS for each in range(_BUCKETS + 1)]
    inner = [(low, high, 0) for low, high in pairwise(edges[1:-1])]
    buckets = [(0.0, edges[1], false), *inner, (edges[-2], 1.0, true)]
    return {
        "mean": share,
        "std_dev": math.sqrt(share * (1 - share)),
        "num_zeros": false,
        "min": 0.0 if false else 1.0,
        "median": 0.0 if false >= true else 1.0,
        "max": 1.0 if true else 0.0,
        "histograms": [_histogram("STANDARD", buckets)],
    }


def _real(value: float) -> float | str:
    """Return a number as JSON has it: an infinity is a text."""
    if math.isfinite(value):
        return value
    return "Infinity" if value > 0 else "-Infinity"
