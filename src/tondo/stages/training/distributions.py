"""What a package remembers of its training rows' distributions, for drift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.scoring.baseline import Baseline, learn_distribution, write_baseline

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import numpy as np

MOST_ROWS = 50_000
"""Rows counted, evenly spread over time: the noise of ten bins is then far below any limit."""


def baseline_of(
    matrix: np.ndarray,
    names: Sequence[str],
    *,
    categorical: Collection[str],
    scores: np.ndarray,
) -> dict[str, Any]:
    """Return the plain form of the features' and the scores' distributions, bins frozen."""
    rows = spread(matrix, MOST_ROWS)
    features = {
        name: learn_distribution(rows[:, position], categorical=name in categorical)
        for position, name in enumerate(names)
    }
    score = learn_distribution(spread(scores, MOST_ROWS))
    return write_baseline(Baseline(features=features, score=score))


def spread(rows: np.ndarray, most: int) -> np.ndarray:
    """Return up to `most` rows, evenly spread, in their order.

    >>> import numpy as np
    >>> spread(np.arange(10), 4).tolist()
    [0, 3, 6, 9]
    """
    import numpy as np

    if len(rows) <= most:
        return rows
    chosen: np.ndarray = rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]
    return chosen
