"""The accepted rows of a dataset: what later files and snapshots are compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.canonical import digest
from tondo.stages.data.commits import recorded_snapshot
from tondo.stages.data.movement import Movement, movements
from tondo.stages.data.reference_profile import ReferenceProfile, learn_profile
from tondo.stages.data.references import resolve
from tondo.stages.data.snapshots import snapshot_table

if TYPE_CHECKING:
    import pyarrow as pa

    from tondo.stages.data.snapshots import Snapshot, SnapshotFile
    from tondo.workspace.bootstrap import Parts

REFERENCE_KIND = "reference_profile"

_MOST_ROWS = 100_000
"""The newest accepted rows that are learnt from; more would say the same, later."""


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """What new files of a dataset are compared with."""

    dataset: str
    snapshot: str
    """The accepted rows."""
    profile: ReferenceProfile | None
    """None when there are too few rows to say what is usual."""


def present_reference(parts: Parts, dataset: str) -> Reference | None:
    """Return what new files are compared with; None before anything was accepted."""
    pointer = parts.ledger.pointer(_pointer(dataset))
    if pointer is None:
        return None
    return parts.ledger.read(REFERENCE_KIND, pointer.target, Reference)


def accept(
    parts: Parts, dataset: str, *, content: str | None = None, by: str, why: str
) -> Reference:
    """Take a snapshot, the newest unless `content` names its id, to compare later files with."""
    content = content or resolve(dataset, ledger=parts.ledger).snapshot
    known = present_reference(parts, dataset)
    if known is not None and known.snapshot == content:
        return known
    snapshot = recorded_snapshot(content, ledger=parts.ledger)
    profile = learn_profile(_newest_rows(parts, snapshot), name=dataset)
    reference = Reference(dataset=dataset, snapshot=content, profile=profile)
    # One id a content, so that a step that is done again after a kill finds its own record.
    id = digest([REFERENCE_KIND, dataset, content])[:32]  # noqa: A001  (the ledger's word)
    with parts.ledger.transaction():
        pointer = parts.ledger.pointer(_pointer(dataset))
        if parts.ledger.find(REFERENCE_KIND, id) is None:
            lines = [("snapshot", content, "learnt from")]
            parts.ledger.put(REFERENCE_KIND, id, reference, parents=lines)
        expect = pointer.target if pointer else None
        parts.ledger.move(_pointer(dataset), id, expect=expect, by=by, why=why)
    return reference


def new_files(parts: Parts, dataset: str, snapshot: Snapshot) -> tuple[SnapshotFile, ...]:
    """Return the files of a snapshot that are not among the accepted ones."""
    reference = present_reference(parts, dataset)
    if reference is None:
        return snapshot.files
    known = recorded_snapshot(reference.snapshot, ledger=parts.ledger).files
    return tuple(each for each in snapshot.files if each not in known)


def table_movements(parts: Parts, dataset: str, table: pa.Table) -> list[Movement]:
    """Return how far a batch is from the accepted rows; nothing while there are none."""
    reference = present_reference(parts, dataset)
    if reference is None or reference.profile is None:
        return []
    return movements(table, reference.profile)


def snapshot_movements(parts: Parts, dataset: str, content: str) -> list[Movement]:
    """Return how far what is new in a snapshot is from the accepted rows."""
    reference = present_reference(parts, dataset)
    if reference is None or reference.profile is None:
        return []
    snapshot = recorded_snapshot(content, ledger=parts.ledger)
    files = new_files(parts, dataset, snapshot)
    return movements(rows_of(parts, snapshot, files), reference.profile) if files else []


def rows_of(parts: Parts, snapshot: Snapshot, files: tuple[SnapshotFile, ...]) -> pa.Table:
    """Read some files of a snapshot."""
    part = msgspec.structs.replace(snapshot, files=files)
    return parts.engine.scan(snapshot_table(part, blobs=parts.blobs))


def _newest_rows(parts: Parts, snapshot: Snapshot) -> pa.Table:
    files: list[SnapshotFile] = []
    for file in reversed(snapshot.files):
        files.insert(0, file)
        if sum(each.rows for each in files) >= _MOST_ROWS:
            break
    rows = rows_of(parts, snapshot, tuple(files))
    return rows.slice(max(rows.num_rows - _MOST_ROWS, 0))


def _pointer(dataset: str) -> str:
    return f"reference/{dataset}"
