"""A rollout in the ledger: start it, apply what was decided, steer it by hand.

Each change is one transaction: the rollout's new value, the deployment's new state, both pointers
and an event that carries who, when, why and the measurements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import ConflictError
from tondo.stages.deployment.buckets import deal
from tondo.stages.deployment.deploy import (
    commit_state,
    get_deployment,
    return_to,
    rollout_runs,
)
from tondo.stages.deployment.measure import Measurements
from tondo.stages.deployment.pace import Pace
from tondo.stages.deployment.rollout import LogPositions, Rollout, Step
from tondo.stages.deployment.state import (
    CANDIDATE,
    LIVE,
    DeploymentState,
    pointer_of,
    show_shares,
    variant_of,
)
from tondo.stages.deployment.targets import NO_TARGETS, Targeted, check_targets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.ledger.ledger import Ledger
    from tondo.ports.clock import Clock
    from tondo.scoring.plan import PlannedVariant, Target
    from tondo.stages.deployment.rollout import Phase
    from tondo.stages.deployment.state import Version

KIND = "rollout"
"""The record kind of one value of a Rollout; the pointer `rollout/<deployment>` says the last."""


def start_rollout(
    name: str,
    candidate: Version,
    *,
    ledger: Ledger,
    clock: Clock,
    by: str,
    why: str,
    pace: Pace | None = None,
    targeted: Targeted = NO_TARGETS,
    log: LogPositions | None = None,
    shadow: str | None = None,
) -> Rollout:
    """Let a candidate answer its first share of a deployment's traffic.

    `log` is where the deployment's log stands now: what is measured comes after it.
    Raises TD-DEPLOY-003 while another rollout runs, TD-DEPLOY-004 when the candidate answers
    already or several variants share the traffic, TD-DEPLOY-005 for steps that do not grow,
    TD-DEPLOY-010 where nothing is logged. Publish the plan afterwards.
    """
    chosen = pace or Pace()
    steps = chosen.shares
    with ledger.transaction():
        before = get_deployment(name, ledger=ledger)
        check_startable(before, candidate)
        now = clock.now_us()
        rollout = Rollout(
            id=ledger.new_id(),
            deployment=name,
            current=msgspec.structs.replace(before.main, name=LIVE),
            candidate=variant_of(candidate, name=CANDIDATE, weight=steps[0]),
            beside=tuple(targeted.beside),
            before=before.id,
            kind=chosen.kind,
            steps=steps,
            guards=chosen.guards,
            min_seconds=chosen.seconds,
            min_answers=chosen.min_answers,
            shadow=shadow,
            step_started_at_us=now,
            log=log or LogPositions(),
            started_at_us=now,
            by=by,
            why=why,
        )
        _commit(rollout, before, {"why": why}, ledger, targets=targeted.targets)
    return rollout


def find_rollout(name: str, *, ledger: Ledger) -> Rollout | None:
    """Return the last rollout of a deployment as it is now, or None."""
    pointer = ledger.pointer(f"{KIND}/{name}")
    return ledger.read(KIND, pointer.target, Rollout) if pointer else None


def running_rollout(name: str, *, ledger: Ledger) -> Rollout | None:
    """Return the rollout that has not ended, running or paused, or None."""
    found = find_rollout(name, ledger=ledger)
    return found if found is not None and not found.ended else None


def get_running_rollout(name: str, *, ledger: Ledger) -> Rollout:
    """Return the rollout that has not ended; TD-DEPLOY-012 when there is none."""
    get_deployment(name, ledger=ledger)
    found = running_rollout(name, ledger=ledger)
    if found is None:
        raise ConflictError(
            "TD-DEPLOY-012",
            f"no rollout of deployment '{name}' is under way",
            expected="a rollout that runs or is paused",
            fix=f"Start one: tondo rollout start {name} VERSION.",
            deployment=name,
        )
    return found


def apply_step(
    rollout: Rollout,
    step: Step,
    *,
    measured: Measurements,
    ledger: Ledger,
    clock: Clock,
    by: str,
    log: LogPositions | None = None,
) -> Rollout:
    """Carry out what `next_step` decided; `wait` writes nothing.

    `log` is up to where `measured` has read it. Raises TD-DEPLOY-006 when somebody else moved or
    ended the rollout since it was read.
    """
    if step.action == "wait":
        return rollout
    if step.action == "abort":
        changed = msgspec.structs.replace(rollout, phase="aborted")
    elif rollout.step + 1 >= len(rollout.steps):
        changed = msgspec.structs.replace(rollout, phase="promoted")
    else:
        changed = msgspec.structs.replace(rollout, step=rollout.step + 1)
    changed = msgspec.structs.replace(
        _counted(changed, measured, clock),
        log=log or LogPositions(),
        conditions=step.conditions,
        by=by,
        why=step.reason,
    )
    facts = {
        "why": step.reason,
        "measured": measured,
        "conditions": step.conditions,
        "touched": changed.touched,
        "requests": changed.requests,
    }
    with ledger.transaction():
        before = _state_under(rollout, ledger)
        _commit(changed, before, facts, ledger)
    return changed


def steer_rollout(
    rollout: Rollout,
    phase: Phase,
    *,
    ledger: Ledger,
    clock: Clock,
    by: str,
    why: str,
    measured: Measurements | None = None,
) -> Rollout:
    """Pause, resume (`running`), promote or abort a rollout by hand.

    Promoting gives the candidate all traffic at once, whatever was measured; aborting gives it
    back to the version before. A pause leaves the shares as they are, and guards still abort.
    """
    changed = msgspec.structs.replace(rollout, phase=phase, by=by, why=why)
    facts: dict[str, Any] = {"why": why, "measured": measured}
    if changed.ended:
        changed = _counted(changed, measured or Measurements(at_us=0), clock)
    with ledger.transaction():
        _commit(changed, _state_under(rollout, ledger), facts, ledger)
    return changed


def _counted(rollout: Rollout, measured: Measurements, clock: Clock) -> Rollout:
    """Return a rollout whose step ends now, after what was measured of it."""
    return msgspec.structs.replace(
        rollout,
        step_started_at_us=clock.now_us(),
        touched=rollout.touched + measured.candidate.requests,
        requests=rollout.requests + measured.requests,
    )


def _commit(
    rollout: Rollout,
    before: DeploymentState,
    facts: dict[str, Any],
    ledger: Ledger,
    *,
    targets: Sequence[Target] | None = None,
) -> None:
    record = ledger.new_id()
    pointer = ledger.pointer(f"{KIND}/{rollout.deployment}")
    parents = [
        ("deployment", rollout.before, "before"),
        ("model_version", rollout.candidate.model_version_id, CANDIDATE),
    ]
    ledger.put(KIND, record, rollout, parents=parents)
    ledger.move(
        f"{KIND}/{rollout.deployment}",
        record,
        expect=pointer.target if pointer else None,
        by=rollout.by,
        why=rollout.why,
    )
    if rollout.phase == "aborted":
        return_to(rollout.before, now=before, ledger=ledger, by=rollout.by, why=rollout.why)
    else:
        state = _state(rollout, before, ledger, targets)
        if state.desired != before.desired or rollout.ended:
            commit_state(state, before=before, ledger=ledger)
    body = {"rollout": rollout.id, "record": record, "by": rollout.by, **facts}
    plain = msgspec.to_builtins(body)
    ledger.event(f"rollout.{rollout.phase}", pointer_of(rollout.deployment), plain)


def _state(
    rollout: Rollout, before: DeploymentState, ledger: Ledger, targets: Sequence[Target] | None
) -> DeploymentState:
    kept = _kept(rollout, before.desired.targets if targets is None else targets)
    variants = _variants(rollout, kept)
    desired = msgspec.structs.replace(
        before.desired,
        variants=variants,
        buckets=deal(variants, before.desired),
        targets=check_targets(kept, variants),
    )
    return DeploymentState(
        id=ledger.new_id(),
        desired=desired,
        previous=rollout.before,
        rollout=None if rollout.ended else rollout.id,
        tag=before.tag,
        at_us=rollout.step_started_at_us,
        by=rollout.by,
        why=rollout.why,
    )


def _kept(rollout: Rollout, targets: Sequence[Target]) -> Sequence[Target]:
    """Return the targets of a step; a promoted candidate is the live version from then on."""
    if rollout.phase != "promoted":
        return targets
    moved = [
        msgspec.structs.replace(each, variant=LIVE) if each.variant == CANDIDATE else each
        for each in targets
    ]
    return moved if any(each.variant != LIVE for each in moved) else []


def _variants(rollout: Rollout, targets: Sequence[Target]) -> list[PlannedVariant]:
    """Return the variants of a step; the current version stays loaded to the end."""
    if rollout.phase == "promoted":
        live = msgspec.structs.replace(rollout.candidate, name=LIVE, weight=1.0)
        return [live, *rollout.beside]
    shares = rollout.shares
    if any(each.variant == LIVE for each in targets):
        shares = {LIVE: 0.0, **shares}
    of = {CANDIDATE: rollout.candidate}
    variants = [
        msgspec.structs.replace(of.get(name, rollout.current), name=name, weight=weight)
        for name, weight in shares.items()
    ]
    return [*variants, *rollout.beside]


def _state_under(rollout: Rollout, ledger: Ledger) -> DeploymentState:
    state = get_deployment(rollout.deployment, ledger=ledger)
    if state.rollout == rollout.id and find_rollout(rollout.deployment, ledger=ledger) == rollout:
        return state
    raise ConflictError(
        "TD-DEPLOY-006",
        f"the rollout of '{rollout.deployment}' to version {rollout.candidate.version} has moved"
        " since it was read",
        expected="the rollout as it is in the ledger",
        fix="Read it again, measure again, decide again.",
        deployment=rollout.deployment,
    )


def check_startable(before: DeploymentState, candidate: Version) -> None:
    """Refuse a rollout that could not be: TD-DEPLOY-003, TD-DEPLOY-004, TD-DEPLOY-010."""
    if before.rollout is not None:
        raise rollout_runs(before.name)
    answering = [each for each in before.desired.variants if each.weight > 0]
    if len(answering) > 1 or before.main.model_version_id == candidate.id:
        shares = show_shares(before.desired.variants)
        raise ConflictError(
            "TD-DEPLOY-004",
            f"version {candidate.number} cannot be tried in '{before.name}' beside {shares}",
            expected="one version that has the whole traffic, and another one to try",
            fix="Give the traffic to one version first, or choose another candidate.",
            deployment=before.name,
        )
    if before.desired.log_mode == "off":
        raise ConflictError(
            "TD-DEPLOY-010",
            f"deployment '{before.name}' logs no prediction, so a rollout could measure nothing",
            expected="log_mode written, synced or sampled",
            fix="Deploy with another log_mode, or deploy the version at once.",
            deployment=before.name,
        )
