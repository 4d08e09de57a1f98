"""Pushed events: durable in the event log first, then visible in the online store.

A pushed row becomes visible when its push is acknowledged, and counts from its event time on (in
windows: strictly after it). Training sets count it from max(event time, recorded time) on; so
push a row when it is recorded, and leave the recorded column out of the row to have it filled
with the moment of the push. A row pushed later than it says it was recorded is seen online only
from its push on; nothing else can differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import msgspec

from tondo.core.errors import CallerError, DataError, TondoError, near
from tondo.language.rows import compile_rows
from tondo.language.values import READERS
from tondo.scoring.horizon import pack_number, read_number
from tondo.scoring.keys import LONGEST_TAIL, ViewKeys, check_key_length, event_digest
from tondo.scoring.layout import oldest_event_us
from tondo.scoring.online import EventPacker, pack_lookup, prefer
from tondo.scoring.pushed import pack_newest, unpack_newest
from tondo.stages.features.materialise import event_id_of, slot_value
from tondo.stages.features.tiled import TiledEvents, mark_of
from tondo.stages.features.views import layout_of, slot_arguments

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from tondo.ports.clock import Clock
    from tondo.ports.eventlog import Durability, EventLog
    from tondo.ports.online import OnlineStore
    from tondo.stages.features.tiled import TiledEvent
    from tondo.stages.features.views import FeatureView

EVENT_ID = "event_id"
"""Field of a pushed row that may give its id; otherwise the source's key columns make it."""


MOST_EVENTS = 50_000
"""Of one push, which is one frame of the log and one transaction of the store."""
_SHORT_KEY = 64

_EXACT = {"double": float, "string": str, "bool": bool}
"""Types whose values are the language's own already; ids and instants are read for their range."""


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


class _Event(msgspec.Struct, frozen=True):
    id: str
    digest: bytes
    key: Any
    event_time: int | None
    recorded: int | None
    values: list[Any]


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
                parsed.append(self._applier.parse(event, at_us))
            except TondoError as error:
                raise error.at(f"events[{place}]") from None
        return parsed

    def sync(self) -> None:
        """Flush what was pushed to the device, where `durability` is `written`."""
        self._appender.sync()

    def close(self) -> None:
        """Close the log's segment for good."""
        self._appender.close()


Parsed = tuple[_Event, list[Any]]


