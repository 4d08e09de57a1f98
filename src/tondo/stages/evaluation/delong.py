"""The area under the ROC curve with its interval, and the difference of two on the same rows.

DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44: the variance of the AUC from the placement
of each positive among the negatives and the other way round. Midranks give all placements in
O(n log n): Sun and Xu (2014), IEEE Signal Processing Letters 21.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.stages.evaluation.observed import observed

if TYPE_CHECKING:
    import numpy as np


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """An estimate with its confidence limits."""

    value: float
    low: float
    high: float
    standard_error: float
    confidence: float = 0.95


def auc(scores: Any, label: Any) -> float | None:
    """Return the probability that a positive scores above a negative, ties half.

    None without positives or without negatives.

    >>> auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    0.75
    """
    values, positive = observed(scores, label)
    count = int(positive.sum())
    others = len(positive) - count
    if count == 0 or others == 0:
        return None
    ranks = float(_midranks(values)[positive].sum())
    return (ranks - count * (count + 1) / 2) / (count * others)


def auc_interval(scores: Any, label: Any, *, confidence: float = 0.95) -> Interval | None:
    """Return the AUC with DeLong's interval, cut to 0..1.

    None with fewer than two positives or two negatives.

    >>> found = auc_interval([0.1, 0.4, 0.35, 0.8, 0.7, 0.2], [0, 0, 1, 1, 1, 0])
    >>> round(found.value, 4), round(found.low, 4), round(found.high, 4)
    (0.8889, 0.5809, 1.0)
    """
    values, positive = observed(scores, label)
    placed = _placements(values, positive)
    if placed is None:
        return None
    of_positives, of_negatives = placed
    variance = of_positives.var(ddof=1) / len(of_positives)
    variance += of_negatives.var(ddof=1) / len(of_negatives)
    return interval(float(of_positives.mean()), math.sqrt(variance), confidence, cut=True)


def auc_difference(
    scores: Any, other_scores: Any, label: Any, *, confidence: float = 0.95
) -> Interval | None:
    """Return AUC(scores) - AUC(other_scores) on the same rows, with DeLong's paired interval."""
    first, positive = observed(scores, label)
    second, _ = observed(other_scores, label)
    one, two = _placements(first, positive), _placements(second, positive)
    if one is None or two is None:
        return None
    of_positives, of_negatives = one[0] - two[0], one[1] - two[1]
    variance = of_positives.var(ddof=1) / len(of_positives)
    variance += of_negatives.var(ddof=1) / len(of_negatives)
    return interval(float(of_positives.mean()), math.sqrt(variance), confidence)


def interval(
    value: float, standard_error: float, confidence: float, *, cut: bool = False
) -> Interval:
    """Return the normal interval around `value`; `cut` keeps the limits within 0..1."""
    half = NormalDist().inv_cdf(0.5 + confidence / 2) * standard_error
    low, high = value - half, value + half
    if cut:
        low, high = max(low, 0.0), min(high, 1.0)
    return Interval(
        value=value, low=low, high=high, standard_error=standard_error, confidence=confidence
    )


def _placements(values: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return per positive the share of negatives below it, per negative of positives above."""
    count = int(positive.sum())
    others = len(positive) - count
    if count < 2 or others < 2:
        return None
    together = _midranks(values)
    above = (together[positive] - _midranks(values[positive])) / others
    below = 1.0 - (together[~positive] - _midranks(values[~positive])) / count
    return above, below


def _midranks(values: np.ndarray) -> np.ndarray:
    """Return ranks from 1; equal values share the mean of their ranks."""
    import numpy as np

    order = np.argsort(values, kind="stable")
    ordered = values[order]
    first = np.concatenate(([True], ordered[1:] != ordered[:-1]))
    group = np.cumsum(first) - 1
    starts = np.append(np.flatnonzero(first), len(values))
    middle = (starts[:-1] + starts[1:] + 1) / 2
    ranks: np.ndarray = np.empty(len(values))
    ranks[order] = middle[group]
    return ranks
