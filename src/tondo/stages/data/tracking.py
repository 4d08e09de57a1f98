"""Tracked anomalies: what batches get wrong, kept like bugs with an owner and a state.

The same kind in the same column of a data set is one item however often it is found. An item closes
by a fix, a newer snapshot without it, or by a version of the schema that accepts what was seen. The
rows of a file that was set aside are in no newer snapshot, so there the fix is a file of that name
without it; only such a file may also be given up by a person, with a reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from tondo.core.errors import CallerError, ConflictError
from tondo.stages.data.commits import find_head
from tondo.stages.data.tracked_items import (
    HeldFile,
    Key,
    TrackedAnomaly,
    keep_item,
    key_of,
    newest_items,
    one_a_key,
    open_item,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tondo.ledger.ledger import Ledger
    from tondo.ports.clock import Clock
    from tondo.stages.data.anomalies import Anomaly
    from tondo.stages.data.commits import Commit
    from tondo.stages.data.schema_versions import SchemaVersion

# Who opens and renews items: no person, but a check.
_CHECK = "check"


class CheckedFile(NamedTuple):
    """A new file and what a check of it alone found."""

    file: HeldFile
    anomalies: Sequence[Anomaly]
    refused: bool
    """True when it is set aside for them."""


def track(
    anomalies: Iterable[Anomaly],
    *,
    dataset: str,
    snapshot: str,
    version: SchemaVersion,
    ledger: Ledger,
    clock: Clock,
    files: Sequence[CheckedFile] = (),
) -> None:
    """Open, renew and fix items by what a check of a snapshot found under a schema's version.

    Only the newest snapshot of `main` counts, and once however often it is checked. What is open
    and was not found in a newer snapshot is fixed by it, unless it came with a file that was set
    aside: then by a file of that name among `files`. A closed item that is found again begins a new
    one with the same owner.
    """
    found = one_a_key(anomalies)
    with ledger.transaction():
        newest = find_head(dataset, ledger=ledger)
        if newest is None or newest.snapshot != snapshot:
            return
        items = {key_of(each): each for each in newest_items(dataset, ledger)}
        held = {key: _held(items.get(key), key, files) for key in {*found, *items}}
        for key, anomaly in found.items():
            seen = _Sighting(dataset, anomaly, snapshot, version.id, clock.now_us(), held[key])
            _sight(items.get(key), seen, ledger)
        for key, item in items.items():
            if item.state == "open" and key not in found:
                _miss(item, held[key], newest, ledger)


def _held(
    item: TrackedAnomaly | None, key: Key, files: Sequence[CheckedFile]
) -> tuple[HeldFile, ...]:
    """Return the files that an item waits for: a file of the same name takes the other's place."""
    before = item.files if item is not None and item.state == "open" else ()
    kept = [each for each in before if not any(each.is_of(other.file) for other in files)]
    new = [
        each.file
        for each in files
        if each.refused and any(key_of(one) == key for one in each.anomalies)
    ]
    return (*kept, *new)


def _miss(item: TrackedAnomaly, held: tuple[HeldFile, ...], newest: Commit, ledger: Ledger) -> None:
    """Fix an open item that the newest snapshot does not have, once no file waits for it."""
    if held:
        if held != item.files:
            why = f"{len(item.files) - len(held)} of its files came without it"
            keep_item(replace(item, files=held, by=_CHECK, why=why), ledger)
        return
    if item.last_snapshot == newest.snapshot:
        return
    why = f"not found in {newest.snapshot[:12]}"
    fixed = replace(item, state="fixed", files=(), fixed_in=newest.snapshot, by=newest.by, why=why)
    keep_item(fixed, ledger, parents=[("snapshot", newest.snapshot, "fixed in")])


def accept(
    version: SchemaVersion,
    remaining: Mapping[str, Iterable[Anomaly]],
    *,
    ledger: Ledger,
) -> None:
    """Close the open items that a schema's version accepts, in its author's name.

    `remaining` has, for each snapshot, and for each file that was set aside by its digest, that was
    checked again under this version, the anomalies that are still there; those renew their items'
    sentence and patch. A file that was not checked again is not accepted.
    """
    keys = {place: one_a_key(found) for place, found in remaining.items()}
    with ledger.transaction():
        for item in newest_items(version.dataset, ledger):
            places = [each.digest for each in item.files] or [item.last_snapshot]
            if item.state == "open" and any(place in keys for place in places):
                _accept(item, version, keys, ledger)


