"""Commits: who put which snapshot on which branch, when and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from tondo.core.errors import ConflictError, NotFoundError, near
from tondo.core.instants import format_instant
from tondo.core.names import check_name
from tondo.stages.data import display
from tondo.stages.data.cleaning import REJECTED
from tondo.stages.data.snapshots import (
    Snapshot,
    append_file,
    from_manifest,
    manifest,
    read_snapshot,
    write_snapshot,
)
from tondo.stages.data.version_names import check_version_name, tag_pointer

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from tondo.ledger.ledger import Ledger
    from tondo.ledger.values import Edge
    from tondo.ports.blobs import Blobs
    from tondo.ports.clock import Clock

    Parent = Edge | tuple[str, str, str]


REMOVED = ""
"""Where the pointer of a removed branch or tag stands: its history stays, its head is gone."""


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
    files_computed: int | None = None
    """How many files a derivation computed for it; None for what was not derived."""
    files_reused: int | None = None
    """How many files of it were known from earlier derivations."""

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
    before = find_head(dataset, ledger=ledger, branch=branch)
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


def commit_snapshot(  # noqa: PLR0913  (what, where, how, by whom and why: no fact can be left out)
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
    files_computed: int | None = None,
    files_reused: int | None = None,
) -> Commit:
    """Move a branch from the commit `before` to content whose files and manifest are kept."""
    check_name(dataset.removesuffix(REJECTED), "dataset")
    check_version_name(branch, "branch")
    if before is None:
        _refuse_tag(dataset, branch, ledger=ledger)
    elif before.snapshot == snapshot.id:
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
        files_computed=files_computed,
        files_reused=files_reused,
    )
    lines: list[Parent] = [("snapshot", snapshot.id, "content")]
    if before is not None:
        lines.append(("commit", before.id, "parent"))
    with ledger.transaction():
        ledger.put("snapshot", snapshot.id, manifest(snapshot), parents=parents)
        ledger.put("commit", made.id, made, parents=lines)
        expect = made.parent or _removed_head(dataset, branch, ledger=ledger)
        ledger.move(pointer_name(dataset, branch), made.id, expect=expect, by=by, why=why)
    return made


def _removed_head(dataset: str, branch: str, *, ledger: Ledger) -> str | None:
    """Return where a branch without a head stands: nowhere yet, or removed."""
    pointer = ledger.pointer(pointer_name(dataset, branch))
    return REMOVED if pointer is not None and pointer.target == REMOVED else None


def head(dataset: str, *, ledger: Ledger, branch: str = "main") -> Commit:
    """Return the newest commit of a branch (TD-DATA-009 when there is none)."""
    found = find_head(dataset, ledger=ledger, branch=branch)
    if found is not None:
        return found
    known = [
        each.name.removeprefix("dataset/")
        for each in ledger.pointers("dataset/")
        if each.target != REMOVED
    ]
    raise NotFoundError(
        "TD-DATA-009",
        f"the data set '{dataset}' has no commit on branch '{branch}'",
        fix=near(f"{dataset}@{branch}", known),
        dataset=dataset,
        branch=branch,
    )


def find_head(dataset: str, *, ledger: Ledger, branch: str = "main") -> Commit | None:
    """Return the newest commit of a branch, None while there is none."""
    pointer = ledger.pointer(pointer_name(dataset, branch))
    if pointer is None or pointer.target == REMOVED:
        return None
    return read_commit(pointer.target, ledger=ledger)


def read_commit(id: str, *, ledger: Ledger) -> Commit:  # noqa: A002  (the glossary's word)
    """Return a commit by id."""
    found: Commit = ledger.read("commit", id, Commit)
    return found


def recorded_snapshot(id: str, *, ledger: Ledger) -> Snapshot:  # noqa: A002  (the glossary's word)
    """Return a snapshot from its record in the ledger (TD-LEDGER-001, TD-DATA-029 removed)."""
    refuse_removed(id, ledger=ledger)
    return from_manifest(ledger.get("snapshot", id).body)


def refuse_removed(id: str, *, ledger: Ledger) -> None:  # noqa: A002  (the glossary's word)
    """Refuse a snapshot all of whose commits were removed (TD-DATA-029)."""
    gone = ledger.records("removal", where={"snapshot": id})
    if not gone:
        return
    removed = {each.id for each in gone}
    commits = ledger.records("commit", where={"snapshot": id})
    if any(each.id not in removed for each in commits):
        return
    body = gone[0].body
    raise NotFoundError(
        "TD-DATA-029",
        f"the snapshot {id[:12]} of '{body['dataset']}' was removed by {body['by']} at "
        f"{format_instant(body['at_us'])}: {body['why']}",
        expected="a snapshot that is kept",
        fix="Commit the same rows again, or name another version.",
        snapshot=id,
    )


def history(dataset: str, *, ledger: Ledger, branch: str = "main") -> list[Commit]:
    """Return the commits of a branch, newest first, to its beginning."""
    found = [head(dataset, ledger=ledger, branch=branch)]
    while found[-1].parent is not None:
        found.append(read_commit(found[-1].parent, ledger=ledger))
    return found


def create_branch(
    dataset: str, branch: str, *, at: str, ledger: Ledger, by: str, why: str
) -> Commit:
    """Begin a branch at the commit `at` (TD-DATA-013 when the branch is already there).

    Errors besides: TD-DATA-022 for a word that means something else after an `@`.
    """
    check_version_name(branch, "branch")
    commit_there = read_commit(at, ledger=ledger)
    name = pointer_name(dataset, branch)
    pointer = ledger.pointer(name)
    if pointer is not None and pointer.target != REMOVED:
        raise ConflictError(
            "TD-DATA-013",
            f"'{dataset}' already has a branch '{branch}'",
            fix="Commit to it, or choose another name.",
            branch=branch,
        )
    expect = None if pointer is None else pointer.target
    _refuse_tag(dataset, branch, ledger=ledger)
    ledger.move(name, commit_there.id, expect=expect, by=by, why=why)
    return commit_there


def _refuse_tag(dataset: str, branch: str, *, ledger: Ledger) -> None:
    tag = ledger.pointer(tag_pointer(dataset, branch))
    if tag is not None and tag.target != REMOVED:
        raise ConflictError(
            "TD-DATA-013",
            f"'{dataset}' already has a tag '{branch}'",
            expected="a name that no branch and no tag has",
            fix="Choose another name.",
            branch=branch,
        )
