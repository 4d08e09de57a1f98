"""A rollout in the ledger: start it, apply what was decided, abort it.

Each change is one transaction: the rollout's new value, the deployment's new state, both pointers
and an event that carries who, when, why and the measurements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import ConflictError
from tondo.stages.deployment.deploy import (
    commit_state,
    get_deployment,
    return_to,
    rollout_runs,
)
from tondo.stages.deployment.guards import Guards
from tondo.stages.deployment.rollout import Rollout, Step, check_steps
from tondo.stages.deployment.state import (
    CANDIDATE,
    LIVE,
    DeploymentState,
    pointer_of,
    variant_of,
)

if TYPE_CHECKING:
    from tondo.ledger.ledger import Ledger
    from tondo.ports.clock import Clock
    from tondo.stages.deployment.measure import Measurements
    from tondo.stages.deployment.state import Version

KIND = "rollout"
"""The record kind of one value of a Rollout; the pointer `rollout/<deployment>` says the last."""


class Pace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How fast a rollout goes, and what may stop it."""

    steps: tuple[float, ...] = (0.5,)
    """Shares of the candidate, growing; after the last comes the whole traffic."""
    min_seconds: float = 3 * 86_400
    """Seconds that each step lasts at least; three days, so that it sees more than one weekday."""
    min_answers: int = 2_000
    """Answers that each arm gives at least in each step; 2,000 see a shift of 0.12 sd."""
    guards: Guards = Guards()


def start_rollout(
    name: str,
    candidate: Version,
    *,
    ledger: Ledger,
    clock: Clock,
    by: str,
    why: str,
    pace: Pace | None = None,
) -> Rollout:
    """Let a candidate answer its first share of a deployment's traffic.

    Raises TD-DEPLOY-003 while another rollout runs, TD-DEPLOY-004 when the candidate answers
    already or several variants share the traffic, TD-DEPLOY-005 for steps that do not grow.
    Publish the plan afterwards.
    """
    chosen = pace or Pace()
    steps = check_steps(tuple(chosen.steps))
    with ledger.transaction():
        before = get_deployment(name, ledger=ledger)
        _check_startable(before, candidate)
        now = clock.now_us()
        rollout = Rollout(
            id=ledger.new_id(),
            deployment=name,
            current=before.main,
            candidate=variant_of(candidate, name=CANDIDATE, weight=steps[0]),
            before=before.id,
            steps=steps,
            guards=chosen.guards,
            min_seconds=chosen.min_seconds,
            min_answers=chosen.min_answers,
            step_started_at_us=now,
            started_at_us=now,
            by=by,
            why=why,
        )
        _commit(rollout, before, {"why": why}, ledger)
    return rollout


def find_rollout(name: str, *, ledger: Ledger) -> Rollout | None:
    """Return the last rollout of a deployment as it is now, or None."""
    pointer = ledger.pointer(f"{KIND}/{name}")
    return ledger.read(KIND, pointer.target, Rollout) if pointer else None


def running_rollout(name: str, *, ledger: Ledger) -> Rollout | None:
    """Return the rollout that is running, or None."""
    found = find_rollout(name, ledger=ledger)
    return found if found is not None and found.phase == "running" else None


def apply_step(
    rollout: Rollout,
    step: Step,
    *,
    measured: Measurements,
    ledger: Ledger,
    clock: Clock,
    by: str,
) -> Rollout:
    """Carry out what `next_step` decided; `wait` writes nothing.

    Raises TD-DEPLOY-006 when somebody else moved or ended the rollout since it was read.
    """
    if step.action == "wait":
        return rollout
    now = clock.now_us()
    if step.action == "abort":
        changed = msgspec.structs.replace(rollout, phase="aborted")
    elif step.share >= 1.0:
        changed = msgspec.structs.replace(rollout, phase="promoted")
    else:
        changed = msgspec.structs.replace(rollout, step=rollout.step + 1)
    changed = msgspec.structs.replace(
        changed, step_started_at_us=now, conditions=step.conditions, by=by, why=step.reason
    )
    facts = {"why": step.reason, "measured": measured, "conditions": step.conditions}
    with ledger.transaction():
        before = _state_under(rollout, ledger)
        _commit(changed, before, facts, ledger)
    return changed


def close_rollout(rollout: Rollout, *, ledger: Ledger, clock: Clock, by: str, why: str) -> Rollout:
    """Abort a running rollout by hand; the version before it gets its traffic back."""
    changed = msgspec.structs.replace(
        rollout, phase="aborted", step_started_at_us=clock.now_us(), by=by, why=why
    )
    with ledger.transaction():
        _commit(changed, _state_under(rollout, ledger), {"why": why}, ledger)
    return changed


def _commit(
    rollout: Rollout, before: DeploymentState, facts: dict[str, Any], ledger: Ledger
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
        commit_state(_state(rollout, before, ledger), before=before, ledger=ledger)
    body = {"rollout": rollout.id, "record": record, "by": rollout.by, **facts}
    plain = msgspec.to_builtins(body)
    ledger.event(f"rollout.{rollout.phase}", pointer_of(rollout.deployment), plain)


def _state(rollout: Rollout, before: DeploymentState, ledger: Ledger) -> DeploymentState:
    share = rollout.desired
    if rollout.phase == "promoted":
        variants = [msgspec.structs.replace(rollout.candidate, name=LIVE, weight=1.0)]
    else:
        variants = [
            msgspec.structs.replace(rollout.current, weight=1.0 - share),
            msgspec.structs.replace(rollout.candidate, weight=share),
        ]
    return DeploymentState(
        id=ledger.new_id(),
        desired=msgspec.structs.replace(before.desired, variants=variants),
        previous=rollout.before,
        rollout=rollout.id if rollout.phase == "running" else None,
        tag=before.tag,
        at_us=rollout.step_started_at_us,
        by=rollout.by,
        why=rollout.why,
    )


def _state_under(rollout: Rollout, ledger: Ledger) -> DeploymentState:
    state = get_deployment(rollout.deployment, ledger=ledger)
    if state.rollout == rollout.id and find_rollout(rollout.deployment, ledger=ledger) == rollout:
        return state
    raise ConflictError(
        "TD-DEPLOY-006",
        f"{rollout!r} is not what holds any more",
        expected="the rollout as it is in the ledger",
        fix="Read it again, measure again, decide again.",
        deployment=rollout.deployment,
    )


def _check_startable(before: DeploymentState, candidate: Version) -> None:
    if before.rollout is not None:
        raise rollout_runs(before.name)
    if len(before.desired.variants) > 1 or before.main.model_version_id == candidate.id:
        raise ConflictError(
            "TD-DEPLOY-004",
            f"version {candidate.number} cannot be tried beside {before!r}",
            expected="one version that has the whole traffic, and another one to try",
            fix="Give the traffic to one version first, or choose another candidate.",
            deployment=before.name,
        )
