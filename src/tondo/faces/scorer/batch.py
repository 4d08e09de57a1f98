"""Gathers the frames of requests that are answered in one turn of the event loop.

All of them are written by one write; only then do their replies go out. So a reply still means
that its frame is in the kernel, and a busy scorer spends one system call on many requests.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tondo.core.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tondo.ports.eventlog import Appender


class GatheringAppender:
    """An appender whose frames wait for the next flush of its batch."""

    def __init__(self, appender: Appender, batch: Batch) -> None:
        self._appender = appender
        self._filled = batch.filled
        self._frames: list[bytes] = []

    def append(self, payload: bytes) -> None:
        """Gather one frame."""
        self.append_many((payload,))

    def append_many(self, payloads: Iterable[bytes]) -> None:
        """Gather several frames."""
        if not self._frames:
            self._filled.append(self)
        self._frames.extend(payloads)

    def write(self) -> PlatformError | None:
        """Write what was gathered; return why it could not be kept, or None."""
        frames, self._frames = self._frames, []
        try:
            self._appender.append_many(frames)
        except PlatformError as error:
            return error
        return None

    def sync(self) -> None:
        """Flush what was written to the device."""
        self._appender.sync()

    def roll(self) -> str | None:
        """Close the current segment."""
        return self._appender.roll()

    def close(self) -> None:
        """Close for good."""
        self._appender.close()


class Batch:
    """The replies of this turn of the loop, and the appenders their frames wait in.

    For the event loop's thread only.
    """

    def __init__(self) -> None:
        self.filled: list[GatheringAppender] = []
        """The appenders in which frames wait."""
        self._waiting: list[tuple[Appender | None, Callable[..., None]]] = []

    def when_written(
        self, appender: Appender | None, reply: Callable[[PlatformError | None], None]
    ) -> None:
        """Call `reply` once the frames gathered so far are written, or could not be."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self.flush)
        self._waiting.append((appender, reply))

    def flush(self) -> dict[int, PlatformError]:
        """Write all frames, then send all replies; return what failed by the appender's id()."""
        failed: dict[int, PlatformError] = {}
        for each in self.filled:
            if (error := each.write()) is not None:
                failed[id(each)] = error
        self.filled.clear()
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for appender, reply in waiting:
                reply(failed.get(id(appender)))
        return failed
