"""A rollout: a candidate beside the current version, and the pure decision what comes next."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Literal

import msgspec

from tondo.core.errors import DefinitionError
from tondo.core.instants import format_instant
from tondo.scoring.plan import PlannedVariant
from tondo.stages.deployment.guards import GUARDS, Condition, Guards

if TYPE_CHECKING:
    from tondo.stages.deployment.measure import ArmMeasurement, Measurements

Action = Literal["wait", "promote", "abort"]
Phase = Literal["running", "promoted", "aborted"]


class Rollout(msgspec.Struct, frozen=True, kw_only=True):
    """One candidate on its way; each applied step is a new value with the same id."""

    id: str
    deployment: str
    current: PlannedVariant
    """The version that answers today."""
    candidate: PlannedVariant
    """The version that is tried."""
    before: str
    """Id of the deployment state that an abort or a rollback returns to."""
    steps: tuple[float, ...]
    """Shares of the candidate, growing; after the last comes the whole traffic."""
    guards: Guards = Guards()
    min_seconds: float
    """Seconds that each step lasts at least, by the clock."""
    min_answers: int
    """Answers that each arm gives at least in each step."""
    phase: Phase = "running"
    step: int = 0
    """Position in `steps`."""
    step_started_at_us: int
    started_at_us: int
    conditions: tuple[Condition, ...] = ()
    """The conditions when the last step was applied."""
    by: str
    why: str

    @property
    def desired(self) -> float:
        """Share of the traffic that the candidate shall have now."""
        if self.phase == "running":
            return self.steps[self.step]
        return 1.0 if self.phase == "promoted" else 0.0

    def __repr__(self) -> str:
        """Versions, phase and share in one line."""
        return (
            f"Rollout({self.deployment}: v{self.current.version} -> v{self.candidate.version},"
            f" {self.phase} at {self.desired * 100:g} % since"
            f" {format_instant(self.step_started_at_us)})"
        )


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What to do next, and every condition that led there."""

    action: Action
    share: float
    """Share of the candidate after this step: unchanged, larger, or 0."""
    conditions: tuple[Condition, ...]
    reason: str
    """One sentence."""

    def __repr__(self) -> str:
        """Show action, share and reason."""
        return f"Step({self.action} at {self.share * 100:g} %: {self.reason})"


def check_steps(steps: tuple[float, ...]) -> tuple[float, ...]:
    """Return `steps` when they grow between 0 and 1; TD-DEPLOY-005 otherwise.

    >>> check_steps((0.05, 0.5))
    (0.05, 0.5)
    """
    grows = all(a < b for a, b in itertools.pairwise(steps))
    if steps and grows and steps[0] > 0 and steps[-1] < 1:
        return steps
    raise DefinitionError(
        "TD-DEPLOY-005",
        f"{list(steps)} are no steps of a rollout",
        expected="growing shares above 0 and below 1, such as [0.05, 0.5]",
        fix="After the last step the candidate gets the whole traffic; leave 1 out.",
        steps=list(steps),
    )


def next_step(rollout: Rollout, measured: Measurements) -> Step:
    """Decide, from the numbers alone: abort, promote to the next share, or wait.

    A violated guard aborts at once, whatever time and counts say. A rollout promotes only when
    every condition is met; a condition without data is not met, so silence never promotes.
    """
    conditions = _conditions(rollout, measured)
    violated = [each for each in conditions if each.status == "violated"]
    unmet = [each for each in conditions if each.status == "unmet"]
    if violated:
        return _step("abort", 0.0, conditions, violated)
    if unmet:
        return _step("wait", rollout.desired, conditions, unmet)
    last = rollout.step + 1 >= len(rollout.steps)
    share = 1.0 if last else rollout.steps[rollout.step + 1]
    return _step("promote", share, conditions, [])


def _step(
    action: Action, share: float, conditions: tuple[Condition, ...], blamed: list[Condition]
) -> Step:
    reason = "; ".join(each.why for each in blamed) or "the canary met every condition"
    return Step(action=action, share=share, conditions=conditions, reason=reason)


def _conditions(rollout: Rollout, measured: Measurements) -> tuple[Condition, ...]:
    seconds = (measured.at_us - rollout.step_started_at_us) / 1e6
    return (
        _at_least("seconds_at_share", seconds, rollout.min_seconds),
        _answers("current_answers", measured.current, rollout.min_answers),
        _answers("candidate_answers", measured.candidate, rollout.min_answers),
        *(guard(rollout.guards, measured) for guard in GUARDS),
    )


def _answers(name: str, arm: ArmMeasurement, limit: int) -> Condition:
    # An arm that was never asked has nothing to show, even where no minimum is set.
    return _at_least(name, arm.answers, max(limit, 1))


def _at_least(name: str, value: float, limit: float) -> Condition:
    met = value >= limit
    why = f"{name} is {value:g}, {'at least' if met else 'below'} {limit:g}"
    return Condition(name=name, status="met" if met else "unmet", value=value, limit=limit, why=why)
