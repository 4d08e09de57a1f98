"""Removal: of commits, branches and data sets, never under a live deployment.

What happened stays told: the commits with who, when and why, and the removal itself. Only the
content goes, when garbage is collected (garbage.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import ConflictError
from tondo.stages.data.commits import REMOVED, Commit, head, pointer_name
from tondo.stages.data.tags import remove_tag, tags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.ledger.ledger import Ledger
    from tondo.ports.clock import Clock

KIND = "removal"
"""The record of a removed commit; its id is the commit's."""


class Removal(msgspec.Struct, frozen=True, kw_only=True):
    """That a commit was removed, by whom, when and why."""

    dataset: str
    commit: str
    snapshot: str
    by: str
    why: str
    at_us: int


def remove_commit(
    commit: Commit, *, ledger: Ledger, clock: Clock, by: str, why: str
) -> list[Removal]:
    """Remove one commit's content from the history of its branch.

    Errors: TD-DATA-030 (a live deployment came of it), TD-DATA-031 (a branch or tag is at it).
    """
    at = [
        f"tag '{each.name}'"
        for each in tags(commit.dataset, ledger=ledger)
        if each.commit == commit.id
    ]
    at += [
        f"branch '{branch}'"
        for branch, target in _heads(commit.dataset, ledger=ledger)
        if target == commit.id
    ]
    if at:
        raise ConflictError(
            "TD-DATA-031",
            f"the {at[0]} of '{commit.dataset}' stands at the commit {commit.id}",
            expected="a commit at which no branch and no tag stands",
            fix="Move or remove that first, or commit something newer.",
            commit=commit.id,
        )
    with ledger.transaction():
        return _remove([commit], ledger=ledger, clock=clock, by=by, why=why)


def remove_branch(
    dataset: str, branch: str, *, ledger: Ledger, clock: Clock, by: str, why: str
) -> list[Removal]:
    """Remove a branch and the commits that no other branch and no tag leads to.

    Errors: TD-DATA-009 (no such branch), TD-DATA-030 (a live deployment came of it), TD-DATA-031
    (`main`: that is the data set itself).
    """
    if branch == "main":
        raise ConflictError(
            "TD-DATA-031",
            f"'main' is the data set '{dataset}' itself",
            expected="another branch",
            fix="Remove the whole data set instead.",
            branch=branch,
        )
    with ledger.transaction():
        last = head(dataset, ledger=ledger, branch=branch)
        others = [target for name, target in _heads(dataset, ledger=ledger) if name != branch]
        others += [each.commit for each in tags(dataset, ledger=ledger)]
        kept = {each.id for start in others for each in _line(start, ledger=ledger)}
        only = [each for each in _line(last.id, ledger=ledger) if each.id not in kept]
        gone = _remove(only, ledger=ledger, clock=clock, by=by, why=why)
        name = pointer_name(dataset, branch)
        ledger.move(name, REMOVED, expect=last.id, by=by, why=why)
    return gone


def remove_dataset(
    dataset: str, *, ledger: Ledger, clock: Clock, by: str, why: str
) -> list[Removal]:
    """Remove a data set: every branch, tag and commit (TD-DATA-009, TD-DATA-030)."""
    with ledger.transaction():
        head(dataset, ledger=ledger)
        records = ledger.records("commit", where={"dataset": dataset})
        commits = [msgspec.convert(each.body, Commit) for each in records]
        there = [each for each in commits if ledger.find(KIND, each.id) is None]
        gone = _remove(there, ledger=ledger, clock=clock, by=by, why=why)
        for branch, target in _heads(dataset, ledger=ledger):
            name = pointer_name(dataset, branch)
            ledger.move(name, REMOVED, expect=target, by=by, why=why)
        for each in tags(dataset, ledger=ledger):
            remove_tag(dataset, each.name, ledger=ledger, by=by, why=why)
    return gone


def removed_snapshots(*, ledger: Ledger) -> set[str]:
    """Return the ids of the snapshots all of whose commits were removed."""
    removals = ledger.records(KIND)
    gone = {each.id for each in removals}
    candidates = {str(each.body["snapshot"]) for each in removals}
    return {each for each in candidates if _commits_of(each, ledger=ledger) <= gone}


def _commits_of(snapshot: str, *, ledger: Ledger) -> set[str]:
    return {each.id for each in ledger.records("commit", where={"snapshot": snapshot})}


def _heads(dataset: str, *, ledger: Ledger) -> list[tuple[str, str]]:
    start = pointer_name(dataset, "")
    return [
        (each.name.removeprefix(start), each.target)
        for each in ledger.pointers(start)
        if each.target != REMOVED
    ]


def _line(start: str, *, ledger: Ledger) -> list[Commit]:
    """Return a commit and those before it."""
    found = [ledger.read("commit", start, Commit)]
    while found[-1].parent is not None:
        found.append(ledger.read("commit", found[-1].parent, Commit))
    return found


def _remove(
    commits: Sequence[Commit], *, ledger: Ledger, clock: Clock, by: str, why: str
) -> list[Removal]:
    going = {each.id for each in commits} | {each.id for each in ledger.records(KIND)}
    for snapshot in {each.snapshot for each in commits}:
        # The same content at a commit that stays is not lost.
        if _commits_of(snapshot, ledger=ledger) <= going:
            _refuse_live(snapshot, ledger=ledger)
    made = []
    for each in commits:
        removal = Removal(
            dataset=each.dataset,
            commit=each.id,
            snapshot=each.snapshot,
            by=by,
            why=why,
            at_us=clock.now_us(),
        )
        ledger.put(KIND, each.id, removal, parents=[("commit", each.id, "removed")])
        made.append(removal)
    return made


def _refuse_live(snapshot: str, *, ledger: Ledger) -> None:
    """Refuse to remove what a deployment that answers now was made from."""
    live = {each.target: each.name for each in ledger.pointers("deployment/")}
    for node in ledger.lineage("snapshot", snapshot, direction="down").nodes:
        if node.kind == "deployment" and node.id in live:
            name = live[node.id].partition("/")[2]
            raise ConflictError(
                "TD-DATA-030",
                f"the live deployment '{name}' came of the snapshot {snapshot[:12]}",
                expected="content that nothing live was made from",
                fix=f"Deploy a version made from other data to '{name}' first.",
                deployment=name,
                snapshot=snapshot,
            )
