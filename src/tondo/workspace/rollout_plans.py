"""What starting a rollout would do."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tondo.core.errors import ConflictError
from tondo.stages.deployment.deploy import get_deployment
from tondo.stages.deployment.measure import Measurements
from tondo.stages.deployment.rollout import Rollout, conditions_of, guards_of
from tondo.stages.deployment.rollout_records import check_startable
from tondo.stages.deployment.state import variant_of
from tondo.stages.deployment.status import (
    PlannedCondition,
    PlannedStep,
    RolloutPlan,
)
from tondo.stages.serving.shadow import REPORT_KIND
from tondo.workspace.deployment_definition import pace_of

if TYPE_CHECKING:
    from tondo.stages.deployment.pace import Pace
    from tondo.stages.deployment.state import DeploymentState
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


def was_no_shadow(deployment: str, version: ModelVersion) -> ConflictError:
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
