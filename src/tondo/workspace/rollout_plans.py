"""What a rollout would do, and where a deployment stands."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tondo.core.errors import ConflictError
from tondo.stages.deployment.deploy import get_deployment
from tondo.stages.deployment.guards import Condition
from tondo.stages.deployment.measure import Measurements
from tondo.stages.deployment.publish import last_plan
from tondo.stages.deployment.rollout import Rollout, conditions_of, guards_of
from tondo.stages.deployment.rollout_records import check_startable, find_rollout
from tondo.stages.deployment.state import variant_of
from tondo.stages.deployment.status import (
    DeploymentStatus,
    PlannedCondition,
    PlannedStep,
    RolloutPlan,
)
from tondo.stages.serving.shadow import REPORT_KIND
from tondo.workspace.deployment_definition import pace_of
from tondo.workspace.rollout_looks import last_look

if TYPE_CHECKING:
    from collections.abc import Callable

    from tondo.stages.deployment.pace import Pace
    from tondo.stages.deployment.state import DeploymentState
    from tondo.stages.deployment.status import Look
    from tondo.stages.registry.versions import ModelVersion
    from tondo.workspace.bootstrap import Parts


def known_shadow(parts: Parts, deployment: str, version: ModelVersion) -> str | None:
    """Return the id of the last shadow report of a version in a deployment, None without one."""
    found = parts.ledger.records(
        REPORT_KIND,
        where={"deployment": deployment, "model_version_id": version.id},
        limit=1,
    )
    return found[0].id if found else None


def require_shadow(deployment: str, version: ModelVersion) -> ConflictError:
    """Build the error TD-DEPLOY-011."""
    return ConflictError(
        "TD-DEPLOY-011",
        f"version {version.number} has never been a shadow of deployment '{deployment}'",
        expected="a report of what it would have answered, before it answers anybody",
        fix=f"Try it first: tondo shadow start {deployment} {version.number}. "
        "Or start the rollout with --no-shadow.",
        deployment=deployment,
        version=version.number,
    )


def preview(parts: Parts, deployment: str, version: ModelVersion, kind: str | None) -> RolloutPlan:
    """Return what starting a rollout would do; it is refused where starting would be."""
    from tondo.stages.deployment.power import detects

    state = get_deployment(deployment, ledger=parts.ledger)
    check_startable(state, version)
    pace = pace_of(parts, deployment, kind)
    looks = [_begun(state, version, pace, step) for step in range(len(pace.shares))]
    first = looks[0]
    return RolloutPlan(
        deployment=deployment,
        current=state.main.version,
        candidate=version.number,
        kind=pace.kind,
        steps=tuple(map(_planned, looks)),
        guards=pace.guards,
        detects=detects(pace.guards, None if first.arms[0] is None else first.coin),
        shadow=known_shadow(parts, deployment, version),
    )


def _begun(state: DeploymentState, version: ModelVersion, pace: Pace, step: int) -> Rollout:
    """Return a rollout as it would be at the beginning of a step."""
    return Rollout(
        id="",
        deployment=state.name,
        current=state.main,
        candidate=variant_of(version),
        before=state.id,
        kind=pace.kind,
        steps=pace.shares,
        step=step,
        guards=pace.guards,
        min_seconds=pace.seconds,
        min_answers=pace.min_answers,
        step_started_at_us=0,
        started_at_us=0,
        by="",
        why="",
    )


def _planned(rollout: Rollout) -> PlannedStep:
    baseline = rollout.arms[0]
    beside = 0.0 if baseline is None else rollout.shares[baseline]
    smaller = min(rollout.desired, beside or 1.0)
    nothing = Measurements(at_us=0)
    aborting = {each.name for each in guards_of(rollout, nothing)}
    return PlannedStep(
        share=rollout.desired,
        baseline=beside,
        min_seconds=rollout.min_seconds,
        min_answers=rollout.min_answers,
        requests=math.ceil(rollout.min_answers / smaller),
        conditions=tuple(
            PlannedCondition(name=each.name, limit=each.limit, aborts=each.name in aborting)
            for each in conditions_of(rollout, nothing)
        ),
    )


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
