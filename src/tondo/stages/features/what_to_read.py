"""Which files of a snapshot a materialisation must read, given what was loaded before."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tondo.core.errors import DataError, near
from tondo.ports.engine import FileTable
from tondo.stages.data.commits import recorded_snapshot
from tondo.stages.features.spans import span_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tondo.ledger.ledger import Ledger
    from tondo.scoring.loads import LoadState
    from tondo.stages.features.views import FeatureView

KIND = "materialisation"


class Materialisation(msgspec.Struct, frozen=True, kw_only=True):
    """One bulk load of a view."""

    id: str
    view: str
    digest: str
    snapshot: str | None
    until_us: int
    """Rows known by then are in the store; for a view with a cadence, its last boundary."""
    keys: int
    """Entities of the files that were read."""
    rows: int
    """Rows, or events, of the files that were read and may count."""
    at_us: int
    changed: int = 0
    """Rows that were new, other than before, or gone; 0 for windows, whose events only come."""
    files_read: int = 0
    files_reused: int = 0
    """Files of the snapshot that say nothing new since the materialisation before."""
    load: int = 0
    """The load's number in the online store."""
    newest_event_us: int | None = None
    """The newest event time that any materialisation of this version found."""
    boundaries_missed: int = 0
    """How many boundaries of the cadence had passed unserved before this one."""


class MaterialisationPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a materialisation would do now."""

    view: str
    snapshot: str | None
    until_us: int
    last_until_us: int | None
    """Until when the rows of the last one reach; None when there was none."""
    is_whole: bool
    """Whether the files that are read are all that counts, so that rows may be gone."""
    why: str
    files_read: int
    files_reused: int


class Reading(NamedTuple):
    """What is read, and how it is to be taken."""

    plan: MaterialisationPlan
    table: Any
    before: Materialisation | None
    """The last materialisation of the same version, if what it loaded is there."""


def what_to_read(
    view: FeatureView,
    table: Any,
    *,
    state: LoadState,
    ledger: Ledger,
    snapshot: str | None,
    until_us: int,
) -> Reading:
    """Return the part of a table that can change what is loaded.

    Raises DataError TD-FEATURE-101 when the source lost a column that the view reads, or has it
    in another type.
    """
    _check_columns(view, table)
    before = last_of(view, ledger=ledger)
    if before is not None and before.load != state.published:
        before = None
    chosen, why = _chosen(view, table, before, ledger=ledger, snapshot=snapshot, until_us=until_us)
    paths = table.paths if isinstance(table, FileTable) else ()
    plan = MaterialisationPlan(
        view=view.name,
        snapshot=snapshot,
        until_us=until_us,
        last_until_us=None if before is None else before.until_us,
        is_whole=chosen is None,
        why=why,
        files_read=len(paths) if chosen is None else len(chosen),
        files_reused=0 if chosen is None else len(paths) - len(chosen),
    )
    part = table
    if chosen is not None:
        part = msgspec.structs.replace(table, paths=tuple(chosen))
    return Reading(plan, part, before)


def last_of(view: FeatureView, *, ledger: Ledger) -> Materialisation | None:
    """Return the last materialisation of a view as it is defined now."""
    found = ledger.records(KIND, where={"view": view.name, "digest": view.digest}, limit=1)
    return msgspec.convert(found[0].body, Materialisation) if found else None


def _chosen(
    view: FeatureView,
    table: Any,
    before: Materialisation | None,
    *,
    ledger: Ledger,
    snapshot: str | None,
    until_us: int,
) -> tuple[list[Path] | None, str]:
    """Return the files to read, None for all as a whole, and why."""
    if view.kind == "window":
        return None, "events of windows are read from every file"
    if before is None:
        return None, "nothing of this version was loaded before"
    if until_us < before.until_us:
        return None, "it ends before the last one"
    old = _digests(before.snapshot, ledger=ledger)
    new = _digests(snapshot, ledger=ledger)
    if not isinstance(table, FileTable) or None in {old, new} or len(new or ()) != len(table.paths):
        return None, "the files of the two snapshots are not known"
    assert old is not None
    assert new is not None
    return _changed(view, table, old, new, until_us=before.until_us)


def _changed(
    view: FeatureView,
    table: FileTable,
    old: tuple[str, ...],
    new: tuple[str, ...],
    *,
    until_us: int,
) -> tuple[list[Path] | None, str]:
    """Return the files of `new` that may say more than those of `old` did at `until_us`."""
    added = Counter(new) - Counter(old)
    if Counter(old) - Counter(new):
        return None, "files of the last snapshot were replaced or removed"
    if view.event_time is None:
        if new[: len(old)] != old:
            return None, "files stand in another order, and the last row of a key counts"
        return list(table.paths[len(old) :]), "the files that were added"
    chosen = []
    for digest, path in zip(new, table.paths, strict=True):
        is_added = added[digest] > 0
        added[digest] -= is_added
        if is_added or _has_later(view, path, until_us):
            chosen.append(path)
    return chosen, "the files that were added, or hold rows that were not visible then"


def _has_later(view: FeatureView, path: Path, until_us: int) -> bool:
    """Say whether a file may hold a row that became visible after `until_us`."""
    times = (view.event_time, view.recorded_at)
    return any(span_of(path, name).newest_us > until_us for name in times if name is not None)


def _digests(snapshot: str | None, *, ledger: Ledger) -> tuple[str, ...] | None:
    if snapshot is None or ledger.find("snapshot", snapshot) is None:
        return None
    return tuple(file.digest for file in recorded_snapshot(snapshot, ledger=ledger).files)


def _check_columns(view: FeatureView, table: Any) -> None:
    present: Sequence[str] = (
        list(table.columns) if isinstance(table, FileTable) else table.column_names
    )
    for name, type_ in view.columns.items():
        if name not in present:
            raise DataError(
                "TD-FEATURE-101",
                f"the source '{view.source}' has lost the column '{name}', which view "
                f"'{view.name}' reads",
                expected=f"'{name}' of type {type_}",
                fix=f"{near(name, present)} Bring the column back, or change the view; what was "
                "loaded before is read on.",
                view=view.name,
                column=name,
            )
        if isinstance(table, FileTable) and table.columns[name] != type_:
            raise DataError(
                "TD-FEATURE-101",
                f"the column '{name}' of source '{view.source}', which view '{view.name}' reads, "
                f"has become {table.columns[name]}",
                expected=type_,
                fix="Declare the column's type in the source, or change the view; what was loaded "
                "before is read on.",
                view=view.name,
                column=name,
            )
