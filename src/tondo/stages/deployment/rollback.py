"""The one verb that takes the last change of a deployment back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.errors import ConflictError
from tondo.stages.deployment.deploy import get_deployment, return_to
from tondo.stages.deployment.rollout_records import running_rollout, steer_rollout
from tondo.stages.deployment.state import show_shares

if TYPE_CHECKING:
    from tondo.ledger.ledger import Ledger
    from tondo.ports.clock import Clock
    from tondo.stages.deployment.state import DeploymentState


def rollback(name: str, *, ledger: Ledger, clock: Clock, by: str, why: str) -> DeploymentState:
    """Move a deployment's pointer back to the state before; a running rollout is aborted.

    After a promotion that is the state before its rollout began. Raises TD-DEPLOY-001 for an
    unknown name, TD-DEPLOY-002 when there is no state before. Publish the plan afterwards.
    """
    with ledger.transaction():
        now = get_deployment(name, ledger=ledger)
        rollout = running_rollout(name, ledger=ledger)
        if rollout is not None and now.rollout == rollout.id:
            steer_rollout(rollout, "aborted", ledger=ledger, clock=clock, by=by, why=why)
            return get_deployment(name, ledger=ledger)
        if now.previous is None:
            raise ConflictError(
                "TD-DEPLOY-002",
                f"deployment '{name}' has no state before {show_shares(now.desired.variants)}",
                expected="a deployment that was changed at least once",
                fix="Deploy the version that shall answer.",
                deployment=name,
            )
        return return_to(now.previous, now=now, ledger=ledger, by=by, why=why)
