"""The table of operations: one row per verb, the truth for REST, OpenAPI, client and CLI.

An operation's parameters are those of the `Workspace` method it names, read from its typed
signature; nothing is written twice. This module imports neither the facade nor any stage.
"""

from __future__ import annotations

import inspect
from typing import Any, Literal, get_type_hints

import msgspec

from tondo.core.errors import NotFoundError, near

Permission = Literal["read", "write", "deploy", "query"]
"""What a caller must be allowed: `query` is free SQL, `deploy` moves live traffic."""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """A verb of the workspace, as every face offers it."""

    name: str
    """`noun.verb`, for example `dataset.commits`."""
    method: str
    """The `Workspace` method."""
    http: tuple[str, str]
    """HTTP verb and path; `{names}` in the path are parameters of the method."""
    summary: str
    writes: bool = False
    permission: Permission = "read"
    present: str = ""
    """A reading operation that shows what this one would change, for `--plan`."""

    @property
    def noun(self) -> str:
        """The first half of the name."""
        return self.name.partition(".")[0]

    @property
    def verb(self) -> str:
        """The second half of the name."""
        return self.name.partition(".")[2]


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter of an operation."""

    name: str
    type: Any
    required: bool
    default: Any = None
    positional: bool = False
    """True where Python takes it by place: an argument of the CLI, not an option."""


def read(name: str, method: str, path: str, summary: str) -> Operation:
    """Return an operation that changes nothing, reached by GET."""
    return Operation(name=name, method=method, http=("GET", path), summary=summary)


def write(  # noqa: PLR0913 - a row of a table is read across, all columns at once
    name: str,
    method: str,
    path: str,
    summary: str,
    *,
    permission: Permission = "write",
    present: str = "",
    verb: str = "POST",
) -> Operation:
    """Return an operation that changes something."""
    return Operation(
        name=name,
        method=method,
        http=(verb, path),
        summary=summary,
        writes=True,
        permission=permission,
        present=present,
    )


_DATASET = "/v1/datasets/{dataset}"
_SNAPSHOT = "/v1/snapshots/{ref}"
_VIEW = "/v1/views/{view}"
_MODEL = "/v1/models/{model}"
_DEPLOYMENT = "/v1/deployments/{deployment}"

OPERATIONS: tuple[Operation, ...] = (
    # data
    write(
        "source.commit",
        "commit_source",
        "/v1/sources/{source}/commits",
        "Read a source and commit it as a new snapshot of its dataset.",
        present="dataset.list",
    ),
    read("dataset.list", "datasets", "/v1/datasets", "List datasets with their newest commit."),
    read("dataset.commits", "commits", f"{_DATASET}/commits", "List a dataset's commits."),
    write(
        "dataset.derive",
        "derive",
        f"{_DATASET}/derivations",
        "Bring a derived dataset up to date with its inputs.",
        present="dataset.commits",
    ),
    read("snapshot.show", "snapshot", _SNAPSHOT, "Show a snapshot: columns, files, rows."),
    read(
        "snapshot.statistics",
        "statistics",
        f"{_SNAPSHOT}/statistics",
        "Show exact statistics of a snapshot's columns.",
    ),
    read(
        "snapshot.check",
        "check",
        f"{_SNAPSHOT}/anomalies",
        "Check a snapshot against its schema and list anomalies.",
    ),
    write(
        "schema.infer",
        "infer_schema",
        f"{_DATASET}/schema",
        "Infer a schema from a dataset's newest snapshot and keep it.",
    ),
    read("schema.show", "schema", f"{_DATASET}/schema", "Show a dataset's schema."),
    write(
        "schema.accept",
        "accept_patches",
        f"{_DATASET}/schema/patches",
        "Accept the patches that anomalies propose, for all or some columns.",
        present="schema.show",
    ),
    Operation(
        name="sql.query",
        method="sql",
        http=("POST", "/v1/sql"),
        summary="Ask the datasets in SQL.",
        permission="query",
    ),
    # features
    write(
        "definition.sync",
        "sync_definitions",
        "/v1/definitions",
        "Read the project's definition files and apply what changed.",
    ),
    read("view.list", "views", "/v1/views", "List feature views."),
    read("view.show", "view", _VIEW, "Show a feature view."),
    write(
        "view.materialise",
        "materialise",
        f"{_VIEW}/materialisations",
        "Bring the online store up to date for a view.",
        present="view.show",
    ),
    write("view.push", "push", f"{_VIEW}/events", "Push events to a view; durable when answered."),
    read(
        "view.read",
        "read_online",
        f"{_VIEW}/rows",
        "Read a view's features for keys from the online store.",
    ),
    Operation(
        name="expression.check",
        method="check_expression",
        http=("POST", "/v1/expressions/check"),
        summary="Check an expression against columns and tell its type.",
    ),
    # training
    write("model.train", "train", f"{_MODEL}/runs", "Train a model as a run.", present="run.list"),
    read("run.list", "runs", "/v1/runs", "List runs, the newest first."),
    read("run.show", "run", "/v1/runs/{run_id}", "Show a run."),
    read("report.show", "report", "/v1/reports/{report_id}", "Show an evaluation report."),
    read("report.compare", "compare", "/v1/reports/{a}/comparison/{b}", "Compare two reports."),
    # registry
    read("model.list", "models", "/v1/models", "List models with versions and tags."),
    read("model.versions", "versions", f"{_MODEL}/versions", "List a model's versions."),
    write(
        "run.register",
        "register",
        "/v1/runs/{run_id}/versions",
        "Register a run's package as a new model version.",
        present="run.show",
    ),
    write(
        "model.tag",
        "tag",
        f"{_MODEL}/tags/{{tag}}",
        "Move a tag to a version.",
        present="model.versions",
        verb="PUT",
    ),
    write(
        "model.untag",
        "rollback_tag",
        f"{_MODEL}/tags/{{tag}}/rollback",
        "Move a tag back to where it was before.",
        present="model.versions",
    ),
    # deployment and serving
    write(
        "model.deploy",
        "deploy",
        f"{_MODEL}/deployments",
        "Bring a model version live.",
        permission="deploy",
        present="deployment.list",
    ),
    read("deployment.list", "deployments", "/v1/deployments", "List deployments."),
    write(
        "deployment.canary",
        "canary",
        f"{_DEPLOYMENT}/rollouts",
        "Send a share of traffic to a candidate version.",
        permission="deploy",
        present="deployment.rollouts",
    ),
    read(
        "deployment.rollouts",
        "rollouts",
        f"{_DEPLOYMENT}/rollouts",
        "List a deployment's rollouts.",
    ),
    write(
        "deployment.rollback",
        "rollback",
        f"{_DEPLOYMENT}/rollback",
        "Go back to the version that was live before.",
        permission="deploy",
        present="deployment.list",
    ),
    write(
        "deployment.predict",
        "predict",
        f"{_DEPLOYMENT}/predictions",
        "Ask a deployment to score a row; the prediction is logged.",
    ),
    # monitoring
    write(
        "outcome.record",
        "record_outcomes",
        f"{_DEPLOYMENT}/outcomes",
        "Record what really happened, by prediction id.",
    ),
    read(
        "deployment.metrics",
        "live_metrics",
        f"{_DEPLOYMENT}/metrics",
        "Show live quality by version over time.",
    ),
    read(
        "deployment.drift",
        "drift",
        f"{_DEPLOYMENT}/drift",
        "Show drift per feature against training.",
    ),
    read("alert.list", "alerts", "/v1/alerts", "List alerts."),
    write(
        "alert.acknowledge",
        "acknowledge_alert",
        "/v1/alerts/{alert_id}/acknowledgement",
        "Say that somebody looks after an alert.",
        present="alert.list",
    ),
    read("finding.list", "findings", "/v1/findings", "List findings, the newest first."),
    read(
        "prediction.show",
        "prediction",
        "/v1/predictions/{prediction_id}",
        "Show a prediction and the way back to its source rows.",
    ),
    # retraining
    read(
        "model.policy",
        "check_policy",
        f"{_MODEL}/policy",
        "Tell what the retraining policy decides now, and why.",
    ),
    write(
        "model.retrain",
        "retrain",
        f"{_MODEL}/retrainings",
        "Retrain a model: train, judge, register, roll out.",
        permission="deploy",
        present="model.policy",
    ),
    # flow and ledger
    read("execution.list", "executions", "/v1/executions", "List executions with their steps."),
    read("execution.show", "execution", "/v1/executions/{execution_id}", "Show an execution."),
    read(
        "record.lineage",
        "lineage",
        "/v1/records/{record_id}/lineage",
        "Walk from a record to what it came from, or to what came of it.",
    ),
    read("record.show", "record", "/v1/records/{record_id}", "Show a record of the ledger."),
    # the whole
    read("project.overview", "overview", "/v1/overview", "Show the project at a glance."),
    read("project.doctor", "doctor", "/v1/doctor", "Look for what is wrong and how to mend it."),
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


def parameters_of(method: Any) -> list[Parameter]:
    """Return the parameters of a method, `self` left out, with resolved types."""
    hints = get_type_hints(method, include_extras=True)
    found = []
    for each in list(inspect.signature(method).parameters.values())[1:]:
        required = each.default is inspect.Parameter.empty
        found.append(
            Parameter(
                name=each.name,
                type=hints.get(each.name, Any),
                required=required,
                default=None if required else each.default,
                positional=each.kind is not inspect.Parameter.KEYWORD_ONLY,
            )
        )
    return found


def result_type(method: Any) -> Any:
    """Return the resolved return type of a method."""
    return get_type_hints(method, include_extras=True).get("return", Any)
