"""How many rows a batch has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.stages.data.anomalies import Anomaly, Change

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.stages.data.schema import Schema


def check(rows: int, schema: Schema) -> Iterator[Anomaly]:
    """Report a batch without rows, with too few, or with too many."""
    if rows == 0 and schema.min_rows > 0:
        yield _anomaly("TD-SCHEMA-020", "no_rows", "the batch has no rows", value=0)
    elif rows < schema.min_rows:
        yield _anomaly(
            "TD-SCHEMA-021",
            "few_rows",
            f"the batch has {rows:,} rows, expected at least {schema.min_rows:,}",
            value=rows,
        )
    elif schema.max_rows is not None and rows > schema.max_rows:
        yield _anomaly(
            "TD-SCHEMA-022",
            "many_rows",
            f"the batch has {rows:,} rows, expected at most {schema.max_rows:,}",
            value=rows,
            limit="max_rows",
        )


def _anomaly(code: str, kind: str, message: str, *, value: int, limit: str = "min_rows") -> Anomaly:
    return Anomaly(
        code=code,
        kind=kind,
        column=None,
        numbers={"rows": value},
        message=message,
        patch=(Change(path=(limit,), value=value),),
    )
