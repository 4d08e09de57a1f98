"""Keys of the online store: bytes that sort by view version, entity key and time."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

from tondo.core.canonical import digest_bytes
from tondo.core.errors import CallerError, DataError

if TYPE_CHECKING:
    from tondo.scoring.layout import ViewLayout

NULL: Final = -(1 << 63)
"""Stands for null (and for no recorded time) in eight-byte integers."""
LAST: Final = b"\xff" * 17
"""After every key that begins with the same entity key."""
MOST_KEY_BYTES: Final = 511
"""See `ports/online.py`."""
LONGEST_TAIL: Final = 24
"""Most bytes after an entity's stem: event time, recorded time, load."""
EVENT_TAIL: Final = 16
"""An event's key ends in its event time and sequence, eight bytes each."""
_BIAS: Final = 1 << 63
_MOST: Final = (1 << 63) - 1
_INSTANT: Final = struct.Struct(">Q")


def newest_first(instant_us: int) -> bytes:
    """Return eight bytes that sort later instants first."""
    return _INSTANT.pack(_MOST - instant_us)


def oldest_first(instant_us: int) -> bytes:
    """Return eight bytes that sort earlier instants first."""
    return _INSTANT.pack(instant_us + _BIAS)


def event_time_of(event_key: bytes) -> int:
    """Return the event time in microseconds that an event's key carries."""
    return int.from_bytes(event_key[-EVENT_TAIL:-8]) - _BIAS


def row_time_of(row_tail: bytes) -> int:
    """Return the event time that follows the stem in a looked-up row's key."""
    return _MOST - int.from_bytes(row_tail[:8])


def block_tail(level: int, block: int) -> bytes:
    """Return what follows the entity key in the key of a block; `level` is its place.

    Its first byte is after that of every event time until the year 290,000.
    """
    return b"\xff" + bytes((level,)) + oldest_first(block)


def block_of(block_key: bytes) -> int:
    """Return the number of the block that lies under a key."""
    return int.from_bytes(block_key[-8:]) - _BIAS


def event_digest(event_id: str) -> bytes:
    """Return the 16 bytes that stand for an event id: its mark, and its place among equal times.

    >>> event_digest("landing-1") == event_digest("landing-1")
    True
    """
    return bytes.fromhex(digest_bytes(event_id.encode())[:32])


def check_key_length(length: int) -> None:
    """Refuse a key longer than every store takes with CallerError TD-ONLINE-004."""
    if length > MOST_KEY_BYTES:
        raise CallerError(
            "TD-ONLINE-004",
            f"an online key of {length} bytes",
            expected=f"1 to {MOST_KEY_BYTES} bytes, view name and entity key together",
            fix="Use a shorter entity key, for example an id or a digest of the long one.",
        )


