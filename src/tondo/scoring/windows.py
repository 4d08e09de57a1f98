"""Reads the window features of one entity from its stored events."""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Sequence
from itertools import compress
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.language.windows import aggregate, finish, finish_ratio, window_start_us
from tondo.scoring.keys import EVENT_TAIL, NULL, event_time_of, oldest_first
from tondo.scoring.online import content_order, event_width, unpack_events
from tondo.scoring.tiles import Places, TileReader, lasts_of, levels_of, runs_of

if TYPE_CHECKING:
    from tondo.language.tree import WindowCall
    from tondo.scoring.layout import ViewLayout
    from tondo.scoring.tiles import Sums

_SUMS = ("sum", "avg", "stddev")
_ORDERED = ("first", "last", "last_k")


Pairs = Sequence[tuple[bytes, bytes]]
Tail = tuple[bytes, bytes, int]


class WindowReach(msgspec.Struct, frozen=True):
    """What of an entity a read needs: first its events, then the blocks of its tiles."""

    tails: list[Tail]
    """What follows the entity key in the ends of each range, and how many pairs (0: all)."""
    visible_us: int
    starts: list[int | None]
    """Of each window, the first event time that is read from the events; None: all of them."""
    parts: list[list[Places]]
    """Of each window, what is read of the blocks of its tiles; the other tails are theirs."""
    lasts: tuple[int, int] = (0, 0)
    """From which instant until before which one reads the same tiles."""


class WindowReader:
    """Computes wanted features of a window view; built once per model, used per request."""

    def __init__(self, layout: ViewLayout, features: Sequence[str]) -> None:
        self.layout = layout
        self.width = event_width(layout)
        self.shift = 1 if layout.has_recorded else 0
        self.places = {name: place for place, name in enumerate(layout.slots)}
        self._windows: list[WindowCall] = []
        """One call of each distinct window: length, tile, and whether tiles are kept for it."""
        self._plans: list[tuple[int, str | None, str | None, WindowCall]] = []
        tiled: list[str] = []
        for feature in features:
            call = layout.windows[feature]
            slot, divisor = layout.slot_of.get(feature), layout.divisor_of.get(feature)
            self._plans.append((self._window(call), slot, divisor, call))
            if levels_of(call):
                tiled += [each for each in (slot, divisor) if each is not None]
        is_tiled = any(map(levels_of, self._windows))
        self.tiles = TileReader(layout, tiled) if is_tiled else None
        self._reach: WindowReach | None = None

    def _window(self, call: WindowCall) -> int:
        for place, other in enumerate(self._windows):
            same = (other.window_us, other.tile_us) == (call.window_us, call.tile_us)
            if same and levels_of(other) == levels_of(call):
                return place
        self._windows.append(call)
        return len(self._windows) - 1

    def reach(self, visible_us: int) -> WindowReach:
        """Return what a read at an instant needs."""
        if self.tiles is None:
            return self.whole(visible_us)
        # Most requests ask within the same five minutes: only the end of the events moves.
        known = self._reach
        if known is not None and known.lasts[0] <= visible_us < known.lasts[1]:
            (events_start, _, most), *same = known.tails
            tails = [(events_start, oldest_first(visible_us), most), *same]
            return WindowReach(tails, visible_us, known.starts, known.parts, known.lasts)
        starts: list[int] = []
        places: list[list[Places]] = []
        blocks: list[Tail] = []
        begin, end = NULL, -NULL
        for call in self._windows:
            start = window_start_us(call, visible_us)
            runs = runs_of(call, visible_us)
            lasts = (visible_us, visible_us + 1)
            if runs:
                lasts = lasts_of(call, visible_us)
                start = runs[-1].stop_us
            parts = [part for run in runs for part in self.tiles.parts(run)]
            blocks += [(part.tail, part.tail + b"\x00", 1) for part in parts]
            begin, end = max(begin, lasts[0]), min(end, lasts[1])
            starts.append(start)
            places.append([part.places for part in parts])
        events, later = _events_of(starts, visible_us)
        self._reach = WindowReach([events, *blocks], visible_us, later, places, (begin, end))
        return self._reach

    def whole(self, visible_us: int) -> WindowReach:
        """Return what a read from the events alone needs."""
        starts = [window_start_us(call, visible_us) for call in self._windows]
        events, later = _events_of(starts, visible_us)
        return WindowReach([events], visible_us, later, [[] for _ in starts])

    def read(
        self, reach: WindowReach, found: Sequence[Pairs]
    ) -> tuple[list[Any], int | None] | None:
        """Return the wanted features and the newest event time, from what each range holds.

        None when tiles hold events that became known only later: then `whole` must be read.
        """
        events, visible_us = found[0], reach.visible_us
        newest = event_time_of(events[-1][0]) if events else None
        windows = []
        at = 1
        for start_us, parts in zip(reach.starts, reach.parts):  # noqa: B905 - made side by side
            sums = None
            if parts and self.tiles is not None:
                sums = self.tiles.read(parts, found[at : at + len(parts)])
                at += len(parts)
                if sums is not None:
                    if sums.recorded_us > visible_us:
                        return None
                    if newest is None or sums.newest_us > newest:
                        newest = sums.newest_us
            inside = events if start_us is None else _since(events, start_us)
            windows.append(_Events(self, inside, visible_us, sums))
        answers = [
            windows[place].compute(slot, divisor, call)
            for place, slot, divisor, call in self._plans
        ]
        return answers, newest


