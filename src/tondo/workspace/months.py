"""A month of a deployment, closed: live quality, traffic, and the first model left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.canonical import digest
from tondo.core.instants import from_micros
from tondo.workspace.pages import MonthPoint, TrafficPoint

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from tondo.stages.evaluation.delong import Interval
    from tondo.workspace.bootstrap import Parts

KIND = "live_month"


class MonthRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a month; the log itself stays where it is."""

    deployment: str
    month: str
    """`2013-04`."""
    point: MonthPoint
    traffic: list[TrafficPoint]


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
    from tondo.stages.evaluation.delong import auc_interval
    from tondo.workspace.verbs.monitoring import MonitoringVerbs

    joined = MonitoringVerbs(parts).joined(deployment, start_us=start_us, end_us=end_us)
    table = joined.table
    scores, labels, judged = judged_rows(table)
    live = auc_interval(scores[judged], labels[judged] == 1)
    alone = None
    if left_alone is not None:
        other = _scores_of(parts, deployment, left_alone, table, (start_us, end_us))
        alone = auc_interval(other[judged], labels[judged] == 1)
    counts = _versions(table)
    matured = int(table.column("matured").to_numpy(zero_copy_only=False).sum())
    point = MonthPoint(
        month=month,
        deployment=deployment,
        version=max(counts, key=lambda each: counts[each]) if counts else 0,
        versions={str(version): rows for version, rows in counts.items()},
        rows=table.num_rows,
        requests=_requests(parts, deployment, start_us, end_us),
        coverage=float(judged.sum() / matured) if matured else None,
        **_named(live, ("auc", "low", "high")),
        **_named(alone, ("static_auc", "static_low", "static_high")),
    )
    record = MonthRecord(
        deployment=deployment, month=month, point=point, traffic=_traffic(table, deployment)
    )
    parts.ledger.put(KIND, _id(deployment, month), record)
    return record


def closed_months(parts: Parts, deployment: str) -> list[MonthRecord]:
    """Return a deployment's closed months, the oldest first."""
    records = parts.ledger.records(KIND, where={"deployment": deployment})
    found = [msgspec.convert(each.body, MonthRecord) for each in records]
    return sorted(found, key=lambda each: each.month)


def judged_rows(table: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return scores, labels and which rows have both and have matured."""
    import numpy as np

    scores = table.column("score").to_numpy().astype(np.float64)
    labels = table.column("label").to_numpy(zero_copy_only=False).astype(np.float64)
    matured = table.column("matured").to_numpy(zero_copy_only=False).astype(bool)
    return scores, labels, matured & np.isfinite(scores) & ~np.isnan(labels)


def _scores_of(
    parts: Parts, deployment: str, package: str, table: pa.Table, window: tuple[int, int]
) -> np.ndarray:
    """Return another package's scores of the same predictions, from the logged inputs."""
    from tondo.workspace.pipelines.learning import load_package
    from tondo.workspace.recompute import logged_rows

    model = load_package(parts, package)
    rows = logged_rows(parts, deployment, model.contents, window=window)
    place = {each: at for at, each in enumerate(rows.column("prediction_id").to_pylist())}
    from tondo.stages.evaluation.evaluate import score_table

    scores = score_table(model, rows, engine=parts.engine)
    model.close()
    ids = table.column("prediction_id").to_pylist()
    return scores[[place[each] for each in ids]]


def _versions(table: pa.Table) -> dict[int, int]:
    counted = table.column("version").value_counts().to_pylist()
    return {int(each["values"]): int(each["counts"]) for each in counted}


def _requests(parts: Parts, deployment: str, start_us: int, end_us: int) -> int:
    import pyarrow.compute as pc

    logged = parts.predictions(deployment).read(
        start_us=start_us, end_us=end_us, columns=("request_id",)
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


def month_of(instant_us: int) -> str:
    """Return the month of an instant in UTC.

    >>> month_of(1364774400000000)
    '2013-04'
    """
    return from_micros(instant_us).strftime("%Y-%m")
