"""Pushed events: durable in the event log first, then visible in the online store.

A pushed row becomes visible when its push is acknowledged, and counts from its event time on (in
windows: strictly after it). Training sets count it from max(event time, recorded time) on; so
push a row when it is recorded, and leave the recorded column out of the row to have it filled
with the moment of the push. A row pushed later than it says it was recorded is seen online only
from its push on; nothing else can differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import msgspec

from tondo.core.errors import CallerError, TondoError
from tondo.scoring.horizon import pack_number, read_number
from tondo.scoring.keys import ViewKeys
from tondo.scoring.layout import oldest_event_us
from tondo.scoring.online import EventPacker, pack_lookup, prefer
from tondo.scoring.pushed import pack_newest, unpack_newest
from tondo.stages.features.materialise import slot_value
from tondo.stages.features.pushed_events import EVENT_ID, EventReader
from tondo.stages.features.tiled import TiledEvents, mark_of
from tondo.stages.features.views import layout_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from tondo.ports.clock import Clock
    from tondo.ports.eventlog import Durability, EventLog, Position
    from tondo.ports.online import OnlineStore
    from tondo.stages.features.pushed_events import Parsed, PushedEvent
    from tondo.stages.features.tiled import TiledEvent
    from tondo.stages.features.views import FeatureView

MOST_EVENTS = 50_000
"""Of one push, which is one frame of the log and one transaction of the store."""


class PushedBatch(msgspec.Struct, frozen=True, array_like=True):
    """One frame of the stream `pushes/<view>`."""

    at_us: int
    columns: list[str]
    rows: list[list[Any]]
    """Event id, then the columns' values; instants are microseconds, dates are days."""


class PushReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a push; everything in it is durable and visible."""

    view: str
    accepted: int
    repeated: int
    """Events whose id had been applied before; they changed nothing."""
    dropped: int = 0
    """Events of a pruned view that are too old for any window that may still be read: they are
    in the log, and not in the store."""
    pushed_at_us: int
    newest_event_us: int | None
    """The newest event time in this push."""


def stream_of(view: FeatureView) -> str:
    """Return the event log's stream of a view's pushes."""
    return f"pushes/{view.name}"


class PushWriter:
    """Pushes events of one view; held open, because opening costs more than pushing.

    `writer` must be unique among the live writers of the view's stream. With `durability`
    `written` a push survives the death of any process but not a power loss.
    """

    def __init__(
        self,
        view: FeatureView,
        *,
        online: OnlineStore,
        eventlog: EventLog,
        clock: Clock,
        writer: str = "push",
        durability: Durability = "synced",
    ) -> None:
        self._online = online
        self._clock = clock
        self._applier = _Applier(view)
        self._view = view
        self._appender = eventlog.appender(stream_of(view), writer, durability=durability)
        self._encode = msgspec.msgpack.Encoder().encode

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the writer."""
        self.close()

    def push(self, events: Sequence[Mapping[str, Any]]) -> PushReceipt:
        """Apply the events that were not applied before; all of them or, on an error, none.

        An event carries the source's columns and may carry `event_id`. Others may push the same
        ids at the same time: each is applied once. Raises TD-FEATURE-016 (a column is missing or
        null), TD-FEATURE-104 (too many events), TD-LANG-008 (a wrong type), TD-LANG-012 (too
        large to sum), TD-ONLINE-004 (a key too long), TD-LOG-001 and TD-ONLINE-005 (disk full;
        push again).
        """
        applier = self._applier
        at_us = self._clock.now_us()
        parsed = self._parsed(events, at_us)
        newest = max((event[0].event_time or 0 for event in parsed), default=None)
        timely, late = applier.parted(parsed, self._online)

        def log(fresh: Sequence[Parsed]) -> None:
            # What is too late to be read online is history all the same.
            rows = [row for _, row in [*fresh, *late]]
            if rows:
                self._appender.append(self._encode(PushedBatch(at_us, applier.columns, rows)))

        # The log makes the events durable first; a power loss is repaired from it.
        accepted = applier.apply(timely, self._online, first=log)
        if late:
            applier.count_dropped(len(late), self._online)
        return PushReceipt(
            view=self._view.name,
            accepted=accepted,
            repeated=len(timely) - accepted,
            dropped=len(late),
            pushed_at_us=at_us,
            newest_event_us=newest if self._view.event_time else None,
        )

    def _parsed(self, events: Sequence[Mapping[str, Any]], at_us: int) -> list[Parsed]:
        if len(events) > MOST_EVENTS:
            raise CallerError(
                "TD-FEATURE-104",
                f"{len(events):,} events were pushed to view '{self._view.name}' at once",
                expected=f"{MOST_EVENTS:,} at most",
                fix="Push them in several calls; what is repeated is applied once.",
                view=self._view.name,
            )
        parsed = []
        for place, event in enumerate(events):
            try:
                parsed.append(self._applier.read(event, at_us))
            except TondoError as error:
                raise error.at(f"events[{place}]") from None
        return parsed

    def sync(self) -> None:
        """Flush what was pushed to the device, where `durability` is `written`."""
        self._appender.sync()

    def close(self) -> None:
        """Close the log's segment for good."""
        self._appender.close()


