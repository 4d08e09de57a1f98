"""Verbs on the snapshots of datasets: branches, tags, equal rows, removal and what it frees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.errors import CallerError

if TYPE_CHECKING:
    from tondo.ledger.values import Move
    from tondo.stages.data.commits import Commit
    from tondo.stages.data.garbage import Garbage
    from tondo.stages.data.removal import Removal
    from tondo.stages.data.tags import Tag
    from tondo.workspace.bootstrap import Parts


class SnapshotVerbs:
    """What a workspace does with the snapshots of its datasets."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def create_branch(
        self, dataset: str, branch: str, *, at: str = "", by: str = "", why: str = ""
    ) -> Commit:
        """Begin a branch at a commit of the dataset; at the head of main unless told."""
        from tondo.stages.data.commits import create_branch

        return create_branch(
            dataset,
            branch,
            at=self._commit(dataset, at).id,
            ledger=self._parts.ledger,
            by=by or self._parts.actor,
            why=why or f"branched from {at or 'main'}",
        )

    def tag(self, dataset: str, name: str, *, at: str = "", by: str = "", why: str = "") -> Tag:
        """Point a tag at a commit of the dataset; at the head of main unless told."""
        from tondo.stages.data.tags import set_tag

        return set_tag(
            self._commit(dataset, at),
            name,
            ledger=self._parts.ledger,
            by=by or self._parts.actor,
            why=why or f"tagged {at or 'the newest commit'}",
        )

    def remove_tag(self, dataset: str, name: str, *, by: str = "", why: str = "") -> None:
        """Take a tag away; its history stays."""
        from tondo.stages.data.tags import remove_tag

        remove_tag(
            dataset,
            name,
            ledger=self._parts.ledger,
            by=by or self._parts.actor,
            why=why or "no longer needed",
        )

    def tags(self, dataset: str) -> list[Tag]:
        """List a dataset's tags."""
        from tondo.stages.data.tags import tags

        return tags(dataset, ledger=self._parts.ledger)

    def tag_history(self, dataset: str, name: str) -> list[Move]:
        """Return every move of a dataset's tag, the newest first."""
        from tondo.stages.data.tags import tag_history

        return tag_history(dataset, name, ledger=self._parts.ledger)

    def digest(self, ref: str) -> str:
        """Return the logical digest: equal for the same rows, however they lie in files."""
        from tondo.stages.data.logical_digest import logical_digest
        from tondo.stages.data.references import referenced_snapshot

        ledger = self._parts.ledger
        snapshot = referenced_snapshot(ref, ledger=ledger)
        return logical_digest(snapshot, ledger=ledger, blobs=self._parts.blobs)

    def same_rows(self, ref: str, other: str) -> bool:
        """Say whether two versions hold the same rows, in whatever order and files."""
        return self.digest(ref) == self.digest(other)

    def remove(
        self, dataset: str, *, branch: str = "", at: str = "", by: str = "", why: str
    ) -> list[Removal]:
        """Remove a branch, the commit at a version, or, with neither, the whole dataset.

        The history stays; the content goes with the next collection of garbage. Refused above a
        live deployment.
        """
        from tondo.stages.data.removal import remove_branch, remove_commit, remove_dataset

        if branch and at:
            raise CallerError(
                "TD-DATA-032",
                "a branch and a version were named to be removed",
                expected="one of them, or neither for the whole dataset",
            )
        ledger, clock = self._parts.ledger, self._parts.clock
        by = by or self._parts.actor
        if at:
            found = self._commit(dataset, at)
            return remove_commit(found, ledger=ledger, clock=clock, by=by, why=why)
        if branch:
            return remove_branch(dataset, branch, ledger=ledger, clock=clock, by=by, why=why)
        return remove_dataset(dataset, ledger=ledger, clock=clock, by=by, why=why)

    def collect_garbage(self, *, dry_run: bool = False, grace: str = "1d") -> Garbage:
        """Delete the blobs that nothing names and that are older than the time of grace."""
        from tondo.core.durations import parse_duration_us
        from tondo.stages.data.garbage import collect_garbage

        return collect_garbage(
            ledger=self._parts.ledger,
            blobs=self._parts.blobs,
            clock=self._parts.clock,
            grace_us=parse_duration_us(grace),
            dry_run=dry_run,
        )

    def _commit(self, dataset: str, at: str) -> Commit:
        from tondo.stages.data.references import version_of

        return version_of(dataset, at, ledger=self._parts.ledger)
