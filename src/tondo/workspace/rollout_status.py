"""Where a deployment stands: its rollout's conditions, or what it came to rest at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.stages.deployment.deploy import get_deployment
from tondo.stages.deployment.guards import Condition
from tondo.stages.deployment.publish import last_plan
from tondo.stages.deployment.rollout_records import find_rollout
from tondo.stages.deployment.status import DeploymentStatus
from tondo.workspace.rollout_looks import last_look

if TYPE_CHECKING:
    from collections.abc import Callable

    from tondo.stages.deployment.rollout import Rollout
    from tondo.stages.deployment.state import DeploymentState
    from tondo.stages.deployment.status import Look
    from tondo.workspace.bootstrap import Parts


def status(
    parts: Parts, deployment: str, *, measure: Callable[[Rollout], Look]
) -> DeploymentStatus:
    """Return where a deployment stands; a rollout that nobody looks at is measured for it."""
    state = get_deployment(deployment, ledger=parts.ledger)
    rollout = find_rollout(deployment, ledger=parts.ledger)
    told = _published(parts, state)
    if rollout is None or rollout.ended:
        return _at_rest(parts, state, rollout, told)
    found = last_look(parts, rollout) or measure(rollout)
    return DeploymentStatus(
        deployment=deployment,
        desired=rollout.candidate.version,
        candidate=rollout.candidate.version,
        current=rollout.current.version,
        share=rollout.desired,
        phase=rollout.phase,
        conditions=(told, *found.decided.conditions),
        reason=found.decided.reason,
        measured=found.measured,
        touched=rollout.touched + found.measured.candidate.requests,
        requests=rollout.requests + found.measured.requests,
        at_us=found.measured.at_us,
    )


def _at_rest(
    parts: Parts, state: DeploymentState, rollout: Rollout | None, told: Condition
) -> DeploymentStatus:
    return DeploymentStatus(
        deployment=state.name,
        desired=state.main.version,
        candidate=None,
        current=state.main.version,
        share=state.main.weight,
        phase=None if rollout is None else rollout.phase,
        conditions=(told, *(() if rollout is None else rollout.conditions)),
        reason=state.why if rollout is None else rollout.why,
        touched=0 if rollout is None else rollout.touched,
        requests=0 if rollout is None else rollout.requests,
        at_us=parts.clock.now_us(),
    )


def _published(parts: Parts, state: DeploymentState) -> Condition:
    """Tell whether the plan that scorers follow says what is desired."""
    from tondo.scoring.plan import read_pointer

    plan = last_plan(ledger=parts.ledger, blobs=parts.blobs)
    planned = plan.deployments.get(state.name) if plan else None
    pointer = read_pointer(parts.plan_pointer)
    number, told = (plan.number if plan else 0), (pointer.number if pointer else 0)
    shares = [(each.name, each.weight) for each in state.desired.variants]
    same = planned is not None and [(each.name, each.weight) for each in planned.variants] == shares
    met = same and told == number
    why = f"scorers were told plan {told}" + ("" if met else f", plan {number} is the last")
    return Condition(
        name="published", status="met" if met else "unmet", value=told, limit=number, why=why
    )
