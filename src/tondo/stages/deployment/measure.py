"""What the arms of a rollout did, in numbers that a decision reads and the ledger keeps."""

from __future__ import annotations

from bisect import bisect_left
from itertools import takewhile

import msgspec

from tondo.scoring.baseline import Distribution

LATENCY_LIMITS_US: tuple[int, ...] = tuple(
    takewhile(lambda limit: limit <= 60_000_000, (round(100 * 1.25**k) for k in range(100)))
)
"""From 100 µs to a minute, each a quarter above the one before: fixed before anything is seen, so
that how many requests are slower than one of them is evidence whenever it is looked at."""


class ArmMeasurement(msgspec.Struct, frozen=True, kw_only=True):
    """One arm in numbers, since the step began."""

    answers: int = 0
    """Rows asked of this arm, failed ones among them."""
    keys: int = 0
    """Keys that this arm answered; without a sticky column, its answers."""
    requests: int = 0
    """Requests that this arm answered, whole or in part."""
    errors: int = 0
    """Requests that failed."""
    nulls: int = 0
    """Requests for which the model gave no number."""
    error_keys: int = 0
    """Keys that met an error: a key falls to its arm once, so it is counted once."""
    null_keys: int = 0
    scored: int = 0
    """Keys with a score; the first of each counts."""
    score_mean: float = 0.0
    score_sd: float = 0.0
    labelled: int = 0
    """Predictions of this step whose outcome has come; counted where a guard asks for losses."""
    loss_mean: float = 0.0
    """Mean squared difference of score and outcome."""
    loss_sd: float = 0.0
    latency_p50_us: float = 0.0
    latency_p99_us: float = 0.0
    stuck: int = 0
    """Requests slower than `Guards.hard_latency_us`."""
    slower: tuple[int, ...] = (0,) * len(LATENCY_LIMITS_US)
    """Keys whose first request was slower than each of `LATENCY_LIMITS_US`."""

    def __repr__(self) -> str:
        """Rows, failures, mean score and latency in one line."""
        return (
            f"ArmMeasurement({self.answers} answers, {self.errors} errors, {self.nulls} nulls,"
            f" score {self.score_mean:.4f} ± {self.score_sd:.4f}, p99 {self.latency_p99_us:.0f} µs)"
        )


class Measurements(msgspec.Struct, frozen=True, kw_only=True):
    """Both arms since the step began, and all that was asked of the deployment."""

    at_us: int
    baseline: ArmMeasurement = ArmMeasurement()
    """The current version on as much fresh traffic as the candidate has."""
    candidate: ArmMeasurement = ArmMeasurement()
    baseline_scores: Distribution | None = None
    """Scores in bins learnt on both arms together; None before there are enough."""
    candidate_scores: Distribution | None = None
    baseline_losses: Distribution | None = None
    """Squared differences of score and outcome, in bins learnt in the same way."""
    candidate_losses: Distribution | None = None
    requests: int = 0
    """Requests that the deployment answered, by whatever variant."""


def limit_above(latency_us: float) -> int:
    """Return the place of the first of `LATENCY_LIMITS_US` that is not below a latency.

    >>> LATENCY_LIMITS_US[limit_above(7_500)]
    8674
    """
    return min(bisect_left(LATENCY_LIMITS_US, latency_us), len(LATENCY_LIMITS_US) - 1)
