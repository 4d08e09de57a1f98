"""The table of operations: one row per verb, the truth for REST, OpenAPI, client and CLI.

An operation's parameters are those of the `Workspace` verb it names, read from its typed
signature (signatures.py); nothing is written twice. This module imports no facade and no stage.
"""

from __future__ import annotations

from tondo.core.errors import NotFoundError, near
from tondo.workspace.operation import Operation, read, write

_DATASET = "/v1/datasets/{dataset}"
_SNAPSHOT = "/v1/snapshots/{ref}"
_VIEW = "/v1/views/{view}"
_MODEL = "/v1/models/{model}"
_DEPLOYMENT = "/v1/deployments/{deployment}"

OPERATIONS: tuple[Operation, ...] = (
    # data
    write(
        "source.commit",
        "data.commit_source",
        "/v1/sources/{source}/commits",
        "Read a source and commit it as a new snapshot of its dataset.",
        present="dataset.list",
    ),
    read("source.show", "data.source", "/v1/sources/{name}", "Show a source's definition."),
    read(
        "dataset.list", "data.datasets", "/v1/datasets", "List datasets with their newest commit."
    ),
    read(
        "dataset.show",
        "data.definition",
        "/v1/datasets/{name}",
        "Show a dataset's definition, be it a source's or a derived one.",
    ),
    read(
        "dataset.columns",
        "data.columns",
        f"{_DATASET}/columns",
        "Show a dataset's columns with their types.",
    ),
    read("dataset.commits", "data.commits", f"{_DATASET}/commits", "List a dataset's commits."),
    write(
        "dataset.derive",
        "data.derive",
        f"{_DATASET}/derivations",
        "Bring a derived dataset up to date with its inputs.",
        present="dataset.commits",
    ),
    write(
        "dataset.branch",
        "snapshots.create_branch",
        f"{_DATASET}/branches",
        "Begin a branch at a commit of a dataset.",
        present="dataset.commits",
    ),
    write(
        "dataset.tag",
        "snapshots.tag",
        f"{_DATASET}/tags/{{name}}",
        "Point a tag at a commit of a dataset.",
        present="dataset.tags",
        verb="PUT",
    ),
    write(
        "dataset.untag",
        "snapshots.remove_tag",
        f"{_DATASET}/tags/{{name}}",
        "Take a tag of a dataset away; its history stays.",
        present="dataset.tags",
        verb="DELETE",
    ),
    read("dataset.tags", "snapshots.tags", f"{_DATASET}/tags", "List a dataset's tags."),
    read(
        "dataset.moves",
        "snapshots.tag_history",
        f"{_DATASET}/tags/{{name}}/moves",
        "List every move of a dataset's tag.",
    ),
    write(
        "dataset.remove",
        "snapshots.remove",
        f"{_DATASET}/removals",
        "Remove a dataset, one of its branches or a commit; never under a live deployment.",
        present="dataset.commits",
    ),
    read(
        "snapshot.digest",
        "snapshots.digest",
        f"{_SNAPSHOT}/digest",
        "Show the digest of a snapshot's rows, equal for the same rows in any files.",
    ),
    read(
        "snapshot.same",
        "snapshots.same_rows",
        f"{_SNAPSHOT}/same",
        "Say whether two snapshots hold the same rows, in whatever order and files.",
    ),
    write(
        "project.collect",
        "snapshots.collect_garbage",
        "/v1/garbage",
        "Delete the blobs that nothing names and that are older than a time of grace.",
    ),
    read(
        "dataset.cleaning",
        "preparation.cleaning_report",
        f"{_DATASET}/cleaning",
        "Show what cleaning kept, rejected by reason, filled and clipped.",
    ),
    read("snapshot.show", "data.snapshot", _SNAPSHOT, "Show a snapshot: columns, files, rows."),
    read(
        "snapshot.statistics",
        "data.statistics",
        f"{_SNAPSHOT}/statistics",
        "Show exact statistics of a snapshot's columns.",
    ),
    read(
        "snapshot.check",
        "data.check",
        f"{_SNAPSHOT}/anomalies",
        "Check a snapshot against its schema and list anomalies.",
    ),
    write(
        "schema.infer",
        "data.infer_schema",
        f"{_DATASET}/schema",
        "Infer a schema from a dataset's newest snapshot and keep it.",
    ),
    read("schema.show", "data.schema", f"{_DATASET}/schema", "Show a dataset's schema."),
    write(
        "schema.accept",
        "data.accept_patches",
        f"{_DATASET}/schema/patches",
        "Accept the patches that anomalies propose, for all or some columns.",
        present="schema.show",
    ),
    Operation(
        name="sql.query",
        method="data.sql",
        http=("POST", "/v1/sql"),
        summary="Ask the datasets in SQL.",
        permission="query",
    ),
    # features
    write(
        "definition.sync",
        "features.sync_definitions",
        "/v1/definitions",
        "Read the project's definition files and apply what changed.",
    ),
    read("view.list", "features.views", "/v1/views", "List feature views."),
    read("view.show", "features.view", _VIEW, "Show a feature view."),
    write(
        "view.materialise",
        "features.materialise",
        f"{_VIEW}/materialisations",
        "Bring the online store up to date for a view.",
        present="view.show",
    ),
    write(
        "view.push",
        "features.push",
        f"{_VIEW}/events",
        "Push events to a view; durable when answered.",
    ),
    read(
        "view.read",
        "features.read_online",
        f"{_VIEW}/rows",
        "Read a view's features for keys from the online store.",
    ),
    read("entity.show", "features.entity", "/v1/entities/{name}", "Show an entity."),
    Operation(
        name="expression.check",
        method="features.check_expression",
        http=("POST", "/v1/expressions/check"),
        summary="Check an expression against columns and tell its type.",
    ),
    # training
    write(
        "model.train",
        "training.train",
        f"{_MODEL}/runs",
        "Train a model as a run.",
        present="run.list",
    ),
    read("model.spec", "training.spec", f"{_MODEL}/spec", "Show a model's spec."),
    read("run.list", "training.runs", "/v1/runs", "List runs, the newest first."),
    read("run.show", "training.run", "/v1/runs/{run_id}", "Show a run."),
    read(
        "run.judgement",
        "training.judgement",
        "/v1/runs/{run_id}/judgement",
        "Show what the gate said of a run.",
    ),
    read("report.show", "training.report", "/v1/reports/{report_id}", "Show an evaluation report."),
    read(
        "report.compare",
        "training.compare",
        "/v1/reports/{a}/comparison/{b}",
        "Compare two reports.",
    ),
    # registry
    read("model.list", "registry.models", "/v1/models", "List models with versions and tags."),
    read("model.versions", "registry.versions", f"{_MODEL}/versions", "List a model's versions."),
    read(
        "model.version",
        "registry.version",
        f"{_MODEL}/versions/{{reference}}",
        "Show a version by number, id or tag.",
    ),
    read(
        "model.history",
        "registry.tag_history",
        f"{_MODEL}/tags/{{tag}}/history",
        "Show every move of a tag.",
    ),
    write(
        "run.register",
        "registry.register",
        "/v1/runs/{run_id}/versions",
        "Register a run's package as a new model version.",
        present="run.show",
    ),
    write(
        "model.tag",
        "registry.tag",
        f"{_MODEL}/tags/{{tag}}",
        "Move a tag to a version.",
        present="model.versions",
        verb="PUT",
    ),
    write(
        "model.untag",
        "registry.rollback_tag",
        f"{_MODEL}/tags/{{tag}}/rollback",
        "Move a tag back to where it was before.",
        present="model.versions",
    ),
    # deployment and serving
    write(
        "model.deploy",
        "deployment.deploy",
        f"{_MODEL}/deployments",
        "Bring a model version live.",
        permission="deploy",
        present="deployment.list",
    ),
    read("deployment.list", "deployment.deployments", "/v1/deployments", "List deployments."),
    write(
        "deployment.canary",
        "deployment.canary",
        f"{_DEPLOYMENT}/rollouts",
        "Send a share of traffic to a candidate version.",
        permission="deploy",
        present="deployment.rollouts",
    ),
    read(
        "deployment.rollouts",
        "deployment.rollouts",
        f"{_DEPLOYMENT}/rollouts",
        "List a deployment's rollouts.",
    ),
    write(
        "deployment.rollback",
        "deployment.rollback",
        f"{_DEPLOYMENT}/rollback",
        "Go back to the version that was live before.",
        permission="deploy",
        present="deployment.list",
    ),
    write(
        "deployment.advance",
        "deployment.advance",
        f"{_DEPLOYMENT}/rollouts/advance",
        "Measure the running rollout and do what its conditions say.",
        permission="deploy",
        present="deployment.rollouts",
    ),
    write(
        "deployment.publish",
        "deployment.publish",
        "/v1/plan",
        "Publish the desired state of all deployments to the scorers.",
        permission="deploy",
        present="deployment.list",
    ),
    write(
        "deployment.reconcile",
        "deployment.reconcile",
        "/v1/plan/reconciliation",
        "Tell the scorers the last committed plan again.",
        permission="deploy",
    ),
    write(
        "deployment.predict",
        "deployment.predict",
        f"{_DEPLOYMENT}/predictions",
        "Ask a deployment to score a row; the prediction is logged.",
    ),
    # monitoring
    write(
        "outcome.record",
        "monitoring.record_outcomes",
        f"{_DEPLOYMENT}/outcomes",
        "Record what really happened, by prediction id.",
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
    # retraining
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
    # flow and ledger
    read(
        "execution.list", "flow.executions", "/v1/executions", "List executions with their steps."
    ),
    read("execution.show", "flow.execution", "/v1/executions/{execution_id}", "Show an execution."),
    read(
        "execution.explain",
        "flow.explain",
        "/v1/executions/{execution_id}/steps/{step}",
        "Say which part of a step's key changed since the execution before.",
    ),
    read(
        "record.lineage",
        "flow.lineage",
        "/v1/records/{record_id}/lineage",
        "Walk from a record to what it came from, or to what came of it.",
    ),
    read("record.show", "flow.record", "/v1/records/{record_id}", "Show a record of the ledger."),
    # the whole
    read("project.overview", "flow.overview", "/v1/overview", "Show the project at a glance."),
    read(
        "project.doctor", "flow.doctor", "/v1/doctor", "Look for what is wrong and how to mend it."
    ),
)


def operation(name: str) -> Operation:
    """Return the operation called `name`.

    >>> operation("dataset.commits").http
    ('GET', '/v1/datasets/{dataset}/commits')
    """
    for each in OPERATIONS:
        if each.name == name:
            return each
    raise NotFoundError(
        "TD-API-001",
        f"there is no operation '{name}'",
        fix=near(name, [each.name for each in OPERATIONS]),
        name=name,
    )
