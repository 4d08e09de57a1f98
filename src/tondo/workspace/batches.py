"""Batches at the door: each new file of a dataset is checked before anything is trained on it.

A file that breaks the schema, or has moved from the accepted rows beyond what is usual, is set
aside; the dataset goes on without it, what serves goes on serving, and the next clean file is taken
as if nothing had happened. What a model was trained on is what later files are compared with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.canonical import digest
from tondo.core.errors import DataError, NotFoundError
from tondo.stages.data.movement import movements
from tondo.stages.data.quarantine import set_aside
from tondo.stages.data.reference_profile import ReferenceProfile, learn_profile
from tondo.stages.data.snapshots import read_snapshot, snapshot_table
from tondo.stages.data.statistics import statistics
from tondo.stages.data.validation import blocking, validate
from tondo.stages.monitoring.alerts import report_findings
from tondo.stages.monitoring.findings import Finding
from tondo.workspace.verbs.data import DataVerbs

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from tondo.stages.data.anomalies import Anomalies
    from tondo.stages.data.snapshots import Snapshot, SnapshotFile
    from tondo.workspace.bootstrap import Parts

REFERENCE_KIND = "reference_profile"

_MOST_ROWS = 200_000
"""The newest accepted rows that are learnt from; more would say the same, later."""


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """What new files of a dataset are compared with."""

    dataset: str
    snapshot: str
    """The accepted rows."""
    profile: ReferenceProfile | None
    """None when there are too few rows to say what is usual."""


class Sifted(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a dataset's new files."""

    dataset: str
    snapshot: str
    """The content that remains."""
    taken: int
    """New files that passed."""
    refused: tuple[str, ...] = ()
    """What was wrong with each file that was set aside."""


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
    if content is None:
        snapshot = DataVerbs(parts).snapshot(dataset)
    else:
        snapshot = read_snapshot(content, blobs=parts.blobs)
    known = present_reference(parts, dataset)
    if known is not None and known.snapshot == snapshot.id:
        return known
    profile = learn_profile(_newest_rows(parts, snapshot), name=dataset)
    reference = Reference(dataset=dataset, snapshot=snapshot.id, profile=profile)
    # One id a content, so that a step that is done again after a kill finds its own record.
    id = digest([REFERENCE_KIND, dataset, snapshot.id])[:32]  # noqa: A001  (the ledger's word)
    pointer = parts.ledger.pointer(_pointer(dataset))
    with parts.ledger.transaction():
        if parts.ledger.find(REFERENCE_KIND, id) is None:
            lines = [("snapshot", snapshot.id, "learnt from")]
            parts.ledger.put(REFERENCE_KIND, id, reference, parents=lines)
        expect = pointer.target if pointer else None
        parts.ledger.move(_pointer(dataset), id, expect=expect, by=by, why=why)
    return reference


def judge(parts: Parts, dataset: str, table: pa.Table) -> Anomalies:
    """Return what is wrong with a batch: against the schema, and against the accepted rows."""
    reference = present_reference(parts, dataset)
    profile = None if reference is None else reference.profile
    return validate(
        statistics(table, engine=parts.engine),
        DataVerbs(parts).schema(dataset),
        movements=() if profile is None else movements(table, profile),
    )


def sift(parts: Parts, dataset: str, *, by: str) -> Sifted:
    """Check each file of the newest snapshot that is not accepted yet; set the bad ones aside.

    A dataset without a schema is taken as it is.
    """
    data = DataVerbs(parts)
    snapshot = data.snapshot(dataset)
    reference = present_reference(parts, dataset)
    accepted = None if reference is None else reference.snapshot
    known = read_snapshot(accepted, blobs=parts.blobs).files if accepted else ()
    new = [each for each in snapshot.files if each not in known]
    try:
        data.schema(dataset)
    except NotFoundError:
        return Sifted(dataset=dataset, snapshot=snapshot.id, taken=len(new))
    refused = {}
    for file in new:
        found = judge(parts, dataset, _rows_of(parts, snapshot, (file,)))
        if wrong := blocking(found):
            refused[file.digest] = _told(file, wrong)
    if not refused:
        return Sifted(dataset=dataset, snapshot=snapshot.id, taken=len(new))
    why = f"{len(refused)} of {len(new)} new files refused: {next(iter(refused.values()))}"
    commit = set_aside(
        dataset,
        refused,
        accepted=accepted,
        ledger=parts.ledger,
        blobs=parts.blobs,
        clock=parts.clock,
        by=by,
        why=why,
    )
    _alert(parts, dataset, list(refused.values()))
    return Sifted(
        dataset=dataset,
        snapshot=commit.snapshot,
        taken=len(new) - len(refused),
        refused=tuple(refused.values()),
    )


def refuse(found: Iterable[Sifted]) -> None:
    """Raise TD-DATA-060 when files were set aside, naming the first column in the first line."""
    wrong = [each for each in found if each.refused]
    if wrong:
        told = "\n  ".join(sentence for each in wrong for sentence in each.refused)
        raise DataError(
            "TD-DATA-060",
            told,
            expected=f"new files of {wrong[0].dataset} that meet its schema and move as usual",
            fix=(
                "Nothing was trained on them; they are kept on the branch 'set-aside'. Correct "
                "the data, or accept the patches."
            ),
            datasets=[each.dataset for each in wrong],
        )


def sources_of(parts: Parts, datasets: Iterable[str]) -> list[str]:
    """Return the datasets, in order, that these come from in the end."""
    derived = parts.project.of("dataset")
    found: set[str] = set()
    for name in datasets:
        if name in derived:
            found |= set(sources_of(parts, DataVerbs(parts).derived(name).inputs))
        else:
            found.add(name)
    return sorted(found)


def _newest_rows(parts: Parts, snapshot: Snapshot) -> pa.Table:
    files: list[SnapshotFile] = []
    for file in reversed(snapshot.files):
        files.insert(0, file)
        if sum(each.rows for each in files) >= _MOST_ROWS:
            break
    rows = _rows_of(parts, snapshot, tuple(files))
    return rows.slice(max(rows.num_rows - _MOST_ROWS, 0))


def _rows_of(parts: Parts, snapshot: Snapshot, files: tuple[SnapshotFile, ...]) -> pa.Table:
    part = msgspec.structs.replace(snapshot, files=files)
    return parts.engine.scan(snapshot_table(part, blobs=parts.blobs))


def _told(file: SnapshotFile, wrong: Anomalies) -> str:
    """Return the worst of a file in one sentence; the column's name stands first."""
    more = f"; {len(wrong) - 1} more anomalies" if len(wrong) > 1 else ""
    name = f" (in {file.note})" if file.note else ""
    return f"{wrong[0]}{name}{more}"


def _alert(parts: Parts, dataset: str, refused: list[str]) -> None:
    finding = Finding(
        kind="batch_refused",
        subject=f"dataset/{dataset}",
        key=f"batch_refused/{dataset}",
        severity="critical",
        message=f"{len(refused)} new files of {dataset} were set aside: {refused[0]}",
        numbers={"files": len(refused)},
        at_us=parts.clock.now_us(),
    )
    report_findings([finding], ledger=parts.ledger, clock=parts.clock)


def _pointer(dataset: str) -> str:
    return f"reference/{dataset}"
