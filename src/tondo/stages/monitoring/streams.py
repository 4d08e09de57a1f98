"""A stream of the event log as a table: closed segments from Parquet, live ones decoded.

Compacting a segment is idempotent: its blob is named by its digest and its record by stream and
segment, so a kill between the two leaves a blob that nobody names, and the next run makes it good.
"""

from __future__ import annotations

from threading import RLock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tondo.ports.engine import FileTable
from tondo.stages.monitoring.segments import (
    SEGMENT_KIND,
    LogSegment,
    SegmentColumns,
    parquet_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import numpy as np
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    from tondo.ledger.ledger import Ledger
    from tondo.ports.blobs import Blobs
    from tondo.ports.eventlog import EventLog


class Codec(NamedTuple):
    """How the frames of one kind of stream become a table."""

    decode: Callable[[Iterable[bytes]], pa.Table]
    """Payloads in order to rows in order; columns of `late` stay as they were logged."""
    time: str
    """The timestamp column by which tables are cut."""
    columns: Mapping[str, str]
    """Column name to column type, for engines that read the files."""
    late: Mapping[str, Callable[[pa.ChunkedArray], pa.Array]] = MappingProxyType({})
    """Columns that are dear to read: what reads them once somebody asks."""

    def finish(self, table: pa.Table) -> pa.Table:
        """Return decoded rows with their late columns read."""
        for name, read in self.late.items():
            if name in table.column_names:
                place = table.column_names.index(name)
                table = table.set_column(place, name, read(table.column(name)))
        return table


class StreamTable:
    """One stream as a table that grows.

    An instance keeps the rows of live segments it has decoded, so that reading again costs only
    what is new. Threads may share it; they read one after the other.
    """

    def __init__(
        self, stream: str, codec: Codec, *, eventlog: EventLog, ledger: Ledger, blobs: Blobs
    ) -> None:
        self.stream = stream
        self._codec = codec
        self._eventlog = eventlog
        self._ledger = ledger
        self._blobs = blobs
        self._columns = SegmentColumns(blobs)
        self._compacted: dict[str, LogSegment] = {}
        self._live: dict[str, list[pa.Table]] = {}
        self._offsets: dict[str, int] = {}
        self._searched: dict[tuple[str, str], pa.ChunkedArray] = {}
        self._lock = RLock()

    def __repr__(self) -> str:
        """Name the stream."""
        return f"StreamTable({self.stream})"

    def compact(self) -> list[LogSegment]:
        """Turn every closed segment that is none yet into a Parquet blob; return the new ones."""
        with self._lock:
            done = self.compacted()
            made = [
                self._compact(each.name)
                for each in self._eventlog.segments(self.stream)
                if each.closed and each.name not in done
            ]
            self._compacted = {**done, **{each.segment: each for each in made}}
            return made

    def compacted(self) -> Mapping[str, LogSegment]:
        """Return the compacted segments by name, in the order in which they were begun."""
        records = self._ledger.records(SEGMENT_KIND, where={"stream": self.stream})
        if len(records) > len(self._compacted):
            found = [msgspec.convert(each.body, LogSegment) for each in records]
            self._compacted = {each.segment: each for each in sorted(found, key=_name)}
        return self._compacted

    def read(
        self,
        *,
        start_us: int | None = None,
        end_us: int | None = None,
        columns: Sequence[str] | None = None,
    ) -> pa.Table:
        """Return the rows with start <= time < end, compacted and live, in the order logged."""
        import pyarrow as pa

        done, time = self.compacted(), self._codec.time
        names = self._names(columns)
        parts = {
            name: cut(self._columns.read(each, names), time, start_us, end_us)
            for name, each in done.items()
            if each.overlaps(start_us, end_us)
        }
        for name, table in self._read_live(done).items():
            # Cut first: late columns are then read of the rows that are asked for.
            parts[name] = self._codec.finish(cut(table.select(names), time, start_us, end_us))
        tables = [parts[name] for name in sorted(parts)]
        whole = pa.concat_tables(tables) if tables else self._empty(names)
        return whole if columns is None else whole.select(list(columns))

    def find(
        self,
        column: str,
        value: str,
        *,
        start_us: int | None = None,
        end_us: int | None = None,
        columns: Sequence[str] | None = None,
        all_segments: bool = False,
    ) -> pa.Table:
        """Return the rows whose text `column` is `value`, of the newest segment that has any.

        Only that column is read until it is found. `all_segments` goes through those that may
        hold rows with start <= time < end to the oldest, and returns every such row.
        """
        import pyarrow as pa

        done = self.compacted()
        live = self._read_live(done)
        names = self._names(columns)
        found = []
        for name in sorted({*done, *live}, reverse=True):
            if name in live:
                rows = rows_with(live[name], column, value).select(names)
                rows = self._codec.finish(rows)
            elif done[name].overlaps(start_us, end_us):
                rows = self._find_in_blob(done[name], column, value, names)
            else:
                continue
            rows = cut(rows, self._codec.time, start_us, end_us)
            if rows.num_rows:
                found.append(rows)
                if not all_segments:
                    break
        return pa.concat_tables(found[::-1]) if found else self._empty(names)

    def span(self) -> tuple[int, int] | None:
        """Return the smallest and the largest time of all rows, or None when there are none."""
        done = self.compacted()
        ends = [(each.first_us, each.last_us) for each in done.values()]
        ends += [_span(each, self._codec.time) for each in self._read_live(done).values()]
        firsts = [first for first, _ in ends if first is not None]
        lasts = [last for _, last in ends if last is not None]
        return (min(firsts), max(lasts)) if firsts else None

    def newest_us(self, segment: str, column: str) -> int | None:
        """Return the largest instant of a column of a compacted segment; None without rows."""
        table = self._columns.read(self.compacted()[segment], [column])
        return int(micros(table, column).max()) if table.num_rows else None

    def files(self) -> FileTable:
        """Return the compacted part as Parquet files, for an engine that reads them itself."""
        paths = tuple(self._blobs.local_path(each.blob) for each in self.compacted().values())
        return FileTable(paths=paths, columns=dict(self._codec.columns))

    def _names(self, columns: Sequence[str] | None) -> list[str]:
        """Return the columns to read: those that are asked for, and the time."""
        asked = self._codec.columns if columns is None else columns
        return list(dict.fromkeys([*asked, self._codec.time]))

    def _empty(self, names: Sequence[str]) -> pa.Table:
        return self._codec.finish(self._codec.decode([]).select(list(names)))

    def _find_in_blob(
        self, segment: LogSegment, column: str, value: str, names: Sequence[str]
    ) -> pa.Table:
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        file = pq.ParquetFile(self._blobs.local_path(segment.blob))
        held = pc.equal(self._values(segment, file, column), value)
        if not pc.any(held).as_py():
            return self._empty(names)
        parts, begin = [], 0
        for group in range(file.num_row_groups):
            of_group = held.slice(begin, file.metadata.row_group(group).num_rows)
            begin += len(of_group)
            if pc.any(of_group).as_py():
                parts.append(file.read_row_group(group, columns=list(names)).filter(of_group))
        return pa.concat_tables(parts)

    def _values(self, segment: LogSegment, file: ParquetFile, column: str) -> pa.ChunkedArray:
        """Return a column of a compacted segment; the first that are asked for are kept."""
        name = (segment.segment, column)
        if name not in self._searched:
            values = file.read(columns=[column]).column(0)
            with self._lock:
                if sum(map(len, self._searched.values())) + len(values) > _SEARCHED_ROWS:
                    return values
                self._searched[name] = values
        return self._searched[name]

    def _read_live(self, done: Mapping[str, LogSegment]) -> dict[str, pa.Table]:
        """Return the rows of the segments that are no blobs yet, by name."""
        import pyarrow as pa

        with self._lock:
            names = [each.name for each in self._eventlog.segments(self.stream)]
            for name in [each for each in self._live if each in done]:
                del self._live[name], self._offsets[name]
            found = {}
            for name in names:
                if name in done:
                    continue
                self._decode_new(name)
                if self._live.get(name):
                    found[name] = pa.concat_tables(self._live[name])
            return found

    def _decode_new(self, name: str) -> None:
        offset = self._offsets.get(name, 0)
        payloads = []
        for position, payload in self._eventlog.read_segment(self.stream, name, offset):
            payloads.append(payload)
            offset = position.offset
        if payloads:
            self._live.setdefault(name, []).append(self._codec.decode(payloads))
            self._offsets[name] = offset

    def _compact(self, name: str) -> LogSegment:
        import pyarrow as pa

        self._decode_new(name)
        tables = self._live.get(name) or [self._codec.decode([])]
        # One chunk whatever was decoded when, so that the same segment has the same bytes.
        table = self._codec.finish(pa.concat_tables(tables)).combine_chunks()
        first_us, last_us = _span(table, self._codec.time)
        segment = LogSegment(
            stream=self.stream,
            segment=name,
            blob=self._blobs.put(parquet_bytes(table)),
            rows=table.num_rows,
            first_us=first_us,
            last_us=last_us,
        )
        self._ledger.put(SEGMENT_KIND, segment.id, segment)
        self._columns.keep(segment, table.drop_columns(list(self._codec.late)))
        return segment


_SEARCHED_ROWS = 1_000_000
"""Rows of searched columns that are kept: of ids of 32 signs about 36 MB."""


def rows_with(table: pa.Table, column: str, value: Any) -> pa.Table:
    """Return the rows whose `column` is `value`; the very table when all are."""
    import pyarrow.compute as pc

    held = pc.equal(table.column(column), value)
    return table if pc.all(held, skip_nulls=False).as_py() else table.filter(held)


def cut(table: pa.Table, time: str, start_us: int | None, end_us: int | None) -> pa.Table:
    """Return the rows with start <= time < end; None leaves a side open."""
    import numpy as np
    import pyarrow as pa

    if start_us is None and end_us is None:
        return table
    times = micros(table, time)
    kept = np.ones(len(times), dtype=bool)
    if start_us is not None:
        kept &= times >= start_us
    if end_us is not None:
        kept &= times < end_us
    places = np.flatnonzero(kept)
    count = len(places)
    # Logs are nearly in order of time: what is kept is most often one run, which costs no copy.
    if count == 0 or places[-1] - places[0] == count - 1:
        return table.slice(places[0] if count else 0, count)
    return table.filter(pa.array(kept))


def micros(table: pa.Table, column: str) -> np.ndarray:
    """Return a timestamp column as int64 microseconds."""
    import numpy as np
    import pyarrow as pa

    found = table.column(column).combine_chunks().view(pa.int64())
    numbers: np.ndarray = np.asarray(found)
    return numbers


def _span(table: pa.Table, time: str) -> tuple[int | None, int | None]:
    if table.num_rows == 0:
        return None, None
    times = micros(table, time)
    return int(times.min()), int(times.max())


def _name(segment: LogSegment) -> str:
    return segment.segment
