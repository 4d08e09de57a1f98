"""How many items the lists of a column have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.core.columns import item_type
from tondo.stages.data.anomalies import anomaly, column_change
from tondo.stages.data.constraints import ColumnSchema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.stages.data.anomalies import Anomaly
    from tondo.stages.data.statistics import ColumnStatistics

_OF_ITEMS = (
    "domain",
    "shared_domain",
    "boolean",
    "true_value",
    "false_value",
    "integer_text",
    "number_text",
    "min",
    "max",
)


def check(name: str, found: ColumnStatistics, expected: ColumnSchema) -> Iterator[Anomaly]:
    """Report lists with fewer and with more items than are asked for; an empty list has none."""
    count = expected.value_count
    if item_type(found.type) is None or found.present == 0:
        return
    if found.items is None:
        yield from _unmeasured(name, expected)
    if count is None:
        return
    sizes = list_sizes(found)
    if sizes is None:
        yield anomaly(
            "statistics_missing",
            name,
            "the statistics do not say how many items the lists have",
            patch=(column_change(name, "value_count", value=None),),
        )
        return
    if count.min is not None and sizes.min < count.min:
        yield _report(name, "min", sizes.min, count.min)
    if count.max is not None and sizes.max > count.max:
        yield _report(name, "max", sizes.max, count.max)


def _unmeasured(name: str, expected: ColumnSchema) -> Iterator[Anomaly]:
    """Report constraints of items where the statistics, which are old ones, say nothing of them."""
    usual = ColumnSchema(type=expected.type)
    asked = [each for each in _OF_ITEMS if getattr(expected, each) != getattr(usual, each)]
    if asked:
        yield anomaly(
            "statistics_missing",
            name,
            f"the statistics do not describe the items, so {', '.join(asked)} cannot be checked",
            patch=tuple(column_change(name, each, value=getattr(usual, each)) for each in asked),
        )


def list_sizes(found: ColumnStatistics) -> Any:
    """Return least and greatest number of items of the lists, or None when it is not known."""
    sizes = found.valency or found.length
    return None if sizes is None or sizes.min is None else sizes


def _report(name: str, end: str, observed: int, limit: int) -> Anomaly:
    few = end == "min"
    words, bound = ("shortest", "at least") if few else ("longest", "at most")
    return anomaly(
        "few_items" if few else "many_items",
        name,
        f"the {words} list has {observed:,} items, expected {bound} {limit:,}",
        numbers={"observed": observed, end: limit},
        # Not fewer than none is no constraint.
        patch=(column_change(name, "value_count", end, value=observed or (None if few else 0)),),
    )
