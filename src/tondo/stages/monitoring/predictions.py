"""The prediction log as a table: one row per prediction, the first acknowledged answer of an id."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.scoring import frames
from tondo.stages.monitoring.streams import Codec, StreamTable, micros, rows_with

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    import pyarrow as pa

    from tondo.ledger.ledger import Ledger
    from tondo.ports.blobs import Blobs
    from tondo.ports.eventlog import EventLog

COLUMNS = {
    "prediction_id": "string",
    "at": "timestamp",
    "as_of": "timestamp",
    "request_id": "string",
    "variant": "string",
    "model": "string",
    "version": "id",
    "model_version_id": "string",
    "purpose": "string",
    "latency_us": "id",
    "error": "string",
    "score": "double",
    "vector": "list<double>",
    "inputs": "string",
}
"""Columns of the table; `inputs` is JSON text."""


def prediction_stream(
    deployment: str, *, eventlog: EventLog, ledger: Ledger, blobs: Blobs
) -> StreamTable:
    """Return the stream of a deployment's predictions; its times are as-of times."""
    stream = frames.stream_of(deployment)
    return StreamTable(stream, CODEC, eventlog=eventlog, ledger=ledger, blobs=blobs)


def read_predictions(
    stream: StreamTable,
    *,
    start_us: int | None = None,
    end_us: int | None = None,
    purpose: str | None = "live",
    columns: Sequence[str] | None = None,
) -> pa.Table:
    """Return each prediction once, with start <= as-of < end, of one purpose (None: of all).

    A repeated prediction id counts once, as it was acknowledged first.
    """
    needed = None
    if columns is not None:
        needed = list(dict.fromkeys([*columns, "prediction_id", "at", "purpose"]))
    table = stream.read(start_us=start_us, end_us=end_us, columns=needed)
    if purpose is not None:
        table = rows_with(table, "purpose", purpose)
    once = first_of_each(table)
    return once if columns is None else once.select(list(columns))


def first_of_each(table: pa.Table) -> pa.Table:
    """Return the rows whose prediction id was answered first, in the order logged."""
    import numpy as np

    ids = table.column("prediction_id").combine_chunks().dictionary_encode()
    distinct = len(ids.dictionary)
    if distinct == table.num_rows:
        return table
    order = np.argsort(micros(table, "at"), kind="stable")[::-1]
    first = np.empty(distinct, dtype=np.int64)
    # Of several rows of an id the last that is written here stays: the earliest.
    first[ids.indices.to_numpy(zero_copy_only=False)[order]] = order
    return table.take(np.sort(first))


def id_codes(column: pa.ChunkedArray) -> np.ndarray:
    """Return one integer per distinct text, counted from 0."""
    encoded = column.combine_chunks().dictionary_encode()
    codes: np.ndarray = encoded.indices.to_numpy(zero_copy_only=False)
    return codes


def feature_matrix(table: pa.Table) -> np.ndarray:
    """Return the vectors as float64, rows x features; the rows must be of one model version.

    A row that failed before its vector was complete has none, and is all NaN here.
    """
    import numpy as np

    vectors = table.column("vector").combine_chunks()
    values = np.asarray(vectors.flatten(), dtype=np.float64)
    lengths = np.asarray(vectors.value_lengths())
    width = int(lengths.max()) if len(lengths) else 0
    whole = lengths == width
    if whole.all():
        return values.reshape(table.num_rows, width)
    matrix: np.ndarray = np.full((table.num_rows, width), np.nan)
    matrix[whole] = values.reshape(-1, width)
    return matrix


def decode_predictions(payloads: Iterable[bytes]) -> pa.Table:
    """Return the rows of logged requests; a request's own facts are repeated on its rows."""
    return CODEC.finish(_decode_unread(payloads))


def _decode_unread(payloads: Iterable[bytes]) -> pa.Table:
    """Return what `decode_predictions` does, with `inputs` as the MessagePack that was logged."""
    import numpy as np
    import pyarrow as pa

    requests = [frames.decode_unread(payload) for payload in payloads]
    of_request = np.repeat(np.arange(len(requests)), [len(each.rows) for each in requests])
    rows = [row for request in requests for row in request.rows]

    def repeated(values: list[object], kind: pa.DataType) -> pa.Array:
        return pa.array(values, type=kind).take(pa.array(of_request, type=pa.int64()))

    instant, text, number = pa.timestamp("us", tz="UTC"), pa.string(), pa.int64()
    columns = {
        "prediction_id": pa.array([row.prediction_id for row in rows], type=text),
        "at": repeated([each.at_us for each in requests], instant),
        "as_of": repeated([each.as_of_us for each in requests], instant),
        "request_id": repeated([each.request_id for each in requests], text),
        "variant": repeated([each.variant for each in requests], text),
        "model": repeated([each.model for each in requests], text),
        "version": repeated([each.version for each in requests], number),
        "model_version_id": repeated([each.model_version_id for each in requests], text),
        "purpose": repeated([each.purpose for each in requests], text),
        "latency_us": repeated([each.latency_us for each in requests], number),
        "error": repeated([each.error for each in requests], text),
        "score": pa.array([row.score for row in rows], type=pa.float64()),
        "vector": _vectors([row.vector for row in rows]),
        "inputs": _texts([row.inputs for row in rows], pa.binary()),
    }
    return pa.table(columns)


def _inputs_as_json(packed: pa.ChunkedArray) -> pa.Array:
    """Return logged inputs as JSON text."""
    import pyarrow as pa

    read, to_json = frames.read_inputs, msgspec.json.Encoder().encode
    return _texts([to_json(read(each)) for each in packed.to_pylist()], pa.string())


def _texts(values: Sequence[bytes | msgspec.Raw], kind: pa.DataType) -> pa.Array:
    """Return encoded values as a column of text or of bytes, at the cost of one copy."""
    import numpy as np
    import pyarrow as pa

    # 32 bits are enough: what is decoded at once is at most a segment, and that is 64 MiB.
    ends = np.zeros(len(values) + 1, dtype=np.int32)
    np.cumsum(np.fromiter(map(len, values), dtype=np.int32, count=len(values)), out=ends[1:])
    data = pa.py_buffer(b"".join(values))
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(ends), data])


def _vectors(packed: list[bytes]) -> pa.Array:
    import numpy as np
    import pyarrow as pa

    lengths = np.fromiter((len(each) // 8 for each in packed), dtype=np.int32, count=len(packed))
    offsets = np.zeros(len(packed) + 1, dtype=np.int32)
    np.cumsum(lengths, out=offsets[1:])
    values = np.frombuffer(b"".join(packed), dtype="<f8")
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values))


CODEC = Codec(
    decode=_decode_unread, time="as_of", columns=COLUMNS, late={"inputs": _inputs_as_json}
)
"""How logged requests become rows; their inputs are read once somebody asks."""
