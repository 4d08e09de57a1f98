"""The desired state of a deployment, as a value that never changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from tondo.scoring.plan import PlannedDeployment, PlannedVariant

if TYPE_CHECKING:
    from collections.abc import Sequence

KIND = "deployment"
"""The record kind of a DeploymentState."""

LIVE = "live"
"""Name of the variant that answers when no rollout runs, and the tag its version carries."""

CANDIDATE = "candidate"
"""Name of the variant that a rollout tries."""


BASELINE = "baseline"
"""Name of the variant that a candidate is compared with: the current version again, with as much
traffic as the candidate and since the same instant."""


class Version(Protocol):
    """What a deployment needs of a registered model version."""

    @property
    def name(self) -> str:
        """The model's name."""
        ...

    @property
    def number(self) -> int:
        """The version's number, from 1."""
        ...

    @property
    def id(self) -> str:
        """The version's id."""
        ...

    @property
    def package(self) -> str:
        """Digest of the sealed package."""
        ...


class DeploymentState(msgspec.Struct, frozen=True, kw_only=True):
    """One desired state of one deployment; the pointer `deployment/<name>` says which holds."""

    id: str
    desired: PlannedDeployment
    """What shall be served; tags are filled in when the plan is published."""
    previous: str | None = None
    """The state that a rollback returns to; None for the first."""
    rollout: str | None = None
    """Id of the rollout that this state is a step of."""
    tag: str | None = LIVE
    """Tag that follows the version that answers; None leaves tags alone."""
    at_us: int
    by: str
    why: str

    @property
    def name(self) -> str:
        """The deployment's name."""
        return self.desired.name

    @property
    def main(self) -> PlannedVariant:
        """The variant that answered before any rollout began: the first."""
        return self.desired.variants[0]

    def __repr__(self) -> str:
        """Name and shares, for example `DeploymentState(late: v3 50 %, v4 50 %)`."""
        return f"DeploymentState({self.name}: {show_shares(self.desired.variants)})"


def show_shares(variants: Sequence[PlannedVariant]) -> str:
    """Return the versions of variants with their shares.

    >>> a = PlannedVariant(name="live", weight=0.5, model="late", version=3,
    ...     model_version_id="x", package="0")
    >>> show_shares([a])
    'v3 50 %'
    """
    weights: dict[int, float] = {}
    for each in variants:
        weights[each.version] = weights.get(each.version, 0.0) + each.weight
    return ", ".join(f"v{version} {weight * 100:g} %" for version, weight in weights.items())


def pointer_of(name: str) -> str:
    """Return the name of a deployment's pointer.

    >>> pointer_of("late_arrival")
    'deployment/late_arrival'
    """
    return f"{KIND}/{name}"


def variant_of(version: Version, *, name: str = LIVE, weight: float = 1.0) -> PlannedVariant:
    """Return a registered version as a variant; its tags are filled in by the plan."""
    return PlannedVariant(
        name=name,
        weight=weight,
        model=version.name,
        version=version.number,
        model_version_id=version.id,
        package=version.package,
    )
