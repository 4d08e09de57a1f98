"""Numbers below the least, above the greatest, infinite, or not a number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.columns import ID
from tondo.stages.data.anomalies import anomaly, column_change
from tondo.stages.data.constraints import NUMERIC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.stages.data.anomalies import Anomaly
    from tondo.stages.data.constraints import ColumnSchema
    from tondo.stages.data.statistics import ColumnStatistics


def check(name: str, found: ColumnStatistics, expected: ColumnSchema) -> Iterator[Anomaly]:
    """Report numbers outside the range; the patch widens it to what was seen."""
    if found.type not in NUMERIC:
        return
    whole = found.type == ID
    yield from beyond(name, expected, least=found.min, greatest=found.max, whole=whole)
    if found.infinite and not expected.allow_infinite:
        yield anomaly(
            "infinite",
            name,
            f"{found.infinite:,} of {found.rows:,} values are infinite",
            numbers={"infinite": found.infinite, "rows": found.rows},
            patch=(column_change(name, "allow_infinite", value=True),),
        )
    if found.nan and not expected.allow_nan:
        yield anomaly(
            "nan",
            name,
            f"{found.nan:,} of {found.rows:,} values are NaN",
            numbers={"nan": found.nan, "rows": found.rows},
            patch=(column_change(name, "allow_nan", value=True),),
        )


def beyond(
    name: str,
    expected: ColumnSchema,
    *,
    least: float | None,
    greatest: float | None,
    whole: bool,
) -> Iterator[Anomaly]:
    """Report a least and a greatest value that the range does not hold; equal passes."""
    type_ = "INT" if whole else "FLOAT"
    if least is not None and expected.min is not None and least < expected.min:
        yield _beyond(name, "min", least, expected.min, tfdv=f"{type_}_TYPE_SMALL_{type_}")
    if greatest is not None and expected.max is not None and greatest > expected.max:
        yield _beyond(name, "max", greatest, expected.max, tfdv=f"{type_}_TYPE_BIG_{type_}")


def _beyond(name: str, end: str, observed: float, limit: float, *, tfdv: str) -> Anomaly:
    word, bound = ("least", "at least") if end == "min" else ("greatest", "at most")
    return anomaly(
        f"{end}_value",
        name,
        f"the {word} value is {observed:.15g}, expected {bound} {limit:.15g}",
        numbers={"observed": observed, end: limit},
        examples=(observed,),
        patch=(column_change(name, end, value=observed),),
        tfdv=tfdv,
    )
