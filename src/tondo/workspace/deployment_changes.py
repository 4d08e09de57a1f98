"""What a deployment's definition says otherwise than what holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.stages.deployment.deploy import Settings, get_deployment
from tondo.stages.deployment.state import CANDIDATE, LIVE
from tondo.stages.deployment.targets import show_target
from tondo.workspace.deployment_definition import settings_of
from tondo.workspace.targeting import targeted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tondo.scoring.plan import PlannedVariant, Target
    from tondo.stages.deployment.state import DeploymentState
    from tondo.workspace.bootstrap import Parts


class DefinitionChange(msgspec.Struct, frozen=True, kw_only=True):
    """One setting that is defined otherwise than it holds."""

    setting: str
    now: str
    """What holds; empty for nothing."""
    defined: str


def definition_changes(parts: Parts, deployment: str) -> list[DefinitionChange]:
    """Return what deploying anew, by the definition as it is now, would change.

    :raises NotFoundError: TD-DEPLOY-001 when nothing was deployed under the name.
    :raises DefinitionError: TD-PROJECT-005, TD-DEPLOY-009 for a definition that would be refused.
    """
    state = get_deployment(deployment, ledger=parts.ledger)
    defined = settings_of(parts, deployment, staging=state.desired.purpose == "staging")
    if defined is None:
        return []
    if defined.isolate is None and defined.memory_mb is None:
        place = {"isolate": state.desired.isolate, "memory_mb": state.desired.memory_mb}
        defined = msgspec.structs.replace(defined, **place)
    now, wanted = _holding(state), _settings(defined, salt=deployment, tag=defined.follows)
    now["targets"] = _shown(state.desired.targets, state.desired.variants)
    wanted["targets"] = _defined_targets(parts, state)
    return [
        DefinitionChange(setting=name, now=now[name], defined=wanted[name])
        for name in now
        if now[name] != wanted[name]
    ]


def _holding(state: DeploymentState) -> dict[str, str]:
    desired = state.desired
    held = Settings(
        sticky=desired.sticky,
        as_of=desired.as_of,
        log_mode=desired.log_mode,
        sample_rate=desired.sample_rate,
        staging=desired.purpose == "staging",
        isolate=desired.isolate,
        memory_mb=desired.memory_mb,
    )
    return _settings(held, salt=desired.salt, tag=state.tag)


def _settings(settings: Settings, *, salt: str, tag: str | None) -> dict[str, str]:
    named = msgspec.structs.replace(settings, salt=settings.salt or salt, tag=tag)
    return {name: _text(value) for name, value in msgspec.to_builtins(named).items()}


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _defined_targets(parts: Parts, state: DeploymentState) -> str:
    sharing = [each for each in state.desired.variants if each.weight > 0]
    live = None
    if state.rollout is not None:
        sharing, live = [each for each in sharing if each.name == CANDIDATE], LIVE
    found = targeted(parts, state.name, sharing, live=live)
    return _shown(found.targets, [*sharing, *found.beside])


def _shown(targets: Iterable[Target], variants: Iterable[PlannedVariant]) -> str:
    known = list(variants)
    return " ".join(show_target(each, known) for each in targets)
