"""Rows that a materialisation loaded, and which of them count.

A load writes its rows batch by batch under its own number, a row's key being followed by it. They
count from the one write on that makes the number the published one; until then, and for ever when
the load is killed, readers go on with the loads before. A pushed row carries no number. Of the
rows of one entity and one time the newest published load's is the loaded one; it may say that the
row is gone. A view without event time has one row per key: what was written last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from tondo.scoring.online import content_order, decode_lookup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.scoring.layout import ViewLayout

MORE: Final = object()
"""The pairs that were read do not tell; the others must be read."""
ENOUGH: Final = 2
"""A row and the next, which may be of the same time."""

_encode = msgspec.msgpack.Encoder().encode


class LoadState(msgspec.Struct, frozen=True, array_like=True):
    """How far the loads of one view version have come; one pair of the store."""

    published: int = 0
    """The newest load whose rows count; 0: none."""
    until_us: int | None = None
    """Rows visible by then are in the store."""
    begun: int | None = None
    """A load that is running, or was killed."""
    dead: tuple[int, ...] = ()
    """Loads that were taken over by another before they ended; their rows never count."""

    def counts(self, load: int) -> bool:
        """Say whether the rows of a load count."""
        return load <= self.published and load not in self.dead


NO_LOAD: Final = LoadState()
_decode_state = msgspec.msgpack.Decoder(LoadState).decode


def read_state(data: bytes | None) -> LoadState:
    """Return the stored state of a view's loads."""
    return NO_LOAD if data is None else _decode_state(data)


def pack_state(state: LoadState) -> bytes:
    """Return the stored bytes of a state.

    >>> read_state(pack_state(LoadState(7, 5))) == LoadState(7, 5)
    True
    """
    return _encode(state)


def pack_loaded(
    event_time_us: int | None, recorded_at_us: int | None, values: Sequence[Any], load: int
) -> bytes:
    """Return the stored bytes of a loaded row; `values` in the layout's order."""
    return _encode((event_time_us, recorded_at_us, *values, load))


def pack_gone(row: Sequence[Any], load: int, *, width: int) -> bytes:
    """Return the bytes that say that a loaded row is gone from the source."""
    return _encode((row[0], row[1], *[None] * (width - 2), load, True))


def row_width(layout: ViewLayout) -> int:
    """Return how many fields a pushed row has; a loaded one has its load besides."""
    return 2 + len(layout.features)


class RowChoice:
    """Chooses the row that answers among those of one entity, the newest first."""

    __slots__ = ("_has_recorded", "_has_time", "_places", "width")

    def __init__(self, layout: ViewLayout) -> None:
        self.width = row_width(layout)
        self._has_time = layout.has_time
        self._has_recorded = layout.has_recorded and layout.has_time
        names = list(layout.features)
        self._places = [2 + names.index(name) for name in sorted(names)]

    def choose(
        self,
        pairs: Sequence[tuple[bytes, bytes]],
        *,
        seen_us: int,
        state: LoadState,
        is_whole: bool = False,
    ) -> Any:
        """Return the decoded row, None where none counts, MORE where the pairs do not tell.

        `seen_us` is what a read may know; `is_whole` says that there are no further pairs.
        """
        best: list[Any] | None = None
        settled: object = MORE
        for _, data in pairs:
            row = decode_lookup(data)
            load = row[self.width] if len(row) > self.width else None
            if load is not None and not state.counts(load):
                continue
            if self._has_recorded and row[1] is not None and row[1] > seen_us:
                continue
            if best is not None and self._has_time and row[:2] != best[:2]:
                return best
            if load is None:
                best = row
                continue
            times = row[:2] if self._has_time else None
            if times != settled:
                settled = times
                if len(row) == self.width + 1:
                    best = self._better(best, row)
                if best is not None:
                    return best
        return best if is_whole or len(pairs) < ENOUGH else MORE

    def _better(self, pushed: list[Any] | None, loaded: list[Any]) -> list[Any]:
        """Return which of two rows of the same time counts: the greater content, or the last."""
        if pushed is None:
            return loaded
        if not self._has_time:
            # A pushed row keeps when it was pushed; a load's number is when it began.
            return loaded if loaded[self.width] > (pushed[1] or 0) else pushed
        return loaded if self._order(loaded) > self._order(pushed) else pushed

    def _order(self, row: list[Any]) -> tuple[Any, ...]:
        return content_order(row[place] for place in self._places)
