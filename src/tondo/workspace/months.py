"""The months of a deployment: live quality and traffic, beside the first model left alone.

A month is closed once its outcomes are in, and then read back; months that still run are measured
when somebody looks (`open_months.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tondo.core.canonical import digest
from tondo.core.instants import from_micros, parse_instant
from tondo.workspace.joined import JUDGED_COLUMNS, joined_outcomes, label_horizon_us
from tondo.workspace.pages import MonthPoint, TrafficPoint

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from tondo.stages.evaluation.delong import Interval
    from tondo.workspace.bootstrap import Parts

KIND = "live_month"
DAY_US = 86_400_000_000
_LATE_US = 7 * DAY_US
"""Outcomes that come this long after the label horizon are still counted in a month."""


class Month(NamedTuple):
    """A month's name and the as-of times that it holds: start <= t < end."""

    name: str
    """`2013-04`."""
    start_us: int
    end_us: int


class MonthRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a month; the log itself stays where it is."""

    deployment: str
    month: str
    """`2013-04`."""
    point: MonthPoint
    traffic: list[TrafficPoint]
    end_us: int | None = None
    """Where the next month begins; None in records of before it was kept."""

    @property
    def until_us(self) -> int:
        """Where the next month begins: by its record, else after its last day of traffic."""
        if self.end_us is not None:
            return self.end_us
        last = max((each.day for each in self.traffic), default=f"{self.month}-28")
        return parse_instant(f"{last}T00:00:00Z") + DAY_US


def close_month(
    parts: Parts,
    deployment: str,
    month: str,
    *,
    start_us: int,
    end_us: int,
    left_alone: str | None = None,
) -> MonthRecord:
    """Measure a month whose outcomes are in and keep it; the same month again is read back.

    `left_alone` is the package of a model that was never trained again, scored on the same rows.
    """
    known = parts.ledger.find(KIND, _id(deployment, month))
    if known is not None:
        return msgspec.convert(known.body, MonthRecord)
    joined = joined_outcomes(
        parts,
        deployment,
        start_us=start_us,
        end_us=end_us,
        at_us=parts.clock.now_us(),
        columns=JUDGED_COLUMNS if left_alone is None else (*JUDGED_COLUMNS, "inputs"),
    )
    alone = None if left_alone is None else _scores_of(parts, left_alone, joined.table)
    month_of_rows = Month(month, start_us, end_us)
    record = measure_month(parts, deployment, month_of_rows, joined.table, alone=alone)
    parts.ledger.put(KIND, _id(deployment, month), record)
    return record


def settle(parts: Parts, deployment: str) -> list[MonthRecord]:
    """Compact the logs' closed segments and close the months that have settled.

    A month, in UTC, has settled when its outcomes have had a week more than their horizon.
    """
    parts.predictions(deployment).compact()
    parts.outcomes(deployment).compact()
    span = parts.predictions(deployment).span()
    if span is None:
        return []
    closed = closed_months(parts, deployment)
    waited_us = label_horizon_us(parts, deployment) + _LATE_US
    until_us = parts.clock.now_us() - waited_us
    start_us = max(closed[-1].until_us, span[0]) if closed else span[0]
    return [
        close_month(parts, deployment, each.name, start_us=each.start_us, end_us=each.end_us)
        for each in months_between(start_us, span[1] + 1)
        if each.end_us <= until_us
    ]


def closed_months(parts: Parts, deployment: str) -> list[MonthRecord]:
    """Return a deployment's closed months, the oldest first."""
    records = parts.ledger.records(KIND, where={"deployment": deployment})
    found = [msgspec.convert(each.body, MonthRecord) for each in records]
    return sorted(found, key=lambda each: each.month)


