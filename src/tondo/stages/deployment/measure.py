"""What the arms of a rollout did: counts, latencies and scores, from logged rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.scoring.baseline import Distribution, count_values, learn_distribution

if TYPE_CHECKING:
    import numpy as np  # noqa: TC004 - never decoded, so never needed when running

    from tondo.stages.deployment.guards import Guards


class ArmRows(msgspec.Struct, frozen=True, kw_only=True):
    """What was logged of one arm since the rollout's step began."""

    scores: np.ndarray
    """Float64, one a row; NaN where the row has no score."""
    failed: np.ndarray
    """Bool, one a row: the request carried an error."""
    latencies_us: np.ndarray
    """One a request, microseconds."""


class ArmMeasurement(msgspec.Struct, frozen=True, kw_only=True):
    """One arm in numbers."""

    answers: int = 0
    """Rows asked of this arm, failed ones among them."""
    errors: int = 0
    nulls: int = 0
    """Rows that did not fail and yet have no score."""
    scored: int = 0
    score_mean: float = 0.0
    score_sd: float = 0.0
    requests: int = 0
    latency_p99_us: float = 0.0
    slow: int = 0
    """Requests slower than `Measurements.latency_limit_us`."""

    def __repr__(self) -> str:
        """Rows, failures, mean score and latency in one line."""
        return (
            f"ArmMeasurement({self.answers} answers, {self.errors} errors, {self.nulls} nulls,"
            f" score {self.score_mean:.4f} ± {self.score_sd:.4f}, p99 {self.latency_p99_us:.0f} µs)"
        )


class Measurements(msgspec.Struct, frozen=True, kw_only=True):
    """Both arms since the step began, as the decision reads them and the ledger keeps them."""

    at_us: int
    current: ArmMeasurement = ArmMeasurement()
    candidate: ArmMeasurement = ArmMeasurement()
    latency_limit_us: float = 0.0
    current_scores: Distribution | None = None
    """Scores in bins learnt on the current arm."""
    candidate_scores: Distribution | None = None


def measure(current: ArmRows, candidate: ArmRows, *, guards: Guards, at_us: int) -> Measurements:
    """Measure both arms at the instant `at_us`."""
    p99 = _p99(current.latencies_us)
    limit = guards.latency_ratio * max(p99, guards.latency_floor_us)
    bins = learn_distribution(_scores(current))
    return Measurements(
        at_us=at_us,
        current=_arm(current, limit),
        candidate=_arm(candidate, limit),
        latency_limit_us=limit,
        current_scores=bins,
        candidate_scores=count_values(bins, _scores(candidate)),
    )


def _arm(rows: ArmRows, latency_limit_us: float) -> ArmMeasurement:
    scores = _scores(rows)
    return ArmMeasurement(
        answers=len(rows.failed),
        errors=int(rows.failed.sum()),
        nulls=int(len(rows.failed) - rows.failed.sum() - len(scores)),
        scored=len(scores),
        score_mean=float(scores.mean()) if len(scores) else 0.0,
        score_sd=float(scores.std(ddof=1)) if len(scores) > 1 else 0.0,
        requests=len(rows.latencies_us),
        latency_p99_us=_p99(rows.latencies_us),
        slow=int((rows.latencies_us > latency_limit_us).sum()),
    )


def _scores(rows: ArmRows) -> np.ndarray:
    import numpy as np

    kept: np.ndarray = rows.scores[~rows.failed & np.isfinite(rows.scores)]
    return kept


def _p99(latencies_us: np.ndarray) -> float:
    import numpy as np

    return float(np.quantile(latencies_us, 0.99)) if len(latencies_us) else 0.0
