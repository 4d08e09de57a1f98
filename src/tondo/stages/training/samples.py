"""Sample rows with the answers a package must give for them, wherever it is loaded."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tondo.scoring.package import Sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pyarrow as pa

    from tondo.ports.runtime import Runtime

SAMPLES = 20
"""Enough to meet every feature with and without a value; they are scored again at each load."""


def sample_rows(
    table: pa.Table, matrix: np.ndarray, columns: Sequence[str], *, runtime: Runtime
) -> list[Sample]:
    """Return up to SAMPLES rows, evenly spread, with vector and score.

    `columns` are the inputs and fetched features; `matrix` holds the vectors of the same rows.
    """
    import numpy as np

    places = np.unique(np.linspace(0, len(matrix) - 1, SAMPLES * 2).astype(np.int64))
    rows = plain_rows(table.select(list(columns)).take(places))
    kept = [at for at, row in enumerate(rows) if not _holds_infinity(row)]
    kept = kept[:: max(1, len(kept) // SAMPLES)][:SAMPLES]
    return [_sample(rows[at], matrix[places[at]].tolist(), runtime) for at in kept]


def plain_rows(table: pa.Table) -> list[dict[str, Any]]:
    """Return rows as the row compiler reads them: times in microseconds, dates in days.

    NaN becomes None, which the language reads it as, so that the rows have a JSON form.
    """
    import pyarrow as pa

    columns: dict[str, list[Any]] = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())  # noqa: PLW2901
        elif pa.types.is_date(column.type):
            column = column.cast(pa.date32()).cast(pa.int32())  # noqa: PLW2901 - the same values
        columns[name] = [_plain(value) for value in column.to_pylist()]
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _holds_infinity(row: dict[str, Any]) -> bool:
    return any(isinstance(value, float) and math.isinf(value) for value in row.values())


def _sample(row: dict[str, Any], vector: list[float], runtime: Runtime) -> Sample:
    return Sample(
        row=row,
        vector=[None if math.isnan(value) else value for value in vector],
        score=runtime.predict_row(vector),
    )
