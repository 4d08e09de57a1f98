"""Whether a score of 0.3 comes true three times in ten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.stages.evaluation.observed import observed

if TYPE_CHECKING:
    import numpy as np

BINS = 10
"""Ten bins of equal mass: each then has enough rows to tell its rate, unlike ten equal widths."""


class CalibrationBin(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of like score: what was said, and what came."""

    rows: int
    mean_score: float
    rate: float
    """Share of positives."""


def calibration_curve(scores: Any, label: Any, *, bins: int = BINS) -> list[CalibrationBin]:
    """Return bins of equal mass, from the lowest scores up; equal scores share a bin.

    >>> [each.rate for each in calibration_curve([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], bins=2)]
    [0.0, 1.0]
    """
    import numpy as np

    values, positive = observed(scores, label)
    if len(values) == 0:
        return []
    place = _places(values, bins)
    rows = np.bincount(place, minlength=bins)
    said = np.bincount(place, weights=values, minlength=bins)
    came = np.bincount(place, weights=positive, minlength=bins)
    return [
        CalibrationBin(
            rows=int(rows[at]),
            mean_score=float(said[at] / rows[at]),
            rate=float(came[at] / rows[at]),
        )
        for at in np.flatnonzero(rows)
    ]


def expected_calibration_error(scores: Any, label: Any, *, bins: int = BINS) -> float | None:
    """Return the mean of |score - rate| over bins of equal mass, weighted by rows.

    >>> round(expected_calibration_error([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], bins=2), 6)
    0.15
    """
    curve = calibration_curve(scores, label, bins=bins)
    total = sum(each.rows for each in curve)
    if total == 0:
        return None
    return sum(each.rows * abs(each.mean_score - each.rate) for each in curve) / total


def _places(values: np.ndarray, bins: int) -> np.ndarray:
    import numpy as np

    # Percentiles as scikit-learn takes them, so that a tie at an edge falls into the same bin.
    edges = np.percentile(values, np.linspace(0, 1, bins + 1)[1:-1] * 100)
    return np.searchsorted(edges, values)
