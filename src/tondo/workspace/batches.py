"""Batches at the door: each new file of a dataset is checked before anything is trained on it.

A file that breaks the schema, or has moved from the accepted rows beyond what is usual, is set
aside; the dataset goes on without it, what serves goes on serving, and the next clean file is taken
as if nothing had happened. What a model was trained on is what later files are compared with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import DataError, NotFoundError
from tondo.stages.data.quarantine import set_aside
from tondo.stages.data.schema_versions import read_schema
from tondo.stages.data.statistics import statistics
from tondo.stages.data.tracked_items import HeldFile
from tondo.stages.data.tracking import CheckedFile, track
from tondo.stages.data.validation import blocking, validate
from tondo.workspace.reference import new_files, present_reference, rows_of, table_movements
from tondo.workspace.refusals import close_refusal, report_refusal
from tondo.workspace.schemas import statistics_of, version_in_force
from tondo.workspace.verbs.data import DataVerbs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tondo.stages.data.anomalies import Anomalies
    from tondo.stages.data.schema import Schema
    from tondo.stages.data.snapshots import Snapshot, SnapshotFile
    from tondo.workspace.bootstrap import Parts


class Sifted(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a dataset's new files."""

    dataset: str
    snapshot: str
    """The content that remains."""
    taken: int
    """New files that passed."""
    refused: tuple[str, ...] = ()
    """What was wrong with each file that was set aside."""


def sift(parts: Parts, dataset: str, *, by: str) -> Sifted:
    """Check each file of the newest snapshot that is not accepted yet; set the bad ones aside.

    A dataset without a schema is taken as it is.
    """
    snapshot = DataVerbs(parts).snapshot(dataset)
    new = new_files(parts, dataset, snapshot)
    try:
        version = version_in_force(dataset, parts)
    except NotFoundError:
        return Sifted(dataset=dataset, snapshot=snapshot.id, taken=len(new))
    schema = read_schema(version, ledger=parts.ledger)
    checked = [_checked(parts, dataset, snapshot, file, schema) for file in new]
    if not new:
        return Sifted(dataset=dataset, snapshot=snapshot.id, taken=0)
    track(
        [anomaly for each in checked for anomaly in each.anomalies],
        dataset=dataset,
        snapshot=snapshot.id,
        version=version,
        ledger=parts.ledger,
        clock=parts.clock,
        files=checked,
    )
    refused = {
        file.digest: _told(file, blocking(each.anomalies))
        for file, each in zip(new, checked, strict=True)
        if each.refused
    }
    if refused:
        return _set_aside(parts, dataset, refused, new=len(new), by=by)
    close_refusal(dataset, parts, by=by, why=f"clean files came in {snapshot.id[:12]}")
    return Sifted(dataset=dataset, snapshot=snapshot.id, taken=len(new))


def _checked(
    parts: Parts, dataset: str, snapshot: Snapshot, file: SnapshotFile, schema: Schema
) -> CheckedFile:
    rows = rows_of(parts, snapshot, (file,))
    whole = snapshot.files == (file,)
    found = validate(
        statistics_of(snapshot.id, parts) if whole else statistics(rows, engine=parts.profiler),
        schema,
        movements=table_movements(parts, dataset, rows),
    )
    name = file.note or ("" if whole else None)
    held = HeldFile(digest=file.digest, snapshot=snapshot.id, name=name)
    return CheckedFile(held, found, refused=bool(blocking(found)))


def _set_aside(parts: Parts, dataset: str, refused: dict[str, str], *, new: int, by: str) -> Sifted:
    sentences = tuple(refused.values())
    reference = present_reference(parts, dataset)
    commit = set_aside(
        dataset,
        refused,
        accepted=None if reference is None else reference.snapshot,
        ledger=parts.ledger,
        blobs=parts.blobs,
        clock=parts.clock,
        by=by,
        why=f"{len(refused)} of {new} new files refused: {sentences[0]}",
    )
    report_refusal(dataset, sentences, parts)
    taken = new - len(refused)
    return Sifted(dataset=dataset, snapshot=commit.snapshot, taken=taken, refused=sentences)


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


def _told(file: SnapshotFile, wrong: Anomalies) -> str:
    """Return the worst of a file in one sentence; the column's name stands first."""
    more = f"; {len(wrong) - 1} more anomalies" if len(wrong) > 1 else ""
    name = f" (in {file.note})" if file.note else ""
    return f"{wrong[0]}{name}{more}"
