"""Columns that say yes or no."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.stages.data.anomalies import Anomaly, Change
from tondo.stages.data.inference import are_boolean_words
from tondo.stages.data.schema import NUMERIC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.stages.data.schema import ColumnSchema
    from tondo.stages.data.statistics import ColumnStatistics, Value


def check(name: str, found: ColumnStatistics, expected: ColumnSchema) -> Iterator[Anomaly]:
    """Report numbers other than 0 and 1, and texts that are not one true and one false word."""
    if not expected.boolean:
        return
    strange = _strange(found)
    if not strange:
        return
    shown = ", ".join(repr(value) for value in strange[:5])
    yield Anomaly(
        code="TD-SCHEMA-018",
        kind="boolean",
        column=name,
        message=f"{name}: not every value reads as true or false: {shown}",
        examples=tuple(strange[:10]),
        patch=(Change(path=("columns", name, "boolean"), value=False),),
    )


def _strange(found: ColumnStatistics) -> list[Value]:
    values = [value for value, _ in found.top]
    if found.type in NUMERIC:
        ends = [end for end in (found.min, found.max) if end is not None]
        return [value for value in dict.fromkeys([*ends, *values]) if value not in {0, 1}]
    if found.type == "string" and not (found.tail == 0 and are_boolean_words(values)):
        return values
    return []
