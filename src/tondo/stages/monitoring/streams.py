"""A stream of the event log as a table: closed segments from Parquet, live ones decoded.

Compacting a segment is idempotent: its blob is named by its digest and its record by stream and
segment, so a kill between the two leaves a blob that nobody names, and the next run makes it good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from tondo.core.instants import format_instant
from tondo.ports.engine import FileTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import numpy as np
    import pyarrow as pa

    from tondo.ledger.ledger import Ledger
    from tondo.ports.blobs import Blobs
    from tondo.ports.eventlog import EventLog

SEGMENT_KIND = "log_segment"


class Codec(NamedTuple):
    """How the frames of one kind of stream become a table."""

    decode: Callable[[Iterable[bytes]], pa.Table]
    """Payloads in order to rows in order."""
    time: str
    """The timestamp column by which tables are cut."""
    columns: Mapping[str, str]
    """Column name to column type, for engines that read the files."""


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

    def __repr__(self) -> str:
        """Stream, segment, rows and times in one line."""
        times = ""
        if self.first_us is not None and self.last_us is not None:
            times = f", {format_instant(self.first_us)} to {format_instant(self.last_us)}"
        return f"LogSegment({self.id}, {self.rows} rows{times})"


class StreamTable:
    """One stream as a table that grows.

    An instance keeps the rows of live segments it has decoded, so that reading again costs only
    what is new. Not for use from two threads at once.
    """

    def __init__(
        self, stream: str, codec: Codec, *, eventlog: EventLog, ledger: Ledger, blobs: Blobs
    ) -> None:
        self.stream = stream
        self._codec = codec
        self._eventlog = eventlog
        self._ledger = ledger
        self._blobs = blobs
        self._compacted: dict[str, LogSegment] = {}
        self._live: dict[str, list[pa.Table]] = {}
        self._offsets: dict[str, int] = {}

    def __repr__(self) -> str:
        """Name the stream."""
        return f"StreamTable({self.stream})"

    def compact(self) -> list[LogSegment]:
        """Turn every closed segment that is none yet into a Parquet blob; return the new ones."""
        done = self.compacted()
        made = [
            self._compact(each.name)
            for each in self._eventlog.segments(self.stream)
            if each.closed and each.name not in done
        ]
        self._compacted.update({each.segment: each for each in made})
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

        done = self.compacted()
        parts: dict[str, pa.Table] = {
            name: self._read_blob(each, columns)
            for name, each in done.items()
            if _overlaps(each, start_us, end_us)
        }
        for name, table in self._read_live(done):
            parts[name] = table if columns is None else table.select(self._with_time(columns))
        tables = [parts[name] for name in sorted(parts)]
        if not tables:
            empty = self._codec.decode([])
            tables = [empty if columns is None else empty.select(self._with_time(columns))]
        whole = cut(pa.concat_tables(tables), self._codec.time, start_us, end_us)
        return whole if columns is None else whole.select(list(columns))

    def files(self) -> FileTable:
        """Return the compacted part as Parquet files, for an engine that reads them itself."""
        paths = tuple(self._blobs.local_path(each.blob) for each in self.compacted().values())
        return FileTable(paths=paths, columns=dict(self._codec.columns))

    def _with_time(self, columns: Sequence[str]) -> list[str]:
        return list(dict.fromkeys([*columns, self._codec.time]))

    def _read_blob(self, segment: LogSegment, columns: Sequence[str] | None) -> pa.Table:
        import pyarrow.parquet as pq

        wanted = None if columns is None else self._with_time(columns)
        path = self._blobs.local_path(segment.blob)
        return pq.ParquetFile(path).read(columns=wanted)

    def _read_live(self, done: Mapping[str, LogSegment]) -> list[tuple[str, pa.Table]]:
        import pyarrow as pa

        names = [each.name for each in self._eventlog.segments(self.stream)]
        for name in [each for each in self._live if each in done]:
            del self._live[name], self._offsets[name]
        found = []
        for name in names:
            if name in done:
                continue
            self._decode_new(name)
            if self._live.get(name):
                found.append((name, pa.concat_tables(self._live[name])))
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
        table = pa.concat_tables(tables).combine_chunks()
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
        return segment


def parquet_bytes(table: pa.Table) -> bytes:
    """Return a table as a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    # Only columns of few values gain from a dictionary; ids and scores lose time by it.
    few = [each.name for each in table.schema if each.name in _FEW_VALUES]
    pq.write_table(table, sink, compression="zstd", use_dictionary=few)
    data: bytes = sink.getvalue().to_pybytes()
    return data


_FEW_VALUES = frozenset({"deployment", "variant", "model", "model_version_id", "purpose", "error"})


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
    return table if kept.all() else table.filter(pa.array(kept))


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


def _overlaps(segment: LogSegment, start_us: int | None, end_us: int | None) -> bool:
    if segment.first_us is None or segment.last_us is None:
        return False
    after = start_us is None or segment.last_us >= start_us
    return after and (end_us is None or segment.first_us < end_us)


def _name(segment: LogSegment) -> str:
    return segment.segment
