"""Rows cut into folds, so that each can be scored by a model that never saw it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.core.errors import CallerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

MOST_FOLDS = 50
"""More trainings than these say nothing new."""


def time_folds(instants: np.ndarray, count: int) -> np.ndarray:
    """Return each row's fold: blocks of time of about as many rows; rows of an instant stay one.

    TD-LABEL-003 when there are fewer instants than folds.

    >>> import numpy as np
    >>> time_folds(np.array([5, 1, 2, 2, 9, 7]), 3).tolist()
    [1, 0, 1, 1, 2, 2]
    """
    import numpy as np

    check_count(count)
    ordered = np.sort(instants)
    edges = np.unique(ordered[[len(ordered) * at // count for at in range(1, count)]])
    folds: np.ndarray = np.searchsorted(edges, instants, side="right")
    _check_filled(folds, count, "distinct instants")
    return folds


def group_folds(groups: Sequence[Any], count: int) -> np.ndarray:
    """Return each row's fold: rows of a group stay one, the largest groups are dealt first.

    A null is a group as any other. TD-LABEL-003 when there are fewer groups than folds.

    >>> group_folds(["a", "b", "a", "c", "b", "a"], 2).tolist()
    [0, 1, 0, 1, 1, 0]
    """
    import numpy as np

    check_count(count)
    sizes: dict[Any, int] = {}
    for each in groups:
        sizes[each] = sizes.get(each, 0) + 1
    filled = [0] * count
    fold_of: dict[Any, int] = {}
    for group in sorted(sizes, key=lambda group: -sizes[group]):
        fold = filled.index(min(filled))
        fold_of[group] = fold
        filled[fold] += sizes[group]
    folds = np.array([fold_of[each] for each in groups], dtype=np.int64)
    _check_filled(folds, count, "groups")
    return folds


def check_count(count: int) -> None:
    """Refuse a number of folds that cannot be (TD-LABEL-003)."""
    if not 2 <= count <= MOST_FOLDS:
        raise CallerError(
            "TD-LABEL-003",
            f"{count} folds were asked for",
            expected=f"2 to {MOST_FOLDS} folds; 5 are usual",
            fix="With more folds each model sees more of the rows, and there are more of them.",
            folds=count,
        )


def _check_filled(folds: np.ndarray, count: int, what: str) -> None:
    import numpy as np

    found = len(np.unique(folds))
    if found < count:
        raise CallerError(
            "TD-LABEL-003",
            f"the labelled rows have too few {what} for {count} folds: {found} would have rows",
            expected="a row at least in every fold",
            fix="Ask for fewer folds, or label more rows.",
            folds=count,
        )
