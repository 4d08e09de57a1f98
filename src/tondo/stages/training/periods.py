"""Which rows of a training set are learned from and which are held back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import CallerError, DataError
from tondo.stages.training.columns import column_of, times_of
from tondo.stages.training.held_back import (
    TEST,
    TRAINING,
    VALIDATION,
    nothing_held_back,
    parts_of,
    time_boundaries,
)

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
    """The parts of a training set, each in order of time, rows without label left out."""

    training: pa.Table
    validation: pa.Table
    """Empty when nothing was held back."""
    test: pa.Table
    """Empty when the split asks for none."""
    unlabelled: int
    """Rows left out because their label is null."""
    first_us: int
    last_training_us: int
    """Instant of the newest row that is learned from."""
    boundary_us: int | None
    """First instant held back; None when nothing was, or not by time."""

    @property
    def judged(self) -> pa.Table:
        """The rows that the report is about: test where there is one, else validation."""
        return self.test if self.test.num_rows else self.validation


def split_rows(
    table: pa.Table, *, time: str, label: str, split: Split, period: Period, row_id: str
) -> SplitRows:
    """Cut a training set's rows into parts; what a period says of time comes before the split.

    Errors: TD-TRAIN-001 (no such column), -002 (nothing to learn from), -006 (the period
    contradicts itself), -010 (no name of a part), -011 (a part that was asked for has no row).
    """
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
    part, boundary = _parts(table, chosen, ordered, split=split, period=period, row_id=row_id)
    learned = ordered[part == TRAINING]
    if len(learned) == 0:
        raise _nothing_left(len(table), int(inside.sum()), len(ordered))
    return SplitRows(
        training=_rows(table, chosen[part == TRAINING]),
        validation=_rows(table, chosen[part == VALIDATION]),
        test=_rows(table, chosen[part == TEST]),
        unlabelled=int((inside & ~known).sum()),
        first_us=int(learned[0]),
        last_training_us=int(learned[-1]),
        boundary_us=boundary,
    )


def _parts(
    table: pa.Table,
    chosen: np.ndarray,
    ordered: np.ndarray,
    *,
    split: Split,
    period: Period,
    row_id: str,
) -> tuple[np.ndarray, int | None]:
    """Return the part of each chosen row, and the first instant held back by time."""
    import numpy as np

    part = np.full(len(chosen), TRAINING, dtype=np.int8)
    if period.everything or len(chosen) == 0:
        return part, None
    if period.train_until_us is not None:
        part[ordered >= period.train_until_us] = VALIDATION
        return part, period.train_until_us
    if split.by == "time":
        boundary, test = time_boundaries(ordered, split)
        part[ordered >= boundary] = VALIDATION
        if test is not None:
            part[ordered >= test] = TEST
    else:
        boundary = None
        part = parts_of(table.take(chosen), split, row_id=row_id)
    if not (part == VALIDATION).any():
        raise nothing_held_back("validation", split)
    if split.test is not None and not (part == TEST).any():
        raise nothing_held_back("test", split)
    return part, boundary


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
