"""Closed segments of a stream as Parquet blobs, and the columns of them that were read lately."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

import msgspec

from tondo.core.instants import format_instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from tondo.ports.blobs import Blobs

SEGMENT_KIND = "log_segment"


class LogSegment(msgspec.Struct, frozen=True, kw_only=True):
    """A closed segment as a Parquet blob; the body of a `log_segment` record."""

    stream: str
    segment: str
    blob: str
    """Digest of the Parquet file."""
    rows: int
    first_us: int | None
    """Smallest time of its rows; None when it has none."""
    last_us: int | None

    @property
    def id(self) -> str:
        """The record's id."""
        return f"{self.stream}:{self.segment}"

    def overlaps(self, start_us: int | None, end_us: int | None) -> bool:
        """Tell whether it may hold rows with start <= time < end."""
        if self.first_us is None or self.last_us is None:
            return False
        after = start_us is None or self.last_us >= start_us
        return after and (end_us is None or self.first_us < end_us)

    def __repr__(self) -> str:
        """Stream, segment, rows and times in one line."""
        times = ""
        if self.first_us is not None and self.last_us is not None:
            times = f", {format_instant(self.first_us)} to {format_instant(self.last_us)}"
        return f"LogSegment({self.id}, {self.rows} rows{times})"


class SegmentColumns:
    """Reads columns of compacted segments, and keeps those that were read last.

    A segment never changes, and trailing windows read the same two or three again and again.
    Threads may share it.
    """

    def __init__(self, blobs: Blobs, *, most_bytes: int | None = None) -> None:
        self._blobs = blobs
        self._most_bytes = _KEPT_BYTES if most_bytes is None else most_bytes
        self._kept: OrderedDict[tuple[str, str], pa.ChunkedArray] = OrderedDict()
        self._lock = Lock()

    @property
    def kept_bytes(self) -> int:
        """Size of the columns that are kept."""
        return sum(each.nbytes for each in self._kept.values())

    def read(self, segment: LogSegment, columns: Sequence[str]) -> pa.Table:
        """Return columns of a segment in that order; what is not kept is read from its blob."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        with self._lock:
            missing = [each for each in columns if (segment.blob, each) not in self._kept]
            found = {
                each: self._again(segment.blob, each) for each in columns if each not in missing
            }
            if missing:
                path = self._blobs.local_path(segment.blob)
                table = pq.ParquetFile(path).read(columns=missing)
                for name in missing:
                    found[name] = table.column(name)
                    self._keep((segment.blob, name), found[name])
        return pa.table({each: found[each] for each in columns})

    def keep(self, segment: LogSegment, table: pa.Table) -> None:
        """Keep columns of a segment that was just written: trailing windows read it next."""
        with self._lock:
            for name in table.column_names:
                self._keep((segment.blob, name), table.column(name))

    def _again(self, blob: str, column: str) -> pa.ChunkedArray:
        self._kept.move_to_end((blob, column))
        return self._kept[blob, column]

    def _keep(self, place: tuple[str, str], column: pa.ChunkedArray) -> None:
        if column.nbytes > self._most_bytes // _SHARE:
            return
        self._kept[place] = column
        while self.kept_bytes > self._most_bytes:
            self._kept.popitem(last=False)


def parquet_bytes(table: pa.Table) -> bytes:
    """Return a table as a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    # Only columns of few values gain from a dictionary; ids and scores lose time by it.
    few = [each.name for each in table.schema if each.name in _FEW_VALUES]
    pq.write_table(table, sink, compression="zstd", use_dictionary=few, row_group_size=_GROUP_ROWS)
    data: bytes = sink.getvalue().to_pybytes()
    return data


_KEPT_BYTES = 48 << 20
"""Columns that are kept of one stream: what 28 days of 4,000 predictions a day are judged by,
vectors of 20 features among it, three times."""
_SHARE = 4
"""A column larger than this part of what is kept would push out all that is read each time."""
_GROUP_ROWS = 8_192
"""Rows of one row group: what is read to show one of them."""
_FEW_VALUES = frozenset({"deployment", "variant", "model", "model_version_id", "purpose", "error"})
