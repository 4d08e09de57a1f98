"""Which rows of a spine take part in a training set; the others are counted by what kept them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tondo.core.instants import from_micros

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(kw_only=True, slots=True)
class TakingPart:
    """The rule, and the counts of the tables that it has seen so far."""

    time: str
    label: str | None
    label_known_at: str | None
    from_us: int | None
    until_us: int | None
    spine_rows: int = 0
    unlabelled: int = 0
    label_known_early: int = 0
    left_out_by_time: int = 0
    left_out_label_later: int = 0

    def rows_of(self, table: pa.Table) -> pa.Table:
        """Return the rows of a joined table that take part."""
        in_time = self._in_time(table)
        rows = self._in_reach(in_time)
        self.spine_rows += table.num_rows
        self.left_out_by_time += table.num_rows - in_time.num_rows
        self.left_out_label_later += in_time.num_rows - rows.num_rows
        self.unlabelled += rows.num_rows if self.label is None else rows[self.label].null_count
        self.label_known_early += self._known_early(rows)
        return rows

    def _in_time(self, table: pa.Table) -> pa.Table:
        from pyarrow import compute

        if self.from_us is not None:
            start = from_micros(self.from_us)
            table = _where(table, compute.greater_equal(table.column(self.time), start))
        if self.until_us is not None:
            end = from_micros(self.until_us)
            table = _where(table, compute.less_equal(table.column(self.time), end))
        return table

    def _in_reach(self, table: pa.Table) -> pa.Table:
        from pyarrow import compute

        if self.until_us is None or self.label_known_at is None:
            return table
        known = compute.less_equal(table.column(self.label_known_at), from_micros(self.until_us))
        # A label that never became known is null and no reason to lose the row.
        return _where(table, compute.fill_null(known, True))

    def _known_early(self, table: pa.Table) -> int:
        from pyarrow import compute

        if self.label_known_at is None:
            return 0
        early = compute.less_equal(table.column(self.label_known_at), table.column(self.time))
        return int(compute.sum(early, min_count=0).as_py())


def _where(table: pa.Table, mask: pa.ChunkedArray) -> pa.Table:
    """Return the rows whose mask is true; the table itself, not a copy, where all are."""
    from pyarrow import compute

    everywhere = mask.null_count == 0 and compute.all(mask, min_count=0).as_py()
    return table if everywhere else table.filter(mask)
