"""How far apart two batches are, a column at a time: three measures, exact up to one rounding.

Texts and booleans are compared by the counts of their values; the values that were not kept are one
more value, named None. Numbers and times are compared by their histograms of equal width, where
L-infinity is the Kolmogorov distance, since numbers have no values to pair.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import msgspec

from tondo.core.columns import BOOL, STRING, item_type
from tondo.stages.data.constraints import MEASURES, UNCHECKED_STAGES, Measure
from tondo.stages.data.histograms import (
    Exact,
    Histogram,
    divergence,
    histogram_of,
    jensen_shannon_histograms,
    kolmogorov,
    normalized_difference_histograms,
)
from tondo.stages.data.inference import values_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tondo.stages.data.schema import Schema
    from tondo.stages.data.statistics import ColumnStatistics, Statistics

__all__ = [
    "Distance",
    "Histogram",
    "between",
    "jensen_shannon",
    "jensen_shannon_histograms",
    "l_infinity",
    "measure",
    "normalized_difference",
]

Against = Literal["drift", "skew"]
Number = int | float | Fraction
_OTHERS = "(all other values)"


class Distance(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement of one column, whether it passes or not."""

    column: str
    measure: Measure
    against: Against
    value: float
    """From 0 (the same) to 1."""
    threshold: float | None
    """What the schema allows, met exactly included; None when it does not ask."""
    label: str | None = None
    """The value, or the number, at which the two differ most."""


def l_infinity(
    a: Mapping[str | None, Number], b: Mapping[str | None, Number]
) -> tuple[float, str | None]:
    """Return the greatest difference of a label's shares, and the label; 0 for two empty sides.

    >>> l_infinity({"a": 1, "b": 2, "c": 7}, {"a": 3, "b": 1, "c": 6})
    (0.2, 'a')
    """
    counts = _exact(a), _exact(b)
    first, second = (sum(each.values()) or 1 for each in counts)
    return _greatest(
        {label: x * second - y * first for label, x, y in _pairs(*counts)}, whole=first * second
    )


def normalized_difference(
    a: Mapping[str | None, Number], b: Mapping[str | None, Number]
) -> tuple[float, str | None]:
    """Return the greatest difference of a label's counts divided by both totals, and the label.

    It sees volume as well as shares.

    >>> normalized_difference({"a": 1, "b": 5}, {"a": 10, "b": 50})
    (0.6818181818181818, 'b')
    """
    counts = _exact(a), _exact(b)
    total = sum(counts[0].values()) + sum(counts[1].values())
    return _greatest({label: x - y for label, x, y in _pairs(*counts)}, whole=total)


def jensen_shannon(a: Mapping[str | None, Number], b: Mapping[str | None, Number]) -> float:
    """Return the Jensen-Shannon divergence, base 2, of the labels' shares: 0 to 1.

    One side without counts is at 1 from a side with some.

    >>> jensen_shannon({"a": 1, "b": 1}, {"a": 2}), jensen_shannon({"a": 1}, {"b": 3})
    (0.31127812445913283, 1.0)
    """
    counts = _exact(a), _exact(b)
    first, second = (sum(each.values()) for each in counts)
    if not first or not second:
        return 0.0 if first == second else 1.0
    pairs = ((x * second, y * first) for _, x, y in _pairs(*counts))
    return divergence(pairs, whole=first * second)


def _exact(counts: Mapping[str | None, Number]) -> dict[str | None, Exact]:
    return {
        label: count if isinstance(count, int) else Fraction(count)
        for label, count in counts.items()
    }


def _pairs(
    a: dict[str | None, Exact], b: dict[str | None, Exact]
) -> Iterator[tuple[str | None, Exact, Exact]]:
    """Return every label of either side with both counts."""
    for label in dict.fromkeys([*a, *b]):
        yield label, a.get(label, 0), b.get(label, 0)


def _greatest(differences: dict[str | None, Exact], *, whole: Exact) -> tuple[float, str | None]:
    """Return the greatest size, rounded once, and its label; of equal ones the first."""
    sizes: dict[str | None, Exact] = {
        label: each if each >= 0 else -each for label, each in differences.items()
    }
    label = max(sizes, key=sizes.__getitem__, default=None)
    if not sizes or not sizes[label]:
        return 0.0, None
    return float(sizes[label] / whole), _OTHERS if label is None else label


def between(
    before: ColumnStatistics, after: ColumnStatistics, name: Measure
) -> tuple[float, str | None] | None:
    """Return one measure of two columns and its label; None when they cannot be compared.

    Of lists the items are compared. Text cannot be compared with numbers, nor a column whose
    statistics lack what is needed.
    """
    before, after = values_of(before), values_of(after)
    if before.type == after.type and after.type in {STRING, BOOL}:
        return _between_labels(_counts(before), _counts(after), name)
    ordered = all(
        each.type not in {STRING, BOOL} and not item_type(each.type) for each in (before, after)
    )
    # A number beside a time has no common scale.
    if not ordered or _scale(before) != _scale(after):
        return None
    a, b = histogram_of(before), histogram_of(after)
    if any(each.present != side.total for each, side in ((before, a), (after, b))):
        return None
    return _between_histograms(a, b, name)


def _valued(column: ColumnStatistics) -> bool:
    return column.rows > column.missing


def _scale(column: ColumnStatistics) -> str:
    return "number" if column.type in {"double", "id"} else column.type


def _counts(column: ColumnStatistics) -> dict[str | None, int]:
    counts: dict[str | None, int] = {str(value): count for value, count in column.top}
    return counts | {None: column.tail} if column.tail else counts


def _between_labels(
    a: dict[str | None, int], b: dict[str | None, int], name: Measure
) -> tuple[float, str | None]:
    if name == "l_infinity":
        return l_infinity(a, b)
    if name == "normalized_difference":
        return normalized_difference(a, b)
    return jensen_shannon(a, b), l_infinity(a, b)[1]


def _between_histograms(a: Histogram, b: Histogram, name: Measure) -> tuple[float, str | None]:
    if name == "l_infinity":
        return kolmogorov(a, b)
    if name == "normalized_difference":
        return normalized_difference_histograms(a, b)
    return jensen_shannon_histograms(a, b), kolmogorov(a, b)[1]


def measure(
    before: Statistics,
    after: Statistics,
    schema: Schema,
    *,
    against: Against = "drift",
) -> list[Distance]:
    """Return every measurement of the schema's checked columns that both batches have.

    All are kept, passing or not, asked for or not. Of a column that is missing throughout in both
    there is none, nor a divergence of lists without items. `before` is the previous batch for
    drift, what was served for skew.
    """
    found = []
    for column, expected in schema.columns.items():
        here, there = after.columns.get(column), before.columns.get(column)
        if expected.stage in UNCHECKED_STAGES or here is None or there is None:
            continue
        if not _valued(here) and not _valued(there):
            continue
        items = _valued(values_of(here)) or _valued(values_of(there))
        comparator = getattr(expected, against)
        for name in MEASURES:
            measured = between(there, here, name)
            if measured is None or (name == "jensen_shannon" and not items):
                continue
            found.append(
                Distance(
                    column=column,
                    measure=name,
                    against=against,
                    value=measured[0],
                    threshold=None if comparator is None else getattr(comparator, name),
                    label=measured[1] or None,
                )
            )
    return found
