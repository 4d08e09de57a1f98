"""What a project says of a deployment: settings, pace of rollouts, targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import DefinitionError
from tondo.stages.deployment.deploy import Settings
from tondo.stages.deployment.pace import STEPS, Pace
from tondo.stages.deployment.targets import DefinedTarget  # noqa: TC001 - decoded into
from tondo.workspace.definitions import read_body

if TYPE_CHECKING:
    from tondo.workspace.bootstrap import Parts


class DeploymentDefinition(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A document `deployment: NAME`."""

    deployment: str
    model: str = ""
    owner: str = ""
    description: str = ""
    label_horizon: Any = None
    """How long an outcome is waited for; monitoring reads it."""
    rollout: Pace = Pace()
    targets: tuple[DefinedTarget, ...] = ()

    @property
    def settings(self) -> Settings:
        """How it answers, whatever version does."""
        names = [each.name for each in msgspec.structs.fields(Settings)]
        return Settings(**{name: getattr(self, name) for name in names})


def definition_of(parts: Parts, deployment: str) -> tuple[DeploymentDefinition, str] | None:
    """Return a deployment's definition and its place, None where it has none.

    :raises DefinitionError: TD-PROJECT-005 names the place of a key that does not fit.
    """
    found = parts.project.of("deployment").get(deployment)
    if found is None:
        return None
    place = str(found.place)
    return read_body(found.body, DeploymentDefinition, place=place), place


def settings_of(parts: Parts, deployment: str, *, staging: bool = False) -> Settings | None:
    """Return how the project defines that a deployment answers, None where it does not.

    One for `staging` that is not defined lets callers give `as_of`.
    """
    found = definition_of(parts, deployment)
    if found is None:
        return Settings(staging=True, as_of="caller") if staging else None
    settings = found[0].settings
    return msgspec.structs.replace(settings, staging=True) if staging else settings


def pace_of(parts: Parts, deployment: str, kind: str | None) -> Pace:
    """Return how fast the project wants rollouts, `rollout:`; its guards with another kind's steps.

    :raises DefinitionError: TD-DEPLOY-013 for a kind that there is not.
    """
    found = definition_of(parts, deployment)
    pace = Pace() if found is None else found[0].rollout
    if kind is None or kind == pace.kind:
        return pace
    known = [each for each in STEPS if each == kind]
    if not known:
        raise DefinitionError(
            "TD-DEPLOY-013",
            f"no rollout is of kind '{kind}'",
            expected=f"one of {', '.join(STEPS)}",
            kind=kind,
        )
    return msgspec.structs.replace(pace, kind=known[0], steps=(), min_seconds=None)
