"""The type of a column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.columns import STRING, item_type
from tondo.stages.data.anomalies import anomaly, column_change
from tondo.stages.data.constraints import NUMERIC, value_type
from tondo.stages.data.time_bounds import TIMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.stages.data.anomalies import Anomaly
    from tondo.stages.data.constraints import ColumnSchema
    from tondo.stages.data.statistics import ColumnStatistics

_OF_TEXT = {
    "domain": None,
    "shared_domain": None,
    "true_value": None,
    "false_value": None,
    "integer_text": False,
    "number_text": False,
}


def _same_ranges(found: str, expected: str) -> bool:
    """Say whether the ends of a range mean the same in both types."""
    if found in TIMES:
        return found == expected
    return found in NUMERIC and expected not in TIMES


def check(name: str, found: ColumnStatistics, expected: ColumnSchema) -> Iterator[Anomaly]:
    """Report another type; the patch drops constraints that the new type cannot have."""
    if found.type == expected.type:
        return
    dropped: dict[str, bool | None] = {}
    if value_type(found.type) != STRING:
        dropped |= _OF_TEXT
    if not _same_ranges(value_type(found.type), value_type(expected.type)):
        dropped |= {"min": None, "max": None}
    if item_type(found.type) is None:
        dropped["value_count"] = None
    changes = [column_change(name, "type", value=found.type)]
    changes += [
        column_change(name, each, value=none)
        for each, none in dropped.items()
        if getattr(expected, each) != none
    ]
    examples = tuple(value for value, _ in found.top[:3])
    shown = f", for example {examples[0]!r}" if examples else ""
    yield anomaly(
        "type",
        name,
        f"the type is {found.type}, not {expected.type}{shown}",
        examples=examples,
        patch=tuple(changes),
    )
