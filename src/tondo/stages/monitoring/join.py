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

    places, distinct = _last_places(predictions, outcomes, at_us)
    labelled = places >= 0
    place = pa.array(places, mask=~labelled)
    found = {
        name: outcomes.column(name).take(place) for name in ("label", "event_time", "recorded_at")
    }
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
        unknown=distinct - int(labelled.sum()),
        superseded=arrivals - distinct,
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


def _last_places(predictions: pa.Table, outcomes: pa.Table, at_us: int) -> tuple[np.ndarray, int]:
    """Return for each prediction the place of its outcome that arrived last, not after `at_us`.

    -1 where there is none; and how many ids such outcomes have.
    """
    import numpy as np
    import pyarrow as pa

    from tondo.stages.monitoring.predictions import id_codes

    ids = [*outcomes.column("prediction_id").chunks, *predictions.column("prediction_id").chunks]
    # Coded together, texts are hashed once, and the rest is done by whole numbers.
    codes = id_codes(pa.chunked_array(ids, type=pa.string()))
    arrived = micros(outcomes, "recorded_at")
    order = np.argsort(arrived, kind="stable")
    order = order[: int((arrived <= at_us).sum())]
    last = np.full(int(codes.max(initial=-1)) + 1, -1, dtype=np.int64)
    # Of several that are written to one place the last one stays.
    last[codes[: len(arrived)][order]] = order
    found: np.ndarray = last[codes[len(arrived) :]]
    return found, int((last >= 0).sum())
