"""Commits: who put which snapshot on which branch, when and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from tondo.core.errors import ConflictError, NotFoundError, near
from tondo.core.instants import format_instant
from tondo.core.names import check_name
from tondo.stages.data import display
from tondo.stages.data.snapshots import (
    Snapshot,
    append_file,
    from_manifest,
    manifest,
    read_snapshot,
    write_snapshot,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from tondo.ledger.ledger import Ledger
    from tondo.ledger.values import Edge
    from tondo.ports.blobs import Blobs
    from tondo.ports.clock import Clock

    Parent = Edge | tuple[str, str, str]


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a data set's branch."""

    id: str
    dataset: str
    branch: str
    snapshot: str
    """The id of the content."""
    parent: str | None
    """The commit before on this branch."""
    rows: int
    by: str
    why: str
    created_at_us: int

    def __repr__(self) -> str:
        when = format_instant(self.created_at_us)
        return (
            f"Commit({self.dataset}@{self.branch} {self.id}: snapshot {self.snapshot[:12]}, "
            f"{self.rows:,} rows, by {self.by} at {when}: {self.why})"
        )

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        rows = [[name, str(value)] for name, value in msgspec.structs.asdict(self).items()]
        return display.table(["commit", ""], rows)


def pointer_name(dataset: str, branch: str = "main") -> str:
    """Return the ledger pointer of a branch.

    >>> pointer_name("flights")
    'dataset/flights@main'
    """
    return f"dataset/{dataset}@{branch}"


def commit(  # noqa: PLR0913  (what, where, how, by whom and why: no fact can be left out)
    dataset: str,
    table: pa.Table,
    *,
    ledger: Ledger,
    blobs: Blobs,
    clock: Clock,
    branch: str = "main",
    mode: Literal["replace", "append"] = "replace",
    parents: Iterable[Parent] = (),
    note: str = "",
    by: str,
    why: str,
) -> Commit:
    """Put a conformed table on a branch, as its whole content or as one more file.

    `parents` are ledger edges (kind, id, role) into the snapshot: what it was made from. The same
    content as before is no new commit. Errors: TD-DATA-008 (other columns), TD-LEDGER-003
    (somebody else committed meanwhile: nothing of this commit counts).
    """
    before = _find_head(dataset, ledger=ledger, branch=branch)
    if mode == "append" and before is not None:
        present = read_snapshot(before.snapshot, blobs=blobs)
        snapshot = append_file(present, table, blobs=blobs, note=note)
    else:
        snapshot = write_snapshot(table, blobs=blobs, note=note)
    return commit_snapshot(
        dataset,
        snapshot,
        ledger=ledger,
        clock=clock,
        branch=branch,
        before=before,
        parents=parents,
        by=by,
        why=why,
    )


def commit_snapshot(
    dataset: str,
    snapshot: Snapshot,
    *,
    ledger: Ledger,
    clock: Clock,
    before: Commit | None,
    branch: str = "main",
    parents: Iterable[Parent] = (),
    by: str,
    why: str,
) -> Commit:
    """Move a branch from the commit `before` to content whose files and manifest are kept."""
    check_name(dataset, "dataset")
    check_name(branch, "branch")
    if before is not None and before.snapshot == snapshot.id:
        return before
    made = Commit(
        id=ledger.new_id(),
        dataset=dataset,
        branch=branch,
        snapshot=snapshot.id,
        parent=before.id if before else None,
        rows=snapshot.rows,
        by=by,
        why=why,
        created_at_us=clock.now_us(),
    )
    lines: list[Parent] = [("snapshot", snapshot.id, "content")]
    if before is not None:
        lines.append(("commit", before.id, "parent"))
    with ledger.transaction():
        ledger.put("snapshot", snapshot.id, manifest(snapshot), parents=parents)
        ledger.put("commit", made.id, made, parents=lines)
        ledger.move(pointer_name(dataset, branch), made.id, expect=made.parent, by=by, why=why)
    return made


def head(dataset: str, *, ledger: Ledger, branch: str = "main") -> Commit:
    """Return the newest commit of a branch (TD-DATA-009 when there is none)."""
    found = _find_head(dataset, ledger=ledger, branch=branch)
    if found is not None:
        return found
    known = [each.name.removeprefix("dataset/") for each in ledger.pointers("dataset/")]
    raise NotFoundError(
        "TD-DATA-009",
        f"the data set '{dataset}' has no commit on branch '{branch}'",
        fix=near(f"{dataset}@{branch}", known),
        dataset=dataset,
        branch=branch,
    )


def _find_head(dataset: str, *, ledger: Ledger, branch: str) -> Commit | None:
    pointer = ledger.pointer(pointer_name(dataset, branch))
    return None if pointer is None else read_commit(pointer.target, ledger=ledger)


def read_commit(id: str, *, ledger: Ledger) -> Commit:  # noqa: A002  (the glossary's word)
    """Return a commit by id."""
    found: Commit = ledger.read("commit", id, Commit)
    return found


def recorded_snapshot(id: str, *, ledger: Ledger) -> Snapshot:  # noqa: A002  (the glossary's word)
    """Return a snapshot from its record in the ledger (TD-LEDGER-001)."""
    return from_manifest(ledger.get("snapshot", id).body)


def history(dataset: str, *, ledger: Ledger, branch: str = "main") -> list[Commit]:
    """Return the commits of a branch, newest first, to its beginning."""
    found = [head(dataset, ledger=ledger, branch=branch)]
    while found[-1].parent is not None:
        found.append(read_commit(found[-1].parent, ledger=ledger))
    return found


def create_branch(
    dataset: str, branch: str, *, at: str, ledger: Ledger, by: str, why: str
) -> Commit:
    """Begin a branch at the commit `at` (TD-DATA-013 when the branch is already there)."""
    check_name(branch, "branch")
    commit_there = read_commit(at, ledger=ledger)
    name = pointer_name(dataset, branch)
    if ledger.pointer(name) is not None:
        raise ConflictError(
            "TD-DATA-013",
            f"'{dataset}' already has a branch '{branch}'",
            fix="Commit to it, or choose another name.",
            branch=branch,
        )
    ledger.move(name, commit_there.id, expect=None, by=by, why=why)
    return commit_there