class _Applier:
    """Turns pushed rows into pairs of the online store."""

    def __init__(self, view: FeatureView) -> None:
        self._view = view
        self._layout = layout_of(view)
        self._keys = ViewKeys(self._layout)
        self._packer = EventPacker(self._layout)
        self._slots = list(self._layout.slots.values())
        self._tiles = TiledEvents(self._layout) if self._layout.levels_us else None
        self.columns = list(view.columns)
        self._readers = [
            (name, _EXACT.get(type_), READERS[type_]) for name, type_ in view.columns.items()
        ]
        trees = slot_arguments(view) if view.kind == "window" else dict(view.lookups)
        self._names = list(trees)
        self._compute: Callable[[Mapping[str, Any]], list[Any]] = compile_rows(trees)
        required = {view.entity.key, view.event_time, view.recorded_at} - {None}
        self._required = [name for name in view.columns if name in required]

    def parse(self, event: Mapping[str, Any], at_us: int) -> Parsed:
        """Return the event's id, times and feature or slot values, and its row for the log."""
        view = self._view
        if type(event) is not dict and not isinstance(event, Mapping):
            raise self._no_event(event)
        row: dict[str, Any] = {}
        for name, exact, read in self._readers:
            if name in event:
                value = event[name]
                # The usual value needs no reading; NaN, unequal to itself, does.
                is_plain = type(value) is exact and value == value  # noqa: PLR0124
                row[name] = value if is_plain else read(value, name)
            elif name == view.recorded_at:
                row[name] = at_us
            else:
                raise self._missing(name, event)
        for name in self._required:
            if row[name] is None:
                raise self._null(name)
        event_id = event.get(EVENT_ID)
        if event_id is None:
            event_id = self._id_of(row)
        event_id = str(event_id)
        self._check_text(row, event_id)
        parsed = _Event(
            event_id,
            event_digest(event_id),
            row[view.entity.key],
            row[view.event_time] if view.event_time else None,
            self._recorded(row, at_us),
            self._compute(row),
        )
        return parsed, [parsed.id, *row.values()]

    def _check_text(self, row: Mapping[str, Any], event_id: str) -> None:
        """Refuse, before anything is logged, what neither log nor store could keep."""
        key = row[self._view.entity.key]
        try:
            for text in (event_id, *row.values()):
                if type(text) is str and not text.isascii():
                    text.encode()
        except UnicodeEncodeError:
            raise CallerError(
                "TD-FEATURE-016",
                f"an event pushed to view '{self._view.name}' holds half a character",
                expected="text of whole characters",
                fix="Look for a surrogate such as \\ud800 that stands alone.",
                view=self._view.name,
            ) from None
        # No key of fewer characters is too long, whatever they are.
        if type(key) is str and len(key) > _SHORT_KEY:
            check_key_length(len(self._keys.stem(key)) + LONGEST_TAIL)

    def _recorded(self, row: Mapping[str, Any], at_us: int) -> int | None:
        """Return when the row became known; without an event time, when it was pushed."""
        view = self._view
        if view.event_time is None:
            return at_us
        return row[view.recorded_at] if view.recorded_at else None

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

    def _of_window(self, event: _Event) -> tuple[Any, int, int | None, bytes, list[Any]]:
        assert event.event_time is not None
        values = self._slot_values(event)
        return event.key, event.event_time, event.recorded, event.digest, values

    def _slot_values(self, event: _Event) -> list[Any]:
        where = f"'{self._view.name}', event {event.id}"
        return [
            slot_value(slot, value, where=where)
            for slot, value in zip(self._slots, event.values, strict=True)
        ]

    def _row(self, event: _Event, kept: bytes | None) -> bytes:
        values = dict(zip(self._names, event.values, strict=True))
        offered = pack_lookup(self._layout, event.event_time, values, event.recorded)
        return prefer(self._layout, kept, offered)

    def _row_key(self, event: _Event) -> bytes:
        if self._view.kind == "window":
            assert event.event_time is not None
            return self._keys.event(event.key, event.event_time, event.digest)
        return self._keys.lookup(event.key, event.event_time, event.recorded)

    def _id_of(self, row: Mapping[str, Any]) -> str:
        if self._view.row_key:
            return event_id_of([row[name] for name in self._view.row_key])
        raise CallerError(
            "TD-FEATURE-016",
            f"an event pushed to view '{self._view.name}' has no id",
            expected=f"the field '{EVENT_ID}', or a source with key columns",
            fix=f"Send '{EVENT_ID}', or add `key:` to the source '{self._view.source}'.",
            view=self._view.name,
        )

    def _no_event(self, event: Any) -> CallerError:
        return CallerError(
            "TD-FEATURE-016",
            f"a {type(event).__name__} is no event of view '{self._view.name}'",
            expected="a list of events, each a mapping of " + ", ".join(self.columns),
            fix='Send for example [{"' + self.columns[0] + '": ...}].',
            view=self._view.name,
        )

    def _missing(self, name: str, event: Mapping[str, Any]) -> CallerError:
        others = [each for each in event if each not in self.columns]
        return CallerError(
            "TD-FEATURE-016",
            f"an event pushed to view '{self._view.name}' has no column '{name}'",
            expected=", ".join(self.columns),
            fix=near(name, others) if others else "Send it, as null where it is not known.",
            view=self._view.name,
            column=name,
        )

    def _null(self, name: str) -> DataError:
        return DataError(
            "TD-FEATURE-016",
            f"an event pushed to view '{self._view.name}' has null in '{name}'",
            expected="a key and the times of every event",
            fix="Give the value, or do not push the event.",
            view=self._view.name,
            column=name,
        )


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


def replay_pushes(view: FeatureView, *, online: OnlineStore, eventlog: EventLog) -> int:
    """Apply every logged push that the store does not hold; return how many events.

    For a store that was lost or set aside (TD-ONLINE-007), after `materialise`.
    """
    applier = _Applier(view)
    decode = msgspec.msgpack.Decoder(PushedBatch).decode
    applied = 0
    for _, payload in eventlog.read(stream_of(view)):
        batch = decode(payload)
        events = [
            {EVENT_ID: row[0], **dict(zip(batch.columns, row[1:], strict=True))}
            for row in batch.rows
        ]
        parsed = [applier.parse(event, batch.at_us) for event in events]
        applied += applier.apply(applier.parted(parsed, online)[0], online)
    return applied
