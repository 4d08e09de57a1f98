"""The bytes of a segment: a magic word, then frames of header and payload.

Header: payload length, CRC-32 of the payload, CRC-32 of those eight bytes, little-endian. The
header has its own checksum so that a flipped bit in a length is not taken for a torn tail.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING
from zlib import crc32

from tondo.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAGIC = b"TONDOLG1"
"""First bytes of every segment."""

_HEADER = struct.Struct("<III")
_HEAD = struct.Struct("<II")


def framed(payloads: Iterable[bytes]) -> bytes:
    """Return the frames of payloads, one behind the other.

    >>> list(frames(MAGIC + framed([b"abc", b"d"]), start=0, segment="s"))
    [(23, b'abc'), (36, b'd')]
    """
    parts = []
    for payload in payloads:
        length, check = len(payload), crc32(payload)
        parts.append(_HEADER.pack(length, check, crc32(_HEAD.pack(length, check))))
        parts.append(payload)
    return b"".join(parts)


def frames(data: bytes, *, start: int, segment: str) -> Iterator[tuple[int, bytes]]:
    """Yield (offset after the frame, payload) of `data`, which begins at offset `start`.

    Stops before an incomplete last frame. TD-LOG-002 when a bit was flipped.
    """
    at = 0
    if start == 0:
        if not data.startswith(MAGIC[: len(data)]) and any(data):
            raise _flipped(segment, 0)
        at = len(MAGIC)
    size = len(data)
    while at + _HEADER.size <= size:
        length, check, head_check = _HEADER.unpack_from(data, at)
        body = at + _HEADER.size
        if crc32(data[at : at + _HEAD.size]) != head_check:
            if not any(data[at:]):
                return  # the file was extended before a power loss, the data never arrived
            raise _flipped(segment, start + at)
        if body + length > size:
            return
        payload = data[body : body + length]
        if crc32(payload) != check:
            raise _flipped(segment, start + at)
        at = body + length
        yield start + at, payload


def whole_length(data: bytes, *, segment: str) -> int:
    """Return the length up to and including the last whole frame."""
    length = min(len(MAGIC), len(data))
    for after, _ in frames(data, start=0, segment=segment):
        length = after
    return length


def _flipped(segment: str, offset: int) -> DataError:
    return DataError(
        "TD-LOG-002",
        f"segment {segment} is damaged at byte {offset}: the checksum does not match",
        expected="frames as they were written",
        fix="Restore the segment from a copy; the frames before that byte are whole.",
        segment=segment,
        offset=offset,
    )
