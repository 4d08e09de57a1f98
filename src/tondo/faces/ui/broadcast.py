"""Server-sent events: one look a second at the scorers, streamed to everybody who watches.

Comes in: a feed. Goes out: `history` once, then a `look` a second. Holds: scorers are looked at
once whoever watches, and not at all when nobody does.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from tondo.workspace.live.feed import LOOK_EVERY_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tondo.workspace.live.feed import Feed
    from tondo.workspace.live.values import LiveView

_MOST_WAITING = 30
"""Looks that a slow viewer may be behind before it misses some."""

LINGER_S = 10.0
"""For so long after the last viewer the looks go on: a page that is loaded again keeps its past."""

_encode = msgspec.json.Encoder().encode


class Broadcast:
    """Shares one feed among viewers; the feed rests while there is none."""

    def __init__(self, open_feed: Callable[[], Feed], *, linger_s: float = LINGER_S) -> None:
        self._open_feed = open_feed
        self._linger_s = linger_s
        self._viewers: set[asyncio.Queue[LiveView | None]] = set()
        self._feed: Feed | None = None
        self._looking: asyncio.Task[None] | None = None
        self._left_at = 0.0
        self._ended = False

    @property
    def viewers(self) -> int:
        """How many watch."""
        return len(self._viewers)

    @property
    def looks(self) -> bool:
        """Whether scorers are being looked at."""
        return self._looking is not None

    @property
    def latest(self) -> LiveView | None:
        """What was seen last, None while nobody watches."""
        return self._feed.views[-1] if self._feed is not None and self._feed.views else None

    def end(self) -> None:
        """End every stream, so that a server that ends waits for none."""
        self._ended = True
        for seen in self._viewers:
            _put(seen, None)

    async def events(self, deployment: str = "") -> AsyncIterator[bytes]:
        """Yield events until the viewer goes or all end: what is remembered, then each look.

        With `deployment` only its rates are told.
        """
        async with self._watching() as seen:
            remembered = [] if self._feed is None else list(self._feed.views)
            told = [_of(each, deployment) for each in remembered]
            yield b"retry: 2000\nevent: history\ndata: %b\n\n" % _encode(told)
            while (view := await seen.get()) is not None:
                yield b"event: look\ndata: %b\n\n" % _encode(_of(view, deployment))

    @asynccontextmanager
    async def _watching(self) -> AsyncIterator[asyncio.Queue[LiveView | None]]:
        seen: asyncio.Queue[LiveView | None] = asyncio.Queue(_MOST_WAITING)
        self._viewers.add(seen)
        if self._looking is None:
            self._feed = self._open_feed()
            self._looking = asyncio.create_task(self._look_on(self._feed))
        try:
            yield seen
        finally:
            self._viewers.discard(seen)
            self._left_at = asyncio.get_running_loop().time()

    async def _look_on(self, feed: Feed) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        try:
            while self._is_watched(loop.time()):
                # Not on the workspace's threads: those are for verbs.
                view = await asyncio.to_thread(feed.look)
                for seen in self._viewers:
                    _put(seen, view)
                # After a late one: rates over a moment would leap.
                due = max(due + LOOK_EVERY_S, loop.time() + LOOK_EVERY_S / 2)
                await asyncio.sleep(due - loop.time())
        finally:
            self._looking = self._feed = None
            feed.close()

    def _is_watched(self, now_s: float) -> bool:
        """Tell whether somebody watches, or did so a moment ago."""
        recently = now_s < self._left_at + self._linger_s
        return not self._ended and (bool(self._viewers) or recently)


def _put(seen: asyncio.Queue[LiveView | None], view: LiveView | None) -> None:
    """Tell a viewer; one that is far behind misses the oldest."""
    if seen.full():
        seen.get_nowait()
    seen.put_nowait(view)


def _of(view: LiveView, deployment: str) -> LiveView:
    if not deployment:
        return view
    return msgspec.structs.replace(
        view, rates=[each for each in view.rates if each.deployment == deployment]
    )
