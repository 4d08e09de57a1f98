"""The prediction log of a rollout's step, read as it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.scoring.frames import decode_unread, read_inputs, stream_of
from tondo.scoring.plan import choose, target_of
from tondo.stages.deployment.rollout import LogPositions
from tondo.stages.monitoring import outcomes
from tondo.stages.monitoring.arm_tally import ArmRow
from tondo.stages.monitoring.arms import Arms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tondo.ports.eventlog import EventLog
    from tondo.scoring.frames import UnreadRequest, UnreadRow
    from tondo.scoring.plan import PlannedDeployment
    from tondo.stages.deployment.measure import Measurements
    from tondo.stages.deployment.rollout import Rollout

_NOTHING: Mapping[str, object] = {}


class ArmTail:
    """Counts what both arms of a rollout's present step answer, from where its log began.

    Reading again costs only what is new. Only traffic of the deployment's own purpose counts, not
    rows that somebody tries by hand or sends for a purpose of theirs. A row counts where its key
    falls to the variant that answered it: not where a target sent it there, or a caller who asked
    for a version by name, or a scorer that was still on the plan before. So who is in which arm,
    a coin has decided.
    """

    def __init__(
        self, rollout: Rollout, deployment: PlannedDeployment, *, eventlog: EventLog
    ) -> None:
        self.rollout = rollout
        self._predictions = rollout.log.predictions
        self._outcomes = rollout.log.outcomes
        sticky = deployment.sticky is not None
        rate = deployment.sample_rate if deployment.log_mode == "sampled" else 1.0
        self._arms = Arms(rollout, once_a_key=sticky, sample_rate=rate)
        self._deployment = deployment
        self._eventlog = eventlog
        self._stream = stream_of(rollout.deployment)
        self._reads_inputs = sticky or any(each.column for each in deployment.targets)

    @property
    def log(self) -> LogPositions:
        """Up to where it has read."""
        return LogPositions(predictions=self._predictions, outcomes=self._outcomes)

    def is_of(self, rollout: Rollout) -> bool:
        """Tell whether this counts the present step of a rollout."""
        return (self.rollout.id, self.rollout.step) == (rollout.id, rollout.step)

    def read(self) -> None:
        """Take what was logged since the last time."""
        for position, payload in self._eventlog.read(self._stream, self._predictions):
            self._take(decode_unread(payload))
            self._predictions = position
        if self._arms.wants_outcomes:
            self._read_outcomes()

    def measure(self, *, at_us: int) -> Measurements:
        """Return what was counted so far."""
        return self._arms.measure(at_us=at_us)

    def _read_outcomes(self) -> None:
        stream = outcomes.stream_of(self.rollout.deployment)
        for position, payload in self._eventlog.read(stream, self._outcomes):
            for outcome in outcomes.decode_batch(payload):
                self._arms.settle(outcome.prediction_id, outcome.label)
            self._outcomes = position

    def _take(self, request: UnreadRequest) -> None:
        if request.purpose != self._deployment.purpose:
            return
        self._arms.requests += 1
        if request.variant not in self._arms:
            return
        kept = []
        for row in request.rows:
            key, inputs = self._key(row)
            fits = target_of(self._deployment, key, inputs) is None
            if fits and choose(self._deployment, key, inputs).name == request.variant:
                kept.append(ArmRow(key, row.prediction_id, row.score))
        if kept:
            self._arms.take(request.variant, request, kept)

    def _key(self, row: UnreadRow) -> tuple[str, Mapping[str, object]]:
        inputs = read_inputs(row.inputs) if self._reads_inputs else _NOTHING
        sticky = self._deployment.sticky
        return (row.prediction_id if sticky is None else str(inputs.get(sticky))), inputs
