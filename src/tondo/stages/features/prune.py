"""Deleting from the online store what no read may need any more.

A view's `retention` says how far back a read may ask. The horizon, `retention` before now, is
written first; from then on earlier reads are refused (TD-ONLINE-021) instead of answered from what
is left. Then what no read at or after the horizon can reach is deleted:

- a looked-up row when a newer one of its entity was visible at the horizon; the row that answers
  there stays, however old it is;
- an event before every window; where all features are read from tiles and no recorded time can
  send a read back to the events, every event before the open tile; a block of tiles likewise;
- the mark of an event that came before every window, for its event would now be dropped, or of a
  looked-up row before the horizon, which would only be stored again.

Killed anywhere it has deleted only what no read needs, and the next run deletes the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import DefinitionError
from tondo.scoring.horizon import pack_number, read_number
from tondo.scoring.keys import EVENT_TAIL, ViewKeys, block_of, event_time_of, row_time_of
from tondo.scoring.layout import oldest_event_us, visible_us
from tondo.scoring.loads import RowChoice, read_state
from tondo.scoring.tiles import TILES, levels_of
from tondo.stages.features.views import layout_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.ports.clock import Clock
    from tondo.ports.online import OnlineStore
    from tondo.scoring.layout import ViewLayout
    from tondo.stages.features.views import FeatureView

Pair = tuple[bytes, bytes]
# As many pairs as a materialisation writes at once.
_BATCH = 20_000


class Pruning(msgspec.Struct, frozen=True, kw_only=True):
    """What was, or with `plan` would be, deleted of a view."""

    view: str
    horizon_us: int
    """Reads as of earlier instants are refused."""
    rows: int
    """Looked-up rows or events."""
    blocks: int
    """Blocks of tiles."""
    marks: int
    """Event ids that need not be remembered any more."""
    kept: int
    """Rows, events and blocks that stay."""
    dropped: int
    """Events pushed so far that were too old for any window; they were counted, not stored."""


def prune(view: FeatureView, *, online: OnlineStore, clock: Clock, plan: bool = False) -> Pruning:
    """Delete what no read as of `retention` ago or later needs; with `plan` only count it.

    Raises TD-FEATURE-021 for a view that declares no retention: its reads may go back for ever.
    """
    layout = layout_of(view)
    if layout.retention_us is None:
        raise DefinitionError(
            "TD-FEATURE-021",
            f"feature view '{view.name}' declares no retention",
            expected="how far back an online read may ask, for example `retention: 2d`",
            fix="Add `retention:` to the view, or leave its rows where they are.",
            view=view.name,
        )
    keys = ViewKeys(layout)
    kept, dropped = map(read_number, online.get_many([keys.horizon, keys.dropped]))
    horizon_us = clock.now_us() - layout.retention_us
    if kept is not None:
        horizon_us = max(horizon_us, kept)
    if not plan:
        online.put_many([(keys.horizon, pack_number(horizon_us))])
    pruner = _Pruner(layout, keys, online, horizon_us=horizon_us, plan=plan)
    pruner.run()
    return Pruning(
        view=view.name,
        horizon_us=horizon_us,
        rows=pruner.rows,
        blocks=pruner.blocks,
        marks=pruner.marks,
        kept=pruner.kept,
        dropped=dropped or 0,
    )


class _Pruner:
    """One run over the rows and the marks of a view."""

    def __init__(
        self,
        layout: ViewLayout,
        keys: ViewKeys,
        online: OnlineStore,
        *,
        horizon_us: int,
        plan: bool,
    ) -> None:
        self._layout, self._keys, self._online = layout, keys, online
        self._horizon_us = horizon_us
        self._plan = plan
        self.rows = self.blocks = self.marks = self.kept = 0

    def run(self) -> None:
        """Delete page by page, marks last: until then a repeated event is known."""
        layout = self._layout
        if layout.kind == "window":
            self._prune_window_rows()
            oldest_us = oldest_event_us(layout, self._horizon_us)
        elif layout.has_time:
            self._prune_lookup_rows()
            oldest_us = visible_us(layout, self._horizon_us)
        else:
            return
        for page in self._pages(self._keys.marks):
            # A mark without a time is of a store written before marks had one.
            old = [key for key, mark in page if len(mark) == 8 and _time(mark) < oldest_us]
            self.marks += len(old)
            self._delete(old)

    def _prune_window_rows(self) -> None:
        oldest_us = _oldest_read_event_us(self._layout, self._horizon_us)
        levels = _oldest_blocks(self._layout, self._horizon_us)
        for page in self._pages(self._keys.prefix):
            old = []
            for key, _ in page:
                tail = key[self._keys.stem_length(key) :]
                is_event = len(tail) == EVENT_TAIL
                is_old = (
                    event_time_of(key) < oldest_us if is_event else block_of(key) < levels[tail[1]]
                )
                self.rows += is_old and is_event
                self.blocks += is_old and not is_event
                self.kept += not is_old
                if is_old:
                    old.append(key)
            self._delete(old)

    def _prune_lookup_rows(self) -> None:
        choice = RowChoice(self._layout)
        seen_us = visible_us(self._layout, self._horizon_us)
        state = read_state(self._online.get_many([self._keys.state])[0])
        for stem, pairs in self._entities():
            times = [row_time_of(key[stem:]) for key, _ in pairs]
            visible = [pair for pair, at in zip(pairs, times, strict=True) if at <= seen_us]
            row = choice.choose(visible, seen_us=seen_us, state=state, is_whole=True)
            old: list[bytes] = []
            if row is not None:
                old = [key for (key, _), at in zip(pairs, times, strict=True) if at < row[0]]
            self.rows += len(old)
            self.kept += len(pairs) - len(old)
            self._delete(old)

    def _entities(self) -> Iterator[tuple[int, list[Pair]]]:
        """Yield the length of each entity's stem, and all its rows."""
        gathered: list[Pair] = []
        stem = b""
        for page in self._pages(self._keys.prefix):
            for key, data in page:
                begins = key[: self._keys.stem_length(key)]
                if begins != stem and gathered:
                    yield len(stem), gathered
                    gathered = []
                stem = begins
                gathered.append((key, data))
        if gathered:
            yield len(stem), gathered

    def _pages(self, prefix: bytes) -> Iterator[list[Pair]]:
        start, stop = prefix, prefix[:-1] + b"\x01"
        while page := self._online.scan_many([(start, stop, _BATCH)])[0]:
            start = page[-1][0] + b"\x00"
            yield page

    def _delete(self, keys: list[bytes]) -> None:
        if keys and not self._plan:
            self._online.put_many([], delete=keys)


def _time(mark: bytes) -> int:
    return read_number(mark) or 0


def _oldest_read_event_us(layout: ViewLayout, horizon_us: int) -> int:
    """Return the first event time that a read at or after the horizon takes from the events."""
    calls = layout.windows.values()
    if layout.has_recorded or not all(map(levels_of, calls)):
        return oldest_event_us(layout, horizon_us)
    return min(horizon_us - horizon_us % levels_of(call)[0] for call in calls)


def _oldest_blocks(layout: ViewLayout, horizon_us: int) -> list[int]:
    """Return of each level the first block that a read at or after the horizon may need."""
    oldest_us = oldest_event_us(layout, horizon_us)
    return [oldest_us // level_us // TILES for level_us in layout.levels_us]
