"""Single numbers of a binary model: scores are probabilities, labels 0 or 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.stages.evaluation.calibration import expected_calibration_error
from tondo.stages.evaluation.curves import average_precision
from tondo.stages.evaluation.delong import auc
from tondo.stages.evaluation.observed import observed

if TYPE_CHECKING:
    import numpy as np


def log_loss(scores: Any, label: Any) -> float | None:
    """Return the mean of -ln(probability given to what came true); None without rows.

    Probabilities are held one float64 epsilon away from 0 and 1, as scikit-learn does.

    >>> round(log_loss([0.9, 0.2], [1, 0]), 6)
    0.164252
    """
    values, positive = observed(scores, label)
    return float(log_losses(values, positive).mean()) if len(values) else None


def log_losses(values: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Return the log loss of each row."""
    import numpy as np

    epsilon = np.finfo(np.float64).eps
    held = np.clip(values, epsilon, 1 - epsilon)
    losses: np.ndarray = -np.log(np.where(positive, held, 1 - held))
    return losses


def brier(scores: Any, label: Any) -> float | None:
    """Return the mean squared distance of score and label (Brier 1950); None without rows.

    >>> round(brier([0.9, 0.2], [1, 0]), 6)
    0.025
    """
    values, positive = observed(scores, label)
    return float(((values - positive) ** 2).mean()) if len(values) else None


def decision_metrics(scores: Any, label: Any, threshold: float) -> dict[str, float | None]:
    """Return what the decisions `score >= threshold` are worth; None where it is undefined.

    >>> decision_metrics([0.9, 0.2, 0.6], [1, 0, 0], 0.5)["precision"]
    0.5
    """
    values, positive = observed(scores, label)
    decided = values >= threshold
    hits, alarms = int((decided & positive).sum()), int((decided & ~positive).sum())
    missed, quiet = int((~decided & positive).sum()), int((~decided & ~positive).sum())
    return {
        "accuracy": _share(hits + quiet, len(values)),
        "precision": _share(hits, hits + alarms),
        "recall": _share(hits, hits + missed),
        "specificity": _share(quiet, quiet + alarms),
        "f1": _share(2 * hits, 2 * hits + alarms + missed),
        "decided_share": _share(hits + alarms, len(values)),
    }


def binary_metrics(
    scores: Any, label: Any, *, threshold: float | None = None
) -> dict[str, float | None]:
    """Return every metric by name; with a threshold also those of the decisions."""
    values, positive = observed(scores, label)
    found = {
        "auc": auc(values, positive),
        "log_loss": log_loss(values, positive),
        "brier": brier(values, positive),
        "ece": expected_calibration_error(values, positive),
        "average_precision": average_precision(values, positive),
        "mean_score": float(values.mean()) if len(values) else None,
        "base_rate": float(positive.mean()) if len(values) else None,
    }
    if threshold is not None:
        found |= decision_metrics(values, positive, threshold)
    return found


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
