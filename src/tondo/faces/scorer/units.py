"""Units of loading: what is loaded together, and dropped together.

A deployment's variants answer the same callers and are one unit; each of its further versions,
which are reached by number, id or tag only, is one of its own. So a version that nobody asks for
takes no memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.core.errors import TondoError
    from tondo.faces.scorer.route import Route
    from tondo.scoring.path import ScoringPath
    from tondo.scoring.plan import PlannedDeployment, PlannedVariant, ServingPlan

Key = tuple[str, str | None]
"""Deployment, and the name of a further version; None for the deployment's variants."""


class Unit:
    """Variants of one deployment; `path` is None while they are not in memory."""

    __slots__ = (
        *("deployment", "error", "key", "path", "references"),
        *("routes", "used_at", "variants", "versions"),
    )

    def __init__(
        self, key: Key, deployment: PlannedDeployment, variants: tuple[PlannedVariant, ...]
    ) -> None:
        self.key = key
        self.deployment = deployment
        self.variants = variants
        self.references: list[str] = []
        """What its versions may be called; a name that two claim is the first one's."""
        self.path: ScoringPath | None = None
        self.versions: dict[str, ScoringPath] = {}
        """Reference of a version to the path of it alone."""
        self.routes: dict[bytes, Route] = {}
        """URL to the route that answers it."""
        self.error: TondoError | None = None
        """Why the last load failed."""
        self.used_at = 0.0
        """When it was last asked, by the monotonic clock."""

    def __repr__(self) -> str:
        """Say which, and whether it is in memory."""
        state = "resident" if self.resident else "cold" if self.error is None else "failed"
        return f"Unit({self.name}, {state})"

    def cold(self) -> Unit:
        """Return the same unit with nothing in memory."""
        made = Unit(self.key, self.deployment, self.variants)
        made.references, made.used_at = self.references, self.used_at
        return made

    @property
    def name(self) -> str:
        """The deployment's name, and the version's where it is one."""
        deployment, version = self.key
        return deployment if version is None else f"{deployment}/{version}"

    @property
    def packages(self) -> set[str]:
        """Digests of the packages it needs."""
        return {each.package for each in self.variants}

    @property
    def resident(self) -> bool:
        """Whether its models are in memory."""
        return self.path is not None

    @property
    def busy(self) -> int:
        """Requests that are under way outside the event loop's turn."""
        return sum(route.busy for route in self.routes.values())

    def same_as(self, other: Unit) -> bool:
        """Return whether another unit answers in the very same way."""
        return (
            self.deployment == other.deployment
            and self.variants == other.variants
            and self.references == other.references
        )


def units_of(plan: ServingPlan) -> Iterator[Unit]:
    """Yield the units of a plan, of each deployment its variants first.

    What runs in a process of its own is none of ours.
    """
    for name, deployment in plan.deployments.items():
        if deployment.isolate == "process":
            continue
        yield Unit((name, None), deployment, tuple(deployment.variants))
        for each in deployment.addressable:
            yield Unit((name, each.name), deployment, (each,))


def references_of(variant: PlannedVariant) -> list[str]:
    """Return what a version may be called: number, id, variant name, tags."""
    return [str(variant.version), variant.model_version_id, variant.name, *variant.tags]
