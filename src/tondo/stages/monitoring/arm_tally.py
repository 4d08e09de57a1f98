"""Counts of one arm of a rollout: constant memory, whatever the traffic."""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import TYPE_CHECKING, Protocol

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


class ArmTally:
    """Takes answered requests one by one."""

    def __init__(self, *, stuck_us: int, once_a_key: bool) -> None:
        self.waiting: list[float] = []
        """Scores that are not in bins yet."""
        self._counted: Distribution | None = None
        self._stuck_us = stuck_us
        self._seen: set[str] | None = set() if once_a_key else None
        self._failed: set[tuple[str, bool]] | None = set() if once_a_key else None
        self._answers = self._succeeded = self._stuck = 0
        self._events = {True: 0, False: 0}
        """Requests that failed: with no number (True), or otherwise."""
        self._keys = {True: 0, False: 0}
        self._scored = 0
        self._mean = self._squares = 0.0
        self._latencies = [0] * _CELLS
        self._slow = [0] * (len(LATENCY_LIMITS_US) + 1)
        """First requests of keys by how many limits they are slower than."""

    def take(self, request: Answered, rows: Sequence[tuple[str, float | None]]) -> None:
        """Count a request that this arm answered: the keys of its rows, and their scores."""
        self._answers += len(rows)
        key = rows[0][0]
        if request.error is None:
            self._succeeded += 1
        else:
            self._take_failure(key, is_null=request.error == NO_NUMBER)
        self._latencies[_cell(request.latency_us)] += 1
        self._stuck += request.latency_us > self._stuck_us
        fresh = [self._is_fresh(each) for each, _ in rows]
        if fresh[0]:
            self._slow[bisect_left(LATENCY_LIMITS_US, request.latency_us)] += 1
        for (_, score), is_fresh in zip(rows, fresh, strict=True):
            if is_fresh and score is not None and math.isfinite(score):
                self._take_score(score)

    def measure(self, sample_rate: float) -> ArmMeasurement:
        """Return the arm in numbers; of what succeeded only `sample_rate` was logged."""
        slower, above = [], sum(self._slow)
        for count in self._slow[:-1]:
            above -= count
            slower.append(above)
        failed = sum(self._events.values())
        return ArmMeasurement(
            answers=self._answers,
            requests=round(self._succeeded / sample_rate) + failed,
            errors=self._events[False],
            nulls=self._events[True],
            error_keys=self._keys[False],
            null_keys=self._keys[True],
            scored=self._scored,
            score_mean=self._mean,
            score_sd=math.sqrt(self._squares / (self._scored - 1)) if self._scored > 1 else 0.0,
            latency_p50_us=self._quantile(0.5),
            latency_p99_us=self._quantile(0.99),
            stuck=self._stuck,
            slower=tuple(slower),
        )

    def spread(self, bins: Distribution | None) -> Distribution | None:
        """Return the scores in `bins`, which stay the same once they are given."""
        import numpy as np

        if bins is None:
            return None
        fresh = count_values(bins, np.array(self.waiting))
        self.waiting.clear()
        self._counted = fresh if self._counted is None else self._counted + fresh
        return self._counted

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

    def _take_score(self, score: float) -> None:
        """Keep count, mean and sum of squares (Welford 1962)."""
        self._scored += 1
        delta = score - self._mean
        self._mean += delta / self._scored
        self._squares += delta * (score - self._mean)
        self.waiting.append(score)

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
