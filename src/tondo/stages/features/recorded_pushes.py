"""Pushed events made part of their source's dataset, so that training sets hold them too.

The event log keeps what was pushed; the dataset keeps history. Recording appends the events that
the dataset does not hold as one more file. An event is known by its id: an id that the source's
key columns make is looked for among the dataset's rows, any id among those recorded before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import DefinitionError
from tondo.ports.eventlog import Position
from tondo.stages.data.arrow_types import arrow_type
from tondo.stages.data.commits import commit, find_head, recorded_snapshot
from tondo.stages.data.snapshots import from_manifest
from tondo.stages.features.materialise import event_id_of
from tondo.stages.features.newest_rows import plain_values
from tondo.stages.features.push import PushedBatch, stream_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from tondo.ledger.ledger import Ledger
    from tondo.ports.blobs import Blobs
    from tondo.ports.clock import Clock
    from tondo.ports.engine import Engine, FileTable
    from tondo.ports.eventlog import EventLog
    from tondo.stages.data.commits import Commit
    from tondo.stages.features.views import FeatureView

KIND = "push_recording"


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """One time that pushed events were made part of a dataset."""

    id: str
    view: str
    dataset: str
    rows: int
    """Events that the dataset did not hold."""
    known: int
    """Events of the log, as far as it was read, that it held already."""
    commit: str | None
    """The commit that holds them, or the head where there was nothing to add."""
    snapshot: str | None
    file: str | None
    """The file that was added."""
    ids: str | None
    """Blob of its events' ids, in the order of its rows."""
    at_us: int
    read_until: Position | None = None
    """Where the log was read to: the dataset's snapshot holds everything before."""


def record_events(
    view: FeatureView,
    *,
    columns: Mapping[str, str],
    table: FileTable | None,
    engine: Engine,
    eventlog: EventLog,
    ledger: Ledger,
    blobs: Blobs,
    clock: Clock,
    by: str,
    after: Position | None = None,
) -> Recording:
    """Append the pushed events of a view that its source's dataset does not hold.

    The log is read from `after` on, which is where `recorded_until` says.

    `columns` are the dataset's; those that the view does not read are null in what is appended.
    `table` is the dataset's newest snapshot, None while nothing was committed. Doing it again
    adds nothing. Raises TD-LEDGER-003 when somebody else committed meanwhile, and then nothing
    counts; TD-FEATURE-103 when the view reads a column that the dataset has in another type.
    """
    _check_types(view, columns)
    events, position = _pushed(view, after, eventlog=eventlog)
    before = find_head(view.source, ledger=ledger)
    held = _recorded_ids(view, before, ledger=ledger, blobs=blobs)
    held |= _own_ids(view, table, events, engine=engine)
    fresh = {id_: row for id_, row in events.items() if id_ not in held}
    done = Recording(
        id=ledger.new_id(),
        view=view.name,
        dataset=view.source,
        rows=len(fresh),
        known=len(events) - len(fresh),
        commit=before.id if before else None,
        snapshot=before.snapshot if before else None,
        file=None,
        ids=None,
        at_us=clock.now_us(),
    )
    if not fresh:
        return done
    rows = _table(list(fresh.values()), view, columns)
    ids = blobs.put(msgspec.json.encode(list(fresh)))
    with ledger.transaction():
        made = commit(
            view.source,
            rows,
            ledger=ledger,
            blobs=blobs,
            clock=clock,
            mode="append",
            note=stream_of(view),
            by=by,
            why=f"recorded {len(fresh):,} events pushed to view '{view.name}'",
        )
        file = recorded_snapshot(made.snapshot, ledger=ledger).files[-1].digest
        done = msgspec.structs.replace(
            done,
            commit=made.id,
            snapshot=made.snapshot,
            file=file,
            ids=ids,
            read_until=position,
        )
        ledger.put(KIND, done.id, done, parents=[("commit", made.id, "holds")])
    return done


