"""Learns the fitted functions of the features on the training rows, by the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.language import walk
from tondo.language.fit import fit_all

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from tondo.language.tree import Node
    from tondo.ports.engine import Engine


def fit_features(
    features: Mapping[str, Node], training: pa.Table, *, engine: Engine
) -> dict[str, Node]:
    """Return the features with every fitted call frozen to what the training rows say."""

    def evaluate(arguments: Mapping[str, Node]) -> dict[str, Any]:
        frame = engine.evaluate(arguments, training)
        return {name: _values(frame.column(name)) for name in arguments}

    return dict(fit_all(features, evaluate))


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
