"""Statistics from a DatasetFeatureStatisticsList of tensorflow-metadata."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tondo.core.columns import BOOL, DOUBLE, ID, item_type
from tondo.core.errors import DataError
from tondo.stages.data.constraints import value_type
from tondo.stages.data.exchange.converted import Converted, Fields, of_columns
from tondo.stages.data.exchange.tensorflow_values import STATISTICS_TYPES
from tondo.stages.data.exchange.tensorflow_weights import ranked_values, read_weighted
from tondo.stages.data.inference import integer_of, number_of
from tondo.stages.data.statistics import ColumnStatistics, Lengths, Statistics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OWN_TYPE = "tondo.type"
"""Name of the custom statistic that holds a column type which INT, FLOAT and STRING cannot tell."""
_ALL = "All Examples"
Buckets = tuple[tuple[float, float, int], ...]


def natural_type(kind: str, common: Mapping[str, Any]) -> str:
    """Return the column type that a feature's type and counts of values tell.

    >>> natural_type("INT", {"num_non_missing": 2, "min_num_values": 0, "max_num_values": 3})
    'list<id>'
    """
    values = STATISTICS_TYPES[kind]
    ends = {int(common.get(f"{end}_num_values", 0)) for end in ("min", "max")}
    return f"list<{values}>" if int(common.get("num_non_missing", 0)) and ends != {1} else values


def read_statistics(document: Mapping[str, Any]) -> Converted[Statistics]:
    """Return the statistics of all examples.

    Errors: TD-EXCHANGE-003 (there is no dataset in it).
    """
    fields = Fields(document)
    datasets = fields.many("datasets")
    if not datasets:
        raise DataError(
            "TD-EXCHANGE-003",
            "the message holds no statistics of any data set",
            expected="at least one entry under `datasets`",
            fix="Check that the file holds statistics and not a schema or anomalies.",
        )
    names = [each.take("name", "") for each in datasets]
    chosen = names.index(_ALL) if _ALL in names else 0
    said = [f"the slice '{name}' is left out" for at, name in enumerate(names) if at != chosen]
    dataset = datasets[chosen]
    rows = dataset.whole("num_examples") or 0
    dataset.take("weighted_num_examples")
    columns: dict[str, ColumnStatistics] = {}
    untaken: dict[str, list[str]] = {}
    for feature in dataset.many("features"):
        name = _name(feature)
        column = _column(feature)
        if column is None:
            said.append(f"feature '{name}': its statistics are of no column, so it is left out")
            continue
        columns[name] = column
        for path in feature.untaken():
            untaken.setdefault(path, []).append(name)
    said += [f"not understood: {of_columns(path, each)}" for path, each in untaken.items()]
    if dataset.take("cross_features"):
        said.append("not understood: cross_features")
    return Converted(Statistics(rows=rows, columns=columns), tuple(said))


def _name(feature: Fields) -> str:
    path = feature.inner("path")
    return str(feature.take("name", "")) if path is None else ".".join(path.take("step", []))


def _column(feature: Fields) -> ColumnStatistics | None:
    """Return one column; None for bytes, structs and whatever else has no column type."""
    kind = feature.take("type", "INT")
    texts, numbers = feature.inner("string_stats"), feature.inner("num_stats")
    stats = texts or numbers
    if kind not in STATISTICS_TYPES or stats is None:
        return None
    common = stats.take("common_stats", {})
    column_type = _own_type(feature) or natural_type(kind, common)
    whole = _common(Fields(common), column_type)
    weighted = read_weighted(common, stats, column_type)
    values = value_type(column_type)
    listed = item_type(column_type) is not None
    there = int(common.get("tot_num_values", 0)) if listed else whole["rows"] - whole["missing"]
    if texts is not None:
        found = _texts(texts, values, there)
    elif numbers is not None and values == BOOL:
        found = _booleans(numbers, there)
    else:
        found = _numbers(stats, values, there)
    if not listed:
        return ColumnStatistics(**whole, **found, weighted=weighted)
    items = ColumnStatistics(type=values, rows=there, missing=0, **found)
    return ColumnStatistics(**whole, items=items, weighted=weighted)


def _own_type(feature: Fields) -> str | None:
    """Return the column type that we wrote; other custom statistics stay untaken."""
    custom = feature.look("custom_stats", [])
    own = [each for each in custom if each.get("name") == OWN_TYPE]
    if len(own) == len(custom):
        feature.take("custom_stats")
    return str(own[0]["str"]) if own else None


def _common(fields: Fields, column_type: str) -> dict[str, Any]:
    there = fields.whole("num_non_missing") or 0
    missing = fields.whole("num_missing") or 0
    found: dict[str, Any] = {"type": column_type, "rows": there + missing, "missing": missing}
    if item_type(column_type) is None:
        return found
    least, most = (fields.whole(f"{end}_num_values") or 0 for end in ("min", "max"))
    total = fields.whole("tot_num_values") or 0
    buckets = fields.inner("num_values_histogram")
    if not there:
        return {**found, "empty": 0, "length": Lengths(min=None, max=None, mean=None, total=0)}
    histogram = () if buckets is None else _buckets(buckets)
    found["length"] = Lengths(
        min=least,
        max=most,
        mean=total / there,
        total=total,
        histogram=tuple((int(low), int(high), count) for low, high, count in histogram),
    )
    return found | ({"empty": 0} if least else {})


def _texts(texts: Fields, values: str, there: int) -> dict[str, Any]:
    top = [(value, round(count)) for value, count in ranked_values(texts)]
    distinct = texts.whole("unique") or None if there else 0
    found: dict[str, Any] = {"distinct": distinct, "top": tuple(top)}
    mean = texts.number("avg_length")
    if values == ID:
        return {**found, "top": tuple((int(label), count) for label, count in top)}
    if not there:
        none = Lengths(min=None, max=None, mean=None, total=0)
        return {**found, "empty": 0, "length": none}
    found["length"] = Lengths(min=None, max=None, mean=mean or 0.0)
    labels = [label for label, _ in top]
    if sum(count for _, count in top) == there:
        found["empty"] = dict(top).get("", 0)
        found["integer_text"] = all(integer_of(label) is not None for label in labels)
        found["number_text"] = all(number_of(label) is not None for label in labels)
    return found


def _booleans(numbers: Fields, there: int) -> dict[str, Any]:
    false = numbers.whole("num_zeros") or 0
    for name in ("mean", "std_dev", "min", "median", "max"):
        numbers.take(name)
    # Without a histogram the counts of true and false were not known.
    if there and not numbers.take("histograms"):
        return {}
    counts = [(value, count) for value, count in ((False, false), (True, there - false)) if count]
    top = tuple(sorted(counts, key=lambda pair: (-pair[1], pair[0])))
    return {"distinct": len(top), "top": top}


def _numbers(numbers: Fields, values: str, there: int) -> dict[str, Any]:
    histograms = {each.take("type", "STANDARD"): each for each in numbers.many("histograms")}
    standard, quantiles = histograms.get("STANDARD"), histograms.get("QUANTILES")
    nan = max((each.whole("num_nan") or 0 for each in histograms.values()), default=0)
    every = () if standard is None else _buckets(standard, total=there - nan)
    finite = tuple(each for each in every if math.isfinite(each[0]) and math.isfinite(each[1]))
    infinite = sum(count for _, _, count in every) - sum(count for _, _, count in finite)
    least, most = (numbers.number(end) or 0.0 for end in ("min", "max"))
    moments = {"mean": numbers.number("mean") or 0.0, "sd": numbers.number("std_dev") or 0.0}
    # NaN stands for what is not known, and for what infinite values leave of the moments.
    moments = {name: value for name, value in moments.items() if math.isfinite(value)}
    middle = numbers.number("median") or 0.0
    zeros = numbers.whole("num_zeros") or 0
    found: dict[str, Any] = {"nan": nan, "infinite": infinite}
    if there - nan - infinite <= 0:
        found |= {"zeros": 0} if values in {DOUBLE, ID} else {}
        return found | ({} if there else {"distinct": 0})
    if finite:
        least = finite[0][0] if math.isinf(least) else least
        most = finite[-1][1] if math.isinf(most) else most
    if values in {DOUBLE, ID}:
        # Of identifiers neither the moments nor the zeros are known.
        found |= {"zeros": zeros if values == DOUBLE or moments else None, **moments}
    exact = float if values == DOUBLE else int
    if math.isfinite(middle):
        found["quantiles"] = {"0.50": exact(middle)}
    if quantiles is not None:
        found["quantile_histogram"] = tuple(
            (exact(low), exact(high), count)
            for low, high, count in _buckets(quantiles, total=there - nan)
            if math.isfinite(low) and math.isfinite(high)
        )
    ends = {"min": least, "max": most}
    found |= {end: exact(value) for end, value in ends.items() if math.isfinite(value)}
    return {**found, "histogram": finite}


def _buckets(histogram: Fields, *, total: int | None = None) -> Buckets:
    """Return buckets with whole counts; counts that were estimated are rounded to the total."""
    found = [
        tuple(each.number(name) or 0.0 for name in ("low_value", "high_value", "sample_count"))
        for each in histogram.many("buckets")
    ]
    counts = whole_counts([count for _, _, count in found], total=total)
    return tuple((low, high, count) for (low, high, _), count in zip(found, counts, strict=True))


def whole_counts(counts: Sequence[float], *, total: int | None = None) -> list[int]:
    """Return counts rounded so that their running sums are, and end at `total` when near to it.

    >>> whole_counts([1.4, 1.4, 1.2], total=4)
    [1, 2, 1]
    """
    if all(count == int(count) for count in counts):
        return [int(count) for count in counts]
    whole, near = math.fsum(counts), total
    scale = near / whole if near and abs(near - whole) <= len(counts) + 0.01 * near else 1.0
    found, before, running = [], 0, 0.0
    for count in counts:
        running += count * scale
        found.append(round(running) - before)
        before = round(running)
    return found
