"""Predictions beside their outcomes: matched, late, pending or expired, as known at an instant.

A prediction matures when its label horizon has passed. Until then a missing label says nothing, so
coverage and metrics are taken over matured predictions only; labels that arrive fast (flights that
land early) would flatter or blame the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.stages.monitoring.streams import cut, micros

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa  # noqa: TC004 - never decoded, so never needed when running

STATES = ("matched", "late", "pending", "expired")
"""matched: the label arrived within the horizon. late: after it; counted all the same.
pending: no label yet. expired: no label, and the horizon has passed."""

_MATCHED, _LATE, _PENDING, _EXPIRED = range(4)


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """Predictions with label, arrival and state, and what could not be joined."""

    table: pa.Table
    """The predictions in their order, with `label`, `event_time`, `recorded_at`, `state`,
    `matured`."""
    unknown: int
    """Outcomes whose prediction id is not among the predictions; they are kept in the log."""
    superseded: int
    """Outcomes that a later one of the same id corrected."""
    at_us: int
    horizon_us: int

    def between(self, start_us: int, end_us: int) -> pa.Table:
        """Return the rows with start <= as-of < end."""
        return cut(self.table, "as_of", start_us, end_us)

    def __repr__(self) -> str:
        """Rows and states in one line."""
        states = self.table.column("state").value_counts().to_pylist()
        counts = ", ".join(f"{each['counts']} {each['values']}" for each in states)
        return f"Joined({self.table.num_rows} predictions: {counts}; {self.unknown} unknown)"


def join_outcomes(
    predictions: pa.Table, outcomes: pa.Table, *, at_us: int, horizon_us: int
) -> Joined:
    """Join by prediction id what was known at the instant `at_us`.

    `predictions` has each id once with `as_of`; `outcomes` are all that arrived, in that order. Of
    several outcomes of an id the last to arrive counts. No prediction is lost or doubled.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    last = _last_of_each(outcomes, at_us)
    ids = predictions.column("prediction_id").combine_chunks()
    known = last.column("prediction_id").combine_chunks()
    place = pc.index_in(ids, value_set=known)
    found = {name: last.column(name).take(place) for name in ("label", "event_time", "recorded_at")}
    labelled = np.asarray(place.is_valid())
    horizon_end = micros(predictions, "as_of") + horizon_us
    arrived = pc.fill_null(found["recorded_at"].combine_chunks().view(pa.int64()), 0)
    state = _states(labelled, horizon_end, np.asarray(arrived), at_us)
    joined = predictions
    for name, column in found.items():
        joined = joined.append_column(name, column)
    codes = pa.array(state, type=pa.int8())
    joined = joined.append_column("state", pa.DictionaryArray.from_arrays(codes, pa.array(STATES)))
    joined = joined.append_column("matured", pa.array(horizon_end <= at_us))
    arrivals = int((micros(outcomes, "recorded_at") <= at_us).sum())
    return Joined(
        table=joined,
        unknown=last.num_rows - int(labelled.sum()),
        superseded=arrivals - last.num_rows,
        at_us=at_us,
        horizon_us=horizon_us,
    )


def _states(
    labelled: np.ndarray, horizon_end: np.ndarray, arrived: np.ndarray, at_us: int
) -> np.ndarray:
    import numpy as np

    without = np.where(horizon_end <= at_us, _EXPIRED, _PENDING)
    states: np.ndarray = np.where(
        labelled, np.where(arrived <= horizon_end, _MATCHED, _LATE), without
    ).astype(np.int8)
    return states


def _last_of_each(outcomes: pa.Table, at_us: int) -> pa.Table:
    """Return the outcome of each id that arrived last, not after `at_us`."""
    import numpy as np

    from tondo.stages.monitoring.predictions import id_codes

    arrived = micros(outcomes, "recorded_at")
    order = np.argsort(arrived, kind="stable")
    order = order[: int((arrived <= at_us).sum())]
    codes = id_codes(outcomes.column("prediction_id"))[order]
    # np.unique keeps the first; seen from the end, that is the last to arrive.
    _, from_end = np.unique(codes[::-1], return_index=True)
    return outcomes.take(np.sort(order[len(order) - 1 - from_end]))
