"""Tiles: what a key's events add up to, kept so that a long window is read as a few sums.

Each level of a view (`ViewLayout.levels_us`) cuts time, from 1970 UTC, into tiles. 128 tiles in a
row are one stored block: the places of the tiles that hold events, one byte each, then as many
records of one size. A record holds the sums from the beginning of its block to the end of its
tile, so any run of tiles within a block is a difference of two records. Sums are exact integers,
which is what makes them subtractable; each is two fields of 62 bits and a sign.

A read takes whole tiles from blocks and the open tile from the events themselves, and so answers
what the events alone would answer.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from itertools import accumulate
from operator import add, sub
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from tondo.core.errors import DataError
from tondo.language.windows import window_start_us
from tondo.scoring.keys import NULL, block_tail

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tondo.language.tree import WindowCall
    from tondo.scoring.layout import EventSlot, ViewLayout

TILES: Final = 128
"""Tiles in a block: a week of hours lies in two, and a place is one byte."""
_MANY: Final = 3 * TILES
"""More tiles of one level than this are read by a coarser one."""
_MINUTES, _HOUR, _DAY = 300_000_000, 3_600_000_000, 86_400_000_000
_ADDED: Final = ("count", "sum", "avg", "stddev", "ratio")
_LOW: Final = 62
_MASK: Final = (1 << _LOW) - 1
_COUNT: Final = 2
"""Field of a record with the number of events; before it the newest event and recorded time."""
_TIMES: Final = struct.Struct("<qq").unpack_from


def levels_of(call: WindowCall) -> tuple[int, ...]:
    """Return the tile sizes from which a call is read, finest first; none for exact windows.

    >>> from tondo.language.tree import WindowCall
    >>> month = WindowCall("count", None, 30 * _DAY, tile_us=_HOUR)
    >>> [level // _MINUTES for level in levels_of(month)]
    [1, 12, 288]
    """
    if call.tile_us is None or call.function not in _ADDED:
        return ()
    tile_us, levels = call.tile_us, [call.tile_us]
    if tile_us > _MINUTES and tile_us % _MINUTES == 0:
        levels.insert(0, _MINUTES)
        if tile_us > _MANY * _MINUTES and tile_us % _HOUR == 0:
            levels.insert(1, _HOUR)
    for coarse in (_HOUR, _DAY):
        finer = levels[-1]
        if coarse > finer and coarse % finer == 0 and call.window_us > _MANY * finer:
            levels.append(coarse)
    return tuple(levels)


Places = tuple[int, int]
"""The first place of a run in a block, 0 also where the run begins before it, and the place after
its last, `TILES` also where it goes on."""


class Run(msgspec.Struct, frozen=True):
    """Tiles of one level in a row."""

    level_us: int
    start_us: int
    stop_us: int


def runs_of(call: WindowCall, visible_us: int) -> list[Run]:
    """Return the runs that make the window of a tiled call up to its open tile, oldest first."""
    levels, tile_us = levels_of(call), call.tile_us
    if not levels or tile_us is None:
        return []
    stop = visible_us - visible_us % tile_us
    own = levels.index(tile_us)
    runs = _cover(levels[own:], window_start_us(call, visible_us), stop)
    for level in reversed(levels[:own]):
        start, stop = stop, visible_us - visible_us % level
        runs.append(Run(level, start, stop))
    return [run for run in runs if run.start_us < run.stop_us]


def lasts_of(call: WindowCall, visible_us: int) -> tuple[int, int]:
    """Return from which instant until before which one `runs_of` is what it is at `visible_us`."""
    finest, tile_us = levels_of(call)[0], call.tile_us or 1
    start, open_us = window_start_us(call, visible_us), visible_us - visible_us % finest
    begin = max(open_us, start + call.window_us)
    return begin, min(open_us + finest, start + call.window_us + tile_us)


def _cover(levels: Sequence[int], start_us: int, stop_us: int) -> list[Run]:
    level, *coarser = levels
    if coarser:
        up, down = -(-start_us // coarser[0]) * coarser[0], stop_us - stop_us % coarser[0]
        if up < down:
            middle = _cover(coarser, up, down)
            return [Run(level, start_us, up), *middle, Run(level, down, stop_us)]
    return [Run(level, start_us, stop_us)]


class TileCodec:
    """Adds to the blocks of one view.

    A tile's totals are the newest event time, the newest recorded time, the number of events, and
    of each slot n, sum and squares as far as any feature reads them.
    """

    def __init__(self, layout: ViewLayout) -> None:
        self.levels = layout.levels_us
        self.places: dict[str, int] = {}
        """Slot name to the place of its n among the totals."""
        self._kept: list[tuple[int, EventSlot]] = []
        wide = [False, False, False]
        for place, (name, slot) in enumerate(layout.slots.items()):
            if slot.kind != "value":
                self.places[name] = len(wide)
                self._kept.append((place, slot))
                wide += [False, True, True][: _totals_of(slot)]
        self.offsets = list(accumulate([1 + each for each in wide], initial=0))
        """Of each total, where its one or two fields begin in a record."""
        self._wide = wide
        self.record = struct.Struct(f"<{self.offsets[-1]}q")
        self.stride = self.record.size + 1

    def totals(
        self, event_time_us: int, recorded_us: int | None, values: Sequence[int | None]
    ) -> list[int]:
        """Return the totals of one event, from its slot values in the layout's order."""
        totals = [event_time_us, NULL if recorded_us is None else recorded_us, 1]
        for place, slot in self._kept:
            value = values[place]
            sums = (0, 0, 0) if value is None else (1, value, value * value)
            totals += sums[: _totals_of(slot)]
        return totals

    def add(self, kept: bytes | None, fresh: Mapping[int, Sequence[int]]) -> bytes:
        """Return the block with the totals of some of its tiles added; `kept` is what was there."""
        kept = kept or b""
        count, size = len(kept) // self.stride, self.record.size
        if len(kept) != count * self.stride:
            raise _damaged(f"{len(kept)} bytes of records of {size}")
        first = bisect_left(kept, min(fresh), 0, count)
        places = sorted({*kept[first:count], *fresh})
        before = self._nothing() if first == 0 else self._unpack(kept, count + (first - 1) * size)
        at, added = first, self._nothing()
        records = [kept[count : count + first * size]]
        for place in places:
            if at < count and kept[at] == place:
                before = self._unpack(kept, count + at * size)
                at += 1
            if place in fresh:
                added = merged(added, fresh[place])
            records.append(self._pack(merged(before, added)))
        return kept[:first] + bytes(places) + b"".join(records)

    def _nothing(self) -> list[int]:
        return [NULL, NULL, *[0] * (len(self._wide) - 2)]

    def _pack(self, totals: Sequence[int]) -> bytes:
        fields: list[int] = []
        for total, wide in zip(totals, self._wide, strict=True):
            fields += (total & _MASK, total >> _LOW) if wide else (total,)
        try:
            return self.record.pack(*fields)
        except struct.error:
            raise _too_large() from None

    def _unpack(self, block: bytes, offset: int) -> list[int]:
        fields = self.record.unpack_from(block, offset)
        return [
            fields[at] + (fields[at + 1] << _LOW) if wide else fields[at]
            for at, wide in zip(self.offsets, self._wide, strict=False)
        ]


def _totals_of(slot: EventSlot) -> int:
    return 1 if slot.kind == "present" else 2 + slot.squared


def merged(one: Sequence[int], other: Sequence[int]) -> list[int]:
    """Return the totals of two sets of events: the newest times, and the sums."""
    newest = [max(one[0], other[0]), max(one[1], other[1])]
    return newest + [a + b for a, b in zip(one[2:], other[2:], strict=True)]


class Sums(msgspec.Struct, frozen=True):
    """The exact sums of some tiles."""

    newest_us: int
    recorded_us: int
    """No event of these tiles became known later; some known by then may lie before them."""
    fields: tuple[int, ...]
    """The number of events, and the rest of the record as far as it was asked for."""

    @property
    def count(self) -> int:
        """The number of events."""
        return self.fields[0]


class Part(NamedTuple):
    """What of a run lies in one block."""

    tail: bytes
    """What follows the entity key in the block's key."""
    places: Places


class TileReader:
    """Reads from blocks the sums that some slots of a view need."""

    def __init__(self, layout: ViewLayout, slots: Sequence[str]) -> None:
        codec = TileCodec(layout)
        self._levels = layout.levels_us
        self._has_recorded = layout.has_recorded
        self._stride, self._size = codec.stride, codec.record.size
        fields = {_COUNT}
        for slot in slots:
            first = codec.places[slot]
            ends = codec.offsets[first], codec.offsets[first + _totals_of(layout.slots[slot])]
            fields.update(range(*ends))
        order = sorted(fields)
        self._places = {
            slot: (order.index(codec.offsets[codec.places[slot]]), _totals_of(layout.slots[slot]))
            for slot in slots
        }
        # Fields that nobody asked for are stepped over, not read.
        codes = ["q" if each in fields else "8x" for each in range(codec.offsets[-1])]
        self._unpack = struct.Struct("<" + "".join(codes)).unpack_from

    def parts(self, run: Run) -> list[Part]:
        """Return the blocks in which a run lies, oldest first."""
        level = self._levels.index(run.level_us)
        first, stop = run.start_us // run.level_us, run.stop_us // run.level_us
        return [
            Part(
                block_tail(level, block),
                (max(first - block * TILES, 0), min(stop - block * TILES, TILES)),
            )
            for block in range(first // TILES, -(-stop // TILES))
        ]

    def read(
        self, parts: Sequence[Places], found: Sequence[Sequence[tuple[bytes, bytes]]]
    ) -> Sums | None:
        """Return what parts of blocks, oldest first, add up to; `found` are the pairs of each.

        A block that holds no event is not there. None when there is no event in any.
        """
        fields: Iterable[int] | None = None
        newest, last, recorded = b"", 0, NULL
        stride, size, unpack = self._stride, self._size, self._unpack
        for (low, high), pairs in zip(parts, found):  # noqa: B905 - one for each
            if not pairs:
                continue
            block = pairs[0][1]
            count = len(block) // stride
            stop = bisect_left(block, high, 0, count) if high < TILES else count
            start = bisect_left(block, low, 0, stop) if low else 0
            if stop <= start:
                continue
            newest, last = block, count + (stop - 1) * size
            end = unpack(block, last)
            # Lazily, so that one tuple is made of all and not one of each.
            fields = end if fields is None else map(add, fields, end)
            if start:
                fields = map(sub, fields, unpack(block, count + (start - 1) * size))
            if self._has_recorded:
                recorded = max(recorded, _TIMES(block, last)[1])
        if fields is None:
            return None
        return Sums(_TIMES(newest, last)[0], recorded, tuple(fields))

    def sums_of(self, slot: str, sums: Sums) -> tuple[int, int, int]:
        """Return the n, sum and squares of a slot, 0 for what it does not keep."""
        at, totals = self._places[slot]
        fields = sums.fields
        total = fields[at + 1] + (fields[at + 2] << _LOW) if totals > 1 else 0
        squares = fields[at + 3] + (fields[at + 4] << _LOW) if totals > 2 else 0
        return fields[at], total, squares


def _damaged(detail: str) -> DataError:
    return DataError(
        "TD-ONLINE-003",
        f"a stored block of tiles cannot be read: {detail}",
        fix="Materialise the view again; its store was written by something else or is damaged.",
    )


def _too_large() -> DataError:
    return DataError(
        "TD-LANG-012",
        "the events of a tile add up to more than 124 bits",
        expected="sums below 2**124 in units of 2**-scale",
        fix="Correct the values, make their unit larger, or lower `scale=` in the feature.",
    )
