"""A table cut into pieces of rows, so that what is joined to one piece fits in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tondo.core.columns import item_type
from tondo.ports.engine import FileTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PIECE_BYTES = 1 << 28
"""Of the joined rows of a piece, where no limit is set: while it is joined, three times as much is
in memory, beside the engine's own limit. Each piece reads the views again, so it is not small."""
_BYTES = {"double": 8, "id": 8, "timestamp": 8, "date": 4, "bool": 1, "string": 32}
"""Of a value, as Arrow holds it; text and lists are guesses where no row was looked at."""
_LIST_BYTES = 128
_LOOKED_AT = 1024
"""Rows that tell how long a spine's texts and lists are."""


class Piece(NamedTuple):
    """Rows of a table in their order."""

    table: Any
    """FileTable or Arrow table."""
    paths: tuple[Path, ...]
    """The files of which rows are in it; none for a table that was in memory."""


def rows_at_once(spine: Any, types: Mapping[str, str], piece_bytes: int) -> int:
    """Return how many rows of the column types `types` take `piece_bytes` as Arrow holds them.

    Columns that the spine has too are measured on its first rows.
    """
    width = sum(map(_value_bytes, types.values()))
    head = _head(spine, [name for name in types if name in _names(spine)])
    if head is not None and head.num_rows:
        width += head.nbytes // head.num_rows
        width -= sum(_value_bytes(types[name]) for name in head.column_names)
    return max(piece_bytes // max(width, 1), 1)


def pieces_of(table: Any, rows: int) -> Iterator[Piece]:
    """Yield a FileTable or an Arrow table in pieces of at most `rows` rows, in its order.

    Files that fit together stay files; a larger one is read and cut.
    """
    if not isinstance(table, FileTable):
        for start in range(0, max(table.num_rows, 1), rows):
            yield Piece(table.slice(start, rows), ())
        return
    together: list[Path] = []
    count = 0
    for path, found in zip(table.paths, _rows_of(table.paths), strict=True):
        if together and count + found > rows:
            yield _files(table, together)
            together, count = [], 0
        if found > rows:
            yield from _cut(table, path, rows)
        else:
            together.append(path)
            count += found
    if together or not table.paths:
        yield _files(table, together)


def _files(table: FileTable, paths: list[Path]) -> Piece:
    return Piece(FileTable(paths=tuple(paths), columns=table.columns), tuple(paths))


def _rows_of(paths: tuple[Path, ...]) -> list[int]:
    from pyarrow import parquet

    return [parquet.read_metadata(path).num_rows for path in paths]


def _cut(table: FileTable, path: Path, rows: int) -> Iterator[Piece]:
    import pyarrow as pa
    from pyarrow import parquet

    names = list(table.columns)
    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(rows, columns=names):
            yield Piece(pa.Table.from_batches([batch]).select(names), (path,))


def _names(table: Any) -> set[str]:
    return set(table.columns if isinstance(table, FileTable) else table.column_names)


def _head(table: Any, names: list[str]) -> Any:
    """Return the first rows of some columns; None where there is no file."""
    if not isinstance(table, FileTable):
        return table.select(names).slice(0, _LOOKED_AT)
    if not table.paths:
        return None
    from pyarrow import parquet

    with parquet.ParquetFile(table.paths[0]) as file:
        return next(file.iter_batches(_LOOKED_AT, columns=names), None)


def _value_bytes(column_type: str) -> int:
    return _LIST_BYTES if item_type(column_type) else _BYTES[column_type]
