"""Tracked anomalies as they are kept: one item a column and kind of a data set, found by its id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import msgspec
from msgspec.structs import replace

from tondo.core.canonical import digest
from tondo.core.errors import CallerError, ConflictError, NotFoundError, near
from tondo.core.instants import format_instant
from tondo.stages.data.anomalies import Anomaly, Change

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tondo.ledger.ledger import Ledger

ANOMALY_KIND = "anomaly"

State = Literal["open", "accepted", "fixed", "dismissed"]
STATES: tuple[State, ...] = get_args(State)
Key = tuple[str | None, str]
"""Column and kind."""


class HeldFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was set aside: it lies in no newest snapshot, and nobody has mended it yet."""

    digest: str
    snapshot: str
    """Where it lay when it was refused."""
    name: str | None = None
    """What a corrected file is known by: its note; empty when it was the whole content. None of a
    file that was added without a note, which only its own rows can mend."""

    def is_of(self, other: HeldFile) -> bool:
        """Say whether it is the same file, or another one of the same name."""
        named = self.name is not None and self.name == other.name
        return named or self.digest == other.digest


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
    files: tuple[HeldFile, ...] = ()
    """Files that were set aside with it; it is open until each is mended, accepted or dismissed."""
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
    for item in newest_items(dataset, ledger):
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


def keep_item(
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


def newest_items(dataset: str | None, ledger: Ledger) -> list[TrackedAnomaly]:
    """Return the last item of every column and kind, closed ones included."""
    prefix = f"{ANOMALY_KIND}/" if dataset is None else f"{ANOMALY_KIND}/{dataset}/"
    return [
        ledger.read(ANOMALY_KIND, each.target, TrackedAnomaly) for each in ledger.pointers(prefix)
    ]


def _read(item_id: str, ledger: Ledger) -> TrackedAnomaly | None:
    found = ledger.records(ANOMALY_KIND, where={"id": item_id}, limit=1)
    return msgspec.convert(found[0].body, TrackedAnomaly) if found else None


def key_of(one: Anomaly | TrackedAnomaly) -> Key:
    """Return what makes two sightings the same."""
    return one.column, one.kind


def one_a_key(anomalies: Iterable[Anomaly]) -> dict[Key, Anomaly]:
    """Return the anomalies by column and kind; those of one key are one, with both patches."""
    found: dict[Key, Anomaly] = {}
    for each in anomalies:
        first = found.setdefault(key_of(each), each)
        if first is not each:
            message = f"{first.message}; {each.message}"
            both = replace(first, message=message, patch=(*first.patch, *each.patch))
            found[key_of(each)] = both
    return found


def _pointer_of(item: TrackedAnomaly) -> str:
    # A column may have any name; a pointer's name is plain and short.
    return f"{ANOMALY_KIND}/{item.dataset}/{digest([item.column, item.kind])[:32]}"
