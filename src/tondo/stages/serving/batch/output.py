"""The dataset of a deployment's batches: each batch owns its files, and a run replaces them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.errors import ConflictError
from tondo.stages.data.arrow_types import stored_types
from tondo.stages.data.commits import commit_snapshot, find_head, recorded_snapshot
from tondo.stages.data.snapshots import Snapshot, keep_manifest, write_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from tondo.ledger.ledger import Ledger
    from tondo.ports.blobs import Blobs
    from tondo.stages.data.commits import Commit
    from tondo.stages.data.snapshots import SnapshotFile


def dataset_of(deployment: str) -> str:
    """Return the dataset that a deployment's batches are kept in, unless another is named.

    >>> dataset_of("late_arrival")
    'late_arrival_scored'
    """
    return f"{deployment}_scored"


class BatchFiles:
    """The files of one run, written piece by piece; nobody sees them before `commit`."""

    def __init__(self, batch: str, *, blobs: Blobs) -> None:
        self._batch = batch
        self._blobs = blobs
        self.files: list[SnapshotFile] = []
        self.columns: dict[str, str] = {}
        self.rows = 0

    def add(self, answers: pa.Table) -> None:
        """Keep a piece of answers as a file."""
        self.files.append(write_file(answers, blobs=self._blobs, note=self._batch))
        self.columns = stored_types(answers)
        self.rows += answers.num_rows

    def commit(
        self,
        dataset: str,
        *,
        ledger: Ledger,
        parents: Iterable[tuple[str, str, str]],
        by: str,
        why: str,
    ) -> Commit:
        """Put them where the batch's last files were, in one commit.

        TD-SERVING-010 when other batches of the dataset have other columns.
        """
        before = find_head(dataset, ledger=ledger)
        others: tuple[SnapshotFile, ...] = ()
        if before is not None:
            present = recorded_snapshot(before.snapshot, ledger=ledger)
            others = tuple(each for each in present.files if each.note != self._batch)
            if others and present.columns != self.columns:
                raise _other_columns(dataset, present.columns, self.columns)
        snapshot = Snapshot(
            columns=self.columns,
            files=(*others, *self.files),
            rows=self.rows + sum(each.rows for each in others),
        )
        return commit_snapshot(
            dataset,
            keep_manifest(snapshot, blobs=self._blobs),
            ledger=ledger,
            clock=ledger.clock,
            before=before,
            parents=parents,
            by=by,
            why=why,
        )


def _other_columns(dataset: str, there: dict[str, str], here: dict[str, str]) -> ConflictError:
    apart = [name for name in {**there, **here} if there.get(name) != here.get(name)]
    return ConflictError(
        "TD-SERVING-010",
        f"'{dataset}' holds other batches, whose columns differ: {', '.join(apart)}",
        expected="the columns that the dataset has",
        fix="Ask for the same columns, or name another dataset with --out.",
        dataset=dataset,
        columns=apart,
    )
