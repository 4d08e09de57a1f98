"""The verbs on a deployment: deploy a version, split the traffic, read the state."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from tondo.core.errors import CallerError, ConflictError, DefinitionError, NotFoundError, near
from tondo.core.names import check_name
from tondo.scoring.plan import LogMode, PlannedDeployment
from tondo.stages.deployment.buckets import deal
from tondo.stages.deployment.state import (
    KIND,
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
    from tondo.scoring.plan import PlannedVariant
    from tondo.stages.deployment.state import Version


_LEAST_MB = 128
"""A scorer without any model takes some 90 MB."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a deployment answers, whatever version does."""

    sticky: str | None = None
    """Request column whose value picks the variant; the prediction id when None."""
    salt: str | None = None
    """Deals the keys; the deployment's name when None."""
    as_of: Literal["server", "caller"] = "server"
    log_mode: LogMode = "written"
    sample_rate: float = 0.1
    tag: str | None = LIVE
    """Tag that follows the version that answers; None leaves tags alone."""
    staging: bool = False
    """For trying versions: no tag follows, and live metrics do not count its predictions."""
    isolate: Literal["none", "process"] | None = None
    """`process`: its models run in a process of their own; None leaves that as it is."""
    memory_mb: int | None = None
    """The most that this process may take, None for no limit."""

    @property
    def follows(self) -> str | None:
        """The tag that follows the version that answers, if any."""
        return None if self.staging else self.tag


def deploy(
    name: str,
    version: Version,
    *,
    ledger: Ledger,
    clock: Clock,
    by: str,
    why: str,
    settings: Settings | None = None,
    targeted: Targeted = NO_TARGETS,
) -> DeploymentState:
    """Give the whole traffic of a deployment to one version, at once, but what is `targeted`.

    Without `settings` the present ones are kept. The same version again changes nothing. A
    running rollout must end first (TD-DEPLOY-003). Publish the plan afterwards.
    """
    return split(
        name,
        [variant_of(version)],
        ledger=ledger,
        clock=clock,
        by=by,
        why=why,
        settings=settings,
        targeted=targeted,
    )


def split(
    name: str,
    variants: Sequence[PlannedVariant],
    *,
    ledger: Ledger,
    clock: Clock,
    by: str,
    why: str,
    settings: Settings | None = None,
    targeted: Targeted = NO_TARGETS,
) -> DeploymentState:
    """Share the traffic of a deployment among variants whose weights sum to 1 (TD-DEPLOY-007).

    Targets beat the weights; each leads to one of the variants, or one beside them
    (TD-DEPLOY-009). As few keys move to another variant as the change of weights demands.
    """
    check_name(name, "deployment")
    variants = [*variants, *targeted.beside]
    _check_weights(variants)
    with ledger.transaction():
        before = find_deployment(name, ledger=ledger)
        if before is not None and before.rollout is not None:
            raise rollout_runs(name)
        _check_purpose(name, settings, before)
        desired = msgspec.structs.replace(
            _desired(name, variants, settings, before),
            buckets=deal(variants, before.desired if before else None),
            targets=check_targets(targeted.targets, variants),
        )
        tag = settings.follows if settings else before.tag if before else LIVE
        if before is not None and before.desired == desired and before.tag == tag:
            return before
        state = DeploymentState(
            id=ledger.new_id(),
            desired=desired,
            previous=before.id if before else None,
            tag=tag,
            at_us=clock.now_us(),
            by=by,
            why=why,
        )
        commit_state(state, before=before, ledger=ledger)
    return state


def get_deployment(name: str, *, ledger: Ledger) -> DeploymentState:
    """Return the state that holds; TD-DEPLOY-001 with near names when there is none."""
    found = find_deployment(name, ledger=ledger)
    if found is None:
        known = [each.name.removeprefix(f"{KIND}/") for each in ledger.pointers(f"{KIND}/")]
        raise NotFoundError(
            "TD-DEPLOY-001", f"no deployment '{name}'", fix=near(name, known), deployment=name
        )
    return found


def find_deployment(name: str, *, ledger: Ledger) -> DeploymentState | None:
    """Return the state that holds, or None."""
    pointer = ledger.pointer(pointer_of(name))
    return read_state(pointer.target, ledger=ledger) if pointer else None


def read_state(state_id: str, *, ledger: Ledger) -> DeploymentState:
    """Return a state by its id."""
    return ledger.read(KIND, state_id, DeploymentState)


def deployments(*, ledger: Ledger) -> list[DeploymentState]:
    """Return the state of every deployment, by name."""
    pointers = sorted(ledger.pointers(f"{KIND}/"), key=lambda each: each.name)
    return [read_state(each.target, ledger=ledger) for each in pointers]


