"""Bulk loading of a view into the online store, and reading it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import DataError, DefinitionError
from tondo.core.instants import from_micros
from tondo.language.tree import Column, Node
from tondo.language.windows import LARGEST, LARGEST_SQUARED, quantise
from tondo.scoring.keys import ViewKeys, event_digest
from tondo.scoring.layout import visible_us
from tondo.scoring.online import EventPacker, pack_lookup, prefer
from tondo.scoring.reader import FeatureReader
from tondo.stages.features.joins import lookup_of
from tondo.stages.features.views import layout_of, slot_arguments, view_record_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from tondo.ledger.ledger import Ledger
    from tondo.ports.clock import Clock
    from tondo.ports.engine import Engine, LookupJoin
    from tondo.ports.online import OnlineStore
    from tondo.scoring.layout import EventSlot, ViewLayout
    from tondo.stages.features.views import FeatureView

Pair = tuple[bytes, bytes]
MARK = b"\x01"
_EVENT_TIME, _RECORDED_AT = "@event_time", "@recorded_at"
_KEY, _TIME = "@key", "@time"
# A transaction of this many pairs is 2 MB, and never long in the way of a push.
_BATCH = 20_000


class Materialisation(msgspec.Struct, frozen=True, kw_only=True):
    """One bulk load of a view."""

    id: str
    view: str
    digest: str
    snapshot: str | None
    until_us: int
    """Rows known by then are in the store; for a view with a cadence, its last boundary."""
    keys: int
    rows: int
    at_us: int


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
    """Write what a read at `until_us` (default now) needs: newest rows, or the windows' events.

    The rows are found by the same join that builds training sets. Doing it again writes the same
    bytes; rows that were pushed meanwhile stay. Raises TD-FEATURE-015 for a window view whose
    source declares no key.
    """
    layout = layout_of(view)
    at_us = clock.now_us()
    until = visible_us(layout, at_us if until_us is None else until_us)
    if view.kind == "window":
        pairs = _event_pairs(view, layout, table, engine=engine, until_us=until)
    else:
        pairs = _lookup_pairs(view, layout, table, engine=engine, until_us=until)
    keys, rows = _write(layout, pairs, online)
    done = Materialisation(
        id=ledger.new_id(),
        view=view.name,
        digest=view.digest,
        snapshot=snapshot,
        until_us=until,
        keys=keys,
        rows=rows,
        at_us=at_us,
    )
    parents = [("snapshot", snapshot, "source")] if snapshot else []
    if ledger.find("feature_view", view_record_id(view)) is not None:
        parents.append(("feature_view", view_record_id(view), "definition"))
    ledger.put("materialisation", done.id, done, parents=parents)
    return done


def _write(
    layout: ViewLayout, pairs: Iterator[tuple[Any, Pair]], online: OnlineStore
) -> tuple[int, int]:
    keys: set[Any] = set()
    rows = 0
    batch: list[Pair] = []
    for key, pair in pairs:
        keys.add(key)
        # A mark of an event is written with it and is no row.
        rows += pair[1] != MARK
        batch.append(pair)
        if len(batch) >= _BATCH and pair[1] != MARK:
            online.put_many(_kept(layout, batch, online))
            batch = []
    online.put_many(_kept(layout, batch, online))
    return len(keys), rows


def _kept(layout: ViewLayout, batch: list[Pair], online: OnlineStore) -> list[Pair]:
    """Leave a pushed row that wins over the loaded one of the same times in place."""
    if layout.kind == "window":
        return batch
    stored = online.get_many([key for key, _ in batch])
    return [(key, prefer(layout, old, new)) for (key, new), old in zip(batch, stored, strict=True)]


def _lookup_pairs(
    view: FeatureView, layout: ViewLayout, table: Any, *, engine: Engine, until_us: int
) -> Iterator[tuple[Any, Pair]]:
    features: dict[str, Node] = dict(view.lookups)
    if view.event_time is not None:
        features[_EVENT_TIME] = Column(view.event_time, "timestamp")
    if view.recorded_at is not None:
        features[_RECORDED_AT] = Column(view.recorded_at, "timestamp")
    features[_KEY] = Column(view.entity.key, view.entity.type)
    base = lookup_of(view, table, spine_key=view.entity.key, features=list(view.lookups))
    join: LookupJoin = msgspec.structs.replace(base, features=features, ttl_us=None, prefix="")
    spine = _distinct_keys(view, table, engine=engine, until_us=until_us)
    joined = engine.point_in_time(spine, time=_TIME, lookups=[join], windows=[])
    joined = joined.drop_columns([view.entity.key, _TIME])
    columns = {name: plain_values(joined, name) for name in joined.column_names}
    names = list(view.lookups)
    keys = ViewKeys(layout)
    for row in zip(*columns.values(), strict=True):
        values = dict(zip(columns, row, strict=True))
        key, event_time = values[_KEY], values.get(_EVENT_TIME)
        if key is None:
            continue
        recorded = values.get(_RECORDED_AT)
        packed = pack_lookup(layout, event_time, {n: values[n] for n in names}, recorded)
        yield key, (keys.lookup(key, event_time, recorded), packed)


def _distinct_keys(view: FeatureView, table: Any, *, engine: Engine, until_us: int) -> pa.Table:
    import pyarrow as pa

    keys = engine.scan(table, [view.entity.key]).column(0).unique().drop_null()
    times = pa.array([from_micros(until_us)] * len(keys), pa.timestamp("us", tz="UTC"))
    return pa.table({view.entity.key: keys, _TIME: times})


def _event_pairs(
    view: FeatureView, layout: ViewLayout, table: Any, *, engine: Engine, until_us: int
) -> Iterator[tuple[Any, Pair]]:
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
    keys, packer = ViewKeys(layout), EventPacker(layout)
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
        digest = event_digest(event_id)
        yield key, (keys.mark(digest), MARK)
        yield key, (keys.event(key, event_time, digest), packer.pack(slots, recorded))


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


def plain_values(table: pa.Table, name: str) -> list[Any]:
    """Return a column as the language's own values: instants and dates as integers."""
    import pyarrow as pa

    column = table.column(name)
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
    elif pa.types.is_date32(column.type):
        column = column.cast(pa.int32())
    values: list[Any] = column.to_pylist()
    return values


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
