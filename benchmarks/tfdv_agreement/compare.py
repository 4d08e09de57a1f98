"""Compares two answers to a case: every single thing in which they differ."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

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
        return sum(len(each) - 3 for each in ours["columns"].values()) + 1
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
        return list(_statistics(ours, theirs))
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


def _statistics(ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[Difference]:
    if ours["rows"] != theirs["rows"]:
        yield Difference("statistics", "rows", None, ours["rows"], theirs["rows"])
    for name, mine in ours["columns"].items():
        other = theirs["columns"][name]
        for what in sorted({*mine} - {"type", "nan", "infinite"}):
            pair = mine[what], other.get(what)
            if not _same(what, *pair):
                yield Difference("statistics", what, name, *pair)


def _same(what: str, mine: Any, other: Any) -> bool:
    if what == "sizes":
        return mine is None or mine == other
    if what == "top":
        return _same_top(mine, other)
    if what == "standard":
        buckets = [] if other is None else other["buckets"]
        return len(mine) == len(buckets) and all(
            close(a, float(b))
            for one, two in zip(mine, buckets, strict=True)
            for a, b in zip(one, two, strict=True)
        )
    return close(mine, other)


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
