"""What one feature alone says of a binary label, and which rows are equal: plain numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

_BINS = 64
"""Parts of equal size that a feature of many values is cut into."""
_PARTS = [at / _BINS for at in range(1, _BINS)]
_LEAST_NULLS = 20


class OneSided(NamedTuple):
    """Rows in which a feature is null, or is known, that are all of one class."""

    state: str
    """`null` or `known`."""
    rows: int
    label: str
    base_rate: float
    """Of that class among all rows."""
    chance: float
    """That all of the rows are of the class when labels are drawn at that rate."""


def auc_of(values: np.ndarray, label: np.ndarray) -> float | None:
    """Return the area under the ROC curve of `values` as scores; ties count half.

    `label` is 0 or 1; None when only one class is there.

    >>> import numpy as np
    >>> auc_of(np.array([1.0, 2.0, 2.0, 3.0]), np.array([0.0, 0.0, 1.0, 1.0]))
    0.875
    """
    import numpy as np

    levels, place = np.unique(values, return_inverse=True)
    return _auc_of_counts(
        np.bincount(place, weights=1 - label, minlength=len(levels)),
        np.bincount(place, weights=label, minlength=len(levels)),
    )


def auc_by_value(values: np.ndarray, label: np.ndarray) -> float | None:
    """Return the AUC of the positive rate of each value, learned on one half of the rows.

    Every second row is scored by the rates of the others, so a feature of many names gains nothing
    from naming its rows. Null is a value; many values are cut into 64 parts of equal size. None
    when a half is of one class only.
    """
    import numpy as np

    place = _places(values)
    size = int(place.max()) + 1
    learned, scored = slice(0, None, 2), slice(1, None, 2)
    rows = np.bincount(place[learned], minlength=size)
    positives = np.bincount(place[learned], weights=label[learned], minlength=size)
    rate = (positives + label[learned].mean()) / (rows + 1)
    return auc_of(rate[place[scored]], label[scored])


def _places(values: np.ndarray) -> np.ndarray:
    """Return each value's place among the values, or among the parts; null has one of its own."""
    import numpy as np

    known = ~np.isnan(values)
    levels = np.unique(values[known])
    if len(levels) > 4 * _BINS:
        # Between two values an infinity would make a NaN; a value itself never does.
        levels = np.unique(np.quantile(values[known], _PARTS, method="lower"))
    place = np.zeros(len(values), dtype=np.int64)
    place[known] = 1 + np.searchsorted(levels, values[known], side="right")
    return place


def _auc_of_counts(negatives: np.ndarray, positives: np.ndarray) -> float | None:
    """Return the AUC from the rows of each class by level, levels in rising order."""
    import numpy as np

    pairs = negatives.sum() * positives.sum()
    if pairs == 0:
        return None
    below = np.cumsum(negatives) - negatives
    return float((positives * (below + negatives / 2)).sum() / pairs)


def nulls_by_chance(values: np.ndarray, label: np.ndarray) -> OneSided | None:
    """Return the nulls, or the known values, of a feature when all are of one class.

    Of the two the less probable; None when both classes have both.
    """
    import numpy as np

    null = np.isnan(values)
    found = []
    for state, chosen in (("null", null), ("known", ~null)):
        rows = int(chosen.sum())
        positives = float(label[chosen].sum())
        if rows < _LEAST_NULLS or rows == len(values) or 0 < positives < rows:
            continue
        rate = float(label.mean() if positives else 1 - label.mean())
        chance = math.exp(rows * math.log(rate)) if rate else 0.0
        found.append(OneSided(state, rows, "positive" if positives else "negative", rate, chance))
    return min(found, key=lambda each: each.chance) if found else None


def equal_bits(matrix: np.ndarray) -> np.ndarray:
    """Return 64 bits for each row, equal for rows of equal numbers; nulls equal, 0.0 and -0.0 too.

    Two rows of a million that differ get the same bits with a chance below one in 10^7 (a product
    of the finaliser of splitmix64; Steele, Lea, Flood 2014).
    """
    import numpy as np

    bits = np.zeros(len(matrix), dtype=np.uint64)
    for place in range(matrix.shape[1]):
        column = matrix[:, place] + 0.0
        column = np.where(np.isnan(column), np.nan, column)
        mixed = bits * np.uint64(0x9E3779B97F4A7C15) + column.view(np.uint64)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        bits = mixed ^ (mixed >> np.uint64(31))
    return bits
