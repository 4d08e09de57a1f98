"""Operations on outcomes, live quality, alerts and retraining."""

from __future__ import annotations

from tondo.workspace.operation import Operation, read, write

_MODEL = "/v1/models/{model}"
_DEPLOYMENT = "/v1/deployments/{deployment}"

MONITORING: tuple[Operation, ...] = (
    write(
        "outcome.record",
        "monitoring.record_outcomes",
        f"{_DEPLOYMENT}/outcomes",
        "Record what really happened, by prediction id.",
    ),
    write(
        "project.prune",
        "monitoring.prune_logs",
        "/v1/logs/prunings",
        "Remove old raw logs that were imported or compared.",
    ),
    read(
        "deployment.metrics",
        "monitoring.live_metrics",
        f"{_DEPLOYMENT}/metrics",
        "Show live quality by version over time.",
    ),
    read(
        "deployment.drift",
        "monitoring.drift",
        f"{_DEPLOYMENT}/drift",
        "Show drift per feature against training.",
    ),
    read(
        "deployment.consistency",
        "monitoring.consistency",
        f"{_DEPLOYMENT}/consistency",
        "Compute logged vectors again from the snapshots and compare them bit by bit.",
    ),
    write(
        "deployment.recompute",
        "monitoring.recompute",
        f"{_DEPLOYMENT}/consistency",
        "Compute logged vectors again, keep the exact-match rates, open alerts for what differs.",
        present="deployment.consistency",
    ),
    write(
        "deployment.watch",
        "monitoring.watch",
        f"{_DEPLOYMENT}/findings",
        "Look for drift and missing outcomes; open alerts for what is found.",
        present="deployment.drift",
    ),
    read("alert.list", "monitoring.alerts", "/v1/alerts", "List alerts."),
    write(
        "alert.acknowledge",
        "monitoring.acknowledge_alert",
        "/v1/alerts/{alert_id}/acknowledgement",
        "Say that somebody looks after an alert.",
        present="alert.list",
    ),
    read("finding.list", "monitoring.findings", "/v1/findings", "List findings, the newest first."),
    read(
        "prediction.show",
        "monitoring.prediction",
        "/v1/predictions/{prediction_id}",
        "Show a prediction and the way back to its source rows.",
    ),
    read("model.policy", "retraining.policy", f"{_MODEL}/policy", "Show the retraining policy."),
    read(
        "model.decision",
        "retraining.check_policy",
        f"{_MODEL}/policy/decision",
        "Tell what the retraining policy decides now, and why; nothing is started.",
    ),
    write(
        "model.due",
        "retraining.run_due",
        f"{_MODEL}/policy/checks",
        "Make the policy's check when it is due, and start what it decides.",
        permission="deploy",
        present="model.decision",
    ),
    write(
        "model.retrain",
        "retraining.retrain",
        f"{_MODEL}/retrainings",
        "Retrain a model: train, judge, register, roll out.",
        permission="deploy",
        present="model.decision",
    ),
)
