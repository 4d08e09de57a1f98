"""Tables as Parquet objects, one row group in memory at a time.

Equal rows give equal bytes, however they are cut into tables on their way.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from tondo.ports.blobs import Blobs

ROW_GROUP = 131_072
"""What one thread reads at a time; DuckDB's own is 122,880 rows."""


class WrittenRows(msgspec.Struct, frozen=True, kw_only=True):
    """A Parquet object that was written."""

    digest: str
    rows: int
    bytes: int


def write_rows(
    tables: Iterable[pa.Table],
    *,
    blobs: Blobs,
    compression: Literal["zstd", "lz4"] = "zstd",
) -> WrittenRows:
    """Keep the rows of at least one table, all with the same columns, as one Parquet object."""
    size = rows = 0

    def fill(file: BinaryIO) -> None:
        nonlocal size, rows
        rows = _write(tables, file, compression)
        size = file.tell()

    digest = blobs.write(fill)
    return WrittenRows(digest=digest, rows=rows, bytes=size)


def _write(tables: Iterable[pa.Table], file: BinaryIO, compression: str) -> int:
    from pyarrow import parquet

    groups = _groups(tables)
    first = next(groups)
    rows = 0
    with parquet.ParquetWriter(
        file, first.schema, compression=compression, version="2.6"
    ) as writer:
        for group in chain((first,), groups):
            writer.write_table(group, row_group_size=ROW_GROUP)
            rows += group.num_rows
    return rows


def _groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Yield tables of a row group each, the last one shorter; an empty one where no rows are."""
    waiting: list[pa.Table] = []
    count = yielded = 0
    for table in tables:
        # Metadata of the reader would show in the footer.
        rest = table.replace_schema_metadata(None)
        while count + rest.num_rows >= ROW_GROUP:
            taken = rest.slice(0, ROW_GROUP - count)
            yield _whole([*waiting, taken])
            yielded += 1
            rest, waiting, count = rest.slice(taken.num_rows), [], 0
        if rest.num_rows or not yielded:
            waiting.append(rest)
            count += rest.num_rows
    if count or not yielded:
        yield _whole(waiting)


def _whole(tables: list[pa.Table]) -> pa.Table:
    """Return tables as one without chunks, which would show in the pages."""
    import pyarrow as pa

    return pa.concat_tables(tables).combine_chunks()
