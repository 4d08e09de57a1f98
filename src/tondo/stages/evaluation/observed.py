"""Scores beside what came true: the checked input of every metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.core.errors import DataError

if TYPE_CHECKING:
    import numpy as np


def observed(scores: Any, label: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return scores as float64 and labels as bool, both of one length.

    TD-EVAL-001 when the lengths differ, a score is not finite or a label is neither 0 nor 1.
    """
    import numpy as np

    values = np.asarray(scores, dtype=np.float64)
    truth = np.asarray(label)
    if values.ndim != 1 or values.shape != truth.shape:
        raise _unusable(f"{values.shape} scores stand beside {truth.shape} labels", "one for one")
    if not np.isfinite(values).all():
        missing = int((~np.isfinite(values)).sum())
        raise _unusable(f"{missing} of {len(values)} scores are not finite", "finite scores")
    if truth.dtype != np.bool_:
        if not np.isin(truth, (0, 1)).all():
            raise _unusable("a label is neither 0 nor 1", "true/false or 1/0, nulls left out")
        truth = truth.astype(np.bool_)
    return values, truth


def _unusable(what: str, expected: str) -> DataError:
    return DataError(
        "TD-EVAL-001",
        f"these rows cannot be judged: {what}",
        expected=expected,
        fix="Look at the label expression and at the rows the model was given.",
    )
