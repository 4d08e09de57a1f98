"""Numbers below the least, above the greatest, infinite, or not a number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.columns import ID
from tondo.stages.data.anomalies import anomaly, column_change
from tondo.stages.data.constraints import NUMERIC, value_type
from tondo.stages.data.time_bounds import TIMES, bound_text, patched_bound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.stages.data.anomalies import Anomaly
    from tondo.stages.data.constraints import ColumnSchema
    from tondo.stages.data.statistics import ColumnStatistics


def check(name: str, found: ColumnStatistics, expected: ColumnSchema) -> Iterator[Anomaly]:
    """Report numbers and times outside the range; the patch widens it to what was seen."""
    kind = value_type(expected.type)
    if found.type in TIMES and found.type == kind:
        yield from beyond(name, expected, least=found.min, greatest=found.max, whole=True)
    # A number cannot be held against a range of times, and its type is told of already.
    if found.type not in NUMERIC:
        return
    if kind in TIMES:
        expected = msgspec.structs.replace(expected, min=None, max=None)
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
    kind = value_type(expected.type)
    if least is not None and expected.min is not None and least < expected.min:
        tfdv = f"{type_}_TYPE_SMALL_{type_}"
        yield _beyond(name, "min", least, expected.min, kind=kind, tfdv=tfdv)
    if greatest is not None and expected.max is not None and greatest > expected.max:
        tfdv = f"{type_}_TYPE_BIG_{type_}"
        yield _beyond(name, "max", greatest, expected.max, kind=kind, tfdv=tfdv)


def _beyond(name: str, end: str, observed: float, limit: float, *, kind: str, tfdv: str) -> Anomaly:
    word, bound = ("least", "at least") if end == "min" else ("greatest", "at most")
    if kind in TIMES:
        word, bound = ("first", "from") if end == "min" else ("last", "until")
        told, limit_told = bound_text(observed, kind), bound_text(limit, kind)
    else:
        told, limit_told = f"{observed:.15g}", f"{limit:.15g}"
    value = patched_bound(observed, kind)
    return anomaly(
        f"{end}_value",
        name,
        f"the {word} value is {told}, expected {bound} {limit_told}",
        numbers={"observed": observed, end: limit},
        examples=(value,),
        patch=(column_change(name, end, value=value),),
        tfdv=tfdv,
    )
