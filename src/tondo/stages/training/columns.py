"""Columns of a training set's table, each refused with a code when it is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.errors import DataError, near

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


def times_of(table: pa.Table, time: str) -> np.ndarray:
    """Return a time column as int64 microseconds; TD-TRAIN-001 when absent or with nulls."""
    import pyarrow as pa

    column = column_of(table, time)
    if column.null_count:
        raise DataError(
            "TD-TRAIN-001",
            f"{column.null_count} rows have no '{time}'",
            expected="the instant of prediction in every row",
            fix="Leave these rows out of the source, or name another time column.",
        )
    micros: np.ndarray = column.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_numpy()
    return micros


def column_of(table: pa.Table, name: str) -> pa.ChunkedArray:
    """Return a column; TD-TRAIN-001 with near names when the table lacks it."""
    if name not in table.column_names:
        raise DataError(
            "TD-TRAIN-001",
            f"the training set has no column '{name}'",
            fix=near(name, table.column_names),
            column=name,
        )
    return table.column(name)