class ViewKeys:
    """Makes the keys of one view version."""

    __slots__ = (
        *("_is_text", "_layout", "dropped", "horizon"),
        *("marks", "newest", "prefix", "state"),
    )

    def __init__(self, layout: ViewLayout) -> None:
        self._layout = layout
        self._is_text = layout.key_type == "string"
        self.prefix = b"%s\x00%s\x00" % (layout.view.encode(), layout.version.encode())
        """What every row's and event's key begins with."""
        self.marks = b"%s\x01%s\x00" % (layout.view.encode(), layout.version.encode())
        """What every mark's key begins with."""
        self.state = b"%s\x02%s" % (layout.view.encode(), layout.version.encode())
        """Where the state of the view's loads lies (`loads.py`)."""
        self.newest = b"%s\x03%s" % (layout.view.encode(), layout.version.encode())
        """Where the newest pushed event time lies (`pushed.py`)."""
        self.horizon = b"%s\x04%s" % (layout.view.encode(), layout.version.encode())
        """Where the instant lies before which nothing can be read (`horizon.py`)."""
        self.dropped = b"%s\x05%s" % (layout.view.encode(), layout.version.encode())
        """Where the number of events lies that came too late for any read."""

    def stem(self, key: Any) -> bytes:
        """Return what all keys of an entity begin with; TD-ONLINE-001 for a key of wrong type."""
        if self._is_text:
            if type(key) is str:
                text = key.encode()
                if b"\x00" in text:
                    text = text.replace(b"\x00", b"\x00\xff")
                # The end mark keeps the entity AB out of the range of the entity A.
                return self.prefix + text + b"\x00\x01"
        elif type(key) is int and -_BIAS <= key < _BIAS:
            return self.prefix + _INSTANT.pack(key + _BIAS)
        raise self._refused(key)

    def lookup(self, key: Any, event_time_us: int | None, recorded_at_us: int | None) -> bytes:
        """Return the key of one looked-up row; TD-ONLINE-002 without the event time it needs."""
        start = self.stem(key)
        if not self._layout.has_time:
            return start
        if event_time_us is None:
            raise self._timeless(key)
        start += newest_first(event_time_us)
        if self._layout.has_recorded:
            start += newest_first(NULL if recorded_at_us is None else recorded_at_us)
        return start

    def loaded(self, row_key: bytes, load: int) -> bytes:
        """Return the key of a row that a load wrote: after a pushed one, the newest load first."""
        return row_key + newest_first(load)

    def event(self, key: Any, event_time_us: int, digest: bytes) -> bytes:
        """Return the key of one event; keys sort by entity key, event time, digest."""
        return self.stem(key) + oldest_first(event_time_us) + digest[:8]

    def block(self, key: Any, level: int, block: int) -> bytes:
        """Return the key of a block of tiles; after all events of the entity (see `tiles.py`)."""
        return self.stem(key) + block_tail(level, block)

    def is_mark(self, key: bytes) -> bool:
        """Say whether a key of this view version is a mark."""
        return key.startswith(self.marks)

    def mark(self, digest: bytes) -> bytes:
        """Return the key that says that an event id has been applied."""
        return self.marks + digest

    def stem_length(self, row_key: bytes) -> int:
        """Return how long the stem is with which a row's, an event's or a block's key begins."""
        start = len(self.prefix)
        return row_key.index(b"\x00\x01", start) + 2 if self._is_text else start + 8

    def _refused(self, key: Any) -> CallerError:
        layout = self._layout
        return CallerError(
            "TD-ONLINE-001",
            f"{key!r} cannot be a key of view '{layout.view}'",
            expected=f"{layout.key} of type {layout.key_type}",
            fix="Send the key in the type that the entity declares.",
            view=layout.view,
            column=layout.key,
        )

    def _timeless(self, key: Any) -> DataError:
        return DataError(
            "TD-ONLINE-002",
            f"a row of view '{self._layout.view}' for key {key!r} has no event time",
            fix="Give the row its event time, or drop it before it is pushed.",
            view=self._layout.view,
        )


def lookup_key(
    layout: ViewLayout,
    key: Any,
    event_time_us: int | None = None,
    recorded_at_us: int | None = None,
) -> bytes:
    """Return the key under which one looked-up row of an entity is kept."""
    return ViewKeys(layout).lookup(key, event_time_us, recorded_at_us)


def event_key(layout: ViewLayout, key: Any, event_time_us: int, event_id: str) -> bytes:
    """Return the key under which one event of a window view is kept."""
    return ViewKeys(layout).event(key, event_time_us, event_digest(event_id))


def event_range(layout: ViewLayout, key: Any, start_us: int, stop_us: int) -> tuple[bytes, bytes]:
    """Return the key range of events with start_us <= event time < stop_us."""
    stem = ViewKeys(layout).stem(key)
    return stem + oldest_first(start_us), stem + oldest_first(stop_us)


def lookup_range(layout: ViewLayout, key: Any, visible_us: int) -> tuple[bytes, bytes]:
    """Return the key range of rows at or before `visible_us`, the newest first."""
    stem = ViewKeys(layout).stem(key)
    if not layout.has_time:
        return stem, stem + LAST
    return stem + newest_first(visible_us), stem + LAST
