"""Two models on the same rows: the difference of each metric with its interval."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.stages.evaluation.delong import Interval, auc, auc_difference, interval
from tondo.stages.evaluation.metrics import log_losses
from tondo.stages.evaluation.observed import observed

if TYPE_CHECKING:
    import numpy as np


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of a candidate and of the current model."""

    metric: str
    candidate: float
    current: float
    improvement: Interval
    """Positive where the candidate is better, whichever way the metric counts."""


class PairedComparison(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate beside the current model on the same labelled rows."""

    rows: int
    positives: int
    differences: dict[str, Difference]
    """By metric: auc (DeLong), log_loss and brier (means of the rows' differences)."""

    def __repr__(self) -> str:
        """Say each improvement with its limits."""
        parts = [
            f"{name} {each.improvement.value:+.4f} "
            f"({each.improvement.low:+.4f}..{each.improvement.high:+.4f})"
            for name, each in self.differences.items()
        ]
        return f"PairedComparison(rows={self.rows}, {', '.join(parts)})"


def paired(
    candidate: Any, current: Any, label: Any, *, confidence: float = 0.95
) -> PairedComparison:
    """Compare two models' scores of the same rows; a metric the rows do not define is left out."""
    first, positive = observed(candidate, label)
    second, _ = observed(current, label)
    found: dict[str, Difference] = {}
    area = auc_difference(first, second, positive, confidence=confidence)
    one, two = auc(first, positive), auc(second, positive)
    if area is not None and one is not None and two is not None:
        found["auc"] = Difference(metric="auc", candidate=one, current=two, improvement=area)
    if len(positive) >= 2:
        losses = {
            "log_loss": (log_losses(first, positive), log_losses(second, positive)),
            "brier": ((first - positive) ** 2, (second - positive) ** 2),
        }
        for metric, (ours, theirs) in losses.items():
            found[metric] = _of_losses(metric, ours, theirs, confidence)
    return PairedComparison(rows=len(positive), positives=int(positive.sum()), differences=found)


def _of_losses(
    metric: str, candidate: np.ndarray, current: np.ndarray, confidence: float
) -> Difference:
    gain = current - candidate
    error = float(gain.std(ddof=1)) / math.sqrt(len(gain))
    return Difference(
        metric=metric,
        candidate=float(candidate.mean()),
        current=float(current.mean()),
        improvement=interval(float(gain.mean()), error, confidence),
    )
