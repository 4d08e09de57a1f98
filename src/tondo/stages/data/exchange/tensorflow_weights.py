"""Statistics by weight in messages of tensorflow-metadata: written beside the others, and read.

There NaN is a value that is present, and its weight is what the weighted histogram lacks of the
values. Here NaN is missing, and so it is by weight in what we write, where its own weight is not
known.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tondo.core.columns import BOOL, STRING, item_type
from tondo.stages.data.statistics import SHOWN_VALUES, Weighted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tondo.stages.data.exchange.converted import Fields
    from tondo.stages.data.statistics import Value

Document = dict[str, Any]
_ROUNDING = 1e-3
"""The share of the weight that the sums of an estimated histogram may be off."""


def weighted_common(weighted: Weighted, column_type: str) -> Document:
    """Return the weight of what is there and what is missing; of plain values also of values."""
    present = weighted.rows - weighted.missing
    found: Document = {"num_non_missing": present, "num_missing": weighted.missing}
    if item_type(column_type) is None:
        found |= {"tot_num_values": present} | ({"avg_num_values": 1.0} if present else {})
    return found


def weighted_values(weighted: Weighted, column_type: str) -> Document:
    """Return what is said of values by weight, under the name of its message; empty if nothing."""
    if column_type == STRING and weighted.top:
        return {"weighted_string_stats": _of_texts(weighted.top)}
    mean, sd = weighted.mean, weighted.sd
    if column_type == BOOL and weighted.top:
        counts = {bool(value): weight for value, weight in weighted.top}
        whole = math.fsum(counts.values())
        mean = counts.get(True, 0.0) / whole if whole else None
        sd = None if mean is None else math.sqrt(mean * (1 - mean))
    if mean is None or sd is None:
        return {}
    # A number that is not set reads as 0 there, so what is not known is NaN.
    return {"weighted_numeric_stats": {"mean": mean, "std_dev": sd, "median": "NaN"}}


def _of_texts(top: Iterable[tuple[Value, float]]) -> Document:
    pairs = [(str(value), weight) for value, weight in top]
    return {
        "top_values": [
            {"value": value, "frequency": weight} for value, weight in pairs[:SHOWN_VALUES]
        ],
        "rank_histogram": {
            "buckets": [
                {"low_rank": rank, "high_rank": rank, "label": value, "sample_count": weight}
                for rank, (value, weight) in enumerate(pairs)
            ]
        },
    }


def read_weighted(common: Mapping[str, Any], stats: Fields, column_type: str) -> Weighted | None:
    """Return what a feature's statistics say by weight; None where they have no weights."""
    counts = common.get("weighted_common_stats")
    if counts is None:
        return None
    present, missing = (
        float(counts.get(f"num_{each}", 0.0)) for each in ("non_missing", "missing")
    )
    # Of lists no values are weighed here, so what is said of them is not understood.
    listed = item_type(column_type) is not None
    numbers = None if listed else stats.inner("weighted_numeric_stats")
    texts = None if listed else stats.inner("weighted_string_stats")
    top = () if texts is None else ranked_values(texts)
    if numbers is None:
        return Weighted(rows=present + missing, missing=missing, top=top)
    mean, sd = (numbers.number(each) or 0.0 for each in ("mean", "std_dev"))
    if math.isnan(float(numbers.look("median", 0.0))):
        numbers.take("median")
    if column_type == BOOL:
        pairs = ((False, present * (1 - mean)), (True, present * mean))
        truths = sorted((each for each in pairs if each[1]), key=lambda each: (-each[1], each[0]))
        return Weighted(rows=present + missing, missing=missing, top=tuple(truths))
    nan = _weight_of_nan(numbers.look("histograms", []), present)
    return Weighted(
        rows=present + missing,
        missing=missing + nan,
        mean=mean if math.isfinite(mean) else None,
        sd=sd if math.isfinite(sd) else None,
    )


def _weight_of_nan(histograms: Iterable[Mapping[str, Any]], present: float) -> float:
    """Return by how much a histogram of all values but NaN is lighter than the values."""
    for each in histograms:
        if each.get("type", "STANDARD") == "STANDARD" and int(each.get("num_nan", 0)):
            counts = [float(bucket.get("sample_count", 0)) for bucket in each.get("buckets", [])]
            weight = present - math.fsum(counts)
            return weight if weight > _ROUNDING * present else 0.0
    return 0.0


def top_values(texts: Fields) -> tuple[tuple[str, float], ...]:
    """Return the most frequent values with their counts or weights."""
    return tuple(
        (each.take("value", ""), each.number("frequency") or 0.0)
        for each in texts.many("top_values")
    )


def ranked_values(texts: Fields) -> tuple[tuple[str, float], ...]:
    """Return the values by rank, which are more than the most frequent ones."""
    commonest, ranks = top_values(texts), texts.inner("rank_histogram")
    buckets = [] if ranks is None else ranks.many("buckets")
    for each in buckets:
        each.take("low_rank"), each.take("high_rank")
    ranked = tuple((each.take("label", ""), each.number("sample_count") or 0.0) for each in buckets)
    return ranked if len(ranked) >= len(commonest) else commonest
