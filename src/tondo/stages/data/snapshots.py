"""Snapshots: immutable Parquet files and a manifest whose digest is the snapshot's id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.canonical import canonical_json, digest
from tondo.core.errors import CallerError, near
from tondo.ports.engine import FileTable
from tondo.stages.data import display
from tondo.stages.data.arrow_types import arrow_type, stored_types
from tondo.stages.data.row_groups import write_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from tondo.ports.blobs import Blobs


class SnapshotFile(msgspec.Struct, frozen=True, kw_only=True):
    """One Parquet object of a snapshot."""

    digest: str
    rows: int
    bytes: int
    note: str = ""
    """What the file holds, for people: `2013-01`, `planes.csv`."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The content of a data set: its columns and files. Equal content has an equal id."""

    columns: dict[str, str]
    """Column name to column type, in the order of the columns."""
    files: tuple[SnapshotFile, ...]
    rows: int

    @property
    def id(self) -> str:
        """The digest of the manifest."""
        return digest(manifest(self))

    @property
    def bytes(self) -> int:
        """What all files take."""
        return sum(file.bytes for file in self.files)

    def __repr__(self) -> str:
        return (
            f"Snapshot({self.id[:12]}, {self.rows:,} rows, {len(self.columns)} columns, "
            f"{len(self.files)} files, {self.bytes:,} bytes)"
        )

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        rows = [[name, type_] for name, type_ in self.columns.items()]
        caption = f"snapshot {self.id[:12]}: {self.rows:,} rows in {len(self.files)} files"
        return display.table(["column", "type"], rows, caption=caption)


def manifest(snapshot: Snapshot) -> dict[str, Any]:
    """Return the form that is kept and digested; columns are a list, since their order counts."""
    return {
        "columns": [[name, type_] for name, type_ in snapshot.columns.items()],
        "files": msgspec.to_builtins(snapshot.files),
        "rows": snapshot.rows,
    }


def from_manifest(body: Mapping[str, Any]) -> Snapshot:
    """Read back what `manifest` wrote."""
    return Snapshot(
        columns=dict(body["columns"]),
        files=msgspec.convert(body["files"], tuple[SnapshotFile, ...]),
        rows=body["rows"],
    )


def read_snapshot(id: str, *, blobs: Blobs) -> Snapshot:  # noqa: A002  (the glossary's word)
    """Return a snapshot by id (TD-BLOB-001 when it is not there)."""
    return from_manifest(msgspec.json.decode(blobs.get(id)))


def snapshot_table(snapshot: Snapshot, *, blobs: Blobs) -> FileTable:
    """Return the snapshot as a table of local Parquet files."""
    paths = tuple(blobs.local_path(file.digest) for file in snapshot.files)
    return FileTable(paths=paths, columns=dict(snapshot.columns))


def write_snapshot(table: pa.Table, *, blobs: Blobs, note: str = "") -> Snapshot:
    """Keep a conformed table as one Parquet object; return the snapshot of it alone."""
    file = write_file(table, blobs=blobs, note=note)
    snapshot = Snapshot(columns=stored_types(table), files=(file,), rows=file.rows)
    return keep_manifest(snapshot, blobs=blobs)


def append_file(snapshot: Snapshot, table: pa.Table, *, blobs: Blobs, note: str = "") -> Snapshot:
    """Return a snapshot with one more file; TD-DATA-008 when the columns are not the same."""
    aligned = _align(table, snapshot.columns)
    file = write_file(aligned, blobs=blobs, note=note)
    longer = Snapshot(
        columns=snapshot.columns,
        files=(*snapshot.files, file),
        rows=snapshot.rows + file.rows,
    )
    return keep_manifest(longer, blobs=blobs)


def keep_manifest(snapshot: Snapshot, *, blobs: Blobs) -> Snapshot:
    """Keep the manifest as a blob; its digest is the snapshot's id."""
    blobs.put(canonical_json(manifest(snapshot)))
    return snapshot


def write_file(table: pa.Table, *, blobs: Blobs, note: str = "") -> SnapshotFile:
    """Keep a table as one Parquet object; equal tables give equal bytes."""
    written = write_rows((table,), blobs=blobs)
    return SnapshotFile(digest=written.digest, rows=written.rows, bytes=written.bytes, note=note)


def _align(table: pa.Table, columns: Mapping[str, str]) -> pa.Table:
    """Bring the columns of an appended table into the order and types of the data set."""
    import pyarrow as pa

    for name in columns:
        if name not in table.column_names:
            raise _other_columns(f"lacks the column '{name}'", name, table.column_names)
    for name in table.column_names:
        if name not in columns:
            raise _other_columns(f"has a new column '{name}'", name, columns)
    aligned = {}
    types = stored_types(table)
    for name, type_ in columns.items():
        column = table.column(name)
        if types[name] == type_:
            aligned[name] = column
        elif column.null_count == len(column):
            aligned[name] = pa.nulls(len(column), arrow_type(type_))
        else:
            raise _other_columns(f"has '{name}' as {types[name]}, not {type_}", name, ())
    return pa.table(aligned)


def _other_columns(what: str, name: str, choices: Any) -> CallerError:
    return CallerError(
        "TD-DATA-008",
        f"the appended table {what}",
        expected="the columns and types that the data set has",
        fix=near(name, choices) if choices else "Declare its type in the source.",
        column=name,
    )
