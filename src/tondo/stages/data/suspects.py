"""Suspected label errors by confident learning, from out-of-fold scores.

Northcutt, Jiang, Chuang 2021, Confident Learning: Estimating Uncertainty in Dataset Labels
(JAIR 70), sections 3.1 and 3.2: per-class thresholds, calibrated confident joint, prune by noise
rate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import CallerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np


class SuspectedLabel(msgspec.Struct, frozen=True, kw_only=True):
    """A label that the scores of models that never saw its row speak against."""

    row: int
    """From 0."""
    label: str
    suggested: str
    margin: float
    """Score of the suggested class less that of the label."""

    def __repr__(self) -> str:
        return f"row {self.row}: {self.label}, rather {self.suggested} (by {self.margin:.3f})"


class Suspects(msgspec.Struct, frozen=True, kw_only=True):
    """All suspected labels, the most suspicious first."""

    suspects: tuple[SuspectedLabel, ...]
    scored: int


def suspected_labels(
    labels: Sequence[Any], scores: Any, *, classes: Sequence[Any] | None = None
) -> Suspects:
    """Return the labels to look at again; rows without label or score are left out.

    `scores` are rows x classes, or the probability of the second class alone; `classes` are the
    labels in the order of the scores, sorted unless given. Errors: TD-LABEL-002.

    >>> given = ["a"] * 5 + ["b"] * 5
    >>> suspected_labels(given, [0.1, 0.2, 0.1, 0.2, 0.9, 0.8, 0.9, 0.9, 0.8, 0.9]).suspects
    (row 4: a, rather b (by 0.800),)
    """
    import numpy as np

    known = list(classes) if classes is not None else sorted({e for e in labels if e is not None})
    matrix = _matrix(np.asarray(scores, dtype=float), len(labels), len(known))
    codes = np.array([known.index(each) if each in known else -1 for each in labels])
    if any(code < 0 and each is not None for code, each in zip(codes, labels, strict=True)):
        raise _unfit("a label is not among the classes", f"labels among {known}")
    usable = np.flatnonzero((codes >= 0) & np.isfinite(matrix).all(axis=1))
    chosen = _pruned(codes[usable], matrix[usable], len(known))
    found = [
        SuspectedLabel(
            row=int(usable[row]),
            label=_text(known[codes[usable[row]]]),
            suggested=_text(known[other]),
            margin=margin,
        )
        for row, other, margin in chosen
    ]
    found.sort(key=lambda each: (-each.margin, each.row))
    return Suspects(suspects=tuple(found), scored=len(usable))


def confident_joint(codes: np.ndarray, scores: np.ndarray, count: int) -> np.ndarray:
    """Return how many rows of label i (down) are truly of class j (across), as the paper counts.

    A row counts for the class of highest score among those whose threshold, the mean score of
    the class over the rows labelled so, it reaches; each line is then scaled to the number of
    rows with that label.
    """
    import numpy as np

    joint = np.zeros((count, count))
    thresholds = np.full(count, np.inf)
    for each in range(count):
        own = scores[codes == each, each]
        if len(own):
            thresholds[each] = own.mean()
    # The mean of equal scores may come out above each of them by a rounding.
    reached = scores >= thresholds - 1e-9
    best = np.where(reached, scores, -1.0).argmax(axis=1)
    sure = reached.any(axis=1)
    np.add.at(joint, (codes[sure], best[sure]), 1)
    given = np.bincount(codes, minlength=count).astype(float)
    totals = joint.sum(axis=1)
    empty = totals == 0
    joint[empty, empty.nonzero()[0]] = given[empty]
    scale = np.divide(given, totals, out=np.ones(count), where=~empty)
    calibrated: np.ndarray = joint * scale[:, None]
    return calibrated


def _pruned(codes: np.ndarray, scores: np.ndarray, count: int) -> list[tuple[int, int, float]]:
    """Return (row, other class, margin): for each cell off the diagonal its widest margins."""
    import numpy as np

    if not len(codes):
        return []
    joint = np.rint(confident_joint(codes, scores, count)).astype(int)
    best: dict[int, tuple[int, float]] = {}
    for given in range(count):
        rows = np.flatnonzero(codes == given)
        for other in range(count):
            if given == other or joint[given, other] == 0:
                continue
            margins = scores[rows, other] - scores[rows, given]
            widest = np.argsort(-margins, kind="stable")[: joint[given, other]]
            for place in widest:
                # A label that is itself the likeliest class is no suspect, however noisy its class.
                row, margin = int(rows[place]), float(margins[place])
                if margin > 0 and margin > best.get(row, (0, 0.0))[1]:
                    best[row] = (other, margin)
    return [(row, other, margin) for row, (other, margin) in best.items()]


def _matrix(scores: np.ndarray, rows: int, classes: int) -> np.ndarray:
    import numpy as np

    if scores.ndim == 1 and classes == 2:
        scores = np.column_stack([1.0 - scores, scores])
    if scores.shape != (rows, classes):
        raise _unfit(f"the scores are {' x '.join(map(str, scores.shape))}", f"{rows} x {classes}")
    finite = scores[np.isfinite(scores)]
    if finite.size and (finite.min() < 0 or finite.max() > 1):
        raise _unfit("a score is not from 0 to 1", "probabilities")
    return scores


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _unfit(what: str, expected: str) -> CallerError:
    return CallerError(
        "TD-LABEL-002",
        what,
        expected=expected,
        fix="Hand in out-of-fold probabilities, a row for each row of the table; NaN for none.",
    )
