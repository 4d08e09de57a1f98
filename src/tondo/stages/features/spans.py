"""Between which times the rows of a Parquet file lie, and to which times they can matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

    from tondo.stages.features.views import FeatureView

_FIRST, _LAST = -(1 << 63), (1 << 63) - 1
"""No stored time lies before or after these."""


class Span(msgspec.Struct, frozen=True):
    """The least and the greatest time in a file, in microseconds.

    >>> Span(0, 9).matters_to(Span(10, 20), None), Span(21, 30).matters_to(Span(10, 20), None)
    (True, False)
    >>> Span(0, 9).matters_to(Span(10, 20), 1), Span(0, 8).matters_to(Span(10, 20), 1)
    (True, False)
    """

    oldest_us: int
    newest_us: int

    def matters_to(self, rows: Span, reach_us: int | None) -> bool:
        """Say whether an event in this file can count for rows at times in `rows`.

        It can when it is not after the newest row, nor further than `reach_us` before the oldest.
        """
        if self.oldest_us > rows.newest_us:
            return False
        return reach_us is None or self.newest_us >= rows.oldest_us - reach_us


UNKNOWN = Span(_FIRST, _LAST)
"""Matters to every time."""
EMPTY = Span(_LAST, _FIRST)
"""A file without any time."""


def reach_us(view: FeatureView) -> int | None:
    """Return how long after its time an event can still count; None: for ever."""
    if view.kind == "window":
        return max(call.reach_us for call in view.windows.values())
    return view.ttl_us


def span_of(path: Path, column: str | None) -> Span:
    """Return the span of a timestamp column by the file's footer; UNKNOWN where it is silent."""
    import pyarrow as pa
    from pyarrow import parquet

    metadata = parquet.read_metadata(path)
    schema = metadata.schema.to_arrow_schema()
    place = schema.get_field_index(column) if column is not None else -1
    if place < 0 or schema.field(place).type != pa.timestamp("us", tz="UTC"):
        return UNKNOWN
    flat = metadata.schema.names.index(column)
    span = EMPTY
    for group in range(metadata.num_row_groups):
        statistics = metadata.row_group(group).column(flat).statistics
        found = _of_group(statistics, rows=metadata.row_group(group).num_rows)
        span = Span(min(span.oldest_us, found.oldest_us), max(span.newest_us, found.newest_us))
    return span


def _of_group(statistics: Any, *, rows: int) -> Span:
    if rows == 0:
        return EMPTY
    if statistics is None:
        return UNKNOWN
    if statistics.has_min_max:
        return Span(statistics.min_raw, statistics.max_raw)
    all_null = statistics.has_null_count and statistics.null_count == rows
    return EMPTY if all_null else UNKNOWN
