"""Reads the window features of one entity from its stored events."""

from __future__ import annotations

import struct
from bisect import bisect_left
from itertools import compress
from typing import TYPE_CHECKING, Any

from tondo.language.windows import aggregate, finish, finish_ratio, window_start_us
from tondo.scoring.keys import EVENT_TAIL, NULL, oldest_first
from tondo.scoring.online import content_order, event_width, unpack_events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.language.tree import WindowCall
    from tondo.scoring.layout import ViewLayout

_SUMS = ("sum", "avg", "stddev")
_ORDERED = ("first", "last", "last_k")


class WindowReader:
    """Computes wanted features of a window view; built once per model, used per request."""

    def __init__(self, layout: ViewLayout, features: Sequence[str]) -> None:
        self.layout = layout
        self.width = event_width(layout)
        self.shift = 1 if layout.has_recorded else 0
        calls = [layout.windows[feature] for feature in features]
        bounds = list(dict.fromkeys((call.window_us, call.tile_us) for call in calls))
        self._bounds = [
            next(call for call in calls if (call.window_us, call.tile_us) == each)
            for each in bounds
        ]
        self._plans = [
            (
                bounds.index((calls[place].window_us, calls[place].tile_us)),
                layout.slot_of.get(feature),
                layout.divisor_of.get(feature),
                calls[place],
            )
            for place, feature in enumerate(features)
        ]
        self.places = {name: place for place, name in enumerate(layout.slots)}

    def start_us(self, visible_us: int) -> int:
        """Return the first event time that any of the features needs."""
        return min([window_start_us(call, visible_us) for call in self._bounds])

    def read(self, pairs: Sequence[tuple[bytes, bytes]], visible_us: int) -> list[Any]:
        """Return the wanted features over events in key order, from `start_us` on."""
        within = [
            _Events(self, _since(pairs, window_start_us(call, visible_us)), visible_us)
            for call in self._bounds
        ]
        return [
            within[place].compute(slot, divisor, call) for place, slot, divisor, call in self._plans
        ]


def _since(pairs: Sequence[tuple[bytes, bytes]], start_us: int) -> Sequence[tuple[bytes, bytes]]:
    if not pairs:
        return pairs
    first = pairs[0][0]
    start = first[:-EVENT_TAIL] + oldest_first(start_us)
    return pairs if first >= start else pairs[bisect_left(pairs, (start,)) :]


class _Events:
    """The events of one window, their slots decoded at most once each."""

    __slots__ = (
        *("_columns", "_flat", "_keep", "_pairs", "_reader", "_rows", "_sums", "_unpacked"),
        "count",
    )

    def __init__(
        self, reader: WindowReader, pairs: Sequence[tuple[bytes, bytes]], visible_us: int
    ) -> None:
        self._reader = reader
        self._pairs = pairs
        self._columns: dict[str, list[Any]] = {}
        self._sums: dict[str, tuple[int, int]] = {}
        self._unpacked: dict[str, tuple[Any, ...]] = {}
        self._rows: list[list[Any]] | None = None
        self._flat = b"".join([value for _, value in pairs])
        if len(self._flat) != 8 * reader.width * len(pairs):
            self._rows = unpack_events(reader.layout, [value for _, value in pairs])
        self._keep: list[bool] | None = None
        self.count = len(pairs)
        if reader.layout.has_recorded and pairs:
            recorded = self._recorded()
            if max(recorded) > visible_us:
                self._keep = [instant <= visible_us for instant in recorded]
                self.count = sum(self._keep)

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
            return finish(call, n, total, squares)
        if function in _ORDERED:
            return aggregate(call, self._in_order(slot))
        value = aggregate(call, self._column(slot))
        # The least of 0.0 and -0.0 would be whichever comes first; it is always 0.0 here.
        return 0.0 if type(value) is float and value == 0.0 else value

    def _sum(self, slot: str) -> tuple[int, int]:
        found = self._sums.get(slot)
        if found is None:
            values = self._present(slot)
            found = self._sums[slot] = (len(values), sum(values))
        return found

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