def _events_of(starts: Sequence[int], visible_us: int) -> tuple[Tail, list[int | None]]:
    """Return the range of all windows' events, and where those begin that want only later ones."""
    first = min(starts)
    tail = (oldest_first(first), oldest_first(visible_us), 0)
    return tail, [None if start == first else start for start in starts]


def _since(pairs: Pairs, start_us: int) -> Pairs:
    if not pairs:
        return pairs
    first = pairs[0][0]
    start = first[:-EVENT_TAIL] + oldest_first(start_us)
    return pairs if first >= start else pairs[bisect_left(pairs, (start,)) :]


class _Events:
    """The events of one window, their slots decoded at most once each, beside sums of tiles."""

    __slots__ = (
        *("_columns", "_flat", "_keep", "_pairs", "_reader", "_rows", "_sums", "_tiles"),
        *("_unpacked", "count"),
    )

    def __init__(
        self, reader: WindowReader, pairs: Pairs, visible_us: int, tiles: Sums | None
    ) -> None:
        self._reader = reader
        self._tiles = tiles
        self._pairs = pairs
        self._columns: dict[str, list[Any]] = {}
        self._sums: dict[str, tuple[int, int]] = {}
        self._unpacked: dict[str, tuple[Any, ...]] = {}
        self._flat = b"".join([value for _, value in pairs])
        self._rows: list[list[Any]] | None = None
        if len(self._flat) != 8 * reader.width * len(pairs):
            self._rows = unpack_events(reader.layout, [value for _, value in pairs])
        self._keep: list[bool] | None = None
        self.count = len(pairs)
        if reader.layout.has_recorded and pairs:
            recorded = self._recorded()
            if max(recorded) > visible_us:
                self._keep = [instant <= visible_us for instant in recorded]
                self.count = sum(self._keep)
        if tiles is not None:
            self.count += tiles.count

    def compute(self, slot: str | None, divisor: str | None, call: WindowCall) -> Any:
        if slot is None:
            return float(self.count)
        function = call.function
        if divisor is not None:
            return finish_ratio(*self._sum(slot), self._sum(divisor)[1])
        if function in _SUMS or function == "count":
            n, total = self._sum(slot)
            if function == "count":
                return float(n)
            squares = 0
            if function == "stddev":
                squares = sum([value * value for value in self._present(slot)])
                squares += self._before(slot)[2]
            return finish(call, n, total, squares)
        if function in _ORDERED:
            return aggregate(call, self._in_order(slot))
        value = aggregate(call, self._column(slot))
        # The least of 0.0 and -0.0 would be whichever comes first; it is always 0.0 here.
        return 0.0 if type(value) is float and value == 0.0 else value

    def _sum(self, slot: str) -> tuple[int, int]:
        found = self._sums.get(slot)
        if found is None:
            values = self._present(slot) if self._pairs else ()
            found = len(values), sum(values)
            if self._tiles is not None:
                n, total, _ = self._before(slot)
                found = found[0] + n, found[1] + total
            self._sums[slot] = found
        return found

    def _before(self, slot: str) -> tuple[int, int, int]:
        """Return the n, sum and squares that come from tiles."""
        tiles = self._reader.tiles
        if self._tiles is None or tiles is None:
            return (0, 0, 0)
        return tiles.sums_of(slot, self._tiles)

    def _present(self, slot: str) -> list[int]:
        column = self._column(slot)
        return [value for value in column if value is not None] if None in column else column

    def _column(self, slot: str) -> list[Any]:
        column = self._columns.get(slot)
        if column is None:
            column = self._decode(slot)
            if self._keep is not None:
                column = list(compress(column, self._keep))
            self._columns[slot] = column
        return column

    def _decode(self, slot: str) -> list[Any]:
        reader = self._reader
        place = reader.places[slot]
        if self._rows is not None:
            return [row[place + 1] for row in self._rows]
        declared = reader.layout.slots[slot]
        offset = place + reader.shift
        if declared.kind == "value" and declared.type == "double":
            floats = self._fields("d")[offset :: reader.width]
            return [None if value != value else value for value in floats]  # noqa: PLR0124 - NaN
        whole = list(self._fields("q")[offset :: reader.width])
        if NULL in whole:
            whole = [None if value == NULL else value for value in whole]
        if declared.kind == "value" and declared.type == "bool":
            return [None if value is None else bool(value) for value in whole]
        return whole

    def _fields(self, code: str) -> tuple[Any, ...]:
        found = self._unpacked.get(code)
        if found is None:
            found = struct.unpack(f"<{len(self._flat) // 8}{code}", self._flat)
            self._unpacked[code] = found
        return found

    def _recorded(self) -> Sequence[int]:
        if self._rows is not None:
            return [NULL if row[0] is None else row[0] for row in self._rows]
        return self._fields("q")[0 :: self._reader.width]

    def _in_order(self, slot: str) -> list[Any]:
        """Order by event time, recorded time, value: the order that joins use for ties."""
        times = [key[-EVENT_TAIL:-8] for key, _ in self._pairs]
        recorded = self._recorded() if self._reader.shift else [0] * len(times)
        marks = list(zip(times, recorded, strict=True))
        if self._keep is not None:
            marks = list(compress(marks, self._keep))
        column = self._column(slot)
        events = sorted(
            zip(marks, column, strict=True), key=lambda event: (*event[0], content_order(event[1:]))
        )
        return [value for _, value in events]
