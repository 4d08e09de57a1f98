"""Scores of a piece of a table: features by the engine, one call of the model.

Where the engine refuses a piece for one of its rows, the rows are computed one by one, by the
function that scorers run, so that only the bad ones go without a score.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tondo.core.errors import DataError, TondoError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from tondo.ports.engine import Evaluator
    from tondo.scoring.model import LoadedModel

NO_NUMBER = "TD-SCORE-013"


class Scores(NamedTuple):
    """What a model answered for the rows of a piece, in their order."""

    values: np.ndarray
    """float64, NaN where there is an error."""
    errors: list[str | None]
    """Codes."""


def score_piece(model: LoadedModel, rows: pa.Table, *, engine: Evaluator) -> Scores:
    """Score rows that hold the model's request columns and view features."""
    import numpy as np

    from tondo.stages.training.matrix import feature_matrix

    errors: list[str | None] = [None] * rows.num_rows
    try:
        matrix = feature_matrix(model.contents.features, rows, engine=engine)
    except DataError:
        matrix = _row_by_row(model, rows, errors)
    values = np.array(model.score_matrix(matrix), dtype=np.float64)
    for at in np.flatnonzero(~np.isfinite(values)):
        errors[at] = errors[at] or NO_NUMBER
    values[[at for at, error in enumerate(errors) if error is not None]] = np.nan
    return Scores(values, errors)


def no_scores() -> Scores:
    """Return the scores of no rows."""
    import numpy as np

    return Scores(np.empty(0), [])


def _row_by_row(model: LoadedModel, rows: pa.Table, errors: list[str | None]) -> np.ndarray:
    import numpy as np

    from tondo.stages.features.newest_rows import plain_values

    names = rows.column_names
    columns = [plain_values(rows, name) for name in names]
    matrix = np.full((rows.num_rows, len(model.contents.features)), np.nan)
    for at, values in enumerate(zip(*columns, strict=True)):
        row: dict[str, Any] = dict(zip(names, values, strict=True))
        try:
            matrix[at] = model.vector(row)
        except TondoError as error:
            errors[at] = error.code
    return matrix
