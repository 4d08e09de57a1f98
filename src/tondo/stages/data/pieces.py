"""A snapshot written piece by piece, so that no more than a piece is in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.errors import CallerError
from tondo.stages.data.arrow_types import arrow_type, stored_types
from tondo.stages.data.snapshots import Snapshot, SnapshotFile, keep_manifest, write_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from tondo.ports.blobs import Blobs


def write_pieces(pieces: Iterable[pa.Table], *, blobs: Blobs) -> Snapshot:
    """Keep each conformed table as a file of one snapshot; at least one table is needed.

    A column without any value takes the type that later pieces show. TD-DATA-008 when pieces
    have other columns or types: nothing counts until a commit names the snapshot.
    """
    columns: dict[str, str] = {}
    empty: set[str] = set()
    files: list[SnapshotFile] = []
    for number, piece in enumerate(pieces, start=1):
        found = stored_types(piece)
        without = {name for name in found if piece.column(name).null_count == len(piece)}
        if not files:
            columns, empty = found, without
        else:
            _check(columns, found, open_=empty | without, number=number)
            columns |= {name: found[name] for name in empty - without}
            empty &= without
        files.append(write_file(piece, blobs=blobs, note=f"piece {number}"))
    settled = tuple(_settled(file, columns, blobs=blobs) for file in files)
    snapshot = Snapshot(columns=columns, files=settled, rows=sum(each.rows for each in settled))
    return keep_manifest(snapshot, blobs=blobs)


def _check(columns: dict[str, str], found: dict[str, str], *, open_: set[str], number: int) -> None:
    differing = [name for name in columns if found.get(name) != columns[name] and name not in open_]
    if list(found) == list(columns) and not differing:
        return
    raise CallerError(
        "TD-DATA-008",
        f"piece {number} differs from those before in {', '.join(differing) or 'its columns'}",
        expected="the same columns and types in every piece of a source",
        fix="Declare the types under `columns:`.",
        columns=differing,
    )


def _settled(file: SnapshotFile, columns: dict[str, str], *, blobs: Blobs) -> SnapshotFile:
    """Return the file with its empty columns in the types that were found in the end."""
    import pyarrow as pa
    from pyarrow import parquet

    path = blobs.local_path(file.digest)
    types = {field.name: field.type for field in parquet.read_schema(path)}
    if all(types[name] == arrow_type(type_) for name, type_ in columns.items()):
        return file
    table = parquet.ParquetFile(path).read()
    for position, (name, type_) in enumerate(columns.items()):
        if types[name] != arrow_type(type_):
            # It holds no value, so there is none to cast.
            empty = pa.nulls(table.num_rows, arrow_type(type_))
            table = table.set_column(position, name, empty)
    return write_file(table, blobs=blobs, note=file.note)
