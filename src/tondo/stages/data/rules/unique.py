"""How many distinct values a column has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.stages.data.anomalies import anomaly, column_change

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.stages.data.anomalies import Anomaly
    from tondo.stages.data.constraints import ColumnSchema
    from tondo.stages.data.statistics import ColumnStatistics


def check(name: str, found: ColumnStatistics, expected: ColumnSchema) -> Iterator[Anomaly]:
    """Report too few and too many distinct values, and that they were not counted."""
    unique = expected.unique
    if unique is None:
        return
    if found.distinct is None:
        yield anomaly(
            "distinct_unknown",
            name,
            f"distinct values of {expected.type} were not counted, so `unique` cannot be checked",
            patch=(column_change(name, "unique", value=None),),
        )
        return
    if unique.min is not None and found.distinct < unique.min:
        yield _report(name, "min", found.distinct, unique.min)
    if unique.max is not None and found.distinct > unique.max:
        yield _report(name, "max", found.distinct, unique.max)


def _report(name: str, end: str, observed: int, limit: int) -> Anomaly:
    bound = "at least" if end == "min" else "at most"
    return anomaly(
        "few_distinct" if end == "min" else "many_distinct",
        name,
        f"{observed:,} distinct values, expected {bound} {limit:,}",
        numbers={"distinct": observed, end: limit},
        patch=(column_change(name, "unique", end, value=observed),),
    )
