"""Columns that are new, and columns that are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import near
from tondo.stages.data.anomalies import anomaly, column_change
from tondo.stages.data.inference import LONGEST_NEW_DOMAIN, infer_column

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tondo.stages.data.anomalies import Anomaly
    from tondo.stages.data.schema import Schema
    from tondo.stages.data.statistics import ColumnStatistics


def new_column(
    name: str, found: ColumnStatistics, schema: Schema, environment: str | None
) -> Anomaly:
    """Report a column that the schema does not know; the patch adds what was inferred."""
    inferred = infer_column(found, largest_domain=LONGEST_NEW_DOMAIN)
    defaults = schema.default_environments
    if environment is not None and defaults is not None and environment not in defaults:
        inferred = msgspec.structs.replace(inferred, in_=(environment,))
    return anomaly(
        "new_column",
        name,
        f"a new column of type {found.type}, which the schema does not know",
        examples=tuple(value for value, _ in found.top[:3]),
        patch=(column_change(name, value=msgspec.to_builtins(inferred)),),
    )


def unexpected_column(name: str, schema: Schema, environment: str) -> Anomaly:
    """Report a column that is not expected in this environment."""
    column = schema.columns[name]
    if environment in column.not_in:
        left = [each for each in column.not_in if each != environment]
        changes = [column_change(name, "not_in", value=left)]
    else:
        changes = []
    defaults = schema.default_environments
    if defaults is not None and environment not in defaults:
        changes.append(column_change(name, "in", value=[*column.in_, environment]))
    return anomaly(
        "new_column",
        name,
        f"the column is there, but is not expected in {environment}",
        patch=tuple(changes),
    )


def missing_column(name: str, present: Iterable[str]) -> Anomaly:
    """Report that a required column is missing; the patch deprecates it."""
    return anomaly(
        "missing_column",
        name,
        f"the column is missing. {near(name, present)}",
        patch=(column_change(name, "stage", value="deprecated"),),
    )
