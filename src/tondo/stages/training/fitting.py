"""Learns the fitted functions of the features on the training rows, by the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.language import walk
from tondo.language.fit import fit_all, fit_folds, fold_of
from tondo.stages.training.matrix import feature_matrix

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pyarrow as pa

    from tondo.language.fit import Evaluate
    from tondo.language.tree import Node
    from tondo.ports.engine import Engine


def fit_features(
    features: Mapping[str, Node],
    training: pa.Table,
    *,
    engine: Engine,
    label: np.ndarray | None = None,
) -> dict[str, Node]:
    """Return the features with every fitted call frozen to what the training rows say."""
    plain = None if label is None else label.tolist()
    return dict(fit_all(features, _evaluator(training, engine), label=plain))


def taught_matrix(
    features: Mapping[str, Node],
    matrix: np.ndarray,
    training: pa.Table,
    *,
    engine: Engine,
    label: np.ndarray,
) -> np.ndarray:
    """Return the matrix that a model is fitted on: no row knows its own label.

    `matrix` holds what the frozen features say of the training rows. Where a feature learns from
    the label, each row gets what was learned from the label of other folds (`language/fit.py`).
    """
    import numpy as np

    folds = fit_folds(features, _evaluator(training, engine), label=label.tolist())
    if not folds:
        return matrix
    shown = matrix.copy(order="F")
    fold = np.array([fold_of(row) for row in range(len(label))])
    places = np.array([list(features).index(name) for name in folds[0]])
    for number, trees in enumerate(folds):
        rows = np.flatnonzero(fold == number)
        shown[np.ix_(rows, places)] = feature_matrix(trees, training.take(rows), engine=engine)
    return shown


def _evaluator(training: pa.Table, engine: Engine) -> Evaluate:
    def evaluate(arguments: Mapping[str, Node]) -> dict[str, Any]:
        frame = engine.evaluate(arguments, training)
        return {name: _values(frame.column(name)) for name in arguments}

    return evaluate


def fitted_parameters(features: Mapping[str, Node]) -> dict[str, list[dict[str, Any]]]:
    """Return per feature what its fitted calls learned, innermost first."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, tree in features.items():
        for call in walk.fitted_of(tree):
            entry = {"function": call.function, "options": list(call.options)}
            found.setdefault(name, []).append({**entry, "parameters": call.parameters})
    return found


def _values(column: pa.ChunkedArray) -> Any:
    """Return a column as Python reads it; each distinct text becomes one object only."""
    import numpy as np
    import pyarrow as pa

    if pa.types.is_floating(column.type):
        return column.to_numpy()
    if not pa.types.is_string(column.type):
        return column.to_pylist()
    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    texts = np.array([*encoded.dictionary.to_pylist(), None], dtype=object)
    return texts[encoded.indices.to_numpy(zero_copy_only=False)].tolist()
