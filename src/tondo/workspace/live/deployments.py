"""What the pages of deployments show: who answers, what is tried, what happened and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.stages.deployment.deploy import deployments, get_deployment
from tondo.stages.deployment.publish import last_plan
from tondo.stages.deployment.rollout import Rollout
from tondo.stages.deployment.rollout_records import running_rollout
from tondo.stages.deployment.state import pointer_of
from tondo.stages.deployment.status import DeploymentStatus
from tondo.stages.deployment.targets import show_target
from tondo.workspace.control import accepted_interval
from tondo.workspace.live.streams import StreamRow, stream_rows
from tondo.workspace.verbs.registry import RegistryVerbs

if TYPE_CHECKING:
    from tondo.ledger import Event
    from tondo.scoring.plan import PlannedDeployment, PlannedVariant
    from tondo.stages.deployment.state import DeploymentState
    from tondo.workspace.bootstrap import Parts
    from tondo.workspace.verbs.rollouts import RolloutVerbs

SHOWN_EVENTS = 40
"""Events of a deployment's history on its page: a year of monthly rollouts."""

_ONE_CHANGE_US = 1_000_000
"""A rollout's step and the state that it led to are told within the same transaction."""

_WORDS = {
    "deployment.deployed": "deployed",
    "deployment.rolled_back": "rolled back",
    "rollout.running": "rollout moved",
    "rollout.paused": "rollout paused",
    "rollout.promoted": "rollout promoted",
    "rollout.aborted": "rollout aborted",
}


class VariantRow(msgspec.Struct, frozen=True, kw_only=True):
    """One version that answers under a deployment."""

    name: str
    model: str
    version: int
    version_id: str
    weight: float
    """Share of the traffic, 0 to 1."""
    tags: list[str]
    registered_at_us: int | None
    algorithm: str
    auc: float | None
    """Of the report that the gate accepted."""


class HistoryRow(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a deployment."""

    at_us: int
    what: str
    shares: str
    """Versions with their shares afterwards; empty where the event does not tell."""
    by: str
    why: str


class DeploymentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment in the list."""

    name: str
    description: str
    owner: str
    variants: list[VariantRow]
    since_us: int
    by: str
    why: str
    purpose: str
    """`live`, or `staging` for trying versions."""
    rollout: Rollout | None
    """The rollout that is under way."""


class DeploymentPage(msgspec.Struct, frozen=True, kw_only=True):
    """One deployment."""

    project: str
    deployment: DeploymentRow
    facts: dict[str, Any]
    """How it answers: what picks the variant, what is logged, whose instant counts."""
    isolated: bool
    """Whether its models run in a process of their own; live figures are then of the whole too."""
    plan: int | None
    """Number of the last plan that was committed."""
    status: DeploymentStatus
    last: Rollout | None
    """The last rollout, under way or ended."""
    versions: list[int]
    """Numbers of the model's versions, the newest first."""
    history: list[HistoryRow]
    """The newest first."""
    streams: list[StreamRow]
    """Streams whose events it scores, in a process that no scorer knows."""


def deployment_rows(parts: Parts) -> list[DeploymentRow]:
    """Return every deployment, by name."""
    return [_row(parts, each) for each in deployments(ledger=parts.ledger)]


def deployment_page(parts: Parts, name: str, *, rollouts: RolloutVerbs) -> DeploymentPage:
    """Return one deployment; TD-DEPLOY-001 with near names when there is none."""
    state = get_deployment(name, ledger=parts.ledger)
    desired = state.desired
    isolated = desired.isolate == "process"
    plan = last_plan(ledger=parts.ledger, blobs=parts.blobs)
    told = rollouts.history(name)
    known = RegistryVerbs(parts).versions(state.main.model)
    return DeploymentPage(
        project=parts.project.name,
        deployment=_row(parts, state),
        facts={
            "variant picked by": desired.sticky or "prediction id",
            "features as of": desired.as_of,
            "log mode": desired.log_mode,
            "purpose": desired.purpose,
            "tag": state.tag or "none",
            **({"runs in": "a process of its own"} if isolated else {}),
            **_targets(desired),
        },
        isolated=isolated,
        plan=None if plan is None else plan.number,
        status=rollouts.status(name),
        last=told[0] if told else None,
        versions=sorted((each.number for each in known), reverse=True),
        history=_history(parts, name),
        streams=stream_rows(parts, name),
    )


def _targets(desired: PlannedDeployment) -> dict[str, str]:
    shown = [show_target(each, desired.variants) for each in desired.targets]
    return {"targets": ", ".join(shown)} if shown else {}


def _row(parts: Parts, state: DeploymentState) -> DeploymentRow:
    defined = parts.project.of("deployment").get(state.name)
    body = {} if defined is None else defined.body
    return DeploymentRow(
        name=state.name,
        description=str(body.get("description", "")),
        owner=str(body.get("owner", "")),
        variants=[_variant(parts, each) for each in state.desired.variants],
        since_us=state.at_us,
        by=state.by,
        why=state.why,
        purpose=state.desired.purpose,
        rollout=running_rollout(state.name, ledger=parts.ledger),
    )


def _variant(parts: Parts, variant: PlannedVariant) -> VariantRow:
    version = RegistryVerbs(parts).version(variant.model, variant.model_version_id)
    accepted = accepted_interval(parts, version)
    return VariantRow(
        name=variant.name,
        model=variant.model,
        version=variant.version,
        version_id=version.id,
        weight=variant.weight,
        tags=_tags(parts, variant),
        registered_at_us=version.registered_at_us,
        algorithm=_algorithm(parts, version.run),
        auc=None if accepted is None else accepted.value,
    )


def _tags(parts: Parts, variant: PlannedVariant) -> list[str]:
    from tondo.stages.registry.resolve import tags

    found = tags(variant.model, ledger=parts.ledger).items()
    return [tag for tag, target in found if target == variant.model_version_id]


def _algorithm(parts: Parts, run: str) -> str:
    found = parts.ledger.find("run", run)
    return "" if found is None else str(found.body.get("algorithm", ""))


def _history(parts: Parts, name: str) -> list[HistoryRow]:
    """Return the newest changes; what a rollout did to the shares is told with the rollout."""
    told: list[Event] = []
    for kind in _WORDS:
        told += parts.ledger.events(
            kind=kind, subject=pointer_of(name), newest_first=True, limit=SHOWN_EVENTS
        )
    told.sort(key=lambda each: -each.sequence)
    rows: list[HistoryRow] = []
    for event in told:
        row = _told(event)
        last = rows[-1] if rows else None
        if last is not None and last.why == row.why and last.at_us - row.at_us < _ONE_CHANGE_US:
            rollout = last if last.what.startswith("rollout") else row
            shares = last.shares or row.shares
            rows[-1] = msgspec.structs.replace(rollout, shares=shares)
        else:
            rows.append(row)
    return rows[:SHOWN_EVENTS]


def _told(event: Event) -> HistoryRow:
    body = event.body
    return HistoryRow(
        at_us=event.created_at_us,
        what=_what(event),
        shares=str(body.get("shares", "")),
        by=str(body.get("by", "")),
        why=str(body.get("why", "")),
    )


def _what(event: Event) -> str:
    """Return a change in words; a rollout that runs was begun, moved on, or resumed by hand."""
    if event.kind != "rollout.running" or "conditions" in event.body:
        return _WORDS[event.kind]
    return "rollout resumed" if "measured" in event.body else "rollout started"