def recorded_files(view: FeatureView, *, ledger: Ledger) -> set[str]:
    """Return the files of the dataset that hold what was pushed to this view."""
    return {str(each.body["file"]) for each in ledger.records(KIND, where={"view": view.name})}


def recorded_until(view: FeatureView, *, ledger: Ledger) -> Position | None:
    """Return up to where all that was pushed is in the dataset; None when that is not known.

    It is known where the files that the last recording left are in the newest snapshot still.
    """
    found = ledger.records(KIND, where={"view": view.name, "dataset": view.source}, limit=1)
    head = find_head(view.source, ledger=ledger)
    if not found or head is None:
        return None
    last = msgspec.convert(found[0].body, Recording)
    left, held = (_files(each, ledger=ledger) for each in (str(last.snapshot), head.snapshot))
    return last.read_until if left <= held else None


def _files(snapshot: str, *, ledger: Ledger) -> set[str]:
    """Return the files of a snapshot, also of one that was removed."""
    return {file.digest for file in from_manifest(ledger.get("snapshot", snapshot).body).files}


def _pushed(
    view: FeatureView, after: Position | None, *, eventlog: EventLog
) -> tuple[dict[str, dict[str, Any]], Position | None]:
    """Return the row of each event id in the log, and where it ends.

    Of one id that stands twice it is the first.
    """
    decode = msgspec.msgpack.Decoder(PushedBatch).decode
    found: dict[str, dict[str, Any]] = {}
    position = after
    for position, payload in eventlog.read(stream_of(view), after):  # noqa: B007 - the last one
        batch = decode(payload)
        for row in batch.rows:
            found.setdefault(row[0], dict(zip(batch.columns, row[1:], strict=True)))
    return found, position


def _recorded_ids(
    view: FeatureView, head: Commit | None, *, ledger: Ledger, blobs: Blobs
) -> set[str]:
    """Return the ids of the events in files that were recorded and are still in the snapshot."""
    if head is None:
        return set()
    files = _files(head.snapshot, ledger=ledger)
    found: set[str] = set()
    for record in ledger.records(KIND, where={"dataset": view.source}):
        if record.body["file"] in files:
            found.update(msgspec.json.decode(blobs.get(record.body["ids"]), type=list[str]))
    return found


def _own_ids(
    view: FeatureView, table: FileTable | None, events: Mapping[str, Any], *, engine: Engine
) -> set[str]:
    """Return the ids that the dataset's rows have by their key columns."""
    if table is None or not view.row_key or not events:
        return set()
    found = engine.scan(table, list(view.row_key))
    parts = zip(*(plain_values(found, name) for name in view.row_key), strict=True)
    return {event_id_of(each) for each in parts}


def _table(
    rows: Sequence[Mapping[str, Any]], view: FeatureView, columns: Mapping[str, str]
) -> pa.Table:
    import pyarrow as pa

    made = {}
    for name, type_ in columns.items():
        if name in view.columns:
            made[name] = _column([row.get(name) for row in rows], type_)
        else:
            made[name] = pa.nulls(len(rows), arrow_type(type_))
    return pa.table(made)


def _column(values: list[Any], type_: str) -> pa.Array:
    """Return the language's own values as a column: instants are microseconds, dates days."""
    import pyarrow as pa

    if type_ == "timestamp":
        return pa.array(values, pa.int64()).cast(arrow_type(type_))
    if type_ == "date":
        return pa.array(values, pa.int32()).cast(arrow_type(type_))
    return pa.array(values, arrow_type(type_))


def _check_types(view: FeatureView, columns: Mapping[str, str]) -> None:
    for name, type_ in view.columns.items():
        if columns.get(name) != type_:
            raise DefinitionError(
                "TD-FEATURE-103",
                f"events of view '{view.name}' cannot become rows of '{view.source}': its column "
                f"'{name}' is {columns.get(name, 'not there')}",
                expected=f"'{name}' of type {type_}, as the view reads it",
                fix="Declare the column in the source, and run `tondo definition sync`.",
                view=view.name,
                column=name,
            )
