"""Arrow columns to the float64 matrix of a model, null as NaN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.core.errors import DefinitionError
from tondo.stages.training.columns import column_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pyarrow as pa

    from tondo.language.tree import Node
    from tondo.ports.engine import Evaluator


def feature_matrix(features: Mapping[str, Node], table: Any, *, engine: Evaluator) -> np.ndarray:
    """Return rows x features as float64, one feature after the other in memory.

    Features are frozen, view-bound trees of type double or bool; TD-TRAIN-003 for another type.
    """
    import numpy as np

    frame = engine.evaluate(features, table)
    matrix = np.empty((frame.num_rows, len(features)), dtype=np.float64, order="F")
    for position, name in enumerate(features):
        fill(matrix[:, position], frame.column(name), name)
    return matrix


def label_vector(table: pa.Table, label: str) -> np.ndarray:
    """Return a label column as float64: 1 for true, 0 for false, NaN for null."""
    import numpy as np

    column = column_of(table, label)
    vector = np.empty(len(column), dtype=np.float64)
    fill(vector, column, label)
    return vector


def fill(target: np.ndarray, column: pa.ChunkedArray, name: str) -> None:
    """Write a column of numbers or truth values into `target`, null as NaN."""
    import pyarrow as pa

    kind = column.type
    if not (pa.types.is_floating(kind) or pa.types.is_boolean(kind) or pa.types.is_integer(kind)):
        example = f"length({name})" if pa.types.is_list(kind) else f"vocab({name}, 50)"
        raise DefinitionError(
            "TD-TRAIN-003",
            f"feature '{name}' is {kind}, which a model cannot read",
            expected="a double or bool",
            fix=f"Turn it into a number, for example {example}.",
            feature=name,
        )
    start = 0
    for chunk in column.chunks:
        if not pa.types.is_floating(kind):
            chunk = chunk.cast(pa.float64())  # noqa: PLW2901 - the same values, as numbers
        target[start : start + len(chunk)] = chunk.to_numpy(zero_copy_only=False)
        start += len(chunk)
