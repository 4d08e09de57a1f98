"""Findings: what a check saw, as sentences with numbers; alerts decide what to do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from tondo.core.durations import format_duration

if TYPE_CHECKING:
    from tondo.stages.evaluation.delong import Interval
    from tondo.stages.monitoring.consistency import ConsistencyReport
    from tondo.stages.monitoring.drift import ColumnDrift, DriftReport
    from tondo.stages.monitoring.live import LiveMetrics
    from tondo.stages.training.leakage import LeakageReport

Severity = Literal["info", "warning", "critical"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One fact that a check found, at one instant."""

    kind: str
    """drift, null_burst, coverage_low, metric_low, freshness, consistency, leakage, or another
    stage's."""
    subject: str
    """What it is about, such as `deployment/late_arrival`."""
    key: str
    """Names the fact: the same fact found again has the same key, and raises no second alert."""
    severity: Severity
    message: str
    """One sentence with the numbers."""
    numbers: dict[str, float] = {}
    at_us: int

    def __repr__(self) -> str:
        """Severity and message."""
        return f"Finding({self.severity}: {self.message})"


def drift_findings(
    report: DriftReport, *, deployment: str, version: int, at_us: int
) -> list[Finding]:
    """Return a finding for each column that drifted at least moderately or burst into nulls.

    A burst of nulls is an extractor that fails; it is told as that, not as drift.
    """
    found = []
    for column in report.columns:
        if column.null_burst:
            found.append(_null_burst(column, deployment, version, at_us))
        elif column.level in {"moderate", "large"}:
            found.append(_drift(column, deployment, version, at_us))
    return found


def coverage_finding(
    metrics: LiveMetrics, *, deployment: str, minimum: float, at_us: int
) -> Finding | None:
    """Return a finding when too few matured predictions have an outcome."""
    if metrics.coverage is None or metrics.coverage >= minimum:
        return None
    return Finding(
        kind="coverage_low",
        subject=f"deployment/{deployment}",
        key=f"coverage_low/{deployment}",
        severity="warning",
        message=(
            f"Only {metrics.coverage:.1%} of {metrics.matured} matured predictions have an"
            f" outcome, {minimum:.0%} are expected; metrics speak of those that came."
        ),
        numbers={"coverage": metrics.coverage, "minimum": minimum, "matured": metrics.matured},
        at_us=at_us,
    )


def metric_finding(
    metrics: LiveMetrics,
    *,
    deployment: str,
    version: int,
    accepted: Interval,
    standard_errors: float,
    at_us: int,
) -> Finding | None:
    """Return a finding when the live AUC lies below what the gate accepted.

    Below means by more than `standard_errors` of the difference, both estimates' errors counted.
    """
    if metrics.auc is None:
        return None
    error = (metrics.auc.standard_error**2 + accepted.standard_error**2) ** 0.5
    gap = accepted.value - metrics.auc.value
    if gap <= standard_errors * error:
        return None
    return Finding(
        kind="metric_low",
        subject=f"deployment/{deployment}",
        key=f"metric_low/{deployment}/{version}",
        severity="critical",
        message=(
            f"AUC {metrics.auc.value:.4f} of version {version} over {metrics.labelled} labels is"
            f" {gap:.4f} below the accepted {accepted.value:.4f}, a standard error being"
            f" {error:.4f}."
        ),
        numbers={
            "auc": metrics.auc.value,
            "accepted": accepted.value,
            "standard_error": error,
            "labelled": metrics.labelled,
        },
        at_us=at_us,
    )


def freshness_finding(
    view: str, *, newest_us: int | None, promised_us: int, at_us: int
) -> Finding | None:
    """Return a finding when a view's newest row is older than its promise; None: no row at all."""
    if newest_us is not None and at_us - newest_us <= promised_us:
        return None
    age = "has no rows" if newest_us is None else f"is {(at_us - newest_us) / 3.6e9:.1f} h old"
    return Finding(
        kind="freshness",
        subject=f"view/{view}",
        key=f"freshness/{view}",
        severity="warning",
        message=f"View '{view}' {age}; {format_duration(promised_us)} is promised.",
        numbers={} if newest_us is None else {"age_s": (at_us - newest_us) / 1e6},
        at_us=at_us,
    )


LEAST_EXACT = 0.9999
"""Below this exact-match rate a feature means something else in serving than in training."""


def consistency_findings(
    report: ConsistencyReport, *, deployment: str, at_us: int
) -> list[Finding]:
    """Return a finding for each feature of which not every logged value was computed again."""
    return [
        Finding(
            kind="consistency",
            subject=f"deployment/{deployment}",
            key=f"consistency/{deployment}/{each.name}",
            severity="critical" if each.share < LEAST_EXACT else "warning",
            message=(
                f"'{each.name}' was served otherwise than the data say in"
                f" {each.rows - each.equal} of {each.rows} logged vectors"
                f" (exact-match rate {each.share:.4%}); the first is {each.examples[0][0]}:"
                f" {each.examples[0][1]!r} served, {each.examples[0][2]!r} computed again."
            ),
            numbers={"share": each.share, "rows": each.rows, "equal": each.equal},
            at_us=at_us,
        )
        for each in report.features
        if each.equal < each.rows
    ]


def leakage_findings(report: LeakageReport, *, model: str, at_us: int) -> list[Finding]:
    """Return a finding for each leak of a run."""
    return [
        Finding(
            kind="leakage",
            subject=f"model/{model}",
            key=f"leakage/{model}/{each.kind}/{each.subject}",
            severity="warning",
            message=f"{each.message[:1].upper()}{each.message[1:]}",
            numbers=each.numbers,
            at_us=at_us,
        )
        for each in report.leaks
    ]


def _drift(column: ColumnDrift, deployment: str, version: int, at_us: int) -> Finding:
    return Finding(
        kind="drift",
        subject=f"deployment/{deployment}",
        key=f"drift/{deployment}/{version}/{column.name}",
        severity="warning" if column.level == "large" else "info",
        message=(
            f"'{column.name}' has drifted from the training data of version {version}:"
            f" PSI {column.psi:.3f} where chance gives {column.noise_floor:.3f}, over"
            f" {column.window_rows} rows."
        ),
        numbers={
            "psi": column.psi,
            "noise_floor": column.noise_floor,
            "jensen_shannon": column.jensen_shannon,
            "adjusted_p": column.adjusted_p,
        },
        at_us=at_us,
    )


def _null_burst(column: ColumnDrift, deployment: str, version: int, at_us: int) -> Finding:
    return Finding(
        kind="null_burst",
        subject=f"deployment/{deployment}",
        key=f"null_burst/{deployment}/{version}/{column.name}",
        severity="critical",
        message=(
            f"'{column.name}' is null in {column.window_nulls:.1%} of {column.window_rows} rows,"
            f" {column.reference_nulls:.1%} in training; its source or extractor fails."
        ),
        numbers={"nulls": column.window_nulls, "training_nulls": column.reference_nulls},
        at_us=at_us,
    )