class _Applier:
    """Turns pushed rows into pairs of the online store."""

    def __init__(self, view: FeatureView) -> None:
        self._view = view
        self._layout = layout_of(view)
        self._keys = ViewKeys(self._layout)
        self._packer = EventPacker(self._layout)
        self._slots = list(self._layout.slots.values())
        self._tiles = TiledEvents(self._layout) if self._layout.levels_us else None
        self._reader = EventReader(view, self._keys)
        self.columns = self._reader.columns
        self.read = self._reader.read

    def parted(
        self, parsed: list[Parsed], online: OnlineStore
    ) -> tuple[list[Parsed], list[Parsed]]:
        """Return the events that some read may still count, and those that none may.

        Only a window view that was pruned has any of the latter.
        """
        if self._view.kind != "window" or self._layout.retention_us is None:
            return parsed, []
        horizon_us = read_number(online.get_many([self._keys.horizon])[0])
        if horizon_us is None:
            return parsed, []
        oldest_us = oldest_event_us(self._layout, horizon_us)
        late = [each for each in parsed if (each[0].event_time or 0) < oldest_us]
        return [each for each in parsed if (each[0].event_time or 0) >= oldest_us], late

    def count_dropped(self, dropped: int, online: OnlineStore) -> None:
        """Add to the number of events that came too late."""
        key = self._keys.dropped
        while True:
            kept = online.get_many([key])[0]
            number = pack_number((read_number(kept) or 0) + dropped)
            if online.put_if([(key, kept)], [(key, number)], durable=False):
                return

    def apply(
        self,
        parsed: Sequence[Parsed],
        online: OnlineStore,
        *,
        first: Callable[[Sequence[Parsed]], None] | None = None,
    ) -> int:
        """Apply the events that were not applied before, all at once; return how many.

        `first` is told which these are before anything is written. When another writer is
        quicker with an id or a row, it is looked again what is left to apply.
        """
        fresh, stored = self.fresh(parsed, online)
        batch = self.batch(fresh, stored)
        if first is not None:
            first(fresh)
        while fresh:
            written = self.write(batch, stored, self.newest(fresh, online), online)
            if written is not None:
                return written
            fresh, stored = self.fresh(parsed, online)
            batch = self.batch(fresh, stored)
        return 0

    def fresh(
        self, parsed: Sequence[Parsed], online: OnlineStore
    ) -> tuple[list[Parsed], dict[bytes, bytes | None]]:
        """Return the events not applied yet, and what the store holds under their row keys."""
        marks = [self._keys.mark(event.digest) for event, _ in parsed]
        row_keys: list[bytes] = []
        if self._view.kind == "lookup":
            row_keys = [self._row_key(event) for event, _ in parsed]
        found = online.get_many([*marks, *row_keys])
        seen: set[bytes] = set()
        fresh: list[Parsed] = []
        for place, mark in enumerate(marks):
            if found[place] is None and mark not in seen:
                seen.add(mark)
                fresh.append(parsed[place])
        return fresh, dict(zip(row_keys, found[len(marks) :], strict=True))

    def batch(
        self, fresh: Sequence[Parsed], stored: dict[bytes, bytes | None]
    ) -> list[tuple[bytes, bytes]] | list[TiledEvent]:
        """Return what to write: events with their tiles, or rows and events and their marks."""
        if self._tiles is not None:
            return [self._tiles.event(*self._of_window(event)) for event, _ in fresh]
        pairs: dict[bytes, bytes] = {}
        for event, _ in fresh:
            key = self._row_key(event)
            if self._view.kind == "window":
                pairs[key] = self._packer.pack(self._slot_values(event), event.recorded)
            else:
                pairs[key] = self._row(event, pairs.get(key, stored.get(key)))
            pairs[self._keys.mark(event.digest)] = mark_of(event.event_time)
        return list(pairs.items())

    def newest(self, fresh: Sequence[Parsed], online: OnlineStore) -> list[tuple[bytes, bytes]]:
        """Return what to write where the newest pushed time lies; nothing when it is no newer."""
        is_timed = self._view.event_time is not None
        newest = max((e.event_time if is_timed else e.recorded) or 0 for e, _ in fresh)
        kept = unpack_newest(online.get_many([self._keys.newest])[0])
        if kept is not None and kept >= newest:
            return []
        return [(self._keys.newest, pack_newest(newest))]

    def write(
        self,
        batch: Any,
        stored: Mapping[bytes, bytes | None],
        besides: Sequence[tuple[bytes, bytes]],
        online: OnlineStore,
    ) -> int | None:
        """Write what `batch` returned and some pairs besides, at once; return how many events.

        None when another writer was first with an id or a row: nothing was written then.
        """
        if self._tiles is not None:
            return self._tiles.put(batch, online=online, durable=False, besides=besides)
        marks = [key for key, _ in batch if self._keys.is_mark(key)]
        rows = [(key, stored[key]) for key, _ in batch if key in stored]
        expected = [*((mark, None) for mark in marks), *rows]
        if online.put_if(expected, [*batch, *besides], durable=False):
            return len(marks)
        return None

    def _of_window(self, event: PushedEvent) -> tuple[Any, int, int | None, bytes, list[Any]]:
        assert event.event_time is not None
        values = self._slot_values(event)
        return event.key, event.event_time, event.recorded, event.digest, values

    def _slot_values(self, event: PushedEvent) -> list[Any]:
        where = f"'{self._view.name}', event {event.id}"
        return [
            slot_value(slot, value, where=where)
            for slot, value in zip(self._slots, event.values, strict=True)
        ]

    def _row(self, event: PushedEvent, kept: bytes | None) -> bytes:
        values = dict(zip(self._reader.names, event.values, strict=True))
        offered = pack_lookup(self._layout, event.event_time, values, event.recorded)
        return prefer(self._layout, kept, offered)

    def _row_key(self, event: PushedEvent) -> bytes:
        if self._view.kind == "window":
            assert event.event_time is not None
            return self._keys.event(event.key, event.event_time, event.digest)
        return self._keys.lookup(event.key, event.event_time, event.recorded)


def push(
    view: FeatureView,
    events: Sequence[Mapping[str, Any]],
    *,
    online: OnlineStore,
    eventlog: EventLog,
    clock: Clock,
    writer: str = "push",
) -> PushReceipt:
    """Push once; see `PushWriter.push`. Who pushes often keeps a `PushWriter` open."""
    with PushWriter(view, online=online, eventlog=eventlog, clock=clock, writer=writer) as opened:
        return opened.push(events)


def replay_pushes(
    view: FeatureView,
    *,
    online: OnlineStore,
    eventlog: EventLog,
    after: Position | None = None,
) -> int:
    """Apply every push logged after a position that the store does not hold; return how many.

    For a store that was lost or set aside (TD-ONLINE-007), after `materialise`.
    """
    applier = _Applier(view)
    decode = msgspec.msgpack.Decoder(PushedBatch).decode
    applied = 0
    for _, payload in eventlog.read(stream_of(view), after):
        batch = decode(payload)
        events = [
            {EVENT_ID: row[0], **dict(zip(batch.columns, row[1:], strict=True))}
            for row in batch.rows
        ]
        parsed = [applier.read(event, batch.at_us) for event in events]
        applied += applier.apply(applier.parted(parsed, online)[0], online)
    return applied
