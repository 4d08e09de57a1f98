"""Scores of the rows of a training set, each by a model that never saw the row.

Fitted functions (fills, vocabularies, scales) are learnt within each fold too, on the very rows
that its model is fitted on; joined features are as of each row's time already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tondo.core.errors import DataError
from tondo.stages.training.choose import choose_library
from tondo.stages.training.columns import column_of, times_of
from tondo.stages.training.fitting import fit_features, taught_matrix
from tondo.stages.training.folds import check_count, group_folds, time_folds
from tondo.stages.training.matrix import feature_matrix, label_vector

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from tondo.ports.progress import Progress
    from tondo.stages.features.resolve import ResolvedFeatures
    from tondo.stages.training.job import Tools
    from tondo.stages.training.spec import ModelSpec


class OutOfFold(NamedTuple):
    """What models said of rows that they never saw."""

    scores: np.ndarray
    """Probability of the positive class by row; NaN of rows without label."""
    folds: np.ndarray
    """By row; -1 of rows without label."""


def out_of_fold_scores(
    spec: ModelSpec,
    table: pa.Table,
    *,
    label: str,
    resolved: ResolvedFeatures,
    tools: Tools,
    folds: int,
    group: str | None = None,
    progress: Progress | None = None,
) -> OutOfFold:
    """Fit the spec once a fold on the other folds' rows, and score the fold's.

    Folds are blocks of time, as the spec's split is by time, or by `group`, a column of which rows
    with one value belong together. Errors: TD-LABEL-003 (too few rows for the folds), TD-TRAIN-001
    (no such column), TD-TRAIN-007 (the rows that one model learns from are of one class only).
    """
    import numpy as np

    check_count(folds)
    target = label_vector(table, label)
    known = np.flatnonzero(~np.isnan(target))
    found = OutOfFold(np.full(len(target), np.nan), np.full(len(target), -1))
    if len(known) == 0:
        raise DataError(
            "TD-TRAIN-002",
            f"no row of {len(target)} has a label",
            expected="labelled rows to learn from",
            fix="Look at the label expression, or wait for outcomes.",
        )
    if group is None:
        found.folds[known] = time_folds(times_of(table, spec.time)[known], folds)
    else:
        found.folds[known] = group_folds(column_of(table.take(known), group).to_pylist(), folds)
    for fold in range(folds):
        if progress is not None:
            progress.advance(fold, folds, f"fold {fold + 1}")
        seen, held = (found.folds >= 0) & (found.folds != fold), found.folds == fold
        _check_classes(target[seen], label, fold)
        found.scores[held] = _scored(
            spec, table.filter(seen), target[seen], table.filter(held), resolved, tools
        )
    return found


def _scored(
    spec: ModelSpec,
    seen: pa.Table,
    target: np.ndarray,
    held: pa.Table,
    resolved: ResolvedFeatures,
    tools: Tools,
) -> np.ndarray:
    library, parameters = choose_library(spec, tools.libraries)
    features = fit_features(resolved.features, seen, engine=tools.engine, label=target)
    matrix = feature_matrix(features, seen, engine=tools.engine)
    fitted = library.fit(
        spec.algorithm,
        parameters,
        taught_matrix(features, matrix, seen, engine=tools.engine, label=target),
        target,
        names=list(features),
        categorical=spec.categorical,
        seed=spec.seed,
        threads=tools.threads,
    )
    return fitted.reference(feature_matrix(features, held, engine=tools.engine))


def _check_classes(target: np.ndarray, label: str, fold: int) -> None:
    positives = int(target.sum())
    if not 0 < positives < len(target):
        raise DataError(
            "TD-TRAIN-007",
            f"all {len(target)} rows beside fold {fold + 1} are of one class ('{label}')",
            expected="rows of both classes beside every fold",
            fix="Ask for fewer folds, or group the rows by a column.",
        )
