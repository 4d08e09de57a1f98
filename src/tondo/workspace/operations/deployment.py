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
)
