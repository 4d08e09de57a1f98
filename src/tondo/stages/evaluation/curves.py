"""The ROC and precision-recall curves, thinned for drawing, and the average precision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.stages.evaluation.observed import observed

if TYPE_CHECKING:
    import numpy as np

MOST_POINTS = 200
"""A drawn curve of 600 pixels shows no more."""


class CurvePoint(msgspec.Struct, frozen=True, array_like=True):
    """One point: x and y, reached by deciding `score >= threshold`; None for "decide nothing"."""

    x: float
    y: float
    threshold: float | None


def roc_curve(scores: Any, label: Any, *, most: int = MOST_POINTS) -> list[CurvePoint]:
    """Return (false positive rate, true positive rate) from (0, 0) to (1, 1).

    Empty without positives or without negatives.
    """
    import numpy as np

    values, positive = observed(scores, label)
    thresholds, hits, alarms = _counts(values, positive)
    if len(hits) == 0 or hits[-1] == 0 or alarms[-1] == 0:
        return []
    x = np.concatenate(([0.0], alarms / alarms[-1]))
    y = np.concatenate(([0.0], hits / hits[-1]))
    return _thinned(x, y, [None, *thresholds.tolist()], most)


def precision_recall_curve(scores: Any, label: Any, *, most: int = MOST_POINTS) -> list[CurvePoint]:
    """Return (recall, precision) from the highest threshold down; empty without positives."""
    values, positive = observed(scores, label)
    thresholds, hits, alarms = _counts(values, positive)
    if len(hits) == 0 or hits[-1] == 0:
        return []
    return _thinned(hits / hits[-1], hits / (hits + alarms), list(thresholds.tolist()), most)


def average_precision(scores: Any, label: Any) -> float | None:
    """Return the sum over thresholds of precision x gain in recall; None without positives.

    >>> round(average_precision([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]), 6)
    0.833333
    """
    import numpy as np

    values, positive = observed(scores, label)
    _, hits, alarms = _counts(values, positive)
    if len(hits) == 0 or hits[-1] == 0:
        return None
    gains = np.diff(hits / hits[-1], prepend=0.0)
    return float((gains * (hits / (hits + alarms))).sum())


def _counts(values: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each distinct score from the top with the hits and false alarms at or above it."""
    import numpy as np

    order = np.argsort(-values, kind="stable")
    ordered = values[order]
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], len(ordered) > 0))
    hits = np.cumsum(positive[order])[last]
    return ordered[last], hits, last + 1 - hits


def _thinned(
    x: np.ndarray, y: np.ndarray, thresholds: list[float | None], most: int
) -> list[CurvePoint]:
    """Keep at most `most` points, evenly spread along the curve, the ends among them."""
    import numpy as np

    kept = np.arange(len(x))
    if len(x) > most:
        length = np.cumsum(np.abs(np.diff(x, prepend=x[0])) + np.abs(np.diff(y, prepend=y[0])))
        kept = np.unique(np.searchsorted(length, np.linspace(0, length[-1], most)))
        kept[-1] = len(x) - 1
    return [CurvePoint(float(x[at]), float(y[at]), thresholds[at]) for at in kept]
