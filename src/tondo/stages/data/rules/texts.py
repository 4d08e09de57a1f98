"""Texts that must read as numbers, and the range of these numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.columns import STRING
from tondo.stages.data.anomalies import anomaly, column_change
from tondo.stages.data.inference import all_read_as, integer_of, number_of
from tondo.stages.data.rules.ranges import beyond

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tondo.stages.data.anomalies import Anomaly
    from tondo.stages.data.constraints import ColumnSchema
    from tondo.stages.data.statistics import ColumnStatistics

_READERS: dict[str, Callable[[str], float | None]] = {
    "integer_text": integer_of,
    "number_text": number_of,
}
_WORDS = {"integer_text": "a whole number", "number_text": "a number"}


def check(name: str, found: ColumnStatistics, expected: ColumnSchema) -> Iterator[Anomaly]:
    """Report texts that do not read as numbers; when all do, report those beyond the range."""
    asked = [kind for kind in _READERS if getattr(expected, kind)]
    if found.type != STRING or found.present == 0 or not asked:
        return
    unread: list[str] = []
    for kind in asked:
        faults = list(_reads(name, kind, found))
        unread += [kind] if faults else []
        # The range is of numbers: it goes with the last constraint that says they are numbers.
        if faults and len(unread) == len(asked):
            faults[-1] = _without_range(name, faults[-1], expected)
        yield from faults
    if len(unread) < len(asked):
        whole = "integer_text" in asked and "integer_text" not in unread
        yield from _range(name, found, expected, whole=whole)


def _reads(name: str, kind: str, found: ColumnStatistics) -> Iterator[Anomaly]:
    holds = all_read_as(kind, found)
    if holds:
        return
    drop = (column_change(name, kind, value=False),)
    reader = _READERS[kind]
    strange = tuple(value for value, _ in found.top if reader(str(value)) is None)
    if holds is None:
        message = f"not every value was kept, so `{kind}` cannot be checked"
        yield anomaly("statistics_missing", name, message, patch=drop)
        return
    shown = ", ".join(repr(value) for value in strange[:5]) or "one of the rare values"
    yield anomaly(
        kind,
        name,
        f"not every text reads as {_WORDS[kind]}: {shown}",
        numbers={"present": found.present},
        examples=strange[:10],
        patch=drop,
    )


def _without_range(name: str, found: Anomaly, expected: ColumnSchema) -> Anomaly:
    ends = [end for end in ("min", "max") if getattr(expected, end) is not None]
    patch = (*found.patch, *(column_change(name, end, value=None) for end in ends))
    return msgspec.structs.replace(found, patch=patch)


def _range(
    name: str, found: ColumnStatistics, expected: ColumnSchema, *, whole: bool
) -> Iterator[Anomaly]:
    if expected.min is None and expected.max is None:
        return
    if found.tail:
        ends = [end for end in ("min", "max") if getattr(expected, end) is not None]
        yield anomaly(
            "statistics_missing",
            name,
            f"{found.tail:,} of {found.present:,} texts are not among the values that were kept, "
            "so their range cannot be checked",
            patch=tuple(column_change(name, end, value=None) for end in ends),
        )
        return
    reader = integer_of if whole else number_of
    read = [reader(str(value)) for value, _ in found.top]
    values = [value for value in read if value is not None]
    yield from beyond(
        name,
        expected,
        least=min(values, default=None),
        greatest=max(values, default=None),
        whole=whole,
    )
