"""Numbers below the least, above the greatest, or infinite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.stages.data.anomalies import Anomaly, Change
from tondo.stages.data.schema import NUMERIC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.stages.data.schema import ColumnSchema
    from tondo.stages.data.statistics import ColumnStatistics


def check(name: str, found: ColumnStatistics, expected: ColumnSchema) -> Iterator[Anomaly]:
    """Report numbers outside the range; the patch widens it to what was seen."""
    if found.type not in NUMERIC:
        return
    if found.min is not None and expected.min is not None and found.min < expected.min:
        yield _beyond(name, "TD-SCHEMA-016", "min", observed=found.min, limit=expected.min)
    if found.max is not None and expected.max is not None and found.max > expected.max:
        yield _beyond(name, "TD-SCHEMA-017", "max", observed=found.max, limit=expected.max)
    if found.infinite and not expected.allow_infinite:
        yield Anomaly(
            code="TD-SCHEMA-019",
            kind="infinite",
            column=name,
            numbers={"infinite": found.infinite, "rows": found.rows},
            message=f"{name}: {found.infinite:,} of {found.rows:,} values are infinite",
            patch=(Change(path=("columns", name, "allow_infinite"), value=True),),
        )


def _beyond(name: str, code: str, kind: str, *, observed: float, limit: float) -> Anomaly:
    word, bound = ("least", "at least") if kind == "min" else ("greatest", "at most")
    return Anomaly(
        code=code,
        kind=f"{kind}_value",
        column=name,
        numbers={"observed": observed, kind: limit},
        message=f"{name}: the {word} value is {observed:g}, expected {bound} {limit:g}",
        examples=(observed,),
        patch=(Change(path=("columns", name, kind), value=observed),),
    )