def _accept(
    item: TrackedAnomaly,
    version: SchemaVersion,
    remaining: Mapping[str, Mapping[Key, Anomaly]],
    ledger: Ledger,
) -> None:
    key = key_of(item)
    held = tuple(
        each for each in item.files if each.digest not in remaining or key in remaining[each.digest]
    )
    places = [each.digest for each in held] if item.files else [item.last_snapshot]
    still = [found[key] for place in places if key in (found := remaining.get(place, {}))]
    if still:
        seen = _Sighting(
            item.dataset, still[-1], item.last_snapshot, version.id, item.last_seen_us, held
        )
        _sight(item, seen, ledger)
    elif not held:
        closed = replace(
            item,
            state="accepted",
            files=(),
            accepted_in=version.id,
            by=version.by,
            why=version.why,
        )
        keep_item(closed, ledger, parents=[("schema_version", version.id, "accepted in")])


def dismiss(anomaly_id: str, *, ledger: Ledger, by: str, why: str) -> TrackedAnomaly:
    """Close an open item whose files were set aside and are given up; they stay set aside.

    Errors: TD-ANOMALY-001 (no such item), -002 (it is closed), -004 (no reason), -005 (its rows are
    in the data set).
    """
    if not why.strip():
        raise CallerError(
            "TD-ANOMALY-004",
            "the dismissal has no reason",
            expected="a few words that say why the rows are given up",
            fix='Say it: tondo anomaly dismiss ID --why "sent twice".',
            anomaly=anomaly_id,
        )
    with ledger.transaction():
        item = open_item(anomaly_id, ledger=ledger)
        newest = find_head(item.dataset, ledger=ledger)
        if not item.files or (newest is not None and newest.snapshot == item.last_snapshot):
            raise ConflictError(
                "TD-ANOMALY-005",
                f"the rows with the anomaly {item.id} are in '{item.dataset}'",
                expected="an anomaly whose files were set aside",
                fix="Correct the data and commit it again, or accept the patch.",
                anomaly=item.id,
            )
        closed = replace(item, state="dismissed", by=by, why=why.strip())
        return keep_item(closed, ledger)


def assign(anomaly_id: str, *, owner: str, ledger: Ledger, by: str, why: str) -> TrackedAnomaly:
    """Say who looks after an open item (TD-ANOMALY-001 no such item, -002 it is closed)."""
    with ledger.transaction():
        item = open_item(anomaly_id, ledger=ledger)
        return keep_item(replace(item, owner=owner, by=by, why=why), ledger)


class _Sighting(NamedTuple):
    dataset: str
    anomaly: Anomaly
    snapshot: str
    version: str
    at_us: int
    files: tuple[HeldFile, ...]


def _sight(item: TrackedAnomaly | None, seen: _Sighting, ledger: Ledger) -> None:
    """Open an item, or renew one that is open; the same again is no change."""
    parents = [("snapshot", seen.snapshot, "found in")]
    if item is None or item.state != "open":
        keep_item(_opened(seen, item, ledger), ledger, parents=parents)
        return
    renewed = replace(
        item,
        severity=seen.anomaly.severity,
        message=seen.anomaly.message,
        patch=seen.anomaly.patch,
        schema_version=seen.version,
        files=seen.files,
    )
    if item.last_snapshot != seen.snapshot:
        renewed = replace(
            renewed, last_snapshot=seen.snapshot, last_seen_us=seen.at_us, seen=item.seen + 1
        )
    if renewed != item:
        keep_item(replace(renewed, by=_CHECK, why=seen.anomaly.message), ledger, parents=parents)


def _opened(seen: _Sighting, before: TrackedAnomaly | None, ledger: Ledger) -> TrackedAnomaly:
    return TrackedAnomaly(
        id=ledger.new_id(),
        dataset=seen.dataset,
        column=seen.anomaly.column,
        kind=seen.anomaly.kind,
        severity=seen.anomaly.severity,
        owner=before.owner if before else "",
        message=seen.anomaly.message,
        first_seen_us=seen.at_us,
        last_seen_us=seen.at_us,
        code=seen.anomaly.code,
        patch=seen.anomaly.patch,
        first_snapshot=seen.snapshot,
        last_snapshot=seen.snapshot,
        schema_version=seen.version,
        files=seen.files,
        again_of=before.id if before else None,
        by=_CHECK,
        why=seen.anomaly.message,
    )