def commit_state(state: DeploymentState, *, before: DeploymentState | None, ledger: Ledger) -> None:
    """Write a state, point at it, move its tag and tell; the caller holds the transaction."""
    parents = [
        ("model_version", each.model_version_id, each.name) for each in state.desired.variants
    ]
    ledger.put(KIND, state.id, state, parents=parents)
    ledger.move(
        pointer_of(state.name),
        state.id,
        expect=before.id if before else None,
        by=state.by,
        why=state.why,
    )
    _tell(state, before, "deployed", ledger, by=state.by, why=state.why)


def return_to(
    state_id: str, *, now: DeploymentState, ledger: Ledger, by: str, why: str
) -> DeploymentState:
    """Point at an earlier state again, move its tag and tell; the caller holds the transaction."""
    back = read_state(state_id, ledger=ledger)
    ledger.move(pointer_of(now.name), back.id, expect=now.id, by=by, why=why)
    _tell(back, now, "rolled_back", ledger, by=by, why=why)
    return back


def _tell(
    state: DeploymentState,
    before: DeploymentState | None,
    kind: str,
    ledger: Ledger,
    *,
    by: str,
    why: str,
) -> None:
    if state.tag is not None and state.rollout is None:
        _move_tag(state.main, state.tag, ledger, by=by, why=why)
    body = {
        "state": state.id,
        "before": before.id if before else None,
        "shares": show_shares(state.desired.variants),
        "by": by,
        "why": why,
    }
    ledger.event(f"deployment.{kind}", pointer_of(state.name), body)


def _move_tag(main: PlannedVariant, tag: str, ledger: Ledger, *, by: str, why: str) -> None:
    name = f"model/{main.model}@{tag}"
    pointer = ledger.pointer(name)
    present = pointer.target if pointer else None
    if present != main.model_version_id:
        ledger.move(name, main.model_version_id, expect=present, by=by, why=why)


def _desired(
    name: str,
    variants: Sequence[PlannedVariant],
    settings: Settings | None,
    before: DeploymentState | None,
) -> PlannedDeployment:
    if settings is None and before is not None:
        return msgspec.structs.replace(before.desired, variants=list(variants))
    chosen = settings or Settings()
    return PlannedDeployment(
        name=name,
        variants=list(variants),
        salt=name if chosen.salt is None else chosen.salt,
        sticky=chosen.sticky,
        as_of=chosen.as_of,
        purpose="staging" if chosen.staging else "live",
        log_mode=chosen.log_mode,
        sample_rate=chosen.sample_rate,
        **_place(name, chosen, before),
    )


def _place(name: str, chosen: Settings, before: DeploymentState | None) -> dict[str, Any]:
    """Return where the models run: as was chosen, else as before."""
    if chosen.isolate is None and chosen.memory_mb is None and before is not None:
        return {"isolate": before.desired.isolate, "memory_mb": before.desired.memory_mb}
    isolate = chosen.isolate or "none"
    check_limit(name, chosen.memory_mb, process=isolate == "process")
    return {"isolate": isolate, "memory_mb": chosen.memory_mb}


def check_limit(name: str, memory_mb: int | None, *, process: bool) -> None:
    """Refuse (TD-DEPLOY-030) a limit too little for any model, or given for no process."""
    if memory_mb is not None and (not process or memory_mb < _LEAST_MB):
        raise CallerError(
            "TD-DEPLOY-030",
            f"a memory limit of {memory_mb} MB cannot be kept",
            expected=f"at least {_LEAST_MB} MB, for models in a process of their own",
            fix="Leave the limit out, or choose a larger one.",
            deployment=name,
        )


def _check_purpose(name: str, settings: Settings | None, before: DeploymentState | None) -> None:
    if settings is None or before is None:
        return
    if settings.staging != (before.desired.purpose == "staging"):
        raise ConflictError(
            "TD-DEPLOY-020",
            f"the deployment '{name}' is {before.desired.purpose}, and stays so",
            expected="another name for a deployment of another purpose",
            fix="Callers of a live deployment must never be answered by one for trying versions.",
            deployment=name,
        )


def _check_weights(variants: Sequence[PlannedVariant]) -> None:
    total = math.fsum(each.weight for each in variants)
    names = {each.name for each in variants}
    fair = all(each.weight >= 0 for each in variants) and len(names) == len(variants)
    if fair and math.isclose(total, 1.0, abs_tol=1e-9):
        return
    raise DefinitionError(
        "TD-DEPLOY-007",
        f"the variants {show_shares(variants) or '(none)'} do not share the traffic",
        expected="weights of at least 0 that sum to 1, and different names",
        fix="Write for example 0.9 and 0.1.",
        total=total,
    )


def rollout_runs(name: str) -> ConflictError:
    """Build the error TD-DEPLOY-003."""
    return ConflictError(
        "TD-DEPLOY-003",
        f"a rollout of deployment '{name}' is running",
        expected="no rollout while the deployment is changed otherwise",
        fix="Wait for its end, or abort it.",
        deployment=name,
    )
