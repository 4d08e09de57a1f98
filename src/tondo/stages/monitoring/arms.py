"""The arms of a rollout's step, counted side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.scoring.baseline import learn_distribution
from tondo.stages.deployment.measure import Measurements
from tondo.stages.monitoring.arm_tally import MOST_KEYS, ArmTally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.scoring.baseline import Distribution
    from tondo.stages.deployment.rollout import Rollout
    from tondo.stages.monitoring.arm_tally import Answered, ArmRow, Values

LEARN_BINS_ON = 100
"""Values of both arms on which bins are learnt: ten in each of ten bins."""


class Arms:
    """Counts what the baseline and the candidate of one step answer.

    `once_a_key` where keys come again; of what succeeded only `sample_rate` was logged.
    """

    def __init__(
        self, rollout: Rollout, *, once_a_key: bool = False, sample_rate: float = 1.0
    ) -> None:
        self.requests = 0
        """Requests of the deployment, by whatever variant."""
        self.wants_outcomes = rollout.guards.loss is not None
        self._names = rollout.arms
        self._sample_rate = sample_rate
        self._score_bins: Distribution | None = None
        self._loss_bins: Distribution | None = None
        self._without_outcome: dict[str, tuple[ArmTally, float]] = {}
        stuck_us = rollout.guards.hard_latency_us
        self._tallies = {
            name: ArmTally(stuck_us=stuck_us, once_a_key=once_a_key)
            for name in rollout.arms
            if name is not None
        }

    def __contains__(self, variant: str) -> bool:
        """Tell whether a variant is one of the arms."""
        return variant in self._tallies

    def take(self, variant: str, request: Answered, rows: Sequence[ArmRow]) -> None:
        """Count a request that one arm answered."""
        tally = self._tallies[variant]
        tally.take(request, rows)
        if self.wants_outcomes:
            for row in rows:
                if row.score is not None and len(self._without_outcome) < MOST_KEYS:
                    self._without_outcome[row.prediction_id] = (tally, row.score)

    def settle(self, prediction_id: str, label: float) -> None:
        """Count the loss of a prediction whose outcome has come; the first that comes counts."""
        found = self._without_outcome.pop(prediction_id, None)
        if found is not None:
            tally, score = found
            tally.losses.add((score - label) ** 2)

    def measure(self, *, at_us: int) -> Measurements:
        """Return what was counted so far."""
        baseline, candidate = self._names
        new = self._tallies[candidate]
        if baseline is None:
            # Nobody's numbers to compare them with.
            new.scores.waiting.clear()
            new.losses.waiting.clear()
            return Measurements(
                at_us=at_us, candidate=new.measure(self._sample_rate), requests=self.requests
            )
        old = self._tallies[baseline]
        self._score_bins = self._score_bins or _learn_bins(old.scores, new.scores)
        self._loss_bins = self._loss_bins or _learn_bins(old.losses, new.losses)
        return Measurements(
            at_us=at_us,
            baseline=old.measure(self._sample_rate),
            candidate=new.measure(self._sample_rate),
            baseline_scores=old.scores.spread(self._score_bins),
            candidate_scores=new.scores.spread(self._score_bins),
            baseline_losses=old.losses.spread(self._loss_bins),
            candidate_losses=new.losses.spread(self._loss_bins),
            requests=self.requests,
        )


def _learn_bins(old: Values, new: Values) -> Distribution | None:
    """Return bins once there are enough values, learnt without a look at whose they are."""
    import numpy as np

    values = [*old.waiting, *new.waiting]
    return learn_distribution(np.array(values)) if len(values) >= LEARN_BINS_ON else None
