"""Events of a view that keeps tiles: each event, its mark and its tiles are written at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.scoring.horizon import pack_number
from tondo.scoring.keys import ViewKeys
from tondo.scoring.online import EventPacker
from tondo.scoring.tiles import TILES, TileCodec, merged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.ports.online import OnlineStore
    from tondo.scoring.layout import ViewLayout

WindowEvent = tuple[Any, int, int | None, bytes, list[Any]]
"""Entity key, event time, recorded time, digest of the event's id, slot values."""

Pair = tuple[bytes, bytes]


def mark_of(event_time_us: int | None) -> bytes:
    """Return what lies under the key that says that an event id has been applied: its time."""
    return b"\x01" if event_time_us is None else pack_number(event_time_us)


class TiledEvent(msgspec.Struct, frozen=True):
    """One event, ready to be stored."""

    mark: bytes
    key: bytes
    value: bytes
    blocks: list[tuple[bytes, int]]
    """Key of the block, and place of the tile in it, of every level."""
    totals: list[int]


class TiledEvents:
    """Stores events of one view, and adds each to its tiles exactly once.

    Whoever adds to a block says what it added to; when another writer was first, or has applied
    an event of the same id, nothing is written and the rest is tried again.
    """

    def __init__(self, layout: ViewLayout) -> None:
        self._keys = ViewKeys(layout)
        self._packer = EventPacker(layout)
        self._codec = TileCodec(layout)

    def event(
        self, key: Any, event_time: int, recorded: int | None, digest: bytes, values: list[Any]
    ) -> TiledEvent:
        """Return an event ready to be stored, from its slot values."""
        blocks = []
        for level, size_us in enumerate(self._codec.levels):
            block, place = divmod(event_time // size_us, TILES)
            blocks.append((self._keys.block(key, level, block), place))
        return TiledEvent(
            mark=self._keys.mark(digest),
            key=self._keys.event(key, event_time, digest),
            value=self._packer.pack(values, recorded),
            blocks=blocks,
            totals=self._codec.totals(event_time, recorded, values),
        )

    def put(
        self,
        events: Sequence[TiledEvent],
        *,
        online: OnlineStore,
        durable: bool = True,
        besides: Sequence[Pair] = (),
    ) -> int:
        """Store the events whose ids have not been applied, all at once; return how many.

        The pairs of `besides` are written in the same instant.
        """
        while True:
            marks = online.get_many([event.mark for event in events])
            fresh = {
                event.mark: event for event, mark in zip(events, marks, strict=True) if mark is None
            }
            expected, pairs = self._change(list(fresh.values()), online)
            if online.put_if(expected, [*pairs, *besides], durable=durable):
                return len(fresh)

    def _change(
        self, fresh: Sequence[TiledEvent], online: OnlineStore
    ) -> tuple[list[tuple[bytes, bytes | None]], list[Pair]]:
        """Return what must still be so, and what to write then."""
        added: dict[bytes, dict[int, list[int]]] = {}
        for event in fresh:
            for block, place in event.blocks:
                tiles = added.setdefault(block, {})
                known = tiles.get(place)
                tiles[place] = event.totals if known is None else merged(known, event.totals)
        kept = dict(zip(added, online.get_many(list(added)), strict=True))
        pairs = [(event.key, event.value) for event in fresh]
        pairs += [(event.mark, mark_of(event.totals[0])) for event in fresh]
        pairs += [(block, self._codec.add(kept[block], tiles)) for block, tiles in added.items()]
        return [*((event.mark, None) for event in fresh), *kept.items()], pairs
