"""Tracked anomalies: what batches get wrong, kept like bugs with an owner and a state.

The same kind in the same column of a data set is one item however often it is found. An item closes
by a fix, a newer snapshot without it, or by a version of the schema that accepts what was seen;
nobody closes it by a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import msgspec
from msgspec.structs import replace

from tondo.core.canonical import digest
from tondo.core.errors import CallerError, ConflictError, NotFoundError, near
from tondo.core.instants import format_instant
from tondo.stages.data.anomalies import Anomaly, Change
from tondo.stages.data.commits import find_head

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tondo.ledger.ledger import Ledger
    from tondo.ports.clock import Clock
    from tondo.stages.data.schema_versions import SchemaVersion

ANOMALY_KIND = "anomaly"

State = Literal["open", "accepted", "fixed"]
STATES: tuple[State, ...] = get_args(State)
# Who opens and renews items: no person, but a check.
_CHECK = "check"


class TrackedAnomaly(msgspec.Struct, frozen=True, kw_only=True):
    """One anomaly and what became of it; each change is a new value with the same id."""

    id: str
    state: State = "open"
    dataset: str
    column: str | None
    """None when the whole batch is meant."""
    kind: str
    severity: Literal["error", "warning"]
    owner: str = ""
    """Who looks after it; empty while nobody does."""
    message: str
    """The sentence of the newest batch that has it."""
    seen: int = 1
    """How many batches had it."""
    first_seen_us: int
    last_seen_us: int
    code: str
    patch: tuple[Change, ...] = ()
    """What to change in the schema to accept the newest batch that has it."""
    first_snapshot: str
    last_snapshot: str
    schema_version: str
    """The version of the schema under which it was last found."""
    fixed_in: str | None = None
    """The snapshot that no longer has it."""
    accepted_in: str | None = None
    """The version of the schema that accepts what was seen."""
    again_of: str | None = None
    """The closed item of the same data set, column and kind that came before."""
    by: str = ""
    """Who changed it last."""
    why: str = ""

    def __repr__(self) -> str:
        """State, owner, days and message in one line."""
        first, last = format_instant(self.first_seen_us)[:10], format_instant(self.last_seen_us)
        owner = self.owner or "nobody"
        days = f"{first} to {last[:10]}, {self.seen} batches"
        return f"TrackedAnomaly({self.state}, {owner}, {days}: {self.message} [{self.code}])"


def track(
    anomalies: Iterable[Anomaly],
    *,
    dataset: str,
    snapshot: str,
    version: SchemaVersion,
    ledger: Ledger,
    clock: Clock,
) -> None:
    """Open, renew and fix items by what a check of a snapshot found under a schema's version.

    Only the newest snapshot of `main` counts, and once however often it is checked. What is open
    and was not found in a newer snapshot is fixed by it. A closed item that is found again begins a
    new one with the same owner.
    """
    found = _one_a_key(anomalies)
    with ledger.transaction():
        newest = find_head(dataset, ledger=ledger)
        if newest is None or newest.snapshot != snapshot:
            return
        items = {_key(each): each for each in _newest(dataset, ledger)}
        for key, anomaly in found.items():
            seen = _Sighting(dataset, anomaly, snapshot, version.id, clock.now_us())
            _sight(items.get(key), seen, ledger)
        for key, item in items.items():
            if item.state == "open" and key not in found and item.last_snapshot != snapshot:
                why = f"not found in {snapshot[:12]}"
                fixed = replace(item, state="fixed", fixed_in=snapshot, by=newest.by, why=why)
                _keep(fixed, ledger, parents=[("snapshot", snapshot, "fixed in")])


def accept(
    version: SchemaVersion,
    remaining: Mapping[str, Iterable[Anomaly]],
    *,
    ledger: Ledger,
) -> None:
    """Close the open items that a schema's version accepts, in its author's name.

    `remaining` has, for each snapshot that was checked again under this version, the anomalies that
    are still there; those renew their items' sentence and patch.
    """
    with ledger.transaction():
        for item in _newest(version.dataset, ledger):
            if item.state != "open" or item.last_snapshot not in remaining:
                continue
            still = _one_a_key(remaining[item.last_snapshot]).get(_key(item))
            if still is not None:
                now_us = item.last_seen_us
                seen = _Sighting(item.dataset, still, item.last_snapshot, version.id, now_us)
                _sight(item, seen, ledger)
                continue
            closed = replace(
                item, state="accepted", accepted_in=version.id, by=version.by, why=version.why
            )
            _keep(closed, ledger, parents=[("schema_version", version.id, "accepted in")])


def assign(anomaly_id: str, *, owner: str, ledger: Ledger, by: str, why: str) -> TrackedAnomaly:
    """Say who looks after an open item (TD-ANOMALY-001 no such item, -002 it is closed)."""
    with ledger.transaction():
        item = open_item(anomaly_id, ledger=ledger)
        return _keep(replace(item, owner=owner, by=by, why=why), ledger)


def tracked(
    *, ledger: Ledger, dataset: str | None = None, state: str | None = None
) -> list[TrackedAnomaly]:
    """Return items as they are now, closed ones included, the newest sighting first.

    TD-ANOMALY-003 for a state that there is not.
    """
    if state is not None and state not in STATES:
        raise CallerError(
            "TD-ANOMALY-003",
            f"'{state}' is no state of an anomaly",
            expected=", ".join(STATES),
            fix=near(state, STATES),
            state=state,
        )
    found = []
    for item in _newest(dataset, ledger):
        earlier: TrackedAnomaly | None = item
        while earlier is not None:
            found.append(earlier)
            earlier = _read(earlier.again_of, ledger) if earlier.again_of else None
    kept = [each for each in found if state in {None, each.state}]
    return sorted(kept, key=lambda each: (-each.last_seen_us, each.dataset, each.column or ""))


def find_item(anomaly_id: str, *, ledger: Ledger) -> TrackedAnomaly:
    """Return an item as it is now, by its id or the start of it (TD-ANOMALY-001)."""
    known = tracked(ledger=ledger)
    found = [each for each in known if anomaly_id and each.id.startswith(anomaly_id)]
    if len(found) == 1:
        return found[0]
    what = f"the start of {len(found)} ids" if found else "no tracked anomaly"
    raise NotFoundError(
        "TD-ANOMALY-001",
        f"'{anomaly_id}' is {what}",
        expected="the id of a tracked anomaly, or its first characters",
        fix=near(anomaly_id, [each.id for each in found or known]),
        anomaly=anomaly_id,
    )


def open_item(anomaly_id: str, *, ledger: Ledger) -> TrackedAnomaly:
    """Return an item that is open (TD-ANOMALY-001 no such item, -002 it is closed)."""
    item = find_item(anomaly_id, ledger=ledger)
    if item.state == "open":
        return item
    raise ConflictError(
        "TD-ANOMALY-002",
        f"the anomaly {item.id} is {item.state}: {item.why}",
        expected="an anomaly that is open",
        fix="Nothing is to be done; found again, it begins a new item.",
        anomaly=item.id,
        state=item.state,
    )


class _Sighting(NamedTuple):
    dataset: str
    anomaly: Anomaly
    snapshot: str
    version: str
    at_us: int


def _sight(item: TrackedAnomaly | None, seen: _Sighting, ledger: Ledger) -> None:
    """Open an item, or renew one that is open; the same again is no change."""
    parents = [("snapshot", seen.snapshot, "found in")]
    if item is None or item.state != "open":
        _keep(_opened(seen, item, ledger), ledger, parents=parents)
        return
    renewed = replace(
        item,
        severity=seen.anomaly.severity,
        message=seen.anomaly.message,
        patch=seen.anomaly.patch,
        schema_version=seen.version,
    )
    if item.last_snapshot != seen.snapshot:
        renewed = replace(
            renewed, last_snapshot=seen.snapshot, last_seen_us=seen.at_us, seen=item.seen + 1
        )
    if renewed != item:
        _keep(replace(renewed, by=_CHECK, why=seen.anomaly.message), ledger, parents=parents)


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
        again_of=before.id if before else None,
        by=_CHECK,
        why=seen.anomaly.message,
    )


def _keep(
    item: TrackedAnomaly, ledger: Ledger, *, parents: Sequence[tuple[str, str, str]] = ()
) -> TrackedAnomaly:
    """Keep an item's new value; its first record has its own id, so that lineage finds it."""
    first = ledger.find(ANOMALY_KIND, item.id) is None
    record = item.id if first else ledger.new_id()
    edges = [*parents] if first else [*parents, (ANOMALY_KIND, item.id, "item")]
    if first and item.again_of is not None:
        edges.append((ANOMALY_KIND, item.again_of, "again"))
    name = _pointer_of(item)
    pointer = ledger.pointer(name)
    ledger.put(ANOMALY_KIND, record, item, parents=edges)
    expect = pointer.target if pointer else None
    ledger.move(name, record, expect=expect, by=item.by, why=item.why)
    return item


