"""Which rows of a training set are learned from and which are held back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from tondo.core.durations import parse_duration_us
from tondo.core.errors import CallerError, DataError, near

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from tondo.stages.training.spec import Split


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds on the rows' time; instants are microseconds UTC, lower bounds belong, upper do not.

    Without bounds the spec's split decides. `train_until_us` holds back everything from there on;
    `everything` holds nothing back, for the refit of a model that was judged already.
    """

    from_us: int | None = None
    train_until_us: int | None = None
    until_us: int | None = None
    everything: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitRows:
    """The two parts of a training set, each in order of time, rows without label left out."""

    training: pa.Table
    validation: pa.Table
    """Empty when nothing was held back."""
    unlabelled: int
    """Rows left out because their label is null."""
    first_us: int
    last_training_us: int
    """Instant of the newest row that is learned from."""
    boundary_us: int | None
    """First instant held back; None when nothing was."""


def split_rows(
    table: pa.Table, *, time: str, label: str, split: Split, period: Period
) -> SplitRows:
    """Cut a training set's rows by time; TD-TRAIN-002 when no row is left to learn from."""
    import numpy as np

    if period.everything and period.train_until_us is not None:
        raise CallerError(
            "TD-TRAIN-006",
            "a period holds everything and also ends its training rows",
            expected="everything, or train_until_us, not both",
        )
    instants = times_of(table, time)
    inside = np.ones(len(instants), dtype=np.bool_)
    if period.from_us is not None:
        inside &= instants >= period.from_us
    if period.until_us is not None:
        inside &= instants < period.until_us
    known = ~_nulls(table, label)
    chosen = np.flatnonzero(inside & known)
    chosen = chosen[np.argsort(instants[chosen], kind="stable")]
    ordered = instants[chosen]
    boundary = _boundary(ordered, split, period)
    cut = len(ordered) if boundary is None else int(np.searchsorted(ordered, boundary))
    if cut == 0:
        raise _nothing_left(len(table), int(inside.sum()), len(ordered))
    return SplitRows(
        training=_rows(table, chosen[:cut]),
        validation=_rows(table, chosen[cut:]),
        unlabelled=int((inside & ~known).sum()),
        first_us=int(ordered[0]),
        last_training_us=int(ordered[cut - 1]),
        boundary_us=boundary,
    )


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


def _boundary(ordered: np.ndarray, split: Split, period: Period) -> int | None:
    if period.everything or len(ordered) == 0:
        return None
    if period.train_until_us is not None:
        return period.train_until_us
    if isinstance(split.validation, str):
        return int(ordered[-1]) - parse_duration_us(split.validation) + 1
    # The instant of the row at the share: rows of one instant are never torn apart.
    return int(ordered[min(int(len(ordered) * (1 - split.validation)), len(ordered) - 1)])


def _rows(table: pa.Table, chosen: np.ndarray) -> pa.Table:
    """Return the rows in this order, without a copy where they lie side by side."""
    import numpy as np
    import pyarrow as pa

    if len(chosen) == 0:
        return table.slice(0, 0)
    if chosen[-1] - chosen[0] + 1 == len(chosen) and (np.diff(chosen) == 1).all():
        return table.slice(int(chosen[0]), len(chosen))
    return table.take(pa.array(chosen))


def _nulls(table: pa.Table, name: str) -> np.ndarray:
    nulls: np.ndarray = column_of(table, name).is_null(nan_is_null=True).to_numpy()
    return nulls


def _nothing_left(rows: int, inside: int, labelled: int) -> DataError:
    return DataError(
        "TD-TRAIN-002",
        f"no row is left to learn from: of {rows} rows {inside} lie in the period, "
        f"{labelled} of them have a label, and all of these are held back",
        expected="labelled rows before the held-back ones",
        fix="Widen the period, or hold back a shorter time (split.validation).",
    )
