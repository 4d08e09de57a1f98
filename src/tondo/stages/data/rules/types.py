"""The type of a column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.stages.data.anomalies import Anomaly, Change
from tondo.stages.data.schema import NUMERIC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.stages.data.schema import ColumnSchema
    from tondo.stages.data.statistics import ColumnStatistics


def check(name: str, found: ColumnStatistics, expected: ColumnSchema) -> Iterator[Anomaly]:
    """Report another type; the patch drops constraints that the new type cannot have."""
    if found.type == expected.type:
        return
    changes = [Change(path=("columns", name, "type"), value=found.type)]
    if expected.domain is not None and found.type != "string":
        changes.append(Change(path=("columns", name, "domain"), value=None))
    if found.type not in NUMERIC:
        limits = [each for each in ("min", "max") if getattr(expected, each) is not None]
        changes += [Change(path=("columns", name, each), value=None) for each in limits]
    examples = tuple(value for value, _ in found.top[:3])
    shown = f", for example {examples[0]!r}" if examples else ""
    yield Anomaly(
        code="TD-SCHEMA-010",
        kind="type",
        column=name,
        message=f"{name}: the type is {found.type}, not {expected.type}{shown}",
        examples=examples,
        patch=tuple(changes),
    )