def _newest(dataset: str | None, ledger: Ledger) -> list[TrackedAnomaly]:
    prefix = f"{ANOMALY_KIND}/" if dataset is None else f"{ANOMALY_KIND}/{dataset}/"
    return [
        ledger.read(ANOMALY_KIND, each.target, TrackedAnomaly) for each in ledger.pointers(prefix)
    ]


def _read(item_id: str, ledger: Ledger) -> TrackedAnomaly | None:
    found = ledger.records(ANOMALY_KIND, where={"id": item_id}, limit=1)
    return msgspec.convert(found[0].body, TrackedAnomaly) if found else None


def _key(one: Anomaly | TrackedAnomaly) -> tuple[str | None, str]:
    return one.column, one.kind


def _one_a_key(anomalies: Iterable[Anomaly]) -> dict[tuple[str | None, str], Anomaly]:
    """Return the anomalies by column and kind; those of one key are one, with both patches."""
    found: dict[tuple[str | None, str], Anomaly] = {}
    for each in anomalies:
        first = found.setdefault(_key(each), each)
        if first is not each:
            message = f"{first.message}; {each.message}"
            both = replace(first, message=message, patch=(*first.patch, *each.patch))
            found[_key(each)] = both
    return found


def _pointer_of(item: TrackedAnomaly) -> str:
    # A column may have any name; a pointer's name is plain and short.
    return f"{ANOMALY_KIND}/{item.dataset}/{digest([item.column, item.kind])[:32]}"
