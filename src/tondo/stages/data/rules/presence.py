"""How often a column has a value, as a share and as a count."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tondo.stages.data.anomalies import anomaly, column_change, share
from tondo.stages.data.rules.counted import counted, said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.stages.data.anomalies import Anomaly
    from tondo.stages.data.constraints import ColumnSchema
    from tondo.stages.data.statistics import ColumnStatistics


def check(name: str, found: ColumnStatistics, expected: ColumnSchema) -> Iterator[Anomaly]:
    """Report no values at all, too small a share, and too small a count of values."""
    counts = counted(found)
    if expected.required and counts.present == 0:
        yield _no_values(name, found, expected)
        return
    least = expected.presence.min_fraction
    # One division, rounded once: a share of 9/10 equals the 0.9 that a person wrote.
    fraction = counts.present / counts.rows if counts.rows else 0.0
    if least is not None and fraction < least:
        yield _too_small_share(name, found, least=least, fraction=fraction)
    fewest = expected.presence.min_count
    if counts.present < fewest:
        yield anomaly(
            "count_present",
            name,
            f"{said(counts.present)} values are present{counts.by}, expected at least {fewest:,}",
            numbers={"present": counts.present, "min_count": fewest},
            patch=(column_change(name, "presence", "min_count", value=math.floor(counts.present)),),
        )


def _no_values(name: str, found: ColumnStatistics, expected: ColumnSchema) -> Anomaly:
    wanted = {"min_count": expected.presence.min_count}
    if expected.presence.min_fraction:
        wanted["min_fraction"] = 0
    if found.present:
        told = f"the {found.present:,} values that are there have no weight"
    else:
        nan = f" ({found.nan:,} of them NaN)" if found.nan else ""
        told = (
            f"{found.rows:,} of {found.rows:,} values (100 %) are missing{nan}: the column is "
            "there, but has no value"
        )
    return anomaly(
        "not_present",
        name,
        told,
        numbers={"present": 0, "rows": found.rows},
        patch=tuple(
            column_change(name, "presence", each, value=0)
            for each, value in wanted.items()
            if value or each == "min_fraction"
        ),
    )


def _too_small_share(
    name: str, found: ColumnStatistics, *, least: float, fraction: float
) -> Anomaly:
    counts = counted(found)
    nan = f" ({found.nan:,} of them NaN)" if found.nan else ""
    absent = counts.rows - counts.present
    part = f" ({share(absent, counts.rows)})" if counts.rows else ""
    return anomaly(
        "fraction_present",
        name,
        f"{said(absent)} of {said(counts.rows)} values{part} are "
        f"missing{nan}{counts.by}, expected a value in at least {100 * least:.4g} % of the rows",
        numbers={
            "present": counts.present,
            "rows": counts.rows,
            "fraction": fraction,
            "min_fraction": least,
        },
        patch=(column_change(name, "presence", "min_fraction", value=fraction),),
    )
