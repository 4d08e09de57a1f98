"""Verbs on what happened: predictions, outcomes, live metrics, drift, alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.durations import parse_duration_us
from tondo.core.errors import CallerError, near, placed
from tondo.core.instants import parse_instant

if TYPE_CHECKING:
    from tondo.ports.eventlog import Durability
    from tondo.stages.monitoring.alerts import Alert
    from tondo.stages.monitoring.consistency import ConsistencyReport
    from tondo.stages.monitoring.drift import DriftReport
    from tondo.stages.monitoring.findings import Finding
    from tondo.stages.monitoring.join import Joined
    from tondo.stages.monitoring.live import LiveMetrics
    from tondo.stages.monitoring.outcomes import Outcome, OutcomeLog, OutcomeReceipt
    from tondo.stages.serving.pruning import Pruned
    from tondo.workspace.bootstrap import Parts
    from tondo.workspace.consistency import CheckedConsistency
    from tondo.workspace.pages import PredictionDetail

_ALERT_STATES = ("open", "acknowledged", "closed")


class MonitoringVerbs:
    """What a workspace does with what happened."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def record_outcomes(self, deployment: str, outcomes: list[dict[str, Any]]) -> OutcomeReceipt:
        """Record what came true: `prediction_id` and `label` each, all of them or none.

        `event_time` (RFC 3339) says when; it is now where it is left out. Errors:
        TD-DEPLOY-001 (no such deployment), TD-MONITOR-001 (an outcome that cannot be read).
        """
        from tondo.stages.monitoring.outcomes import record_outcomes

        self._known(deployment)
        now_us = self._parts.clock.now_us()
        return record_outcomes(
            deployment,
            [_outcome(each, place, now_us) for place, each in enumerate(outcomes)],
            eventlog=self._parts.eventlog,
            clock=self._parts.clock,
        )

    def outcome_log(self, deployment: str, *, durability: Durability = "synced") -> OutcomeLog:
        """Open a writer of outcomes, for programs that record many batches.

        With `written` the caller flushes to the device by `sync`, at times of its own.
        """
        from tondo.stages.monitoring.outcomes import OutcomeLog

        return OutcomeLog(
            deployment,
            eventlog=self._parts.eventlog,
            clock=self._parts.clock,
            durability=durability,
        )

    def prune_logs(self, *, dry_run: bool = False) -> list[Pruned]:
        """Remove raw logs older than the setting `log_days` that were imported or compared.

        Predictions and outcomes stay as they were imported, reports as they were made.
        """
        from tondo.workspace.log_pruning import prune_logs

        return prune_logs(self._parts, dry_run=dry_run)

    def joined(self, deployment: str, *, start_us: int, end_us: int) -> Joined:
        """Return predictions with start <= as-of < end beside what is known of them now."""
        from tondo.workspace.joined import joined_outcomes

        now_us = self._parts.clock.now_us()
        return joined_outcomes(
            self._parts, deployment, start_us=start_us, end_us=end_us, at_us=now_us
        )

    def live_metrics(self, deployment: str, *, window: str = "28d") -> list[LiveMetrics]:
        """Return live quality over the trailing window: of all rows, then by version."""
        from tondo.stages.monitoring.live import live_metrics
        from tondo.workspace.joined import joined_outcomes

        self._known(deployment)
        now_us = self._present_us(deployment)
        start_us = now_us - parse_duration_us(window)
        joined = joined_outcomes(
            self._parts, deployment, start_us=start_us, end_us=now_us, at_us=now_us
        )
        return live_metrics(joined, start_us=start_us, end_us=now_us)

    def drift(self, deployment: str, *, window: str = "28d") -> DriftReport:
        """Compare the trailing window's features and scores with the live version's training."""
        from tondo.stages.monitoring.predictions import read_predictions
        from tondo.workspace.watching import drift_among

        now_us = self._present_us(deployment)
        logged = read_predictions(
            self._parts.predictions(deployment),
            start_us=now_us - parse_duration_us(window),
            end_us=now_us,
            columns=("model_version_id", "score", "vector"),
        )
        return drift_among(self._parts, deployment, logged)

    def watch(self, deployment: str, *, window: str = "28d") -> list[Finding]:
        """Look for drift and missing outcomes; keep what is found and open alerts.

        Months that have settled are measured and kept on the way.
        """
        from tondo.workspace.months import settle
        from tondo.workspace.watching import keep_look

        settle(self._parts, deployment)
        return keep_look(
            self._parts,
            deployment,
            window=window,
            report=self.drift(deployment, window=window),
            overall=self.live_metrics(deployment, window=window)[0],
            at_us=self._present_us(deployment),
        )

    def consistency(self, deployment: str, *, rows: int = 10_000) -> ConsistencyReport:
        """Compute logged vectors again from the snapshots and compare them bit by bit."""
        from tondo.workspace.recompute import recompute_logged

        self._known(deployment)
        return recompute_logged(self._parts, deployment, rows=_sampled(rows))

    def recompute(
        self, deployment: str, *, rows: int = 10_000, window: str | None = None
    ) -> CheckedConsistency:
        """Do `consistency`, keep its report for pages, and open alerts for what differs.

        `window`, such as `7d`: of predictions not older. An alert of a feature that is equal
        again is closed.
        """
        from tondo.workspace.consistency import keep_consistency

        self._known(deployment)
        window_us = None if window is None else parse_duration_us(window)
        return keep_consistency(
            self._parts, deployment, rows=_sampled(rows), window_us=window_us, window=window
        )

    def findings(self, *, limit: int = 50) -> list[Finding]:
        """List findings, the newest first."""
        from tondo.stages.monitoring.findings import Finding

        records = self._parts.ledger.records("finding", limit=limit)
        return [msgspec.convert(each.body, Finding) for each in records]

    def alerts(self, *, state: str | None = None) -> list[Alert]:
        """List alerts: `open`, `acknowledged`, `closed`, or all."""
        from tondo.stages.monitoring.alerts import alerts

        if state not in {None, *_ALERT_STATES}:
            raise CallerError(
                "TD-WORKSPACE-016",
                f"no alert is ever '{state}'",
                expected="one of " + ", ".join(_ALERT_STATES),
                fix=near(str(state), _ALERT_STATES),
            )
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

    def _present_us(self, deployment: str) -> int:
        """Return where trailing windows end: now, or the project's own time when that is far."""
        from tondo.workspace.present import present

        return present(self._parts, [deployment]).now_us

    def _known(self, deployment: str) -> None:
        """Refuse a deployment that is not there: TD-DEPLOY-001, with near names."""
        from tondo.stages.deployment.deploy import get_deployment

        get_deployment(deployment, ledger=self._parts.ledger)


def _sampled(rows: int) -> int:
    if rows < 1:
        raise CallerError(
            "TD-WORKSPACE-016",
            f"{rows} rows cannot be compared",
            expected="a number of rows from 1 on",
            fix="Leave it out: 10,000 rows are compared.",
        )
    return rows


class _Told(msgspec.Struct, forbid_unknown_fields=True):
    """An outcome as it is sent."""

    prediction_id: str
    label: bool | float
    event_time: str | None = None


def _outcome(body: Any, place: int, now_us: int) -> Outcome:
    from tondo.stages.monitoring.outcomes import Outcome

    try:
        told = msgspec.convert(body, _Told)
    except msgspec.ValidationError as error:
        raise CallerError(
            "TD-MONITOR-001",
            f"outcomes[{place}]: {error}",
            expected='such as {"prediction_id": "019…", "label": 1}, `event_time` if known',
            fix="Nothing of the batch was recorded: correct it and send all of it again.",
            place=place,
        ) from None
    with placed(f"outcomes[{place}].event_time"):
        event_time_us = now_us if told.event_time is None else parse_instant(told.event_time)
    return Outcome(
        prediction_id=told.prediction_id, label=float(told.label), event_time_us=event_time_us
    )
