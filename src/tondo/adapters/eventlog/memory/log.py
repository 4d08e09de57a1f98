"""The event log in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.errors import NotFoundError, near
from tondo.ports.eventlog import Position, Segment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tondo.ports.eventlog import Durability


class _MemorySegment:
    def __init__(self, name: str) -> None:
        self.name = name
        self.payloads: list[bytes] = []
        self.closed = False


class MemoryAppender:
    """Appends to a segment in memory."""

    def __init__(self, segments: list[_MemorySegment], writer: str) -> None:
        self._segments = segments
        self._writer = writer
        self._current: _MemorySegment | None = None

    def append(self, payload: bytes) -> None:
        """Keep one payload."""
        self.append_many([payload])

    def append_many(self, payloads: Iterable[bytes]) -> None:
        """Keep several payloads."""
        kept = [bytes(payload) for payload in payloads]
        if not kept:
            return
        if self._current is None:
            number = len(self._segments) + 1
            self._current = _MemorySegment(f"{number:012d}-{self._writer}.log")
            self._segments.append(self._current)
        self._current.payloads.extend(kept)

    def sync(self) -> None:
        """Do nothing: memory has no device."""

    def roll(self) -> str | None:
        """Close the current segment and return its name, or None when it is empty."""
        segment, self._current = self._current, None
        if segment is None:
            return None
        segment.closed = True
        return segment.name

    def close(self) -> None:
        """Close the current segment for good."""
        self.roll()


class MemoryEventLog:
    """An event log that ends with the process; offsets count frames.

    >>> log = MemoryEventLog()
    >>> log.appender("outcomes/late", "a", durability="written").append(b"x")
    >>> [payload for _, payload in log.read("outcomes/late")]
    [b'x']
    """

    def __init__(self) -> None:
        self._streams: dict[str, list[_MemorySegment]] = {}

    def appender(self, stream: str, writer: str, *, durability: Durability) -> MemoryAppender:
        """Open an appender."""
        del durability  # memory has one
        return MemoryAppender(self._streams.setdefault(stream, []), writer)

    def segments(self, stream: str) -> list[Segment]:
        """List the segments in the order they were begun."""
        return [
            Segment(name=each.name, closed=each.closed, bytes=sum(map(len, each.payloads)))
            for each in self._streams.get(stream, [])
        ]

    def read(self, stream: str, after: Position | None = None) -> Iterator[tuple[Position, bytes]]:
        """Yield (position after the frame, payload) of what is new since `after`.

        The position keeps the offset of every segment, so none is passed by while it is open.
        """
        offsets: dict[str, int] = {}
        if after is not None:
            for part in after.segment.split(";"):
                name, _, offset = part.partition("=")
                offsets[name] = int(offset)
        for segment in list(self._streams.get(stream, [])):
            start = offsets.setdefault(segment.name, 0)
            for end, payload in enumerate(segment.payloads[start:], start + 1):
                offsets[segment.name] = end
                text = ";".join(f"{name}={at}" for name, at in offsets.items())
                yield Position(text, end), payload

    def end(self, stream: str) -> Position | None:
        """Return the position after everything that is there now; None for an empty stream."""
        segments = self._streams.get(stream, [])
        if not segments:
            return None
        text = ";".join(f"{each.name}={len(each.payloads)}" for each in segments)
        return Position(text, len(segments[-1].payloads))

    def read_segment(
        self, stream: str, segment: str, offset: int = 0
    ) -> Iterator[tuple[Position, bytes]]:
        """Yield the frames of one segment, from `offset` on."""
        found = [each for each in self._streams.get(stream, []) if each.name == segment]
        if not found:
            raise NotFoundError(
                "TD-LOG-003",
                f"stream '{stream}' has no segment '{segment}'",
                fix=near(segment, [each.name for each in self._streams.get(stream, [])]),
                stream=stream,
                segment=segment,
            )
        for end, payload in enumerate(found[0].payloads[offset:], offset + 1):
            yield Position(segment, end), payload
