"""What a loaded model's answers cost, measured when it is loaded."""

from __future__ import annotations

import struct
from statistics import median
from time import perf_counter_ns
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tondo.scoring.model import LoadedModel

HOLD_NS = 2_000_000
"""What holds the event loop for longer is answered in another thread: 2 ms is what one-row requests
of others may wait without anybody noticing."""

_ROWS = 32
_ROUNDS = 5
_BYTES_OF_NULL = 16
"""A column that no sample shows: its name, a number and what stands between."""


class Cost(msgspec.Struct, frozen=True):
    """Nanoseconds of the runtime, and bytes of a row's JSON."""

    row_ns: int
    """One row alone."""
    table_row_ns: int
    """One row of a table."""
    row_bytes: int

    @property
    def slow(self) -> bool:
        """Whether even one row holds the event loop for too long."""
        return self.row_ns > HOLD_NS

    @property
    def most_bytes(self) -> int:
        """The size of a body above which it holds the event loop for too long."""
        return self.row_bytes * max(1, HOLD_NS // max(1, self.table_row_ns))


def cost_of(model: LoadedModel) -> Cost:
    """Measure a model on its first sample, or on zeros; takes a few rows' time."""
    contents = model.contents
    width = len(contents.features)
    values = [0.0] * width if not contents.samples else model.vector(contents.samples[0].row)
    packed = struct.pack(f"<{width}d", *values)
    row_ns = _typical(lambda: model.score_packed(packed))
    table_row_ns = row_ns
    if row_ns < HOLD_NS:  # of a slower model every request leaves the loop
        table_row_ns = _typical(lambda: model.score_packed_table([packed] * _ROWS)) // _ROWS
    shown = contents.samples[0].row if contents.samples else dict.fromkeys(contents.inputs)
    row_bytes = len(msgspec.json.encode(shown)) + _BYTES_OF_NULL
    return Cost(row_ns=row_ns, table_row_ns=max(table_row_ns, 1), row_bytes=row_bytes)


def worst(costs: Sequence[Cost]) -> Cost:
    """Return the highest of each, which is what a request may meet."""
    return Cost(
        row_ns=max(each.row_ns for each in costs),
        table_row_ns=max(each.table_row_ns for each in costs),
        row_bytes=min(each.row_bytes for each in costs),
    )


def _typical(call: Callable[[], object]) -> int:
    """Return the median time of a few calls; of a slow one, the first will do."""
    times: list[int] = []
    for _ in range(_ROUNDS):
        start = perf_counter_ns()
        call()
        times.append(perf_counter_ns() - start)
        if times[0] > _ROUNDS * HOLD_NS:
            break
    return int(median(times))
