"""Columns that say yes or no."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.columns import BOOL, ID, STRING, item_type
from tondo.stages.data.anomalies import anomaly, column_change
from tondo.stages.data.constraints import NUMERIC
from tondo.stages.data.inference import are_boolean_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tondo.stages.data.anomalies import Anomaly
    from tondo.stages.data.constraints import ColumnSchema
    from tondo.stages.data.statistics import ColumnStatistics, Value


def check(name: str, found: ColumnStatistics, expected: ColumnSchema) -> Iterator[Anomaly]:
    """Report numbers other than 0 and 1, and texts that are not one true and one false word."""
    if not expected.boolean or found.type == BOOL or found.present == 0 or item_type(found.type):
        return
    if found.type == STRING:
        strange = _strange_words(found, expected)
        if strange:
            yield _report(name, strange, expected, tfdv="BOOL_TYPE_UNEXPECTED_STRING")
    elif found.type == ID:
        numbers = _strange_numbers(found)
        below, above = (
            [each for each in numbers if each < 0],
            [each for each in numbers if each > 1],
        )
        if below:
            yield _report(name, below, expected, tfdv="BOOL_TYPE_SMALL_INT")
        if above:
            yield _report(name, above, expected, tfdv="BOOL_TYPE_BIG_INT")
    elif found.type in NUMERIC:
        numbers = _strange_numbers(found)
        if numbers or found.infinite:
            yield _report(name, numbers, expected, tfdv="BOOL_TYPE_UNEXPECTED_FLOAT")
    else:
        yield _report(name, [f"a {found.type}"], expected, tfdv="UNEXPECTED_DATA_TYPE")


def _report(name: str, strange: Sequence[Value], expected: ColumnSchema, *, tfdv: str) -> Anomaly:
    shown = ", ".join(repr(value) for value in strange[:5]) or "an infinity"
    words = [each for each in ("true_value", "false_value") if getattr(expected, each) is not None]
    return anomaly(
        "boolean",
        name,
        f"not every value reads as true or false: {shown}",
        examples=tuple(strange[:10]),
        patch=(
            column_change(name, "boolean", value=False),
            *(column_change(name, each, value=None) for each in words),
        ),
        tfdv=tfdv,
    )


def _strange_numbers(found: ColumnStatistics) -> Sequence[float]:
    ends = [end for end in (found.min, found.max) if end is not None]
    # Infinities stand among the values as texts, and are counted by themselves.
    values = [value for value, _ in found.top if not isinstance(value, str)]
    return [value for value in dict.fromkeys([*ends, *values]) if value not in {0, 1}]


def _strange_words(found: ColumnStatistics, expected: ColumnSchema) -> list[Value]:
    words = {expected.true_value, expected.false_value} - {None}
    values = [value for value, _ in found.top]
    if words:
        return [value for value in values if value not in words]
    return [] if found.tail == 0 and are_boolean_words(values) else values
