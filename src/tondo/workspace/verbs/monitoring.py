"""Verbs on what happened: predictions, outcomes, live metrics, drift, alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.durations import parse_duration_us
from tondo.core.instants import parse_instant

if TYPE_CHECKING:
    from tondo.stages.monitoring.alerts import Alert
    from tondo.stages.monitoring.consistency import ConsistencyReport
    from tondo.stages.monitoring.drift import DriftReport
    from tondo.stages.monitoring.findings import Finding
    from tondo.stages.monitoring.join import Joined
    from tondo.stages.monitoring.live import LiveMetrics
    from tondo.stages.monitoring.outcomes import Outcome, OutcomeLog, OutcomeReceipt
    from tondo.workspace.bootstrap import Parts
    from tondo.workspace.pages import PredictionDetail

JUDGED_COLUMNS = (
    "prediction_id",
    "as_of",
    "version",
    "model_version_id",
    "variant",
    "score",
)
DAY_US = 86_400_000_000


class MonitoringVerbs:
    """What a workspace does with what happened."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def record_outcomes(self, deployment: str, outcomes: list[dict[str, Any]]) -> OutcomeReceipt:
        """Record what came true: `prediction_id`, `label`, `event_time` (RFC 3339) each."""
        from tondo.stages.monitoring.outcomes import record_outcomes

        return record_outcomes(
            deployment,
            [_outcome(each) for each in outcomes],
            eventlog=self._parts.eventlog,
            clock=self._parts.clock,
        )

    def outcome_log(self, deployment: str) -> OutcomeLog:
        """Open a writer of outcomes, for programs that record many batches."""
        from tondo.stages.monitoring.outcomes import OutcomeLog

        return OutcomeLog(deployment, eventlog=self._parts.eventlog, clock=self._parts.clock)

    def joined(self, deployment: str, *, start_us: int, end_us: int) -> Joined:
        """Return predictions with start <= as-of < end beside what is known of them now."""
        from tondo.stages.monitoring.join import join_outcomes
        from tondo.stages.monitoring.predictions import read_predictions

        predictions = read_predictions(
            self._parts.predictions(deployment),
            start_us=start_us,
            end_us=end_us,
            columns=JUDGED_COLUMNS,
        )
        outcomes = self._parts.outcomes(deployment).read(start_us=start_us)
        return join_outcomes(
            predictions,
            outcomes,
            at_us=self._parts.clock.now_us(),
            horizon_us=self._parts.label_horizon_us(deployment),
        )

    def live_metrics(self, deployment: str, *, window: str = "28d") -> list[LiveMetrics]:
        """Return live quality over the trailing window: of all rows, then by version."""
        from tondo.stages.monitoring.live import live_metrics

        now_us = self._parts.clock.now_us()
        start_us = now_us - parse_duration_us(window)
        joined = self.joined(deployment, start_us=start_us, end_us=now_us)
        return live_metrics(joined, start_us=start_us, end_us=now_us)

    def drift(self, deployment: str, *, window: str = "28d") -> DriftReport:
        """Compare the trailing window's features and scores with the live version's training."""
        from tondo.scoring.package import open_package
        from tondo.stages.deployment.deploy import get_deployment
        from tondo.stages.monitoring.drift import drift_report
        from tondo.stages.monitoring.predictions import feature_matrix, read_predictions

        now_us = self._parts.clock.now_us()
        main = get_deployment(deployment, ledger=self._parts.ledger).main
        contents = open_package(self._parts.blobs.get(main.package), key=self._parts.key)
        logged = read_predictions(
            self._parts.predictions(deployment),
            start_us=now_us - parse_duration_us(window),
            end_us=now_us,
            columns=("model_version_id", "score", "vector"),
        )
        rows = logged.filter(_equals(logged, "model_version_id", main.model_version_id))
        return drift_report(
            _baseline(contents.baseline),
            feature_matrix(rows),
            names=list(contents.features),
            scores=rows.column("score").to_numpy(),
        )

    def watch(
        self, deployment: str, *, window: str = "28d", overall: LiveMetrics | None = None
    ) -> list[Finding]:
        """Look for drift and missing outcomes; keep what is found and open alerts.

        `overall` is the window's metrics where they are known already.
        """
        from tondo.stages.deployment.deploy import get_deployment
        from tondo.stages.monitoring.alerts import report_findings
        from tondo.stages.monitoring.findings import coverage_finding, drift_findings
        from tondo.workspace.watching import Watched, keep_drift

        now_us = self._parts.clock.now_us()
        version = get_deployment(deployment, ledger=self._parts.ledger).main.version
        report = self.drift(deployment, window=window)
        keep_drift(
            self._parts,
            Watched(
                deployment=deployment, version=version, window=window, at_us=now_us, report=report
            ),
        )
        found = drift_findings(
            report,
            deployment=deployment,
            version=version,
            at_us=now_us,
        )
        overall = overall or self.live_metrics(deployment, window=window)[0]
        covered = coverage_finding(overall, deployment=deployment, minimum=0.95, at_us=now_us)
        if covered is not None:
            found.append(covered)
        report_findings(found, ledger=self._parts.ledger, clock=self._parts.clock)
        return found

    def consistency(self, deployment: str, *, rows: int = 10_000) -> ConsistencyReport:
        """Compute logged vectors again from the snapshots and compare them bit by bit."""
        from tondo.workspace.recompute import recompute_logged

        return recompute_logged(self._parts, deployment, rows=rows)

    def findings(self, *, limit: int = 50) -> list[Finding]:
        """List findings, the newest first."""
        from tondo.stages.monitoring.findings import Finding

        records = self._parts.ledger.records("finding", limit=limit)
        return [msgspec.convert(each.body, Finding) for each in records]

    def alerts(self, *, state: str | None = None) -> list[Alert]:
        """List alerts: `open`, `acknowledged`, `closed`, or all."""
        from tondo.stages.monitoring.alerts import alerts

        found = alerts(ledger=self._parts.ledger)
        return [each for each in found if state is None or each.status == state]

    def acknowledge_alert(self, alert_id: str, *, by: str = "", why: str = "") -> Alert:
        """Say that somebody looks after an alert."""
        from tondo.stages.monitoring.alerts import acknowledge

        return acknowledge(
            alert_id,
            ledger=self._parts.ledger,
            by=by or self._parts.actor,
            why=why or "looking into it",
        )

    def prediction(self, prediction_id: str) -> PredictionDetail:
        """Return a prediction with its inputs, vector, outcome and the way to its source rows."""
        from tondo.workspace.predictions import prediction_detail

        return prediction_detail(self._parts, prediction_id)


def _outcome(body: dict[str, Any]) -> Outcome:
    from tondo.stages.monitoring.outcomes import Outcome

    event_time = body.get("event_time")
    return Outcome(
        prediction_id=str(body.get("prediction_id", "")),
        label=body.get("label", float("nan")),
        event_time_us=parse_instant(event_time) if isinstance(event_time, str) else 0,
    )


def _equals(table: Any, column: str, value: str) -> Any:
    import pyarrow.compute as pc

    return pc.equal(table.column(column), value)


def _baseline(body: dict[str, Any]) -> Any:
    from tondo.scoring.baseline import Baseline

    return msgspec.convert(body, Baseline)
