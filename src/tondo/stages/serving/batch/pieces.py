"""A table in pieces of one size, whatever the sizes in which it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

PIECE_ROWS = 131_072
"""Rows scored at a time: a row group of a snapshot; with 100 columns about 100 MB."""


def pieces_of(tables: Iterable[pa.Table], *, rows: int = PIECE_ROWS) -> Iterator[pa.Table]:
    """Yield the rows of tables in order, `rows` at a time; the last piece has what is left.

    >>> import pyarrow as pa
    >>> tables = [pa.table({"n": [1, 2, 3]}), pa.table({"n": [4, 5]})]
    >>> [piece["n"].to_pylist() for piece in pieces_of(tables, rows=2)]
    [[1, 2], [3, 4], [5]]
    """
    import pyarrow as pa

    held: list[pa.Table] = []
    count = 0
    for table in tables:
        start = 0
        while start < table.num_rows:
            part = table.slice(start, rows - count)
            held.append(part)
            count += part.num_rows
            start += part.num_rows
            if count == rows:
                yield pa.concat_tables(held).combine_chunks()
                held, count = [], 0
    if held:
        yield pa.concat_tables(held).combine_chunks()


def snapshot_tables(paths: Sequence[Path], columns: Sequence[str]) -> Iterator[pa.Table]:
    """Yield columns of a snapshot's files, a row group's worth at a time."""
    import pyarrow as pa
    from pyarrow import parquet

    for path in paths:
        # Buffered beforehand, all that was read of a file would stay in memory until its end.
        with parquet.ParquetFile(path, pre_buffer=False) as file:
            for batch in file.iter_batches(PIECE_ROWS, columns=list(columns)):
                yield pa.Table.from_batches([batch])
