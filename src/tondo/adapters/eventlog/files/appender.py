"""The one writer of its own segments: each append is one write to the kernel."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from tondo.adapters.eventlog.files.framing import MAGIC, framed
from tondo.core.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tondo.ports.eventlog import Durability

SEGMENT_BYTES = 64 << 20
"""Roll at 64 MiB: a minute of a busy scorer, and read whole into memory without harm."""


class FilesAppender:
    """Appends to segments that nobody else writes; a segment is begun with its first frame."""

    def __init__(
        self,
        begin: Callable[[], tuple[int, Path]],
        *,
        durability: Durability,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        self._begin = begin
        self._synced = durability == "synced"
        self._limit = segment_bytes
        self._fd = -1
        self._path: Path | None = None
        self._size = 0
        self._dirty = False
        self._guard = threading.Lock()

    def append(self, payload: bytes) -> None:
        """Write one frame; TD-LOG-001 when it could not be kept, then nothing of it counts."""
        self._write(framed((payload,)))

    def append_many(self, payloads: Iterable[bytes]) -> None:
        """Write several frames by one write: all count, or none."""
        data = framed(payloads)
        if data:
            self._write(data)

    def sync(self) -> None:
        """Flush what was written to the device; safe from another thread."""
        with self._guard:
            if self._fd < 0 or not self._dirty:
                return
            self._dirty = False
            fd = os.dup(self._fd)
        try:
            os.fdatasync(fd)
        except OSError as error:
            self._dirty = True
            raise self._refused(error) from error
        finally:
            os.close(fd)

    def roll(self) -> str | None:
        """Close the current segment and return its name, or None when it is empty."""
        path = self._path
        if path is None:
            return None
        self.sync()
        self._drop()
        return path.name

    def close(self) -> None:
        """Close the current segment for good."""
        self.roll()

    def _write(self, data: bytes) -> None:
        try:
            if self._fd < 0:
                self._open()
            written = os.write(self._fd, data)
        except OSError as error:
            self._take_back()
            raise self._refused(error) from error
        if written != len(data):
            self._take_back()
            raise self._refused(None)
        self._size += written
        self._dirty = True
        if self._synced:
            self._sync_or_take_back(written)
        if self._size >= self._limit:
            self.roll()

    def _sync_or_take_back(self, written: int) -> None:
        try:
            self.sync()
        except PlatformError:
            self._size -= written
            self._take_back()
            raise

    def _open(self) -> None:
        self._fd, self._path = self._begin()
        self._size = len(MAGIC)

    def _take_back(self) -> None:
        """Cut off what a failed write left; give the segment up when even that fails."""
        if self._fd < 0:
            return
        try:
            os.ftruncate(self._fd, self._size)
        except OSError:
            self._drop()

    def _drop(self) -> None:
        with self._guard:
            fd, self._fd = self._fd, -1
            self._path = None
            self._dirty = False
        os.close(fd)

    def _refused(self, error: OSError | None) -> PlatformError:
        why = "the write was cut short" if error is None else os.strerror(error.errno or 0)
        return PlatformError(
            "TD-LOG-001",
            f"the event log could not keep a frame: {why}",
            expected="room on the disk that holds the event log",
            fix="Free space; the request was not acknowledged and may be sent again.",
            segment=str(self._path) if self._path else "",
        )
