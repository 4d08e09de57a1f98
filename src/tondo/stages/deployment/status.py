"""Where a deployment stands: what is desired, what is tried, what answers, and what must hold."""

from __future__ import annotations

import msgspec

from tondo.core.instants import format_instant
from tondo.stages.deployment.guards import Condition, Guards
from tondo.stages.deployment.measure import Measurements
from tondo.stages.deployment.rollout import Phase, Rollout, Step


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of a rollout at one instant, and what that led to."""

    rollout: str
    """The rollout's id."""
    step: int
    phase: Phase
    measured: Measurements
    decided: Step

    def is_of(self, rollout: Rollout) -> bool:
        """Tell whether it is of a rollout as it stands."""
        return (self.rollout, self.step, self.phase) == (rollout.id, rollout.step, rollout.phase)


class DeploymentStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One deployment at one instant."""

    deployment: str
    desired: int
    """The version that shall answer in the end."""
    candidate: int | None
    """The version that is tried; None when no rollout is under way."""
    current: int
    """The version that answers today."""
    share: float
    """Share of the traffic that the desired version has."""
    phase: Phase | None
    """Of the last rollout; None when there was none."""
    conditions: tuple[Condition, ...]
    """What must hold, in order: first that the scorers were told, then those of the rollout."""
    reason: str
    """Why it stands as it does, in one sentence."""
    measured: Measurements | None = None
    touched: int = 0
    """Requests that the candidate of the last rollout answered."""
    requests: int = 0
    """Requests that the deployment answered during the last rollout."""
    at_us: int

    def __repr__(self) -> str:
        """Versions, share and phase in one line."""
        tried = "" if self.candidate is None else f" -> v{self.candidate}"
        return (
            f"DeploymentStatus({self.deployment}: v{self.current}{tried},"
            f" {self.share * 100:g} % at {format_instant(self.at_us)}: {self.reason})"
        )


class PlannedCondition(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that will have to hold."""

    name: str
    limit: float
    aborts: bool
    """Whether the rollout is aborted when it is violated; else it waits."""


class PlannedStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step that a rollout would take."""

    share: float
    baseline: float
    """Share of the baseline beside it; 0 where there is nobody to compare with."""
    min_seconds: float
    min_answers: int
    requests: int
    """Requests of the deployment that it takes until the smaller arm has given `min_answers`."""
    conditions: tuple[PlannedCondition, ...]


class Detects(msgspec.Struct, frozen=True, kw_only=True):
    """What a rollout's guards find, and after how many requests of the candidate."""

    fault: str
    requests: int | None
    """None where the limits let it pass."""


class RolloutPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What starting a rollout would do."""

    deployment: str
    current: int
    candidate: int
    kind: str
    steps: tuple[PlannedStep, ...]
    guards: Guards
    detects: tuple[Detects, ...]
    """Of the first step."""
    shadow: str | None
    """Id of the last shadow report of the candidate, None without one."""
