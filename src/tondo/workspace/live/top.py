"""What `tondo top` shows: rates beside the shares that are desired, scorers, rollouts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.stages.deployment.deploy import deployments
from tondo.stages.deployment.publish import last_plan
from tondo.workspace.live.conditions import standing
from tondo.workspace.live.values import ALL_VARIANTS, ScorerState, VariantRate

if TYPE_CHECKING:
    from tondo.stages.deployment.state import DeploymentState
    from tondo.workspace.bootstrap import Parts
    from tondo.workspace.live.values import LiveView
    from tondo.workspace.verbs.rollouts import RolloutVerbs


class TopRow(msgspec.Struct, frozen=True, kw_only=True):
    """One variant of a deployment, or requests that none or several answered."""

    deployment: str
    variant: str
    """Empty for requests that reached none, `*` for all of an isolated deployment."""
    version: int | None
    share: float | None
    """Share of the traffic that it shall have, 0 to 1; None for what is no variant now."""
    rate: VariantRate


class TopRollout(msgspec.Struct, frozen=True, kw_only=True):
    """A rollout that is under way."""

    deployment: str
    current: int
    candidate: int | None
    share: float
    phase: str
    met: int
    conditions: int
    reason: str
    """What it waits for, in one sentence."""


class TopView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that runs, at one look."""

    project: str
    at_us: int
    plan: int | None
    """Number of the last plan that was committed."""
    scorers: list[ScorerState]
    rows: list[TopRow]
    rollouts: list[TopRollout]


def top_view(parts: Parts, rollouts: RolloutVerbs, view: LiveView) -> TopView:
    """Return a look with what is desired beside it."""
    states = deployments(ledger=parts.ledger)
    plan = last_plan(ledger=parts.ledger, blobs=parts.blobs)
    return TopView(
        project=parts.project.name,
        at_us=view.at_us,
        plan=None if plan is None else plan.number,
        scorers=view.scorers,
        rows=[row for state in states for row in _rows(state, view.rates)],
        rollouts=[_rollout(rollouts, state.name) for state in states if state.rollout is not None],
    )


def _rows(state: DeploymentState, rates: list[VariantRate]) -> list[TopRow]:
    """Return a deployment's variants in their order, then what else was asked of it.

    Before them stands the whole of one that is isolated, which its variants are part of.
    """
    mine = {each.variant: each for each in rates if each.deployment == state.name}
    whole = mine.pop(ALL_VARIANTS, VariantRate(deployment=state.name, variant=ALL_VARIANTS))
    first = [_whole(state, whole)] if state.desired.isolate == "process" else []
    rows = [
        TopRow(
            deployment=state.name,
            variant=each.name,
            version=each.version,
            share=each.weight,
            rate=mine.pop(each.name, VariantRate(deployment=state.name, variant=each.name)),
        )
        for each in state.desired.variants
    ]
    others = [
        TopRow(deployment=state.name, variant=name, version=None, share=None, rate=rate)
        for name, rate in mine.items()
        if rate.requests_s or rate.shed_s
    ]
    return first + rows + others


def _whole(state: DeploymentState, rate: VariantRate) -> TopRow:
    return TopRow(deployment=state.name, variant=ALL_VARIANTS, version=None, share=None, rate=rate)


def _rollout(rollouts: RolloutVerbs, name: str) -> TopRollout:
    status = rollouts.status(name)
    return TopRollout(
        deployment=name,
        current=status.current,
        candidate=status.candidate,
        share=status.share,
        phase=status.phase or "",
        met=sum(each.status == "met" for each in status.conditions),
        conditions=len(status.conditions),
        reason=standing(status),
    )
