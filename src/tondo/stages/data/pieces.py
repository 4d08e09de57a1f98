"""A snapshot written piece by piece, so that no more than a piece is in memory."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tondo.core.errors import CallerError
from tondo.stages.data.arrow_types import arrow_type, stored_types
from tondo.stages.data.snapshots import Snapshot, keep_manifest, write_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from tondo.ports.blobs import Blobs


def write_pieces(pieces: Iterable[pa.Table], *, blobs: Blobs) -> Snapshot:
    """Keep each conformed table as a file of one snapshot; at least one table is needed.

    A column without any value takes the type that later pieces show. Nothing is kept before the
    last piece was read; TD-DATA-008 when pieces have other columns or types.
    """
    with tempfile.TemporaryDirectory(prefix="tondo-") as folder:
        columns, staged = _staged(pieces, Path(folder))
        files = tuple(
            write_file(_settled(path, columns), blobs=blobs, note=f"piece {number}")
            for number, path in enumerate(staged, start=1)
        )
    snapshot = Snapshot(columns=columns, files=files, rows=sum(each.rows for each in files))
    return keep_manifest(snapshot, blobs=blobs)


def _staged(pieces: Iterable[pa.Table], folder: Path) -> tuple[dict[str, str], list[Path]]:
    """Write the pieces to a folder; return the columns that they have together, and the files."""
    import pyarrow as pa

    columns: dict[str, str] = {}
    empty: set[str] = set()
    staged: list[Path] = []
    for number, piece in enumerate(pieces, start=1):
        found = stored_types(piece)
        without = {name for name in found if piece.column(name).null_count == len(piece)}
        if not staged:
            columns, empty = found, without
        else:
            _check(columns, found, open_=empty | without, number=number)
            columns |= {name: found[name] for name in empty - without}
            empty &= without
        staged.append(folder / str(number))
        with pa.ipc.new_file(staged[-1], piece.schema) as file:
            file.write_table(piece)
    return columns, staged


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


def _settled(path: Path, columns: dict[str, str]) -> pa.Table:
    """Return a piece with its empty columns in the types that were found in the end."""
    import pyarrow as pa

    with pa.ipc.open_file(path) as file:
        table = file.read_all()
    for position, (name, type_) in enumerate(columns.items()):
        if table.column(name).type != arrow_type(type_):
            # It holds no value, so there is none to cast.
            empty = pa.nulls(table.num_rows, arrow_type(type_))
            table = table.set_column(position, name, empty)
    return table
