"""Operations on deployments and serving."""

from __future__ import annotations

from tondo.workspace.operation import Operation, read, write

_MODEL = "/v1/models/{model}"
_DEPLOYMENT = "/v1/deployments/{deployment}"

DEPLOYMENT: tuple[Operation, ...] = (
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
        "deployment.traffic",
        "deployment.traffic",
        f"{_DEPLOYMENT}/traffic",
        "Share the traffic among versions, such as v3=90 v4=10.",
        permission="deploy",
        present="deployment.list",
        verb="PUT",
    ),
    read(
        "deployment.diff",
        "deployment.diff",
        f"{_DEPLOYMENT}/changes",
        "Tell what its definition says otherwise than what holds.",
    ),
    write(
        "deployment.isolate",
        "deployment.isolate",
        f"{_DEPLOYMENT}/isolation",
        "Run its models in a process of their own.",
        permission="deploy",
        present="deployment.list",
        verb="PUT",
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
)
