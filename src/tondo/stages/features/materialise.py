"""Bulk loading of a view into the online store, and reading it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tondo.core.errors import DataError, DefinitionError
from tondo.core.instants import from_micros
from tondo.language.windows import LARGEST, LARGEST_SQUARED, quantise
from tondo.ports.engine import FileTable
from tondo.scoring.keys import ViewKeys, event_digest
from tondo.scoring.layout import visible_us
from tondo.scoring.loads import LoadState, pack_state
from tondo.scoring.online import EventPacker
from tondo.scoring.reader import FeatureReader
from tondo.stages.features.loads import ViewLoad, state_of
from tondo.stages.features.newest_rows import newest_rows, plain_values
from tondo.stages.features.tiled import TiledEvents, mark_of
from tondo.stages.features.views import layout_of, slot_arguments, view_record_id
from tondo.stages.features.what_to_read import (
    KIND,
    Materialisation,
    MaterialisationPlan,
    Reading,
    what_to_read,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from tondo.ledger.ledger import Ledger
    from tondo.ports.clock import Clock
    from tondo.ports.engine import Engine
    from tondo.ports.online import OnlineStore
    from tondo.scoring.layout import EventSlot, ViewLayout
    from tondo.stages.features.loads import NewestRow
    from tondo.stages.features.tiled import WindowEvent
    from tondo.stages.features.views import FeatureView

__all__ = ["Materialisation", "MaterialisationPlan", "materialise", "plan_materialisation"]

Pair = tuple[bytes, bytes]


def materialise(
    view: FeatureView,
    table: Any,
    *,
    engine: Engine,
    online: OnlineStore,
    ledger: Ledger,
    clock: Clock,
    until_us: int | None = None,
    snapshot: str | None = None,
) -> Materialisation:
    """Load what a read at `until_us` (default now) needs: newest rows, or the windows' events.

    The rows are found by the same join that builds training sets; only files of the snapshot that
    can say something new are read. All of it counts from one write on: whoever is killed, or
    fails, before has changed nothing that is seen. Rows that were pushed stay.

    Raises TD-FEATURE-015 for a window view whose source declares no key, TD-FEATURE-101 when the
    source lost a column, TD-ONLINE-005 (disk full), TD-ONLINE-103 (another one took over).
    """
    layout = layout_of(view)
    at_us = clock.now_us()
    until = visible_us(layout, at_us if until_us is None else until_us)
    reading = what_to_read(
        view,
        table,
        state=state_of(layout, online),
        ledger=ledger,
        snapshot=snapshot,
        until_us=until,
    )
    load = _load_events if view.kind == "window" else _load_rows
    loaded = load(view, layout, reading, engine=engine, online=online, at_us=at_us)
    newest = [loaded.newest_us, reading.before.newest_event_us if reading.before else None]
    done = Materialisation(
        id=ledger.new_id(),
        view=view.name,
        digest=view.digest,
        snapshot=snapshot,
        until_us=until,
        keys=loaded.keys,
        rows=loaded.rows,
        at_us=at_us,
        changed=loaded.changed,
        files_read=reading.plan.files_read,
        files_reused=reading.plan.files_reused,
        load=loaded.number,
        newest_event_us=max((each for each in newest if each is not None), default=None),
        boundaries_missed=_missed(view, reading.plan),
    )
    parents = [("snapshot", snapshot, "source")] if snapshot else []
    if ledger.find("feature_view", view_record_id(view)) is not None:
        parents.append(("feature_view", view_record_id(view), "definition"))
    ledger.put(KIND, done.id, done, parents=parents)
    return done


def plan_materialisation(
    view: FeatureView,
    table: Any,
    *,
    online: OnlineStore,
    ledger: Ledger,
    clock: Clock,
    snapshot: str | None = None,
) -> MaterialisationPlan:
    """Return what `materialise` would do now; nothing is changed."""
    layout = layout_of(view)
    return what_to_read(
        view,
        table,
        state=state_of(layout, online),
        ledger=ledger,
        snapshot=snapshot,
        until_us=visible_us(layout, clock.now_us()),
    ).plan


class _LoadedRows(NamedTuple):
    keys: int
    rows: int
    changed: int
    newest_us: int | None
    number: int


def _missed(view: FeatureView, plan: MaterialisationPlan) -> int:
    if view.every_us is None or plan.last_until_us is None:
        return 0
    return max((plan.until_us - plan.last_until_us) // view.every_us - 1, 0)


def _load_rows(
    view: FeatureView,
    layout: ViewLayout,
    reading: Reading,
    *,
    engine: Engine,
    online: OnlineStore,
    at_us: int,
) -> _LoadedRows:
    until = reading.plan.until_us
    load = ViewLoad(layout, online, until_us=until)
    number = load.begin(at_us)
    newest: list[int] = []

    def told() -> Iterator[NewestRow]:
        if isinstance(reading.table, FileTable) and not reading.table.paths:
            return
        for row in newest_rows(view, reading.table, engine=engine, until_us=until):
            if row.event_time_us is not None and not newest[:1] > [row.event_time_us]:
                newest[:] = [row.event_time_us]
            yield row

    count = load.write(told(), is_whole=reading.plan.is_whole)
    load.publish()
    return _LoadedRows(count, count, load.written, newest[0] if newest else None, number)


def _load_events(
    view: FeatureView,
    layout: ViewLayout,
    reading: Reading,
    *,
    engine: Engine,
    online: OnlineStore,
    at_us: int,
) -> _LoadedRows:
    """Write all events within reach as one batch, so that no window counts some of them."""
    until = reading.plan.until_us
    events = list(_events(view, layout, reading.table, engine=engine, until_us=until))
    before = state_of(layout, online)
    number = max(at_us, before.published + 1)
    state = (ViewKeys(layout).state, pack_state(LoadState(number, until)))
    if layout.levels_us:
        tiled = TiledEvents(layout)
        tiled.put([tiled.event(*event) for event in events], online=online, besides=[state])
    else:
        online.put_many([*_event_pairs(layout, events), state])
    newest = max((event[1] for event in events), default=None)
    return _LoadedRows(len({event[0] for event in events}), len(events), 0, newest, number)


def _event_pairs(layout: ViewLayout, events: Sequence[WindowEvent]) -> Iterator[Pair]:
    keys, packer = ViewKeys(layout), EventPacker(layout)
    for key, event_time, recorded, digest, slots in events:
        yield keys.mark(digest), mark_of(event_time)
        yield keys.event(key, event_time, digest), packer.pack(slots, recorded)


def _events(
    view: FeatureView, layout: ViewLayout, table: Any, *, engine: Engine, until_us: int
) -> Iterator[WindowEvent]:
    if not view.row_key:
        raise DefinitionError(
            "TD-FEATURE-015",
            f"the source '{view.source}' of window view '{view.name}' declares no key",
            expected="key columns, so that an event loaded here and pushed later counts once",
            fix="Add `key:` to the source, for example `key: [flight_id]`.",
            view=view.name,
        )
    events = _events_in_reach(view, layout, table, engine=engine, until_us=until_us)
    arguments = slot_arguments(view)
    kept = list(dict.fromkeys([*_time_columns(view), view.entity.key, *view.row_key]))
    computed = engine.evaluate(arguments, events, keep=kept)
    columns = {name: plain_values(computed, name) for name in computed.column_names}
    ids = zip(*(columns[name] for name in view.row_key), strict=True)
    for place, (key, event_time, id_parts) in enumerate(
        zip(columns[view.entity.key], columns[str(view.event_time)], ids, strict=True)
    ):
        event_id = event_id_of(id_parts)
        where = f"'{view.name}', event {event_id}"
        slots = [
            slot_value(slot, columns[name][place], where=where)
            for name, slot in layout.slots.items()
        ]
        recorded = columns[view.recorded_at][place] if view.recorded_at else None
        yield key, event_time, recorded, event_digest(event_id), slots


def _time_columns(view: FeatureView) -> list[str]:
    return [name for name in (view.event_time, view.recorded_at) if name is not None]


def _events_in_reach(
    view: FeatureView, layout: ViewLayout, table: Any, *, engine: Engine, until_us: int
) -> pa.Table:
    """Return the events that a window at or after `until_us` may still hold, known by then."""
    from pyarrow import compute

    events = engine.scan(table, list(view.columns))
    start = from_micros(until_us - layout.reach_us)
    events = events.filter(compute.greater_equal(events.column(view.event_time), start))
    for name in _time_columns(view):
        events = events.filter(compute.less_equal(events.column(name), from_micros(until_us)))
    return events.filter(compute.is_valid(events.column(view.entity.key)))


def event_id_of(parts: Sequence[Any]) -> str:
    """Return the event id that a row's own key columns make.

    >>> event_id_of(["UA", 1545])
    '["UA",1545]'
    """
    return msgspec.json.encode(parts).decode()


def slot_value(slot: EventSlot, value: Any, *, where: str) -> Any:
    """Return what an event keeps of an argument; TD-LANG-012 when it is too large to sum."""
    if value is None:
        return None
    if slot.kind == "present":
        return 1
    if slot.kind == "sum":
        largest = LARGEST_SQUARED if slot.squared else LARGEST
        if abs(value) > largest:
            raise DataError(
                "TD-LANG-012",
                f"{value!r} is too large for an exact sum in view {where}",
                expected=f"a value between -{largest:g} and {largest:g}",
                fix="Correct the value, or make its unit larger in the feature's expression.",
                value=value,
            )
        return quantise(value, slot.scale_bits, largest=largest)
    return value


def read_online(
    view: FeatureView, keys: Sequence[Any], as_of_us: int, *, online: OnlineStore
) -> list[dict[str, Any]]:
    """Return one row per key: the key and every feature as of an instant."""
    layout = layout_of(view)
    reader = FeatureReader(online, {view.name: layout})
    plan = reader.plan([(name, view.name, name, layout.key) for name in layout.features])
    rows: list[dict[str, Any]] = [{layout.key: key} for key in keys]
    reader.fetch(rows, plan, as_of_us)
    return rows
