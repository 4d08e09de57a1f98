"""How a model does on parts of the rows: the most frequent values of a declared column."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import msgspec

from tondo.stages.evaluation.delong import Interval, auc, auc_interval
from tondo.stages.evaluation.metrics import log_loss

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

MIN_ROWS = 100
"""Below this an AUC's interval is wider than +-0.1 and says nothing."""

MOST_VALUES = 12
"""Values shown per column: what fits on a page."""

QUARTERS = 4
"""Numbers with more values than MOST_VALUES are cut at their quartiles."""


class SliceReport(msgspec.Struct, frozen=True, kw_only=True):
    """The metrics of the rows that share one value."""

    column: str
    value: str
    rows: int
    positives: int
    auc: float | None
    auc_interval: Interval | None
    log_loss: float | None


def slice_reports(
    column: str, values: pa.Array, scores: np.ndarray, positive: np.ndarray
) -> list[SliceReport]:
    """Return one report per value with at least MIN_ROWS rows, the largest first."""
    found = []
    for value, chosen in _groups(values):
        part, truth = scores[chosen], positive[chosen]
        found.append(
            SliceReport(
                column=column,
                value=value,
                rows=len(part),
                positives=int(truth.sum()),
                auc=auc(part, truth),
                auc_interval=auc_interval(part, truth),
                log_loss=log_loss(part, truth),
            )
        )
    return found


def _groups(values: pa.Array) -> list[tuple[str, np.ndarray]]:
    """Return (name, row numbers) of the groups that are large enough."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(values.type) and pc.count_distinct(values).as_py() > MOST_VALUES:
        values = _quarters(values)
    encoded = values.dictionary_encode(null_encoding="encode")
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    names = encoded.dictionary.to_pylist()
    counts = np.bincount(codes, minlength=len(names))
    largest = sorted(range(len(names)), key=lambda at: (-counts[at], _name(names[at])))
    return [
        (_name(names[at]), np.flatnonzero(codes == at))
        for at in largest[:MOST_VALUES]
        if counts[at] >= MIN_ROWS
    ]


def _name(value: object) -> str:
    if value is None:
        return "(null)"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _quarters(values: pa.Array) -> pa.Array:
    import numpy as np
    import pyarrow as pa

    numbers = values.to_numpy(zero_copy_only=False)
    present = ~np.isnan(numbers)
    edges = np.unique(np.quantile(numbers[present], np.arange(1, QUARTERS) / QUARTERS))
    limits = [f"{edge:g}" for edge in edges]
    names = [f"below {limits[0]}"]
    names += [f"{low} to {high}" for low, high in itertools.pairwise(limits)]
    names.append(f"{limits[-1]} and more")
    place = np.searchsorted(edges, numbers, side="right")
    return pa.array([names[at] for at in place], mask=~present)
