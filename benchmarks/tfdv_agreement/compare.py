"""Compares two answers to a case: every single thing in which they differ."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.tfdv_agreement.facts import finite
from benchmarks.tfdv_agreement.promises import (
    SINGLE_PRECISION,
    SKETCHED,
    counts_hold,
    has_rank,
    have_ranks,
    same_bounds,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

CLOSE = 1e-9
"""Moments and distances that are this near, relative or absolute, agree."""
SINGLE = (
    "min_count",
    "min_fraction",
    "domain",
    "shared_domain",
    "boolean",
    "integer_text",
    "number_text",
    "min",
    "max",
    "disallow_nan",
    "disallow_inf",
)
LISTED = 20
"""Most frequent values that both keep."""
UNCOMPARED = {"type", "nan", "infinite"}
THEIR_TYPE = {"double": "FLOAT", "id": "INT", "string": "BYTES", "bool": "INT"}


class Difference(NamedTuple):
    """One thing that the two sides say otherwise."""

    kind: str
    """What is compared: anomaly, infer, distance, statistics; failed when they could not answer."""
    what: str
    """The anomaly's TFDV name, the part of the schema, the measure, the statistic."""
    column: str | None
    ours: Any
    theirs: Any
    against: str | None = None
    """Of distances: drift or skew."""


def questions(case: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]) -> int:
    """Return how many single answers are compared: constraints, parts of a schema, statistics."""
    if "failed" in theirs:
        return 1
    if case["family"] == "infer":
        return sum(len(each) for each in ours["schema"].values())
    if case["family"] == "statistics":
        return sum(len(each) - len(UNCOMPARED) for each in ours["columns"].values()) + 1
    schema = case["schema"]
    asked = sum(_constraints(each) for each in schema["columns"].values())
    asked += sum(name in schema for name in ("min_rows", "max_rows"))
    asked += sum(len(schema.get(f"rows_against_{each}", {})) for each in ("previous", "version"))
    return max(asked + len(ours["distances"]), 1)


def _constraints(column: dict[str, Any]) -> int:
    spans = sum(len(column.get(each, {})) for each in ("value_count", "unique", "drift", "skew"))
    # The type is one, and that the column is there.
    return 2 + spans + sum(each in column for each in SINGLE)


def differences(
    case: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]
) -> list[Difference]:
    """Return what differs, of the things that the case's family is about."""
    family = case["family"]
    if "failed" in theirs:
        return [Difference("failed", "", None, None, theirs["failed"])]
    if family == "infer":
        return list(_inferred(ours["schema"], theirs["schema"]))
    if family == "statistics":
        return list(_statistics(case, ours, theirs))
    found = list(_anomalies(ours["anomalies"], theirs["anomalies"]))
    if family == "distances":
        found += _distances(ours["distances"], theirs["distances"])
    return found


def _anomalies(ours: list[Any], theirs: list[Any]) -> Iterator[Difference]:
    mine, other = ({(column, name) for column, name in each} for each in (ours, theirs))
    for column, name in sorted(mine ^ other, key=str):
        pair = (column, name)
        yield Difference("anomaly", name, column, pair in mine, pair in other)


def _inferred(ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[Difference]:
    for name in sorted({*ours, *theirs}):
        mine, other = dict(ours[name]), dict(theirs[name])
        listed = mine["type"].startswith("list<")
        mine["type"] = THEIR_TYPE[mine["type"].removeprefix("list<").removesuffix(">")]
        if not listed:
            # There a plain value is a list of one.
            other["value_count"] = None
        for part, value in other.items():
            if mine[part] != value:
                yield Difference("infer", part, name, mine[part], value)


def _distances(ours: list[Any], theirs: list[Any]) -> Iterator[Difference]:
    mine, other = ({tuple(each[:3]): each[3] for each in side} for side in (ours, theirs))
    for key in sorted({*mine, *other}):
        column, measure, against = key
        values = mine.get(key), other.get(key)
        if not close(*values):
            yield Difference("distance", measure, column, *values, against)


def _statistics(
    case: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]
) -> Iterator[Difference]:
    if ours["rows"] != theirs["rows"]:
        yield Difference("statistics", "rows", None, ours["rows"], theirs["rows"])
    for name, mine in ours["columns"].items():
        other, column = theirs["columns"][name], case["table"]["columns"][name]
        for what in sorted({*mine} - UNCOMPARED):
            pair = mine[what], other.get(what)
            if not _same(what, *pair, column):
                yield Difference("statistics", what, name, *pair)


def _same(what: str, mine: Any, other: Any, column: dict[str, Any]) -> bool:
    """Say whether two statistics agree in what both promise of them."""
    if what == "sizes":
        return mine is None or mine == other
    if what == "top":
        return _same_top(mine, other)
    if what == "standard":
        return _same_buckets(mine, [] if other is None else other["buckets"], column)
    if mine is None or other is None:
        return mine is other
    if what == "avg_length":
        return math.isclose(mine, other, rel_tol=SINGLE_PRECISION)
    if what == "median":
        return _same_ranks([mine], [float(other)], column)
    if what == "quantiles":
        return _same_ranks(mine, list(map(float, other)), column)
    return close(mine, other)


def _same_ranks(mine: list[float], other: list[float], column: dict[str, Any]) -> bool:
    """A single value is the median; of several the first and the last are the ends."""
    values = finite(column)
    if not values or not mine or not other:
        return mine == other
    if len(mine) == 1:
        return has_rank(mine[0], 0.5, values) and has_rank(other[0], 0.5, values, slack=SKETCHED)
    return have_ranks(mine, values) and have_ranks(other, values, slack=SKETCHED)


def _same_buckets(mine: list[Any], other: list[Any], column: dict[str, Any]) -> bool:
    values = finite(column)
    buckets = [tuple(map(float, each)) for each in other]
    return (
        same_bounds(mine, buckets)
        and counts_hold(mine, values)
        and counts_hold(buckets, values, slack=SKETCHED)
    )


def _same_top(mine: list[Any], other: list[Any]) -> bool:
    """Of values that occur equally often, each side keeps others where the list ends."""
    if [count for _, count in mine] != [count for _, count in other]:
        return False
    ends = [side[-1][1] if len(side) == LISTED else 0 for side in (mine, other)]
    kept = [
        {(value, float(count)) for value, count in side if count > end}
        for side, end in zip((mine, other), ends, strict=True)
    ]
    return kept[0] == kept[1]


def close(mine: Any, other: Any) -> bool:
    """Say whether two numbers agree; a missing one agrees with a missing one."""
    if mine is None or other is None:
        return mine is other
    return math.isclose(float(mine), float(other), rel_tol=CLOSE, abs_tol=CLOSE)
