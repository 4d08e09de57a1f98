"""The event log in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.ports.eventlog import Position, Segment, no_segment, still_open

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tondo.ports.eventlog import Durability


class _MemorySegment:
    def __init__(self, name: str) -> None:
        self.name = name
        self.payloads: list[bytes] = []
        self.closed = False


class _MemoryStream:
    def __init__(self) -> None:
        self.segments: list[_MemorySegment] = []
        self._begun = 0

    def begin(self, writer: str) -> _MemorySegment:
        """Begin the next segment; no name is given twice."""
        self._begun += 1
        segment = _MemorySegment(f"{self._begun:012d}-{writer}.log")
        self.segments.append(segment)
        return segment


class MemoryAppender:
    """Appends to a segment in memory."""

    def __init__(self, stream: _MemoryStream, writer: str) -> None:
        self._stream = stream
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
            self._current = self._stream.begin(self._writer)
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
        self._streams: dict[str, _MemoryStream] = {}

    def appender(self, stream: str, writer: str, *, durability: Durability) -> MemoryAppender:
        """Open an appender."""
        del durability  # memory has one
        return MemoryAppender(self._streams.setdefault(stream, _MemoryStream()), writer)

    def segments(self, stream: str) -> list[Segment]:
        """List the segments in the order they were begun."""
        return [
            Segment(name=each.name, closed=each.closed, bytes=sum(map(len, each.payloads)))
            for each in self._segments(stream)
        ]

    def read(self, stream: str, after: Position | None = None) -> Iterator[tuple[Position, bytes]]:
        """Yield (position after the frame, payload) of what is new since `after`.

        The position keeps the offset of every segment, so none is passed by while it is open.
        """
        offsets = {} if after is None else _offsets(after)
        for segment in self._segments(stream):
            start = offsets.setdefault(segment.name, 0)
            for end, payload in enumerate(segment.payloads[start:], start + 1):
                offsets[segment.name] = end
                text = ";".join(f"{name}={at}" for name, at in offsets.items())
                yield Position(text, end), payload

    def end(self, stream: str) -> Position | None:
        """Return the position after everything that is there now; None for an empty stream."""
        segments = self._segments(stream)
        if not segments:
            return None
        text = ";".join(f"{each.name}={len(each.payloads)}" for each in segments)
        return Position(text, len(segments[-1].payloads))

    def read_segment(
        self, stream: str, segment: str, offset: int = 0
    ) -> Iterator[tuple[Position, bytes]]:
        """Yield the frames of one segment, from `offset` on."""
        found = self._segment(stream, segment)
        for end, payload in enumerate(found.payloads[offset:], offset + 1):
            yield Position(segment, end), payload

    def has_read(self, stream: str, after: Position | None, segment: str) -> bool:
        """Tell whether a reader at `after` has read all of a closed segment."""
        read = 0 if after is None else _offsets(after).get(segment, 0)
        return read >= len(self._segment(stream, segment).payloads)

    def remove(self, stream: str, segment: str) -> None:
        """Remove a closed segment for good; TD-LOG-006 while it is open."""
        found = self._segment(stream, segment)
        if not found.closed:
            raise still_open(stream, segment)
        self._streams[stream].segments.remove(found)

    def _segments(self, stream: str) -> list[_MemorySegment]:
        found = self._streams.get(stream)
        return [] if found is None else list(found.segments)

    def _segment(self, stream: str, name: str) -> _MemorySegment:
        segments = self._segments(stream)
        for each in segments:
            if each.name == name:
                return each
        raise no_segment(stream, name, [each.name for each in segments])


def _offsets(position: Position) -> dict[str, int]:
    """Return how many frames of each segment a position has read."""
    parts = (part.partition("=") for part in position.segment.split(";"))
    return {name: int(offset) for name, _, offset in parts}
