"""Setting bad files aside: the branch goes on without them, and none of their rows is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.stages.data.commits import commit_snapshot, find_head, head
from tondo.stages.data.snapshots import Snapshot, keep_manifest, read_snapshot

if TYPE_CHECKING:
    from collections.abc import Collection

    from tondo.ledger.ledger import Ledger
    from tondo.ports.blobs import Blobs
    from tondo.ports.clock import Clock
    from tondo.stages.data.commits import Commit
    from tondo.stages.data.snapshots import SnapshotFile

SET_ASIDE = "set-aside"
"""The branch that keeps what was refused."""


def set_aside(
    dataset: str,
    files: Collection[str],
    *,
    accepted: str | None,
    ledger: Ledger,
    blobs: Blobs,
    clock: Clock,
    branch: str = "main",
    by: str,
    why: str,
) -> Commit:
    """Commit a branch without the files of these digests; they go to the branch `set-aside`.

    Where nothing would be left, the branch gets the content of the snapshot `accepted` back; None
    leaves it without rows. Errors: TD-LEDGER-003 (somebody committed meanwhile; nothing counts).
    """
    before = head(dataset, ledger=ledger, branch=branch)
    present = read_snapshot(before.snapshot, blobs=blobs)
    refused = tuple(each for each in present.files if each.digest in files)
    kept = tuple(each for each in present.files if each.digest not in files)
    earlier = find_head(dataset, ledger=ledger, branch=SET_ASIDE)
    known = read_snapshot(earlier.snapshot, blobs=blobs) if earlier else None
    # Files of other columns cannot lie in one snapshot; the history of the branch keeps them.
    older = known.files if known is not None and known.columns == present.columns else ()
    new = tuple(each for each in refused if each not in older)
    left = read_snapshot(accepted, blobs=blobs) if accepted and not kept else None
    with ledger.transaction():
        commit_snapshot(
            dataset,
            keep_manifest(_of(present, (*older, *new)), blobs=blobs),
            ledger=ledger,
            clock=clock,
            branch=SET_ASIDE,
            before=earlier,
            by=by,
            why=why,
        )
        return commit_snapshot(
            dataset,
            left or keep_manifest(_of(present, kept), blobs=blobs),
            ledger=ledger,
            clock=clock,
            branch=branch,
            before=before,
            by=by,
            why=why,
        )


def _of(snapshot: Snapshot, files: tuple[SnapshotFile, ...]) -> Snapshot:
    rows = sum(each.rows for each in files)
    return Snapshot(columns=snapshot.columns, files=files, rows=rows)
