"""Live metrics: how good the answers were, by version and variant, with their uncertainty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.instants import format_instant
from tondo.stages.evaluation.delong import Interval, auc_interval
from tondo.stages.evaluation.metrics import brier, log_loss
from tondo.stages.monitoring.streams import cut, rows_with

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pyarrow as pa

    from tondo.stages.monitoring.join import Joined


class LabelDelay(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds from the as-of time of a prediction to the arrival of its label."""

    median_s: float
    p90_s: float
    p99_s: float


class LiveMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """One group of predictions in a window, judged by the outcomes known at one instant.

    Metrics are over matured predictions with a label; where coverage is low they speak of the
    labels that came, not of the traffic.
    """

    group: dict[str, Any]
    """What the rows share, such as `{"version": 3}`; empty for all rows."""
    start_us: int
    end_us: int
    at_us: int
    """What had arrived by then is counted."""
    predictions: int
    failed: int
    """Predictions without a score."""
    matured: int
    """Predictions whose label horizon has passed."""
    labelled: int
    """Matured predictions with a label."""
    late: int
    """Labels that arrived after the horizon."""
    pending: int
    coverage: float | None
    """labelled / matured; None while nothing has matured."""
    base_rate: float | None = None
    mean_score: float | None = None
    auc: Interval | None = None
    """DeLong's interval; None with fewer than two of a class."""
    log_loss: float | None = None
    brier: float | None = None
    delay: LabelDelay | None = None

    def __repr__(self) -> str:
        """Group, days, AUC with interval and coverage in one line."""
        who = ", ".join(f"{name} {value}" for name, value in self.group.items()) or "all"
        days = f"{format_instant(self.start_us)[:10]} to {format_instant(self.end_us)[:10]}"
        auc = "no AUC"
        if self.auc is not None:
            auc = f"AUC {self.auc.value:.4f} ({self.auc.low:.4f} to {self.auc.high:.4f})"
        covered = "nothing matured" if self.coverage is None else f"coverage {self.coverage:.1%}"
        return f"LiveMetrics({who}, {days}: {auc}, {covered}, {self.labelled} labels)"


def live_metrics(
    joined: Joined,
    *,
    start_us: int,
    end_us: int,
    by: Sequence[str] = ("version", "model_version_id", "variant"),
    judged: Mapping[str, Any] | None = None,
) -> list[LiveMetrics]:
    """Return the metrics of all rows with start <= as-of < end, then of each group by `by`.

    `judged` is the one group whose quality is asked for: the others, all rows among them, are
    counted only, and their estimates are None.
    """
    names = list(dict.fromkeys([*_READ, *by]))
    table = cut(joined.table.select(names), "as_of", start_us, end_us)
    window = (start_us, end_us, joined.at_us)
    groups = [(_rows_of(table, group), group) for group in _groups(table, by)]
    return [
        _measure(rows, group, window, counted_only=judged is not None and group != judged)
        for rows, group in [(table, {}), *groups]
    ]


_READ = ("as_of", "score", "label", "recorded_at", "state", "matured")


def trailing(joined: Joined, *, window_us: int, **options: Any) -> list[LiveMetrics]:
    """Return the metrics of the window that ends at the joined table's instant."""
    return live_metrics(joined, start_us=joined.at_us - window_us, end_us=joined.at_us, **options)


def _groups(table: pa.Table, by: Sequence[str]) -> list[dict[str, Any]]:
    if not by:
        return []
    distinct = table.select(list(by)).group_by(list(by)).aggregate([])
    groups: list[dict[str, Any]] = distinct.to_pylist()
    return sorted(groups, key=lambda each: [str(each[name]).zfill(12) for name in by])


def _rows_of(table: pa.Table, group: dict[str, Any]) -> pa.Table:
    for name, value in group.items():
        table = rows_with(table, name, value)
    return table


def _measure(
    table: pa.Table, group: dict[str, Any], window: tuple[int, int, int], *, counted_only: bool
) -> LiveMetrics:
    import numpy as np

    score, label = _numbers(table, "score"), _numbers(table, "label")
    matured = np.asarray(table.column("matured").combine_chunks(), dtype=bool)
    labelled = matured & ~np.isnan(label)
    judged = labelled & np.isfinite(score)
    states = table.column("state").combine_chunks().indices.to_numpy(zero_copy_only=False)
    return LiveMetrics(
        group=group,
        start_us=window[0],
        end_us=window[1],
        at_us=window[2],
        predictions=table.num_rows,
        failed=int(np.isnan(score).sum()),
        matured=int(matured.sum()),
        labelled=int(labelled.sum()),
        late=int((states == 1).sum()),
        pending=int((states == 2).sum()),
        coverage=float(labelled.sum() / matured.sum()) if matured.any() else None,
        **({} if counted_only else _quality(score[judged], label[judged])),
        delay=None if counted_only else _delay(table),
    )


def _quality(scores: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    return {
        "base_rate": float(labels.mean()) if len(labels) else None,
        "mean_score": float(scores.mean()) if len(scores) else None,
        "auc": auc_interval(scores, labels),
        "log_loss": log_loss(scores, labels),
        "brier": brier(scores, labels),
    }


def _numbers(table: pa.Table, column: str) -> np.ndarray:
    numbers: np.ndarray = table.column(column).to_numpy()
    return numbers


def _delay(table: pa.Table) -> LabelDelay | None:
    import numpy as np
    import pyarrow as pa

    waited = table.column("recorded_at").combine_chunks()
    arrived = waited.drop_null().view(pa.int64()).to_numpy()
    if not len(arrived):
        return None
    asked = table.column("as_of").combine_chunks().filter(waited.is_valid())
    seconds = (arrived - asked.view(pa.int64()).to_numpy()) / 1e6
    median, p90, p99 = np.quantile(seconds, [0.5, 0.9, 0.99])
    return LabelDelay(median_s=float(median), p90_s=float(p90), p99_s=float(p99))
