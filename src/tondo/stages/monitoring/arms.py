"""The arms of a rollout as the prediction log shows them, read as it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.scoring.baseline import learn_distribution
from tondo.scoring.frames import decode_unread, read_inputs, stream_of
from tondo.scoring.plan import choose, target_of
from tondo.stages.deployment.measure import Measurements
from tondo.stages.monitoring.arm_tally import ArmTally

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tondo.ports.eventlog import EventLog, Position
    from tondo.scoring.baseline import Distribution
    from tondo.scoring.frames import UnreadRequest, UnreadRow
    from tondo.scoring.plan import PlannedDeployment
    from tondo.stages.deployment.rollout import Rollout

LEARN_BINS_ON = 100
"""Scores of both arms on which the bins are learnt: ten in each of ten bins."""

_NOTHING: Mapping[str, object] = {}


class ArmTail:
    """Counts what both arms of a rollout's present step answer, from where its log began.

    Reading again costs only what is new. A row counts where its key falls to the variant that
    answered it: not where a target sent it there, or a caller who asked for a version by name,
    or a scorer that was still on the plan before. So who is in which arm, a coin has decided.
    """

    def __init__(
        self, rollout: Rollout, deployment: PlannedDeployment, *, eventlog: EventLog
    ) -> None:
        self.rollout = rollout
        self.position: Position | None = rollout.log_position
        self.requests = 0
        self._deployment = deployment
        self._eventlog = eventlog
        self._stream = stream_of(rollout.deployment)
        self._bins: Distribution | None = None
        baseline, candidate = rollout.arms
        limit_us = rollout.guards.hard_latency_us
        sticky = deployment.sticky is not None
        self._tallies = {
            name: ArmTally(stuck_us=limit_us, once_a_key=sticky)
            for name in (baseline, candidate)
            if name is not None
        }
        self._reads_inputs = sticky or any(each.column for each in deployment.targets)

    def is_of(self, rollout: Rollout) -> bool:
        """Tell whether this counts the present step of a rollout."""
        return (self.rollout.id, self.rollout.step) == (rollout.id, rollout.step)

    def read(self) -> None:
        """Take what was logged since the last time."""
        for position, payload in self._eventlog.read(self._stream, self.position):
            self._take(decode_unread(payload))
            self.position = position
        self._learn_bins()

    def measure(self, *, at_us: int) -> Measurements:
        """Return what was counted so far."""
        baseline, candidate = self.rollout.arms
        rate = self._deployment.sample_rate if self._deployment.log_mode == "sampled" else 1.0
        old = None if baseline is None else self._tallies[baseline]
        new = self._tallies[candidate]
        found = Measurements(at_us=at_us, candidate=new.measure(rate), requests=self.requests)
        if old is None:
            return found
        return Measurements(
            at_us=at_us,
            baseline=old.measure(rate),
            candidate=found.candidate,
            baseline_scores=old.spread(self._bins),
            candidate_scores=new.spread(self._bins),
            requests=self.requests,
        )

    def _take(self, request: UnreadRequest) -> None:
        self.requests += 1
        tally = self._tallies.get(request.variant)
        if tally is None:
            return
        kept = []
        for row in request.rows:
            key, inputs = self._key(row)
            fits = target_of(self._deployment, key, inputs) is None
            if fits and choose(self._deployment, key, inputs).name == request.variant:
                kept.append((key, row.score))
        if kept:
            tally.take(request, kept)

    def _key(self, row: UnreadRow) -> tuple[str, Mapping[str, object]]:
        inputs = read_inputs(row.inputs) if self._reads_inputs else _NOTHING
        sticky = self._deployment.sticky
        return (row.prediction_id if sticky is None else str(inputs.get(sticky))), inputs

    def _learn_bins(self) -> None:
        """Freeze bins once there are enough scores, without a look at whose they are."""
        import numpy as np

        if len(self._tallies) < 2:
            self._tallies[self.rollout.arms[1]].waiting.clear()
        if self._bins is not None or len(self._tallies) < 2:
            return
        scores = [score for each in self._tallies.values() for score in each.waiting]
        if len(scores) >= LEARN_BINS_ON:
            self._bins = learn_distribution(np.array(scores))
