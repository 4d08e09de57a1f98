"""Columns that are new, and columns that are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import near
from tondo.stages.data.anomalies import Anomaly, Change
from tondo.stages.data.inference import infer_column

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tondo.stages.data.schema import ColumnSchema
    from tondo.stages.data.statistics import ColumnStatistics


def new_column(name: str, found: ColumnStatistics) -> Anomaly:
    """Report a column that the schema does not know; the patch adds what was inferred."""
    inferred = msgspec.to_builtins(infer_column(found))
    return Anomaly(
        code="TD-SCHEMA-014",
        kind="new_column",
        column=name,
        severity="warning",
        message=f"{name}: a new column of type {found.type}, which the schema does not know",
        examples=tuple(value for value, _ in found.top[:3]),
        patch=(Change(path=("columns", name), value=inferred),),
    )


def unexpected_column(name: str, expected: ColumnSchema, environment: str) -> Anomaly:
    """Report a column that is not expected in this environment."""
    left = [each for each in expected.not_in if each != environment]
    return Anomaly(
        code="TD-SCHEMA-014",
        kind="new_column",
        column=name,
        severity="warning",
        message=f"{name}: the column is there, but is not expected in {environment}",
        patch=(Change(path=("columns", name, "not_in"), value=left),),
    )


def missing_column(name: str, present: Iterable[str]) -> Anomaly:
    """Report that a required column is missing; the patch deprecates it."""
    return Anomaly(
        code="TD-SCHEMA-015",
        kind="missing_column",
        column=name,
        message=f"{name}: the column is missing. {near(name, present)}",
        patch=(Change(path=("columns", name, "stage"), value="deprecated"),),
    )


def required(expected: ColumnSchema) -> bool:
    """Say whether a column must have any value at all."""
    return expected.presence.min_count > 0 or bool(expected.presence.min_fraction)
