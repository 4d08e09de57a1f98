"""How often a column has a value, as a share and as a count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.stages.data.anomalies import Anomaly, Change, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.stages.data.schema import ColumnSchema
    from tondo.stages.data.statistics import ColumnStatistics


def check(name: str, found: ColumnStatistics, expected: ColumnSchema) -> Iterator[Anomaly]:
    """Report too small a share and too small a count of values."""
    least = expected.presence.min_fraction
    # One division, rounded once: a share of 9/10 equals the 0.9 that a person wrote.
    fraction = found.present / found.rows
    if least is not None and fraction < least:
        yield _too_small_share(name, found, least=least, fraction=fraction)
    fewest = expected.presence.min_count
    if found.present < fewest:
        yield Anomaly(
            code="TD-SCHEMA-012",
            kind="count_present",
            column=name,
            numbers={"present": found.present, "min_count": fewest},
            message=f"{name}: {found.present:,} values are present, expected at least {fewest:,}",
            patch=(Change(path=("columns", name, "presence", "min_count"), value=found.present),),
        )


def _too_small_share(
    name: str, found: ColumnStatistics, *, least: float, fraction: float
) -> Anomaly:
    nan = f" ({found.nan:,} of them NaN)" if found.nan else ""
    absent = found.rows - found.present
    return Anomaly(
        code="TD-SCHEMA-011",
        kind="fraction_present",
        column=name,
        numbers={
            "present": found.present,
            "rows": found.rows,
            "fraction": fraction,
            "min_fraction": least,
        },
        message=(
            f"{name}: {absent:,} of {found.rows:,} values ({share(absent, found.rows)}) are "
            f"missing{nan}, expected a value in at least {100 * least:.4g} % of the rows"
        ),
        patch=(Change(path=("columns", name, "presence", "min_fraction"), value=fraction),),
    )