def measure_month(
    parts: Parts,
    deployment: str,
    month: Month,
    table: pa.Table,
    *,
    alone: np.ndarray | None = None,
    is_open: bool = False,
) -> MonthRecord:
    """Measure a month's predictions, joined to their outcomes; nothing is kept.

    `alone` are another model's scores of the same rows, in their order.
    """
    from tondo.stages.evaluation.delong import auc_interval

    scores, labels, judged = judged_rows(table)
    others = None if alone is None else auc_interval(alone[judged], labels[judged] == 1)
    counts = _versions(table)
    matured = int(table.column("matured").to_numpy(zero_copy_only=False).sum())
    point = MonthPoint(
        month=month.name,
        deployment=deployment,
        version=max(counts, key=lambda each: counts[each]) if counts else 0,
        versions={str(version): counts[version] for version in sorted(counts)},
        rows=table.num_rows,
        requests=_requests(parts, deployment, month),
        coverage=float(judged.sum() / matured) if matured else None,
        labelled=int(judged.sum()),
        is_open=is_open,
        **_named(auc_interval(scores[judged], labels[judged] == 1), ("auc", "low", "high")),
        **_named(others, ("static_auc", "static_low", "static_high")),
    )
    return MonthRecord(
        deployment=deployment,
        month=month.name,
        point=point,
        traffic=_traffic(table, deployment),
        end_us=month.end_us,
    )


def judged_rows(table: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return scores, labels and which rows have both and have matured."""
    import numpy as np

    scores = table.column("score").to_numpy().astype(np.float64)
    labels = table.column("label").to_numpy(zero_copy_only=False).astype(np.float64)
    matured = table.column("matured").to_numpy(zero_copy_only=False).astype(bool)
    return scores, labels, matured & np.isfinite(scores) & ~np.isnan(labels)


def months_between(start_us: int, end_us: int) -> list[Month]:
    """Return the months in UTC that [start, end) touches; the first begins at `start_us`.

    >>> [each.name for each in months_between(1364774400000000, 1370044800000001)]
    ['2013-04', '2013-05', '2013-06']
    """
    found = []
    while start_us < end_us:
        at = from_micros(start_us)
        year, month = (at.year + 1, 1) if at.month == 12 else (at.year, at.month + 1)
        following_us = parse_instant(f"{year:04d}-{month:02d}-01T00:00:00Z")
        found.append(Month(f"{at:%Y-%m}", start_us, following_us))
        start_us = following_us
    return found


def _scores_of(parts: Parts, package: str, table: pa.Table) -> np.ndarray:
    """Return another package's scores of logged predictions, in their order."""
    from tondo.stages.evaluation.evaluate import score_table
    from tondo.workspace.pipelines.learning import load_package
    from tondo.workspace.recompute import logged_rows

    model = load_package(parts, package)
    try:
        rows = logged_rows(parts, table, model.contents)
        return score_table(model, rows, engine=parts.engine)
    finally:
        model.close()


def _versions(table: pa.Table) -> dict[int, int]:
    counted = table.column("version").value_counts().to_pylist()
    return {int(each["values"]): int(each["counts"]) for each in counted}


def _requests(parts: Parts, deployment: str, month: Month) -> int:
    import pyarrow.compute as pc

    logged = parts.predictions(deployment).read(
        start_us=month.start_us, end_us=month.end_us, columns=("request_id",)
    )
    return int(pc.count_distinct(logged.column("request_id")).as_py())


def _traffic(table: pa.Table, deployment: str) -> list[TrafficPoint]:
    import pyarrow as pa
    import pyarrow.compute as pc

    days = pc.floor_temporal(table.column("as_of"), unit="day")
    counted = (
        pa.table({"day": days, "version": table.column("version")})
        .group_by(["day", "version"])
        .aggregate([([], "count_all")])
        .sort_by([("day", "ascending"), ("version", "ascending")])
        .to_pylist()
    )
    return [
        TrafficPoint(
            day=each["day"].date().isoformat(),
            version=each["version"],
            predictions=each["count_all"],
            deployment=deployment,
        )
        for each in counted
    ]


def _named(interval: Interval | None, names: tuple[str, str, str]) -> dict[str, Any]:
    if interval is None:
        return dict.fromkeys(names)
    return dict(zip(names, (interval.value, interval.low, interval.high), strict=True))


def _id(deployment: str, month: str) -> str:
    return digest([KIND, deployment, month])[:32]
