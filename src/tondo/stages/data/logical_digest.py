"""The logical digest: equal for the same rows, however they lie in files.

A row is written as the values of its columns in the order of their names, each as one byte that
says whether there is a value and then eight bytes (numbers, times, booleans) or the BLAKE3 digest
of its content (text, lists). The digest of a set of rows is the sum modulo 2^256 of the BLAKE3
digests of its rows (Clarke et al. 2003, Incremental Multiset Hash Functions, MSet-Add-Hash), so
neither order nor the split into files counts, and a doubled row does.

Null, NaN and the empty text are three values; every NaN is the same one; -0.0 is 0.0. The names
and types of the columns belong to the digest, their order does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from blake3 import blake3

from tondo.core.canonical import DIGEST_BYTES, digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pyarrow as pa

    from tondo.ledger.ledger import Ledger
    from tondo.ports.blobs import Blobs
    from tondo.stages.data.snapshots import Snapshot

KIND = "row_sum"
"""The record of one file's sum; its id is the file's digest and the version."""
# Grows when the same rows are written otherwise: then the sums of before are not taken.
_VERSION = 1
_MODULUS: int = 2 ** (8 * DIGEST_BYTES)
# Some 50 MB of written rows at a time with ten columns, half of them text.
_BATCH_ROWS = 131_072
_NUMBER_BYTES = 8


class RowSum(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one file, whatever their order."""

    rows: int
    sum: str
    """Sum modulo 2^256 of the digests of the rows, 64 hexadecimal characters."""


def logical_digest(snapshot: Snapshot, *, ledger: Ledger, blobs: Blobs) -> str:
    """Return the digest of a snapshot's rows; only files never summed before are read.

    Errors: TD-BLOB-001 (a file is not there).
    """
    sums = [_file_sum(file.digest, ledger=ledger, blobs=blobs) for file in snapshot.files]
    return combined(snapshot.columns, sums)


def combined(columns: Mapping[str, str], sums: list[RowSum]) -> str:
    """Return the digest of all rows of some files that have the same columns."""
    total = sum(int(each.sum, 16) for each in sums) % _MODULUS
    return digest(
        {
            "version": _VERSION,
            "columns": dict(columns),
            "rows": sum(each.rows for each in sums),
            "sum": f"{total:064x}",
        }
    )


def _file_sum(file: str, *, ledger: Ledger, blobs: Blobs) -> RowSum:
    from pyarrow import parquet

    record = f"{file}.{_VERSION}"
    known = ledger.find(KIND, record)
    if known is not None:
        return msgspec.convert(known.body, RowSum)
    rows = total = 0
    with parquet.ParquetFile(blobs.local_path(file)) as opened:
        for batch in opened.iter_batches(batch_size=_BATCH_ROWS):
            rows += batch.num_rows
            total = (total + batch_sum(batch)) % _MODULUS
    found = RowSum(rows=rows, sum=f"{total:064x}")
    ledger.put(KIND, record, found)
    return found


def batch_sum(batch: pa.RecordBatch) -> int:
    """Return the sum modulo 2^256 of the digests of the rows of a conformed batch.

    >>> import pyarrow as pa
    >>> rows = pa.record_batch({"a": pa.array([1.0, 2.0])})
    >>> batch_sum(rows) == batch_sum(rows.slice(0, 1)) + batch_sum(rows.slice(1, 1))
    False
    >>> batch_sum(rows) == (batch_sum(rows[:1]) + batch_sum(rows[1:])) % 2**256
    True
    """
    import numpy as np

    if not batch.num_rows or not batch.num_columns:
        return 0
    order = sorted(range(batch.num_columns), key=lambda at: batch.schema.field(at).name)
    written = np.concatenate([_written(batch.column(at)) for at in order], axis=1)
    return _sum(_digests(written))


def _written(column: pa.Array) -> np.ndarray[Any, Any]:
    """Return a row of bytes for each value: one that says whether it is there, and the value."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    there = np.asarray(pc.is_valid(column).cast(pa.uint8())).reshape(-1, 1)
    if pa.types.is_list(column.type):
        values = _lists(column)
    elif pa.types.is_string(column.type):
        values = _texts(column)
    else:
        values = _numbers(column)
    return np.concatenate([there, np.where(there == 1, values, 0).astype(np.uint8)], axis=1)


def _numbers(column: pa.Array) -> np.ndarray[Any, Any]:
    import numpy as np
    import pyarrow as pa

    if pa.types.is_floating(column.type):
        plain = np.asarray(column.fill_null(0.0), dtype="<f8") + 0.0
        plain[np.isnan(plain)] = np.nan
    else:
        whole = column.cast(pa.int32()) if pa.types.is_date(column.type) else column
        plain = np.asarray(whole.cast(pa.int64()).fill_null(0), dtype="<i8")
    return np.ascontiguousarray(plain).view(np.uint8).reshape(-1, _NUMBER_BYTES)


def _texts(column: pa.Array) -> np.ndarray[Any, Any]:
    """Return the digest of each text; each distinct one is digested once."""
    import numpy as np
    import pyarrow as pa

    encoded = column.dictionary_encode()
    words = encoded.dictionary.cast(pa.binary()).to_pylist()
    table = b"".join([blake3(word).digest() for word in words]) or bytes(DIGEST_BYTES)
    digests = np.frombuffer(table, np.uint8).reshape(-1, DIGEST_BYTES)
    found: np.ndarray[Any, Any] = digests[np.asarray(encoded.indices.fill_null(0))]
    return found


def _lists(column: pa.Array) -> np.ndarray[Any, Any]:
    """Return the digest of each list's written items, in their order."""
    import numpy as np

    items = _written(column.flatten()) if len(column.flatten()) else np.zeros((0, 1), np.uint8)
    width = items.shape[1]
    data = items.tobytes()
    lengths = np.asarray(column.value_lengths().fill_null(0))
    ends = np.cumsum(lengths) * width
    starts = ends - lengths * width
    found = [
        blake3(data[start:end]).digest()
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    ]
    return np.frombuffer(b"".join(found), np.uint8).reshape(-1, DIGEST_BYTES)


def _digests(written: np.ndarray[Any, Any]) -> bytes:
    rows, width = written.shape
    data = written.tobytes()
    return b"".join(
        [blake3(data[at : at + width]).digest() for at in range(0, rows * width, width)]
    )


def _sum(digests: bytes) -> int:
    """Add numbers of 256 bits; 32 bits of each at a time fit 64 for up to 2^32 rows."""
    import numpy as np

    limbs = np.frombuffer(digests, "<u4").reshape(-1, DIGEST_BYTES // 4)
    sums: list[int] = limbs.sum(axis=0, dtype=np.uint64).tolist()
    return sum(each << (32 * place) for place, each in enumerate(sums)) % _MODULUS
