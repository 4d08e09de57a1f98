"""A rollout: a candidate beside the current version, and the pure decision what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from tondo.core.instants import format_instant
from tondo.ports.eventlog import Position
from tondo.scoring.plan import PlannedVariant
from tondo.stages.deployment.guards import COMPARING, HARD, Coin, Condition, Guards, loss
from tondo.stages.deployment.pace import HALF, Kind
from tondo.stages.deployment.state import BASELINE, CANDIDATE, LIVE

if TYPE_CHECKING:
    from tondo.stages.deployment.measure import ArmMeasurement, Measurements

Action = Literal["wait", "promote", "abort"]
Phase = Literal["running", "paused", "promoted", "aborted"]


class LogPositions(msgspec.Struct, frozen=True, kw_only=True):
    """A place in the logs of a deployment; None is the beginning."""

    predictions: Position | None = None
    outcomes: Position | None = None


class Rollout(msgspec.Struct, frozen=True, kw_only=True):
    """One candidate on its way; each applied step is a new value with the same id."""

    id: str
    deployment: str
    current: PlannedVariant
    """The version that answers today."""
    candidate: PlannedVariant
    """The version that is tried."""
    beside: tuple[PlannedVariant, ...] = ()
    """Versions that answer only rows that a target sends them, before and after."""
    before: str
    """Id of the deployment state that an abort or a rollback returns to."""
    kind: Kind = "canary"
    steps: tuple[float, ...]
    """Shares of the candidate, growing; after the last comes the whole traffic."""
    guards: Guards = Guards()
    min_seconds: float
    """Seconds that each step lasts at least, by the clock."""
    min_answers: int
    """Answers that each arm gives at least in each step."""
    shadow: str | None = None
    """Id of the record of the shadow report that went before; None without one."""
    phase: Phase = "running"
    step: int = 0
    """Position in `steps`."""
    step_started_at_us: int
    log: LogPositions = LogPositions()
    """Where the log stood when the step began: what is measured comes after it."""
    started_at_us: int
    touched: int = 0
    """Requests that the candidate answered, up to the last step that was applied."""
    requests: int = 0
    """Requests that the deployment answered, up to the last step that was applied."""
    conditions: tuple[Condition, ...] = ()
    """The conditions when the last step was applied."""
    by: str
    why: str

    @property
    def ended(self) -> bool:
        """Whether it was promoted or aborted."""
        return self.phase in {"promoted", "aborted"}

    @property
    def desired(self) -> float:
        """Share of the traffic that the candidate shall have now."""
        if not self.ended:
            return self.steps[self.step]
        return 1.0 if self.phase == "promoted" else 0.0

    @property
    def arms(self) -> tuple[str | None, str]:
        """Names of the variants that are compared: the baseline, None where nobody is, and it."""
        return (None if self.steps[self.step] >= 1.0 else BASELINE), CANDIDATE

    @property
    def shares(self) -> dict[str, float]:
        """Weight of each variant in this step: the rest where there is one, the baseline, and it.

        The baseline has its own name also where it is all of the rest: so what a scorer answers
        before it follows the step's plan is in neither arm.
        """
        share = self.steps[self.step]
        if share >= 1.0:
            return {LIVE: 0.0, CANDIDATE: share}
        if share >= HALF:
            return {BASELINE: round(1.0 - share, 9), CANDIDATE: share}
        return {LIVE: round(1.0 - 2 * share, 9), BASELINE: share, CANDIDATE: share}

    @property
    def coin(self) -> Coin:
        """By what chance a key of both arms is the candidate's."""
        baseline = self.arms[0]
        share = self.shares[CANDIDATE]
        other = 0.0 if baseline is None else self.shares[baseline]
        return Coin(
            chance=share / (share + other),
            steps=len(self.steps),
            questions=self.guards.questions,
        )

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


def next_step(rollout: Rollout, measured: Measurements) -> Step:
    """Decide, from the numbers alone: abort, promote to the next share, or wait.

    A violated guard aborts at once, whatever time and counts say, also while it is paused. A
    rollout promotes only when every condition is met; a condition without data is not met, so
    silence never promotes.
    """
    conditions = conditions_of(rollout, measured)
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
    reason = "; ".join(each.why for each in blamed) or "the candidate met every condition"
    return Step(action=action, share=share, conditions=conditions, reason=reason)


def conditions_of(rollout: Rollout, measured: Measurements) -> tuple[Condition, ...]:
    """Return what must hold in a rollout's present step, in the order in which it is shown."""
    return (
        *_minimums(rollout, measured),
        *guards_of(rollout, measured),
        *_decisions(rollout),
    )


def guards_of(rollout: Rollout, measured: Measurements) -> list[Condition]:
    """Return those of the conditions that abort when they are violated."""
    found = [guard(rollout.guards, measured) for guard in HARD]
    if rollout.arms[0] is not None:
        asked = COMPARING if rollout.guards.loss is None else (*COMPARING, loss)
        found += [guard(rollout.guards, measured, rollout.coin) for guard in asked]
    return found


def _minimums(rollout: Rollout, measured: Measurements) -> list[Condition]:
    seconds = (measured.at_us - rollout.step_started_at_us) / 1e6
    found = [_at_least("seconds_at_share", seconds, rollout.min_seconds)]
    if rollout.arms[0] is not None:
        found.append(_answers("baseline_answers", measured.baseline, rollout.min_answers))
    return [*found, _answers("candidate_answers", measured.candidate, rollout.min_answers)]


def _decisions(rollout: Rollout) -> list[Condition]:
    found = []
    if rollout.phase == "paused":
        found.append(_by_hand("resumed", "somebody paused it"))
    if rollout.kind == "ab" and rollout.step + 1 == len(rollout.steps):
        found.append(_by_hand("decision", "an A/B test ends by a decision"))
    return found


def _by_hand(name: str, why: str) -> Condition:
    return Condition(name=name, status="unmet", value=0.0, limit=1.0, why=why)


def _answers(name: str, arm: ArmMeasurement, limit: int) -> Condition:
    # An arm that was never asked has nothing to show, even where no minimum is set.
    return _at_least(name, arm.answers, max(limit, 1))


def _at_least(name: str, value: float, limit: float) -> Condition:
    met = value >= limit
    why = f"{name} is {_plain(value)}, {'at least' if met else 'below'} {_plain(limit)}"
    return Condition(name=name, status="met" if met else "unmet", value=value, limit=limit, why=why)


def _plain(number: float) -> str:
    """Return a number as people write it: 0.3, 2,000."""
    return f"{number:,.1f}".removesuffix(".0")
