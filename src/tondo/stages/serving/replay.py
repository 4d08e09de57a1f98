"""Replays: a past window of logged requests, sent to another version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import NotFoundError
from tondo.core.instants import format_instant
from tondo.stages.serving.comparison import Comparison, Latencies, latencies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.ledger.ledger import Ledger

REPORT_KIND = "replay_report"


class ReplayReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a version answered to a past window, beside production."""

    id: str
    deployment: str
    model: str
    version: int
    model_version_id: str
    start_us: int
    end_us: int
    """Requests with start <= as-of < end were sent."""
    over: str
    """`process`, or the address of the scorer and the staging deployment."""
    rate: float | None
    """Requests a second that were wanted; None: as fast as they were answered."""
    reached: float
    """Requests a second that were answered."""
    late: Latencies | None
    """How long after they were due requests were sent; None without a rate."""
    seconds: float
    at_us: int
    comparison: Comparison


def late_of(late_us: Sequence[int]) -> Latencies | None:
    """Return how late requests were sent."""
    import numpy as np

    return latencies(np.asarray(late_us, dtype=np.float64))


def keep_report(report: ReplayReport, *, ledger: Ledger) -> ReplayReport:
    """Keep a report, below the version that it is about."""
    parents = [("model_version", report.model_version_id, "candidate")]
    ledger.put(REPORT_KIND, report.id, report, parents=parents)
    return report


def reports(deployment: str, *, ledger: Ledger) -> list[ReplayReport]:
    """Return the reports of a deployment's replays, the newest first."""
    kept = ledger.records(REPORT_KIND, where={"deployment": deployment})
    return [msgspec.convert(each.body, ReplayReport) for each in kept]


def nothing_asked(deployment: str, start_us: int, end_us: int) -> NotFoundError:
    """Build the error for an empty window."""
    return NotFoundError(
        "TD-SERVING-015",
        f"no live request of '{deployment}' was asked as of {format_instant(start_us)} to"
        f" {format_instant(end_us)}",
        expected="a window with logged requests",
        fix="Choose another window; requests logged with `off` or of another purpose are none,"
        " and raw logs older than `log_days` may have been pruned.",
        deployment=deployment,
    )
