"""Counts of one arm of a rollout: constant memory, whatever the traffic."""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple, Protocol

from tondo.scoring.baseline import count_values
from tondo.stages.deployment.measure import LATENCY_LIMITS_US, ArmMeasurement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.scoring.baseline import Distribution

NO_NUMBER = "TD-SCORE-013"
"""What a model's answer is logged with that is no finite number."""

MOST_KEYS = 200_000
"""Keys that are remembered as seen, about 20 MB; later ones are not counted any more, which by
then changes nothing."""

_PER_OCTAVE = 16
"""Cells of the histogram of latencies: 4.4 % wide, from a microsecond on."""
_CELLS = 32 * _PER_OCTAVE


class Answered(Protocol):
    """What is looked at of a logged request."""

    @property
    def latency_us(self) -> int:
        """How long it took."""
        ...

    @property
    def error(self) -> str | None:
        """Code of the error, None where it succeeded."""
        ...


class ArmRow(NamedTuple):
    """A row that an arm answered."""

    key: str
    """What the bucket was computed from."""
    prediction_id: str
    score: float | None


class Values:
    """Numbers as they come: how many, mean, spread, and their bins once there are bins."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = 0.0
        self.waiting: list[float] = []
        """Those that are not in bins yet."""
        self._squares = 0.0
        self._counted: Distribution | None = None

    @property
    def sd(self) -> float:
        """The standard deviation; 0 for fewer than two numbers."""
        return math.sqrt(self._squares / (self.count - 1)) if self.count > 1 else 0.0

    def add(self, value: float) -> None:
        """Take a number (Welford 1962)."""
        self.count += 1
        delta = value - self.mean
        self.mean += delta / self.count
        self._squares += delta * (value - self.mean)
        self.waiting.append(value)

    def spread(self, bins: Distribution | None) -> Distribution | None:
        """Return the numbers in `bins`, which stay the same once they are given."""
        import numpy as np

        if bins is None:
            return None
        fresh = count_values(bins, np.array(self.waiting))
        self.waiting.clear()
        self._counted = fresh if self._counted is None else self._counted + fresh
        return self._counted


class ArmTally:
    """Takes answered requests one by one."""

    def __init__(self, *, stuck_us: int, once_a_key: bool) -> None:
        self.scores = Values()
        self.losses = Values()
        self._stuck_us = stuck_us
        self._seen: set[str] | None = set() if once_a_key else None
        self._failed: set[tuple[str, bool]] | None = set() if once_a_key else None
        self._answers = self._fresh = self._succeeded = self._stuck = 0
        self._events = {True: 0, False: 0}
        """Requests that failed: with no number (True), or otherwise."""
        self._keys = {True: 0, False: 0}
        self._latencies = [0] * _CELLS
        self._slow = [0] * (len(LATENCY_LIMITS_US) + 1)
        """First requests of keys by how many limits they are slower than."""

    def take(self, request: Answered, rows: Sequence[ArmRow]) -> None:
        """Count a request that this arm answered, and its rows."""
        self._answers += len(rows)
        if request.error is None:
            self._succeeded += 1
        else:
            self._take_failure(rows[0].key, is_null=request.error == NO_NUMBER)
        self._latencies[_cell(request.latency_us)] += 1
        self._stuck += request.latency_us > self._stuck_us
        fresh = [row for row in rows if self._is_fresh(row.key)]
        self._fresh += len(fresh)
        if fresh and fresh[0] is rows[0]:
            self._slow[bisect_left(LATENCY_LIMITS_US, request.latency_us)] += 1
        for row in fresh:
            if row.score is not None and math.isfinite(row.score):
                self.scores.add(row.score)

    def measure(self, sample_rate: float) -> ArmMeasurement:
        """Return the arm in numbers; of what succeeded only `sample_rate` was logged."""
        slower, above = [], sum(self._slow)
        for count in self._slow[:-1]:
            above -= count
            slower.append(above)
        failed = sum(self._events.values())
        return ArmMeasurement(
            answers=self._answers,
            keys=self._fresh,
            requests=round(self._succeeded / sample_rate) + failed,
            errors=self._events[False],
            nulls=self._events[True],
            error_keys=self._keys[False],
            null_keys=self._keys[True],
            scored=self.scores.count,
            score_mean=self.scores.mean,
            score_sd=self.scores.sd,
            labelled=self.losses.count,
            loss_mean=self.losses.mean,
            loss_sd=self.losses.sd,
            latency_p50_us=self._quantile(0.5),
            latency_p99_us=self._quantile(0.99),
            stuck=self._stuck,
            slower=tuple(slower),
        )

    def _take_failure(self, key: str, *, is_null: bool) -> None:
        self._events[is_null] += 1
        if self._failed is not None:
            if (key, is_null) in self._failed or len(self._failed) >= MOST_KEYS:
                return
            self._failed.add((key, is_null))
        self._keys[is_null] += 1

    def _is_fresh(self, key: str) -> bool:
        if self._seen is None:
            return True
        if key in self._seen or len(self._seen) >= MOST_KEYS:
            return False
        self._seen.add(key)
        return True

    def _quantile(self, share: float) -> float:
        """Return a quantile of the latencies, to within a cell of the histogram."""
        wanted, reached = share * sum(self._latencies), 0
        for cell, count in enumerate(self._latencies):
            reached += count
            if reached >= wanted and reached:
                return float(2 ** ((cell + 0.5) / _PER_OCTAVE))
        return 0.0


def _cell(latency_us: int) -> int:
    return min(int(math.log2(max(latency_us, 1)) * _PER_OCTAVE), _CELLS - 1)
