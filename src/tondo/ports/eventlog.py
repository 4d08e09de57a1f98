"""The event log port: append-only streams of frames, durable by mode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from tondo.core.errors import ConflictError, NotFoundError, near

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Durability = Literal["written", "synced"]


class Position(msgspec.Struct, frozen=True, order=True):
    """A place in a stream: where the next frame begins."""

    segment: str
    offset: int


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a stream."""

    name: str
    bytes: int
    closed: bool


class Appender(Protocol):
    """The one writer of its own segments; many appenders may write one stream."""

    def append(self, payload: bytes) -> None:
        """Write one frame; when it returns, the frame has reached the promised durability.

        Raises PlatformError TD-LOG-001 when the disk is full; then nothing of the frame counts.
        """
        ...

    def append_many(self, payloads: Iterable[bytes]) -> None:
        """Write several frames as one write."""
        ...

    def sync(self) -> None:
        """Flush to the device (fdatasync)."""
        ...

    def roll(self) -> str | None:
        """Close the current segment and return its name, or None when it is empty."""
        ...

    def close(self) -> None:
        """Close the current segment for good."""
        ...


class EventLog(Protocol):
    """Streams of frames. A torn tail after a kill is skipped by readers, never an error."""

    def appender(self, stream: str, writer: str, *, durability: Durability) -> Appender:
        """Open an appender; `writer` must be unique among live writers of the stream."""
        ...

    def segments(self, stream: str) -> list[Segment]:
        """List the segments in the order they were begun."""
        ...

    def read(self, stream: str, after: Position | None = None) -> Iterator[tuple[Position, bytes]]:
        """Yield (position after the frame, payload) over all segments, also open ones.

        A flipped bit inside a frame raises DataError TD-LOG-002 naming segment and offset.
        """
        ...

    def end(self, stream: str) -> Position | None:
        """Return the position after everything that is there now; None for an empty stream.

        `read` from there yields what comes later. No closed segment is read for it.
        """
        ...

    def read_segment(
        self, stream: str, segment: str, offset: int = 0
    ) -> Iterator[tuple[Position, bytes]]:
        """Yield the frames of one segment, from `offset` on."""
        ...

    def has_read(self, stream: str, after: Position | None, segment: str) -> bool:
        """Tell whether a reader at `after` has read all of a closed segment."""
        ...

    def remove(self, stream: str, segment: str) -> None:
        """Remove a closed segment for good; its name is never given again.

        Readers go on with the others. Raises ConflictError TD-LOG-006 while it is open, and
        NotFoundError TD-LOG-003 when it is not there.
        """
        ...


def no_segment(stream: str, segment: str, names: Iterable[str]) -> NotFoundError:
    """Build the error TD-LOG-003; `names` are those that the stream has."""
    return NotFoundError(
        "TD-LOG-003",
        f"stream '{stream}' has no segment '{segment}'",
        fix=near(segment, list(names)),
        stream=stream,
        segment=segment,
    )


def still_open(stream: str, segment: str) -> ConflictError:
    """Build the error TD-LOG-006."""
    return ConflictError(
        "TD-LOG-006",
        f"segment '{segment}' of stream '{stream}' is still written",
        expected="a closed segment",
        fix="It is closed when its writer rolls it or ends.",
        stream=stream,
        segment=segment,
    )
