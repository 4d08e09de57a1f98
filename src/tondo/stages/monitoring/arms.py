"""The arms of a rollout's step, counted side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.scoring.baseline import learn_distribution
from tondo.stages.deployment.measure import Measurements
from tondo.stages.monitoring.arm_tally import ArmTally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.scoring.baseline import Distribution
    from tondo.stages.deployment.rollout import Rollout
    from tondo.stages.monitoring.arm_tally import Answered

LEARN_BINS_ON = 100
"""Scores of both arms on which the bins are learnt: ten in each of ten bins."""


class Arms:
    """Counts what the baseline and the candidate of one step answer.

    `once_a_key` where keys come again; of what succeeded only `sample_rate` was logged.
    """

    def __init__(
        self, rollout: Rollout, *, once_a_key: bool = False, sample_rate: float = 1.0
    ) -> None:
        self.requests = 0
        """Requests of the deployment, by whatever variant."""
        self._names = rollout.arms
        self._sample_rate = sample_rate
        self._bins: Distribution | None = None
        stuck_us = rollout.guards.hard_latency_us
        self._tallies = {
            name: ArmTally(stuck_us=stuck_us, once_a_key=once_a_key)
            for name in rollout.arms
            if name is not None
        }

    def __contains__(self, variant: str) -> bool:
        """Tell whether a variant is one of the arms."""
        return variant in self._tallies

    def take(
        self, variant: str, request: Answered, rows: Sequence[tuple[str, float | None]]
    ) -> None:
        """Count a request that one arm answered: keys and scores of its rows."""
        self._tallies[variant].take(request, rows)

    def measure(self, *, at_us: int) -> Measurements:
        """Return what was counted so far."""
        baseline, candidate = self._names
        new = self._tallies[candidate]
        if baseline is None:
            new.waiting.clear()  # nobody's scores to compare them with
            return Measurements(
                at_us=at_us, candidate=new.measure(self._sample_rate), requests=self.requests
            )
        old = self._tallies[baseline]
        self._learn_bins(old, new)
        return Measurements(
            at_us=at_us,
            baseline=old.measure(self._sample_rate),
            candidate=new.measure(self._sample_rate),
            baseline_scores=old.spread(self._bins),
            candidate_scores=new.spread(self._bins),
            requests=self.requests,
        )

    def _learn_bins(self, old: ArmTally, new: ArmTally) -> None:
        """Freeze bins once there are enough scores, without a look at whose they are."""
        import numpy as np

        if self._bins is None and len(old.waiting) + len(new.waiting) >= LEARN_BINS_ON:
            self._bins = learn_distribution(np.array([*old.waiting, *new.waiting]))
