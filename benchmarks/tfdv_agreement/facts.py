"""What a case shows of a column, worked out from the raw values and from neither side's answer."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, NamedTuple

from benchmarks.tfdv_agreement.values import items_of

from tondo.stages.data.distances import Histogram, jensen_shannon_histograms

Column = dict[str, Any]
CONTROL = {"drift": "previous", "skew": "serving"}
CLOSE = 1e-9


class Facts(NamedTuple):
    """A case with both answers."""

    case: dict[str, Any]
    ours: dict[str, Any]
    theirs: dict[str, Any]

    def column(self, name: str | None, table: str = "table") -> Column | None:
        return self.case.get(table, {}).get("columns", {}).get(name)

    def expected(self, name: str | None) -> Column:
        return self.case.get("schema", {}).get("columns", {}).get(name, {})

    def distance(self, side: str, column: str | None, measure: str, against: str) -> float | None:
        for each in getattr(self, side).get("distances", []):
            if each[:3] == [column, measure, against]:
                return each[3]
        return None

    def by_their_histograms(
        self, column: str, against: str, *, with_nan: bool = True
    ) -> float | None:
        """Return our divergence of their two histograms; None when either is not there."""
        sides = (
            self.theirs["columns"].get(column, {}),
            self.theirs["others"].get(CONTROL[against], {}).get(column, {}),
        )
        if any("standard" not in each for each in sides):
            return None
        return jensen_shannon_histograms(
            *(_histogram(each["standard"], with_nan=with_nan) for each in sides)
        )


def _histogram(body: dict[str, Any], *, with_nan: bool) -> Histogram:
    buckets = tuple(
        (float(low), float(high), Fraction(count)) for low, high, count in body["buckets"]
    )
    return Histogram(buckets=buckets, nan=body["nan"] if with_nan else 0)


def finite(column: Column) -> list[float]:
    return sorted(each for each in map(float, items_of(column)) if math.isfinite(each))


def infinities(column: Column) -> set[float]:
    if column["type"] != "FLOAT":
        return set()
    return {each for each in map(float, items_of(column)) if math.isinf(each)}


def numeric(column: Column | None) -> bool:
    return column is not None and column["type"] != "BYTES"


def nan_rows(column: Column) -> int:
    """Return how many rows are NaN; within a list NaN is an item and the row has a value."""
    if column["list"] or column["type"] != "FLOAT":
        return 0
    return sum(each == "nan" for each in column["values"])


def nan_items(column: Column) -> int:
    """Return how many single values are NaN there, where a null in a list is one too."""
    if column["type"] != "FLOAT" and not column["list"]:
        return 0
    rows = [each for each in column["values"] if each is not None]
    return sum(each in {"nan", None} for row in rows for each in (row if column["list"] else [row]))


def present(column: Column) -> int:
    """Return how many rows have a value, where NaN is one."""
    return sum(each is not None for each in column["values"])


def is_number(text: str) -> bool:
    """Say whether a text reads as a number for the C library: also as NaN or an infinity."""
    try:
        float(text)
    except ValueError:
        return False
    return True
